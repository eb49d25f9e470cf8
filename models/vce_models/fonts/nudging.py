"""Points are moved by a unit where whole coordinates make an outline cross itself.

Where two curves leave a node in nearly the same direction, as at the end of a brush's stroke, or
where an outline is a unit wide, rounding may exchange the two.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vce_models.fonts import crossings
from vce_models.fonts.family import Places

MOST = 3
"""Crossings of one hand that are undone at most; more of them come of no rounding."""

NEAREST = 2
"""Nodes near a crossing that are tried."""

STEPS = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)], float)

Contours = tuple[tuple[Places, ...], ...]


def nudged(
    contours: Contours, crossed: list[Places], linear: Places, em: float
) -> tuple[Contours, list[Places]]:
    """Move nodes, or their handles, near crossings by a unit, as long as that undoes some.

    Args:
        contours: Their segments, as `MasterGlyph` has them, settled.
        crossed: Where they cross, as `crossings.more` finds it.
        linear: The hands' linear maps, (hands, 2, 2).
        em: Font units of the em.

    Returns:
        The contours, and where they still cross. If the source crosses itself, too, whole
        coordinates are not the cause, and nothing is moved.
    """
    if not any(map(len, crossed)) or crossings.count(contours)[0]:
        return contours, crossed
    for _ in range(MOST):
        if not any(map(len, crossed)) or max(map(len, crossed)) > 2 * MOST:  # cubics, quadratics
            break
        if not (better := _better(contours, crossed, linear, em)):
            break
        contours, crossed = better
    return contours, crossed


def _better(
    contours: Contours, crossed: list[Places], linear: Places, em: float
) -> tuple[Contours, list[Places]] | None:
    """Move one point so that fewer crossings are left; None where none does that."""
    for hand, places in enumerate(crossed, 1):
        for place in places:
            before = crossings.nearby(contours, hand, place, em)
            for tried in _tries(contours, hand, place):
                if crossings.nearby(tried, hand, place, em) < before:
                    found = crossings.more(tried, linear, em)
                    if sum(map(len, found)) < sum(map(len, crossed)):
                        return tried, found
    return None


def _tries(contours: Contours, hand: int, place: NDArray[np.float64]) -> Iterator[Contours]:
    """Yield contours with one point near a place moved: a node with its handles, or a handle."""
    nodes = [(c, s) for c, contour in enumerate(contours) for s in range(len(contour))]
    at = np.stack([contours[c][s][hand, 0] for c, s in nodes])
    for near in np.linalg.norm(at - place, axis=1).argsort()[:NEAREST]:
        number, after = nodes[near]
        for moved in _moved(contours[number], after, hand):
            yield (*contours[:number], moved, *contours[number + 1 :])


def _moved(contour: tuple[Places, ...], after: int, hand: int) -> Iterator[tuple[Places, ...]]:
    """Yield a contour with a node of one hand moved, and then with either of its handles.

    Args:
        contour: Its segments.
        after: The segment that begins at the node.
        hand: The master.
    """
    before = (after - 1) % len(contour)
    end = slice(contour[before].shape[1] // 2, None)
    begin = slice(0, contour[after].shape[1] // 2)
    handles = slice(end.start, -1), slice(1, begin.stop)
    for pair in ((end, begin), (handles[0], None), (None, handles[1])):
        for step in STEPS:
            moved = list(contour)
            for segment, points in zip((before, after), pair, strict=True):
                if points is not None:
                    moved[segment] = moved[segment].copy()
                    moved[segment][hand, points] += step
            yield tuple(moved)
