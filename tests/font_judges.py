"""What other programs say of a font made from another, beyond what they say of its source.

OpenType Sanitizer is what browsers ask, FontBakery what foundries ask; FontForge validates
outlines, and fontmake builds what font editors save. Each function returns its findings.
"""

import functools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import ots
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

FONTBAKERY_LEAVES_OUT = {
    "fontbakery_version": "asks the network whether there is a newer FontBakery",
    "fontdata_namecheck": "asks the network whether the family's name is taken",
    "ots": "is checked here by itself",
    "regular_coords_correct": "finds a Regular only on axes for weight, width, slant or size",
    "superfamily": "looks at the folders beside the font's, and not at the font",
}

EXTREMA = "curves without points at their extrema"

FONTFORGE = {
    0x2: "open contours",
    0x4: "contours that cross",
    0x8: "contours in the wrong direction",
    0x10: "flipped references",
    0x20: EXTREMA,
    0x40: "references to glyphs that are not there",
    0x80: "too many points",
    0x200: "bad names",
    0x80000: "points too far apart",
    0x100000: "points off whole units",
}
"""Bits of a glyph's validation state."""

FORGE = """
import json, sys, fontforge
listed, wanted = [], set()
for number in reversed(range(1, len(sys.argv))):
    font = fontforge.open(sys.argv[number])
    glyphs = [g for g in font.glyphs() if g.isWorthOutputting()]
    if number == 1:
        glyphs = [g for g in glyphs if g.glyphname in wanted or g.unicode in wanted]
    listed.insert(0, [(g.glyphname, g.unicode, g.validate(True)) for g in glyphs])
    wanted.update(name for g in glyphs for name in (g.glyphname, g.unicode) if name != -1)
    font.close()
print(json.dumps(listed))
"""
"""FontForge's own Python has no packages of ours. The source comes first, and is long: it is
looked at last, for the glyphs that the hands have."""


def sanitises(source, hand):
    """Browsers take the font: OpenType Sanitizer passes it without a word that the source lacks."""
    done = ots.sanitize(str(hand), capture_output=True, text=True)
    known = _sanitiser_says(source)
    said = [line for line in _lines(done.stderr) + _lines(done.stdout) if line not in known]
    worse = [line for line in said if line.startswith(("ERROR", "WARNING"))]
    return worse or ([f"rejected: {said}"] if done.returncode else [])


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


@functools.cache
def fontforge(source, *hands):
    """FontForge's validation finds nothing in a glyph that it does not find in the source's.

    It reads the source once for all hands, and variable fonts at their default: Debian's breaks
    down over some of those.
    """
    with tempfile.TemporaryDirectory() as folder:
        still = [_still(path, Path(folder) / f"{n}.ttf") for n, path in enumerate((source, *hands))]
        done = subprocess.run(
            ["fontforge", "-quiet", "-lang=py", "-c", FORGE, *map(str, still)],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        return [f"FontForge breaks down: {done.stderr.strip()[-200:]}"]
    known, *listed = json.loads(done.stdout.strip().splitlines()[-1])
    by_point = {point: state for _, point, state in known if point >= 0}
    by_name = {name: state for name, _, state in known}
    findings = []
    for hand, glyphs in zip(hands, listed, strict=True):
        new: dict[int, list[str]] = {}
        for name, point, state in glyphs:
            fresh = state & ~by_point.get(point, by_name.get(name, 0))
            for bit in FONTFORGE:
                if fresh & bit:
                    new.setdefault(bit, []).append(name)
        findings += [f"{hand.name}: {FONTFORGE[bit]}: {some(new[bit])}" for bit in sorted(new)]
    return findings


def _still(path, still):
    """A font file that does not vary: the same, or a variable one at its default."""
    with TTFont(path) as font:
        if "fvar" not in font:
            return path
        place = {axis.axisTag: axis.defaultValue for axis in font["fvar"].axes}
        instancer.instantiateVariableFont(font, place).save(still)
    return still


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


def _lines(text):
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def some(names):
    names = sorted(names)
    return f"{', '.join(names[:8])}{f' and {len(names) - 8} more' if len(names) > 8 else ''}"
