"""A framing says how the drawings that a model was trained on lie in their canvas."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from vce_models.arrays import Array

NUMBERS = 7
"""How many numbers a framing has."""


@dataclass(frozen=True)
class Framing:
    """Measures of training drawings; the defaults are those of Omniglot's, at 28 pixels a side.

    Attributes:
        longest: Longest side of the ink, as a share of the canvas (median).
        across: Middle of the ink from the left, as a share of the canvas (median).
        down: Middle of the ink from the top, in the same way.
        thinnest: Width of strokes, in pixels; one drawing in a thousand has thinner ones.
            Omniglot's median is 1.17; the book weight of an ordinary font has 1.5 to 2, and a
            bold font 2.4 to 3.3.
        boldest: Width of strokes, in pixels; one drawing in a thousand has bolder ones.
        least: Share of the canvas under ink; one drawing in a thousand has less.
        most: Share of the canvas under ink; one drawing in a thousand has more. Omniglot's mean
            is 0.079.
    """

    longest: float = 0.64
    across: float = 0.5
    down: float = 0.5
    thinnest: float = 0.6
    boldest: float = 2.1
    least: float = 0.004
    most: float = 0.175

    def to_array(self) -> Array:
        """Return the numbers in their order, (7,) float32, as files of weights hold them."""
        return np.array(astuple(self), np.float32)

    @classmethod
    def from_array(cls, numbers: Array) -> Framing:
        """Read what `to_array` wrote.

        Raises:
            ValueError: A number is not possible.
        """
        framing = cls(*map(float, numbers))
        shares = (framing.longest, framing.across, framing.down, framing.least, framing.most)
        if not all(0 <= share <= 1 for share in shares) or not framing.longest > 0:
            raise ValueError("the framing of its drawings is impossible")
        return framing


OMNIGLOT = Framing()
"""The framing of Omniglot's drawings, on which the shipped weights were trained."""
