"""Anchors of marks and joins, and carets, in edited fonts."""

from io import BytesIO

import numpy as np
import pytest
from families import FEATURES, HANDS, TEXTS, family_of, installed, little
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables import otTables
from test_hand_fonts import shaped

from vce_models.fonts.editing import edited

POINTS = FEATURES.replace("<anchor 250 520>", "<anchor 250 520 contourpoint 3>")
EXTENDED = POINTS
for lookup in ("marks", "ligatures", "towers", "joins"):
    EXTENDED = EXTENDED.replace(f"lookup {lookup} {{", f"lookup {lookup} useExtension {{")
DEVICES = FEATURES.replace("<anchor 150 520>", "<anchor 150 520 <device 11 1> <device NULL>>")
SOURCES = {
    "plain": little(),
    "cubic": little(cubic=True),
    "points": little(features=POINTS),
    "extended": little(features=EXTENDED),
    "devices": little(features=DEVICES),
}


def place(hand, glyph, x, y):
    return np.floor(hand(glyph, [(x, y)])[0] + 0.5)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("text", "base", "at", "mark", "on"),
    [
        ("a\u0301", "a", (250, 520), "acutecomb", (150, 520)),
        ("é", "e", (250, 520), "acutecomb", (150, 520)),
        ("o\u0323", "o", (250, -10), "dotbelowcomb", (150, -60)),
        ("i\u0300", "i", (120, 560), "gravecomb", (150, 520)),
        ("fi\u0301", "f_i", (420, 600), "acutecomb", (150, 520)),
        ("f\u0301i", "f_i", (130, 700), "acutecomb", (150, 520)),
    ],
)
def test_a_mark_goes_with_its_base(source, text, base, at, mark, on):
    data = SOURCES[source]
    for k, hand in enumerate(HANDS, 1):
        font = edited(family_of(data), k, name="Hand", flavour="ttf")
        (first, advance, *_), (second, _, x, y) = shaped(font, text)
        assert (first, second) == (base, mark)
        expected = place(hand, base, *at) - place(hand, mark, *on)
        assert (x + advance, y) == tuple(expected)


def test_a_mark_goes_with_the_mark_below_it():
    font = edited(family_of(little()), 2, name="Hand", flavour="otf")
    _, (_, _, x, y), (top, _, over, up) = shaped(font, "a\u0300\u0301")
    expected = place(HANDS[1], "gravecomb", 150, 760) - place(HANDS[1], top, 150, 520)
    assert (over - x, up - y) == tuple(expected)


def test_joined_glyphs_meet():
    font = edited(family_of(little()), 1, name="Hand", flavour="ttf")
    (_, advance, _, low), (_, _, _, high) = shaped(font, "nk")
    leaves, enters = place(HANDS[0], "n", 480, 10), place(HANDS[0], "k", 30, 20)
    assert advance == leaves[0]
    assert high - low == leaves[1] - enters[1]


def test_carets_go_with_their_ligature():
    for cubic in (False, True):
        font = TTFont(
            BytesIO(edited(family_of(little(cubic=cubic)), 3, name="Hand", flavour="ttf"))
        )
        (caret,) = font["GDEF"].table.LigCaretList.LigGlyph[0].CaretValue
        assert caret.Coordinate == place(HANDS[2], "f_i", 260, 0)[0]


def test_a_caret_on_a_point_goes_with_it():
    source = little(features=FEATURES.replace("ByPos f_i 260", "ByIndex f_i 2"))
    x = TTFont(BytesIO(source))["glyf"]["f_i"].coordinates[2][0]
    font = TTFont(BytesIO(edited(family_of(source), 3, name="Hand", flavour="ttf")))
    (caret,) = font["GDEF"].table.LigCaretList.LigGlyph[0].CaretValue
    assert caret.Coordinate == place(HANDS[2], "f_i", x, 0)[0]


def anchors(data):
    """All anchors of GPOS, wherever they hang."""
    found, waiting = [], [TTFont(BytesIO(data))["GPOS"].table]
    while waiting:
        table = waiting.pop()
        if isinstance(table, otTables.Anchor):
            found.append(table)
        elif isinstance(table, list):
            waiting += table
        elif hasattr(table, "__dict__"):
            if hasattr(table, "ensureDecompiled"):
                table.ensureDecompiled()
            waiting += [v for k, v in sorted(vars(table).items()) if k != "reader"]
    return found


@pytest.mark.parametrize("name", [*TEXTS, "DejaVu Sans", "Cantarell"])
def test_no_anchor_is_left_behind(name):
    source = installed(name, TEXTS.get(name, "aeioué\u0301\u0323\u0308"))
    before = anchors(source)
    after = anchors(edited(family_of(source), 3, name="Hand", flavour="ttf"))
    assert len(before) == len(after) > 0
    for old, new in zip(before, after, strict=True):
        assert new.Format == 1
        shift = new.XCoordinate - old.XCoordinate, new.YCoordinate - old.YCoordinate
        assert np.hypot(*shift) > 0.05 * np.hypot(old.XCoordinate, old.YCoordinate) - 12


@pytest.mark.parametrize("name", TEXTS)
def test_marks_of_other_scripts_keep_to_their_letters(name):
    """Where the source has a mark's ink beside the letter's, so has the hand, moved with it."""
    source = installed(name, TEXTS[name])
    text, hand = TEXTS[name], HANDS[3]  # smaller in both directions, by a tenth
    old = shaped(source, text)
    new = shaped(edited(family_of(source), 4, name="Hand", flavour="ttf"), text)
    assert [glyph for glyph, *_ in old] == [glyph for glyph, *_ in new]
    moved = [(a, b) for a, b in zip(old, new, strict=True) if a[2] or a[3]]
    assert moved
    for (_, _, x, y), (_, _, across, up) in moved:
        assert abs(across - hand.width * x) < 2 * 2 * hand.wobble + 2
        assert abs(up - hand.height * y) < 2 * 2 * hand.wobble + 2
