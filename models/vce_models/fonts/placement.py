"""A glyph's canvas has a place in its font, by which font units become pixels and return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vce_models.fonts.family import Places
from vce_models.framing import OMNIGLOT, Framing

LEAST = 1e-3
"""Smaller ink is framed as if its longest side were this, in font units."""


@dataclass(frozen=True)
class Placement:
    """A square canvas in font units, y up.

    Attributes:
        x: Its left edge.
        y: Its lower edge; the baseline is 0.
        side: Its side.
    """

    x: float
    y: float
    side: float

    def pixels(self, places: Places, size: int) -> Places:
        """Turn font units, (..., 2), into pixels of a canvas of `size`, y down."""
        scale = size / self.side
        x, y = (places[..., 0] - self.x) * scale, size - (places[..., 1] - self.y) * scale
        return np.stack((x, y), -1)

    def units(self, places: Places, size: int) -> Places:
        """Turn pixels of a canvas of `size`, y down, into font units."""
        scale = self.side / size
        x, y = places[..., 0] * scale + self.x, (size - places[..., 1]) * scale + self.y
        return np.stack((x, y), -1)


def around(places: Places, framing: Framing = OMNIGLOT) -> Placement:
    """Find the canvas on which ink lies as the training's drawings do.

    Args:
        places: Points of the ink's outline, in font units, (n, 2).
        framing: How the training's drawings lie.
    """
    low, high = places.min(0), places.max(0)
    side = max(float((high - low).max()), LEAST) / framing.longest
    x, y = (low + high) / 2 - [framing.across * side, (1 - framing.down) * side]
    return Placement(float(x), float(y), side)


FLIP = np.array([[1.0, -1.0], [-1.0, 1.0]])
"""Signs by which a derivative changes when y is turned upside down."""
