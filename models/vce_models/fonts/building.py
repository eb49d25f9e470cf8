"""A font is built from drawings, so that rules can move them as they move any font."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vce_models.characters import glyph_name
from vce_models.fonts.family import Places
from vce_models.fonts.naming import postscript_name
from vce_models.fonts.outline import Contour, Cubic
from vce_models.fonts.placement import Placement
from vce_models.fonts.raster import edges, polygons
from vce_models.fonts.spacing import profiles

EM, ASCENT, DESCENT, X_HEIGHT, CAP_HEIGHT = 1000, 900, -250, 500, 700
"""Measures of every font that is built, in font units."""

SPACE = 300
"""Advance width of its space."""

SPACES = {0x20: "space", 0xA0: "space"}
"""The characters that show no ink, and the name of their glyph."""

BEARING = 85
"""Mean paper on either side of a drawing, in font units."""

FRAMED = Placement(0, -200, 1100)
"""Where a framed drawing lies if nothing says where: it is as large as a capital."""

STYLE, VERSION = "Regular", "Version 1.000"

CREATED = "Wed Jan  1 00:00:00 2020"
"""The date in every font that is built, always the same: the same drawings give the same bytes."""


class Drawing(NamedTuple):
    """A drawing of a character that has its place in a font.

    Attributes:
        contours: Its outline; the unit is the canvas's side, y up from its lower edge.
        placement: Where the canvas lies in the font. Its x does not count, since spacing
            decides where the drawing lies from left to right.
    """

    contours: Sequence[Contour]
    placement: Placement


def font(drawings: Mapping[int, Drawing], family: str) -> bytes:
    """Build a font from drawings, spaced by their ink; it has `.notdef` and a space, too.

    Args:
        drawings: The drawings, by code point; none of `SPACES`, which have no ink.
        family: The font's name.

    Returns:
        An OpenType font of cubic curves.
    """
    from fontTools.fontBuilder import FontBuilder
    from fontTools.misc.timeTools import timestampFromString
    from fontTools.pens.t2CharStringPen import T2CharStringPen

    outlines: dict[str, list[list[Cubic]]] = {".notdef": _notdef(), "space": []}
    widths = {".notdef": EM // 2, "space": SPACE}
    characters = dict(SPACES)
    for point in sorted(drawings):
        characters[point] = name = glyph_name(point)
        outlines[name], widths[name] = _spaced(drawings[point])
    charstrings, bearings, tops, bottoms = {}, {}, [ASCENT], [DESCENT]
    for name, contours in outlines.items():
        pen = T2CharStringPen(widths[name], None)
        _write(contours, pen)
        charstrings[name] = pen.getCharString()
        ends = [curve for contour in contours for curve in contour]
        places = np.concatenate(ends) if ends else np.zeros((1, 2))
        bearings[name] = (widths[name], round(float(places[:, 0].min())))
        tops.append(int(np.ceil(places[:, 1].max())))
        bottoms.append(int(np.floor(places[:, 1].min())))
    # Every system then leaves the same room for a line, and enough for all ink.
    ascent, descent = max(tops), min(bottoms)
    name = "".join(filter(str.isprintable, family)).strip() or "Untitled"
    postscript = postscript_name(name, STYLE)
    builder = FontBuilder(EM, isTTF=False)
    builder.font.recalcTimestamp = False
    made = timestampFromString(CREATED)
    builder.updateHead(created=made, modified=made, fontRevision=1.0)
    builder.setupGlyphOrder(list(outlines))
    builder.setupCharacterMap(characters, allowFallback=True)
    builder.setupCFF(postscript, {"FullName": name, "FamilyName": name}, charstrings, {})
    builder.setupHorizontalMetrics(bearings)
    builder.setupHorizontalHeader(ascent=ascent, descent=descent)
    names = {"familyName": name, "styleName": STYLE, "fullName": name, "version": VERSION}
    names |= {"uniqueFontIdentifier": f"{VERSION};{postscript}", "psName": postscript}
    builder.setupNameTable(names, mac=False)
    builder.setupOS2(
        fsType=0,  # may be embedded
        fsSelection=1 << 6,  # regular
        sTypoAscender=ascent,
        sTypoDescender=descent,
        usWinAscent=ascent,
        usWinDescent=-descent,
        sxHeight=X_HEIGHT,
        sCapHeight=CAP_HEIGHT,
        usWeightClass=400,
        usWidthClass=5,
    )
    builder.font["OS/2"].recalcUnicodeRanges(builder.font)
    builder.setupPost()
    file = io.BytesIO()
    builder.save(file)
    return file.getvalue()


def _spaced(drawing: Drawing) -> tuple[list[list[Cubic]], int]:
    """Space a drawing: return its curves in whole font units, and its advance width.

    The mean paper on either side is the same.
    """
    at = drawing.placement
    placed = [
        [[curve * at.side + [at.x, at.y] for curve in piece] for piece in contour]
        for contour in drawing.contours
    ]
    if not (shapes := polygons(placed)):
        return [], SPACE
    starts, ends = edges(shapes)
    (left,), (right,) = profiles(starts[None], ends[None], EM)
    shift: Places = np.array([BEARING - left, 0.0])
    curves = [[curve for piece in contour for curve in piece] for contour in placed]
    moved = [[np.rint(curve + shift) for curve in contour] for contour in curves]
    return moved, round(right - left) + 2 * BEARING


def _notdef() -> list[list[Cubic]]:
    """Make an upright box, as high as capitals and half an em wide."""

    def box(left: float, bottom: float, right: float, top: float) -> list[Cubic]:
        corners = np.array([(left, bottom), (right, bottom), (right, top), (left, top)])
        return [np.stack(side) for side in zip(corners, np.roll(corners, -1, 0), strict=True)]

    inside = box(100, 50, 400, CAP_HEIGHT - 50)
    return [box(50, 0, 450, CAP_HEIGHT), [side[::-1] for side in reversed(inside)]]


def _write(contours: list[list[Cubic]], pen: object) -> None:
    for contour in contours:
        pen.moveTo(tuple(contour[0][0]))  # type: ignore[attr-defined]
        for curve in contour:
            step = pen.lineTo if len(curve) == 2 else pen.curveTo  # type: ignore[attr-defined]
            step(*map(tuple, curve[1:]))
        pen.closePath()  # type: ignore[attr-defined]
