"""Points are moved by a unit where whole coordinates make an outline cross itself.

Where two curves leave a node in nearly the same direction, as at the end of a brush's stroke, or
where an outline is a unit wide, rounding may exchange the two.
"""

from __future__ import annotations

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
            tries = _tries(contours, hand, place)
            _, before, *after = crossings.nearby(tries, place, em)
            for number in np.flatnonzero(np.array(after) < before):
                tried = _taken(contours, hand, tries, 2 + int(number))
                found = crossings.more(tried, linear, em)
                if sum(map(len, found)) < sum(map(len, crossed)):
                    return tried, found
    return None


def _tries(contours: Contours, hand: int, place: NDArray[np.float64]) -> Contours:
    """Move one point near a place in each of many copies of a hand's contours.

    Args:
        contours: Their segments.
        hand: The master.
        place: The place, (2,).

    Returns:
        Contours whose masters are the source, the hand, and the hand with one node and its
        handles moved, or one handle alone.
    """
    nodes = [(c, s) for c, contour in enumerate(contours) for s in range(len(contour))]
    at = np.stack([contours[c][s][hand, 0] for c, s in nodes])
    near = np.linalg.norm(at - place, axis=1).argsort()[:NEAREST]
    moves = [
        (nodes[node][0], points, step)
        for node in near
        for points in _movable(contours[nodes[node][0]], nodes[node][1])
        for step in STEPS
    ]
    masters = [0, *[hand] * (1 + len(moves))]
    tries = tuple(tuple(part[masters] for part in contour) for contour in contours)
    for master, (contour, points, step) in enumerate(moves, 2):
        for segment, some in points:
            tries[contour][segment][master, some] += step
    return tries


def _movable(contour: tuple[Places, ...], after: int) -> list[list[tuple[int, slice]]]:
    """List what can be moved at a node: all of its points, or either of its handles.

    Args:
        contour: Its segments.
        after: The segment that begins at the node.

    Returns:
        For each choice the segments, and which of their points are moved.
    """
    before = (after - 1) % len(contour)
    end, begin = contour[before].shape[1] // 2, contour[after].shape[1] // 2
    both = [(before, slice(end, None)), (after, slice(begin))]
    return [both, [(before, slice(end, -1))], [(after, slice(1, begin))]]


def _taken(contours: Contours, hand: int, tries: Contours, number: int) -> Contours:
    """Put one of the masters that were tried in the place of a hand's."""
    taken = tuple(tuple(part.copy() for part in contour) for contour in contours)
    for contour, others in zip(taken, tries, strict=True):
        for part, other in zip(contour, others, strict=True):
            part[hand] = other[number]
    return taken
