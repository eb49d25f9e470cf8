"""One .npz file of conversions, for programs to read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vce_models.arrays import Array


def write(
    path: Path,
    images: Sequence[Sequence[Array]],
    conditions: Sequence[Array],
    names: Sequence[str],
    rules: Array,
    numbers: Sequence[int],
) -> None:
    """Write conversions, and the conditions and rules that made them, in place.

    Args:
        path: The file.
        images: The conversions of each glyph, (glyphs, rules, size, size) with ink = 1.
        conditions: The glyphs themselves, (glyphs, size, size).
        names: The names of the glyphs.
        rules: (rules, size, latent_per_row).
        numbers: The numbers of the rules.
    """
    with path.open("wb") as file:
        np.savez(
            file,
            images=np.stack(images),
            conditions=np.stack(conditions),
            rules=rules,
            numbers=np.array(numbers),
            names=np.array(names),
        )
