"""Lines of equal ink are found in grey pictures, and fitted by corners, lines and curves.

Grey says where an edge runs to a fraction of a pixel. In black and white a stem would have steps.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vce_models.arrays import Array, Integers, Mask
from vce_models.fonts import fitting
from vce_models.fonts.family import Places
from vce_models.fonts.outline import Samples

STEP = 1 / 448
"""Distance between two samples of a line, as a share of the picture's side."""

SMOOTHINGS = 4
"""How often each sample moves towards the middle of its neighbours."""

ARM = 5
"""Samples on either side of a corner that say whether it is one, and where it lies."""

CORNER = 40.0
"""A sharper turn from one arm to the other is a corner, in degrees."""

LEVEL, LONG = 0.03, 16
"""Slope of a level or upright line at most, and samples of such a line that is a stem at least."""

APART = 6
"""Samples between two nodes, and between two corners, at least."""


def lines(probabilities: Array) -> Iterator[Places]:
    """Find the closed lines where ink is as likely as paper: (n, 2) in pixels each, y down."""
    from contourpy import contour_generator

    padded = np.pad(probabilities.astype(np.float64), 1)
    for line in contour_generator(z=padded).lines(0.5):
        yield np.asarray(line[:-1]) - 0.5  # one pixel was padded; middles of pixels lie at 0.5


def fitted(line: Places, side: int) -> tuple[Places, ...]:
    """Fit lines and cubics to a closed line; its corners stay corners.

    Args:
        line: One of those that `lines` finds.
        side: The picture's side, in pixels.

    Returns:
        Segments, (1, 2, 2) for a line or (1, 4, 2) for a cubic; none where the line is short.
    """
    places = _evenly(line, side * STEP)
    if places is None:
        return ()
    corners = _corners(places)
    places = _smoothed(_sharpened(places, corners, side * STEP), corners)
    nodes = _nodes(places, corners)
    samples = _samples(places, nodes, corners)
    (segments,) = fitting.fit(samples, samples.places[None], side)
    return segments


def _evenly(line: Places, step: float) -> Places | None:
    """Sample a closed line at even distances, an even number of times; None where it is short."""
    closed = np.concatenate((line, line[:1]))
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))))
    count = 2 * round(along[-1] / (2 * step))
    if count < 4 * APART:
        return None
    at = np.arange(count) * along[-1] / count
    return np.stack([np.interp(at, along, closed[:, i]) for i in (0, 1)], 1)


def _corners(places: Places) -> Integers:
    """Find samples at which a closed line turns sharply."""
    before, after = places - np.roll(places, ARM, 0), np.roll(places, -ARM, 0) - places
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turn = np.degrees(np.abs(np.arctan2(cross, (before * after).sum(1))))
    near = np.stack([np.roll(turn, i) for i in range(-APART, APART + 1)])
    peak = (turn >= near.max(0)) & (turn > CORNER)
    return _spread(np.flatnonzero(peak), len(places))


def _spread(found: Integers, count: int) -> Integers:
    """Leave out samples that are too near to one that is kept."""
    kept: list[int] = []
    for at in found.tolist():
        if all(min((at - other) % count, (other - at) % count) >= APART for other in kept):
            kept.append(at)
    return np.array(kept, np.intp)


def _sharpened(places: Places, corners: Integers, step: float) -> Places:
    """Move corners, which pixels have rounded off, to where their two sides would meet."""
    sharp, count = places.copy(), len(places)
    for at in corners.tolist():
        a, b, c, d = (places[(at + i) % count] for i in (-ARM, -2, 2, ARM))
        one, other = b - a, c - d
        cross = one[0] * other[1] - one[1] * other[0]
        if abs(cross) < 1e-6:
            continue
        offset = c - b
        meet = b + one * (offset[0] * other[1] - offset[1] * other[0]) / cross
        if np.hypot(*(meet - places[at])) < ARM * step / 2:
            sharp[at] = meet
            sharp[(at - 1) % count], sharp[(at + 1) % count] = (b + meet) / 2, (c + meet) / 2
    return sharp


def _smoothed(places: Places, corners: Integers) -> Places:
    """Smooth the steps of pixels away, and leave corners in their places."""
    fixed = places[corners]
    for _ in range(SMOOTHINGS):
        places = places / 2 + (np.roll(places, 1, 0) + np.roll(places, -1, 0)) / 4
        places[corners] = fixed
    return places


def _nodes(places: Places, corners: Integers) -> Integers:
    """Choose where parts begin: at corners, at extrema, and at the ends of straight stems."""
    slope = np.roll(places, -1, 0) - np.roll(places, 1, 0)
    straight = np.abs(slope) < LEVEL * np.hypot(*slope.T)[:, None]
    found = [*corners.tolist()]
    for axis in (0, 1):
        for first, length in _runs(straight[:, axis]):
            if length >= LONG:
                found += [first, first + length - 1]
            elif slope[first - 1, axis] * slope[(first + length) % len(slope), axis] < 0:
                found.append(first + length // 2)
    nodes = np.sort(_spread(np.array(found, np.intp) % len(places), len(places)))
    return nodes if len(nodes) else np.array([0, len(places) // 2])


def _runs(flags: Mask) -> Iterator[tuple[int, int]]:
    """Find runs of a closed row of flags: where each begins, and how long it is."""
    if flags.all() or not flags.any():
        return
    begins = np.flatnonzero(flags & ~np.roll(flags, 1))
    ends = np.flatnonzero(flags & ~np.roll(flags, -1))
    if ends[0] < begins[0]:
        ends = np.roll(ends, -1)
    for first, last in zip(begins.tolist(), ends.tolist(), strict=True):
        yield first, (last - first) % len(flags) + 1


def _samples(places: Places, nodes: Integers, corners: Integers) -> Samples:
    """Describe one closed line as `fitting.fit` wants it: it begins at a node."""
    count, first = len(places), int(nodes[0])
    order = np.arange(count)
    starts = nodes - first
    parts = np.stack((starts, np.roll(starts, -1)), 1)
    sharp: Mask = np.zeros(count, bool)
    sharp[(corners - first) % count] = True
    return Samples(
        np.roll(places, -first, 0),
        np.roll(order, -1),
        np.roll(order, 1),
        parts,
        [range(len(parts))],
        np.ones(len(parts), bool),
        sharp,
        [None] * len(parts),
    )
