"""Pictures of outlines: which places are ink, and how much of each pixel is."""

import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont
from shapes import area, box, circle, polygon

from vce_models.config import ModelConfig
from vce_models.fonts import raster
from vce_models.fonts.placement import Placement, around
from vce_models.fonts.source import read_font
from vce_models.glyphs.images import inked

FONT = Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf")
SIZE, LINES = 28, 16


def filled(*contours, size=SIZE, lines=LINES):
    return raster.fill(raster.polygons(contours), size, lines)


@pytest.mark.parametrize(
    "contours",
    [
        [box(3.3, 4.7, 20.1, 22.9)],
        [circle(13.2, 14.8, 9.7)],
        [circle(14, 14, 9), circle(14, 14, 6.5, hole=True)],
        [polygon((2, 3), (25, 9), (8, 26))],
    ],
    ids=["box", "circle", "ring", "triangle"],
)
def test_the_area_is_that_of_the_shoelace(contours):
    wanted = area(raster.polygons(contours))
    assert filled(*contours).sum() == pytest.approx(wanted, rel=0.01)
    assert filled(*contours, lines=4).sum() == pytest.approx(wanted, rel=0.01)


def test_a_pixel_has_its_share_of_ink():
    image = filled(box(2.25, 3, 5.5, 6.5))
    np.testing.assert_allclose(image[3, 2:6], [0.75, 1, 1, 0.5])
    np.testing.assert_allclose(image[6, 2:6], np.array([0.75, 1, 1, 0.5]) / 2)
    assert image[2].sum() == image[7].sum() == 0


def test_a_contour_the_other_way_round_is_a_hole():
    image = filled(circle(14, 14, 10), circle(14, 14, 6, hole=True))
    assert image[14, 14] == 0
    assert image[14, 6] == 1
    assert filled(circle(14, 14, 10), circle(14, 14, 6))[14, 14] == 1


def test_which_way_all_of_it_runs_changes_nothing():
    one = filled(circle(14, 14, 10), circle(14, 14, 6, hole=True))
    other = filled(circle(14, 14, 10, hole=True), circle(14, 14, 6))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_overlaps_are_not_counted_twice():
    one, other = box(4, 4, 16, 16), box(10, 10, 24, 24)
    both = filled(one, other)
    assert both.max() == 1
    assert both.sum() == pytest.approx(12 * 12 + 14 * 14 - 6 * 6, rel=1e-4)


def test_ink_beyond_the_canvas_is_cut_off():
    image = filled(box(-10, 20, 5, 50))
    assert image.sum() == pytest.approx(5 * 8, rel=1e-4)
    assert filled(box(40, 3, 50, 9)).sum() == 0


def test_many_edges_are_filled_as_few_are():
    turn = np.linspace(0, 2 * np.pi, 3 * raster.EDGES, endpoint=False)
    places = 14 + 9 * np.stack((np.cos(turn), np.sin(turn)), -1)
    image = raster.fill([places], SIZE, LINES)
    np.testing.assert_allclose(image, filled(circle(14, 14, 9)), atol=0.03)
    assert image.sum() == pytest.approx(np.pi * 81, rel=0.005)


@pytest.mark.parametrize("character", "agQ8&Жω")
def test_a_condition_is_what_freetype_draws(character):
    font = read_font(FONT)
    contours = font.contours(ord(character))
    outlines = raster.polygons(contours)
    at = around(np.concatenate(outlines))
    found = raster.condition(outlines, at, SIZE)
    side = 16 * SIZE
    scale = side / at.side
    face = ImageFont.truetype(
        io.BytesIO(font.data), font.em * scale, layout_engine=ImageFont.Layout.BASIC
    )
    picture = Image.new("L", (side, side))
    origin = (-at.x * scale, (at.y + at.side) * scale)
    ImageDraw.Draw(picture).text(origin, character, 255, face, anchor="ls")
    drawn = np.asarray(picture, np.float32).reshape(SIZE, 16, SIZE, 16).mean((1, 3)) / 255
    assert np.abs(found - inked(drawn)).mean() < 0.01


def test_what_has_no_ink_is_no_glyph():
    config = ModelConfig()
    assert raster.framed([], config) is None
    assert raster.framed([box(0, 0, 500, 0)], config) is None


def test_a_glyph_lies_on_its_canvas_as_drawings_do():
    found = raster.framed([box(100, 0, 300, 700)], ModelConfig())
    assert found
    framed, at = found
    assert isinstance(at, Placement)
    rows, columns = np.nonzero(framed.detail >= 0.5)
    assert np.ptp(rows) + 1 == pytest.approx(700 / at.side * 224, abs=1)
    assert (rows.min() + rows.max()) / 2 == pytest.approx(111.5, abs=1)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(111.5, abs=1)
