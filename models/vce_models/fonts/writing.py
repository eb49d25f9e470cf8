"""Fonts in and out: characters drawn from one, conversions written as TTF or UFO.

What is written depends on what is given and on nothing else: no clock, no names of
machines or users. Measures come from the source font where there is one, and are
`Metrics()` otherwise; its outlines, its kerning, its licence and its other names are not
copied.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vce_models.errors import OutputError
from vce_models.files import replacing
from vce_models.fonts.characters import codepoint_of, glyph_name, parse_characters
from vce_models.fonts.tracing import Contour, Point
from vce_models.fonts.source import Metrics, Placement, SourceFont, read_font

__all__ = [
    "DEFAULT_PLACEMENT",
    "Glyphs",
    "Metrics",
    "Placement",
    "SourceFont",
    "codepoint_of",
    "glyph_name",
    "parse_characters",
    "read_font",
    "write_ttf",
    "write_ufo",
]

Contours = tuple[Contour, ...]
Glyphs = Mapping[int, tuple[Contours, Placement | None]]
"""By code point: contours, and where their canvas lies; None is `DEFAULT_PLACEMENT`."""

DEFAULT_PLACEMENT = Placement(0, -200, 1100)
"""For conversions of plain images, 1000 units to the em: Omniglot's 64% are a capital's 704."""

BEARING = 0.06
"""Paper on either side of a glyph that no source font measures, in ems."""

TOLERANCE = 0.001
"""How far the quadratic curves of a TTF may leave the cubic ones, in ems."""

STYLE, VERSION = "Regular", "Version 1.000"

CREATED = "2020/01/01 00:00:00"
"""When every font says it was made: the same glyphs give the same bytes."""


def write_ttf(path: Path, family: str, glyphs: Glyphs, source: SourceFont | None) -> None:
    """Write a TrueType font, whole or not at all.

    Args:
        path: Of the .ttf file.
        family: The font's name.
        glyphs: What to write; `.notdef` and the space are added.
        source: Gives measures and advance widths. Without one, glyphs keep their height
            and are spaced by their ink.

    Raises:
        OutputError: The file cannot be written.
    """
    from fontTools.fontBuilder import FontBuilder
    from fontTools.misc.timeTools import timestampFromString
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    plan = _plan(family, glyphs, source)
    metrics, drawn = plan.metrics, {}
    for name, glyph in plan.glyphs.items():
        pen = TTGlyphPen(None)
        _draw(glyph, Cu2QuPen(pen, TOLERANCE * metrics.units_per_em))
        drawn[name] = pen.glyph()
    font = FontBuilder(metrics.units_per_em, isTTF=True)
    font.font.recalcTimestamp = False
    made = timestampFromString("Wed Jan  1 00:00:00 2020")
    font.updateHead(created=made, modified=made, fontRevision=1.0)
    font.setupGlyphOrder(list(drawn))
    font.setupCharacterMap(plan.characters, allowFallback=True)
    font.setupGlyf(drawn)  # finds every glyph's bounds, too
    widths = {name: glyph.width for name, glyph in plan.glyphs.items()}
    font.setupHorizontalMetrics({n: (widths[n], getattr(g, "xMin", 0)) for n, g in drawn.items()})
    ascent, descent = metrics.ascent, metrics.descent
    font.setupHorizontalHeader(ascent=ascent, descent=descent, lineGap=metrics.line_gap)
    names = {"familyName": plan.family, "styleName": STYLE, "fullName": plan.family}
    names |= {"uniqueFontIdentifier": f"{VERSION};{plan.postscript}", "version": VERSION}
    font.setupNameTable(names | {"psName": plan.postscript}, mac=False)
    font.setupOS2(
        fsType=0,  # may be embedded
        fsSelection=1 << 6,  # regular
        sTypoAscender=ascent,
        sTypoDescender=descent,
        sTypoLineGap=metrics.line_gap,
        # Windows cuts off what lies beyond these two.
        usWinAscent=max([0, ascent, *(getattr(g, "yMax", 0) for g in drawn.values())]),
        usWinDescent=max([0, -descent, *(-getattr(g, "yMin", 0) for g in drawn.values())]),
        sxHeight=metrics.x_height,
        sCapHeight=metrics.cap_height,
    )
    font.font["OS/2"].recalcUnicodeRanges(font.font)
    font.setupPost()
    with replacing(path) as temporary:
        font.save(temporary)


def write_ufo(path: Path, family: str, glyphs: Glyphs, source: SourceFont | None) -> None:
    """Write a UFO 3 folder, whole or not at all; its curves are the cubic ones of `trace`.

    Args:
        path: Of the .ufo folder; a UFO that lies there is replaced.
        family: The font's name.
        glyphs: What to write; `.notdef` and the space are added.
        source: Gives measures and advance widths, as in `write_ttf`.

    Raises:
        OutputError: The folder cannot be written, or something else lies there.
    """
    from fontTools.pens.reverseContourPen import ReverseContourPen
    from fontTools.pens.roundingPen import RoundingPen
    from ufoLib2 import Font

    plan = _plan(family, glyphs, source)
    font = Font()
    _inform(font.info, plan)
    for name, glyph in plan.glyphs.items():
        added = font.newGlyph(name)
        added.width = glyph.width
        added.unicodes = [point for point, other in plan.characters.items() if other == name]
        # PostScript fills to the left of a path, TrueType to the right.
        _draw(glyph, ReverseContourPen(RoundingPen(added.getPen())))
    font.glyphOrder = list(plan.glyphs)
    with _replacing_ufo(path) as temporary:
        font.save(temporary)


@dataclass(frozen=True)
class _Glyph:
    width: int
    contours: Contours
    placement: Placement


@dataclass(frozen=True)
class _Plan:
    """A font before it takes a format: names, measures, characters to glyphs."""

    family: str
    postscript: str
    metrics: Metrics
    characters: dict[int, str]
    glyphs: dict[str, _Glyph]


def _plan(family: str, glyphs: Glyphs, source: SourceFont | None) -> _Plan:
    metrics = source.metrics if source else Metrics()
    advances = source.advances if source else {}
    nowhere = Placement(0, 0, metrics.units_per_em)
    planned = {".notdef": _notdef(metrics), "space": _Glyph(metrics.space, (), nowhere)}
    characters = {0x20: "space", 0xA0: "space"}
    for point in sorted(glyphs.keys() - characters.keys()):
        contours, placement = glyphs[point]
        characters[point] = name = glyph_name(point)
        if placement and point in advances:
            planned[name] = _Glyph(advances[point], contours, placement)
        else:
            planned[name] = _spaced(contours, placement or _default(metrics), metrics)
    family = "".join(filter(str.isprintable, family)).strip() or "Untitled"
    ascii_name = "".join(c for c in family if c.isascii() and c.isalnum()) or "Untitled"
    return _Plan(family, f"{ascii_name[:50]}-{STYLE}", metrics, characters, planned)


def _default(metrics: Metrics) -> Placement:
    scale, at = metrics.units_per_em / Metrics().units_per_em, DEFAULT_PLACEMENT
    return Placement(at.x * scale, at.y * scale, at.side * scale)


def _spaced(contours: Contours, placement: Placement, metrics: Metrics) -> _Glyph:
    """Set a glyph so that its ink has the same paper on either side."""
    if not contours:
        return _Glyph(metrics.space, (), placement)
    across = [x for c in contours for segment in ((c.start,), *c.segments) for x, _ in segment]
    bearing = BEARING * metrics.units_per_em
    width = (max(across) - min(across)) * placement.side
    moved = replace(placement, x=bearing - min(across) * placement.side)
    return _Glyph(round(width + 2 * bearing), contours, moved)


def _notdef(metrics: Metrics) -> _Glyph:
    """An upright box, as high as capitals and half an em wide."""
    height, line = metrics.cap_height / metrics.units_per_em, 0.05

    def box(*corners: Point) -> Contour:
        return Contour(corners[0], tuple((corner,) for corner in (*corners[1:], corners[0])))

    left, right, top = 0.05, 0.45, 1 - height
    outside = box((left, top), (right, top), (right, 1), (left, 1))
    left, right, top, bottom = left + line, right - line, top + line, 1 - line
    inside = box((left, top), (left, bottom), (right, bottom), (right, top))
    width = round(metrics.units_per_em / 2)
    return _Glyph(width, (outside, inside), Placement(0, 0, metrics.units_per_em))


def _draw(glyph: _Glyph, pen: Any) -> None:
    """Draw a glyph in font units, y up, with a pen of fontTools."""
    at = glyph.placement
    for contour in glyph.contours:

        def place(points: tuple[Point, ...]) -> Iterator[Point]:
            return ((at.x + u * at.side, at.y + (1 - v) * at.side) for u, v in points)

        pen.moveTo(*place((contour.start,)))
        for segment in contour.segments:
            (pen.lineTo if len(segment) == 1 else pen.curveTo)(*place(segment))
        pen.closePath()


def _inform(info: Any, plan: _Plan) -> None:
    metrics = plan.metrics
    info.familyName, info.styleName = plan.family, STYLE
    info.styleMapFamilyName, info.styleMapStyleName = plan.family, STYLE.lower()
    info.postscriptFontName, info.postscriptFullName = plan.postscript, plan.family
    info.versionMajor, info.versionMinor = 1, 0
    info.unitsPerEm = metrics.units_per_em
    info.ascender, info.descender = metrics.ascent, metrics.descent
    info.xHeight, info.capHeight = metrics.x_height, metrics.cap_height
    info.openTypeHheaAscender = info.openTypeOS2TypoAscender = metrics.ascent
    info.openTypeHheaDescender = info.openTypeOS2TypoDescender = metrics.descent
    info.openTypeHheaLineGap = info.openTypeOS2TypoLineGap = metrics.line_gap
    info.openTypeOS2Type = []
    info.openTypeHeadCreated = CREATED


@contextmanager
def _replacing_ufo(path: Path) -> Iterator[Path]:
    """`files.replacing` for a UFO, which is a folder."""
    target = path.resolve()
    if target.exists() and not (target / "metainfo.plist").is_file():
        raise OutputError(f"{path} exists and is no UFO", hint="name another folder, or move it")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as beside:
            yield Path(beside) / "new"
            if target.exists():
                target.rename(Path(beside) / "old")
            try:
                (Path(beside) / "new").rename(target)
            except OSError:
                if (Path(beside) / "old").exists():
                    (Path(beside) / "old").rename(target)
                raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
