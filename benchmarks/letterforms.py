"""Measure how evenly the letters of a hand stand, reach, lean and weigh, beside its source.

A hand may be larger, more slanted or bolder than its source as a whole. It is uneven where its
letters are so by different amounts. Therefore each letter is compared with the same letter of
the source, what all letters have in common is subtracted, and the standard deviation of the rest
is the figure. The source has an unevenness of its own, for example where o reaches below x. That
cancels letter by letter. A difference of variances would not do instead: noise could hide behind
the source's own variance.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

EM = 1000.0
"""Units to an em: all lengths here are thousandths of it."""

STANDING = "abcdefhiklmnorstuvwxzABCDEFGHIKLMNOPRSTUVWXYZ"
"""Letters that stand on the baseline, flat or round. In some fonts a few of them reach below."""

XHEIGHT = "acemnorsuvwxz"
"""Letters that are as high as x."""

STRAY = 60.0
"""A letter that ends farther than this from the median of its kind is left out.

In that source it does not stand on the baseline, or is not as high as x.
"""

CURVE = 24
"""How many straight lines take the place of one curve."""

ROWS = 100
"""At how many heights a letter is cut to find its straight pieces."""

CUTS = 25
"""At how many heights such a piece is measured."""

SHORTEST = 150.0
"""The least height of a straight piece."""

STRAIGHT = (2.5, 5.0, 10.0, 20.0)
"""How far an edge may be from a straight line.

They are tried in this order, until one finds `ENOUGH` pieces in a font.
"""

ENOUGH = 10
"""How many pieces of a font are enough for a standard deviation."""

QUARTERS = np.array((0.25, 0.75))
"""Shares of a piece's height at which two strokes are told apart.

A crossbar may join them in the middle.
"""

UPRIGHT = 8.0
"""How far a stem may lean off the font's median slant, in degrees; diagonals lean farther."""


class _Flattened(BasePen):
    """A pen that collects contours as closed lists of points, with lines in place of curves."""

    def __init__(self, glyphs: Any) -> None:
        super().__init__(glyphs)
        self.contours: list[list[tuple[float, float]]] = []

    def _moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        self.contours.append([point])

    def _lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        self.contours[-1].append(point)

    def _curveToOne(self, *points: tuple[float, float]) -> None:  # noqa: N802
        start = self.contours[-1][-1]
        t = np.linspace(0, 1, CURVE + 1)[1:, None]
        a, b, c, d = (np.array(point, float) for point in (start, *points))
        curve = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
        self.contours[-1].extend(map(tuple, curve.tolist()))


@dataclass(frozen=True)
class Letter:
    """The outline of a letter, as directed lines.

    Attributes:
        start: Where each line begins, (lines, 2).
        end: Where each line ends, (lines, 2).
    """

    start: Numbers
    end: Numbers

    @property
    def bottom(self) -> float:
        """Height of the lowest point."""
        return float(self.start[:, 1].min())

    @property
    def top(self) -> float:
        """Height of the highest point."""
        return float(self.start[:, 1].max())

    def at(self, share: Any) -> Any:
        """Return the height at a share, or at shares, of the way from bottom to top."""
        return self.bottom + share * (self.top - self.bottom)

    def run(self, height: float, last: bool) -> tuple[float, float] | None:
        """Return where the first stretch of ink at a height begins and ends, or the last one.

        The result is None where there is no ink at that height.
        """
        low, high = self.start[:, 1], self.end[:, 1]
        up, down = (low <= height) & (high > height), (high <= height) & (low > height)
        cut = np.flatnonzero(up | down)
        if not len(cut):
            return None
        a, b = self.start[cut], self.end[cut]
        x = a[:, 0] + (height - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
        order = np.argsort(x, kind="stable")
        x, wound = x[order], np.cumsum(np.where(up[cut][order], 1, -1))
        ends = np.flatnonzero(wound == 0)
        starts = np.concatenate(([0], ends[:-1] + 1))
        which = -1 if last else 0
        return float(x[starts[which]]), float(x[ends[which]])


@dataclass(frozen=True)
class Piece:
    """A part of a letter's first or last stroke.

    Attributes:
        letter: Which letter it is.
        last: Whether the stroke is the last one from the left, and not the first.
        low: Where the part begins, as a share of the letter's height.
        high: Where it ends, as a share of the letter's height.
    """

    letter: str
    last: bool
    low: float
    high: float


@dataclass(frozen=True)
class Source:
    """What hands are compared with.

    Attributes:
        letters: The letters of a font.
        edges: The pieces whose outer edge is straight and nearly upright.
        stems: The pieces whose both edges are so, and equally far apart throughout.
    """

    letters: Mapping[str, Letter]
    edges: list[Piece]
    stems: list[Piece]


@dataclass(frozen=True)
class Evenness:
    """Standard deviations within a hand, of what each letter has beyond the source's letter.

    Attributes:
        baseline: How far the lowest points scatter of letters that stand on the baseline, in
            thousandths of an em.
        xheight: How far the highest points scatter of letters that are as high as x, in
            thousandths of an em.
        slant: How far the lean of stems scatters, in degrees.
        stem: How far the widths of stems scatter, in thousandths of an em.
    """

    baseline: float
    xheight: float
    slant: float
    stem: float


def read(path: Path) -> dict[str, Letter]:
    """Read the letters A to Z and a to z that a font has; a variable font at its default."""
    with TTFont(path) as font:
        glyphs, names = font.getGlyphSet(), font.getBestCmap()
        scale = EM / font["head"].unitsPerEm
        letters = {}
        for letter in string.ascii_letters:
            if ord(letter) not in names:
                continue
            pen = _Flattened(glyphs)
            glyphs[names[ord(letter)]].draw(pen)
            contours = [np.array(c, float) * scale for c in pen.contours if len(c) > 2]
            if contours:
                ends = [np.roll(contour, -1, axis=0) for contour in contours]
                letters[letter] = Letter(np.concatenate(contours), np.concatenate(ends))
    return letters


def read_source(path: Path) -> Source:
    """Read a font's letters, and find where they have upright edges and stems of one width."""
    letters = read(path)
    return Source(letters, _upright(letters, _edge), _upright(letters, _stroke))


def compare(source: Source, hand: Mapping[str, Letter]) -> Evenness:
    """Measure by how much a hand's letters differ from each other, beyond those of the source.

    A figure is NaN where fewer than three letters, edges or stems are found in both.
    """
    pairs = {name: (letter, hand[name]) for name, letter in source.letters.items() if name in hand}
    ends = [(end(of), end(its)) for of, its in pairs.values() for end in (_bottom, _top)]
    return Evenness(
        baseline=_spread(_moved(pairs, STANDING, _bottom, _slope(ends))),
        xheight=_spread(_moved(pairs, XHEIGHT, _top, _slope(ends))),
        slant=_slants(_measured(pairs, source.edges, _lean)),
        stem=_weights(_measured(pairs, source.stems, _width)),
    )


def _bottom(letter: Letter) -> float:
    return letter.bottom


def _top(letter: Letter) -> float:
    return letter.top


def _moved(
    pairs: Mapping[str, tuple[Letter, Letter]],
    names: str,
    end: Callable[[Letter], float],
    scale: float,
) -> list[float]:
    """Measure how far the ends of letters moved, beyond what scaling the whole font does.

    Args:
        pairs: Each letter in the source and in the hand.
        names: The letters whose ends should be level. Those that end more than `STRAY` from the
            median of the source are left out.
        end: Measures the height of a letter's end.
        scale: How many times as high the hand's letters are.
    """
    ends = {name: end(pairs[name][0]) for name in names if name in pairs}
    usual = float(np.median(list(ends.values()))) if ends else 0.0
    return [
        end(pairs[name][1]) - scale * place
        for name, place in ends.items()
        if abs(place - usual) < STRAY
    ]


def _measured(
    pairs: Mapping[str, tuple[Letter, Letter]],
    pieces: Iterable[Piece],
    measure: Callable[[Piece, Letter], float],
) -> Numbers:
    """Measure pieces in the source and in the hand, (pieces, 2); those without a number go."""
    rows = [[measure(p, of) for of in pairs[p.letter]] for p in pieces if p.letter in pairs]
    values = np.array(rows, float).reshape(-1, 2)
    return values[np.isfinite(values).all(1)]


def _slants(slopes: Numbers) -> float:
    """Return the standard deviation of slants in degrees, without the slant that all share.

    Args:
        slopes: Run over rise of each piece in the source and in the hand, (pieces, 2).
    """
    common = float((slopes[:, 1] - slopes[:, 0]).mean()) if len(slopes) else 0.0
    return math.degrees(_spread(np.arctan(slopes[:, 1]) - np.arctan(slopes[:, 0] + common)))


def _weights(widths: Numbers) -> float:
    """Return the standard deviation of widths, without the factor by which all stems grow.

    It is a factor, and no difference: where all letters grow bolder, thick stems grow by more than
    thin ones.

    Args:
        widths: Width of each stem in the source and in the hand, (stems, 2).
    """
    bolder = (widths[:, 0] @ widths[:, 1]) / (widths[:, 0] @ widths[:, 0]) if len(widths) else 1.0
    return _spread(widths[:, 1] - bolder * widths[:, 0])


def _upright(letters: Mapping[str, Letter], kind: Callable[..., Numbers]) -> list[Piece]:
    """Find the straight and nearly upright pieces of the first and last stroke of each letter.

    Args:
        letters: The letters of a font.
        kind: `_edge` or `_stroke`, which chooses the lines that have to be straight.
    """
    found: list[Piece] = []
    for straight in STRAIGHT:
        found = [p for name in letters for p in _outer(name, letters[name], kind, straight)]
        if len(found) >= ENOUGH:
            break
    leans = [math.degrees(math.atan(_lean(piece, letters[piece.letter]))) for piece in found]
    return [
        piece
        for piece, lean in zip(found, leans, strict=True)
        if abs(lean - np.median(leans)) < UPRIGHT
    ]


def _outer(name: str, letter: Letter, kind: Callable[..., Numbers], straight: float) -> list[Piece]:
    """Find the straight pieces of a letter's first and last stroke; one if these are the same."""
    found = [
        piece for last in (False, True) if (piece := _longest(name, letter, last, kind, straight))
    ]
    found.sort(key=lambda piece: piece.low - piece.high)
    # A letter of one stroke has it as its first and as its last; the longer piece is kept.
    if len(found) == 2 and all(
        letter.run(height, last=False) == letter.run(height, last=True)
        for height in letter.at(found[1].low + (found[1].high - found[1].low) * QUARTERS)
    ):
        return found[:1]
    return found


def _longest(
    name: str, letter: Letter, last: bool, kind: Callable[..., Numbers], straight: float
) -> Piece | None:
    """Find the longest piece throughout which all lines that `kind` chooses are straight."""
    heights = letter.at((np.arange(ROWS) + 0.5) / ROWS)
    lines = kind(_runs(letter, last, heights))
    best, begin = (0, 0), 0
    for end in range(3, ROWS + 1):
        while begin < end - 2 and not _is_straight(heights, lines, slice(begin, end), straight):
            begin += 1
        best = max(best, (begin, end), key=lambda span: span[1] - span[0])
    begin, end = best
    if end == begin or heights[end - 1] - heights[begin] < SHORTEST:
        return None
    # An eighth is cut off at either end, since a hand moves joins and serifs a little.
    margin = (end - begin) // 8
    return Piece(name, last, (begin + margin + 0.5) / ROWS, (end - margin - 0.5) / ROWS)


def _runs(letter: Letter, last: bool, heights: Numbers) -> Numbers:
    """Return outer and inner side of an outer stroke at heights, (heights, 2); NaN for no ink."""
    runs = [letter.run(height, last) or (math.nan, math.nan) for height in heights]
    return np.array(runs)[:, ::-1] if last else np.array(runs)


def _edge(runs: Numbers) -> Numbers:
    """Choose the outer sides of a stroke, (heights, 1)."""
    return runs[:, :1]


def _stroke(runs: Numbers) -> Numbers:
    """Choose both sides of a stroke, (heights, 2)."""
    return runs


def _is_straight(heights: Numbers, lines: Numbers, part: slice, straight: float) -> bool:
    """Say whether lines are straight and have one slope; if there are two, they keep a distance.

    Args:
        heights: (heights,).
        lines: Where each line is at these heights, (heights, 1) or (heights, 2).
        part: The heights to look at.
        straight: How far a line may be from a straight one.
    """
    y, x = heights[part] - heights[part].mean(), lines[part] - lines[part].mean(0)
    if np.isnan(x).any() or np.ptp(lines[part, 0] - lines[part, -1]) > 2 * straight:
        return False
    return float(np.abs(x - np.outer(y, y @ x / (y @ y))).max()) <= straight


def _lean(piece: Piece, letter: Letter) -> float:
    """Measure run over rise of the outer edge: the median over all pairs of heights (Sen 1968).

    By the median a height at which another stroke begins does not count.
    """
    heights = letter.at(np.linspace(piece.low, piece.high, CUTS))
    x = _runs(letter, piece.last, heights)[:, 0]
    first, second = np.triu_indices(CUTS, 1)
    return float(np.median((x[second] - x[first]) / (heights[second] - heights[first])))


def _width(piece: Piece, letter: Letter) -> float:
    """Measure the median width of a stroke, at a right angle to its edge."""
    heights = letter.at(np.linspace(piece.low, piece.high, CUTS))
    runs = _runs(letter, piece.last, heights)
    width = float(np.median(np.abs(runs[:, 1] - runs[:, 0])))
    return width * math.cos(math.atan(_lean(piece, letter)))


def _slope(pairs: list[tuple[float, float]]) -> float:
    """Fit how many times as high as the source's a hand's letters are; 1 for too few ends."""
    return float(np.polyfit(*np.array(pairs).T, 1)[0]) if len(pairs) > 2 else 1.0


def _spread(values: Sequence[float] | Numbers) -> float:
    """Return the standard deviation of three values or more, and NaN of fewer."""
    return float(np.std(values)) if len(values) > 2 else math.nan
