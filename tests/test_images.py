import numpy as np
import pytest
from conftest import draw
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from vce_models.config import ModelConfig
from vce_models.errors import InputError
from vce_models.glyphs import images, sheets

CONFIG = ModelConfig()


@pytest.fixture
def glyph():
    return draw(3, 0, 200)


def read(image, tmp_path, name="glyph.png"):
    image.save(tmp_path / name)
    return images.read_glyph(tmp_path / name, name, CONFIG).condition


def transparent(glyph):
    image = Image.new("RGBA", glyph.size)
    image.putalpha(ImageOps.invert(glyph))
    return image


def light_transparent(glyph):
    image = Image.new("RGBA", glyph.size, "white")
    image.putalpha(ImageOps.invert(glyph))
    return image


def coloured(glyph):
    return ImageOps.colorize(glyph, "navy", "beige")


def sixteen_bit(glyph):
    return Image.fromarray(np.asarray(glyph).astype(np.uint16) * 257)


def padded(glyph):
    return ImageOps.expand(glyph, (300, 10, 40, 90), fill=255)


def photo(glyph):
    """Large, unevenly lit, noisy and soft."""
    large = glyph.resize((2000, 2000), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(4))
    light = np.asarray(large) / 255 * 0.7 + 0.15
    light = light * np.linspace(0.85, 1.0, 2000)
    light += np.random.default_rng(0).normal(0, 0.04, light.shape)
    return Image.fromarray((255 * light.clip(0, 1)).astype(np.uint8)).convert("RGB")


def shadowed(glyph):
    """A photo half in the shade, of a sheet on a dark table."""
    paper = np.asarray(glyph.resize((1000, 1000), Image.Resampling.BICUBIC)) / 255 * 0.6 + 0.3
    light = np.full((1200, 1300), 0.1)
    light[100:1100, 150:1150] = paper
    y, x = np.mgrid[:1200, :1300]
    light *= 1 - 0.45 / (1 + np.exp((x + y - 1250) / 60))
    light += np.random.default_rng(0).normal(0, 0.02, light.shape)
    return Image.fromarray((255 * light.clip(0, 1)).astype(np.uint8))


def scanned(glyph):
    """Grainy, with the dark edge of a scanner."""
    light = np.asarray(ImageOps.expand(glyph, 100, 255).rotate(2, fillcolor=255)) / 255 * 0.8 + 0.1
    light += np.random.default_rng(0).normal(0, 0.04, light.shape)
    light[:8], light[:, :6] = 0.03, 0.03
    return Image.fromarray((255 * light.clip(0, 1)).astype(np.uint8))


VARIANTS = {
    "white on black": (ImageOps.invert, 0.01),
    "one bit": (lambda glyph: glyph.convert("1", dither=Image.Dither.NONE), 0.06),
    "transparent": (transparent, 0.01),
    "light on transparent": (light_transparent, 0.01),
    "coloured": (coloured, 0.02),
    "palette": (lambda glyph: coloured(glyph).quantize(16), 0.02),
    "sixteen bits": (sixteen_bit, 0.01),
    "wide margins": (padded, 0.03),
    "large": (lambda glyph: glyph.resize((1600, 1600), Image.Resampling.BICUBIC), 0.06),
    "photo": (photo, 0.12),
    "photo half in the shade": (shadowed, 0.06),
    "small in a photo": (lambda glyph: shadowed(ImageOps.expand(glyph, 300, 255)), 0.06),
    "scan": (scanned, 0.06),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_glyph_comes_to_one_condition(glyph, tmp_path, variant):
    make, tolerance = VARIANTS[variant]
    expected, found = read(glyph, tmp_path), read(make(glyph), tmp_path)
    assert found.shape == (28, 28)
    assert found.dtype == np.float32
    assert np.abs(found - expected).mean() < tolerance
    union = (found >= 0.5) | (expected >= 0.5)
    assert ((found >= 0.5) & (expected >= 0.5)).sum() / union.sum() > 0.75


def test_the_camera_may_be_turned(glyph, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter when shown
    expected = read(glyph, tmp_path)
    glyph.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    found = images.read_glyph(tmp_path / "turned.png", "turned.png", CONFIG).condition
    assert np.abs(found - expected).mean() < 0.01


@pytest.mark.parametrize("side", [40, 105, 300])
def test_the_ink_lies_as_in_omniglot(tmp_path, side):
    for character in range(8):
        found = read(draw(character, 0, side), tmp_path)
        rows, columns = (np.flatnonzero((found > 0.25).any(axis)) for axis in (1, 0))
        longest = max(np.ptp(rows), np.ptp(columns)) + 1
        assert 0.55 <= longest / 28 <= 0.75
        assert abs((rows[0] + rows[-1]) / 2 - 13.5) <= 1
        assert abs((columns[0] + columns[-1]) / 2 - 13.5) <= 1


@pytest.mark.parametrize("colour", ["white", "black", "grey"])
def test_a_blank_image_is_an_error(tmp_path, colour):
    with pytest.raises(InputError, match=r"glyph.png holds no glyph"):
        read(Image.new("L", (60, 60), colour), tmp_path)


def test_a_hairline_is_as_dark_as_other_strokes(tmp_path):
    image = Image.new("L", (1500, 1500), 255)
    ImageDraw.Draw(image).line([(200, 300), (1200, 1100), (900, 200)], fill=0, width=2)
    found = read(image, tmp_path)
    assert 0.02 < (found > 0.5).mean() < 0.12


def test_lines_of_one_pixel_are_no_specks(tmp_path):
    image = Image.new("L", (400, 400), 255)
    ImageDraw.Draw(image).arc((60, 60, 340, 340), 0, 270, fill=0, width=1)
    found = read(image, tmp_path)
    rows, columns = (np.flatnonzero((found > 0.3).any(axis)) for axis in (1, 0))
    assert min(np.ptp(rows), np.ptp(columns)) >= 16


def test_a_large_image_is_read_without_a_word(tmp_path):
    large = draw(1, 0).convert("1").resize((10_000, 9_500), Image.Resampling.NEAREST)
    assert 0.02 < read(large, tmp_path).mean() < 0.15  # a warning would be an error here


def test_an_empty_transparent_image_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"glyph.png holds no glyph"):
        read(Image.new("RGBA", (60, 60)), tmp_path)


def test_what_is_no_image_is_named(glyph, tmp_path):
    (tmp_path / "text.png").write_text("no image")
    glyph.save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:200])
    for name, words in {
        "nowhere.png": "nowhere.png does not exist",
        "text.png": "text.png is not an image",
        "cut.png": "cut.png is damaged",
        ".": "is a folder",
    }.items():
        with pytest.raises(InputError, match=words):
            images.read_glyph(tmp_path / name, name, CONFIG)


def test_the_grid_boxes_the_condition_and_keeps_the_order():
    inks = np.linspace(0, 1, 5, dtype=np.float32)[:, None, None] * np.ones((5, 8, 8), np.float32)
    cells = [sheets.render_cell(ink, 32) for ink in inks]
    sheet = np.asarray(sheets.render_grid(cells, columns=3))
    assert sheet.shape == (2 * 34 + 2, 3 * 34 + 2, 3)
    centres = [sheet[18 + 34 * row, 18 + 34 * column, 0] for row in (0, 1) for column in (0, 1, 2)]
    np.testing.assert_allclose(centres, [255, 191, 128, 64, 0, 255], atol=1)
    red = (sheet == sheets.BOX).all(2)
    assert red[:36, :36].any()
    assert not red[36:].any()
    assert not red[:, 36:].any()
