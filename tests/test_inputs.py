"""What `vce convert` takes: images, folders, fonts; how it reads them, and what it warns of."""

from pathlib import Path

import numpy as np
import pytest
from conftest import scribble
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from vce_models.config import ModelConfig
from vce_models.framing import OMNIGLOT
from vce_models.glyphs import strokes
from vce_models.glyphs.images import read_glyph
from vce_models.weights import Weights, parameter_shapes, save

ONE = ("-n", 1, "--seed", 1)
FONT = Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf")


def converted(vce, tmp_path, *arguments):
    vce("convert", *arguments, *ONE, "-q", "-o", "x.npz")
    return np.load(tmp_path / "x.npz")


def test_a_folder_gives_its_images_by_name_and_nothing_else(vce, tmp_path):
    folder = tmp_path / "in"
    (folder / "deeper").mkdir(parents=True)
    scribble(2, 0).save(folder / "b.png")
    scribble(1, 0).save(folder / "a.jpeg")
    scribble(1, 0).save(folder / ".hidden.png")
    (folder / "notes.txt").write_text("no image")
    assert converted(vce, tmp_path, "in")["names"].tolist() == ["a", "b"]


def test_the_ink_may_be_named(vce, tmp_path):
    scribble(1, 0).save(tmp_path / "a.png")
    framed = ImageOps.expand(scribble(1, 0), 4, fill=0)  # a dark border misleads the guess
    framed.save(tmp_path / "framed.png")
    ImageOps.invert(framed).save(tmp_path / "inverted.png")
    given = ("framed.png", "--no-fit")
    dark, light, auto = (
        converted(vce, tmp_path, *given, "--ink", ink)["conditions"][0]
        for ink in ("dark", "light", "auto")
    )
    assert np.array_equal(light, auto)
    np.testing.assert_allclose(dark, 1 - light, atol=0.02)
    inverted = converted(vce, tmp_path, "inverted.png", "--no-fit", "--ink", "light")
    np.testing.assert_allclose(inverted["conditions"][0], dark, atol=0.02)


def test_no_fit_leaves_a_drawing_where_it_lies(vce, tmp_path):
    small = Image.new("L", (112, 112), 255)
    small.paste(scribble(1, 0, 50), (2, 2))
    small.save(tmp_path / "corner.png")
    whole = converted(vce, tmp_path, "corner.png", "--no-fit")["conditions"][0]
    assert whole[:13, :13].sum() == pytest.approx(whole.sum())
    fitted = converted(vce, tmp_path, "corner.png")["conditions"][0]
    assert fitted[14:, 14:].sum() > 0


def test_a_font_draws_the_characters_itself(vce, tmp_path):
    found = converted(vce, tmp_path, FONT, "--text", "Hand gland")
    assert found["names"].tolist() == [f"uni{ord(c):04X}" for c in "Handgl"]
    found = converted(vce, tmp_path, FONT, "--chars", "digits,U+0041-0043")
    assert len(found["names"]) == 13
    assert 0.02 < found["images"].mean() < 0.2


def test_one_font_in_is_new_fonts_with_its_measures_out(vce, tmp_path):
    from fontTools.ttLib import TTFont

    vce("convert", FONT, "--text", "Wi", "-n", 2, "--seed", 7, "-o", "new-{rule}.ttf")
    old, advances = TTFont(FONT), set()
    for rule in (1, 2):
        new = TTFont(tmp_path / f"new-{rule}.ttf")
        assert new["head"].unitsPerEm == old["head"].unitsPerEm
        assert new["hhea"].lineGap == old["hhea"].lineGap
        assert set(map(ord, " Wi")) <= new.getBestCmap().keys()
        characters = new.getBestCmap()
        advances.add(tuple(new["hmtx"][characters[ord(c)]][0] for c in " Wi"))
    assert len(advances) == 2


def test_a_font_that_cannot_be_read_is_3(vce, tmp_path):
    (tmp_path / "bad.ttf").write_text("no font")
    for arguments, words in [
        (("gone.ttf",), "gone.ttf"),
        (("bad.ttf",), "bad.ttf is not a font"),
        ((FONT, "--text", "漢"), "lacks"),
    ]:
        assert words in vce("convert", *arguments, "-o", "x.png", status=3).stderr
    done = vce("convert", FONT, "--chars", "klingonese", "-o", "x.png", status=2)
    assert "klingonese" in done.stderr


def test_a_font_of_pictures_is_3(vce, tmp_path):
    from fontTools.ttLib import TTFont

    font = TTFont(FONT)
    del font["glyf"], font["loca"]
    font.save(tmp_path / "emoji.ttf")
    done = vce("convert", "emoji.ttf", "-o", "x.png", status=3)
    assert "emoji.ttf holds pictures, not outlines" in done.stderr


def test_a_bold_font_gets_one_warning_of_a_kind(vce):
    bold = FONT.with_name("DejaVuSans-Bold.ttf")
    said = vce("convert", bold, "--text", "agek", *ONE, "-o", "x.png").stderr.splitlines()
    assert len(said) == 2
    assert "'a' (U+0061)" in said[0]
    assert "and 3 more: strokes of" in said[0]
    assert vce("convert", FONT, "--text", "oHnk", *ONE, "-o", "x.png").stderr == ""


def test_the_stroke_width_is_measured(tmp_path):
    """A pen of a 25th of the side is 1.12 pixels of 28, and one of a 12th 2.3."""
    for character in range(4):
        scribble(character, 0).save(tmp_path / "a.png")
        ImageOps.expand(scribble(character, 0).filter(ImageFilter.MinFilter(5)), 4, 255).save(
            tmp_path / "bold.png"
        )
        thin, bold = (
            read_glyph(tmp_path / name, name, ModelConfig(), fit=False).condition
            for name in ("a.png", "bold.png")
        )
        assert strokes.width(thin) == pytest.approx(1.12, 0.2)
        assert strokes.width(bold) > 1.6 * strokes.width(thin)
        assert not strokes.unusual(thin)


def filling(size, character, hand):
    """A drawing that fills its canvas but for two pixels, with strokes of two."""
    image = Image.new("L", (size, size), 255)
    last = size - 3
    points = [(2, 2 + hand), (last, 4 + 2 * character), (3 + character, last)]
    ImageDraw.Draw(image).line(points, fill=0, width=2)
    return image


def test_how_drawings_lie_is_measured():
    drawings = np.stack([255 - np.asarray(filling(32, c, h)) for c in range(8) for h in range(3)])
    framing = strokes.measure(drawings)
    assert framing.longest == pytest.approx(28.5 / 32, abs=0.03)
    assert framing.across == pytest.approx(0.5, abs=0.03)
    assert framing.thinnest < 1.5 < framing.boldest
    assert strokes.measure(np.kron(drawings, np.ones((1, 4, 4), np.uint8)), 4) == framing
    assert not any(strokes.unusual(drawing / np.float32(255), framing) for drawing in drawings)
    assert strokes.measure(np.zeros((3, 8, 8), np.uint8)) == OMNIGLOT


def test_a_glyph_is_framed_as_the_drawings_of_its_weights(vce, tmp_path):
    """As it lies there, drawn large on a wide page, and beside a warning where it is bolder."""
    drawings = np.stack([255 - np.asarray(filling(32, c, h)) for c in range(8) for h in range(3)])
    config = ModelConfig(size=32, channels=2, blocks=1, wiring="modulation", unshuffle=2)
    shapes = parameter_shapes(config)
    tensors = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    save(tmp_path / "w.safetensors", Weights(config, tensors, strokes.measure(drawings)))
    filling(32, 0, 0).save(tmp_path / "own.png")
    page = ImageOps.expand(filling(32, 0, 0).resize((320, 320)), 150, 255)
    page.save(tmp_path / "page.png")
    given = ("--weights", "w.safetensors")
    wanted = converted(vce, tmp_path, "own.png", *given, "--no-fit")["conditions"][0]
    for name in ("own.png", "page.png"):
        found = converted(vce, tmp_path, name, *given)["conditions"][0]
        assert np.abs(found - wanted).mean() < 0.06
    page.filter(ImageFilter.MinFilter(41)).save(tmp_path / "bold.png")
    assert "strokes of" in vce("convert", "bold.png", *given, *ONE, "-o", "x.png").stderr
    assert vce("convert", "page.png", *given, *ONE, "-o", "x.png").stderr == ""


def test_omniglot_is_not_unusual(omniglot):
    """One training drawing in five hundred is."""
    from vce_models.datasets.drawings import load

    drawings = load(omniglot, ModelConfig()).train.images[::37].astype(np.float32) / 255
    share = np.mean([bool(strokes.unusual(drawing)) for drawing in drawings])
    assert share < 0.01
    assert np.median([strokes.width(drawing) for drawing in drawings]) == pytest.approx(1.17, 0.05)
