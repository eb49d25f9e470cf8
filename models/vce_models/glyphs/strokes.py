"""How bold a glyph is, beside the drawings that the shipped weights were trained on.

Both limits leave out a thousandth of Omniglot's background drawings on either side, at 28
pixels; beyond them the networks have seen next to nothing.
"""

from __future__ import annotations

import numpy as np

from vce_models.arrays import Array

STROKE = (0.6, 2.1)
"""Stroke width of 99.8% of the training drawings, in pixels at 28 a side.

Their median is 1.17; the book weight of an ordinary font has 1.5 to 2, a bold one 2.4 to 3.3.
"""

INK = (0.004, 0.175)
"""Share of the canvas under ink of 99.8% of the training drawings; the mean is 0.079."""

CALIBRATION = 1.17 / 1.47
"""The grey edges of thin strokes count double in `width`: its median would be 1.47 pixels."""


def width(condition: Array) -> float:
    """Mean stroke width, in pixels: twice the ink over the length of its outline.

    Args:
        condition: (H, W) in [0, 1], ink = 1. The outline's length is the total variation.
    """
    framed = np.pad(condition, 1)
    across, down = np.diff(framed, axis=1)[1:], np.diff(framed, axis=0)[:, 1:]
    return CALIBRATION * 2 * float(condition.sum() / max(1e-6, np.hypot(across, down).sum()))


def unusual(condition: Array) -> list[str]:
    """Say in words what only one in 500 training drawings has; mostly that is nothing."""
    stroke, ink = width(condition), float(condition.mean())
    said = []
    if not STROKE[0] <= stroke <= STROKE[1]:
        said.append(f"strokes of {stroke:.2f} px (trained on {STROKE[0]} to {STROKE[1]})")
    if not INK[0] <= ink <= INK[1]:
        said.append(f"ink on {ink:.1%} of the canvas (trained on {INK[0]:.1%} to {INK[1]:.1%})")
    return said
