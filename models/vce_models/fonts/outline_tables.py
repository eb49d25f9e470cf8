"""The tables of a font that hold its outlines, written anew: `glyf` or `CFF `, and metrics.

`glyf` holds quadratic curves, `CFF ` cubic ones. Widths, bearings and origins follow the outlines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from fontTools.cffLib.width import optimizeWidths
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._g_l_y_f import (
    OVERLAP_COMPOUND,
    Glyph,
    GlyphCoordinates,
    flagOverlapSimple,
)

from vce_models.fonts.family import Family, MasterGlyph
from vce_models.fonts.quadratics import Outline, outlines

MOST_NAMES = 0xFFFF - 258
"""Glyphs whose names `post` can hold, beside those that it knows by number."""

Shown = Mapping[str, tuple[str, int]]
"""What each glyph to be written shows, by its name: a glyph of the family, and a master."""


def set_outlines(font: TTFont, family: Family, shown: Shown, *, cubic: bool) -> None:
    """Replace outlines, advance widths and bearings; add the glyphs that a font lacks.

    The vertical origin of every glyph stays where the source has it.

    Args:
        font: The source, opened.
        family: Where the outlines come from: all glyphs of the source.
        shown: What each glyph shows, all of the source and those that it lacks, which come last.
        cubic: Write `CFF ` rather than `glyf`.
    """
    order = font.getGlyphOrder()
    overlapping = {name for name in order if "glyf" in font and _overlaps(font["glyf"][name])}
    order = list(dict.fromkeys([*order, *shown]))
    for name, (model, master) in shown.items():
        font["hmtx"][name] = (int(family.glyphs[model].advances[master]), 0)
    if "vmtx" in font:
        if cubic and "glyf" in font:
            font["VORG"] = _origins(font)
        _set_tops(font, family, shown)
    font.setGlyphOrder(order)
    font["maxp"].numGlyphs = len(order)
    if "VORG" in font:
        _set_origins(font, shown, cubic)
    if cubic:
        _write_cff(font, family, shown)
    else:
        _write_glyf(font, family, shown, overlapping)


def simple_glyph(outline: Outline, master: int) -> Any:
    """Make a glyph of `glyf` from the outline of one master, without instructions."""
    glyph = Glyph()
    glyph.numberOfContours = len(outline.ends)
    glyph.coordinates = GlyphCoordinates(outline.places[master].tolist())
    glyph.flags = bytearray(outline.on.tolist())
    glyph.endPtsOfContours = list(outline.ends)
    glyph.removeHinting()
    return glyph


def flag_overlaps(glyph: Any) -> None:
    """Tell rasterisers that contours of a glyph of `glyf` overlap."""
    if glyph.numberOfContours > 0:
        glyph.flags[0] |= flagOverlapSimple


def write_master(glyph: MasterGlyph, master: int, pen: Any) -> None:
    """Write the cubic outlines of one master with a pen of fontTools."""
    for contour in glyph.contours:
        if not contour:
            continue
        pen.moveTo(tuple(contour[0][master, 0].tolist()))
        for segment in contour:
            points = map(tuple, segment[master, 1:].tolist())
            (pen.lineTo if segment.shape[1] == 2 else pen.curveTo)(*points)
        pen.closePath()


def _overlaps(glyph: Any) -> bool:
    """Say whether contours may overlap: components may, and a flag says that others do."""
    if glyph.isComposite():
        return len(glyph.components) > 1 or bool(glyph.components[0].flags & OVERLAP_COMPOUND)
    return glyph.numberOfContours > 0 and bool(glyph.flags[0] & flagOverlapSimple)


def _set_tops(font: TTFont, family: Family, shown: Shown) -> None:
    """Let vertical bearings follow the ink, so that the origin above it stays."""
    quadratic, metrics = outlines(family), font["vmtx"].metrics
    old = dict(metrics)
    for name, (model, master) in shown.items():
        height, bearing = old[model]
        if model in quadratic:
            tops = quadratic[model].places[..., 1].max(axis=1)
            bearing += int(tops[0] - tops[master])
        metrics[name] = (height, bearing)


def _origins(font: TTFont) -> Any:
    """Write down the vertical origins that TrueType implies: CFF's have a table of their own."""
    glyphs, metrics, origins = font["glyf"], font["vmtx"].metrics, {}
    for name in font.getGlyphOrder():
        if glyphs[name].numberOfContours:
            glyphs[name].recalcBounds(glyphs)
            origins[name] = metrics[name][1] + glyphs[name].yMax
    table = newTable("VORG")
    table.majorVersion, table.minorVersion = 1, 0
    commonest = Counter(origins.values()).most_common(1)
    table.defaultVertOriginY = commonest[0][0] if commonest else 0
    table.VOriginRecords = {n: y for n, y in origins.items() if y != table.defaultVertOriginY}
    return table


def _set_origins(font: TTFont, shown: Shown, cubic: bool) -> None:
    """Give new glyphs the vertical origin of their models; only CFF has such a table."""
    if not cubic:
        del font["VORG"]
        return
    records = font["VORG"].VOriginRecords
    for name, (model, _) in shown.items():
        if model in records:
            records[name] = records[model]


def _write_glyf(font: TTFont, family: Family, shown: Shown, overlapping: set[str]) -> None:
    glyphs = {}
    for name in font.getGlyphOrder():
        model, master = shown[name]
        outline = outlines(family).get(model)
        glyph = simple_glyph(outline, master) if outline else Glyph()
        if model in overlapping:
            flag_overlaps(glyph)
        glyphs[name] = glyph
    if "glyf" not in font:
        _become_truetype(font)
    table = font["glyf"] = newTable("glyf")
    table.glyphOrder, table.glyphs = font.getGlyphOrder(), glyphs
    for name, glyph in glyphs.items():
        glyph.recalcBounds(table)
        font["hmtx"][name] = (font["hmtx"][name][0], getattr(glyph, "xMin", 0))


def _become_truetype(font: TTFont) -> None:
    for tag in ("CFF ", "CFF2"):
        if tag in font:
            del font[tag]
    font["loca"] = newTable("loca")
    font.sfntVersion = "\x00\x01\x00\x00"
    profile, post = font["maxp"], font["post"]
    profile.tableVersion = 0x00010000
    for limit in _LIMITS:
        setattr(profile, limit, 0)  # fontTools finds those of the outlines when it saves the font
    profile.maxZones = 1
    named = profile.numGlyphs <= MOST_NAMES
    post.formatType, post.extraNames, post.mapping = 2.0 if named else 3.0, [], {}


_LIMITS = (
    "maxPoints",
    "maxContours",
    "maxCompositePoints",
    "maxCompositeContours",
    "maxTwilightPoints",
    "maxStorage",
    "maxFunctionDefs",
    "maxInstructionDefs",
    "maxStackElements",
    "maxSizeOfInstructions",
    "maxComponentElements",
    "maxComponentDepth",
)


def _write_cff(font: TTFont, family: Family, shown: Shown) -> None:
    widths = {name: font["hmtx"][name][0] for name in font.getGlyphOrder()}
    default, nominal = optimizeWidths(list(widths.values()))
    charstrings = {}
    for name, width in widths.items():
        pen = T2CharStringPen(None if width == default else width - nominal, None)
        model, master = shown[name]
        write_master(family.glyphs[model], master, pen)
        charstrings[name] = pen.getCharString()
    about = _about(font)
    for tag in ("glyf", "loca", "CFF ", "CFF2"):
        if tag in font:
            del font[tag]
    font["maxp"].tableVersion = 0x00005000
    font["post"].formatType = 3.0
    private = {"defaultWidthX": default, "nominalWidthX": nominal}
    FontBuilder(font=font).setupCFF(about.pop("FontName"), about, charstrings, private)
    font["CFF "].cff.topDictIndex[0].recalcFontBBox()
    _set_bearings(font, charstrings)


def _about(font: TTFont) -> dict[str, Any]:
    """Collect what a `CFF ` table says about its font beside the outlines."""
    names, post = font["name"], font["post"]
    said = {
        "version": f"{font['head'].fontRevision:.3f}",
        "Notice": names.getDebugName(7),
        "Copyright": names.getDebugName(0),
        "FullName": names.getDebugName(4),
        "FamilyName": names.getBestFamilyName(),
    }
    about: dict[str, Any] = {
        key: text.encode("latin-1", "replace").decode("latin-1")
        for key, text in said.items()
        if text
    }
    if "CFF " in font:
        weight = getattr(font["CFF "].cff.topDictIndex[0], "Weight", None)
        about |= {"Weight": weight} if weight else {}
    return about | {
        "FontName": names.getDebugName(6),
        "ItalicAngle": post.italicAngle,
        "isFixedPitch": int(bool(post.isFixedPitch)),
        "UnderlinePosition": post.underlinePosition,
        "UnderlineThickness": post.underlineThickness,
    }


def _set_bearings(font: TTFont, charstrings: Mapping[str, Any]) -> None:
    glyphs = font["CFF "].cff.topDictIndex[0].CharStrings
    for name in charstrings:
        pen = BoundsPen(None)
        glyphs[name].draw(pen)
        left = int(np.floor(pen.bounds[0])) if pen.bounds else 0
        font["hmtx"][name] = (font["hmtx"][name][0], left)
