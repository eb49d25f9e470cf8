"""Conversions as one .npz, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vce_models.glyphs.listing import Redrawn
from vce_models.rules import Rules


def write(path: Path, redrawn: Sequence[Redrawn], rules: Rules, numbers: Sequence[int]) -> None:
    """Write `images`, (glyphs, rules, size, size) float32 with ink = 1, and what made them.

    Beside it stand `conditions`, (glyphs, size, size), `rules`, (rules, size,
    latent_per_row), their `numbers`, and the glyphs' `names`.
    """
    with path.open("wb") as file:
        np.savez(
            file,
            images=np.stack([[*row.conversions] for row in redrawn]),
            conditions=np.stack([row.drawing.condition for row in redrawn]),
            rules=rules,
            numbers=np.array(numbers),
            names=np.array([row.glyph.name for row in redrawn]),
        )
