"""Masters are written as UFO, the form in which font editors keep their sources.

A UFO holds the cubic outlines of one master, with the same points in every master, and
accented letters as components; advance widths, characters and the order of glyphs; names,
licence, metrics and all else that the source says about itself; and all layout rules as feature
code, with the master's anchors. Compilers are told to add no rules of their own. Vertical
layout of single glyphs, the tables MATH, BASE and COLR, and what `feature_code` leaves out are
not written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from fontTools.misc.timeTools import timestampToString
from fontTools.pens.roundingPen import RoundingPen
from ufoLib2 import Font

from vce_models.fonts import anchors, slanting
from vce_models.fonts.editing import finish, opened
from vce_models.fonts.feature_code import feature_code
from vce_models.fonts.feature_rules import legal_names
from vce_models.fonts.naming import rename, style_of
from vce_models.fonts.outline_tables import write_master

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

    from vce_models.fonts.family import Family, Places

WRITERS = "com.github.googlei18n.ufo2ft.featureWriters"
"""The key of the list of writers that may add rules to a compiled font: none may."""

SMOOTH = [0, 1, 2, 3]
"""What an unhinted font asks of rasterisers at all sizes."""


def master_ufo(family: Family, master: int, *, name: str) -> Font:
    """Make the UFO of one master, in memory."""
    font = opened(family)
    rename(font, name)
    slanting.lean(font, family, master)
    anchors.move(font, family, master)
    finish(font, family, master)
    ufo = Font()
    _inform(ufo.info, font)
    characters: dict[str, list[int]] = {}
    for point, glyph in sorted((font.getBestCmap() or {}).items()):
        characters.setdefault(glyph, []).append(point)
    names = legal_names(font.getGlyphOrder())
    for glyph, legal in names.items():
        made = ufo.newGlyph(legal)
        made.unicodes = characters.get(glyph, [])
        pen = RoundingPen(made.getPen())
        made.width = int(family.glyphs[glyph].advances[master])
        if parts := _components(family, glyph):
            for part, offsets in parts:
                x, y = map(int, offsets[master])
                pen.addComponent(names[part], (1, 0, 0, 1, x, y))
        else:
            write_master(family.glyphs[glyph], master, pen)
    ufo.glyphOrder = list(names.values())
    ufo.lib[WRITERS] = []
    ufo.lib["com.github.googlei18n.ufo2ft.useProductionNames"] = False
    variants = _variants(font, names)
    if variants:
        ufo.lib["public.unicodeVariationSequences"] = variants
    ufo.features.text = feature_code(font)
    return ufo


def _components(family: Family, name: str) -> tuple[tuple[str, Places], ...]:
    """Return the parts of a glyph, if these make all of it in every master; otherwise none."""
    glyph, glyphs = family.glyphs[name], family.glyphs
    if not all(part in glyphs and not glyphs[part].parts for part, _ in glyph.parts):
        return ()
    assembled = [
        curve + by[:, None]
        for part, by in glyph.parts
        for contour in glyphs[part].contours
        for curve in contour
    ]
    own = [curve for contour in glyph.contours for curve in contour]
    alike = len(own) == len(assembled) and all(map(np.array_equal, own, assembled))
    return glyph.parts if alike else ()


def _variants(font: TTFont, names: dict[str, str]) -> dict[str, dict[str, str]]:
    """List the glyphs of characters that a variation selector follows."""
    found: dict[str, dict[str, str]] = {}
    default = font.getBestCmap() or {}
    for table in font["cmap"].tables:
        for selector, pairs in getattr(table, "uvsDict", {}).items() if table.format == 14 else ():
            for point, glyph in pairs:
                named = glyph or default.get(point)
                if named in names:
                    found.setdefault(f"{selector:04X}", {})[f"{point:04X}"] = names[named]
    return found


NAMES = {
    0: "copyright",
    3: "openTypeNameUniqueID",
    4: "postscriptFullName",
    5: "openTypeNameVersion",
    6: "postscriptFontName",
    7: "trademark",
    8: "openTypeNameManufacturer",
    9: "openTypeNameDesigner",
    10: "openTypeNameDescription",
    11: "openTypeNameManufacturerURL",
    12: "openTypeNameDesignerURL",
    13: "openTypeNameLicense",
    14: "openTypeNameLicenseURL",
    16: "openTypeNamePreferredFamilyName",
    17: "openTypeNamePreferredSubfamilyName",
    19: "openTypeNameSampleText",
}
"""How a UFO calls the names of a font, by their numbers."""

MEASURES = {
    "hhea": {
        "ascent": "openTypeHheaAscender",
        "descent": "openTypeHheaDescender",
        "lineGap": "openTypeHheaLineGap",
        "caretSlopeRise": "openTypeHheaCaretSlopeRise",
        "caretSlopeRun": "openTypeHheaCaretSlopeRun",
        "caretOffset": "openTypeHheaCaretOffset",
    },
    "OS/2": {
        "usWeightClass": "openTypeOS2WeightClass",
        "sTypoAscender": "openTypeOS2TypoAscender",
        "sTypoDescender": "openTypeOS2TypoDescender",
        "sTypoLineGap": "openTypeOS2TypoLineGap",
        "usWinAscent": "openTypeOS2WinAscent",
        "usWinDescent": "openTypeOS2WinDescent",
        "ySubscriptXSize": "openTypeOS2SubscriptXSize",
        "ySubscriptYSize": "openTypeOS2SubscriptYSize",
        "ySubscriptXOffset": "openTypeOS2SubscriptXOffset",
        "ySubscriptYOffset": "openTypeOS2SubscriptYOffset",
        "ySuperscriptXSize": "openTypeOS2SuperscriptXSize",
        "ySuperscriptYSize": "openTypeOS2SuperscriptYSize",
        "ySuperscriptXOffset": "openTypeOS2SuperscriptXOffset",
        "ySuperscriptYOffset": "openTypeOS2SuperscriptYOffset",
        "yStrikeoutSize": "openTypeOS2StrikeoutSize",
        "yStrikeoutPosition": "openTypeOS2StrikeoutPosition",
    },
    "post": {
        "italicAngle": "italicAngle",
        "underlinePosition": "postscriptUnderlinePosition",
        "underlineThickness": "postscriptUnderlineThickness",
    },
}
"""How a UFO calls the numbers of a font, by their tables."""


def _inform(info: Any, font: TTFont) -> None:
    """Write into a UFO what a font says about itself, as far as a UFO may hold it."""
    from fontTools import ufoLib

    names, head, os2 = font["name"], font["head"], font["OS/2"]
    for number, attribute in NAMES.items():
        if text := _CONTROLS.sub("", names.getDebugName(number) or ""):
            setattr(info, attribute, text)
    for tag, measures in MEASURES.items():
        for measure, attribute in measures.items():
            setattr(info, attribute, getattr(font[tag], measure))
    family, style = (names.getBestFamilyName() or "", style_of(font))
    info.familyName, info.styleName = _CONTROLS.sub("", family), _CONTROLS.sub("", style)
    linked = names.getDebugName(2) or "Regular"
    info.styleMapFamilyName = _CONTROLS.sub("", names.getDebugName(1) or family)
    four = ("regular", "italic", "bold", "bold italic")
    info.styleMapStyleName = linked.lower() if linked.lower() in four else "regular"
    whole, _, part = f"{head.fontRevision:.3f}".partition(".")
    info.versionMajor, info.versionMinor = int(whole), int(part)
    info.unitsPerEm = head.unitsPerEm
    info.ascender, info.descender = os2.sTypoAscender, os2.sTypoDescender
    info.xHeight = getattr(os2, "sxHeight", 0) or round(0.5 * head.unitsPerEm)
    info.capHeight = getattr(os2, "sCapHeight", 0) or round(0.7 * head.unitsPerEm)
    info.postscriptIsFixedPitch = bool(font["post"].isFixedPitch)
    info.openTypeHeadFlags = _bits(head.flags, ufoLib.fontInfoOpenTypeHeadFlagsOptions)
    info.openTypeHeadLowestRecPPEM = head.lowestRecPPEM
    info.openTypeHeadCreated = _date(head.created)
    info.openTypeOS2WidthClass = min(max(os2.usWidthClass, 1), 9)
    info.openTypeOS2VendorID = f"{_CONTROLS.sub('', os2.achVendID):4.4}"
    info.openTypeOS2Type = _bits(os2.fsType, ufoLib.fontInfoOpenTypeOS2TypeOptions)
    # The style's name sets the bits for italic, bold and regular.
    info.openTypeOS2Selection = _bits(os2.fsSelection, ufoLib.fontInfoOpenTypeOS2SelectionOptions)
    info.openTypeOS2Panose = list(vars(os2.panose).values())
    kind, more = divmod(os2.sFamilyClass & 0xFFFF, 256)
    info.openTypeOS2FamilyClass = [kind, more] if kind <= 14 and more <= 15 else [0, 0]
    ranges = [getattr(os2, f"ulUnicodeRange{k}", 0) for k in (1, 2, 3, 4)]
    pages = [getattr(os2, f"ulCodePageRange{k}", 0) for k in (1, 2)]
    info.openTypeOS2UnicodeRanges = [
        32 * k + bit for k, bits in enumerate(ranges) for bit in _bits(bits, range(32))
    ]
    info.openTypeOS2CodePageRanges = [
        32 * k + bit for k, bits in enumerate(pages) for bit in _bits(bits, range(32))
    ]
    info.openTypeGaspRangeRecords = [{"rangeMaxPPEM": 0xFFFF, "rangeGaspBehavior": SMOOTH}]


def _bits(number: int, known: Iterable[int]) -> list[int]:
    return [bit for bit in known if number >> bit & 1]


_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Characters that XML does not have."""


def _date(created: int) -> str:
    """Write a date as a UFO has it, `2001/02/03 04:05:06`."""
    from datetime import datetime

    parsed = datetime.strptime(timestampToString(created), "%a %b %d %H:%M:%S %Y")
    return parsed.strftime("%Y/%m/%d %H:%M:%S")
