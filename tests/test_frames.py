"""Drawings of one file each take their place in a font, and sheets of several are counted."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

from vce_models.fonts import frames
from vce_models.glyphs import letters, parts, scan

FONT = ImageFont.truetype(str(Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf")), 120)


def place(placement, size, box):
    """Bottom and top of a drawing's ink, and its left edge, in font units."""
    side = max(size)
    scale = placement.side / side
    bottom = placement.y + (side - box[3] - (side - size[1]) / 2) * scale
    left = placement.x + (box[0] + (side - size[0]) / 2) * scale
    return bottom, bottom + (box[3] - box[1]) * scale, left


def placed(drawings):
    given = [(ord(character), size, box) for character, size, box in drawings]
    found = frames.placements(given)
    return {
        character: place(placement, size, box)
        for (character, size, box), placement in zip(drawings, found, strict=True)
    }


def test_canvases_of_one_size_share_a_frame():
    size = (300, 360)
    found = placed(
        [
            ("H", size, (85, 90, 215, 250)),
            ("x", size, (106, 150, 194, 250)),
            (".", size, (143, 236, 157, 250)),
            ("p", size, (100, 150, 180, 300)),
        ]
    )
    assert found["H"] == pytest.approx((0, 700, 0))
    assert found["x"] == pytest.approx((0, 437.5, 0))
    assert found["."] == pytest.approx((0, 61.25, 0))
    assert found["p"] == pytest.approx((-218.75, 437.5, 0))


def test_a_frame_is_found_without_capitals():
    size = (200, 200)
    found = placed([("x", size, (60, 80, 140, 150)), (",", size, (90, 140, 100, 165))])
    assert found["x"] == pytest.approx((0, 500, 0))
    assert found[","] == pytest.approx((-107.1, 71.4, 0), abs=0.1)


def test_drawings_that_fill_equal_canvases_take_typical_places():
    size, box = (105, 105), (20, 10, 80, 95)
    found = placed([(character, size, box) for character in "Hxp."])
    assert found["H"][:2] == pytest.approx((0, 700))
    assert found["x"][:2] == pytest.approx((0, 500))
    assert found["p"][:2] == pytest.approx((-220, 500))
    assert found["."][1] == pytest.approx(100)


def test_other_canvases_take_typical_places():
    drawings = [
        (character, (100 + i, 120), (20, 10, 80, 110))
        for i, character in enumerate("Hxbgpéçж字٣βЩ")
    ]
    found = placed(drawings)
    for character, expected in {
        "H": (0, 700),
        "x": (0, 500),
        "b": (0, 700),
        "g": (-220, 500),
        "p": (-220, 500),
        "é": (0, 730),
        "ç": (-220, 500),
        "ж": (0, 500),
        "字": (0, 700),
        "٣": (0, 700),
        "β": (-220, 700),
        "Щ": (-130, 700),
    }.items():
        assert found[character][:2] == pytest.approx(expected), character


def test_a_dash_is_as_long_as_a_dash_and_at_its_height():
    bottom, top, _ = placed([("-", (100, 100), (20, 47, 80, 53))])["-"]
    assert top - bottom == pytest.approx(33)
    assert (top + bottom) / 2 == pytest.approx(260)


def test_a_drawing_of_no_known_character_is_as_high_as_a_capital():
    size, box = (100, 100), (20, 10, 80, 90)
    (placement,) = frames.placements([(None, size, box)])
    assert place(placement, size, box) == pytest.approx((0, 700, 0))


def test_a_framed_canvas_holds_the_same_ink_in_its_middle():
    size, box = (300, 360), (85, 90, 215, 250)
    (placement,) = frames.placements([(ord("H"), size, box)])
    framed = frames.framed(placement, size, box)
    bottom, top, left = place(placement, size, box)
    right = left + 130 * placement.side / 360
    assert framed.side * 0.64 == pytest.approx(top - bottom)
    assert framed.x + framed.side / 2 == pytest.approx((left + right) / 2)
    assert framed.y + framed.side / 2 == pytest.approx((bottom + top) / 2)


def test_a_written_character_lies_where_its_guides_say():
    ink = np.zeros((300, 200), np.float32)
    ink[80:230, 50:140] = 1  # the baseline is 30 rows above its lower edge
    one = scan.Written(ord("p"), ink, 200.0, 0.005)
    assert frames.box_of(ink) == (50, 80, 140, 230)
    found = place(frames.placement_of(one), (200, 300), frames.box_of(ink))
    assert found == pytest.approx((-150, 600, 0))


def drawn(*lines):
    image = Image.new("L", (200, 200))
    boxes = [ImageDraw.Draw(image).textbbox((20, 20), line, FONT) for line in lines]
    width, height = int(max(box[2] for box in boxes)) + 20, 150 * len(lines) + 60
    image = Image.new("L", (width, height))
    for i, line in enumerate(lines):
        ImageDraw.Draw(image).text((20, 20 + 150 * i), line, 255, FONT)
    return np.asarray(image, np.float32) / 255


@pytest.mark.parametrize(
    "character", [*'aij:;%‰éΞ"=÷…ǆЫюيشثپچﷺ½∴∷⁂℃™№㎏⠿«»“”∞ÑỆß', "\u0e33", "☃", "♫", "¨", "🙾"]
)
def test_a_character_is_one(character):
    assert letters.several(drawn(character)) == 1


def test_every_character_of_a_font_is_one():
    from fontTools.ttLib import TTFont

    with TTFont(FONT.path, lazy=True) as font:
        points = [point for point in font.getBestCmap() if point >= 0x21]
    refused = [chr(p) for p in points[::7] if letters.several(drawn(chr(p))) > 1]
    assert refused == []


@pytest.mark.parametrize(
    ("lines", "count"),
    [(("a   b   c",), 3), (("A  B  C", "D  E  F"), 6), (("ABCDEFG",), 7), (("g", "", "g"), 2)],
)
def test_glyphs_of_a_sheet_are_counted(lines, count):
    assert letters.several(drawn(*lines)) == count


def test_nothing_is_not_several():
    assert letters.several(np.zeros((40, 30), np.float32)) == 1


def test_parts_are_those_that_touch_even_by_a_corner():
    mask = np.array(
        [
            [1, 0, 1, 0, 0, 1],
            [1, 1, 1, 0, 0, 0],
            [0, 0, 0, 1, 0, 0],
            [0, 0, 0, 0, 0, 1],
        ],
        np.bool_,
    )
    found = parts.find(mask)
    assert sorted(found.areas.tolist()) == [1, 1, 6]
    largest = found.areas == 6
    assert found.boxes[largest].tolist() == [[0, 0, 4, 3]]
    np.testing.assert_allclose(found.centres[largest], [(11.0 / 6, 8.0 / 6 + 0)], atol=0.01)
    expected = mask.copy()
    expected[[0, 3], 5] = False
    np.testing.assert_array_equal(found.mask(largest), expected)


def test_a_spiral_is_one_part():
    mask = np.ones((21, 21), np.bool_)
    for i in range(1, 10, 2):
        mask[i, i : 21 - i] = mask[20 - i, i : 21 - i] = False
        mask[i : 21 - i, i] = mask[i : 21 - i, 20 - i] = False
    for i in range(1, 10, 2):
        mask[i + 1, i] = True
    assert len(parts.find(mask).areas) == 1
