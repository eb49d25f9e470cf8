"""One variable font whose axes are hands."""

from io import BytesIO

import ots
import pytest
from families import HANDS, SOURCES, TEXTS, family_of, installed, little
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont
from PIL import Image, ImageDraw, ImageFont
from test_anchors import anchors
from test_hand_fonts import opened, saved, shaped

from vce_models.fonts.editing import edited, pack
from vce_models.fonts.variable import axis_tag, variable

AXES = [axis_tag(hand) for hand in range(1, len(HANDS) + 1)]
MIXED = "AV Ta fi Te é o\u0323 fi\u0301 a\u0300\u0301 nk Mississippi"


@pytest.fixture(params=SOURCES)
def source(request):
    return SOURCES[request.param]()


def at(hand):
    return {tag: 100 * (tag == f"HND{hand}") for tag in AXES}


def test_at_100_it_is_the_font_of_the_hand_point_for_point(source):
    whole = variable(family_of(source), name="Hands")
    for hand in range(len(HANDS) + 1):
        alone = opened(edited(family_of(source), hand, name="Hand", flavour="ttf"))
        one = opened(saved(instantiateVariableFont(opened(whole), at(hand))))
        assert one.getGlyphOrder() == alone.getGlyphOrder()
        for name in alone.getGlyphOrder():
            got, wanted = one["glyf"][name], alone["glyf"][name]
            assert one["hmtx"][name] == alone["hmtx"][name]
            assert got.numberOfContours == wanted.numberOfContours
            if wanted.numberOfContours > 0:
                assert got.coordinates == wanted.coordinates
                assert got.endPtsOfContours == wanted.endPtsOfContours
                assert [flag & 1 for flag in got.flags] == [flag & 1 for flag in wanted.flags]


@pytest.mark.parametrize("name", ["little", "Lato", "DejaVu Sans", *TEXTS])
def test_it_is_set_as_the_font_of_the_hand(name):
    source, text = SOURCES[name](), TEXTS.get(name, MIXED)
    whole = variable(family_of(source), name="Hands")
    for hand in (0, 2, 4):
        alone = edited(family_of(source), hand, name="Hand", flavour="ttf")
        assert shaped(whole, text, variations=at(hand)) == shaped(alone, text)


def test_halfway_glyphs_marks_and_widths_are_halfway():
    whole = variable(family_of(little()), name="Hands")
    none, half, full = (shaped(whole, MIXED, variations={"HND3": value}) for value in (0, 50, 100))
    for (_, *zero), (_, *middle), (_, *one) in zip(none, half, full, strict=True):
        for a, b, c in zip(zero, middle, one, strict=True):
            assert b == pytest.approx((a + c) / 2, abs=2)


@pytest.mark.parametrize("name", ["little", *TEXTS])
def test_instances_keep_the_anchors_of_their_hand(name):
    source = SOURCES[name]()
    whole = opened(variable(family_of(source), name="Hands"))
    one = anchors(saved(instantiateVariableFont(whole, at(3))))
    two = anchors(edited(family_of(source), 3, name="Hand", flavour="ttf"))
    places = [[(a.XCoordinate, a.YCoordinate) for a in found] for found in (one, two)]
    assert places[0] == places[1]


@pytest.mark.parametrize("name", ["Lato", "DejaVu Sans Bold Oblique"])
def test_carets_lean_as_in_the_font_of_the_hand(name):
    family = family_of(SOURCES[name]() if name in SOURCES else installed(name))
    whole = variable(family, name="Hands")
    still = opened(edited(family, 0, name="Hand", flavour="ttf"))
    assert opened(whole)["post"].italicAngle == still["post"].italicAngle
    for hand in range(len(HANDS) + 1):
        alone = opened(edited(family, hand, name="Hand", flavour="ttf"))["hhea"]
        one = instantiateVariableFont(opened(whole), at(hand))["hhea"]
        assert one.caretSlopeRise == alone.caretSlopeRise > 1
        assert one.caretSlopeRun == alone.caretSlopeRun


def test_it_passes_the_sanitizer(source, tmp_path):
    (tmp_path / "font").write_bytes(variable(family_of(source), name="Hands"))
    ots.sanitize(tmp_path / "font", tmp_path / "clean", check=True, capture_output=True)


def test_axes_and_instances_are_named():
    font = opened(variable(family_of(little()), name="Hands"))
    names = font["name"]
    axes = [
        (a.axisTag, a.minValue, a.defaultValue, a.maxValue, names.getDebugName(a.axisNameID))
        for a in font["fvar"].axes
    ]
    assert axes == [(f"HND{k}", 0, 0, 100, f"Hand {k}") for k in range(1, 5)]
    called = [
        (names.getDebugName(i.subfamilyNameID), names.getDebugName(i.postscriptNameID))
        for i in font["fvar"].instances
    ]
    assert called == [
        ("Bold Italic", "Hands-BoldItalic"),
        *((f"Bold Italic Hand {k}", f"Hands-BoldItalicHand{k}") for k in range(1, 5)),
    ]
    assert [i.coordinates for i in font["fvar"].instances] == [at(k) for k in range(5)]
    assert names.getDebugName(25) == "Hands"


def test_styles_have_attributes():
    font = opened(variable(family_of(little()), name="Hands"))
    stat, names = font["STAT"].table, font["name"]
    assert [axis.AxisTag for axis in stat.DesignAxisRecord.Axis] == AXES
    values = [
        (value.AxisIndex, value.Value, names.getDebugName(value.ValueNameID), value.Flags)
        for value in stat.AxisValueArray.AxisValue
    ]
    assert values == [
        entry for k in range(4) for entry in ((k, 0, "Source", 2), (k, 100, f"Hand {k + 1}", 0))
    ]
    assert names.getDebugName(stat.ElidedFallbackNameID) == "Bold Italic"


def test_a_family_called_as_an_axis_is_told_apart_from_it():
    font = opened(variable(family_of(little()), name="Hand 1"))
    assert min(axis.axisNameID for axis in font["fvar"].axes) > 255


def test_tags_have_four_letters_however_many_hands_there_are():
    assert [axis_tag(k) for k in (1, 9, 10, 99, 100, 999)] == [
        "HND1",
        "HND9",
        "HN10",
        "HN99",
        "H100",
        "H999",
    ]


def test_the_same_source_gives_the_same_bytes():
    source = installed("Thai", TEXTS["Thai"])
    one, two = (variable(family_of(source), name="Hands") for _ in range(2))
    assert one == two
    assert TTFont(BytesIO(pack(one))).flavor == "woff2"


def test_pillow_draws_the_hands():
    whole = variable(family_of(installed("Lato")), name="Hands")

    def picture(data, axes=None):
        face = ImageFont.truetype(BytesIO(data), 60)
        if axes:
            face.set_variation_by_axes(axes)
        image = Image.new("L", (400, 90), 255)
        ImageDraw.Draw(image).text((5, 5), "Tefiln kÅ", font=face)
        return image

    for hand in (1, 2):
        alone = edited(family_of(installed("Lato")), hand, name="Hand", flavour="ttf")
        mixed = picture(whole, [100 * (k == hand) for k in range(1, 5)])
        difference = [
            abs(a - b) for a, b in zip(mixed.tobytes(), picture(alone).tobytes(), strict=True)
        ]
        assert sum(difference) / len(difference) < 0.5
    assert picture(whole, [0, 0, 0, 0]).tobytes() != picture(whole, [100, 0, 0, 0]).tobytes()
