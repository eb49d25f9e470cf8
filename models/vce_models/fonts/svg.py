"""SVG files are read, each as the outline of one glyph."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import ParseError

import numpy as np

from vce_models.errors import InputError
from vce_models.fonts.family import Places
from vce_models.fonts.outline import Contour, pen
from vce_models.fonts.xml_files import check_xml
from vce_models.glyphs.decoding import contents

MAX_BYTES = 1 << 22
"""Bytes of an SVG file at most; a glyph takes some thousand."""

MAX_CURVES = 5_000
"""Lines and curves of an outline at most."""

RANGE = 1e6
"""How many times as large as the other the canvas and the shapes on it may be."""

SIDES = (1e-9, 1e9)
"""Least and greatest side of a canvas, in units of the file."""


class Outlined(NamedTuple):
    """The outline of a glyph on its canvas.

    Attributes:
        contours: Its contours, in units of the file, y up.
        canvas: Left, bottom, width and height of the canvas, (4,), y up.
    """

    contours: list[Contour]
    canvas: Places


def read(path: Path) -> Outlined:
    """Read the filled shapes of an SVG file as one glyph.

    Raises:
        InputError: The file is missing, is no SVG, or has no filled shapes.
    """
    from fontTools.misc.transform import Transform
    from fontTools.pens.transformPen import TransformPen
    from fontTools.svgLib.path import SVGPath

    data = contents(path, str(path), MAX_BYTES)
    try:
        check_xml(data, str(path))
    except ValueError as error:
        raise InputError(str(error), hint="save it as plain SVG") from error
    collected = pen(MAX_CURVES)
    try:
        svg = SVGPath.fromstring(data)
        svg.draw(TransformPen(collected, Transform(1, 0, 0, -1, 0, 0)))
        canvas = _canvas(svg.root)
    except (ParseError, SyntaxError) as error:
        raise InputError(f"{path} is no SVG: {error}") from error
    except (ValueError, LookupError, AssertionError, TypeError, NotImplementedError) as error:
        raise InputError(f"{path} is damaged: {str(error) or type(error).__name__}") from error
    outline = [contour for contour in collected.contours if contour]
    curves = [curve for contour in outline for piece in contour for curve in piece]
    if not curves or not all(np.isfinite(curve).all() for curve in curves):
        hint = "turn strokes and text into paths first"
        raise InputError(f"{path} has no filled shapes", hint=hint)
    places = np.concatenate(curves)
    low, high = places.min(0), places.max(0)
    if canvas is None:
        canvas = np.concatenate((low, high - low))
    side, longest = canvas[2:].max(), (high - low).max()
    outside = np.abs(places - canvas[:2]).max() > RANGE * side or longest * RANGE < side
    if outside or not SIDES[0] <= side <= SIDES[1]:
        raise InputError(
            f"{path} has shapes or a canvas too large or too small to be drawn",
            hint="let its viewBox be the box of what is to be seen",
        )
    return Outlined(outline, canvas)


def _canvas(root: object) -> Places | None:
    """Return the canvas that the file names, with y up; None where it names none."""
    numbers = re.split(r"[\s,]+", root.get("viewBox", "").strip())  # type: ignore[attr-defined]
    try:
        left, top, width, height = map(float, numbers)
    except ValueError:
        return None
    canvas = np.array([left, -top - height, width, height])
    return canvas if width > 0 and height > 0 and np.isfinite(canvas).all() else None
