"""Fonts of one hand, as edited copies of their source."""

import math
from io import BytesIO

import numpy as np
import ots
import pytest
import uharfbuzz
from families import FEATURES, HANDS, SOURCES, TEXTS, Hand, family_of, installed, little
from fontTools.pens.areaPen import AreaPen
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont, newTable

from vce_models.fonts import naming
from vce_models.fonts.editing import edited, pack

FLAVOURS = ["ttf", "otf", "woff2"]
SAMPLES = {"Arabic", "Devanagari", "Thai"}


@pytest.fixture(params=SOURCES)
def source(request):
    return SOURCES[request.param]()


def opened(data):
    return TTFont(BytesIO(data))


def saved(font):
    file = BytesIO()
    font.save(file)
    return file.getvalue()


def shaped(data, text, variations=None, features=None, **segment):
    """Glyph names, advances and offsets, as HarfBuzz sets a text."""
    font = uharfbuzz.Font(uharfbuzz.Face(data))
    if variations:
        font.set_variations(variations)
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    for key, value in segment.items():
        setattr(buffer, key, value)
    uharfbuzz.shape(font, buffer, features or {})
    names = opened(data).getGlyphOrder()
    return [
        (names[info.codepoint], at.x_advance, at.x_offset, at.y_offset)
        for info, at in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
    ]


def words(data, text, **more):
    return [name for name, *_ in shaped(data, text, **more)]


def measured(font, pen, name):
    glyphs = font.getGlyphSet()
    drawn = pen(glyphs)
    glyphs[name].draw(drawn)
    return drawn


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_flavour_passes_the_sanitizer(source, flavour, tmp_path):
    (tmp_path / "font").write_bytes(edited(family_of(source), 1, name="Hand", flavour=flavour))
    ots.sanitize(tmp_path / "font", tmp_path / "clean", check=True, capture_output=True)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_glyphs_are_drawn_as_the_hand_moves_them(source, flavour):
    before, after = (
        opened(source),
        opened(edited(family_of(source), 2, name="Hand", flavour=flavour)),
    )
    assert before.getGlyphOrder() == after.getGlyphOrder()
    allowed = 1 + 2 * before["head"].unitsPerEm / 1000
    for name in before.getGlyphOrder()[1:]:
        glyph = family_of(source).glyphs[name]
        if not any(glyph.contours):
            assert not measured(after, BoundsPen, name).bounds
            continue
        t = np.linspace(0, 1, 33)[:, None]
        line, cubic = (1 - t, t), ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        dots = np.concatenate(
            [
                sum(weight * point for weight, point in zip(weights, segment[2], strict=True))
                for contour in glyph.contours
                for segment in contour
                for weights in [line if len(segment[2]) == 2 else cubic]
            ]
        )
        drawn = measured(after, BoundsPen, name).bounds
        assert np.abs(np.r_[dots.min(0), dots.max(0)] - drawn).max() < allowed
        areas = [measured(font, AreaPen, name).value for font in (before, after)]
        turned = ("glyf" in before) != ("glyf" in after)
        scale = HANDS[1].width * HANDS[1].height * (-1 if turned else 1)
        assert areas[1] == pytest.approx(areas[0] * scale, rel=0.1, abs=40 * allowed**2)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_advances_and_bearings_are_those_of_the_hand(flavour):
    family = family_of(little())
    font = opened(edited(family, 3, name="Hand", flavour=flavour))
    for name, glyph in family.glyphs.items():
        width, left = font["hmtx"][name]
        assert width == glyph.advances[3]
        bounds = measured(font, BoundsPen, name).bounds
        assert left == (int(np.floor(bounds[0])) if bounds else 0)


def test_all_masters_have_the_same_points():
    family = family_of(installed("Lato"))
    tables = [opened(edited(family, k, name="Hand", flavour="ttf"))["glyf"] for k in range(5)]
    for name in family.glyphs:
        seen = {
            (
                tuple(getattr(table[name], "endPtsOfContours", ())),
                bytes(getattr(table[name], "flags", b"")),
            )
            for table in tables
        }
        assert len(seen) == 1


def test_the_same_source_gives_the_same_bytes(source):
    for flavour in FLAVOURS:
        one, two = (edited(family_of(source), 1, name="Hand", flavour=flavour) for _ in range(2))
        assert one == two


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_layout_of_the_source_goes_on_working(source, flavour):
    text = next((TEXTS[n] for n in SAMPLES if source == _cached(n)), "AV Ta fi Te éé TéAt VÅ op")
    before = opened(source)
    data = edited(
        family_of(source), 1, name="Hand", flavour="ttf" if flavour == "woff2" else flavour
    )
    after = opened(data)
    old, new = shaped(source, text), shaped(data, text)
    assert [name for name, *_ in old] == [name for name, *_ in new]
    for (name, was, *_), (_, now, *_) in zip(old, new, strict=True):
        if text.isascii() and was:
            assert was - before["hmtx"][name][0] == now - after["hmtx"][name][0]


def _cached(name):
    try:
        return installed(name, TEXTS[name])
    except pytest.skip.Exception:
        return b""


def test_the_family_is_renamed_and_the_style_stays():
    font = opened(edited(family_of(little()), 1, name="Fée & Co", flavour="otf"))
    names = font["name"]
    assert [names.getDebugName(i) for i in (1, 2, 3, 4, 6)] == [
        "Fée & Co",
        "Bold Italic",
        "1.500;TEST;FeCo-BoldItalic",
        "Fée & Co Bold Italic",
        "FeCo-BoldItalic",
    ]
    assert font["CFF "].cff.fontNames == ["FeCo-BoldItalic"]
    assert font["head"].macStyle == 3
    assert font["OS/2"].fsSelection == opened(little())["OS/2"].fsSelection
    assert "Little" not in {names.getDebugName(i) for i in (1, 3, 4, 6, 16, 17, 18, 21, 22, 25)}


def test_makers_and_licence_stay_and_the_description_says_what_was_done():
    names = opened(edited(family_of(little()), 1, name="Hand", flavour="ttf"))["name"]
    before = opened(little())["name"]
    for number in (0, 5, 7, 9, 13):
        assert names.getDebugName(number) == before.getDebugName(number)
    told = "Redrawn by vce from Little Bold Italic (Version 1.500). Small."
    assert names.getDebugName(10) == told


def test_a_style_beyond_the_four_stays_what_it_is():
    font = opened(installed("Lato Black Italic"))
    naming.rename(font, "Hand")
    called = [font["name"].getDebugName(i) for i in (1, 2, 4, 6, 16, 17)]
    assert called == [
        "Hand Black",
        "Italic",
        "Hand Black Italic",
        "Hand-BlackItalic",
        "Hand",
        "Black Italic",
    ]


@pytest.mark.parametrize(
    ("style", "bits", "called"),
    [
        ("Regular", 64, ("H", "Regular", "H Regular", None, None)),
        ("Book", 64, ("H", "Regular", "H Book", "H", "Book")),
        ("Bold Oblique", 33, ("H", "Bold Italic", "H Bold Oblique", "H", "Bold Oblique")),
        ("Light", 64, ("H Light", "Regular", "H Light", "H", "Light")),
        ("Bold Condensed", 32, ("H Condensed", "Bold", "H Condensed Bold", "H", "Bold Condensed")),
        ("12 Regular", 64, ("H 12", "Regular", "H 12 Regular", "H", "12 Regular")),
    ],
)
def test_the_four_styles_are_told_by_flags_and_all_others_by_names(style, bits, called):
    font = opened(little())
    font["OS/2"].fsSelection = bits
    for platform in ((3, 1, 0x409), (1, 0, 0)):
        font["name"].setName(style, 17, *platform)
    naming.rename(font, "H")
    assert tuple(font["name"].getDebugName(i) for i in (1, 2, 4, 16, 17)) == called


def test_names_change_on_all_platforms_and_in_all_languages():
    font = opened(little())
    for number, text in {1: "Klein", 2: "Fett Kursiv", 4: "Klein Fett Kursiv"}.items():
        font["name"].setName(text, number, 3, 1, 0x407)
        font["name"].setName("Little" + text, number, 1, 0, 0)
        font["name"].setName("Little" + text, number, 0, 3, 0)
    naming.rename(font, "手 Hand")
    for record in font["name"].names:
        if record.nameID in naming.RENAMED:
            assert not set(record.toUnicode().split()) & {"Little", "Klein", "LittleKlein"}
    assert font["name"].getName(4, 3, 1, 0x407).toUnicode() == "手 Hand Fett Kursiv"
    assert font["name"].getName(2, 3, 1, 0x407).toUnicode() == "Fett Kursiv"
    assert font["name"].getName(1, 1, 0, 0) is None  # Mac Roman has no such character
    assert font["name"].getName(6, 1, 0, 0).toUnicode() == "Hand-BoldItalic"
    saved(font)


def test_a_version_forgets_the_program_whose_instructions_are_gone():
    names = opened(edited(family_of(installed("Thai", TEXTS["Thai"])), 1, name="H", flavour="ttf"))
    assert names["name"].getDebugName(5) == "Version 2.000"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('Copyright 2001 A (a@b), with Reserved Font Name "Lit Tle".', ("Lit Tle",)),
        ("with Reserved Font Names 'Lit' and 'Tle'. This Font", ("Lit", "Tle")),
        ("(c) A, with Reserved Font Name Lit, Tle.", ("Lit", "Tle")),
        ("no reserved font name", ()),
    ],
)
def test_reserved_names_are_read_from_the_licence(text, names):
    font = opened(little())
    font["name"].setName(text, 0, 3, 1, 0x409)
    font["name"].setName(text, 0, 1, 0, 0)
    assert naming.reserved_names(font) == names


def test_a_postscript_name_is_short_ascii():
    assert naming.postscript_name("手書き", "太字") == "Untitled-Regular"
    assert naming.postscript_name("A B-(c)", "Bold Italic") == "ABc-BoldItalic"
    assert len(naming.postscript_name("x" * 99, "Bold Italic")) == 63


def test_hinting_goes_and_says_so():
    font = opened(edited(family_of(installed("Lato")), 1, name="Hand", flavour="ttf"))
    assert not {"fpgm", "cvt ", "hdmx", "LTSH", "VDMX", "DSIG", "FFTM"} & set(font.keys())
    assert font["gasp"].gaspRange == {0xFFFF: 0x000F}
    assert font["prep"].program.getBytecode().hex() == "b801ff85b0048d"
    assert not any(
        glyph.program.getBytecode()
        for glyph in map(font["glyf"].__getitem__, font.getGlyphOrder())
        if hasattr(glyph, "program")
    )


def test_pictures_of_the_old_drawing_go():
    font = opened(little())
    font["SVG "] = newTable("SVG ")
    font["SVG "].docList = [('<svg xmlns="http://www.w3.org/2000/svg"/>', 3, 3)]
    data = edited(family_of(saved(font)), 1, name="Hand", flavour="ttf")
    assert "SVG " not in opened(data)


def test_heights_follow_the_ink_and_limits_grow_with_it():
    family = family_of(little())
    before, after = opened(little()), opened(edited(family, 2, name="Hand", flavour="ttf"))
    for measure, letter in (("sxHeight", "x"), ("sCapHeight", "H")):
        tops = [font["glyf"][letter].yMax for font in (before, after)]
        risen = getattr(after["OS/2"], measure) - getattr(before["OS/2"], measure)
        assert abs(risen - (tops[1] - tops[0])) <= 1
    inside = ("ascent", "descent", "lineGap")
    assert [getattr(after["hhea"], k) for k in inside] == [
        getattr(before["hhea"], k) for k in inside
    ]
    # The third hand is the tallest; lines are as far apart in all hands.
    tall = opened(edited(family, 3, name="Hand", flavour="ttf"))
    limits = {font["OS/2"].usWinAscent for font in (after, tall)}
    assert limits == {max(850, tall["head"].yMax)}


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_caret_leans_as_the_hand_does_and_the_style_stays(flavour):
    source = installed("Lato")
    for master, hand in enumerate(HANDS, 1):
        font = opened(edited(family_of(source), master, name="Hand", flavour=flavour))
        slant, hhea = math.degrees(math.atan(hand.slant / hand.height)), font["hhea"]
        caret = math.degrees(math.atan2(hhea.caretSlopeRun, hhea.caretSlopeRise))
        assert caret == pytest.approx(slant, abs=0.05)
        assert font["post"].italicAngle == opened(source)["post"].italicAngle == 0
        for table, flags in (("OS/2", "fsSelection"), ("head", "macStyle")):
            assert getattr(font[table], flags) == getattr(opened(source)[table], flags)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_an_italic_font_leans_by_its_own_angle_and_its_hands(flavour):
    before, hand = opened(installed("DejaVu Sans Bold Oblique")), HANDS[0]
    assert before["post"].italicAngle == -11
    family = family_of(installed("DejaVu Sans Bold Oblique"))
    font = opened(edited(family, 1, name="Hand", flavour=flavour))
    slope = (hand.width * math.tan(math.radians(11)) + hand.slant) / hand.height
    assert font["post"].italicAngle == pytest.approx(-math.degrees(math.atan(slope)), abs=0.01)
    if "CFF " in font:
        said = font["CFF "].cff.topDictIndex[0].ItalicAngle
        assert said == pytest.approx(font["post"].italicAngle, abs=1e-3)


def test_a_font_whose_slant_is_not_seen_says_that_it_is_upright():
    family = family_of(installed("Lato"), (Hand(1, 1, 0.01, 5), Hand(1, 1, 0, 5)))
    for master in (1, 2):
        font = opened(edited(family, master, name="Hand", flavour="ttf"))
        assert (font["post"].italicAngle, font["hhea"].caretSlopeRun) == (0, 0)


def test_limits_of_the_line_that_agree_go_on_agreeing():
    source = installed("DejaVu Sans")
    font = opened(edited(family_of(source), 3, name="Hand", flavour="ttf"))
    assert font["hhea"].ascent == font["OS/2"].usWinAscent > opened(source)["hhea"].ascent
    # Some of the source's ink lies beyond its limits already: that of the hand does as far.
    grown = font["OS/2"].usWinAscent - opened(source)["OS/2"].usWinAscent
    tallest = opened(edited(family_of(source), 2, name="Hand", flavour="ttf"))
    tops = [f["head"].yMax for f in (font, tallest, opened(source))]
    assert grown == max(tops) - tops[2]
    for kept in ("sTypoAscender", "sTypoDescender", "sTypoLineGap", "fsSelection", "panose"):
        one, two = (getattr(f["OS/2"], kept) for f in (font, opened(source)))
        assert getattr(one, "__dict__", one) == getattr(two, "__dict__", two)


def test_typographic_lines_grow_where_all_lines_agree():
    font = opened(edited(family_of(installed("Thai", TEXTS["Thai"])), 3, name="H", flavour="ttf"))
    os2, hhea = font["OS/2"], font["hhea"]
    assert os2.sTypoAscender == hhea.ascent == os2.usWinAscent >= font["head"].yMax
    assert -os2.sTypoDescender == -hhea.descent == os2.usWinDescent >= -font["head"].yMin


def test_the_vertical_origin_stays():
    font = opened(little())
    font["vmtx"] = newTable("vmtx")
    tops = {name: getattr(font["glyf"][name], "yMax", 0) for name in font.getGlyphOrder()}
    font["vmtx"].metrics = {name: (1000, 880 - top) for name, top in tops.items()}
    font["vhea"] = vhea = newTable("vhea")
    vhea.tableVersion, vhea.ascent, vhea.descent, vhea.lineGap = 0x00010000, 500, -500, 0
    for key in ("caretSlopeRise", "caretSlopeRun", "caretOffset", "metricDataFormat"):
        setattr(vhea, key, 0)
    for key in ("reserved1", "reserved2", "reserved3", "reserved4", "numberOfVMetrics"):
        setattr(vhea, key, 0)
    for key in ("advanceHeightMax", "minTopSideBearing", "minBottomSideBearing", "yMaxExtent"):
        setattr(vhea, key, 0)
    after = opened(edited(family_of(saved(font)), 3, name="Hand", flavour="ttf"))
    for name in after.getGlyphOrder()[2:]:
        assert after["vmtx"][name] == (1000, 880 - after["glyf"][name].yMax)
    # CFF has a table of its own for it; one glyph's origin is another than those of the rest.
    font["vmtx"].metrics["a"] = (1000, 800 - tops["a"])
    origins = opened(edited(family_of(saved(font)), 3, name="Hand", flavour="otf"))["VORG"]
    inked = [name for name, top in tops.items() if top and name != "a"]
    assert (origins["a"], {origins[name] for name in inked}) == (800, {880})


def test_woff2_is_the_same_font_packed():
    data = edited(family_of(little()), 1, name="Hand", flavour="ttf")
    packed = opened(pack(data))
    assert packed.flavor == "woff2"
    assert packed["glyf"]["a"].coordinates == opened(data)["glyf"]["a"].coordinates
    assert pack(data)[:4] == b"wOF2"


def test_a_font_without_layout_tables_is_edited_too():
    data = edited(family_of(little(features="")), 1, name="Hand", flavour="ttf")
    assert not {"GSUB", "GPOS", "GDEF"} & set(opened(data).keys())
    assert "feature kern" in FEATURES


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_an_old_font_gets_the_tables_it_lacks(flavour, tmp_path):
    for cubic in (False, True):
        font = opened(little(cubic=cubic))
        for tag in ("OS/2", "name", "post"):
            del font[tag]
        data = edited(family_of(saved(font)), 1, name="Hand", flavour=flavour)
        (tmp_path / "font").write_bytes(data)
        ots.sanitize(tmp_path / "font", tmp_path / "clean", check=True, capture_output=True)
        names = opened(data)["name"]
        called = ["Hand", "Bold Italic", "Hand Bold Italic"]
        assert [names.getDebugName(i) for i in (1, 2, 4)] == called
        assert opened(data)["OS/2"].usWinAscent >= 800
