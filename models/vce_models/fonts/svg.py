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
from vce_models.glyphs.decoding import contents

MAX_BYTES = 1 << 22
"""Bytes of an SVG file at most; a glyph takes some thousand."""

MAX_CURVES = 20_000
"""Lines and curves of an outline at most."""


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
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise InputError(
            f"{path} defines entities, which are not read", hint="save it as plain SVG"
        )
    collected = pen()
    try:
        svg = SVGPath.fromstring(data)
        svg.draw(TransformPen(collected, Transform(1, 0, 0, -1, 0, 0)))
        canvas = _canvas(svg.root)
    except (ParseError, SyntaxError) as error:
        raise InputError(f"{path} is no SVG: {error}") from error
    except (ValueError, LookupError, AssertionError, TypeError, NotImplementedError) as error:
        raise InputError(f"{path} is damaged: {error}") from error
    outline = [contour for contour in collected.contours if contour]
    curves = [curve for contour in outline for piece in contour for curve in piece]
    if not curves or not all(np.isfinite(curve).all() for curve in curves):
        hint = "turn strokes and text into paths first"
        raise InputError(f"{path} has no filled shapes", hint=hint)
    if len(curves) > MAX_CURVES:
        raise InputError(f"{path} has {len(curves)} curves, too many for a glyph")
    places = np.concatenate(curves)
    if canvas is None:
        low, high = places.min(0), places.max(0)
        canvas = np.concatenate((low, high - low))
    return Outlined(outline, canvas)


def _canvas(root: object) -> Places | None:
    """Return the canvas that the file names, with y up; None where it names none."""
    numbers = re.split(r"[\s,]+", root.get("viewBox", "").strip())  # type: ignore[attr-defined]
    try:
        left, top, width, height = map(float, numbers)
    except ValueError:
        return None
    return np.array([left, -top - height, width, height]) if width > 0 and height > 0 else None
