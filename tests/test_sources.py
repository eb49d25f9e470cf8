"""Fonts as sources: packed, of several fonts or masters, folders of an editor, and hostile ones."""

import io
import struct
import time

import brotli
import numpy as np
import pytest
from blocks import build
from fontTools.fontBuilder import FontBuilder
from fontTools.otlLib.builder import buildStatTable
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.tables._f_v_a_r import NamedInstance
from fontTools.ttLib.tables.DefaultTable import DefaultTable
from fontTools.ttLib.tables.TupleVariation import TupleVariation
from ufoLib2 import Font

from vce_models.errors import ConfigError, InputError
from vce_models.fonts.naming import style_of
from vce_models.fonts.source import read_font


def extent(font, character):
    """The lower left and upper right corner of a character's outline."""
    places = np.concatenate([c for k in font.contours(ord(character)) for p in k for c in p])
    return np.concatenate((places.min(0), places.max(0))).tolist()


def variable(path):
    """A font whose only letter is a stem 80 wide, 180 at the heaviest, 600 high or twice that."""
    font = FontBuilder(1000, isTTF=True)
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for place in ((100, 600), (180, 600), (180, 0)):
        pen.lineTo(place)
    pen.closePath()
    font.setupGlyphOrder([".notdef", "l"])
    font.setupCharacterMap({ord("l"): "l"})
    font.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "l": pen.glyph()})
    font.setupHorizontalMetrics({".notdef": (500, 0), "l": (280, 100)})
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Varies", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    axes = [("wght", 400, 400, 900, "Weight"), ("YTAS", 0, 0, 100, "Height")]
    font.setupFvar(axes, [])
    wide = [(0, 0), (0, 0), (100, 0), (100, 0), (0, 0), (100, 0), (0, 0), (0, 0)]
    high = [(0, 0), (0, 600), (0, 600), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)]
    font.setupGvar(
        {
            "l": [
                TupleVariation({"wght": (0, 1, 1)}, wide),
                TupleVariation({"YTAS": (0, 1, 1)}, high),
            ]
        }
    )
    font.save(path)
    return path


@pytest.mark.parametrize("flavour", ["woff", "woff2"])
@pytest.mark.parametrize("otf", [False, True])
def test_a_packed_font_is_the_font(flavour, otf, tmp_path):
    plain = read_font(build(tmp_path / "a.ttf", otf=otf))
    with TTFont(tmp_path / "a.ttf") as font:
        font.flavor = flavour
        font.save(tmp_path / f"a.{flavour}")
    packed = read_font(tmp_path / f"a.{flavour}")
    assert (packed.name, packed.em, packed.named) == (plain.name, plain.em, plain.named)
    for point in plain.characters():
        for contour, other in zip(packed.contours(point), plain.contours(point), strict=True):
            np.testing.assert_array_equal(np.array(contour), np.array(other))
    assert TTFont(io.BytesIO(packed.data)).flavor is None


@pytest.mark.parametrize("otf", [False, True])
def test_the_first_of_a_collection_is_read(otf, tmp_path):
    build(tmp_path / "first.ttf", otf=otf)
    build(tmp_path / "second.ttf", letters="AH", otf=otf)
    collection = TTCollection()
    collection.fonts = [TTFont(tmp_path / f"{name}.ttf") for name in ("first", "second")]
    collection.save(tmp_path / "a.ttc")
    font = read_font(tmp_path / "a.ttc")
    assert font.named.keys() == read_font(tmp_path / "first.ttf").named.keys()
    assert extent(font, "A") == [60, 0, 400, 700]
    assert "glyf" in TTFont(io.BytesIO(font.data)) or otf


def test_a_variable_font_stands_at_its_default(tmp_path):
    font = read_font(variable(tmp_path / "v.ttf"))
    assert extent(font, "l") == [100, 0, 180, 600]
    assert "fvar" not in TTFont(io.BytesIO(font.data))


@pytest.mark.parametrize(
    ("location", "wanted"),
    [
        ("wght=900", [100, 0, 280, 600]),
        ("wght=650", [100, 0, 230, 600]),
        ("WGHT = 900, ytas=50", [100, 0, 280, 900]),
        ("YTAS=100", [100, 0, 180, 1200]),
        ("wght=400", [100, 0, 180, 600]),
    ],
)
def test_a_variable_font_is_read_where_it_is_asked_for(location, wanted, tmp_path):
    font = read_font(variable(tmp_path / "v.ttf"), location)
    assert extent(font, "l") == wanted
    advance = TTFont(io.BytesIO(font.data))["hmtx"]["l"][0]
    assert advance == 280 + wanted[2] - 180


@pytest.mark.parametrize(
    ("location", "style"),
    [
        ("wght=900", "Black"),
        ("wght=400", "Regular"),
        ("wght=500", "wght500"),
        ("wght=650.5,YTAS=20", "wght650.5 YTAS20"),
    ],
)
def test_a_place_on_the_axes_gives_its_name_to_the_style(location, style, tmp_path):
    path = variable(tmp_path / "v.ttf")
    with TTFont(path) as font:
        names = [{"value": 400, "name": "Regular", "flags": 2}, {"value": 900, "name": "Black"}]
        buildStatTable(font, [{"tag": "wght", "name": "Weight", "values": names}])
        font.save(path)
    with TTFont(io.BytesIO(read_font(path, location).data)) as font:
        assert style_of(font) == style


@pytest.mark.parametrize(
    ("location", "style"),
    [("wght=700", "Bold"), ("wght=700,YTAS=9", "wght700 YTAS9"), ("wght=400", "Regular")],
)
def test_without_a_table_of_styles_a_named_instance_gives_its_name(location, style, tmp_path):
    path = variable(tmp_path / "v.ttf")
    with TTFont(path) as font:
        instance = NamedInstance()
        instance.coordinates = {"wght": 700, "YTAS": 0}
        instance.subfamilyNameID = font["name"].addName("Bold")
        font["fvar"].instances.append(instance)
        font.save(path)
    with TTFont(io.BytesIO(read_font(path, location).data)) as font:
        assert style_of(font) == style


def test_the_fonts_of_a_place_without_a_name_are_called_by_it(vce, tmp_path):
    variable(tmp_path / "v.ttf")
    given = ("v.ttf", "--location", "wght=650", "-n", 1, "--seed", 1, "--family", "Hand")
    vce("convert", *given, "-o", "x.ttf")
    with TTFont(tmp_path / "x.ttf") as font:
        called = [font["name"].getDebugName(number) for number in (1, 2, 4, 6, 16, 17)]
    assert called == [
        *("Hand wght650", "Regular", "Hand wght650", "Hand-wght650", "Hand", "wght650"),
    ]


@pytest.mark.parametrize(
    "location", ["wght=1000", "wdth=80", "wght", "wght=", "wght=bold", "=5", "wght=nan", "600"]
)
def test_a_location_that_is_none_is_one_line_with_the_axes(location, tmp_path):
    with pytest.raises(ConfigError, match=r"is no place in .*v\.ttf") as caught:
        read_font(variable(tmp_path / "v.ttf"), location)
    assert location in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.hint == "its axes: wght 400 to 900, YTAS 0 to 100"


def test_a_font_without_axes_takes_no_location(blocks, tmp_path):
    (tmp_path / "a.ttf").write_bytes(blocks.data)
    with pytest.raises(ConfigError, match=r"a\.ttf has no axes"):
        read_font(tmp_path / "a.ttf", "wght=600")


def test_an_axis_is_said_in_one_line_by_the_command(tmp_path, vce):
    variable(tmp_path / "v.ttf")
    given = ("convert", "v.ttf", "--text", "l", "-n", 1, "--seed", 1)
    done = vce(*given, "--location", "wdth=80", "-o", "x.ttf", status=2)
    assert done.stderr.splitlines() == [
        "error: wdth=80 is no place in v.ttf",
        "hint: its axes: wght 400 to 900, YTAS 0 to 100",
    ]
    vce(*given, "--location", "wght=900", "-o", "x.ttf")
    assert "fvar" not in TTFont(tmp_path / "x.ttf")


def ufo(path):
    """An editor's font of a stem, a ring of cubics, and a kerned pair."""
    font = Font()
    font.info.familyName, font.info.styleName = "Drawn", "Regular"
    font.info.unitsPerEm, font.info.ascender, font.info.descender = 1000, 800, -200
    font.info.xHeight, font.info.capHeight = 500, 700
    for name, point, width in (("I", 0x49, 300), ("o", 0x6F, 560), ("space", 0x20, 250)):
        glyph = font.newGlyph(name)
        glyph.unicodes, glyph.width = [point], width
    pen = font["I"].getPen()
    pen.moveTo((100, 0))
    for place in ((200, 0), (200, 700), (100, 700)):
        pen.lineTo(place)
    pen.closePath()
    pen = font["o"].getPen()
    pen.moveTo((500, 250))
    pen.curveTo((500, 390), (400, 500), (280, 500))
    pen.curveTo((160, 500), (60, 390), (60, 250))
    pen.curveTo((60, 110), (160, 0), (280, 0))
    pen.curveTo((400, 0), (500, 110), (500, 250))
    pen.closePath()
    font.kerning[("I", "o")] = -40
    font.save(path)
    return path


def test_a_ufo_is_a_font_of_cubics_with_its_kerning(tmp_path):
    font = read_font(ufo(tmp_path / "a.ufo"))
    assert (font.name, font.em) == ("Drawn", 1000)
    assert set(font.named) >= {0x49, 0x6F, 0x20}
    assert extent(font, "I") == [100, 0, 200, 700]
    (ring,) = font.contours(ord("o"))
    assert [len(curve) for piece in ring for curve in piece] == [4] * 4
    tables = TTFont(io.BytesIO(font.data))
    assert {"CFF ", "GPOS"} <= set(tables.keys())
    assert tables["hmtx"]["o"][0] == 560


def test_a_ufo_that_is_none_is_named(tmp_path):
    (tmp_path / "empty.ufo").mkdir()
    with pytest.raises(InputError, match=r"empty\.ufo") as caught:
        read_font(tmp_path / "empty.ufo")
    assert "\n" not in str(caught.value)


def bomb(announced):
    """A WOFF2 of some hundred bytes that unpacks to 200 MB, whatever it announces."""
    packer = brotli.Compressor(quality=5)
    packed = b"".join(packer.process(bytes(2**20)) for _ in range(200)) + packer.finish()
    directory = b""
    for tag in (1, 0, 2, 3, 4):  # head, cmap, hhea, hmtx, maxp
        length, digits = announced // 5, list[int]()
        while length or not digits:
            digits.append(length & 0x7F)
            length >>= 7
        number = bytes(d | 0x80 for d in digits[:0:-1]) + bytes(digits[:1])
        directory += bytes([tag]) + number
    size = 48 + len(directory) + len(packed)
    header = b"wOF2" + bytes((0, 1, 0, 0))
    header += struct.pack(">LHHLLHH", size, 5, 0, 1000, len(packed), 1, 0) + bytes(20)
    return header + directory + packed


@pytest.mark.parametrize("announced", [500, 200 * 2**20], ids=["quietly", "openly"])
def test_a_font_that_unpacks_to_gigabytes_is_refused_at_once(announced, tmp_path):
    (tmp_path / "bomb.woff2").write_bytes(bomb(announced))
    assert (tmp_path / "bomb.woff2").stat().st_size < 10_000
    begun = time.process_time()
    with pytest.raises(InputError, match=r"bomb\.woff2 is damaged: its tables are"):
        read_font(tmp_path / "bomb.woff2")
    assert time.process_time() - begun < 3


def test_a_cut_font_has_what_was_asked_for_and_its_spaces(tmp_path):
    font = read_font(build(tmp_path / "a.ttf"))
    with TTFont(io.BytesIO(font.cut([ord("A"), ord("o")]))) as cut:
        assert cut.getBestCmap().keys() == {ord("A"), ord("o"), 0x20}
        assert cut["hhea"].lineGap == 33
        assert cut["name"].getDebugName(13) == "OFL"
        assert cut["hmtx"][cut.getBestCmap()[ord("o")]][0] == 515
    assert font.cut(None) == font.data


def test_tables_that_name_glyphs_by_number_do_not_outlive_a_cut(tmp_path):
    with TTFont(build(tmp_path / "a.ttf")) as font:
        for tag in ("Zapf", "trak"):
            font[tag] = DefaultTable(tag)
            font[tag].data = bytes(12)
        font.save(tmp_path / "a.ttf")
    font = read_font(tmp_path / "a.ttf")
    for points, kept in ((None, {"Zapf", "trak"}), ([ord("A")], {"trak"})):
        with TTFont(io.BytesIO(font.cut(points))) as cut:
            assert {"Zapf", "trak"} & set(cut.keys()) == kept
