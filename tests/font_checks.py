"""What must hold of a font made from another; each check returns its findings, none where it holds.

python tests/font_checks.py SOURCE HAND ...

Every check takes the source's file and the hand's, and stands alone. `CHECKS` lists those for one
hand, with what other programs say (`font_judges.py`) and what HarfBuzz sets (`font_shaping.py`).
A variable font has two more, below; a designspace has `font_judges.builds`.
"""

import functools
import io
import statistics
import sys
from pathlib import Path

import numpy as np
import pathops
from font_judges import fontbakery, fontforge, has_fontforge, sanitises, some
from font_shaping import GENERATED, figure_widths, kerns, shapes
from fontTools import subset
from fontTools.misc.bezierTools import calcCubicBounds, calcQuadraticBounds
from fontTools.misc.roundTools import otRound
from fontTools.pens.basePen import BasePen
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

KEPT_NAMES = {0: "copyright", 7: "trademark", 8: "maker", 9: "designer", 13: "licence", 14: "link"}

BEYOND, MOSTLY = 0.015, 0.003
"""How far curves pass the points at their ends at most, in ems, and in nine of ten glyphs."""

LOOP = 1e-6
"""Ink of a loop that counts, in square ems: one unit of a thousand by one."""


def opens(source, hand):
    """FontTools reads every table, writes the font, and reads it again."""
    with TTFont(hand, lazy=False) as font:
        for tag in font.keys():  # noqa: SIM118
            font[tag]
        written = io.BytesIO()
        font.save(written)
        order = font.getGlyphOrder()
    written.seek(0)
    with TTFont(written, lazy=False) as again:
        return [] if again.getGlyphOrder() == order else ["saved again, its glyphs are others"]


def crosses(source, hand):
    """No contour crosses itself, and no two cross, where those of the source do not.

    Where contours of the source overlap, as in many variable fonts, each is looked at by itself.
    """
    with TTFont(source) as original, TTFont(hand) as font:
        same = correspondence(original, font)
        known, found = _loops(original, {*same.values()}), _loops(font, font.getGlyphOrder())
    findings = []
    for name, (alone, together) in found.items():
        before, crossed = known.get(same.get(name), (0.0, 0.0))
        if alone > 1.5 * before + LOOP:
            findings.append(f"{name} crosses itself by {alone * 1e6:.1f} millionths of a square em")
        elif crossed <= LOOP < together:
            findings.append(f"{name}: contours cross by {together * 1e6:.1f}")
    return findings


def extrema(source, hand):
    """Curves pass the points at their ends hardly farther than those of the source do."""
    with TTFont(source) as original, TTFont(hand) as font:
        same = correspondence(original, font)
        before, after = _passing(original, {*same.values()}), _passing(font, same)
    more = {name: after[name] - before[other] for name, other in same.items()}
    far = [name for name, by in more.items() if by > BEYOND]
    findings = [f"curves reach far beyond their points: {some(far)}"] if far else []
    if np.mean([by > MOSTLY for by in more.values()]) > 0.1:
        findings.append("in one glyph of ten curves reach beyond their points")
    return findings


def widths(source, hand):
    """Marks without a width stay so, one width stays one, and so do figures of one width."""
    findings = []
    with TTFont(source) as original, TTFont(hand) as font:
        same = correspondence(original, font)
        before = {name: original["hmtx"][other][0] for name, other in same.items()}
        after = {name: font["hmtx"][name][0] for name in same}
        points, offered = font.getBestCmap(), _features(font, "GSUB")
        monospaced = len({width for width in before.values() if width}) == 1
        fixed = original["post"].isFixedPitch, font["post"].isFixedPitch
    zero = [name for name in same if (before[name] == 0) != (after[name] == 0)]
    if zero:
        findings.append(f"a width where there was none, or none where there was: {some(zero)}")
    if monospaced:
        common = statistics.mode(width for width in after.values() if width)
        if others := [name for name, width in after.items() if width not in (0, common)]:
            findings.append(f"no longer of one width, {common}: {some(others)}")
    if bool(fixed[0]) != bool(fixed[1]):
        findings.append(f"isFixedPitch was {fixed[0]} and is {fixed[1]}")
    figures = [points[point] for point in range(0x30, 0x3A) if points.get(point) in same]
    if len({before[name] for name in figures}) == 1 < len({after[name] for name in figures}):
        findings.append("figures of one width have several")
    for feature in offered & {"tnum", "lnum", "onum"}:
        was, now = (figure_widths(path, {"tnum": True, feature: True}) for path in (source, hand))
        if len(was) == 1 < len(now):
            findings.append(f"figures by tnum and {feature} had one width and have {sorted(now)}")
    return findings


def tables(source, hand):
    """Names, licence, classification and features are the source's; the family is another's."""
    findings = []
    with TTFont(source) as original, TTFont(hand) as font:
        for number, what in KEPT_NAMES.items():
            was, now = (f["name"].getDebugName(number) for f in (original, font))
            if was and was.strip() not in (now or ""):
                findings.append(f"{what} was {was!r:.60} and is {now!r:.60}")
        for number in (1, 4, 6, 16):
            was, now = (f["name"].getDebugName(number) for f in (original, font))
            if now and now == was:
                findings.append(f"name {number} is still {was!r}")
        was, now = original["OS/2"], font["OS/2"]
        findings += [
            f"{what} was {getattr(was, what)!r} and is {getattr(now, what)!r}"
            for what in ("fsType", "usWeightClass", "usWidthClass", "sFamilyClass", "achVendID")
            if getattr(was, what) != getattr(now, what)
        ]
        if vars(was.panose) != vars(now.panose):
            findings.append("PANOSE is another")
        if was.fsSelection & ~now.fsSelection & 0x80:
            findings.append("USE_TYPO_METRICS is lost")
        if original["head"].unitsPerEm != font["head"].unitsPerEm:
            findings.append("units of the em are others")
        findings += _heights(original, font)
        findings += [f"{tag} is left of the hinting" for tag in ("fpgm", "cvt ") if tag in font]
        wanted = _cut(source, frozenset(font.getBestCmap()))
        for tag, features in wanted.features.items():
            if lost := features - _features(font, tag):
                findings.append(f"{tag} has lost {', '.join(sorted(lost))}")
        if len(font.getGlyphOrder()) < wanted.glyphs:
            findings.append(f"{len(font.getGlyphOrder())} glyphs, of {wanted.glyphs} it reaches")
    return findings


CHECKS = (opens, sanitises, shapes, kerns, widths, tables, crosses, extrema, fontbakery, fontforge)
"""All that is checked of one hand; FontForge where `has_fontforge` says so."""


def varies(variable, singles):
    """A variable font at 100 of one axis is that single font, point for point."""
    findings = []
    with TTFont(variable) as font:
        tags = [axis.axisTag for axis in font["fvar"].axes]
    if len(tags) != len(singles):
        return [f"{len(tags)} axes for {len(singles)} hands"]
    for tag, single in zip(tags, singles, strict=True):
        place = {other: 100.0 * (other == tag) for other in tags}
        with TTFont(variable) as font, TTFont(single) as hand:
            fixed = instancer.instantiateVariableFont(font, place)
            mine, other = _points(fixed), _points(hand)
        if mine.keys() != other.keys():
            findings.append(
                f"{tag}: glyphs differ from {single.name}: {some(mine.keys() ^ other.keys())}"
            )
        apart = [name for name in mine if name in other and mine[name] != other[name]]
        if apart:
            findings.append(f"{tag}: points or widths differ from {single.name}: {some(apart)}")
    return findings


def rests(source, variable):
    """A variable font at 0 of every axis has the source's widths and its ink."""
    with TTFont(source) as original, TTFont(variable) as font:
        same = correspondence(original, font)
        tags = [axis.axisTag for axis in font["fvar"].axes if axis.defaultValue != 0]
        moved = [n for n, o in same.items() if font["hmtx"][n][0] != original["hmtx"][o][0]]
        mine, others = _areas(font, same), _areas(original, {*same.values()})
    bold = [n for n, o in same.items() if abs(mine[n] - others[o]) > 0.01 * abs(others[o]) + 2e-4]
    findings = [f"{tag} does not rest at 0" for tag in tags]
    findings += [f"widths differ from the source: {some(moved)}"] if moved else []
    return findings + ([f"ink differs from the source: {some(bold)}"] if bold else [])


def correspondence(original, font):
    """The source's glyph for each glyph of a hand: by character, else by name."""
    there = original.getReverseGlyphMap()
    same = {
        name: name
        for name in font.getGlyphOrder()
        if name in there and not GENERATED.fullmatch(name)
    }
    known = original.getBestCmap()
    return same | {name: known[p] for p, name in font.getBestCmap().items() if p in known}


def _loops(font, names):
    """For each glyph, ink that its contours cover twice: each by itself, and all together."""
    glyphs, em = font.getGlyphSet(), font["head"].unitsPerEm ** 2
    found = {}
    for name in names:
        path = pathops.Path()
        glyphs[name].draw(path.getPen(glyphSet=glyphs))
        contours = [pathops.Path(contour) for contour in path.contours]
        found[name] = sum(map(_twice, contours)) / em, _twice(path) / em
    return found


def _twice(path):
    """How far the area by the outline's own turns is from that of its ink."""
    inked = pathops.Path(path)
    inked.simplify(fix_winding=True, keep_starting_points=False)
    return abs(abs(_area(path)) - abs(_area(inked)))


def _area(path):
    return sum(c.area * (-1 if c.clockwise else 1) for c in map(pathops.Path, path.contours))


def _passing(font, names):
    """How far curves of each glyph pass the points at their ends, across or up, in ems."""
    glyphs, em, found = font.getGlyphSet(), font["head"].unitsPerEm, {}
    for name in names:
        pen = _Passing(glyphs)
        glyphs[name].draw(pen)
        found[name] = pen.farthest / em
    return found


class _Passing(BasePen):
    """Measures how far curves leave the boxes of their ends."""

    farthest = 0.0

    def _moveTo(self, place):  # noqa: N802
        pass

    def _lineTo(self, place):  # noqa: N802
        pass

    def _qCurveToOne(self, control, end):  # noqa: N802
        self.measure(calcQuadraticBounds, control, end)

    def _curveToOne(self, first, second, end):  # noqa: N802
        self.measure(calcCubicBounds, first, second, end)

    def measure(self, bounds, *points):
        start, end = self._getCurrentPoint(), points[-1]
        (left, low, right, high), (x, y) = bounds(start, *points), zip(start, end, strict=True)
        beyond = min(x) - left, right - max(x), min(y) - low, high - max(y)
        self.farthest = max(self.farthest, *beyond)


def _areas(font, names):
    glyphs, em = font.getGlyphSet(), font["head"].unitsPerEm ** 2
    areas = {}
    for name in names:
        path = pathops.Path()
        glyphs[name].draw(path.getPen(glyphSet=glyphs))
        areas[name] = abs(_area(path)) / em
    return areas


def _points(font):
    """Every glyph's points, which of them are on the curve, where contours end, and its width."""
    glyf, widths, found = font["glyf"], font["hmtx"], {}
    for name in font.getGlyphOrder():
        points, ends, flags = glyf[name].getCoordinates(glyf)
        # what is inferred between other points is not whole; renderers round it
        whole = [(otRound(x), otRound(y)) for x, y in points]
        # other bits say how a renderer may take overlaps
        found[name] = whole, list(ends), [flag & 1 for flag in flags], widths[name]
    return found


def _heights(original, font):
    """Vertical measures are the source's, or have grown, and Windows cuts off no more ink."""
    findings = []
    for table, up, down, gap in (
        ("hhea", "ascent", "descent", "lineGap"),
        ("OS/2", "sTypoAscender", "sTypoDescender", "sTypoLineGap"),
    ):
        was, now = original[table], font[table]
        if (
            getattr(now, up) < getattr(was, up)
            or getattr(now, down) > getattr(was, down)
            or getattr(now, gap) != getattr(was, gap)
        ):
            findings.append(f"{table} leaves less room than the source's")
    same = correspondence(original, font)
    before, after = _beyond(original, {*same.values()}), _beyond(font, font.getGlyphOrder())
    if any(now > max(was, 0) + 1 for was, now in zip(before, after, strict=True)):
        findings.append(f"ink stands out of usWinAscent and usWinDescent by {after}, not {before}")
    return findings


def _beyond(font, names):
    """How far ink stands out above and below of what Windows shows."""
    glyphs, pen = font.getGlyphSet(), BoundsPen(font.getGlyphSet())
    for name in names:
        glyphs[name].draw(pen)
    _, low, _, high = pen.bounds or (0, 0, 0, 0)
    return high - font["OS/2"].usWinAscent, -low - font["OS/2"].usWinDescent


class _Cut:
    """What is left of a font that is cut to some characters and what they reach."""

    def __init__(self, font):
        self.glyphs = len(font.getGlyphOrder())
        self.features = {tag: _features(font, tag) for tag in ("GSUB", "GPOS")}


@functools.cache
def _cut(path, points):
    options = subset.Options(layout_features=["*"], notdef_outline=True, legacy_kern=True)
    options.drop_tables += ["FFTM"]
    with TTFont(path) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=points)
        cutter.subset(font)
        return _Cut(font)


def _features(font, tag):
    if tag not in font or not font[tag].table.FeatureList:
        return set()
    return {record.FeatureTag for record in font[tag].table.FeatureList.FeatureRecord}


def main():
    source, *hands = map(Path, sys.argv[1:])
    count = 0
    for hand in hands:
        for check in CHECKS:
            if check is fontforge and not has_fontforge():
                print(f"{hand.name}: fontforge is not here")
                continue
            for finding in check(source, hand):
                count += 1
                print(f"{hand.name}: {check.__name__}: {finding}")
    print(f"{count} findings in {len(hands)} fonts")
    raise SystemExit(bool(count))


if __name__ == "__main__":
    main()
