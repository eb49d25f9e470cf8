"""A font of one hand is the source's file, edited.

What describes characters or names the makers is kept: glyph names, character map, GSUB, GPOS,
GDEF, BASE, `kern`, names, licence, PANOSE, weight, pitch, code pages, vertical metrics. What
describes the old outlines is changed or removed:

- Outlines, advance widths, bearings and bounds are the hand's. The x-height and the height of
  capitals change as those of x and H do; carets and anchors move with their glyphs. The
  caret's slope, and an italic's angle, are those of the hand, if it leans.
- Instructions and their tables are removed, and so is `AttachList` of GDEF, which names points
  by number.
- Pictures of glyphs, bitmaps and SVG, are removed. Layers of `COLR` are glyphs, and are kept; all
  of its glyphs move by their hand alone, so that they go on fitting. Its gradients stay.
- MATH is kept as it is, constants and accents alike.
- Places in tables of Apple's and of Graphite are removed, with Graphite's rules, which need them.
- Signatures and tables of font editors are removed.

The vertical metrics are the same in every font of a family. They are the source's; where the
ink of some hand reaches farther than all of the source's, they reach as much farther.
"""

from __future__ import annotations

from io import BytesIO
from typing import Literal

from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables.ttProgram import Program

from vce_models.fonts import anchors
from vce_models.fonts.family import Family
from vce_models.fonts.naming import rename
from vce_models.fonts.outline_tables import set_outlines
from vce_models.fonts.quadratics import outlines
from vce_models.fonts.slanting import lean

Flavour = Literal["ttf", "otf", "woff2"]
"""Quadratic curves; cubic curves; the source's kind of curves, packed."""

HINTING = "fpgm prep cvt cvar hdmx LTSH VDMX gasp PCLT TTFA VTT TSI0 TSI1 TSI2 TSI3 TSI5"
PICTURES = "EBDT EBLC EBSC CBDT CBLC sbix bdat bloc SVG BDF"
PLACES = "ankr kerx lcar opbd just Feat Glat Gloc Silf Sill"
OTHERS = "DSIG FFTM PfEd TeX webf MERG TSIB TSIC TSID TSIJ TSIP TSIS TSIV"
DROPPED = [f"{tag:4}" for tag in " ".join((HINTING, PICTURES, PLACES, OTHERS)).split()]

SMOOTH = 0x000F
"""How rasterisers treat an unhinted font at all sizes: symmetric smoothing and grid-fitting."""

DROPOUT = bytes.fromhex("B801FF85B0048D")
"""The program that every unhinted font has: smart dropout control, always."""


def edited(family: Family, master: int, *, name: str, flavour: Flavour) -> bytes:
    """Make a font of one master.

    Args:
        family: The source and its hands.
        master: Which master; 0 is the source itself, without its hinting.
        name: The family name of the new font; its style is the source's.
        flavour: `ttf`, `otf`, or `woff2`.

    Returns:
        The file's bytes, the same ones each time.
    """
    font = opened(family)
    cubic = flavour == "otf" or (flavour == "woff2" and "glyf" not in font)
    rename(font, name)
    lean(font, family, master)
    set_outlines(font, family, {glyph: (glyph, master) for glyph in family.glyphs}, cubic=cubic)
    anchors.move(font, family, master)
    finish(font, family, master)
    return saved(font, packed=flavour == "woff2")


def opened(family: Family) -> TTFont:
    """Open the source, without the tables that no hand can keep."""
    font = TTFont(BytesIO(family.source), recalcTimestamp=False)
    # One of the two packers of offsets is chosen, so that bytes do not depend on what is installed.
    font.cfg["fontTools.ttLib.tables.otBase:USE_HARFBUZZ_REPACKER"] = False
    for tag in DROPPED:
        if tag in font:
            del font[tag]
    if "GDEF" in font and getattr(font["GDEF"].table, "AttachList", None):
        font["GDEF"].table.AttachList = None
    if "COLR" in font and font["COLR"].version:
        font["COLR"].table.ClipList = None
    _complete(font)
    return font


def _complete(font: TTFont) -> None:
    """Give an old font the tables that say what it is and how high its lines are."""
    builder, hhea = FontBuilder(font=font), font["hhea"]
    if "name" not in font:
        font["name"] = newTable("name")
        font["name"].names = []
    if "post" not in font:
        font.getGlyphOrder()  # names that fontTools makes up have to be made up before
        builder.setupPost(keepGlyphNames="glyf" in font)
    if "OS/2" not in font:
        bits = font["head"].macStyle
        builder.setupOS2(
            fsType=0,
            fsSelection=(bits & 1) << 5 | bits >> 1 & 1 or 1 << 6,
            usWeightClass=700 if bits & 1 else 400,
            sTypoAscender=hhea.ascent,
            sTypoDescender=hhea.descent,
            sTypoLineGap=hhea.lineGap,
            usWinAscent=max(0, hhea.ascent),
            usWinDescent=max(0, -hhea.descent),
        )
        font["OS/2"].recalcUnicodeRanges(font)


def finish(font: TTFont, family: Family, master: int) -> None:
    """Let the measures of a font, and its vertical limits, follow the ink of its new outlines."""
    head = font["head"]
    head.flags &= ~(1 << 2 | 1 << 4)  # no instruction depends on the size or alters widths
    if "glyf" in font:
        _unhinted(font)
    font["OS/2"].recalcAvgCharWidth(font)
    _set_heights(font, family, master)
    _grow(font, family)


def saved(font: TTFont, *, packed: bool = False) -> bytes:
    """Return the bytes of a font's file, as WOFF2 where it is to be packed."""
    font.flavor = "woff2" if packed else None
    file = BytesIO()
    font.save(file)
    return file.getvalue()


def pack(data: bytes) -> bytes:
    """Return the same font as WOFF2."""
    return saved(TTFont(BytesIO(data), recalcTimestamp=False, recalcBBoxes=False), packed=True)


def _unhinted(font: TTFont) -> None:
    gasp, prep = newTable("gasp"), newTable("prep")
    gasp.version, gasp.gaspRange = 1, {0xFFFF: SMOOTH}
    prep.program = Program()
    prep.program.fromBytecode(DROPOUT)
    font["gasp"], font["prep"] = gasp, prep
    profile = font["maxp"]
    profile.maxZones, profile.maxStackElements = 1, 1
    for limit in _INSTRUCTED:
        setattr(profile, limit, 0)


_INSTRUCTED = (
    "maxTwilightPoints",
    "maxStorage",
    "maxFunctionDefs",
    "maxInstructionDefs",
    "maxSizeOfInstructions",
)


def _set_heights(font: TTFont, family: Family, master: int) -> None:
    """Let the x-height and the height of capitals change as x and H do."""
    os2, characters, quadratic = font["OS/2"], font.getBestCmap() or {}, outlines(family)
    for measure, letter in (("sxHeight", "x"), ("sCapHeight", "H")):
        height, glyph = getattr(os2, measure, 0), characters.get(ord(letter))
        if not height:
            continue
        if glyph in quadratic:
            tops = quadratic[glyph].places[..., 1].max(axis=1)
            height += int(tops[master] - tops[0])
        else:
            height = round(height * float(family.linear[master, 1, 1]))
        setattr(os2, measure, height)


def _grow(font: TTFont, family: Family) -> None:
    """Widen the limits beyond which Windows cuts ink off, as far as ink exceeds the source's.

    Many sources have other lines at these very limits; such lines are moved alike.
    """
    os2, hhea = font["OS/2"], font["hhea"]
    places = [outline.places[..., 1] for outline in outlines(family).values()]
    if not places:
        return
    lines = (
        ("usWinAscent", "ascent", "sTypoAscender", 1),
        ("usWinDescent", "descent", "sTypoDescender", -1),
    )
    for limit, line, typographic, sign in lines:
        ink = [(sign * rows).max(axis=1) for rows in places]
        old, new = max(tops[0] for tops in ink), max(tops.max() for tops in ink)
        was = getattr(os2, limit)
        now = int(max(was, min(new, was + new - old)))
        setattr(os2, limit, now)
        for table, measure in ((hhea, line), (os2, typographic)):
            if sign * getattr(table, measure) == was:
                setattr(table, measure, sign * now)
