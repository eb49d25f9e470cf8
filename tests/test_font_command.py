"""`vce convert` where a font comes out: one a hand, axes, letters in turn, a page, a pipe."""

import io
import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import uharfbuzz
from blocks import build
from conftest import names, one_line, scribble, start
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0
from matplotlib import get_data_path
from PIL import Image
from ufoLib2 import Font

FONT = Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf")
SEED = ("--seed", 7)


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    """Four hands of a few letters, made once."""
    folder = tmp_path_factory.mktemp("four")
    given = (FONT, "--text", "AVo", "-n", 4, *SEED, "-o", "hand.ttf")
    with start(folder, "convert", *given) as process:
        said = process.stderr.read()
    assert process.returncode == 0, said
    return folder


@pytest.fixture
def font(tmp_path):
    return build(tmp_path / "blocks.ttf")


def advances(path, text="AVo"):
    with TTFont(path) as font:
        characters = font.getBestCmap()
        return tuple(font["hmtx"][characters[ord(c)]][0] for c in text)


def outlines(path):
    """What each glyph draws, by name."""
    with TTFont(path) as font:
        glyphs, found = font.getGlyphSet(), {}
        for name in font.getGlyphOrder():
            pen = DecomposingRecordingPen(glyphs)
            glyphs[name].draw(pen)
            found[name] = pen.value
        return found


def set_width(path, text, features):
    """How long a line is, as HarfBuzz sets it."""
    shaped = uharfbuzz.Buffer()
    shaped.add_str(text)
    shaped.guess_segment_properties()
    uharfbuzz.shape(uharfbuzz.Font(uharfbuzz.Face(path.read_bytes())), shaped, features)
    return sum(position.x_advance for position in shaped.glyph_positions)


def test_four_hands_are_four_fonts_of_their_own(four):
    assert names(four) == [f"hand-0{hand}.ttf" for hand in (1, 2, 3, 4)]
    assert len({advances(path) for path in four.iterdir()}) == 4
    assert len({str(outlines(path)) for path in four.iterdir()}) == 4
    families = [TTFont(four / name)["name"].getBestFamilyName() for name in names(four)]
    assert families == [f"hand-0{hand}" for hand in (1, 2, 3, 4)]


def test_a_few_letters_are_as_in_the_hands_of_the_whole_font(vce, font, tmp_path):
    vce("convert", font, "-n", 2, *SEED, "-o", "whole.ttf")
    done = vce("convert", font, "-n", 2, *SEED, "--text", "Ao", "-o", "few.ttf", "--json")
    assert json.loads(done.stdout)["inputs"] == [{"name": "Blocks", "source": str(font)}]
    for hand in (1, 2):
        whole, few = (outlines(tmp_path / f"{name}-0{hand}.ttf") for name in ("whole", "few"))
        assert {name: whole[name] for name in few} == few
        assert len(few) < len(whole)


def without_widths(font):
    for name in font.getGlyphOrder():
        font["hmtx"][name] = (0, font["hmtx"][name][1])


def nested(font):
    """Each of twelve letters is made of the one before, moved by ten."""
    inner = font.getBestCmap()[ord("a")]
    for letter in "bcdefghijklm":
        pen = TTGlyphPen(font.getGlyphSet())
        pen.addComponent(inner, (1, 0, 0, 1, 10, 0))
        inner = font.getBestCmap()[ord(letter)]
        font["glyf"][inner] = pen.glyph()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda font: font.__delitem__("post"),
        lambda font: font.__delitem__("name"),
        without_widths,
        nested,
    ],
    ids=["no post", "no name", "no widths", "nested"],
)
def test_odd_fonts_are_moved(spoil, vce, tmp_path):
    with TTFont(build(tmp_path / "odd.ttf", "abcdefghijklmno")) as font:
        spoil(font)
        font.save(tmp_path / "odd.ttf")
    vce("convert", "odd.ttf", "-n", 1, *SEED, "-o", "hand.ttf")
    with TTFont(tmp_path / "hand.ttf") as font:
        assert font["glyf"][font.getBestCmap()[ord("a")]].numberOfContours


def test_what_a_ufo_cannot_say_is_left_out(vce, tmp_path):
    with TTFont(build(tmp_path / "odd.ttf")) as font:
        os2 = font["OS/2"]
        os2.achVendID, os2.usWidthClass, os2.fsType, os2.sFamilyClass = "\0\0\0\0", 0, 0x14, 0x7F00
        font["head"].flags |= 1 << 15
        font["name"].setName("a\x07b", 0, 3, 1, 0x409)
        font.save(tmp_path / "odd.ttf")
    vce("convert", "odd.ttf", "-n", 1, *SEED, "-o", "hand.ufo")
    info = Font.open(tmp_path / "hand.ufo").info
    assert (info.openTypeOS2WidthClass, info.openTypeOS2Type, info.copyright) == (1, [2], "ab")


def test_a_glyph_too_large_to_be_moved_is_named(vce, tmp_path):
    with TTFont(build(tmp_path / "large.ttf")) as font:
        glyph = font["glyf"]["g1"]
        glyph.coordinates.scale((81, 1))
        glyph.recalcBounds(font["glyf"])
        font.save(tmp_path / "large.ttf")
    done = vce("convert", "large.ttf", "-n", 4, *SEED, "-o", "hand.ttf", status=3)
    one_line(done, "g1 would be too large for a font's file")


def test_joined_letters_take_no_turns(vce, tmp_path):
    done = vce(
        "convert", FONT, "--text", "بسم", "--alternates", 3, *SEED, "-o", "turns.ttf", status=2
    )
    one_line(done, "all drawings of each letter would be alike")
    assert not list(tmp_path.iterdir())


def test_the_kerning_of_the_source_is_kept(four):
    wanted = set_width(FONT, "AVA", {}) - set_width(FONT, "AVA", {"kern": False})
    assert wanted < 0
    for path in four.iterdir():
        kerned, plain = (set_width(path, "AVA", {"kern": kern}) for kern in (True, False))
        assert kerned - plain == wanted


def test_two_jobs_give_the_bytes_of_one(vce, tmp_path):
    letters = "".join(map(chr, range(0x61, 0x61 + 18)))  # more than one process takes at a time
    build(tmp_path / "many.ttf", letters=letters)
    for jobs in (1, 2):
        vce("convert", "many.ttf", "-n", 2, *SEED, "--jobs", jobs, "-o", f"{jobs}/{{rule}}.ttf")
    for name in ("1.ttf", "2.ttf"):
        one, two = ((tmp_path / str(jobs) / name).read_bytes() for jobs in (1, 2))
        assert one == two


def test_one_variable_font_holds_all_hands(vce, tmp_path, font):
    vce("convert", font, "--text", "Ao", "-n", 3, *SEED, "--variable", "-o", "hands.ttf")
    assert not list(tmp_path.glob("hands-*"))
    with TTFont(tmp_path / "hands.ttf") as made:
        axes = made["fvar"].axes
        assert [(a.minValue, a.defaultValue, a.maxValue) for a in axes] == [(0, 0, 100)] * 3
        assert {"gvar", "HVAR", "STAT"} <= set(made.keys())
        assert len(made["fvar"].instances) >= 3
    before = outlines(font)
    bounds = [
        [np.concatenate([p for _, p in drawn[name] if p]) for name in ("g0", "g4")]
        for drawn in (before, outlines(tmp_path / "hands.ttf"))
    ]
    for old, new in zip(*bounds, strict=True):  # at rest it is the source
        assert old.min(0).tolist() == new.min(0).tolist()
        assert old.max(0).tolist() == new.max(0).tolist()


def test_letters_that_take_turns_are_one_font(vce, tmp_path, font):
    vce("convert", font, "--text", "Ao", "--alternates", 3, *SEED, "-o", "turns.ttf")
    with TTFont(tmp_path / "turns.ttf") as made:
        assert len(made.getGlyphOrder()) >= 4 + 2 * 2
        tags = {record.FeatureTag for record in made["GSUB"].table.FeatureList.FeatureRecord}
    assert "calt" in tags
    shaped = uharfbuzz.Buffer()
    shaped.add_str("AAA")
    shaped.guess_segment_properties()
    face = uharfbuzz.Face((tmp_path / "turns.ttf").read_bytes())
    uharfbuzz.shape(uharfbuzz.Font(face), shaped, {})
    assert len({info.codepoint for info in shaped.glyph_infos}) == 3


@pytest.mark.parametrize(
    ("suffix", "table", "start"),
    [("ttf", "glyf", b"\0\1\0\0"), ("otf", "CFF ", b"OTTO"), ("woff2", "glyf", b"wOF2")],
)
def test_each_form_is_what_its_suffix_says(vce, tmp_path, font, suffix, table, start):
    vce("convert", font, "--text", "Ao", "-n", 1, *SEED, "-o", f"hand.{suffix}")
    assert (tmp_path / f"hand.{suffix}").read_bytes().startswith(start)
    with TTFont(tmp_path / f"hand.{suffix}") as made:
        assert table in made
        assert {0x41, 0x6F, 0x20} == made.getBestCmap().keys()
        assert made["name"].getBestFamilyName() == "hand"


def test_a_page_holds_its_fonts(vce, tmp_path, font):
    vce("convert", font, "--text", "Ao", "-n", 2, *SEED, "-o", "proof.html")
    page = (tmp_path / "proof.html").read_text()
    assert names(tmp_path) == ["blocks.ttf", "proof.html"]
    assert page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>")
    assert "--seed 7" in page
    assert "d09GM" in page  # the beginning of a WOFF2 in base 64


def test_the_family_is_called_as_asked(vce, tmp_path, font):
    given = (font, "--text", "Ao", *SEED, "--family", "Miss Pell")
    vce("convert", *given, "-n", 2, "-o", "x-{rule}.ttf")
    vce("convert", *given, "-n", 1, "-o", "x.ttf")
    called = [
        TTFont(tmp_path / f"{name}.ttf")["name"].getBestFamilyName() for name in ("x-1", "x-2", "x")
    ]
    assert called == ["Miss Pell 1", "Miss Pell 2", "Miss Pell"]


def test_without_liveliness_all_letters_are_moved_by_one_affine_map(vce, tmp_path, font):
    """Parallel sides stay parallel, and lean alike in every letter."""
    vce("convert", font, "--text", "AHo.", "-n", 1, *SEED, "--liveliness", 0, "-o", "x.ttf")
    leans, levels = [], []
    for name, drawn in outlines(tmp_path / "x.ttf").items():
        places, here = [], None
        for kind, points in drawn:
            if kind == "moveTo":
                first = here = points[0]
            elif kind in ("lineTo", "closePath"):
                end = points[0] if points else first
                places.append((here, end))
                here = end
            else:
                raise AssertionError(f"{name} has curves")
        sides = np.array([np.subtract(*side) for side in places if name != ".notdef"])
        for x, y in sides:
            if abs(y) > 200:
                leans.append(x / y)
            elif abs(x) > 200:
                levels.append(y / x)
    assert np.ptp(leans) < 0.02
    assert np.abs(levels).max() < 0.01
    assert min(len(leans), len(levels)) >= 6


def test_a_font_goes_down_a_pipe(vce, tmp_path, font):
    given = ("convert", font, "--text", "Ao", "-n", 1, *SEED, "--family", "Hand")
    done = vce(*given, "-o", "-", "--format", "ttf", text=False)
    vce(*given, "-o", "file.ttf")
    assert done.stdout == (tmp_path / "file.ttf").read_bytes()
    assert done.stderr == b""
    assert TTFont(io.BytesIO(done.stdout))["name"].getBestFamilyName() == "Hand"


def test_images_are_a_font_if_their_names_say_which_letters_they_are(vce, tmp_path):
    for character, name in enumerate(("p", "uni0071")):
        scribble(character, 0).save(tmp_path / f"{name}.png")
    vce("convert", "p.png", "uni0071.png", "-n", 2, *SEED, "-o", "drawn.ttf")
    assert names(tmp_path) == ["drawn-01.ttf", "drawn-02.ttf", "p.png", "uni0071.png"]
    made = [outlines(tmp_path / f"drawn-0{hand}.ttf") for hand in (1, 2)]
    assert made[0] != made[1]
    assert TTFont(tmp_path / "drawn-01.ttf").getBestCmap().keys() == {0x20, 0xA0, 0x70, 0x71}
    assert all(made[0][name] for name in ("uni0070", "uni0071"))


def test_an_image_that_no_font_can_take_is_named_and_the_others_become_one(vce, tmp_path):
    folder = tmp_path / "glyphs"
    folder.mkdir()
    for character, name in enumerate(("a", "b", "hello", "IMG_0001")):
        scribble(character, 0).save(folder / f"{name}.png")
    (folder / "c.png").write_text("no image")
    Image.new("L", (40, 40), 255).save(folder / "d.png")
    row = Image.new("L", (3 * 105, 105), 255)
    for character in range(3):
        row.paste(scribble(character, 0), (105 * character, 0))
    row.save(folder / "e.png")
    done = vce("convert", "glyphs/", "-n", 1, *SEED, "-o", "hand.ttf", "--json", status=6)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    kept = [json.loads(done.stdout)["failures"][i]["input"] for i in range(5)]
    assert kept == [f"glyphs/{name}.png" for name in ("IMG_0001", "c", "d", "e", "hello")]
    assert all(name in error for name, error in zip(kept, errors, strict=False))
    assert "does not say which character it is" in errors[0]
    assert errors[5:] == ["error: 5 of 7 failed; the rest is written"]
    assert TTFont(tmp_path / "hand.ttf").getBestCmap().keys() == {0x20, 0xA0, 0x61, 0x62}


@pytest.mark.parametrize("name", ["space.png", "uni00A0.png", "space.svg"])
def test_ink_that_is_named_a_space_is_refused_and_the_others_become_a_font(vce, tmp_path, name):
    scribble(0, 0).save(tmp_path / "a.png")
    if name.endswith(".svg"):
        box = '<path d="M10 10H90V90H10Z"/>'
        (tmp_path / name).write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">{box}</svg>'
        )
    else:
        scribble(1, 0).save(tmp_path / name)
    done = vce("convert", "a.png", name, "-n", 1, *SEED, "-o", "hand.ttf", status=6)
    assert f"{name} holds ink, and a space has none" in done.stderr
    assert TTFont(tmp_path / "hand.ttf").getBestCmap().keys() == {0x20, 0xA0, 0x61}


def test_images_that_all_say_no_character_are_one_error(vce, tmp_path):
    for character, name in enumerate(("hello", "IMG_0001")):
        scribble(character, 0).save(tmp_path / f"{name}.png")
    done = vce("convert", "hello.png", "IMG_0001.png", *SEED, "-o", "hand.ttf", status=2)
    one_line(done, "hello.png does not say which character it is")


def test_a_source_is_left_as_it_was(vce, font):
    before = font.read_bytes()
    vce("convert", font, "--text", "A", "-n", 1, *SEED, "-o", "x.ttf")
    assert font.read_bytes() == before


WRONG = [
    (("-o", "x.otf", "--variable"), "a .otf has no axes"),
    (("-o", "x.png", "--variable"), "a .png has no axes"),
    (("-o", "x.svg", "--alternates", 2), "a .svg has no alternates"),
    (("-o", "x.html", "--alternates", 2), "a .html has no alternates"),
    (("-o", "x.ttf", "--alternates", 2, "-n", 2), "--alternates and --number exclude each other"),
    (("-o", "x.ttf", "--alternates", 2, "--variable"), "--alternates and --variable exclude"),
    (("-o", "{char}.ttf", "-n", 1), "a font holds all glyphs"),
    (("-o", "{char}-{rule}.ttf", "-n", 2), "a font holds all glyphs"),
    (
        (
            "-o",
            "x-{rule}.html",
        ),
        "a .html holds all glyphs and rules",
    ),
    (("-o", "-", "--format", "ttf", "-n", 2), "a font holds one hand"),
    (("-o", "-", "--format", "ttf", "-n", 1, "--json"), "both want standard output"),
    (("-o", "x.ttf", "--liveliness", "nan"), "--liveliness is no number"),
    (("-o", "x.ttf", "--location", "wght=600"), "blocks.ttf has no axes"),
    (("-o", "x.ttf", "--chars", "klingon"), "no characters are called 'klingon'"),
    (("-o", "blocks.ttf", "-n", 1), "blocks.ttf is an input"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=lambda value: None)
def test_a_wrong_combination_is_one_line_and_2(vce, tmp_path, font, arguments, words):
    done = vce("convert", font.name, "--seed", 1, *arguments, status=2)
    said = done.stderr.splitlines()
    assert words in said[0]
    assert said[0].startswith("error: ")
    assert len(said) <= 2
    assert not said[1:] or said[1].startswith("hint: ")
    assert done.stdout == ""
    assert names(tmp_path) == ["blocks.ttf"]


def test_options_of_fonts_have_limits(vce, font):
    for arguments in (
        ("--alternates", 1),
        ("--alternates", 21),
        ("--liveliness", 3),
        ("--jobs", 0),
    ):
        assert vce("convert", font, *arguments, "-o", "x.ttf", status=2).stdout == ""


def test_two_fonts_or_an_image_beside_one_are_no_source(vce, tmp_path, font):
    scribble(1, 0).save(tmp_path / "p.png")
    shutil.copy(font, tmp_path / "other.ttf")
    for other in ("p.png", "other.ttf"):
        done = vce("convert", "blocks.ttf", other, *SEED, "-o", "x.ttf", status=2)
        assert done.stderr.splitlines() == [
            "error: a font is made of one font or of images, and 2 inputs are given",
            "hint: give blocks.ttf alone",
        ]


@pytest.mark.parametrize(
    ("tag", "out"), [(b"glyf", "x.png"), (b"glyf", "x.ttf"), (b"OS/2", "x.ttf")]
)
def test_a_font_with_a_table_cut_short_is_3(vce, tmp_path, tag, out):
    data = bytearray(build(tmp_path / "a.ttf").read_bytes())
    at = data.index(tag, 12) + 12
    data[at : at + 4] = struct.pack(">L", struct.unpack(">L", data[at : at + 4])[0] - 30)
    (tmp_path / "a.ttf").write_bytes(data)
    done = vce("convert", "a.ttf", "--text", "A", "-n", 1, "--seed", 1, "-o", out, status=3)
    assert done.stderr.startswith("error: ")


def test_characters_in_a_pattern_of_fonts_are_refused_for_many_hands_too(vce, tmp_path):
    build(tmp_path / "blocks.ttf")
    done = vce("convert", "blocks.ttf", "-n", 2, "--seed", 1, "-o", "{char}.ttf", status=2)
    assert "a font holds all glyphs" in done.stderr


def reserving(path, name):
    """A font whose licence reserves a name."""
    with TTFont(build(path)) as font:
        notice = f"Copyright 2020 A Maker, with Reserved Font Name {name}."
        font["name"].setName(notice, 0, 3, 1, 0x409)
        font.save(path)
    return path


def family_of(path):
    with TTFont(path) as font:
        return font["name"].getBestFamilyName()


def test_a_name_that_the_licence_reserves_is_not_taken_by_itself(vce, tmp_path):
    source = reserving(tmp_path / "blocks.ttf", "Blocks")
    done = vce("convert", source, "-n", 2, "--text", "A", *SEED, "-o", "blocks-hand.ttf")
    assert "reserves the name Blocks: the family is vce" in done.stderr
    assert [family_of(tmp_path / f"blocks-hand-0{i}.ttf") for i in (1, 2)] == ["vce 1", "vce 2"]
    given = (source, "--text", "A", "-n", 1, *SEED, "-o", "mine.ttf", "--family")
    assert "choose another" in vce("convert", *given, "My Blocks").stderr
    assert family_of(tmp_path / "mine.ttf") == "My Blocks"
    assert "reserves" not in vce("convert", *given, "Cubes").stderr


def test_the_old_kern_table_names_only_glyphs_with_a_character(vce, tmp_path):
    source = tmp_path / "kerned.ttf"
    with TTFont(build(source, "AHio ")) as font:
        addOpenTypeFeaturesFromString(
            font, "feature liga { sub g0 by g3; } liga; feature kern { pos g0 g1 -50; } kern;"
        )
        table = newTable("kern")
        old = KernTable_format_0()
        old.coverage, old.tupleIndex = 1, None
        old.kernTable = {("g0", "g1"): -50, ("g3", "g1"): -40}
        unnamed = KernTable_format_0()
        unnamed.coverage, unnamed.tupleIndex, unnamed.kernTable = 1, None, {("g3", "g3"): -30}
        table.version, table.kernTables, font["kern"] = 0, [old, unnamed], table
        font.save(source)
    vce("convert", source, "--text", "AH", "-n", 1, *SEED, "-o", "hand.ttf")
    with TTFont(tmp_path / "hand.ttf") as font:
        (only,) = font["kern"].kernTables
        assert only.kernTable == {("g0", "g1"): -50}
        assert "g3" in font.getGlyphOrder()
