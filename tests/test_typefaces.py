import contextlib
import io
import itertools
import struct
import zlib

import numpy as np
import pytest
from blocks import LETTERS, build
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.tables.DefaultTable import DefaultTable

from vce_models.characters import codepoint_of, glyph_name, parse_characters
from vce_models.config import ModelConfig
from vce_models.errors import ConfigError, InputError
from vce_models.fonts.source import read_font

CONFIG = ModelConfig()


def test_a_character_is_drawn_in_the_framing_of_omniglot(blocks):
    for point in blocks.characters(LETTERS):
        (condition, detail), _ = blocks.read(point, CONFIG)
        assert condition.shape == (28, 28)
        assert condition.dtype == np.float32
        rows, columns = np.nonzero(detail >= 0.5)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(0.64 * 224, abs=2)
        whole = detail.reshape(28, 8, 28, 8).mean((1, 3))
        assert np.abs(condition - whole).mean() < 0.01


def test_otf_woff_and_collections_are_read(blocks, tmp_path):
    build(tmp_path / "a.otf", otf=True)
    with TTFont(io.BytesIO(blocks.data)) as font:
        font.flavor = "woff"
        font.save(tmp_path / "a.woff")
    collection = TTCollection()
    collection.fonts = [TTFont(io.BytesIO(blocks.data)) for _ in range(2)]
    collection.save(tmp_path / "a.ttc")
    wanted, place = blocks.read(ord("A"), CONFIG)
    for name in ("a.otf", "a.woff", "a.ttc"):
        font = read_font(tmp_path / name)
        assert (font.name, font.em) == ("Blocks", 1000)
        assert font.characters() == blocks.characters()
        framed, there = font.read(ord("A"), CONFIG)
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
        blocks.characters("abcdefgA")
    with pytest.raises(InputError, match=r"lacks 'B' \(U\+0042\)$"):
        blocks.characters(chars="A,B")
    for text, chars in ((None, "greek"), (None, "p-z"), (" ", None), ("", None)):
        with pytest.raises(InputError, match="nothing of what is asked for"):
            blocks.characters(text, chars)


def test_a_range_with_gaps_takes_what_is_there(blocks):
    assert blocks.characters(chars="A-Z") == [ord(c) for c in "AH"]
    assert blocks.characters(chars="U+0061-007A,A-B") == [ord(c) for c in "iloA"]


def test_all_takes_every_character_that_the_font_draws(blocks):
    assert sorted(blocks.characters(chars="all")) == sorted(map(ord, LETTERS))


def test_a_blank_character_is_named(tmp_path):
    font = read_font(build(tmp_path / "a.ttf", letters=" A"))
    with pytest.raises(InputError, match=r"U\+0020.*a\.ttf is blank"):
        font.read(0x20, CONFIG)


def test_a_name_asks_for_no_blank_characters(tmp_path):
    font = TTFont(build(tmp_path / "a.ttf", letters=" A"))
    for table in font["cmap"].tables:
        table.cmap[ord("B")] = table.cmap[0x20]
    font.save(tmp_path / "b.ttf")
    found = read_font(tmp_path / "b.ttf")
    assert found.characters(chars="latin") == [ord("A")]
    assert found.characters(chars="A-B") == [ord("A")]
    assert found.characters(chars="A,B") == [ord("A"), ord("B")]


def test_names_of_characters_are_those_of_unicode():
    latin = parse_characters("latin")
    assert "".join(map(chr, latin)) == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    ascii_marks = parse_characters("digits,punctuation")
    assert sorted(latin + ascii_marks) == list(range(0x21, 0x7F))
    assert set("αΩςή") <= set(map(chr, parse_characters("greek")))
    assert set("яЖйё") <= set(map(chr, parse_characters("Cyrillic")))
    assert set("את") <= set(map(chr, parse_characters("hebrew")))
    assert set("がん") <= set(map(chr, parse_characters("hiragana")))


def test_characters_and_ranges_are_parsed():
    assert parse_characters("a-c, U+0041-0043,U+0044-U+0045,U+1F600,b,-") == [
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
        parse_characters(spec)
    assert "\n" not in str(caught.value)


def test_file_names_stand_for_characters():
    for stem, point in {
        "A": 0x41,
        "uni0041": 0x41,
        "u1F600": 0x1F600,
        "U+00e9": 0xE9,
        "e\u0301": 0xE9,
        "eacute": 0xE9,
        "period": 0x2E,
        "one": 0x31,
    }.items():
        assert codepoint_of(stem) == point
    for stem in ("", "ab", "uni41", "uniD800", "u110000", "\udcff", "rune"):
        assert codepoint_of(stem) is None
    for point in (0x41, 0xFFFF, 0x10000, 0x10FFFF):
        assert codepoint_of(glyph_name(point)) == point


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
        read_font(tmp_path / "bad.ttf").read(ord("A"), CONFIG)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_missing_files_and_folders_are_errors_that_name_them(tmp_path):
    for path in (tmp_path / "none.ttf", tmp_path):
        with pytest.raises(InputError, match=path.name):
            read_font(path)


def test_flipped_bits_never_end_in_a_traceback(blocks, tmp_path):
    rng, path = np.random.default_rng(0), tmp_path / "flipped.ttf"
    for _ in range(400):
        data = np.frombuffer(blocks.data, np.uint8).copy()
        places = rng.integers(len(data), size=rng.integers(1, 9))
        data[places] = rng.integers(256, size=len(places))
        path.write_bytes(data.tobytes())
        with contextlib.suppress(InputError):
            font = read_font(path)
            points = font.characters()
            for point in points:
                font.read(point, CONFIG)
            font.cut(points)
