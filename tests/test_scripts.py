"""What joins stays joined, and what shapers take apart comes along."""

from pathlib import Path

import numpy as np
import pytest
from families import FONTS, TEXTS
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from test_hand_fonts import words

from vce_models import rules, weights
from vce_models.fonts import hands, moving, scripts
from vce_models.fonts.source import read_font


def bar(left, right):
    """A level bar as a glyph."""
    pen = TTGlyphPen(None)
    pen.moveTo((left, 300))
    for place in ((left, 380), (right, 380), (right, 300)):
        pen.lineTo(place)
    pen.closePath()
    return pen.glyph()


def bars(path):
    """A font whose glyphs are bars, 600 wide: at its edges, beyond one of them, or within."""
    font, edges = FontBuilder(1000, isTTF=True), {"_": (0, 600), "-": (100, 500), "H": (0, 600)}
    names = {"_": "underscore", "-": "hyphen", "H": "H"}
    glyphs = {names[c]: bar(*at) for c, at in edges.items()}
    glyphs |= {"piece.begin": bar(150, 620), ".notdef": bar(50, 450)}
    font.setupGlyphOrder([".notdef", *sorted(glyphs.keys() - {".notdef"})])
    font.setupCharacterMap({ord(c): name for c, name in names.items()})
    font.setupGlyf(glyphs)
    font.setupHorizontalMetrics({name: (600, glyph.xMin) for name, glyph in glyphs.items()})
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Bars", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)
    return path


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """All bars, in two hands."""
    path = bars(tmp_path_factory.mktemp("bars") / "bars.ttf")
    model = weights.load()
    return moving.family(path.read_bytes(), hands.Rules(model, rules.sample(2, model.config, 7)))


def bend(glyph):
    """How far the upper edge of a bar is from a line, at most, in font units."""
    far = 0.0
    for segment in glyph.contours[0]:
        for places in segment[1:]:
            (x, y), *rest = places
            way = places[-1] - places[0]
            if np.hypot(*way) > 100:
                off = [(px - x) * way[1] - (py - y) * way[0] for px, py in rest]
                far = max(far, *(abs(o) / np.hypot(*way) for o in off))
    return far


def test_what_is_cut_off_at_its_edges_is_not_bent(moved):
    assert bend(moved.glyphs["underscore"]) < 1
    assert bend(moved.glyphs["piece.begin"]) < 1


def test_other_bars_are(moved):
    assert bend(moved.glyphs["hyphen"]) > 1
    assert bend(moved.glyphs["H"]) > 1  # a letter ends at its edges by chance


@pytest.mark.parametrize(
    ("character", "joined"),
    [
        *(("ب", True), ("\u064e", True), ("क", True), ("\u093e", True), ("a", False)),
        *(("\u0301", False), ("ก", False), ("─", True), ("-", False)),
    ],
)
def test_scripts_and_their_marks_join(character, joined):
    assert scripts.joins(ord(character)) == joined


@pytest.mark.parametrize(
    ("character", "parts"),
    [("\u0e33", "\u0e4d\u0e32"), ("\u0bca", "\u0bc6\u0bbe"), ("é", ""), ("a", "")],
)
def test_vowels_on_two_sides_are_taken_apart(character, parts):
    assert scripts.taken_apart(ord(character)) == list(map(ord, parts))


def test_a_cut_font_sets_its_own_text():
    path = Path(FONTS["Thai"])
    if not path.exists():
        pytest.skip(f"{path} is not here: apt install fonts-noto-core")
    text, font = TEXTS["Thai"], read_font(path)
    assert "\u0e33" in text
    assert ".notdef" not in words(font.cut(font.characters(text)), text)
