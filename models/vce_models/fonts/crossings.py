"""Crossings of outlines with themselves are counted, beside those of the source."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Integers, Mask
from vce_models.fonts.family import Places

FLAT = 8
"""Lines into which a cubic is cut."""

PAIRS = 1000
"""Pairs of segments that are compared at once."""

_AT = np.arange(FLAT + 1) / FLAT
_LINE = np.stack((_AT == 0, _AT > 0), 1).astype(float)  # all of it, then nothing
_CUBIC = np.stack(((1 - _AT) ** 3, 3 * _AT * (1 - _AT) ** 2, 3 * _AT**2 * (1 - _AT), _AT**3), 1)


def flatten(contours: tuple[tuple[Places, ...], ...]) -> list[Places]:
    """Turn each contour into a closed polygon in every master, (masters, n, 2)."""
    return [
        np.concatenate(
            [part[:, :1] if part.shape[1] == 2 else _knots(part)[:, :-1] for part in contour],
            axis=1,
        )
        for contour in contours
    ]


def count(contours: tuple[tuple[Places, ...], ...]) -> Integers:
    """Count how often an outline crosses itself, or two of its nodes meet, (masters,).

    Args:
        contours: Their segments, as `MasterGlyph` has them; a segment begins in the very place
            where the one before ends.
    """
    segments = np.stack([_knots(part) for contour in contours for part in contour], axis=1)
    low, high = segments.min(axis=2), segments.max(axis=2)
    meet = (low[:, :, None] <= high[:, None]).all(-1)
    first, second = np.nonzero(np.triu((meet & meet.transpose(0, 2, 1)).any(0)))
    times = np.zeros(len(segments))
    for at in range(0, len(first), PAIRS):
        one, other = first[at : at + PAIRS], second[at : at + PAIRS]
        crossed = _cross(segments[:, one], segments[:, other])
        times += crossed @ np.where(one == other, 0.5, 1.0)  # a curve is met twice by itself
    nodes = segments[:, :, 0]
    same = (nodes[:, :, None] == nodes[:, None]).all(-1)
    return np.asarray(np.rint(times) + np.triu(same, 1).sum((1, 2)), np.int64)


def more(contours: tuple[tuple[Places, ...], ...]) -> Mask:
    """Say in which hands an outline crosses itself more often than in the source, (hands,)."""
    times = count(contours)
    return np.asarray(times[1:] > times[0])


def _knots(segment: Places) -> Places:
    """Cut a line or a cubic into lines, (masters, FLAT + 1, 2)."""
    basis = _LINE if segment.shape[1] == 2 else _CUBIC
    return np.asarray(basis @ segment)


def _cross(some: Places, others: Places) -> Integers:
    """Count how often pairs of segments, (masters, pairs, FLAT + 1, 2), cross, (masters, pairs)."""
    p, q = some[:, :, :-1, None], some[:, :, 1:, None]
    r, s = others[:, :, None, :-1], others[:, :, None, 1:]
    apart = (_side(p, q, r) * _side(p, q, s) < 0) & (_side(r, s, p) * _side(r, s, q) < 0)
    return np.asarray(apart.sum((2, 3)))


def _side(a: Places, b: Places, c: Places) -> NDArray[np.float64]:
    """Say on which side of the line from a to b a place c lies."""
    ab, ac = b - a, c - a
    return np.asarray(np.sign(np.rint(ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0])))
