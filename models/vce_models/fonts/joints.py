"""Joints, where letters of a joined script meet, stay the same in all of them.

The letters of such a script are cut off at the edges of their widths, or reach a little over them,
all at the same heights: the line of Arabic, the headline of Devanagari. What keeps strokes as wide
as they were would move these ends in each letter a little otherwise, and a nick would show. So near
the edges one map moves all letters alike: their hand's, but for a joint's height, which stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vce_models.fonts.corrections import Numbers, Term
from vce_models.fonts.family import Places
from vce_models.fonts.outline import Contour, Samples, evaluate
from vce_models.rendering.pen import KEPT

WITHIN, BEYOND = 0.015, 0.1
"""How far within the edge of a letter's width, or beyond it, a joint lies at most, in ems."""

LEANS = 0.25
"""How far a cut goes to the side for each unit upwards at most."""

LOW, HIGH = 0.01, 0.2
"""How high a joint is, in ems."""

DOT = 0.2
"""What is neither wider nor higher, in ems, is a dot, and its sides are no cuts."""

OFTEN = 6
"""Cuts that are at the same heights, at least, for these to be a joint."""

SLACK = 0.005
"""How far above or below a joint its places are, in ems; it is drawn a little uneven."""

FIRM = 1000.0
"""Weight of places that are held, beside the widths of strokes and smoothness."""


_FINE = np.linspace(0, 1, 9)


@dataclass(frozen=True)
class Joint:
    """The lower and the upper height at which letters are cut off, in font units."""

    low: float
    high: float


def find(letters: Iterable[tuple[Sequence[Contour], int]], em: float) -> tuple[Joint, ...]:
    """Find at which heights letters are cut off, the most common first.

    Args:
        letters: Contours and advance width of each letter that is joined, in font units.
        em: Font units.
    """
    times: Counter[Joint] = Counter()
    for outline, advance in letters:
        times.update(_cuts(outline, advance, em))
    return _apart(joint for joint, number in times.most_common() if number >= OFTEN)


def _apart(joints: Iterable[Joint]) -> tuple[Joint, ...]:
    """Leave out the joints that overlap one before them."""
    found: list[Joint] = []
    for joint in joints:
        if all(joint.low > other.high or joint.high < other.low for other in found):
            found.append(joint)
    return tuple(found)


def _cuts(outline: Sequence[Contour], advance: int, em: float) -> Iterator[Joint]:
    """List where a letter is cut off at the edges of its width, or reaches over them."""
    for contour in outline:
        if _is_dot(np.concatenate([curve for piece in contour for curve in piece]), em):
            continue
        for low, high in (*_over(contour, advance), *_upright(contour, advance, em)):
            if LOW * em <= high - low <= HIGH * em:
                yield Joint(low, high)


def _upright(contour: Contour, advance: int, em: float) -> Iterator[tuple[float, float]]:
    """List the heights of nearly upright lines at the edges of a width."""
    for piece in contour:
        line = piece[0]
        if len(piece) == 1 and len(line) == 2 and _near(line, advance, em).all():
            low, high = sorted(line[:, 1].tolist())
            if abs(line[1, 0] - line[0, 0]) <= LEANS * (high - low):
                yield low, high


def _over(contour: Contour, advance: int) -> Iterator[tuple[float, float]]:
    """List the heights, in whole units, between which a contour lies over the edges of a width."""
    dense = [evaluate(curve, _FINE) for piece in contour for curve in piece]
    x, y = np.concatenate(dense).T
    for edge in (0, advance):
        beyond = x > edge
        (at,) = np.nonzero(beyond != np.roll(beyond, -1))
        after = (at + 1) % len(x)
        share = (edge - x[at]) / (x[after] - x[at])
        heights = np.sort(np.rint(y[at] + share * (y[after] - y[at])))
        yield from zip(heights[::2].tolist(), heights[1::2].tolist(), strict=True)


def _is_dot(places: Places, em: float) -> bool:
    return bool(np.ptp(places, axis=0).max() <= DOT * em)


def _near(places: Places, advance: int, em: float) -> NDArray[np.bool_]:
    """Say which places, (n, 2), are at one of the edges of a width."""
    x, within, beyond = places[:, 0], WITHIN * em, BEYOND * em
    left = (x <= within) & (x >= -beyond)
    return np.asarray(left | ((x >= advance - within) & (x <= advance + beyond)))


@dataclass(frozen=True, eq=False)
class Held:
    """Knots of a glyph that lie in joints.

    Attributes:
        knots: (k,).
        places: Where they lie in the source, (k, 2), in font units.
        joints: Lower and upper height of each one's joint, (k, 2).
    """

    knots: NDArray[np.intp]
    places: Places
    joints: Places

    def moved(self, linear: Places) -> Places:
        """Move them by the hands' linear maps, (hands, 2, 2), but for a joint's own height.

        Returns:
            (hands, k, 2).
        """
        moved = np.asarray(self.places @ linear.transpose(0, 2, 1))
        low, high = self.joints.T
        inside = np.clip(self.places[:, 1], low, high) - (low + high) / 2
        stretch = linear[:, 1, 1, None]
        kept = stretch / np.clip(stretch, 1 / KEPT[1], 1 / KEPT[0])
        moved[..., 1] += (kept - stretch) * inside
        return moved

    def term(self, missing: Places) -> Term:
        """Ask for corrections of the knots, (hands, k, 2)."""
        both = np.repeat(self.knots, 2)[:, None]
        ways = np.tile(np.eye(2), (len(self.knots), 1))[:, None]
        toward = np.broadcast_to(ways, (len(missing), *ways.shape))
        weights: Numbers = np.full(len(both), FIRM)
        return Term(both, toward, missing.reshape(len(missing), -1), weights)


def hold(
    samples: Samples,
    outline: Sequence[Contour],
    advance: int,
    joints: Sequence[Joint],
    em: float,
) -> Held | None:
    """Find the knots of a letter that lie in joints, or where it is cut off; None without any.

    What is cut off meets something, however few letters of a font are so.

    Args:
        samples: The samples of its outline.
        outline: Its contours, in font units.
        advance: Its advance width.
        joints: Where letters of the font meet.
        em: Font units.
    """
    joints = _apart((*joints, *_cuts(outline, advance, em)))
    if advance <= 0 or not joints:  # a mark joins nothing
        return None
    places = samples.places[::2]
    heights, slack = np.array([(joint.low, joint.high) for joint in joints]), SLACK * em
    above = places[:, 1, None] >= heights[:, 0] - slack
    inside = above & (places[:, 1, None] <= heights[:, 1] + slack)
    letters = np.ones(len(places), bool)
    for contour in samples.contours:
        begin, end = _knots(samples, contour)
        letters[begin:end] = not _is_dot(places[begin:end], em)
    (knots,) = np.nonzero(_near(places, advance, em) & inside.any(1) & letters)
    if not len(knots):
        return None
    return Held(knots, places[knots], heights[inside[knots].argmax(1)])


def _knots(samples: Samples, contour: range) -> tuple[int, int]:
    """Return the first knot of a contour, and the one after its last."""
    last = contour.stop < len(samples.parts)
    end = samples.parts[contour.stop, 0] if last else len(samples.places)
    return int(samples.parts[contour.start, 0]) // 2, int(end) // 2
