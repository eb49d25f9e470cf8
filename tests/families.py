"""Families to test with: a font's outlines moved by maps that are easy to know."""

import zlib
from collections.abc import Callable
from functools import cache, partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from fontTools import subset
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.basePen import BasePen
from fontTools.pens.recordingPen import DecomposingRecordingPen, RecordingPen
from fontTools.pens.reverseContourPen import ReverseContourPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from vce_models.fonts.family import Family, MasterGlyph

FONTS = {
    "Lato": "/usr/share/fonts/truetype/lato/Lato-Regular.ttf",
    "Lato Black Italic": "/usr/share/fonts/truetype/lato/Lato-BlackItalic.ttf",
    "DejaVu Sans": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "DejaVu Sans Bold Oblique": "/usr/share/fonts/truetype/dejavu/DejaVuSans-BoldOblique.ttf",
    "DejaVu Sans Mono": "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
    "EB Garamond": "/usr/share/fonts/opentype/ebgaramond/EBGaramond12-Regular.otf",
    "Cantarell": "/usr/share/fonts/opentype/cantarell/Cantarell-Regular.otf",
    "Arabic": "/usr/share/fonts/truetype/noto/NotoNaskhArabic-Regular.ttf",
    "Devanagari": "/usr/share/fonts/truetype/noto/NotoSansDevanagari-Regular.ttf",
    "Thai": "/usr/share/fonts/truetype/noto/NotoSansThai-Regular.ttf",
}
"""Fonts of Debian's packages."""

TEXTS = {
    "Arabic": "السَّلامُ عَلَيْكُمْ",
    "Devanagari": "हिंदी कुं कें क्षत्रि ड़ु",
    "Thai": "น้ำที่ปู่ กั้ง",
}


class Hand:
    """A hand that stretches and slants everything, and lets each glyph wobble on its own."""

    def __init__(self, width, height, slant, wobble):
        self.width, self.height, self.slant, self.wobble = width, height, slant, wobble

    def __call__(self, name, places):
        x, y = np.moveaxis(np.asarray(places, float), -1, 0)
        phase = zlib.crc32(name.encode()) % 628 / 100
        wave = self.wobble * np.sin(y / 170 + phase), self.wobble * np.sin(x / 190 + 2 * phase)
        moved = self.width * x + self.slant * y + wave[0], self.height * y + wave[1]
        return np.stack(moved, axis=-1)


HANDS = (
    Hand(1.05, 0.97, 0.08, 9),
    Hand(0.93, 1.06, -0.05, 14),
    Hand(1.1, 1.1, 0.15, 6),
    Hand(0.9, 0.9, 0, 20),
)


@cache
def family_of(data, hands=HANDS):
    """What the hands make of a font's file."""
    font = TTFont(BytesIO(data))
    glyphs, drawn = font.getGlyphSet(), {}
    for name in font.getGlyphOrder():
        pen = _Cubics(glyphs)
        whole = DecomposingRecordingPen(glyphs)
        glyphs[name].draw(whole)
        whole.replay(ReverseContourPen(pen) if "glyf" in font else pen)

        def move(places, name=name):
            return np.stack([np.asarray(places, float), *(hand(name, places) for hand in hands)])

        width = font["hmtx"][name][0]
        drawn[name] = MasterGlyph(
            tuple(tuple(move(segment) for segment in contour) for contour in pen.contours),
            np.array([width, *(round(width * hand.width) for hand in hands)]),
            move,
        )
    linear = [np.eye(2), *([[hand.width, hand.slant], [0, hand.height]] for hand in hands)]
    return Family(data, drawn, len(hands), np.array(linear))


class _Cubics(BasePen):
    """Collects contours of lines and cubics; a quadratic curve is a cubic one, too."""

    def __init__(self, glyphs):
        super().__init__(glyphs)
        self.contours = []

    def _moveTo(self, place):  # noqa: N802
        self.contours.append([])
        self.start = place

    def _lineTo(self, place):  # noqa: N802
        if place != self._getCurrentPoint():
            self.contours[-1].append([self._getCurrentPoint(), place])

    def _curveToOne(self, first, second, end):  # noqa: N802
        self.contours[-1].append([self._getCurrentPoint(), first, second, end])

    def _closePath(self):  # noqa: N802
        self._lineTo(self.start)


@cache
def installed(name, text=None):
    """The file of a font, cut to the characters of a text and what features make of them."""
    path = Path(FONTS[name])
    if not path.exists():
        pytest.skip(f"{path} is not installed")
    font = TTFont(path, recalcTimestamp=False)
    options = subset.Options()
    options.layout_features, options.hinting, options.legacy_kern = ["*"], True, True
    options.name_IDs, options.name_languages, options.glyph_names = ["*"], ["*"], True
    options.notdef_outline, options.recalc_timestamp, options.drop_tables = True, False, []
    cutter = subset.Subsetter(options)
    cutter.populate(text=text or "Ågefiklnostxy ÉHMTÅéAV.,(1234")
    cutter.subset(font)
    file = BytesIO()
    font.save(file)
    return file.getvalue()


LETTERS = "AHMTVaefhiklnopqstxy"
FEATURES = """
languagesystem DFLT dflt;
languagesystem latn dflt;
languagesystem latn TRK;
lookup turkish { sub i by i.dotless; } turkish;
feature locl { script latn; language TRK exclude_dflt; lookup turkish; } locl;
feature ccmp { lookupflag IgnoreMarks; sub eacute by e acutecomb; } ccmp;
feature smcp { sub a by a.sc; } smcp;
lookup wide { sub t by t.wide; } wide;
feature calt { sub A t' lookup wide; } calt;
feature liga { lookupflag IgnoreMarks; sub f i by f_i; } liga;
@round = [e o p q];
feature kern {
  pos A V -80;
  pos T a -60;
  enum pos [T V] [e o] -40;
  pos @round [x y] -12;
  pos one 10;
} kern;
markClass [acutecomb gravecomb] <anchor 150 520> @top;
markClass [dotbelowcomb] <anchor 150 -60> @bottom;
lookup marks {
  pos base [a e o x] <anchor 250 520> mark @top <anchor 250 -10> mark @bottom;
  pos base [i i.dotless] <anchor 120 560> mark @top;
} marks;
lookup ligatures {
  pos ligature f_i <anchor 130 700> mark @top ligComponent <anchor 420 600> mark @top;
} ligatures;
lookup towers {
  pos mark [acutecomb gravecomb] <anchor 150 760> mark @top;
} towers;
lookup joins {
  pos cursive n <anchor 20 0> <anchor 480 10>;
  pos cursive k <anchor 30 20> <anchor 470 40>;
} joins;
feature mark { lookup marks; lookup ligatures; } mark;
feature mkmk { lookup towers; } mkmk;
feature curs { lookup joins; } curs;
table GDEF { LigatureCaretByPos f_i 260; } GDEF;
"""
NAMES = {
    "familyName": "Little",
    "styleName": "Bold Italic",
    "fullName": "Little Bold Italic",
    "psName": "Little-BoldItalic",
    "copyright": 'Copyright 2001 A. Maker, with Reserved Font Name "Little".',
    "trademark": "Little is a trademark of A. Maker",
    "version": "Version 1.500",
    "licenseDescription": "SIL Open Font License 1.1",
    "designer": "A. Maker",
    "description": "Small.",
}


@cache
def little(*, cubic=False, features=FEATURES):
    """A small font with everything that layout tables hold, TrueType or CFF."""
    others = "f_i i.dotless a.sc t.wide eacute acutecomb gravecomb dotbelowcomb one two period"
    order = [".notdef", "space", *LETTERS, *others.split()]
    builder = FontBuilder(1000, isTTF=not cubic)
    builder.font.recalcTimestamp = False
    builder.setupGlyphOrder(order)
    codes = {"eacute": 0xE9, "acutecomb": 0x301, "gravecomb": 0x300, "dotbelowcomb": 0x323}
    codes |= {"space": 32, "one": 0x31, "two": 0x32, "period": 0x2E}
    builder.setupCharacterMap({ord(c): c for c in LETTERS} | {u: n for n, u in codes.items()})
    glyphs, widths = {}, {}
    for number, name in enumerate(order):
        mark = name.endswith("comb")
        width = 0 if mark else 260 + 13 * number
        box = (100, 540, 100, 130) if mark else (40, 0, width - 80, 480 + 9 * number)
        box = (40, -90, 100, 60) if name == "period" else box
        pen = RecordingPen()
        if name != "space":
            _shape(pen, *box)
        glyphs[name], widths[name] = pen, width
    if cubic:
        drawn = {}
        for name, pen in glyphs.items():
            drawn[name] = T2CharStringPen(widths[name], None)
            pen.replay(drawn[name])
        builder.setupCFF(
            "Little-BoldItalic", {}, {n: p.getCharString() for n, p in drawn.items()}, {}
        )
    else:
        from fontTools.pens.cu2quPen import Cu2QuPen

        drawn = {}
        for name, pen in glyphs.items():
            drawn[name] = TTGlyphPen(None)
            pen.replay(Cu2QuPen(drawn[name], 0.5, reverse_direction=True))
        builder.setupGlyf({name: pen.glyph() for name, pen in drawn.items()})
    builder.setupHorizontalMetrics({name: (width, 40) for name, width in widths.items()})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable(NAMES)
    builder.setupOS2(
        fsSelection=1 | 1 << 5 | 1 << 7,
        sTypoAscender=800,
        sTypoDescender=-200,
        usWinAscent=850,
        usWinDescent=200,
        sxHeight=500,
        sCapHeight=520,
        version=4,
        usWeightClass=700,
        achVendID="TEST",
    )
    builder.updateHead(macStyle=3, fontRevision=1.5, created=3_000_000_000, modified=3_100_000_000)
    builder.setupPost(italicAngle=-9)
    font = builder.font
    if features:
        addOpenTypeFeaturesFromString(font, features)
    file = BytesIO()
    font.save(file)
    return file.getvalue()


def _shape(pen, x, y, width, height):
    """A box with a round top and a hole."""
    pen.moveTo((x, y))
    pen.lineTo((x + width, y))
    pen.lineTo((x + width, y + height / 2))
    top = y + height
    pen.curveTo((x + width, top - 40), (x + 3 * width / 4, top), (x + width / 2, top))
    pen.curveTo((x + width / 4, top), (x, top - 40), (x, y + height / 2))
    pen.closePath()
    left, right, low, high = x + width / 4, x + 3 * width / 4, y + height / 8, y + 3 * height / 8
    pen.moveTo((left, low))
    pen.lineTo((left, high))
    pen.lineTo((right, high))
    pen.lineTo((right, low))
    pen.closePath()


SOURCES: dict[str, Callable[[], bytes]] = {
    "little": little,
    "little in CFF": lambda: little(cubic=True),
    **{name: partial(installed, name, TEXTS.get(name)) for name in FONTS},
}
"""What makes each font that families are made of."""
