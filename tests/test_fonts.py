import io
from pathlib import Path

import numpy as np
import pytest
from blocks import LETTERS
from conftest import draw
from fontTools.pens.areaPen import AreaPen
from fontTools.ttLib import TTFont
from fontTools.ufoLib import UFOReader
from PIL import Image, ImageDraw, ImageFont
from ufoLib2 import Font

from vce_models import rules, weights
from vce_models.config import ModelConfig
from vce_models.convert import convert
from vce_models.errors import OutputError
from vce_models.fonts import writing
from vce_models.fonts.tracing import solid, trace
from vce_models.glyphs import images

CONFIG = ModelConfig()


@pytest.fixture(scope="module")
def glyphs(blocks):
    """Every letter of the font, traced from its own drawing."""
    drawn = {point: blocks.draw(point, CONFIG) for point in blocks.characters(LETTERS)}
    return {point: (trace(framed.detail), place) for point, (framed, place) in drawn.items()}


def rendered(path, codepoint, placement, units, side):
    """The canvas at `placement` as FreeType fills it, (side, side) bool."""
    size = side * units / placement.side
    face = ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
    picture, scale = Image.new("L", (side, side)), size / units
    origin = (-placement.x * scale, (placement.y + placement.side) * scale)
    ImageDraw.Draw(picture).text(origin, chr(codepoint), 255, face, anchor="ls")
    return np.asarray(picture) >= 128


def overlap(a, b):
    return (a & b).sum() / (a | b).sum()


def test_a_traced_character_comes_back_at_its_size_and_place(blocks, glyphs, tmp_path):
    (tmp_path / "source.ttf").write_bytes(blocks.data)
    writing.write_ttf(tmp_path / "traced.ttf", "Traced", glyphs, blocks)
    for point, (_, place) in glyphs.items():
        before = rendered(tmp_path / "source.ttf", point, place, 1000, 448)
        after = rendered(tmp_path / "traced.ttf", point, place, 1000, 448)
        assert overlap(before, after) > 0.85
        (top, left), (row, column) = (np.argwhere(ink).mean(0) for ink in (before, after))
        assert max(abs(row - top), abs(column - left)) * place.side / 448 < 8  # font units


@pytest.mark.parametrize("hands", [0, 1])
def test_a_font_renders_as_the_conversions_it_was_made_of(hands, blocks, tmp_path):
    drawings = [
        images.frame(1 - np.asarray(draw(character, hands, 315), np.float32) / 255, "it", CONFIG)
        for character in range(6)
    ]
    conversions = [detail for _, detail in drawings]
    if hands:
        model, r = weights.load(), rules.sample(1, CONFIG, 2)
        conversions = [convert(model, q, r, detail, 8)[0] for q, detail in drawings]
    place = writing.Placement(-100, -200, 1100)
    points = blocks.characters(LETTERS)[: len(conversions)]
    drawn = {p: (trace(x), place) for p, x in zip(points, conversions, strict=True)}
    writing.write_ttf(tmp_path / "made.ttf", "Made", drawn, blocks)
    for point, conversion in zip(points, conversions, strict=True):
        ink = solid(conversion)
        assert overlap(rendered(tmp_path / "made.ttf", point, place, 1000, len(ink)), ink) > 0.95


def test_every_table_of_a_ttf_reads_and_compiles_again(blocks, glyphs, tmp_path):
    writing.write_ttf(tmp_path / "a.ttf", "A", glyphs, blocks)
    with TTFont(tmp_path / "a.ttf", lazy=False, recalcTimestamp=False) as font:
        font.ensureDecompiled()
        assert {
            "OS/2",
            "cmap",
            "glyf",
            "head",
            "hhea",
            "hmtx",
            "loca",
            "maxp",
            "name",
            "post",
        } <= set(font.keys())
        font.saveXML(tmp_path / "a.ttx")
        again = TTFont(recalcTimestamp=False)
        again.importXML(tmp_path / "a.ttx")
        again.save(tmp_path / "again.ttf")
    with TTFont(tmp_path / "a.ttf") as first, TTFont(tmp_path / "again.ttf") as second:
        for tag in set(first.keys()) - {"GlyphOrder", "head"}:
            assert first.getTableData(tag) == second.getTableData(tag), tag


def test_a_font_has_the_measures_of_its_source(blocks, glyphs, tmp_path):
    writing.write_ttf(tmp_path / "a.ttf", "A", glyphs, blocks)
    writing.write_ufo(tmp_path / "a.ufo", "A", glyphs, blocks)
    with TTFont(tmp_path / "a.ttf") as font, TTFont(io.BytesIO(blocks.data)) as source:
        hhea, os2 = font["hhea"], font["OS/2"]
        assert (hhea.ascent, hhea.descent, hhea.lineGap) == (820, -210, 33)
        assert (os2.sxHeight, os2.sCapHeight, font["head"].unitsPerEm) == (480, 690, 1000)
        cmap, old = font.getBestCmap(), source.getBestCmap()
        for point in (*glyphs, 0x20):
            assert font["hmtx"][cmap[point]][0] == source["hmtx"][old[point]][0]
        for name, (_, bearing) in font["hmtx"].metrics.items():
            assert bearing == getattr(font["glyf"][name], "xMin", 0)
        assert {record.nameID for record in font["name"].names} == {1, 2, 3, 4, 5, 6}
    info = Font.open(tmp_path / "a.ufo").info
    assert (info.ascender, info.descender, info.xHeight, info.capHeight) == (820, -210, 480, 690)


def test_without_a_source_glyphs_keep_their_height_and_are_spaced_by_their_ink(tmp_path):
    drawn = {
        ord("l"): (trace(images.frame(np.ones((90, 6), np.float32), "l", CONFIG).detail), None)
    }
    writing.write_ttf(tmp_path / "a.ttf", "Ä\n 1", drawn, None)
    with TTFont(tmp_path / "a.ttf") as font:
        glyph, width = font["glyf"]["uni006C"], font["hmtx"]["uni006C"][0]
        assert abs(glyph.yMin) < 25
        assert glyph.yMax == pytest.approx(700, abs=25)
        assert glyph.xMin == pytest.approx(60, abs=1)
        assert width - glyph.xMax == pytest.approx(60, abs=2)
        assert font["name"].getDebugName(1) == "Ä 1"
        assert font["name"].getDebugName(6) == "1-Regular"


def test_contours_run_as_each_format_wants_them(blocks, glyphs, tmp_path):
    writing.write_ttf(tmp_path / "a.ttf", "A", glyphs, blocks)
    writing.write_ufo(tmp_path / "a.ufo", "A", glyphs, blocks)
    with TTFont(tmp_path / "a.ttf") as font:
        truetype, ufo = font.getGlyphSet(), Font.open(tmp_path / "a.ufo")
        for name in (".notdef", *map(writing.glyph_name, glyphs)):
            clockwise, counter = AreaPen(), AreaPen()
            truetype[name].draw(clockwise)
            ufo[name].draw(counter)
            assert clockwise.value < 0 < counter.value
            assert -clockwise.value == pytest.approx(counter.value, rel=0.01)


def test_a_ufo_is_valid_and_in_whole_units(blocks, glyphs, tmp_path):
    writing.write_ufo(tmp_path / "a.ufo", "A", glyphs, blocks)
    reader = UFOReader(tmp_path / "a.ufo", validate=True)
    assert reader.formatVersionTuple == (3, 0)
    reader.getGlyphSet(validateRead=True)
    font = Font.open(tmp_path / "a.ufo", lazy=False, validate=True)
    assert font.glyphOrder == [".notdef", "space", *map(writing.glyph_name, sorted(glyphs))]
    assert {point for glyph in font for point in glyph.unicodes} == {*glyphs, 0x20, 0xA0}
    for glyph in font:
        for contour in glyph:
            assert all(type(v) is int for point in contour for v in (point.x, point.y))
            assert {point.type for point in contour} <= {"line", "curve", None}


def test_the_same_glyphs_give_the_same_bytes(blocks, glyphs, tmp_path, monkeypatch):
    shuffled = dict(reversed(glyphs.items()))
    for name, given, epoch in (("a", glyphs, "1"), ("b", shuffled, "2000000000")):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        writing.write_ttf(tmp_path / f"{name}.ttf", "A", given, blocks)
        writing.write_ufo(tmp_path / f"{name}.ufo", "A", given, blocks)
    assert (tmp_path / "a.ttf").read_bytes() == (tmp_path / "b.ttf").read_bytes()
    first, second = (
        {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in (tmp_path / "a.ufo", tmp_path / "b.ufo")
    )
    assert first == second


def test_a_ufo_replaces_a_ufo_and_nothing_else(blocks, glyphs, tmp_path):
    writing.write_ufo(tmp_path / "a.ufo", "Old", glyphs, blocks)
    writing.write_ufo(tmp_path / "a.ufo", "New", {}, blocks)
    assert Font.open(tmp_path / "a.ufo").info.familyName == "New"
    assert len(Font.open(tmp_path / "a.ufo")) == 2
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "novel.txt").write_text("mine")
    with pytest.raises(OutputError):
        writing.write_ufo(tmp_path / "work", "A", glyphs, blocks)
    with pytest.raises(OutputError):
        writing.write_ufo(tmp_path / "nowhere" / "a.ufo", "A", glyphs, blocks)
    with pytest.raises(OutputError):
        writing.write_ttf(tmp_path / "nowhere" / "a.ttf", "A", glyphs, blocks)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ufo", "work"]


def real_font():
    matplotlib = pytest.importorskip("matplotlib", reason="a real font comes with matplotlib")
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def test_a_real_font_comes_back_as_it_was(tmp_path):
    font = writing.read_font(real_font())
    assert font.name == "DejaVu Sans"
    points = font.characters("Rag&8Жω")
    drawn = {point: font.draw(point, CONFIG) for point in points}
    traced = {point: (trace(framed.detail), place) for point, (framed, place) in drawn.items()}
    writing.write_ttf(tmp_path / "a.ttf", "A", traced, font)
    for point, (_, place) in traced.items():
        before = rendered(real_font(), point, place, font.metrics.units_per_em, 448)
        after = rendered(tmp_path / "a.ttf", point, place, font.metrics.units_per_em, 448)
        assert overlap(before, after) > 0.85
