"""Deformations are calmed, so that level strokes stay level and upright ones upright.

People draw level what is meant to be level and upright what is meant to be upright, to the pixel.
A smooth field tilts and bends both, and that tells its drawings from theirs. So a calm field moves
places to the left and right by as much in every row, and up and down by as much in every column:
by the field's own means, weighted by the ink. Where it would tear a stroke wide apart, or press
strokes together, it is made weaker. And it moves a glyph half the way to where people draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from vce_models.arrays import Array
from vce_models.rendering.splines import cubic

GROWN = 1.1
"""How much larger calm fields are made, so that conversions spread as people's drawings do."""

RECENTRED, MIDDLE = 0.5, (0.48, 0.47)
"""Share of a glyph's way from the middle that its conversions lose, and where the middle is, from
the left and from the top, as shares of the canvas. Where one person draws a character says little
of where another does; Omniglot's drawings lie about here."""

SHOWN = (0.4, 2.0)
"""Limits of how much of the glyph a pixel shows along a side, where there is ink. Below the first
the pen would blot or tear the stroke, above the second strokes run together."""

LEAST = 1e-6
"""The least ink of a pixel, for the means where there is none."""


@dataclass(frozen=True)
class Ink:
    """Where a glyph has ink, along its width and along its height.

    Attributes:
        counts: How much each row and each column of control points counts in a calm field,
            (2, control) float32, of rows and of columns; each sums to 1.
        extents: From where to where there is ink, in pixels, (2, 2) float32, of columns (x) and
            of rows (y), the first and the last.
    """

    counts: Array
    extents: Array

    def away(self, size: int) -> Array:
        """Return by how much the ink is drawn towards `MIDDLE`, in pixels, x first."""
        return np.asarray(RECENTRED * (self.extents.mean(1) - np.array(MIDDLE) * size), np.float32)


def ink(q: Array, control: int) -> Ink:
    """Find where a glyph has ink.

    Args:
        q: The glyph, (size, size) in [0, 1], ink = 1.
        control: Control points along each side.
    """
    grey = np.asarray(q, np.float64)
    near = (np.stack((grey.sum(1), grey.sum(0))) + len(q) * LEAST) @ cubic(len(q), control)
    extents = []
    for greatest in (grey.max(0), grey.max(1)):
        (inked,) = np.nonzero(greatest >= greatest.max() / 2)
        extents.append((inked[0], inked[-1] + 1))
    counts = near / near.sum(1, keepdims=True)
    return Ink(counts.astype(np.float32), np.array(extents, np.float32))


def calmed(points: Array, ink: Ink, size: int) -> Array:
    """Calm fields, each by itself.

    Args:
        points: Control points, (N, 2, control, control), x first.
        ink: Where the glyph has ink.
        size: Side of the glyph in pixels.

    Returns:
        The same shape: horizontal displacements are the same in every row, vertical ones in
        every column.
    """
    rows, columns = ink.counts
    across, down = (rows[:, None] * points[:, 0]).sum(1), (columns * points[:, 1]).sum(2)
    lines = np.stack((across, down), axis=1)
    means = (lines * ink.counts[::-1]).sum(2, keepdims=True)
    place, own = GROWN * means + ink.away(size)[:, None], GROWN * (lines - means)
    weights, slopes, places = along(size, points.shape[3])
    read = places + place + np.matmul(own, weights.T)
    inked = (read > ink.extents[:, :1]) & (read < ink.extents[:, 1:])
    slope = np.where(inked, np.matmul(own, slopes.T), 0)
    least, most = (limit - 1 for limit in SHOWN)
    share = np.minimum(
        least / np.minimum(slope.min(2, keepdims=True), least),
        most / np.maximum(slope.max(2, keepdims=True), most),
    )
    lines = place + share * own
    calm = np.empty_like(points)
    calm[:, 0], calm[:, 1] = lines[:, 0, None], lines[:, 1, :, None]
    return calm


@cache
def along(size: int, control: int) -> tuple[Array, Array, Array]:
    """Return how control points become displacements and slopes along a side, and the places.

    Returns:
        Weights for displacements in pixels, (size, control); weights for their slopes, the same
        shape; and the pixels' middles, (size,).
    """
    weights = cubic(size, control)
    slopes = np.asarray(np.gradient(weights, axis=0), np.float32)
    return weights, slopes, np.arange(size, dtype=np.float32) + np.float32(0.5)
