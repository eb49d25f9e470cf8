"""Crossings of outlines with themselves are counted, beside those of the source.

They are looked for in what files hold: cubics whose points are whole, and the quadratics that they
become in TrueType.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Integers, Mask
from vce_models.fonts import raster
from vce_models.fonts.family import Places
from vce_models.fonts.quadratics import Outline, converted

FLAT = 8
"""Lines into which a cubic is cut."""

PAIRS = 100
"""Pairs of segments that are compared at once."""

GROWN = 1.25
"""Loops of contours in the source may grow by so much beyond their hand's linear map."""

SPECK = 1e-6
"""Loops smaller than this do not count, in square ems."""

LEVEL = 1e-6
"""A place is on a line where it spans less than this with it, in square font units."""

NEARBY = 0.05
"""How far around a place `nearby` looks, in ems."""

_AT = np.arange(FLAT + 1) / FLAT
_LINE = np.stack((_AT == 0, _AT > 0), 1).astype(float)  # all of it, then nothing
_CUBIC = np.stack(((1 - _AT) ** 3, 3 * _AT * (1 - _AT) ** 2, 3 * _AT**2 * (1 - _AT), _AT**3), 1)
# Quadratics that meet in a sharp corner may cross very near to it.
_IN = np.array((0, 1 / 128, 1 / 32, *np.arange(1, 16) / 16, 31 / 32, 127 / 128, 1))
_WHOLE = np.stack((_IN == 0, _IN > 0), 1).astype(float)
_QUADRATIC = np.stack(((1 - _IN) ** 2, 2 * _IN * (1 - _IN), _IN**2), 1)


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
    return np.array([len(places) for places in _found(_cubics(contours))])


def more(contours: tuple[tuple[Places, ...], ...], linear: Places, em: float) -> list[Places]:
    """Find where an outline, once written, crosses itself, in hands where it does so more often.

    A hand where a loop that a contour has in the source has grown is one of them. Where contours
    of the source cross each other, as in many variable fonts, each is looked at by itself.

    Args:
        contours: Their segments, as `MasterGlyph` has them.
        linear: The hands' linear maps, (hands, 2, 2), by which loops may grow.
        em: Font units of the em.

    Returns:
        For each hand the places, (n, 2); none where it crosses itself no more than the source.
    """
    whole = tuple(tuple(np.floor(part + 0.5) for part in contour) for contour in contours)
    cubic = _apart(_cubics(whole), [len(contour) for contour in whole])
    quadratic = _apart(*_quadratics(converted(contours, em)))
    grown = _grown(contours, linear, em) if len(cubic[0]) else np.zeros(len(linear), bool)
    places = []
    for hand, larger in enumerate(grown, 1):
        worse = [kind for kind in (cubic, quadratic) if len(kind[hand]) > len(kind[0]) or larger]
        places.append(np.concatenate([np.empty((0, 2)), *(kind[hand] for kind in worse)]))
    return places


def nearby(
    contours: tuple[tuple[Places, ...], ...], place: NDArray[np.float64], em: float
) -> Integers:
    """Count crossings among the segments that come near a place in any master, (masters,).

    Args:
        contours: Their segments, as `MasterGlyph` has them; the first master is the source.
        place: The place, (2,).
        em: Font units of the em.
    """
    whole = tuple(tuple(np.floor(part + 0.5) for part in contour) for contour in contours)
    cubic = _cubics(whole), [len(contour) for contour in whole]
    total = np.zeros(len(cubic[0]), np.int64)
    for segments, counts in (cubic, _quadratics(converted(contours, em))):
        low, high = segments[1:].min((0, 2)), segments[1:].max((0, 2))
        close = ((low <= place + NEARBY * em) & (high >= place - NEARBY * em)).all(1)
        contour = np.repeat(np.arange(len(counts)), counts)[close]
        left = np.bincount(contour, minlength=len(counts)).tolist()
        total += [len(places) for places in _apart(segments[:, close], left)]
    return total


def _grown(contours: tuple[tuple[Places, ...], ...], linear: Places, em: float) -> Mask:
    """Say in which hands loops of contours have grown beyond the hand's linear map, (hands,)."""
    before, *after = np.sum([_twice(polygon) for polygon in flatten(contours)], axis=0)
    allowed = GROWN * np.abs(np.linalg.det(linear)) * before + SPECK * em**2
    return np.asarray(np.array(after) > allowed)


def _cubics(contours: tuple[tuple[Places, ...], ...]) -> Places:
    return np.stack([_knots(part) for contour in contours for part in contour], axis=1)


def _apart(segments: Places, counts: list[int]) -> list[Places]:
    """Find where contours of so many segments cross; only themselves if the source's do others."""
    contours = np.repeat(np.arange(len(counts)), counts)
    alike = contours[:, None] == contours
    others = len(counts) > 1 and len(_found(segments[:1], ~alike)[0])
    return _found(segments, alike if others else None)


def _found(segments: Places, looked_at: Mask | None = None) -> list[Places]:
    """Find where segments cut into lines, (masters, segments, knots, 2), cross, or nodes meet.

    Args:
        segments: The segments.
        looked_at: Which pairs of them count, (segments, segments); None means all.

    Returns:
        For each master the places, (n, 2).
    """
    low, high = segments.min(axis=2), segments.max(axis=2)
    meet = _both(low[:, :, None] <= high[:, None])
    meet = np.any(meet & meet.transpose(0, 2, 1), axis=0)
    looked_at = np.ones_like(meet) if looked_at is None else looked_at
    first, second = _near(segments, meet & looked_at)
    nodes = segments[:, :, 0]
    same = np.triu(_both(nodes[:, :, None] == nodes[:, None]) & looked_at, 1)
    found = [[nodes[master][pair.any(1)]] for master, pair in enumerate(same)]
    for at in range(0, len(first), PAIRS):
        one, other = first[at : at + PAIRS], second[at : at + PAIRS]
        crossed = _cross(segments[:, one], segments[:, other])
        crossed[:, one == other] = np.triu(crossed[:, one == other])  # a curve meets itself twice
        for places, segment, crossing in zip(found, segments, crossed, strict=True):
            pair, line, _ = np.nonzero(crossing)
            places.append(segment[one[pair], line])
    return [np.concatenate(places) for places in found]


def _near(segments: Places, meet: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """List the pairs of segments that may cross, among those whose bounds meet.

    Most bounds that meet are those of neighbours. These cross nowhere else if a line through the
    node that they share has one of them on either side.
    """
    first, second = np.nonzero(meet)
    follows = _both(segments[0, first, -1] == segments[0, second, 0])
    here, there = segments[:, first[follows]], segments[:, second[follows]]
    back, ahead = here - there[:, :, :1], there - there[:, :, :1]
    straight = (back[:, :, -2:-1] == 0).all(3)  # a line, whose knots but the first are its end
    across = _unit(ahead[:, :, 1]) - _unit(np.where(straight, back[:, :, 0], back[:, :, -2]))
    behind = (back @ across[..., None])[..., 0]
    before = (ahead @ across[..., None])[..., 0]
    clear = (behind[:, :, 0] < 0) & (behind <= 0).all(2)
    clear &= (before[:, :, -1] > 0) & (before >= 0).all(2)
    clear = np.asarray(clear.all(0))
    chord = segments[:, :, -1] - segments[:, :, 0]
    forth = (np.diff(segments, axis=2) @ chord[..., None])[..., 0]
    turns = ~(forth >= 0).all((0, 2))  # what never turns back comes to no place twice
    meet = meet & (turns | ~np.eye(len(meet), dtype=bool))
    meet[first[follows][clear], second[follows][clear]] = False
    meet[second[follows][clear], first[follows][clear]] = False
    first, second = np.nonzero(np.triu(meet))
    return first, second


def _unit(ways: Places) -> Places:
    return np.asarray(ways / np.maximum(np.linalg.norm(ways, axis=-1, keepdims=True), 1e-12))


def _knots(segment: Places) -> Places:
    """Cut a line or a cubic into lines, (masters, FLAT + 1, 2)."""
    basis = _LINE if segment.shape[1] == 2 else _CUBIC
    return np.asarray(basis @ segment)


def _quadratics(outline: Outline) -> tuple[Places, list[int]]:
    """Cut the lines and quadratics of an outline into lines.

    Returns:
        (masters, n, knots, 2), and how many each contour has.
    """
    found, counts, first = [], [], 0
    for last in outline.ends:
        places = outline.places[:, first : last + 1].astype(float)
        on = outline.on[first : last + 1]
        before, after = np.roll(places, 1, axis=1), np.roll(places, -1, axis=1)
        begin = np.where(np.roll(on, 1)[:, None], before, (before + places) / 2)
        end = np.where(np.roll(on, -1)[:, None], after, (places + after) / 2)
        found.append(_QUADRATIC @ np.stack((begin, places, end), 2)[:, ~on])
        line = on & np.roll(on, -1)
        found.append(_WHOLE @ np.stack((places, after), 2)[:, line])
        counts.append(int((~on).sum() + line.sum()))
        first = last + 1
    return np.concatenate(found, axis=1), counts


def _cross(some: Places, others: Places) -> Mask:
    """Say which lines cross of pairs of segments, (masters, pairs, knots, 2).

    So does a line that begins inside another.

    Returns:
        (masters, pairs, lines, lines).
    """
    p, q = some[:, :, :-1, None], some[:, :, 1:, None]
    r, s = others[:, :, None, :-1], others[:, :, None, 1:]
    beside, across = _side(p, q, r), _side(r, s, p)
    touching = (beside == 0) & (_dot_product(r - p, r - q) < 0) & ~_both(r == s)
    touching |= (across == 0) & (_dot_product(p - r, p - s) < 0) & ~_both(p == q)
    return np.asarray(touching | (beside * _side(p, q, s) < 0) & (across * _side(r, s, q) < 0))


def _side(a: Places, b: Places, c: Places) -> NDArray[np.float64]:
    """Say on which side of the line from a to b a place c lies."""
    area = _cross_product(b - a, c - a)
    return np.asarray(np.where(np.abs(area) < LEVEL, 0.0, np.sign(area)))


def _twice(polygon: Places) -> NDArray[np.float64]:
    """Measure how far the area that one contour's turns enclose is from its ink's, (masters,).

    It is the area of loops, which are covered twice, or count against the rest.

    Args:
        polygon: The contour, (masters, n, 2).
    """
    found = []
    for start, end in zip(polygon, np.roll(polygon, -1, axis=1), strict=True):
        heights = np.unique(np.concatenate((start[:, 1], _meetings(start, end))))
        middles, thick = (heights[1:] + heights[:-1]) / 2, np.diff(heights)
        across, sign = raster.crossings(start, end, middles)
        order = np.argsort(np.where(sign != 0, across, np.inf), axis=1)
        inside = np.cumsum(np.take_along_axis(sign, order, 1), axis=1)[:, :-1] != 0
        wide = np.diff(np.take_along_axis(across, order, 1), axis=1)
        ink = thick @ np.where(inside, wide, 0).sum(1)
        area = abs(_cross_product(start, end).sum()) / 2
        found.append(abs(area - ink))
    return np.array(found)


def _meetings(starts: Places, ends: Places) -> NDArray[np.float64]:
    """List the heights at which lines, (n, 2) each, cross."""
    ways, apart = ends - starts, starts - starts[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        sine = _cross_product(ways[:, None], ways)
        along, other = (_cross_product(apart, w) / sine for w in (ways, ways[:, None]))
    pairs = np.nonzero(np.triu((along > 0) & (along < 1) & (other > 0) & (other < 1)))
    return np.asarray(starts[pairs[0], 1] + along[pairs] * ways[pairs[0], 1])


def _both(of_places: Mask) -> Mask:
    """Say where both coordinates of places have what is asked, (..., 2) to (...)."""
    return np.asarray(of_places[..., 0] & of_places[..., 1])


def _dot_product(a: Places, b: Places) -> NDArray[np.float64]:
    return np.asarray(a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1])


def _cross_product(a: Places, b: Places) -> NDArray[np.float64]:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])
