"""Nodes of outlines are moved to whole font units, as files hold them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vce_models.fonts.family import Places

TINY = 2.5
"""A cubic that reaches no farther than this in any master, in font units, becomes a line. Whole
coordinates would make a knot of it."""


def settle(contours: tuple[tuple[Places, ...], ...]) -> tuple[tuple[Places, ...], ...]:
    """Move nodes to whole font units, and the handles of cubics with them; tiny cubics are lines.

    Two neighbours that would meet stay a unit apart, in the direction that they had. Programs
    that check fonts take a segment without length for a crossing.

    Args:
        contours: Their segments, as `MasterGlyph` has them.
    """
    return tuple(_settled(contour) for contour in contours)


def _settled(contour: tuple[Places, ...]) -> tuple[Places, ...]:
    if not contour:
        return contour
    contour = tuple(segment[:, [0, -1]] if _is_tiny(segment) else segment for segment in contour)
    starts = np.stack([segment[:, 0] for segment in contour], axis=1)
    nodes = np.floor(starts + 0.5)
    for here in range(len(contour)):
        after = (here + 1) % len(contour)
        step = _unit(starts[:, after] - starts[:, here])
        apart = nodes[:, after] - nodes[:, here]
        # Where the next node is neither beside the way nor ahead on it, the two nodes have met, or
        # the outline has turned back.
        meet = (apart * (step == 0) == 0).all(-1) & ((apart * step).sum(-1) < 1) & step.any(-1)
        if after:
            nodes[meet, after] = (nodes[:, here] + step)[meet]
        else:
            nodes[meet, here] = (nodes[:, after] - step)[meet]
    by = nodes - starts
    settled = []
    for number, segment in enumerate(contour):
        after = (number + 1) % len(contour)
        half = segment.shape[1] // 2
        begin = np.repeat(by[:, number, None], half, axis=1)
        end = np.repeat(by[:, after, None], half, axis=1)
        moved = segment + np.concatenate((begin, end), axis=1)
        moved[:, 0], moved[:, -1] = nodes[:, number], nodes[:, after]
        settled.append(moved)
    return tuple(settled)


def _is_tiny(segment: Places) -> bool:
    return bool((np.ptp(segment, axis=1) < TINY).all())


def _unit(ways: Places) -> NDArray[np.float64]:
    """Return one unit along the axis that each way is nearer to, (n, 2)."""
    across = np.abs(ways[:, 0]) >= np.abs(ways[:, 1])
    steps = np.sign(ways)
    return np.asarray(np.where(np.stack((across, ~across), -1), steps, 0))
