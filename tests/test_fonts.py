"""Fonts of drawings, and fonts moved with the measures of their source."""

import io

import numpy as np
import pytest
from blocks import LETTERS
from conftest import scribble
from fontTools.pens.areaPen import AreaPen
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from vce_models import rules, weights
from vce_models.config import ModelConfig
from vce_models.fonts import building, hands, moving, outline, raster, spacing, tracing
from vce_models.fonts.editing import edited
from vce_models.fonts.placement import Placement
from vce_models.glyphs import images

CONFIG = ModelConfig()
PLACE = Placement(0, -200, 1100)


@pytest.fixture(scope="module")
def details():
    """Six drawings by code point, as a pen sees them."""
    return {
        point: images.frame(
            1 - np.asarray(scribble(i, 0, 315), np.float32) / 255, "it", CONFIG
        ).detail
        for i, point in enumerate(map(ord, "abcdef"))
    }


@pytest.fixture(scope="module")
def font(details):
    return building.font(
        {p: building.Drawing(tracing.contours(x), PLACE) for p, x in details.items()}, "Made"
    )


@pytest.fixture(scope="module")
def moved(blocks):
    """Two hands of the font of rectangles."""
    model = weights.load()
    return moving.family(blocks.data, hands.Rules(model, rules.sample(2, model.config, 7)))


def opened(data):
    return TTFont(io.BytesIO(data))


def rendered(data, character, left, place, side):
    """A canvas that begins at x = `left`, as FreeType fills it, (side, side) bool."""
    size = side * building.EM / place.side
    face = ImageFont.truetype(io.BytesIO(data), size, layout_engine=ImageFont.Layout.BASIC)
    picture, scale = Image.new("L", (side, side)), size / building.EM
    origin = (-left * scale, (place.y + place.side) * scale)
    ImageDraw.Draw(picture).text(origin, character, 255, face, anchor="ls")
    return np.asarray(picture) >= 128


def test_a_font_of_drawings_renders_as_its_drawings(font, details):
    for point, detail in details.items():
        ink = tracing.solid(detail)
        first = np.flatnonzero(ink.any(0))[0] / len(ink) * PLACE.side
        bearing = opened(font)["hmtx"][opened(font).getBestCmap()[point]][1]
        found = rendered(font, chr(point), bearing - first, PLACE, len(ink))
        assert (found & ink).sum() / (found | ink).sum() > 0.85  # steps of pixels are smoothed


def test_a_drawing_is_spaced_by_its_ink_and_keeps_its_height(font):
    made = opened(font)
    glyphs, characters = made.getGlyphSet(), made.getBestCmap()
    for character in "abcdef":
        name = characters[ord(character)]
        width, bearing = made["hmtx"][name]
        box = made["CFF "].cff[0].CharStrings[name].calcBounds(glyphs)
        assert bearing == pytest.approx(box[0], abs=1)
        starts, ends = raster.edges(raster.polygons(outline.contours(glyphs, name)))
        (left,), (right,) = spacing.profiles(starts[None], ends[None], building.EM)
        assert left == pytest.approx(building.BEARING, abs=1)
        assert width - right == pytest.approx(building.BEARING, abs=2)
        longest = max(box[2] - box[0], box[3] - box[1])
        assert longest == pytest.approx(0.64 * PLACE.side, abs=20)
        middle = (box[1] + box[3]) / 2
        assert middle == pytest.approx(PLACE.y + PLACE.side / 2, abs=20)


def test_a_font_of_drawings_has_a_space_and_says_its_name(details):
    drawings = {0x61: building.Drawing(tracing.contours(details[0x61]), PLACE)}
    made = opened(building.font(drawings, "Ä\n 1"))
    assert {0x20, 0xA0, 0x61} == made.getBestCmap().keys()
    assert made["hmtx"][made.getBestCmap()[0x20]][0] == building.SPACE
    assert made["name"].getDebugName(1) == "Ä 1"
    assert made["name"].getDebugName(6) == "1-Regular"


def test_lines_of_a_font_of_drawings_leave_room_for_all_ink(details):
    high = Placement(0, 400, 1100)
    drawings = {0x61: building.Drawing(tracing.contours(details[0x61]), high)}
    made = opened(building.font(drawings, "High"))
    top = made["CFF "].cff.topDictIndex[0].FontBBox[3]
    os2, hhea = made["OS/2"], made["hhea"]
    assert top > building.ASCENT
    assert top <= os2.usWinAscent == os2.sTypoAscender == hhea.ascent
    assert os2.usWinDescent == -os2.sTypoDescender == -hhea.descent == -building.DESCENT


def test_outsides_run_as_postscript_has_them(font):
    glyphs = opened(font).getGlyphSet()
    for name in glyphs.keys() - {"space"}:
        pen = AreaPen(glyphs)
        glyphs[name].draw(pen)
        assert pen.value > 0


def test_the_same_drawings_give_the_same_bytes(font, details, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "2000000000")
    drawings = {p: building.Drawing(tracing.contours(x), PLACE) for p, x in details.items()}
    assert building.font(dict(reversed(drawings.items())), "Made") == font


@pytest.mark.parametrize("flavour", ["ttf", "otf", "woff2"])
def test_a_moved_font_has_the_measures_of_its_source(blocks, moved, flavour):
    before = opened(blocks.data)
    after = opened(edited(moved, 1, name="Hand", flavour=flavour))
    assert after["head"].unitsPerEm == 1000
    hhea, os2 = after["hhea"], after["OS/2"]
    assert (hhea.ascent, hhea.descent, hhea.lineGap) == (820, -210, 33)
    for line in ("sTypoAscender", "sTypoDescender", "sTypoLineGap"):
        assert getattr(os2, line) == getattr(before["OS/2"], line)
    assert os2.sxHeight == pytest.approx(480 * moved.linear[1, 1, 1], abs=1)
    assert after["name"].getDebugName(13) == "OFL"
    assert set(map(ord, LETTERS + " ")) == after.getBestCmap().keys()


def test_the_space_is_as_wide_as_the_hand(blocks, moved):
    name = blocks.named[0x20]
    width = opened(blocks.data)["hmtx"][name][0]
    for hand in (1, 2):
        after = opened(edited(moved, hand, name="Hand", flavour="ttf"))
        assert after["hmtx"][name][0] == round(width * moved.linear[hand, 0, 0])


def test_all_of_a_moved_font_compiles_again(moved, tmp_path):
    data = edited(moved, 2, name="Hand", flavour="ttf")
    opened(data).saveXML(tmp_path / "a.ttx")
    again = TTFont(recalcTimestamp=False)
    again.importXML(tmp_path / "a.ttx")
    again.save(tmp_path / "again.ttf")
    with TTFont(io.BytesIO(data)) as first, TTFont(tmp_path / "again.ttf") as second:
        for tag in set(first.keys()) - {"GlyphOrder", "head"}:
            assert first.getTableData(tag) == second.getTableData(tag), tag


def test_moving_twice_gives_the_same_bytes(blocks, moved, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "2000000000")
    model = weights.load()
    again = moving.family(blocks.data, hands.Rules(model, rules.sample(2, model.config, 7)))
    one, two = (edited(family, 2, name="A", flavour="ttf") for family in (moved, again))
    assert one == two
