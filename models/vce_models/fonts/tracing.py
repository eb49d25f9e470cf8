"""Outlines are traced around the ink of pictures, and written as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from vce_models.arrays import Array, Mask
from vce_models.fonts import isolines, outline
from vce_models.fonts.family import Places

Point = tuple[float, float]
Segment = tuple[Point, ...]
"""Where a line ends, (end,), or a cubic, (control, control, end)."""

TRACED = 616
"""Side to which smaller pictures are enlarged before they are traced, in pixels."""

SPECK = 1 / 1960
"""Smaller parts and holes are left out, as shares of the canvas: two fifths of a pixel in 28x28."""


@dataclass(frozen=True)
class Contour:
    """A closed path in units of the canvas's side, x to the right and y down.

    On the screen the outside of a shape runs clockwise and a hole counter-clockwise, so
    that the nonzero rule and the even-odd rule fill the same.

    Attributes:
        start: Where the path begins and ends.
        segments: Lines and cubics, each from the end of the one before.
    """

    start: Point
    segments: tuple[Segment, ...]

    @property
    def area(self) -> float:
        """Measure what it encloses, in canvas areas: positive clockwise on the screen."""
        from fontTools.pens.areaPen import AreaPen

        pen = AreaPen()
        self.draw(pen)
        return float(pen.value)

    def draw(self, pen: Any) -> None:
        """Draw it with a pen of fontTools."""
        pen.moveTo(self.start)
        for segment in self.segments:
            (pen.lineTo if len(segment) == 1 else pen.curveTo)(*segment)
        pen.closePath()


def solid(probabilities: Array) -> Mask:
    """Say where ink is likelier than paper, after a smooth enlargement.

    Args:
        probabilities: (side, side) in [0, 1], ink = 1.

    Returns:
        A mask of the same size, or of (`TRACED`, `TRACED`) if that is larger.
    """
    return np.asarray(_refined(probabilities) >= 0.5)


def _refined(probabilities: Array) -> Array:
    side = max(TRACED, len(probabilities))
    picture = Image.fromarray(np.ascontiguousarray(probabilities, np.float32))
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC))


def trace(probabilities: Array) -> tuple[Contour, ...]:
    """Trace outlines around the ink of a picture, along the lines where it is as likely as paper.

    Args:
        probabilities: (side, side) float32 in [0, 1], ink = 1.

    Returns:
        The outsides of shapes, then holes; none where there is no ink.
    """
    refined = _refined(probabilities)
    traced = [
        _contour(segments, len(refined))
        for line in isolines.lines(refined)
        if (segments := isolines.fitted(line, len(refined)))
    ]
    large = [contour for contour in traced if abs(contour.area) >= SPECK]
    return tuple(sorted(large, key=lambda contour: contour.area < 0))


def _contour(segments: tuple[Places, ...], side: int) -> Contour:
    """Turn segments in pixels into a contour on the canvas."""
    places = [segment[0] / side for segment in segments]
    x, y = places[0][0].tolist()
    return Contour((x, y), tuple(tuple(map(tuple, place[1:].tolist())) for place in places))


def contours(drawing: Array) -> list[outline.Contour]:
    """Trace a drawing, for `outline.sample`: the unit is the canvas's side, y up."""
    return [_upright(contour) for contour in trace(drawing)]


def _upright(contour: Contour) -> outline.Contour:
    """Turn a contour upside down, with outsides counter-clockwise as in PostScript."""
    pieces, here = [], contour.start
    for segment in contour.segments:
        curve = np.array((here, *segment))
        pieces.append([np.stack((curve[:, 0], 1 - curve[:, 1]), 1)])
        here = segment[-1]
    return [[piece[0][::-1]] for piece in reversed(pieces)]


def svg(cells: Sequence[Sequence[tuple[Contour, ...]]], cell: float, gap: float) -> str:
    """Write one SVG document of rows of glyphs, black on nothing, with a path for each glyph.

    Args:
        cells: Rows; a glyph without contours leaves its cell empty.
        cell: Side of a cell, in pixels.
        gap: Space between cells and around them, in pixels.

    Returns:
        The text of an .svg file; coordinates have two decimals.
    """
    columns = max((len(row) for row in cells), default=0)
    width, height = (_number(gap + n * (cell + gap)) for n in (columns, len(cells)))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">'
    ]
    for i, row in enumerate(cells):
        for j, contours in enumerate(row):
            x, y = gap + j * (cell + gap), gap + i * (cell + gap)
            if contours:
                lines.append(f'<path d="{_path(contours, x, y, cell)}"/>')
    return "\n".join([*lines, "</svg>", ""])


def _path(contours: Sequence[Contour], x: float, y: float, cell: float) -> str:
    from fontTools.pens.svgPathPen import SVGPathPen
    from fontTools.pens.transformPen import TransformPen

    pen = SVGPathPen(None, _number)
    for contour in contours:
        contour.draw(TransformPen(pen, (cell, 0, 0, cell, x, y)))
    return str(pen.getCommands())


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
