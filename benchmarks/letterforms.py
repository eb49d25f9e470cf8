"""How evenly the letters of a hand stand, reach, lean and weigh, beside those of its source.

A hand may be larger, slanted or bolder than its source as a whole; what makes it uneven is that
its letters are so by different amounts. Each letter is therefore compared with the same letter
of the source, what is common to all letters is taken out, and the standard deviation of the
rest is the figure. The source's own unevenness, as the overshoot of o below x, cancels letter
by letter; a difference of variances would not do: it lets noise hide behind the source's own.
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
"""All lengths here are thousandths of an em."""

STANDING = "abcdefhiklmnorstuvwxzABCDEFGHIKLMNOPRSTUVWXYZ"
"""Letters that stand on the baseline, flat or round; a font may let some of them hang."""

XHEIGHT = "acemnorsuvwxz"
"""Letters as high as x."""

STRAY = 60.0
"""A letter further from where its like stand in the source is none of them there."""

CURVE = 24
"""Pieces of line that stand for one curve."""

ROWS = 100
"""Heights at which a letter is cut through to find its straight pieces."""

CUTS = 25
"""Heights at which such a piece is measured."""

SHORTEST = 150.0
"""A straight piece is at least as high."""

STRAIGHT = (2.5, 5.0, 10.0, 20.0)
"""How far an edge may leave a line: the first of these that finds enough pieces."""

ENOUGH = 10

QUARTERS = np.array((0.25, 0.75))
"""Where two strokes are told apart; a crossbar may join them in the middle."""

UPRIGHT = 8.0
"""Degrees that a stem may lean off the font's common slant; diagonals lean further."""


class _Flattened(BasePen):
    """Contours as closed lists of points."""

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
    """A letter's outline as directed lines, `start` and `end` of shape (lines, 2)."""

    start: Numbers
    end: Numbers

    @property
    def bottom(self) -> float:
        """The lowest point."""
        return float(self.start[:, 1].min())

    @property
    def top(self) -> float:
        """The highest point."""
        return float(self.start[:, 1].max())

    def at(self, share: Any) -> Any:
        """The height at a share of the way from bottom to top."""
        return self.bottom + share * (self.top - self.bottom)

    def run(self, height: float, last: bool) -> tuple[float, float] | None:
        """Left and right of the first, or the last, stretch of ink at a height."""
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
    """Part of a letter's first or last stroke, between two shares of the letter's height."""

    letter: str
    last: bool
    low: float
    high: float


@dataclass(frozen=True)
class Source:
    """What hands are compared with: letters, their upright edges, and their stems."""

    letters: Mapping[str, Letter]
    edges: list[Piece]
    stems: list[Piece]


@dataclass(frozen=True)
class Evenness:
    """Standard deviations within a hand: thousandths of an em, and degrees."""

    baseline: float
    xheight: float
    slant: float
    stem: float


def read(path: Path) -> dict[str, Letter]:
    """The letters A to Z and a to z of a font, a variable one at its default."""
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
    """A font's letters, and where they have upright edges and stems of one width."""
    letters = read(path)
    return Source(letters, _upright(letters, _edge), _upright(letters, _stroke))


def compare(source: Source, hand: Mapping[str, Letter]) -> Evenness:
    """What a hand's letters vary by, beyond the same letters of the source.

    NaN stands where fewer than three letters, edges or stems are found in both.
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
    """How far letters' ends moved, beyond a scale; those that end elsewhere are left out."""
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
    """A measure of pieces in the source and in the hand, shape (pieces, 2)."""
    rows = [[measure(p, of) for of in pairs[p.letter]] for p in pieces if p.letter in pairs]
    values = np.array(rows, float).reshape(-1, 2)
    return values[np.isfinite(values).all(1)]


def _slants(slopes: Numbers) -> float:
    """The standard deviation of leans in degrees, after the slant of all is taken out."""
    common = float((slopes[:, 1] - slopes[:, 0]).mean()) if len(slopes) else 0.0
    return math.degrees(_spread(np.arctan(slopes[:, 1]) - np.arctan(slopes[:, 0] + common)))


def _weights(widths: Numbers) -> float:
    """The standard deviation of widths, after what all grow by is taken out.

    Thick stems grow by more than thin ones where all letters grow bolder.
    """
    bolder = (widths[:, 0] @ widths[:, 1]) / (widths[:, 0] @ widths[:, 0]) if len(widths) else 1.0
    return _spread(widths[:, 1] - bolder * widths[:, 0])


def _upright(letters: Mapping[str, Letter], kind: Callable[..., Numbers]) -> list[Piece]:
    """The straight, near-upright pieces of a font, first and last of each letter."""
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
    """A letter's first and last straight piece, one where both belong to one stroke."""
    found = [
        piece for last in (False, True) if (piece := _longest(name, letter, last, kind, straight))
    ]
    found.sort(key=lambda piece: piece.low - piece.high)
    # where a letter is one stroke, that is its first and its last: the longer piece stays
    if len(found) == 2 and all(
        letter.run(height, last=False) == letter.run(height, last=True)
        for height in letter.at(found[1].low + (found[1].high - found[1].low) * QUARTERS)
    ):
        return found[:1]
    return found


def _longest(
    name: str, letter: Letter, last: bool, kind: Callable[..., Numbers], straight: float
) -> Piece | None:
    """The longest piece where all that `kind` gives is straight."""
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
    # an eighth from either end keeps clear of joins and serifs, which a hand moves a little
    margin = (end - begin) // 8
    return Piece(name, last, (begin + margin + 0.5) / ROWS, (end - margin - 0.5) / ROWS)


def _runs(letter: Letter, last: bool, heights: Numbers) -> Numbers:
    """Outer and inner side of the outer stroke at heights, shape (heights, 2); NaN for none."""
    runs = [letter.run(height, last) or (math.nan, math.nan) for height in heights]
    return np.array(runs)[:, ::-1] if last else np.array(runs)


def _edge(runs: Numbers) -> Numbers:
    return runs[:, :1]


def _stroke(runs: Numbers) -> Numbers:
    return runs


def _is_straight(heights: Numbers, lines: Numbers, part: slice, straight: float) -> bool:
    """Whether lines keep to one straight line, and to one distance if they are two."""
    y, x = heights[part] - heights[part].mean(), lines[part] - lines[part].mean(0)
    if np.isnan(x).any() or np.ptp(lines[part, 0] - lines[part, -1]) > 2 * straight:
        return False
    return float(np.abs(x - np.outer(y, y @ x / (y @ y))).max()) <= straight


def _lean(piece: Piece, letter: Letter) -> float:
    """Run over rise of the outer edge, the median between every two of its heights.

    A height that meets another stroke does not count so.
    """
    heights = letter.at(np.linspace(piece.low, piece.high, CUTS))
    x = _runs(letter, piece.last, heights)[:, 0]
    first, second = np.triu_indices(CUTS, 1)
    return float(np.median((x[second] - x[first]) / (heights[second] - heights[first])))


def _width(piece: Piece, letter: Letter) -> float:
    """The median width of a stroke, square to its edge."""
    heights = letter.at(np.linspace(piece.low, piece.high, CUTS))
    runs = _runs(letter, piece.last, heights)
    width = float(np.median(np.abs(runs[:, 1] - runs[:, 0])))
    return width * math.cos(math.atan(_lean(piece, letter)))


def _slope(pairs: list[tuple[float, float]]) -> float:
    """How much higher a hand's letters are than the source's, as a factor."""
    return float(np.polyfit(*np.array(pairs).T, 1)[0]) if len(pairs) > 2 else 1.0


def _spread(values: Sequence[float] | Numbers) -> float:
    return float(np.std(values)) if len(values) > 2 else math.nan
