"""Deformations are calmed, so that level strokes stay level and upright ones upright.

People draw level what is meant to be level and upright what is meant to be upright, to the pixel.
A smooth field tilts and bends both, and that tells its drawings from theirs. So a calm field moves
places to the left and right by as much in every row, and up and down by as much in every column:
by the field's own means, weighted by the ink.
"""

from __future__ import annotations

import numpy as np

from vce_models.arrays import Array
from vce_models.rendering.splines import cubic

GROWN = 1.1
"""How much larger calm fields are made, so that conversions spread as people's drawings do."""

LEAST = 1e-6
"""The least ink of a pixel, for the means where there is none."""


def averaging(q: Array, control: int) -> Array:
    """Find how much each row and each column of control points counts in a calm field.

    Args:
        q: The glyph, (size, size) in [0, 1], ink = 1.
        control: Control points along each side.

    Returns:
        (2, control) float32, of rows and of columns; each sums to `GROWN`.
    """
    ink = np.asarray(q, np.float64) + LEAST
    near = np.stack((ink.sum(1), ink.sum(0))) @ cubic(len(q), control)
    return np.asarray(GROWN * near / near.sum(1, keepdims=True), np.float32)


def calmed(points: Array, counts: Array) -> Array:
    """Calm fields, each by itself.

    Args:
        points: Control points, (N, 2, control, control), x first.
        counts: What `averaging` returns.

    Returns:
        The same shape: horizontal displacements are the same in every row, vertical ones in
        every column.
    """
    rows, columns = counts
    calm = np.empty_like(points)
    calm[:, 0] = (rows[:, None] * points[:, 0]).sum(1, keepdims=True)
    calm[:, 1] = (columns * points[:, 1]).sum(2, keepdims=True)
    return calm
