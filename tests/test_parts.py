"""Glyphs made of other glyphs: the same outlines, where their base goes."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from matplotlib import get_data_path
from shapes import box, circle

from vce_models import rules, weights
from vce_models.fonts import hands, moving, parts
from vce_models.fonts.source import read_font

FONT = Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf")
HANDS = (1, 2)


def move(data, seed=7):
    model = weights.load()
    return moving.family(data, hands.Rules(model, rules.sample(len(HANDS), model.config, seed)))


@pytest.fixture(scope="module")
def source():
    font = read_font(FONT)
    return font.named, font.cut(font.characters("eéíıçeo¨ëő"))


@pytest.fixture(scope="module")
def family(source):
    named, data = source
    return named, move(data)


def same_but_for_a_shift(contours, others):
    """The shifts of each master that make contours others, (masters, 2); None if none does."""
    shift = others[0][0][:, 0] - contours[0][0][:, 0]
    for contour, other in zip(contours, others, strict=True):
        for curve, its in zip(contour, other, strict=True):
            if curve.shape != its.shape or np.abs(curve + shift[:, None] - its).max() > 1e-6:
                return None
    return shift


def extent(contours, master):
    places = np.concatenate([curve[master] for contour in contours for curve in contour])
    return places.min(0), places.max(0)


@pytest.mark.parametrize("character", "éëç")
def test_an_accented_letter_has_its_letters_very_outline(character, family):
    named, moved = family
    base = {"é": "e", "ë": "e", "ç": "c"}[character]
    whole, letter = (moved.glyphs[named[ord(c)]] for c in (character, base))
    count = len(letter.contours)
    for found, own in zip(whole.contours[:count], letter.contours, strict=True):
        for curve, its in zip(found, own, strict=True):
            np.testing.assert_array_equal(curve, its)
    assert len(whole.contours) > count
    assert whole.advances.tolist() == letter.advances.tolist()


def test_two_letters_have_the_very_mark(family):
    named, moved = family
    first, second = (moved.glyphs[named[ord(c)]].contours for c in "éí")
    assert any(
        same_but_for_a_shift(first[-1:], (contour,)) is not None
        for contour in second
        if len(contour) == len(first[-1])
    )


def test_i_has_no_dot_below_another_mark(family):
    named, moved = family
    whole, dotless = (moved.glyphs[named[ord(c)]] for c in "íı")
    assert len(whole.contours) == len(dotless.contours) + 1
    (stem,) = dotless.contours
    assert any(
        same_but_for_a_shift((stem,), (contour,)) is not None
        for contour in whole.contours
        if len(contour) == len(stem)
    )


def test_a_mark_goes_where_its_base_goes(family):
    """The paper between e and its accent is the source's, at the height of the hand."""
    named, moved = family
    whole, letter = (moved.glyphs[named[ord(c)]] for c in "ée")
    mark = whole.contours[len(letter.contours) :]
    gaps, tops = [], []
    for master in (0, *HANDS):
        low, _ = extent(mark, master)
        _, high = extent(letter.contours, master)
        gaps.append(low[1] - high[1])
        tops.append(high[1])
    assert max(abs(tops[hand] - tops[0]) for hand in HANDS) > 20
    for hand in HANDS:
        assert gaps[hand] == pytest.approx(gaps[0] * moved.heights[hand], abs=0.02 * 2048)


def test_a_mark_moves_up_with_a_base_that_does():
    """A mark follows the place of its base that is nearest to it, and not the font's lines."""
    contours = {"tall": box(100, 0, 200, 700), "mark": box(110, 800, 190, 860)}
    from vce_models.fonts.family import MasterGlyph

    def glyph(name, by):
        offset = np.array([[0.0, 0.0], by])[:, None]
        drawn = tuple(np.stack((c, c)) + offset for piece in contours[name] for c in piece)
        return MasterGlyph((drawn,), np.array([300, 300]), lambda p: p[None] + offset)

    glyphs = {"tall": glyph("tall", [0, 55]), "mark": glyph("mark", [0, 0])}
    made = [parts.Part("tall", 0, 0), parts.Part("mark", 0, 40)]
    masters = np.stack([np.eye(2)] * 2)
    whole = moving._assembled(made, glyphs, {"tall": 300, "both": 300}, "both", masters)
    lows = [extent(whole.contours[1:], master)[0][1] for master in (0, 1)]
    assert lows == [840, 895]


def composite(transform, shift):
    """A font in which é is e and a mark, the mark more than moved where a transform says so."""
    font = TTFont(FONT)
    glyphs, pen = font.getGlyphSet(), TTGlyphPen(font.getGlyphSet())
    pen.addComponent("e", (1, 0, 0, 1, 0, 0))
    pen.addComponent("acute", (*transform, *shift))
    assert glyphs["acute"]
    glyph = pen.glyph()
    font["glyf"]["eacute"] = glyph
    return glyph


def test_components_that_are_only_moved_are_parts():
    found = parts.components(composite((1, 0, 0, 1), (30, 40)))
    assert found == [parts.Part("e", 0, 0), parts.Part("acute", 30, 40)]


def test_a_composite_of_scaled_parts_is_no_sum_of_them():
    assert parts.components(composite((0.5, 0, 0, 0.5), (30, 40))) is None


def test_a_composite_of_scaled_parts_is_moved_as_a_whole(source):
    named, data = source
    font = TTFont(BytesIO(data), recalcTimestamp=False)
    pen = TTGlyphPen(font.getGlyphSet())
    pen.addComponent(named[ord("e")], (0.5, 0, 0, 0.5, 100, 0))
    pen.addComponent(named[ord("o")], (0.5, 0, 0, 0.5, 700, 0))
    font["glyf"][named[ord("é")]] = pen.glyph()
    file = BytesIO()
    font.save(file)
    moved = move(file.getvalue())
    whole, letter = (moved.glyphs[named[ord(c)]] for c in "ée")
    halves = tuple(tuple(curve / 2 for curve in contour) for contour in letter.contours)
    assert len(whole.contours) > len(letter.contours)
    assert same_but_for_a_shift(halves, whole.contours[: len(halves)]) is None
    low, high = extent(whole.contours, 1)
    assert 200 < high[1] - low[1] < 900


def test_outlines_that_are_equal_but_for_a_shift_are_taken_apart():
    letter, mark = [circle(300, 250, 240)], [box(500, 600, 560, 760)]
    placed = [[[curve + np.array([-230, 20]) for curve in piece] for piece in mark[0]]]
    named = {0x65: "e", 0xB4: "acute", 0xE9: "eacute"}
    outlines = {"e": letter, "acute": mark, "eacute": [*letter, *placed]}
    found = parts.taken_apart(0xE9, outlines["eacute"], named, outlines)
    assert found == [parts.Part("e", 0, 0), parts.Part("acute", -230, 20)]
    assert parts.taken_apart(0x65, letter, named, outlines) is None


def test_an_outline_that_differs_is_not():
    letter, mark = [circle(300, 250, 240)], [box(500, 600, 560, 760)]
    named = {0x65: "e", 0xB4: "acute"}
    outlines = {"e": letter, "acute": mark}
    for drawn in ([circle(300, 250, 246), *mark], [*letter], [*letter, *mark, *mark]):
        assert parts.taken_apart(0xE9, drawn, named, outlines) is None


def test_i_with_a_mark_is_made_of_the_dotless_one():
    stem, dot, mark = box(50, 0, 120, 500), box(50, 600, 120, 680), box(60, 600, 110, 760)
    named = {0x69: "i", 0x131: "dotlessi", 0xB4: "acute"}
    outlines = {"i": [stem, dot], "dotlessi": [stem], "acute": [mark]}
    found = parts.taken_apart(0xED, [stem, mark], named, outlines)
    assert [part.name for part in found] == ["dotlessi", "acute"]
