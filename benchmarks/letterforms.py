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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont
from numpy.typing import NDArray

Array = NDArray[np.float64]

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

ROWS = 120
"""Heights at which a letter is cut through."""

SHORTEST = 150.0
"""A straight piece of a stem is at least as high."""

STRAIGHT = (2.5, 5.0, 10.0, 20.0)
"""How far a stem's middle may leave a line: the first of these that finds enough stems."""

ENOUGH = 10

UPRIGHT = 8.0
"""Degrees by which a stem may lean from the font's common slant; diagonals lean further."""


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

    start: Array
    end: Array

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
class Stem:
    """A straight piece of a letter's first or last stem, between two shares of its height."""

    letter: str
    last: bool
    low: float
    high: float


@dataclass(frozen=True)
class Evenness:
    """Standard deviations within a hand: thousandths of an em, and degrees."""

    baseline: float
    xheight: float
    slant: float
    stem: float
    letters: int
    stems: int


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


def stems(source: Mapping[str, Letter]) -> list[Stem]:
    """The straight, near-upright stems of a font: the leftmost and rightmost of each letter."""
    found: list[tuple[Stem, float]] = []
    for straight in STRAIGHT:
        found = [pair for name in source for pair in _outer(name, source[name], straight)]
        if len(found) >= ENOUGH:
            break
    if not found:
        return []
    common = float(np.median([lean for _, lean in found]))
    return [stem for stem, lean in found if abs(lean - common) < UPRIGHT]


def compare(
    source: Mapping[str, Letter], upright: Iterable[Stem], hand: Mapping[str, Letter]
) -> Evenness:
    """What a hand's letters vary by, beyond the same letters of the source and its stems.

    NaN stands where fewer than three letters or stems are found in both.
    """
    both = {name for name in source if name in hand}
    scale = _scale(
        [edge for name in sorted(both) for edge in (source[name].bottom, source[name].top)],
        [edge for name in sorted(both) for edge in (hand[name].bottom, hand[name].top)],
    )
    standing = _alike({name: source[name].bottom for name in STANDING if name in both}, 0.0)
    reaching = _alike({name: source[name].top for name in XHEIGHT if name in both}, None)
    measured = [
        (of_source, of_hand)
        for stem in upright
        if stem.letter in both
        and (of_source := _measure(stem, source[stem.letter]))
        and (of_hand := _measure(stem, hand[stem.letter]))
    ]
    slant = weight = math.nan
    if len(measured) > 2:
        slopes, widths = np.moveaxis(np.array(measured), 2, 0)
        common = np.mean(slopes[:, 1] - slopes[:, 0])
        lean = np.arctan(slopes[:, 1]) - np.arctan(slopes[:, 0] + common)
        slant = float(np.degrees(lean.std()))
        # thick stems grow by more than thin ones where all letters grow bolder
        bolder = (widths[:, 0] @ widths[:, 1]) / (widths[:, 0] @ widths[:, 0])
        weight = float((widths[:, 1] - bolder * widths[:, 0]).std())
    return Evenness(
        baseline=_spread([hand[n].bottom - scale * source[n].bottom for n in standing]),
        xheight=_spread([hand[n].top - scale * source[n].top for n in reaching]),
        slant=slant,
        stem=weight,
        letters=len(standing),
        stems=len(measured),
    )


def _outer(name: str, letter: Letter, straight: float) -> list[tuple[Stem, float]]:
    """A letter's first and last stem with their leans, one where both are the same."""
    found = [stem for last in (False, True) if (stem := _straightest(name, letter, last, straight))]
    # where a letter has one stroke it is its first and its last; the longer of the two stays
    found.sort(key=lambda pair: pair[0].low - pair[0].high)
    if len(found) == 2:
        shorter = found[1][0]
        height = letter.at((shorter.low + shorter.high) / 2)
        if letter.run(height, last=False) == letter.run(height, last=True):
            return found[:1]
    return found


def _straightest(
    name: str, letter: Letter, last: bool, straight: float
) -> tuple[Stem, float] | None:
    """The longest straight piece of one width in a letter's outer stroke, and its lean."""
    heights = letter.at((np.arange(ROWS) + 0.5) / ROWS)
    runs = [letter.run(height, last) for height in heights]
    best, begin = (0, 0), 0
    for end in range(1, ROWS + 1):
        while begin < end - 1 and not _is_straight(heights[begin:end], runs[begin:end], straight):
            begin += 1
        best = max(best, (begin, end), key=lambda span: span[1] - span[0])
    begin, end = best
    if heights[end - 1] - heights[begin] < SHORTEST:
        return None
    # a sixth from either end keeps clear of joins and serifs that a hand moves a little
    margin = (end - begin) // 6
    stem = Stem(name, last, (begin + margin + 0.5) / ROWS, (end - margin - 0.5) / ROWS)
    measured = _measure(stem, letter)
    return (stem, math.degrees(math.atan(measured[0]))) if measured else None


def _is_straight(heights: Array, runs: list[tuple[float, float] | None], straight: float) -> bool:
    found = [run for run in runs if run]
    if len(found) < len(runs):
        return False
    if len(found) < 3:
        return True
    left, right = np.array(found).T
    if np.ptp(right - left) > 2 * straight:
        return False
    middle = (left + right) / 2
    line = np.polyval(np.polyfit(heights, middle, 1), heights)
    return float(np.abs(middle - line).max()) <= straight


def _measure(stem: Stem, letter: Letter) -> tuple[float, float] | None:
    """Slope (run over rise) and width, square to it, of a stem where a letter has it."""
    rows = letter.at(np.linspace(stem.low, stem.high, 25))
    found = [(y, run) for y in rows if (run := letter.run(y, stem.last))]
    if len(found) < 3:
        return None
    y = np.array([row for row, _ in found])
    left, right = np.array([run for _, run in found]).T
    middle = (left + right) / 2
    first, second = np.triu_indices(len(y), 1)
    # medians: a row that meets another stroke does not count
    slope = float(np.median((middle[second] - middle[first]) / (y[second] - y[first])))
    return slope, float(np.median(right - left)) * math.cos(math.atan(slope))


def _scale(source: list[float], hand: list[float]) -> float:
    """How much higher a hand's letters are than the source's, as a factor."""
    return float(np.polyfit(source, hand, 1)[0]) if len(source) > 2 else 1.0


def _alike(edges: Mapping[str, float], at: float | None) -> list[str]:
    """Letters whose edge lies where it does in most, or at a height given."""
    if not edges:
        return []
    place = float(np.median(list(edges.values()))) if at is None else at
    return [name for name, edge in edges.items() if abs(edge - place) < STRAY]


def _spread(values: list[float]) -> float:
    return float(np.std(values)) if len(values) > 2 else math.nan
