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
from vce_models.characters import glyph_name
from vce_models.fonts import building, hands, moving, outline, parts, scripts
from vce_models.fonts.family import MasterGlyph
from vce_models.fonts.placement import Placement
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
        assert gaps[hand] == pytest.approx(gaps[0] * moved.linear[hand, 1, 1], abs=0.02 * 2048)


def test_a_mark_moves_up_with_a_base_that_does():
    """A mark follows the place of its base that is nearest to it, and not the font's lines."""
    contours = {"tall": box(100, 0, 200, 700), "mark": box(110, 800, 190, 860)}

    def glyph(name, by):
        offset = np.array([[0.0, 0.0], by])[:, None]
        drawn = tuple(np.stack((c, c)) + offset for piece in contours[name] for c in piece)
        return MasterGlyph((drawn,), np.array([300, 300]), lambda p: p[None] + offset)

    glyphs = {"tall": glyph("tall", [0, 55]), "mark": glyph("mark", [0, 0])}
    made = [parts.Part("tall", 0, 0), parts.Part("mark", 0, 40)]
    masters = np.stack([np.eye(2)] * 2)
    whole = parts.assemble(made, glyphs, {"tall": 300, "both": 300}, "both", masters)
    lows = [extent(whole.contours[1:], master)[0][1] for master in (0, 1)]
    assert lows == [840, 895]
    assert whole.advances.tolist() == [300, 300]


def found(font):
    """What the glyphs of a font are made of, by name."""
    glyphs, reverse = font.getGlyphSet(), "glyf" in font
    outlines = {
        name: outline.contours(glyphs, name, reverse=reverse) for name in font.getGlyphOrder()
    }
    return parts.find(font, outlines, scripts.base_points(font))


def composite(data, *components):
    """A font in which é is made as said."""
    font = TTFont(BytesIO(data), recalcTimestamp=False)
    pen = TTGlyphPen(font.getGlyphSet())
    for name, transform in components:
        pen.addComponent(name, transform)
    font["glyf"]["eacute"] = pen.glyph()
    return font


def test_components_that_are_only_moved_are_parts(source):
    moved = ("e", (1, 0, 0, 1, 0, 0)), ("acute", (1, 0, 0, 1, 30, 40))
    assert found(composite(source[1], *moved))["eacute"] == [
        parts.Part("e", 0, 0),
        parts.Part("acute", 30, 40),
    ]


def test_a_composite_of_scaled_parts_is_no_sum_of_them(source):
    scaled = ("e", (1, 0, 0, 1, 0, 0)), ("acute", (0.5, 0, 0, 0.5, 30, 40))
    assert "eacute" not in found(composite(source[1], *scaled))


def test_components_of_components_are_taken_apart(source):
    font = composite(source[1], ("e", (1, 0, 0, 1, 5, 6)), ("acute", (1, 0, 0, 1, 30, 40)))
    pen = TTGlyphPen(font.getGlyphSet())
    pen.addComponent("eacute", (1, 0, 0, 1, 100, 0))
    font["glyf"]["edieresis"] = pen.glyph()
    assert found(font)["edieresis"] == [parts.Part("e", 105, 6), parts.Part("acute", 130, 40)]


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


def made_of(**drawings):
    """What é and í are made of in a font without components, whose outlines are named so."""
    points = {"e": 0x65, "i": 0x69, "dotless": 0x131, "acute": 0xB4, "é": 0xE9, "í": 0xED}
    one_each = {
        points[name]: building.Drawing(
            [[[curve / 1000 for curve in piece] for piece in contour] for contour in contours],
            Placement(0, 0, 1000),
        )
        for name, contours in drawings.items()
    }
    names = {glyph_name(point): name for name, point in points.items()}
    made = found(TTFont(BytesIO(building.font(one_each, "Little"))))
    return {names[name]: [names[part.name] for part in made[name]] for name in made}


E, MARK = [circle(300, 250, 240)], [box(500, 600, 560, 760)]


def test_outlines_that_are_equal_but_for_a_shift_are_taken_apart():
    placed = [box(270, 620, 330, 780)]
    assert made_of(e=E, acute=MARK, é=E + placed) == {"é": ["e", "acute"]}


def test_an_outline_that_differs_is_not():
    for drawing in ([circle(300, 250, 246), *MARK], E, [*E, *MARK, *MARK]):
        assert made_of(e=E, acute=MARK, é=drawing) == {}


def test_i_with_a_mark_is_made_of_the_dotless_one():
    stem, dot, mark = box(50, 0, 120, 500), box(50, 600, 120, 680), box(60, 600, 110, 760)
    made = made_of(i=[stem, dot], dotless=[stem], acute=[mark], í=[stem, mark])
    assert made == {"í": ["dotless", "acute"]}


def test_the_base_is_the_letter_even_where_a_font_names_the_mark_first(family):
    """DejaVu's í is acute, then dotlessi: the first part is taken for the base."""
    named, moved = family
    whole, dotless = (moved.glyphs[named[ord(c)]] for c in "íı")
    assert whole.advances.tolist() == dotless.advances.tolist()  # 569 714 696, and 569 652 649
    (stem,) = dotless.contours
    assert any(len(c) == len(stem) and np.allclose(c[0], stem[0]) for c in whole.contours)


def test_progress_counts_all_glyphs_and_those_made_of_others_with_these():
    data, model = read_font(FONT).cut([ord(c) for c in "e é´ ."]), weights.load()
    counted = []
    made = moving.family(
        data,
        hands.Rules(model, rules.sample(1, model.config, 7)),
        progress=lambda *at: counted.append(at),
    )
    assert {total for _, total in counted} == {len(made.glyphs)}
    done = [number for number, _ in counted]
    assert done == sorted(done)
    assert done[-1] == len(made.glyphs)
    assert max(np.diff(done)) >= 2  # é comes with the last of its parts


def test_what_is_attached_to_a_shifted_letter_moves_as_on_the_letter():
    font = read_font(FONT)
    moved, model = font.cut(font.characters("ΈΕ")), weights.load()
    drawn = hands.Rules(model, rules.sample(2, model.config, 7))
    family = moving.family(moved, drawn, letters=font.alphabet())
    whole = family.glyphs[font.named[ord("Έ")]]
    (name, shift), *_ = whole.parts
    letter = family.glyphs[name]
    assert shift[0].tolist() == [234, 0]
    corners = np.array([(200.0, 0), (200, 1493), (1100, 0), (1100, 1493)])
    there, here = whole.move(corners + shift[0]), letter.move(corners)
    np.testing.assert_allclose(there, here + shift[:, None], atol=1e-6)
    linear = family.linear
    assert np.abs(there - (corners + shift[0]) @ linear.transpose(0, 2, 1))[1:].max() > 5


def test_a_font_of_no_character_but_one_made_of_others_is_moved():
    """DejaVu's Ε is its E: no glyph is left that has both a character and an outline of its own."""
    family = move(read_font(FONT).cut([ord("Ε")]))
    assert family.glyphs[read_font(FONT).named[ord("Ε")]].contours
