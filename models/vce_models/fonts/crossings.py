"""Outlines that cross themselves where the source's do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Integers
from vce_models.fonts.family import Places

FLAT = 8
"""Lines into which a cubic is cut to be looked at."""

_AT = np.arange(FLAT) / FLAT
_BASIS = np.stack(((1 - _AT) ** 3, 3 * _AT * (1 - _AT) ** 2, 3 * _AT**2 * (1 - _AT), _AT**3), 1)


def flatten(contours: tuple[tuple[Places, ...], ...]) -> list[Places]:
    """Turn each contour into a closed polygon in every master, (masters, n, 2)."""
    return [
        np.concatenate(
            [
                part[:, :1] if part.shape[1] == 2 else np.einsum("tk,mkc->mtc", _BASIS, part)
                for part in contour
            ],
            axis=1,
        )
        for contour in contours
    ]


def count(polygons: list[Places]) -> Integers:
    """Count how often edges of polygons cross each other in every master, (masters,)."""
    starts = np.concatenate(polygons, axis=1)
    ends = np.concatenate([np.roll(polygon, -1, axis=1) for polygon in polygons], axis=1)
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    meet = np.zeros((starts.shape[1], starts.shape[1]), bool)
    for a, b in zip(low, high, strict=True):  # boxes that overlap in any master
        across = a[:, None, 0] < b[:, 0]
        up = a[:, None, 1] < b[:, 1]
        meet |= across & across.T & up & up.T
    i, j = np.nonzero(np.triu(meet, 2))
    p, q, r, s = starts[:, i], ends[:, i], starts[:, j], ends[:, j]
    apart = (_side(p, q, r) * _side(p, q, s) < 0) & (_side(r, s, p) * _side(r, s, q) < 0)
    return np.asarray(apart.sum(1))


def _side(a: Places, b: Places, c: Places) -> NDArray[np.float64]:
    """Say on which side of the line from a to b a place c lies."""
    ab, ac = b - a, c - a
    return np.asarray(np.sign(np.rint(ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0])))
