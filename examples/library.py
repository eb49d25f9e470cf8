"""One hand for a whole alphabet: the same rule on every glyph, without PyTorch."""

from pathlib import Path

import numpy as np

from vce_models import convert, rules, weights
from vce_models.glyphs import images

model = weights.load()
rule = rules.sample(1, model.config, seed=3)
for path in sorted(Path("glyphs").glob("*.png")):
    condition, detail = images.read_glyph(path, str(path), model.config)
    (image,) = convert.convert(model, condition, rule, detail, scale=8)
    print(f"{path.stem}: ink on {np.mean(detail):.1%} of the paper, {np.mean(image):.1%} redrawn")
