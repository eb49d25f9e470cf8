"""Every form of result, opened again by what reads such files."""

import json
import re

import numpy as np
import pytest
from conftest import names, scribble
from PIL import Image, ImageSequence

from vce_models import rules, weights
from vce_models.glyphs import sheets

HANDS = ("-n", 3, "--seed", 5)


@pytest.fixture(autouse=True)
def glyphs(tmp_path):
    (tmp_path / "in").mkdir()
    for character, name in enumerate("ab"):
        scribble(character, 0).save(tmp_path / f"in/{name}.png")


def opened(path):
    with Image.open(path) as image:
        image.load()
        return image


def cell(sheet, row, column):
    """One cell of a sheet at scale 1: 28 pixels and gaps of 2."""
    left, top = 2 + 30 * column, 2 + 30 * row + 2 * row
    return np.asarray(sheet.convert("L"))[top : top + 28, left : left + 28]


def test_a_sheet_has_glyphs_as_rows_and_rules_as_columns(vce, tmp_path):
    vce("convert", "in", *HANDS, "--scale", 1, "-o", "sheet.png")
    vce("convert", "in", *HANDS, "-o", "array.npz")
    sheet, array = opened(tmp_path / "sheet.png"), np.load(tmp_path / "array.npz")
    assert sheet.size == (4 * 30 + 2, 2 * 32)
    for row in (0, 1):
        for column in (0, 1, 2):
            ink = 1 - cell(sheet, row, column + 1) / 255
            np.testing.assert_allclose(ink, array["images"][row, column], atol=1 / 255)


def test_an_array_holds_images_conditions_and_rules(vce, tmp_path):
    vce("convert", "in", *HANDS, "-o", "array.npz")
    array = np.load(tmp_path / "array.npz")
    assert array["images"].shape == (2, 3, 28, 28)
    assert array["images"].dtype == array["conditions"].dtype == np.float32
    assert 0 <= array["images"].min() <= array["images"].max() <= 1
    assert array["conditions"].shape == (2, 28, 28)
    assert np.array_equal(array["rules"], rules.sample(3, weights.load().config, 5))
    assert (array["names"].tolist(), array["numbers"].tolist()) == (["a", "b"], [1, 2, 3])


def test_webp_and_png_sheets_are_the_same_picture(vce, tmp_path):
    for form in ("png", "webp"):
        vce("convert", "in", *HANDS, "--labels", "--columns", 2, "-o", f"sheet.{form}")
    png, webp = (opened(tmp_path / f"sheet.{form}") for form in ("png", "webp"))
    assert png.tobytes() == webp.convert("RGB").tobytes()


def test_captions_are_never_boxes(tmp_path):
    """A character that the font of captions lacks is named by its code point."""
    for name, shown in (("é", "U+00E9"), ("e\u0301", "U+00E9"), ("字", "U+5B57"), ("ab", "ab")):
        cell = Image.new("L", (112, 112), "white")
        found, expected = (sheets.render_cells([cell], 1, [text]) for text in (name, shown))
        assert found.tobytes() == expected.tobytes()


def test_labels_are_off_by_default(vce, tmp_path):
    vce("convert", "in", *HANDS, "-o", "plain.png")
    vce("convert", "in", *HANDS, "--labels", "-o", "labels.png")
    plain, labels = (opened(tmp_path / f"{name}.png") for name in ("plain", "labels"))
    assert labels.height == plain.height + 2 * 14
    assert (np.asarray(labels)[:14] < 128).any()


def test_a_walk_is_an_animation_of_all_glyphs(vce, tmp_path):
    for form in ("gif", "webp"):
        vce("convert", "in", *HANDS, "--walk", "-o", f"walk.{form}")
        with Image.open(tmp_path / f"walk.{form}") as walk:
            assert len(list(ImageSequence.Iterator(walk))) == 3 * 12
            assert walk.size == (2 * 116 + 4, 120)
            assert walk.info["loop"] == 0


def test_a_folder_and_a_pattern_hold_one_file_a_conversion(vce, tmp_path):
    vce("convert", "in", *HANDS, "-o", "out/")
    assert names(tmp_path / "out") == [f"{c}-{n:02}.png" for c in "ab" for n in (1, 2, 3)]
    vce("convert", "in", *HANDS, "--format", "svg", "-o", "out")
    assert len(names(tmp_path / "out")) == 12
    vce("convert", "in", *HANDS, "--scale", 2, "-o", "styles/{rule}/{char}.png")
    assert names(tmp_path / "styles") == ["1", "2", "3"]
    assert opened(tmp_path / "styles/2/b.png").size == (56, 56)


def test_braces_in_a_folder_stand_for_themselves(vce, tmp_path):
    (tmp_path / "{x}").mkdir()
    vce("convert", "in", "-n", 1, "-o", "{x}")
    assert names(tmp_path / "{x}") == ["a-01.png", "b-01.png"]


def test_a_pattern_of_characters_holds_one_sheet_a_glyph(vce, tmp_path):
    vce("convert", "in", *HANDS, "-o", "sheets/{char}.png")
    assert names(tmp_path / "sheets") == ["a.png", "b.png"]
    vce("convert", "in/b.png", *HANDS, "-o", "b.png")
    assert (tmp_path / "sheets/b.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_an_svg_holds_an_outline_for_each_conversion(vce, tmp_path):
    vce("convert", "in", *HANDS, "-o", "sheet.svg")
    assert (tmp_path / "sheet.svg").read_text().count("<path") == 6
    vce("convert", "in/a.png", "-n", 1, "--seed", 5, "-o", "one.svg")
    assert (tmp_path / "one.svg").read_text().count("<path") == 1


def test_a_font_for_each_rule(vce, tmp_path):
    from fontTools.ttLib import TTFont

    vce("convert", "in", *HANDS, "-o", "hand.ttf")
    vce("convert", "in", *HANDS, "-o", "cubic/{rule}.otf")
    assert len(list(tmp_path.glob("hand-0[123].ttf"))) == 3
    assert names(tmp_path / "cubic") == ["1.otf", "2.otf", "3.otf"]
    assert {0x61, 0x62} < TTFont(tmp_path / "hand-02.ttf").getBestCmap().keys()
    assert "CFF " in TTFont(tmp_path / "cubic/3.otf")
    vce("convert", "in", "-n", 1, "-o", "hand.ttf")
    assert TTFont(tmp_path / "hand.ttf")["name"].getBestFamilyName() == "hand"


def test_fonts_need_to_know_the_character(vce, tmp_path):
    scribble(1, 0).save(tmp_path / "letter.png")
    scribble(1, 0).save(tmp_path / "uni0061.png")
    for arguments, words in [
        (("letter.png", "-o", "x.ttf"), "letter.png does not say which character it is"),
        (("in", "uni0061.png", "-o", "x.ttf"), "are both U+0061"),
        (("in", "-o", "-", "--format", "ttf"), "a font holds one hand"),
        (("in", "-o", "-", "--format", "designspace"), "is a folder, not a stream"),
        (("in", "-o", "{char}-{rule}.ttf"), "a font holds all glyphs"),
    ]:
        assert words in vce("convert", *arguments, "-n", 2, status=2).stderr


@pytest.mark.parametrize(
    "output",
    ["x.png", "x.webp", "x.svg", "x.npz", "x.ttf", "x.gif", "-.png", "{char}{rule}.png"],
)
def test_the_same_command_gives_the_same_bytes(vce, tmp_path, output):
    flags = ("--walk",) if output == "x.gif" else ("-n", 1) if output == "x.ttf" else ()
    made = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        vce("convert", "in", "--seed", 3, "-n", 2, *flags, "-o", f"{folder}/{output}")
        made.append([path.read_bytes() for path in sorted((tmp_path / folder).iterdir())])
    assert made[0] == made[1]
    assert made[0]


def test_a_png_says_how_it_was_made(vce, tmp_path):
    vce("convert", "in", *HANDS, "--strength", 1.5, "-o", "out/")
    model = weights.fingerprint(weights.load())
    text = opened(tmp_path / "out/a-02.png").text
    assert re.fullmatch(r"vce \d+\.\d+\.\d+", text.pop("Software"))
    wanted = {"vce:weights": model, "vce:seed": "5", "vce:rule": "2", "vce:strength": "1.5"}
    assert text == wanted
    vce("convert", "in", *HANDS, "-o", "sheet.png")
    assert opened(tmp_path / "sheet.png").text["vce:rule"] == "1-3"
    vce("convert", "in", *HANDS, "--no-metadata", "-o", "bare.png")
    assert opened(tmp_path / "bare.png").text == {}


def test_the_manifest_says_what_happened(vce):
    done = vce("convert", "in", *HANDS, "--save-rules", "r.safetensors", "-o", "out/", "--json")
    manifest = json.loads(done.stdout)
    assert done.stderr == ""
    assert manifest["inputs"][1] == {"name": "b", "source": "in/b.png"}
    assert manifest["rules"]["numbers"] == [1, 2, 3]
    assert manifest["rules"]["seed"] == 5
    assert manifest["weights"] == weights.fingerprint(weights.load())
    assert manifest["outputs"][0] == "out/a-01.png"
    assert manifest["outputs"][-1] == "r.safetensors"
    assert len(manifest["outputs"]) == 7
    assert manifest["warnings"] == manifest["failures"] == []


def test_an_old_output_is_replaced_whole(vce, tmp_path):
    (tmp_path / "x.svg").write_text("old" * 100_000)
    vce("convert", "in/a.png", "-n", 1, "-o", "x.svg")
    assert (tmp_path / "x.svg").read_text().endswith("</svg>\n")
    assert "cannot write" in vce("convert", "in", "-n", 1, "-o", "x.png/y.svg", status=5).stderr
