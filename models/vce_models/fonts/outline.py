"""The outline of a glyph is sampled as densely as a rule can bend it.

A piece runs from one explicit on-curve point to the next: it is a line, one cubic, or the
quadratics between two points that a TrueType font names. A piece that turns far is divided
into parts beforehand, so that one cubic can follow each part wherever a rule moves it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Mask
from vce_models.fonts.family import Places

if TYPE_CHECKING:
    from fontTools.pens.basePen import BasePen

STEP = 0.6
"""Distance between two samples, in pixels of the model's image."""

LEAST = 6
"""Intervals of a part at least, so that even a short part can be divided and fitted well."""

SHORT = 1e-6
"""A step that is no longer than this, in font units, has no direction."""

TURN = 95.0
"""How far a part turns at most, in degrees."""

CORNER = 18.0
"""A sharper turn between two pieces is a corner, in degrees."""

Cubic = NDArray[np.float64]
"""Control points of a cubic, (4, 2), or of a line, (2, 2)."""

Contour = list[list[Cubic]]
"""Pieces, each made of the curves between two explicit points."""


@dataclass(frozen=True, eq=False)
class Letter:
    """A letter of a font.

    Attributes:
        contours: Its outline, in font units.
        advance: Its advance width, in font units.
    """

    contours: list[Contour]
    advance: int


def pen(most: float = math.inf) -> BasePen:
    """Make a pen of fontTools that collects contours in its attribute `contours`.

    Args:
        most: How many lines and curves may be drawn; at more the pen raises a ValueError.
    """
    from fontTools.pens.basePen import BasePen

    class Pieces(BasePen):  # type: ignore[misc]
        """The pen, in whose contours quadratics between explicit points stay together."""

        def __init__(self) -> None:
            super().__init__(None)
            self.contours: list[Contour] = []
            self.joins = False
            self.drawn = 0

        def count(self) -> None:
            self.drawn += 1
            if self.drawn > most:
                raise ValueError(f"it has more than {most:,} curves")

        def _moveTo(self, point: Any) -> None:  # noqa: N802
            self.contours.append([])

        def _lineTo(self, point: Any) -> None:  # noqa: N802
            here = self._getCurrentPoint()
            if here != point:
                self.count()
                self.contours[-1].append([np.array([here, point], float)])

        def _curveToOne(self, first: Any, second: Any, end: Any) -> None:  # noqa: N802
            self.count()
            curve = np.array([self._getCurrentPoint(), first, second, end], float)
            if self.joins:
                self.contours[-1][-1].append(curve)
            else:
                self.contours[-1].append([curve])

        def qCurveTo(self, *points: Any) -> None:  # noqa: N802
            super().qCurveTo(*points)
            self.joins = False

        def _qCurveToOne(self, control: Any, end: Any) -> None:  # noqa: N802
            super()._qCurveToOne(control, end)
            self.joins = True

        def _closePath(self) -> None:  # noqa: N802
            contour = self.contours[-1]
            if contour and not np.allclose(contour[-1][-1][-1], contour[0][0][0]):
                contour.append([np.array([contour[-1][-1][-1], contour[0][0][0]])])
            self.joins = False

        def _endPath(self) -> None:  # noqa: N802
            self._closePath()

    return Pieces()


def contours(glyphs: Any, name: str, *, reverse: bool = False) -> list[Contour]:
    """Read the contours of a glyph of fontTools' glyph set; components are taken apart.

    Args:
        glyphs: The glyph set.
        name: The glyph's name.
        reverse: Whether to turn every contour round: TrueType's outsides run clockwise, and
            PostScript's counter-clockwise.
    """
    from fontTools.pens.recordingPen import DecomposingRecordingPen
    from fontTools.pens.reverseContourPen import ReverseContourPen

    whole, collected = DecomposingRecordingPen(glyphs), pen()
    glyphs[name].draw(whole)
    whole.replay(ReverseContourPen(collected) if reverse else collected)
    return [contour for contour in collected.contours if contour]


def evaluate(curve: Cubic, at: NDArray[np.float64]) -> Places:
    """Find the places of a line or cubic at parameters from 0 to 1, (n, 2)."""
    t = at[:, None]
    if len(curve) == 2:
        return np.asarray(curve[0] + (curve[1] - curve[0]) * t)
    s = 1 - t
    return np.asarray(
        curve[0] * s**3 + 3 * curve[1] * t * s**2 + 3 * curve[2] * t**2 * s + curve[3] * t**3
    )


@dataclass(frozen=True, eq=False)
class Samples:
    """All samples of a glyph's contours, one contour after the other.

    Attributes:
        places: (n, 2) in font units.
        following: The next sample on the contour, (n,).
        preceding: The sample before on the contour, (n,).
        parts: First and last sample of every part, (parts, 2). The last sample of a part is the
            first of the next one, so a part of m intervals has m + 1 samples. m is even.
        contours: For each contour, the range of its parts.
        lines: Whether a part is a line of the source, (parts,).
        corners: Whether the outline has a corner at a sample, (n,).
        exact: For each part the curve that it is, or is cut from, with the parameters of its
            ends; None for a part that is made of several curves.
    """

    places: Places
    following: NDArray[np.intp]
    preceding: NDArray[np.intp]
    parts: NDArray[np.intp]
    contours: list[range]
    lines: Mask
    corners: Mask
    exact: list[tuple[Cubic, float, float] | None]


_FINE = np.linspace(0, 1, 25)


@dataclass(frozen=True, eq=False)
class _Piece:
    places: Places
    intervals: int
    parts: int
    before: Places
    after: Places
    curve: Cubic | None
    at: NDArray[np.float64]


def sample(contours: Sequence[Contour], pixel: float) -> Samples | None:
    """Sample contours evenly along every part; None where they have no length.

    Args:
        contours: The contours as `pen` collects them, in font units.
        pixel: Font units of a pixel of the model's image.
    """
    places: list[Places] = []
    following: list[NDArray[np.intp]] = []
    preceding: list[NDArray[np.intp]] = []
    parts: list[tuple[int, int]] = []
    ranges: list[range] = []
    lines: list[bool] = []
    exact: list[tuple[Cubic, float, float] | None] = []
    corners: list[int] = []
    first = 0
    for contour in contours:
        pieces = [piece for curves in contour if (piece := _piece(curves, pixel))]
        if not pieces:
            continue
        begun, count = len(parts), sum(len(piece.places) for piece in pieces)
        at = first
        for before, piece in zip([pieces[-1], *pieces[:-1]], pieces, strict=True):
            if _turn(before.after, piece.before) > CORNER:
                corners.append(at)
            for i in range(piece.parts):
                lo, hi = i * piece.intervals, (i + 1) * piece.intervals
                parts.append((at + lo, at + hi))
                lines.append(piece.curve is not None and len(piece.curve) == 2)
                ends = float(piece.at[lo]), float(piece.at[hi])
                exact.append(None if piece.curve is None else (piece.curve, *ends))
            at += len(piece.places)
            places.append(piece.places)
        parts[-1] = (parts[-1][0], first)
        order = np.arange(first, first + count)
        following.append(np.roll(order, -1))
        preceding.append(np.roll(order, 1))
        ranges.append(range(begun, len(parts)))
        first += count
    if not places:
        return None
    sharp = np.zeros(first, bool)
    sharp[corners] = True
    return Samples(
        np.concatenate(places),
        np.concatenate(following),
        np.concatenate(preceding),
        np.array(parts),
        ranges,
        np.array(lines),
        sharp,
        exact,
    )


def _piece(curves: list[Cubic], pixel: float) -> _Piece | None:
    """Sample one piece evenly, and leave its end out; None where it has no length."""
    if len(curves) == 1 and len(curves[0]) == 2:
        return _line(curves[0], pixel)
    dense = np.concatenate([evaluate(c, _FINE[i > 0 :]) for i, c in enumerate(curves)])
    fine = np.concatenate([_FINE[i > 0 :] + i for i in range(len(curves))])
    steps = np.diff(dense, axis=0)
    lengths = np.hypot(*steps.T)
    kept = lengths > SHORT
    if not kept.any():
        return None
    steps, along = steps[kept], np.concatenate(([0.0], np.cumsum(lengths[kept])))
    keep = np.concatenate(([True], kept))
    dense, fine = dense[keep], fine[keep]
    directions = steps / lengths[kept, None]
    angles = np.unwrap(np.arctan2(directions[:, 1], directions[:, 0]))
    turn = math.degrees(float(np.abs(np.diff(angles)).sum()))
    parts = max(1, math.ceil(turn / TURN - 0.05))
    intervals = _intervals(along[-1] / parts, pixel)
    at = np.linspace(0, along[-1], parts * intervals + 1)
    parameters = np.interp(at, along, fine)
    if len(curves) == 1:
        places = evaluate(curves[0], parameters)
    else:
        which = np.minimum(parameters.astype(int), len(curves) - 1)
        places = np.empty((len(at), 2))
        for i, curve in enumerate(curves):
            mine = which == i
            places[mine] = evaluate(curve, parameters[mine] - i)
    only = curves[0] if len(curves) == 1 else None
    return _Piece(places[:-1], intervals, parts, directions[0], directions[-1], only, parameters)


def _line(line: Cubic, pixel: float) -> _Piece | None:
    step = line[1] - line[0]
    length = math.hypot(*step)
    if length <= SHORT:
        return None
    intervals = _intervals(length, pixel)
    at = np.linspace(0, 1, intervals + 1)
    places = line[0] + step * at[:-1, None]
    return _Piece(places, intervals, 1, step / length, step / length, line, at)


def _intervals(length: float, pixel: float) -> int:
    return max(LEAST, 2 * math.ceil(length / (2 * STEP * pixel)))


def _turn(before: Places, after: Places) -> float:
    """Measure the angle between two directions, in degrees."""
    cross = before[0] * after[1] - before[1] * after[0]
    return abs(math.degrees(math.atan2(cross, before @ after)))
