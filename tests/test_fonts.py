import contextlib
import io
import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import draw
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.areaPen import AreaPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.tables.DefaultTable import DefaultTable
from fontTools.ufoLib import UFOReader
from PIL import Image, ImageDraw, ImageFont
from ufoLib2 import Font

from vce_models import fonts, images, rules, weights
from vce_models.config import ModelConfig
from vce_models.convert import convert
from vce_models.errors import ConfigError, InputError, OutputError
from vce_models.outlines import solid, trace

CONFIG = ModelConfig()
LETTERS = "AHilo.-é😀"


def rectangle(pen, left, bottom, right, top):
    pen.moveTo((left, bottom))
    for point in ((left, top), (right, top), (right, bottom)):
        pen.lineTo(point)
    pen.closePath()


def strokes(pen, letter):
    """Rectangles for a letter, 1000 units to the em; every letter lies elsewhere."""
    if letter == "o":
        rectangle(pen, 50, 0, 450, 500)
        pen.moveTo((130, 80))
        for point in ((370, 80), (370, 420), (130, 420)):
            pen.lineTo(point)
        pen.closePath()
    elif letter == "-":
        rectangle(pen, 40, 250, 340, 320)
    elif letter == ".":
        rectangle(pen, 80, 0, 180, 100)
    elif letter != " ":
        rectangle(pen, 60, -100 if letter == "i" else 0, 140, 700)
        rectangle(pen, 140, 300, 400, 380)


def build(path, letters=LETTERS + " ", otf=False):
    """A font of rectangles, its measures unlike every default."""
    font = FontBuilder(1000, isTTF=not otf)
    names = [".notdef", *(f"g{i}" for i in range(len(letters)))]
    glyphs = {}
    for name, letter in zip(names, f" {letters}", strict=True):
        pen = T2CharStringPen(500, None) if otf else TTGlyphPen(None)
        strokes(pen, letter)
        glyphs[name] = pen.getCharString() if otf else pen.glyph()
    font.setupGlyphOrder(names)
    font.setupCharacterMap(
        {ord(letter): name for letter, name in zip(letters, names[1:], strict=True)}
    )
    if otf:
        font.setupCFF("Blocks", {}, glyphs, {})
    else:
        font.setupGlyf(glyphs)
    edges = {" ": 0, "o": 50, "-": 40, ".": 80}
    bearings = [edges.get(letter, 60) for letter in f" {letters}"]
    widths = {name: (510 + i, bearings[i]) for i, name in enumerate(names)}
    font.setupHorizontalMetrics(widths)
    font.setupHorizontalHeader(ascent=820, descent=-210, lineGap=33)
    font.setupNameTable(
        {
            "familyName": "Blocks",
            "styleName": "Regular",
            "licenseDescription": "OFL",
            "copyright": "©",
        }
    )
    font.setupOS2(sxHeight=480, sCapHeight=690, version=4)
    font.setupPost()
    font.save(path)
    return path


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    return fonts.read_font(build(tmp_path_factory.mktemp("fonts") / "blocks.ttf"))


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


def test_a_character_is_drawn_in_the_framing_of_omniglot(blocks):
    for point in blocks.characters(LETTERS):
        (condition, detail), _ = blocks.draw(point, CONFIG)
        assert condition.shape == (28, 28)
        assert condition.dtype == np.float32
        rows, columns = np.nonzero(detail >= 0.5)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(0.64 * 224, abs=2)
        whole = detail.reshape(28, 8, 28, 8).mean((1, 3))
        assert np.abs(condition - whole).mean() < 0.01


def test_a_traced_character_comes_back_at_its_size_and_place(blocks, glyphs, tmp_path):
    (tmp_path / "source.ttf").write_bytes(blocks.data)
    fonts.write_ttf(tmp_path / "traced.ttf", "Traced", glyphs, blocks)
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
    place = fonts.Placement(-100, -200, 1100)
    points = blocks.characters(LETTERS)[: len(conversions)]
    drawn = {p: (trace(x), place) for p, x in zip(points, conversions, strict=True)}
    fonts.write_ttf(tmp_path / "made.ttf", "Made", drawn, blocks)
    for point, conversion in zip(points, conversions, strict=True):
        ink = solid(conversion)
        assert overlap(rendered(tmp_path / "made.ttf", point, place, 1000, len(ink)), ink) > 0.95


def test_every_table_of_a_ttf_reads_and_compiles_again(blocks, glyphs, tmp_path):
    fonts.write_ttf(tmp_path / "a.ttf", "A", glyphs, blocks)
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
    fonts.write_ttf(tmp_path / "a.ttf", "A", glyphs, blocks)
    fonts.write_ufo(tmp_path / "a.ufo", "A", glyphs, blocks)
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
    fonts.write_ttf(tmp_path / "a.ttf", "Ä\n 1", drawn, None)
    with TTFont(tmp_path / "a.ttf") as font:
        glyph, width = font["glyf"]["uni006C"], font["hmtx"]["uni006C"][0]
        assert abs(glyph.yMin) < 25
        assert glyph.yMax == pytest.approx(700, abs=25)
        assert glyph.xMin == pytest.approx(60, abs=1)
        assert width - glyph.xMax == pytest.approx(60, abs=2)
        assert font["name"].getDebugName(1) == "Ä 1"
        assert font["name"].getDebugName(6) == "1-Regular"


def test_contours_run_as_each_format_wants_them(blocks, glyphs, tmp_path):
    fonts.write_ttf(tmp_path / "a.ttf", "A", glyphs, blocks)
    fonts.write_ufo(tmp_path / "a.ufo", "A", glyphs, blocks)
    with TTFont(tmp_path / "a.ttf") as font:
        truetype, ufo = font.getGlyphSet(), Font.open(tmp_path / "a.ufo")
        for name in (".notdef", *map(fonts.glyph_name, glyphs)):
            clockwise, counter = AreaPen(), AreaPen()
            truetype[name].draw(clockwise)
            ufo[name].draw(counter)
            assert clockwise.value < 0 < counter.value
            assert -clockwise.value == pytest.approx(counter.value, rel=0.01)


def test_a_ufo_is_valid_and_in_whole_units(blocks, glyphs, tmp_path):
    fonts.write_ufo(tmp_path / "a.ufo", "A", glyphs, blocks)
    reader = UFOReader(tmp_path / "a.ufo", validate=True)
    assert reader.formatVersionTuple == (3, 0)
    reader.getGlyphSet(validateRead=True)
    font = Font.open(tmp_path / "a.ufo", lazy=False, validate=True)
    assert font.glyphOrder == [".notdef", "space", *map(fonts.glyph_name, sorted(glyphs))]
    assert {point for glyph in font for point in glyph.unicodes} == {*glyphs, 0x20, 0xA0}
    for glyph in font:
        for contour in glyph:
            assert all(type(v) is int for point in contour for v in (point.x, point.y))
            assert {point.type for point in contour} <= {"line", "curve", None}


def test_the_same_glyphs_give_the_same_bytes(blocks, glyphs, tmp_path, monkeypatch):
    shuffled = dict(reversed(glyphs.items()))
    for name, given, epoch in (("a", glyphs, "1"), ("b", shuffled, "2000000000")):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        fonts.write_ttf(tmp_path / f"{name}.ttf", "A", given, blocks)
        fonts.write_ufo(tmp_path / f"{name}.ufo", "A", given, blocks)
    assert (tmp_path / "a.ttf").read_bytes() == (tmp_path / "b.ttf").read_bytes()
    first, second = (
        {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in (tmp_path / "a.ufo", tmp_path / "b.ufo")
    )
    assert first == second


def test_a_ufo_replaces_a_ufo_and_nothing_else(blocks, glyphs, tmp_path):
    fonts.write_ufo(tmp_path / "a.ufo", "Old", glyphs, blocks)
    fonts.write_ufo(tmp_path / "a.ufo", "New", {}, blocks)
    assert Font.open(tmp_path / "a.ufo").info.familyName == "New"
    assert len(Font.open(tmp_path / "a.ufo")) == 2
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "novel.txt").write_text("mine")
    with pytest.raises(OutputError):
        fonts.write_ufo(tmp_path / "work", "A", glyphs, blocks)
    with pytest.raises(OutputError):
        fonts.write_ufo(tmp_path / "nowhere" / "a.ufo", "A", glyphs, blocks)
    with pytest.raises(OutputError):
        fonts.write_ttf(tmp_path / "nowhere" / "a.ttf", "A", glyphs, blocks)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ufo", "work"]


def test_otf_woff_and_collections_are_read(blocks, tmp_path):
    build(tmp_path / "a.otf", otf=True)
    with TTFont(io.BytesIO(blocks.data)) as font:
        font.flavor = "woff"
        font.save(tmp_path / "a.woff")
    collection = TTCollection()
    collection.fonts = [TTFont(io.BytesIO(blocks.data)) for _ in range(2)]
    collection.save(tmp_path / "a.ttc")
    wanted, place = blocks.draw(ord("A"), CONFIG)
    for name in ("a.otf", "a.woff", "a.ttc"):
        font = fonts.read_font(tmp_path / name)
        assert (font.name, font.metrics, font.advances) == (
            "Blocks",
            blocks.metrics,
            blocks.advances,
        )
        framed, there = font.draw(ord("A"), CONFIG)
        np.testing.assert_allclose(framed.condition, wanted.condition, atol=0.05)
        assert (there.x, there.y, there.side) == pytest.approx(
            (place.x, place.y, place.side), abs=3
        )


def test_characters_come_in_order_without_repeats_or_spaces(blocks):
    assert blocks.characters("oA o\tHA") == [ord(c) for c in "oAH"]
    assert blocks.characters("e\u0301") == [0xE9]
    assert blocks.characters(None, "U+1F600,o,A") == [0x1F600, ord("o"), ord("A")]
    assert blocks.characters() == [ord(c) for c in "AHilo-."]
    assert blocks.characters(chars="latin") == [ord(c) for c in "AHilo"]


def test_what_a_font_lacks_is_named(blocks):
    with pytest.raises(InputError, match=r"blocks\.ttf lacks 'B' \(U\+0042\), 'ß' \(U\+00DF\)"):
        blocks.characters("ABß")
    with pytest.raises(InputError, match="and 2 more"):
        blocks.characters(chars="a-g,A")
    for text, chars in ((None, "greek"), (" ", None), ("", None)):
        with pytest.raises(InputError, match="nothing of what is asked for"):
            blocks.characters(text, chars)


def test_a_blank_character_is_named(tmp_path):
    font = fonts.read_font(build(tmp_path / "a.ttf", letters=" A"))
    with pytest.raises(InputError, match=r"U\+0020.*a\.ttf is blank"):
        font.draw(0x20, CONFIG)


def test_a_name_asks_for_no_blank_characters(tmp_path):
    font = TTFont(build(tmp_path / "a.ttf", letters=" A"))
    for table in font["cmap"].tables:
        table.cmap[ord("B")] = table.cmap[0x20]
    font.save(tmp_path / "b.ttf")
    found = fonts.read_font(tmp_path / "b.ttf")
    assert found.characters(chars="latin") == [ord("A")]
    assert found.characters(chars="A-B") == [ord("A"), ord("B")]


def test_names_of_characters_are_those_of_unicode():
    latin = fonts.parse_characters("latin")
    assert "".join(map(chr, latin)) == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    ascii_marks = fonts.parse_characters("digits,punctuation")
    assert sorted(latin + ascii_marks) == list(range(0x21, 0x7F))
    assert set("αΩςή") <= set(map(chr, fonts.parse_characters("greek")))
    assert set("яЖйё") <= set(map(chr, fonts.parse_characters("Cyrillic")))
    assert set("את") <= set(map(chr, fonts.parse_characters("hebrew")))
    assert set("がん") <= set(map(chr, fonts.parse_characters("hiragana")))


def test_characters_and_ranges_are_parsed():
    assert fonts.parse_characters("a-c, U+0041-0043,U+0044-U+0045,U+1F600,b,-") == [
        *range(0x61, 0x64),
        *range(0x41, 0x46),
        0x1F600,
        0x2D,
    ]


@pytest.mark.parametrize(
    "spec", ["", " , ", "klingon", "c-a", "U+110000", "U+D800", "a-0062", "U+", "a-b-c", "ab"]
)
def test_nonsense_is_one_line(spec):
    with pytest.raises(ConfigError) as caught:
        fonts.parse_characters(spec)
    assert "\n" not in str(caught.value)


def test_file_names_stand_for_characters():
    for stem, point in {
        "A": 0x41,
        "uni0041": 0x41,
        "u1F600": 0x1F600,
        "U+00e9": 0xE9,
        "e\u0301": 0xE9,
    }.items():
        assert fonts.codepoint_of(stem) == point
    for stem in ("", "ab", "uni41", "uniD800", "u110000", "\udcff", "rune"):
        assert fonts.codepoint_of(stem) is None
    for point in (0x41, 0xFFFF, 0x10000, 0x10FFFF):
        assert fonts.codepoint_of(fonts.glyph_name(point)) == point


def woff_bomb(data):
    """A WOFF of 100 kB whose first table unpacks to 100 MB."""
    packed = zlib.compress(bytes(100_000_000))
    tables = [
        (b"head", packed, 54),
        *((tag, b"x", 1) for tag in (b"cmap", b"hhea", b"hmtx", b"maxp")),
    ]
    place, directory, body = 44 + 20 * len(tables), b"", b""
    for tag, content, length in tables:
        directory += tag + struct.pack(">4L", place + len(body), len(content), length, 0)
        body += content
    size = place + len(body)
    header = b"wOFF" + bytes((0, 1, 0, 0)) + struct.pack(">LHHL", size, len(tables), 0, 500)
    return header + bytes(24) + directory + body


def cmap_bomb(data):
    """A font whose map claims four thousand million characters in each of many groups."""
    with TTFont(io.BytesIO(data)) as font:
        groups = struct.pack(">3L", 0, 0xFFFFFFFF, 0) * 5000
        subtable = struct.pack(">HHLLL", 12, 0, 16 + len(groups), 0, 5000) + groups
        cmap = struct.pack(">HHHHL", 0, 1, 3, 10, 12) + subtable
        font["cmap"] = DefaultTable("cmap")
        font["cmap"].data = cmap
        whole = io.BytesIO()
        font.save(whole)
        return whole.getvalue()


def composite_bomb(data):
    """A font whose A is eight of the next glyph, that eight of the next, ..."""
    with TTFont(io.BytesIO(data)) as font:
        names = font.getGlyphOrder()[:0:-1]
        font["glyf"][names[0]] = TTGlyphPen(None).glyph()
        for part, whole in itertools.pairwise(names):
            pen = TTGlyphPen(font.getGlyphSet())
            for i in range(8):
                pen.addComponent(part, (1, 0, 0, 1, i, 0))
            font["glyf"][whole] = glyph = pen.glyph()
            glyph.xMin = glyph.yMin = glyph.xMax = glyph.yMax = 0
        font["maxp"].recalc = lambda font: None  # it would count them all
        font.recalcBBoxes = False
        spoilt = io.BytesIO()
        font.save(spoilt)
        return spoilt.getvalue()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: b"no font",
        lambda data: b"wOF2" + data,
        lambda data: data[:100],
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"cmap", b"cmpa"),
        lambda data: data.replace(b"glyf", b"glif"),
        woff_bomb,
        cmap_bomb,
        composite_bomb,
    ],
)
def test_what_is_no_font_is_an_error_that_names_the_file(spoil, blocks, tmp_path, capfd):
    (tmp_path / "bad.ttf").write_bytes(spoil(blocks.data))
    with pytest.raises(InputError, match=r"bad\.ttf") as caught:
        fonts.read_font(tmp_path / "bad.ttf").draw(ord("A"), CONFIG)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_missing_files_and_folders_are_errors_that_name_them(tmp_path):
    for path in (tmp_path / "none.ttf", tmp_path):
        with pytest.raises(InputError, match=path.name):
            fonts.read_font(path)


def test_flipped_bits_never_end_in_a_traceback(blocks, tmp_path):
    rng, path = np.random.default_rng(0), tmp_path / "flipped.ttf"
    for _ in range(400):
        data = np.frombuffer(blocks.data, np.uint8).copy()
        places = rng.integers(len(data), size=rng.integers(1, 9))
        data[places] = rng.integers(256, size=len(places))
        path.write_bytes(data.tobytes())
        with contextlib.suppress(InputError):
            font = fonts.read_font(path)
            for point in font.characters():
                font.draw(point, CONFIG)


def real_font():
    matplotlib = pytest.importorskip("matplotlib", reason="a real font comes with matplotlib")
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def test_a_real_font_comes_back_as_it_was(tmp_path):
    font = fonts.read_font(real_font())
    assert font.name == "DejaVu Sans"
    points = font.characters("Rag&8Жω")
    drawn = {point: font.draw(point, CONFIG) for point in points}
    traced = {point: (trace(framed.detail), place) for point, (framed, place) in drawn.items()}
    fonts.write_ttf(tmp_path / "a.ttf", "A", traced, font)
    for point, (_, place) in traced.items():
        before = rendered(real_font(), point, place, font.metrics.units_per_em, 448)
        after = rendered(tmp_path / "a.ttf", point, place, font.metrics.units_per_em, 448)
        assert overlap(before, after) > 0.85
