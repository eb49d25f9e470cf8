"""Outlines of conversions: from (side, side) probabilities of ink to closed paths, and SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np
from PIL import Image

from vce_models.arrays import Array, Mask
from vce_models.fonts import outline

Point = tuple[float, float]
Segment = tuple[Point, ...]
"""Where a line ends, (end,), or a cubic, (control, control, end)."""

TRACED = 616
"""Side of the traced bitmap, in pixels, if the conversion has no more."""

OUTSIDE = 0.3
"""How far vtracer's paths run outside the bitmap, in its pixels."""

SPECK = 1 / 3136
"""Smaller parts and holes are left out: a quarter of a pixel of 28 by 28, in canvas areas."""

LENGTH = 10.0
"""vtracer's longest `length_threshold`, in pixels of the traced bitmap, which smooths steps."""

JOIN = 0.5
"""Lines are joined where their joint leaves no more than this, in pixels of that bitmap."""


@dataclass(frozen=True)
class Contour:
    """A closed path in units of the canvas's side, x to the right and y down.

    On the screen the outside of a shape runs clockwise and a hole counter-clockwise, so
    that filling by nonzero winding and by even and odd come to the same.

    Attributes:
        start: Where the path begins, and ends.
        segments: Lines and cubics, each from the end of the one before.
    """

    start: Point
    segments: tuple[Segment, ...]

    @property
    def area(self) -> float:
        """Measure what it encloses, in canvas areas: positive clockwise on the screen."""
        doubled, here = 0.0, self.start
        for segment in self.segments:
            # Green's theorem; of a cubic it is a sum over its control polygon.
            points = (here, *segment)
            weights = ((0, 1, 1.0),) if len(segment) == 1 else _GREEN
            doubled += sum(w * _cross(points[i], points[j]) for i, j, w in weights)
            here = segment[-1]
        return doubled / 2


_GREEN = ((0, 1, 0.6), (0, 2, 0.3), (0, 3, 0.1), (1, 2, 0.3), (1, 3, 0.3), (2, 3, 0.6))


def _cross(a: Point, b: Point) -> float:
    return a[0] * b[1] - a[1] * b[0]


def solid(probabilities: Array) -> Mask:
    """Say what is likelier ink than paper, refined smoothly.

    Args:
        probabilities: (side, side) in [0, 1], ink = 1.

    Returns:
        The same, or (`TRACED`, `TRACED`) if that is more.
    """
    return np.asarray(_refined(probabilities) >= 0.5)


def _refined(probabilities: Array) -> Array:
    side = max(TRACED, len(probabilities))
    picture = Image.fromarray(np.ascontiguousarray(probabilities, np.float32))
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC))


def trace(probabilities: Array) -> tuple[Contour, ...]:
    """Trace outlines around the ink of a conversion, as closely to `solid` as vtracer can.

    Args:
        probabilities: (side, side) float32 in [0, 1], ink = 1.

    Returns:
        Each shape's outside, followed by its holes; none where there is no ink.
    """
    from vtracer import convert_raw_image_to_svg

    refined = _refined(probabilities)
    steepness = np.hypot(*np.gradient(refined))
    ink = refined - 0.5 >= OUTSIDE * steepness
    bitmap = io.BytesIO()
    Image.fromarray(~ink).convert("L").save(bitmap, format="BMP")
    traced = convert_raw_image_to_svg(
        bitmap.getvalue(),
        img_format="bmp",
        colormode="binary",
        mode="spline",
        filter_speckle=0,
        length_threshold=LENGTH,
        path_precision=3,
    )
    contours: list[Contour] = []
    for numbers, x, y in _PATH.findall(traced):
        outside, *holes = _contours(numbers, float(x), float(y), len(ink))
        if abs(outside.area) >= SPECK:
            contours.append(_wound(outside, clockwise=True))
            large = (hole for hole in holes if abs(hole.area) >= SPECK)
            contours += (_wound(hole, clockwise=False) for hole in large)
    return tuple(contours)


def contours(drawing: Array) -> list[outline.Contour]:
    """Trace a drawing as `outline.sample` wants it: the unit is the canvas's side, y up."""
    return [_upright(contour) for contour in trace(drawing)]


def _upright(contour: Contour) -> outline.Contour:
    """Turn a contour upside down; it then runs the other way, as PostScript's outsides do."""
    pieces, here = [], contour.start
    for segment in contour.segments:
        curve = np.array((here, *segment))
        pieces.append([np.stack((curve[:, 0], 1 - curve[:, 1]), 1)])
        here = segment[-1]
    return [[piece[0][::-1]] for piece in reversed(pieces)]


_PATH = re.compile(r'<path d="([^"]+)".*?transform="translate\(([^,]+),([^)]+)\)"')
_NUMBER = re.compile(r"-?[\d.]+(?:e-?\d+)?")


def _contours(path: str, x: float, y: float, side: int) -> Iterator[Contour]:
    """Read vtracer's path, `M x y C ... Z M ...` in pixels, moved by its translation."""
    for text in path.split("Z"):
        values = [float(number) for number in _NUMBER.findall(text)]
        points = [
            ((values[i] + x) / side, (values[i + 1] + y) / side) for i in range(0, len(values), 2)
        ]
        if points:
            yield Contour(points[0], tuple(_segments(points, JOIN / side)))


def _segments(points: list[Point], reach: float) -> list[Segment]:
    """Read vtracer's cubics: straight ones become lines, and lines that go on are joined."""
    segments: list[Segment] = []
    begin = points[0]  # of the last segment
    for i in range(0, len(points) - 1, 3):
        start, first, second, end = points[i : i + 4]
        if not all(_beside(control, start, end, reach / 10) for control in (first, second)):
            segments.append((first, second, end))
        elif segments and len(segments[-1]) == 1 and _beside(start, begin, end, reach):
            segments[-1] = (end,)
            continue
        else:
            segments.append((end,))
        begin = start
    return segments


def _beside(point: Point, start: Point, end: Point, reach: float) -> bool:
    """Say whether a point is no farther than `reach` from the line through two others."""
    x, y = end[0] - start[0], end[1] - start[1]
    return abs(_cross((point[0] - start[0], point[1] - start[1]), (x, y))) <= reach * hypot(x, y)


def _wound(contour: Contour, *, clockwise: bool) -> Contour:
    if (contour.area > 0) == clockwise:
        return contour
    starts = [contour.start, *(segment[-1] for segment in contour.segments)]
    turned = tuple(
        (*reversed(segment[:-1]), start)
        for segment, start in zip(reversed(contour.segments), reversed(starts[:-1]), strict=True)
    )
    return Contour(starts[-1], turned)


def svg(cells: Sequence[Sequence[tuple[Contour, ...]]], cell: float, gap: float) -> str:
    """Write one document of rows of glyphs, black on nothing, with a path for each glyph.

    Args:
        cells: Rows; a glyph without contours leaves its cell empty.
        cell: Side of a cell, in pixels.
        gap: Between cells and around them, in pixels.

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
                data = "".join(_path(contour, x, y, cell) for contour in contours)
                lines.append(f'<path d="{data}"/>')
    return "\n".join([*lines, "</svg>", ""])


def _path(contour: Contour, x: float, y: float, cell: float) -> str:
    def place(points: Segment) -> str:
        return " ".join(f"{_number(x + cell * u)} {_number(y + cell * v)}" for u, v in points)

    steps = (f"{'L' if len(segment) == 1 else 'C'}{place(segment)}" for segment in contour.segments)
    return f"M{place((contour.start,))}{''.join(steps)}Z"


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
