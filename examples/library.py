"""One hand for a whole alphabet: the same rule on every glyph, without PyTorch."""

from pathlib import Path

import numpy as np

from vce_models import convert, images, rules, weights

model = weights.load()
rule = rules.sample(1, model.config, seed=3)
for path in sorted(Path("glyphs").glob("*.png")):
    condition = images.read_glyph(path, str(path), model.config)
    (drawn,) = convert.convert(model, condition, rule)
    print(f"{path.stem}: {np.sum(condition):.0f} pixels of ink, {np.sum(drawn):.0f} redrawn")
