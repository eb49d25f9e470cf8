"""Spacing follows the ink, and widths that are equal in a source stay equal."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path
from shapes import box, circle

from vce_models import rules, weights
from vce_models.fonts import hands, moving, raster, spacing
from vce_models.fonts.source import read_font

FONTS = Path(get_data_path(), "fonts/ttf")
EM = 1000.0


def masters(contours, *maps):
    """Both ends of every edge, in the source and in each map."""
    starts, ends = raster.edges(raster.polygons(contours))
    return (np.stack([edges, *(way(edges) for way in maps)]) for edges in (starts, ends))


def linear(*matrices):
    return np.stack([np.eye(2), *map(np.array, matrices)])


@pytest.fixture(scope="module")
def family():
    """Make two hands of some characters of a font."""

    def make(name, text):
        font = read_font(FONTS / name)
        model = weights.load()
        data = font.cut(font.characters(text))
        moved = moving.family(data, hands.Rules(model, rules.sample(2, model.config, 7)))
        return font.named, moved

    return make


SHAPES = {
    "stem": [box(90, 0, 180, 700)],
    "round": [circle(300, 250, 240), circle(300, 250, 160, hole=True)],
    "T": [box(40, 620, 560, 700), box(260, 0, 340, 620)],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_bearings_by_profile_are_kept_at_the_width_of_the_hand(shape):
    wide = [[1.2, 0.0], [0.0, 0.9]]
    moves = (
        lambda p: p + np.array([77, 5]),
        lambda p: p @ np.array(wide).T,
        lambda p: p * [0.7, 1] - 31,
    )
    starts, ends = masters(SHAPES[shape], *moves)
    matrices = linear(np.eye(2), wide, np.eye(2))
    shift, advances = spacing.space(starts, ends, 640, matrices, EM)
    assert advances[0] == 640
    assert shift[0] == pytest.approx(0, abs=1e-9)
    by = np.stack((shift, 0 * shift), -1)[:, None]
    left, right = spacing.profiles(starts + by, ends + by, EM)
    for master, matrix in enumerate(matrices):
        assert left[master] == pytest.approx(left[0] * matrix[0, 0], abs=0.51)
        bearing = (640 - right[0]) * matrix[0, 0]
        assert advances[master] - right[master] == pytest.approx(bearing, abs=1.01)


def test_what_is_only_shifted_keeps_its_advance():
    starts, ends = masters(SHAPES["T"], lambda p: p + np.array([123, 0]))
    shift, advances = spacing.space(starts, ends, 600, linear(np.eye(2)), EM)
    assert advances.tolist() == [600, 600]
    assert shift.tolist() == pytest.approx([0, -123])


def test_an_overhang_counts_where_it_is_and_not_all_the_way_down():
    starts, ends = masters([box(100, 0, 180, 600), box(180, 560, 400, 600)])
    left, right = spacing.profiles(starts, ends, EM)
    assert left[0] == pytest.approx(100)
    deep = 400 - spacing.DEEP * EM
    assert deep < right[0] < 400


def test_a_slanted_hand_is_spaced_as_if_it_stood():
    slant = [[1.0, 0.3], [0.0, 1.0]]
    starts, ends = masters(SHAPES["stem"], lambda p: p @ np.array(slant).T)
    shift, advances = spacing.space(starts, ends, 270, linear(slant), EM)
    assert shift == pytest.approx([0, 0], abs=0.01)
    assert advances.tolist() == [270, 270]


def test_a_mark_of_no_width_keeps_none():
    starts, ends = masters([box(-300, 600, -200, 700)], lambda p: p * [1.3, 1] + [40, 0])
    shift, advances = spacing.space(starts, ends, 0, linear([[1.1, 0], [0, 1]]), EM)
    assert advances.tolist() == [0, 0]
    middle = -250 * 1.3 + 40 + shift[1]
    assert middle == pytest.approx(-250 * 1.1, abs=0.5)


def test_a_glyph_is_never_narrower_than_nothing():
    starts, ends = masters([box(0, 0, 500, 700)], lambda p: p * 0.1)
    _, advances = spacing.space(starts, ends, 20, linear(np.eye(2)), EM)
    assert advances.min() >= 0


@pytest.mark.parametrize("text", ["ilmwagoeWHI.1", "abcd", ".,Ж"])
def test_monospaced_stays_monospaced(family, text):
    """Also where few letters are moved, or none of ours."""
    named, moved = family("DejaVuSansMono.ttf", text)
    for hand in (0, 1, 2):
        assert len({moved.glyphs[named[ord(c)]].advances[hand] for c in text}) == 1
    assert moved.glyphs[named[0x20]].advances[1] == moved.glyphs[named[ord(text[0])]].advances[1]


def test_figures_of_one_width_stay_so_and_letters_differ(family):
    named, moved = family("DejaVuSans.ttf", "0123456789il")
    for hand in (1, 2):
        figures = {moved.glyphs[named[ord(c)]].advances[hand] for c in "0123456789"}
        assert len(figures) == 1
    widths = [moved.glyphs[named[ord("i")]].advances[hand] for hand in (0, 1, 2)]
    assert len(set(widths)) == 3


def test_combining_marks_of_a_font_keep_no_width(family):
    named, moved = family("DejaVuSans.ttf", "e\u0301\u0323")
    marks = [moved.glyphs[name] for name in named.values() if name in moved.glyphs]
    marks = [glyph for glyph in marks if glyph.contours and glyph.advances[0] == 0]
    assert len(marks) >= 1
    assert not any(glyph.advances.any() for glyph in marks)


def test_accented_letters_of_a_monospaced_font_are_their_letters_and_marks(family):
    named, moved = family("DejaVuSansMono.ttf", "eé")
    whole = moved.glyphs[named[ord("é")]]
    parts = [
        curve + by[:, None]
        for part, by in whole.parts
        for contour in moved.glyphs[part].contours
        for curve in contour
    ]
    own = [curve for contour in whole.contours for curve in contour]
    assert len(whole.parts) == 2
    assert all(map(np.array_equal, own, parts))
