import numpy as np
import pytest
from conftest import scribble
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from vce_models.config import ModelConfig
from vce_models.errors import InputError
from vce_models.glyphs import images, letters, sheets

CONFIG = ModelConfig()
FONT = f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf"


@pytest.fixture
def glyph():
    return scribble(3, 0, 200)


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


def of_bits(bits):
    def make(glyph):
        return Image.fromarray((np.asarray(glyph) / 255 * (2**bits - 1)).astype(np.uint16))

    return make


def sixteen_bit_large(glyph):
    return of_bits(16)(glyph.resize((1600, 1600), Image.Resampling.BICUBIC))


def on_transparent_page(glyph):
    page = Image.new("RGBA", (260, 260))
    page.paste(glyph.convert("RGBA"), (30, 30))
    return page


def rounded_page(glyph):
    alpha = Image.new("L", glyph.size)
    ImageDraw.Draw(alpha).rounded_rectangle((0, 0, 199, 199), 28, fill=255)
    page = glyph.convert("RGBA")
    page.putalpha(alpha)
    return page


def sticker(glyph):
    """Black ink with a white edge, on nothing."""
    image = Image.new("RGBA", glyph.size, "white")
    image.paste(glyph.convert("RGBA"))
    image.putalpha(ImageOps.invert(glyph).filter(ImageFilter.MaxFilter(9)))
    return image


def beside_a_strip(glyph):
    page = ImageOps.expand(glyph, 30, 255)
    ImageDraw.Draw(page).rectangle((0, 0, 12, 259), fill=0)
    return page


def with_dark_corners(glyph):
    page = ImageOps.expand(glyph, 40, 255)
    for corner in (((0, 0), (50, 0), (0, 40)), ((279, 279), (230, 279), (279, 240))):
        ImageDraw.Draw(page).polygon(corner, fill=0)
    return page


def on_a_dark_ground(glyph):
    return ImageOps.expand(ImageOps.expand(glyph, 30, 255), 10, 0)


def on_a_wide_table(glyph):
    """A sheet with soft edges that covers a quarter of its picture."""
    sheet = ImageOps.expand(glyph, 40, 235).convert("LA").rotate(5, Image.Resampling.BICUBIC, True)
    table = Image.new("L", [2 * side for side in sheet.size], 95)
    table.paste(sheet.getchannel("L"), [side // 2 for side in sheet.size], sheet.getchannel("A"))
    return table.rotate(-5, Image.Resampling.BICUBIC, fillcolor=95)


def pencil(glyph):
    return glyph.point([215 + value * 33 // 255 for value in range(256)])


def ruled(line, step, both=False):
    def make(glyph):
        page = Image.new("L", (400, 400), 250)
        for place in range(7, 400, step):
            ImageDraw.Draw(page).line([(0, place), (399, place)], fill=line, width=2)
            if both:
                ImageDraw.Draw(page).line([(place, 0), (place, 399)], fill=line, width=2)
        page.paste(40, (100, 100), ImageOps.invert(glyph))
        return page

    return make


def ruled_by(line):
    """Lines as dark as ink, of another colour than its own."""

    def make(glyph):
        page = Image.new("RGB", (400, 400), (250, 248, 244))
        for place in range(7, 400, 25):
            ImageDraw.Draw(page).line([(0, place), (399, place)], fill=line, width=3)
        page.paste((30, 30, 35), (100, 100), ImageOps.invert(glyph))
        return page

    return make


def ruled_photo(glyph):
    """Paper with blue lines and a red margin, a little turned, half in the shade, with grain."""
    page = ruled_by((20, 60, 220))(ImageOps.expand(glyph, 30, 255)).resize((1200, 1200))
    ImageDraw.Draw(page).line([(150, 0), (150, 1200)], fill=(225, 110, 110), width=6)
    page = page.rotate(2, Image.Resampling.BICUBIC).crop((60, 60, 1140, 1140))
    light = np.asarray(page.filter(ImageFilter.GaussianBlur(1.5)), float)
    light *= np.linspace(0.6, 0.9, 1080)[:, None] * [1, 0.97, 0.9]
    grain = np.random.default_rng(0).normal(0, 4, light.shape)
    return Image.fromarray(np.clip(light + grain, 0, 255).astype(np.uint8))


VARIANTS = {
    "ten bits": (of_bits(10), 0.01),
    "twelve bits": (of_bits(12), 0.01),
    "sixteen bits, large": (sixteen_bit_large, 0.06),
    "a mask of 0 and 1": (lambda glyph: glyph.point([value >= 128 for value in range(256)]), 0.06),
    "cyan and magenta": (lambda glyph: glyph.convert("RGB").convert("CMYK"), 0.01),
    "transparent margins": (on_transparent_page, 0.03),
    "rounded corners": (rounded_page, 0.01),
    "ink with an edge": (sticker, 0.02),
    "a scanner's strip": (beside_a_strip, 0.03),
    "dark corners": (with_dark_corners, 0.03),
    "a page on a dark ground": (on_a_dark_ground, 0.02),
    "a page on a wide table": (on_a_wide_table, 0.03),
    "faint pencil": (pencil, 0.01),
    "ruled paper": (ruled(200, 25), 0.03),
    "squared paper": (ruled(190, 12, both=True), 0.03),
    "blue lines": (ruled_by((20, 60, 220)), 0.03),
    "red lines": (ruled_by((220, 60, 60)), 0.03),
    "a photo of ruled paper": (ruled_photo, 0.06),
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
    made = make(glyph)
    suffix = "tif" if made.mode in ("F", "CMYK") else "png"
    expected, found = read(glyph, tmp_path), read(made, tmp_path, f"variant.{suffix}")
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


@pytest.mark.parametrize("hole", [False, True])
def test_floats_are_read_by_their_range(glyph, tmp_path, hole):
    values = np.asarray(glyph, np.float32) / 255
    if hole:
        values[:20] = np.nan
    assert np.array_equal(read(Image.fromarray(values), tmp_path, "f.tif"), read(glyph, tmp_path))


@pytest.mark.parametrize("shape", ["disc", "ring", "bowl", "frame"])
def test_shapes_with_holes_are_no_sheets(shape, tmp_path):
    image = Image.new("L", (200, 200), 255)
    pen = ImageDraw.Draw(image)
    if shape == "frame":
        pen.rectangle((40, 40, 160, 160), 0)
        pen.rectangle((75, 75, 125, 125), 255)
        pen.rectangle((55, 55, 145, 145), 255)
    elif shape == "bowl":  # a D
        pen.rectangle((40, 30, 100, 170), 0)
        pen.ellipse((30, 30, 170, 170), 0)
        pen.ellipse((85, 80, 115, 120), 255)
    else:
        pen.ellipse((30, 30, 170, 170), 0)
        pen.ellipse((92, 92, 108, 108) if shape == "disc" else (70, 70, 130, 130), 255)
    dark, light = read(image, tmp_path), read(ImageOps.invert(image), tmp_path, "light.png")
    assert np.abs(dark - light).mean() < 0.01


def test_turned_pages_lie_on_nothing(glyph, tmp_path):
    """White, transparent and black around a page that was turned come to the same."""
    found = {}
    for fill in (255, 0, None):
        page = ImageOps.expand(glyph, 20, 255).convert("RGBA" if fill is None else "L")
        options = {"expand": True, "resample": Image.Resampling.BICUBIC, "fillcolor": fill}
        found[fill] = read(page.rotate(4, **options), tmp_path)
    for fill in (0, None):
        assert np.abs(found[fill] - found[255]).mean() < 0.01


@pytest.mark.parametrize("letter", ["E", "i", "L", "é", "H", "Ю"])
def test_a_letter_that_touches_the_border_keeps_all_its_strokes(tmp_path, letter):
    font = ImageFont.truetype(FONT, 150)
    left, top, right, bottom = font.getbbox(letter)
    cut = Image.new("L", (right - left, bottom - top), 255)
    ImageDraw.Draw(cut).text((-left, -top), letter, 0, font)
    found, expected = read(cut, tmp_path), read(ImageOps.expand(cut, 40, 255), tmp_path)
    assert np.abs(found - expected).mean() < 0.03


def test_uneven_paper_without_ink_is_blank(tmp_path):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:300, :300]
    for light in (
        rng.normal(240, 5, (300, 300)),
        235 - 30 * (x + y) / 600,
        235 - 40 * ((x - 150) ** 2 + (y - 150) ** 2) / 45_000,
    ):
        with pytest.raises(InputError, match="holds no glyph"):
            read(Image.fromarray(light.clip(0, 255).astype(np.uint8)), tmp_path)


def test_several_letters_and_specks_are_said(tmp_path):
    font = ImageFont.truetype(FONT, 150)

    def said(text, speck=False):
        page = Image.new("L", (700, 450), 255)
        ImageDraw.Draw(page).text((60, 40), text, 0, font)
        if speck:
            ImageDraw.Draw(page).ellipse((20, 20, 26, 26), fill=0)
        page.save(tmp_path / "page.png")
        return letters.unusual(images.read_glyph(tmp_path / "page.png", "page", CONFIG).detail)

    for letter in "aijäE%&=:÷ыξ":
        assert said(letter) == [], letter
    assert said("abc") == said("A B") == said("ab\ncd") == ["several letters"]
    assert said("i", speck=True) == ["specks beside the glyph"]


def test_the_largest_mark_is_taken_with_what_stands_over_it(tmp_path):
    font, found = ImageFont.truetype(FONT, 150), {}
    for name, text in (("alone", "i"), ("more", "i."), ("specks", "i")):
        page = Image.new("L", (700, 450), 255)
        ImageDraw.Draw(page).text((200, 40), text, 0, font)
        if name == "specks":
            for x, y in ((20, 20), (600, 400), (220, 400), (216, 30)):
                ImageDraw.Draw(page).ellipse((x, y, x + 6, y + 6), fill=0)
        page.save(tmp_path / f"{name}.png")
        path = tmp_path / f"{name}.png"
        found[name] = images.read_glyph(path, name, CONFIG, crop="largest").detail
        assert letters.unusual(found[name]) == []
    whole = images.read_glyph(tmp_path / "alone.png", "alone", CONFIG).detail
    assert all(np.array_equal(detail, whole) for detail in found.values())


def test_paper_with_faint_lines_and_no_ink_is_blank(tmp_path):
    for grid in (False, True):
        paper = Image.new("L", (600, 800), 250)
        for y in range(60, 800, 50):
            ImageDraw.Draw(paper).line((0, y, 600, y + 9), fill=215, width=2)
            if grid:
                ImageDraw.Draw(paper).line((y, 0, y, 800), fill=215, width=2)
        with pytest.raises(InputError, match="is blank"):
            read(paper, tmp_path)
        ImageDraw.Draw(paper).line([(150, 200), (300, 600), (450, 200)], fill=60, width=14)
        assert 0.02 < read(paper, tmp_path).mean() < 0.15
    faint = Image.new("L", (400, 400), 250)
    ImageDraw.Draw(faint).line([(100, 100), (300, 300), (100, 300)], fill=210, width=14)
    assert 0.02 < read(faint, tmp_path).mean() < 0.15


@pytest.mark.parametrize("side", [40, 105, 300])
def test_the_ink_lies_as_in_omniglot(tmp_path, side):
    for character in range(8):
        found = read(scribble(character, 0, side), tmp_path)
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
    large = scribble(1, 0).convert("1").resize((10_000, 9_500), Image.Resampling.NEAREST)
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


def test_lines_finer_than_a_pixel_stay_whole_where_pixels_are_binary():
    """Some lie between the places that binary drawings are read at."""
    page = np.zeros((280, 280), np.float32)
    for at in range(20, 261, 58):
        page[20:260, at : at + 4] = 1
    condition = images.frame(page, "lines", ModelConfig(resize="subsample")).condition
    assert set(np.unique(condition)) == {0, 1}
    crossed = (np.diff(condition, axis=1) == 1).sum(1)
    assert (crossed[8:20] == 5).all()


def test_bilinear_is_pillows_filter(glyph):
    ink = 1 - np.asarray(glyph, np.float32) / 255
    wanted = ImageOps.invert(glyph).resize((28, 28), Image.Resampling.BILINEAR)
    assert np.array_equal(images.resize(ink, 28, "bilinear"), np.asarray(wanted))
    assert not np.array_equal(images.resize(ink, 28, "box"), np.asarray(wanted))
