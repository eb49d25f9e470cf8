"""Deformations are calmed along level and upright strokes, since people keep those.

People draw level what is meant to be level and upright what is meant to be upright, to the pixel.
A smooth field tilts and bends both. So its control points are fitted anew by least squares: near
ink the field stays as it is, but along a level stroke it goes up or down by as much everywhere,
and along an upright one to the left or right. Strokes grow and shrink, part and meet, as before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Array
from vce_models.rendering.splines import cubic

LEVEL = (8.0, 16.0)
"""A stroke counts as level if its tilt is less than the first, in degrees, and the less so up to
the second; and so do upright ones."""

STIFF = 1e4
"""Weight of the squared slope along such a stroke, beside that of a change of the field."""

AROUND = 0.7
"""How far strokes are blurred, as a standard deviation in pixels."""

SMOOTH = 0.5
"""The same for the drawing, before slopes of its grey are taken."""

AWAY = 0.02
"""Weight of a change of the field where there is no ink, beside 1 where there is most."""

GROWN = 1.1
"""How much larger calmed fields are made, so that conversions spread as people's drawings do."""

FAINT, DARK = 1e-4, 0.05
"""Squared slopes of grey, of which the first counts as no edge and the second as one."""

Weighting = NDArray[np.float64]


def calming(q: Array, control: int) -> Array:
    """Find the matrices by which control points of any field of a glyph are calmed.

    Args:
        q: The glyph, (size, size) in [0, 1], ink = 1.
        control: Control points along each side.

    Returns:
        (2, control^2, control^2) float32: for horizontal displacements, then for vertical ones,
        both flat and row by row.
    """
    weights = cubic(len(q), control).astype(np.float64)
    slopes = np.gradient(weights, axis=0)
    ink = _blurred(q, AROUND)
    kept = _squares(AWAY + ink / max(ink.max(), AWAY), weights, weights)
    kept += 1e-5 * np.eye(len(kept))
    level, upright = (_blurred(part, AROUND) for part in _strokes(q))
    calm = _squares(upright, slopes, weights), _squares(level, weights, slopes)
    fitted = [np.linalg.solve(kept + STIFF * part, GROWN * kept) for part in calm]
    return np.stack(fitted).astype(np.float32)


def calmed(matrices: Array, points: Array) -> Array:
    """Calm fields, each by itself: control points (N, 2, control, control) to the same shape."""
    flat = points.reshape(len(points), 2, -1, 1)
    return np.asarray((matrices @ flat).reshape(points.shape))


def _strokes(q: Array) -> tuple[Weighting, Weighting]:
    """How much of each pixel belongs to level strokes and to upright ones, (size, size) each."""
    down, across = np.gradient(_blurred(q, SMOOTH))
    tensor = np.stack((across**2 - down**2, 2 * across * down, across**2 + down**2))
    straight, mixed, steep = (_blurred(part, AROUND) for part in tensor)
    tilt = np.degrees(np.arctan2(mixed, -straight)) / 2
    # Where edges of one direction meet, the tensor's two parts are as long as its trace.
    sure = (straight**2 + mixed**2) / (steep + FAINT) ** 2 * np.clip(steep / DARK, 0, 1)
    full, none = LEVEL
    level, upright = (
        sure * np.clip((none - angle) / (none - full), 0, 1)
        for angle in (np.abs(tilt), 90 - np.abs(tilt))
    )
    return level, upright


def _blurred(values: Array | Weighting, deviation: float) -> Weighting:
    """Blur (size, size) by a Gaussian of a deviation in pixels."""
    place = np.arange(len(values))
    weights = np.exp(-((place[:, None] - place) ** 2) / (2 * deviation**2))
    weights /= weights[len(place) // 2].sum()
    return np.asarray(weights @ values @ weights)


def _squares(weighting: Weighting, down: Weighting, across: Weighting) -> Weighting:
    """The matrix of the weighted sum of squares of down @ points @ across^T, in flat points."""
    count = down.shape[1]
    left, right = (
        (side[:, :, None] * side[:, None]).reshape(len(side), -1) for side in (down, across)
    )
    summed = (left.T @ weighting @ right).reshape(count, count, count, count)
    return np.asarray(summed.transpose(0, 2, 1, 3).reshape(count**2, count**2))
