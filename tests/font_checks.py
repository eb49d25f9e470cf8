"""What must hold of a font made from another; each check returns its findings, none where it holds.

python tests/font_checks.py SOURCE HAND ...

Every check takes the source's file and the hand's, and stands alone. `CHECKS` lists those for one
hand; a variable font, a designspace and a set of hands have theirs below.
"""

import functools
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import ots
import pathops
import uharfbuzz as hb
from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

ASCII = "".join(map(chr, range(0x21, 0x7F)))

WORDS = (
    *("office", "affluent", "fjord", "Mississippi", "AVATAR To Wave", "1/2 1st 2nd", "WWW..."),
    *(
        "naïve",
        "Škoda",
        "Łódź",
        "Việt Nam",
        "e\u0301a\u0302n\u0303o\u0308",
        "i\u0307 ĳ ﬁ",
        "O\u031b",
    ),
    *("Ἀθῆναι", "Ελλάδα", "ΑΥΤΟΣ", "Москва", "Ўзбек", "и\u0306", "Україна", "България"),
    *("שָׁלוֹם", "السلام", "لا إله", "نُور", "हिन्दी", "क्षत्रिय", "ภาษาไทย", "น้ำ", "Հայերեն", "ქართული"),
)
"""Words whose shaping takes ligatures, marks, alternates or joining; a font has some of them."""

GENERATED = re.compile(r"glyph\d+|gid\d+")
"""A name that stands for a number: it is another one in a font that was cut."""

KEPT_NAMES = {0: "copyright", 7: "trademark", 8: "maker", 9: "designer", 13: "licence", 14: "link"}

LOOP = 1e-6
"""Ink of a loop that counts, in square ems: one unit of a thousand by one."""

FONTBAKERY_LEAVES_OUT = {
    "fontbakery_version": "asks the network whether there is a newer FontBakery",
    "fontdata_namecheck": "asks the network whether the family's name is taken",
    "ots": "is checked here by itself",
    "superfamily": "looks at the folders beside the font's, and not at the font",
}

FONTFORGE = {
    0x2: "open contours",
    0x4: "contours that cross",
    0x8: "contours in the wrong direction",
    0x10: "flipped references",
    0x20: "curves without points at their extrema",
    0x40: "references to glyphs that are not there",
    0x80: "too many points",
    0x200: "bad names",
    0x80000: "points too far apart",
    0x100000: "points off whole units",
}
"""Bits of a glyph's validation state."""

FORGE = """
import json, sys, fontforge
listed, wanted = {}, set()
for path in reversed(sys.argv[1:]):
    font = fontforge.open(path)
    chosen = [g for g in font.glyphs() if g.isWorthOutputting()]
    if path == sys.argv[1]:
        chosen = [g for g in chosen if g.glyphname in wanted or g.unicode in wanted]
    listed[path] = [(g.glyphname, g.unicode, g.validate(True)) for g in chosen]
    wanted.update(g.glyphname for g in chosen)
    wanted.update(g.unicode for g in chosen)
    font.close()
print(json.dumps(listed))
"""
"""FontForge's own Python has no packages of ours. The source comes first, and is long: it is
looked at last, for the glyphs that the hands have."""


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


def sanitises(source, hand):
    """Browsers take the font: OpenType Sanitizer passes it without a word that the source lacks."""
    done = ots.sanitize(str(hand), capture_output=True, text=True)
    known = _sanitiser_says(source)
    said = [line for line in _lines(done.stderr) + _lines(done.stdout) if line not in known]
    worse = [line for line in said if line.startswith(("ERROR", "WARNING"))]
    return worse or ([f"rejected: {said}"] if done.returncode else [])


def shapes(source, hand):
    """HarfBuzz finds the source's glyphs for every pair of ASCII and words of other scripts."""
    return _compare(source, hand, "glyphs", lambda a, b: all(map(_same_name, a, b)))


def kerns(source, hand):
    """Pairs and words are kerned by what the source kerns them."""
    return _compare(source, hand, "kerning", lambda a, b: list(a) == list(b))


def fontbakery(source, hand):
    """FontBakery's opentype and universal profiles find no fault that the source has not."""
    found = _bakery(hand)
    if not found:
        return []
    known = _bakery(source, sorted({check for check, _ in found}))
    return [
        f"{check} {code}: {text}"
        for (check, code), text in found.items()
        if (check, code) not in known
    ]


def fontforge(source, *hands):
    """FontForge's validation finds nothing in a glyph that it does not find in the source's.

    It reads the source once for all hands.
    """
    listed = _forge(source, *hands)
    by_point = {point: state for _, point, state in listed[str(source)] if point >= 0}
    by_name = {name: state for name, _, state in listed[str(source)]}
    findings = []
    for hand in hands:
        new = {}
        for name, point, state in listed[str(hand)]:
            known = by_point.get(point, by_name.get(name, 0))
            for bit in FONTFORGE:
                if state & bit & ~known:
                    new.setdefault(bit, []).append(name)
        findings += [f"{FONTFORGE[bit]}: {_some(names)}" for bit, names in sorted(new.items())]
    return findings


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
        findings.append(f"a width where there was none, or none where there was: {_some(zero)}")
    if monospaced and (moved := [name for name in same if before[name] != after[name]]):
        findings.append(f"no longer of one width: {_some(moved)}")
    if bool(fixed[0]) != bool(fixed[1]):
        findings.append(f"isFixedPitch was {fixed[0]} and is {fixed[1]}")
    figures = [points[point] for point in range(0x30, 0x3A) if points.get(point) in same]
    if len({before[name] for name in figures}) == 1 < len({after[name] for name in figures}):
        findings.append("figures of one width have several")
    for feature in offered & {"tnum", "lnum", "onum"}:
        was, now = (_figure_widths(path, {"tnum": True, feature: True}) for path in (source, hand))
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


CHECKS = (opens, sanitises, shapes, kerns, widths, tables, crosses, fontbakery, fontforge)
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
                f"{tag}: glyphs differ from {single.name}: {_some(mine.keys() ^ other.keys())}"
            )
        apart = [name for name in mine if name in other and mine[name] != other[name]]
        if apart:
            findings.append(f"{tag}: points or widths differ from {single.name}: {_some(apart)}")
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
    findings += [f"widths differ from the source: {_some(moved)}"] if moved else []
    return findings + ([f"ink differs from the source: {_some(bold)}"] if bold else [])


def builds(designspace):
    """Fontmake builds a variable font of a designspace without a warning."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "fontmake", "-m", designspace, "-o", "variable"),
                *("--output-path", Path(folder) / "built.ttf", "--verbose", "WARNING"),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
        said = [
            line
            for line in _lines(done.stderr)
            if re.match(r"(WARNING|ERROR|fontmake: Error)", line)
        ]
        if done.returncode and not said:
            return [done.stderr.strip()[-300:]]
        return said


def has_fontforge():
    return shutil.which("fontforge") is not None


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


@functools.cache
def _face(path):
    """HarfBuzz's font and its glyphs' names, which FontTools reads where HarfBuzz does not."""
    with TTFont(path, lazy=True) as font:
        return hb.Font(hb.Face(hb.Blob.from_file_path(str(path)))), font.getGlyphOrder()


def _shape(path, text, features):
    font, names = _face(path)
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    hb.shape(font, buffer, features)
    return [names[info.codepoint] for info in buffer.glyph_infos], [
        place.x_advance for place in buffer.glyph_positions
    ]


@functools.cache
def _shaped(path, texts):
    """Glyphs, and what kerning adds to each advance, for every text."""
    result = {}
    for text in texts:
        names, kerned = _shape(path, text, {})
        _, plain = _shape(path, text, {"kern": False})
        added = (
            [a - b for a, b in zip(kerned, plain, strict=True)]
            if len(kerned) == len(plain)
            else kerned
        )
        result[text] = {"glyphs": names, "kerning": added}
    return result


@functools.cache
def _texts(characters):
    """Pairs of ASCII and words that can be set with some characters."""
    ascii_ = [character for character in ASCII if character in characters]
    pairs = [a + b for a in ascii_ for b in ascii_]
    return (*pairs, *(word for word in WORDS if set(word) <= characters | {" "}))


def _compare(source, hand, what, equal):
    with TTFont(source, lazy=True) as original, TTFont(hand, lazy=True) as font:
        both = frozenset(map(chr, original.getBestCmap().keys() & font.getBestCmap().keys()))
    before, after = (_shaped(path, _texts(both)) for path in (source, hand))
    apart = [
        text
        for text, was in before.items()
        if len(was[what]) != len(after[text][what]) or not equal(was[what], after[text][what])
    ]
    if not apart:
        return []
    first = apart[0]
    return [
        f"{what} of {len(apart)} texts of {len(before)} differ, as {first!r}: "
        f"{before[first][what]} became {after[first][what]}"
    ]


def _same_name(a, b):
    return a == b or bool(GENERATED.fullmatch(a) or GENERATED.fullmatch(b))


def _figure_widths(path, features):
    with TTFont(path, lazy=True) as font:
        figures = [chr(point) for point in range(0x30, 0x3A) if point in font.getBestCmap()]
    return {_shape(path, figure, features)[1][0] for figure in figures}


@functools.cache
def _sanitiser_says(path):
    done = ots.sanitize(str(path), capture_output=True, text=True)
    return {*_lines(done.stderr), *_lines(done.stdout)}


def _bakery(path, checks=()):
    """Failures by check and code, of all checks or of some."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        leave = [part for check in FONTBAKERY_LEAVES_OUT for part in ("-x", check)]
        only = [part for check in checks for part in ("-c", check)]
        done = subprocess.run(
            [
                *(sys.executable, "-W", "ignore", "-m", "fontbakery", "check-universal"),
                *("--skip-network", "--quiet", "--no-progress", "--no-colors", "-l", "FAIL"),
                *("-F", "--json", report, *leave, *only, path),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists():
            raise RuntimeError(f"FontBakery wrote no report: {done.stderr[-500:]}")
        sections = json.loads(report.read_text())["sections"]
    return {
        (check["key"][1].split(":", 1)[1].rstrip(">"), log["message"]["code"]): " ".join(
            log["message"]["message"].split()
        )[:200]
        for section in sections
        for check in section["checks"]
        for log in check["logs"]
        if log["status"] in ("FAIL", "FATAL", "ERROR")
    }


@functools.cache
def _forge(*paths):
    done = subprocess.run(
        ["fontforge", "-quiet", "-lang=py", "-c", FORGE, *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


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
        # other bits say how a renderer may take overlaps
        found[name] = list(points), list(ends), [flag & 1 for flag in flags], widths[name]
    return found


def _heights(original, font):
    """Vertical measures are the source's, or have grown; what Windows cuts off lies beyond ink."""
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
    if (
        font["OS/2"].usWinAscent < font["head"].yMax
        or font["OS/2"].usWinDescent < -font["head"].yMin
    ):
        findings.append("ink stands out of usWinAscent and usWinDescent")
    return findings


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


def _lines(text):
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def _some(names):
    names = sorted(names)
    return f"{', '.join(names[:8])}{f' and {len(names) - 8} more' if len(names) > 8 else ''}"


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
