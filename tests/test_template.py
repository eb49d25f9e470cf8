"""Templates are printed, written on, scanned or photographed, and read back."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from vce_models.errors import ConfigError, InputError
from vce_models.glyphs import barcode, scan, template
from vce_models.glyphs.captions import NOWHERE, font_for

FONT = str(Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf"))
TEXT = "Hxpg.,jQéß—WİA"
DOTS = template.DPI / 25.4
LEFT_OUT = "A"
BLUE = (30, 40, 120)


def fill(paper="a4", text=TEXT, colour=BLUE):
    """A page with all but `LEFT_OUT` written in a font; and what is written, as it is read."""
    (page,) = template.paginate(template.choose(text, None), paper)
    layout = template.LAYOUTS[paper]
    image, ink = template.render(page), Image.new("L", template.render(page).size)
    font, inset = ImageFont.truetype(FONT, round(template.EM * DOTS)), template.INSET
    width, height = layout.box
    beyond = scan.BEYOND
    size = [
        round((width - 2 * inset) * scan.FINENESS),
        round((height + 2 * beyond) * scan.FINENESS),
    ]
    truth = {}
    for (left, top), point in zip(layout.corners(), page.characters, strict=False):
        if chr(point) in LEFT_OUT:
            continue
        at = (left + width / 2) * DOTS, (top + height - template.BASELINE) * DOTS
        for picture, dark in ((image, colour), (ink, 255)):
            ImageDraw.Draw(picture).text(at, chr(point), dark, font, anchor="ms")
        read = np.array((left + inset, top - beyond, left + width - inset, top + height + beyond))
        cut = ink.transform(size, Image.Transform.EXTENT, tuple(read * DOTS), 2)
        truth[chr(point)] = np.asarray(cut) >= 128
    return image, truth


@pytest.fixture(scope="module")
def page():
    return fill()


def turn(image, degrees, longest=2000):
    white = 255 if image.mode == "L" else (255, 255, 255)
    turned = image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=white)
    scale = longest / max(turned.size)
    return turned.resize([round(side * scale) for side in turned.size], Image.Resampling.LANCZOS)


def photo(image, corners, size=(1800, 2100), table=(90, 70, 60)):
    """A page seen so that its corners lie at these pixels, clockwise from the upper left."""
    width, height = image.size
    rows, targets = [], [(0, 0), (width, 0), (width, height), (0, height)]
    for (x, y), (u, v) in zip(corners, targets, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    map_back = tuple(np.linalg.solve(np.array(rows, float), np.ravel(targets).astype(float)))
    how = (size, Image.Transform.PERSPECTIVE, map_back, Image.Resampling.BICUBIC)
    seen = Image.new("RGB", size, table)
    page = image.filter(ImageFilter.GaussianBlur(1)).convert("RGB").transform(*how)
    seen.paste(page, mask=Image.new("L", image.size, 255).transform(*how))
    return seen.filter(ImageFilter.GaussianBlur(0.7))


def shade(image, light):
    """Light by x and y, each from 0 to 1."""
    down, across = np.mgrid[0 : image.height, 0 : image.width]
    share = light(across / image.width, down / image.height)
    return Image.fromarray((np.asarray(image) * share[..., None]).astype(np.uint8))


def jpeg(image, noise=6, quality=75):
    pixels = np.asarray(image, float)
    pixels = pixels + np.random.default_rng(0).normal(0, noise, pixels.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return Image.open(file)


def cover(image, x, y, radius):
    covered, at = image.copy(), np.array((x - radius, y - radius, x + radius, y + radius)) * DOTS
    ImageDraw.Draw(covered).ellipse(tuple(at), (200, 160, 140))
    return covered


def edges(mask):
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array((rows[0], rows[-1], columns[0], columns[-1]))


NEAR = [(250, 180), (1500, 240), (1700, 1950), (100, 1900)]
STEEP = [(550, 300), (1300, 320), (1780, 2080), (30, 2050)]

SEEN = {
    "as it is": lambda image: image,
    "a scan of a grey print": lambda image: jpeg(turn(image.convert("L"), -3)),
    "turned by ten degrees": lambda image: jpeg(turn(image, 10)),
    "lying on its side": lambda image: jpeg(turn(image, 90)),
    "upside down": lambda image: jpeg(turn(image, 180)),
    "turned anyhow": lambda image: jpeg(turn(image, 137, 2400)),
    "at 100 dots to an inch": lambda image: jpeg(turn(image, 0, 1169)),
    "without its margins": lambda image: jpeg(image.crop((130, 110, 2350, 3398))),
    "a photo": lambda image: jpeg(photo(image, NEAR)),
    "a photo from far aside": lambda image: jpeg(photo(image, STEEP)),
    "a photo with a dark corner": lambda image: jpeg(
        shade(photo(image, NEAR), lambda x, y: 1 - 0.75 * np.clip(1.2 - np.hypot(x, y), 0, 1))
    ),
    "a photo half in the shade": lambda image: jpeg(
        shade(photo(image, NEAR), lambda x, y: np.where(x + y > 1, 0.5, 1))
    ),
    "a small photo": lambda image: jpeg(photo(image, NEAR).resize((900, 1050), 1), 4),
    "a thumb on its upper band": lambda image: jpeg(turn(cover(image, 100, 8, 14), 2)),
}


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
def test_what_is_written_is_read_back(seen, page):
    image, truth = page
    found = {chr(one.codepoint): one for one in scan.written(seen(image), "page") or ()}
    assert found.keys() == truth.keys()
    for character, one in found.items():
        ink, drawn = one.ink >= 0.5, truth[character]
        assert one.ink.shape == drawn.shape
        assert (ink & drawn).sum() / (ink | drawn).sum() > 0.9, character
        assert np.abs(edges(ink) - edges(drawn)).max() * one.em < 0.03, character


def test_all_boxes_share_a_frame_with_a_baseline(page):
    found = {chr(one.codepoint): one for one in scan.written(page[0], "page") or ()}
    heights = {}
    for character, one in found.items():
        top, bottom = edges(one.ink >= 0.5)[:2] + np.array((0, 1))
        heights[character] = (one.baseline - top) * one.em, (one.baseline - bottom) * one.em
    assert heights["H"] == pytest.approx((0.729, 0), abs=0.01)
    assert heights["x"] == pytest.approx((0.547, 0), abs=0.01)
    assert heights["p"] == pytest.approx((0.56, -0.207), abs=0.01)
    assert heights["."] == pytest.approx((0.124, 0), abs=0.01)


@pytest.mark.parametrize("text", ["—", "W", "g"])
def test_a_page_of_one_character_is_read(text):
    image, truth = fill(text=text)
    read = scan.written(jpeg(turn(image.convert("L"), 2)), "page")
    assert read
    (one,) = read
    ink, drawn = one.ink >= 0.5, truth[text]
    assert (ink & drawn).sum() / (ink | drawn).sum() > 0.9


def test_letter_paper_is_read_too():
    image, truth = fill("letter", "Rg")
    found = scan.written(jpeg(turn(image, 4)), "page") or ()
    assert [chr(one.codepoint) for one in found] == list(truth)


def test_a_hidden_ring_is_an_error_that_says_so(page):
    hidden = jpeg(turn(cover(page[0], 16, 15, 9), 5))
    with pytest.raises(InputError, match=r"^page shows three of a template's four rings") as caught:
        scan.written(hidden, "page")
    assert "whole page" in str(caught.value.hint)


def test_bands_that_cannot_be_read_are_an_error(page):
    hidden = cover(cover(page[0], 100, 8, 14), 100, 289, 14)
    with pytest.raises(InputError, match="its bands cannot be read"):
        scan.written(jpeg(turn(hidden, 5)), "page")


@pytest.mark.parametrize("colour", [None, (240, 60, 50)])
def test_a_page_with_nothing_written_on_it_is_an_error(colour):
    image = fill(text="ag", colour=colour)[0] if colour else fill(text=LEFT_OUT)[0]
    for seen in (image, jpeg(turn(image, 1))):
        with pytest.raises(InputError, match="page 1 of a template, and nothing is written"):
            scan.written(seen, "page")


def rings(places):
    image = Image.new("L", (1000, 1000), 255)
    for place in places:
        font = ImageFont.truetype(FONT, 200)
        ImageDraw.Draw(image).text(place, "◎", 0, font)
    return image


def test_other_images_are_no_templates():
    corners = [(50, 50), (700, 60), (60, 700), (700, 700)]
    noise = np.random.default_rng(0).integers(0, 256, (500, 500), np.uint8)
    for image in (rings(corners), rings(corners[:3]), rings([]), Image.fromarray(noise)):
        assert scan.written(image, "image") is None


def test_a_file_that_is_no_image_is_an_error(tmp_path):
    (tmp_path / "scan.png").write_text("no image")
    with pytest.raises(InputError, match=r"scan\.png is not an image"):
        scan.read(tmp_path / "scan.png")


def test_strokes_from_a_neighbouring_box_are_no_ink():
    image, _ = fill(text="gAAB")
    layout = template.LAYOUTS["a4"]
    right, middle = layout.left + layout.box[0], layout.top + layout.box[1] / 2
    line = np.array((right - 6, middle, right + 3, middle)) * DOTS
    ImageDraw.Draw(image).line(tuple(line), BLUE, 12)
    found = scan.written(image, "page") or ()
    assert [chr(one.codepoint) for one in found] == ["g", "B"]


def test_what_goes_on_under_its_box_is_read_as_far(vce, tmp_path):
    image, _ = fill(text="lI")
    layout = template.LAYOUTS["a4"]
    middle, bottom = layout.left + layout.box[0] / 2, layout.top + layout.box[1]
    pen, whole = ImageDraw.Draw(image), list(scan.written(image, "page") or ())
    for box, length in enumerate((1.5, 3.5)):  # millimetres under the box
        x = middle + box * layout.box[0]
        pen.line(tuple(np.array((x, bottom - 12, x, bottom + length)) * DOTS), BLUE, 12)
    short, long = list(scan.written(image, "page") or ())
    assert (short.is_cut, long.is_cut) == (False, True)
    for one, before in zip((short, long), whole, strict=True):
        longer = np.flatnonzero(one.ink.any(1))[-1] - np.flatnonzero(before.ink.any(1))[-1]
        assert longer > 8 * scan.FINENESS  # from the baseline, 7.5 mm above the box's edge
    image.save(tmp_path / "page.png")
    done = vce("convert", "page.png", "-n", 1, "--seed", 7, "-o", "out.png")
    assert done.stderr.count("goes on beyond its box, and is cut") == 1


@pytest.mark.parametrize("dots", [100, 300])
def test_a_page_in_black_and_white_is_read(dots, page, vce, tmp_path):
    image = page[0].convert("L")
    small = image.resize([round(side * dots / template.DPI) for side in image.size])
    small.point(lambda value: 255 * (value > 140)).convert("1").save(tmp_path / "page.png")
    said = vce("convert", "page.png", "-n", 1, "--seed", 7, "-v", "-o", "out.png").stderr
    assert said.count("read ") == len(page[1])


@pytest.mark.parametrize("text", ["ابجدسعوغ", "ళॢੴ", "ꙮ", "Ñ"])
def test_no_caption_is_read(text):
    (page,) = template.paginate(template.choose(text, None), "a4")
    with pytest.raises(InputError, match="nothing is written on it"):
        scan.written(template.render(page), "page")


def test_a_band_says_what_the_page_holds():
    for points in ((0x41,), tuple(range(0x61, 0x7B)), (0x10FFFF, 0x21, 0x4E00, 0x20AC)):
        page = barcode.Page("letter", 3, 4, points)
        assert barcode.decode(barcode.encode(page)) == page


def test_a_damaged_band_is_not_read():
    cells = barcode.encode(barcode.Page("a4", 1, 1, (0x41, 0x42)))
    for place in ((0, 0), (3, 70), (5, 100)):
        damaged = cells.copy()
        damaged[place] ^= True
        assert barcode.decode(damaged) is None


def test_pages_hold_all_characters_in_their_order():
    for points in (list(range(0x21, 0x7F)), list(range(0x4E00, 0x9000, 97))[::-1]):
        pages = template.paginate(points, "a4")
        assert [point for page in pages for point in page.characters] == points
        assert [page.number for page in pages] == list(range(1, len(pages) + 1))
        assert {page.pages for page in pages} == {len(pages)}
        for page in pages:
            assert barcode.decode(barcode.encode(page)) == page


def test_captions_are_never_the_box_of_a_lacking_character():
    own = font_for("A", 40)
    assert own
    lacking = own.getmask(NOWHERE)
    for character in "Aé字अع€":
        font = font_for(character, 40)
        if font is not None:
            assert bytes(font.getmask(character)) != bytes(lacking), character
    assert font_for(NOWHERE, 40) is None
    (page,) = template.paginate([0x10FFFD], "a4")
    assert np.asarray(template.render(page)).min(axis=2)[345:400, 165:250].min() < 200


def test_a_pdf_has_the_size_of_the_paper_and_every_page(vce, tmp_path):
    vce("template", "-o", "a.pdf")
    vce("template", "-o", "b.pdf", "--paper", "letter", "--chars", "a-z,U+00DF")
    for name, pages, width in (("a.pdf", 2, 595), ("b.pdf", 1, 612)):
        data = (tmp_path / name).read_bytes()
        assert data.startswith(b"%PDF")
        boxes = re.findall(rb"/MediaBox \[ ?0 0 ([\d.]+)", data)
        assert {round(float(box)) for box in boxes} == {width}
        assert int(re.findall(rb"/Count (\d+)", data)[-1]) == pages


def test_the_same_command_gives_the_same_bytes(vce, tmp_path):
    for name in ("a.pdf", "b.pdf", "a.png", "b.png"):
        vce("template", "--text", "abc", "-o", name)
    for form in ("pdf", "png"):
        one, other = ((tmp_path / f"{name}.{form}").read_bytes() for name in "ab")
        assert one == other


def test_pictures_are_numbered_where_there_are_several(vce, tmp_path):
    vce("template", "-o", "a.png", "--text", "x")
    vce("template", "-o", "sheet.png")
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == ["a.png", "sheet-01.png", "sheet-02.png"]
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (2480, 3508)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    with Image.open(tmp_path / "sheet-02.png") as image, pytest.raises(InputError) as caught:
        scan.written(image, "sheet")
    assert "page 2 of a template" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("-o", "a.jpg"), 2, "cannot write a.jpg"),
        (("-o", "-"), 2, "cannot write -"),
        (("-o", "a.pdf", "--paper", "a5"), 2, "--paper is 'a5'"),
        (("-o", "a.pdf", "--chars", "klingon"), 2, "no characters are called"),
        (("-o", "a.pdf", "--text", " "), 2, "there is no character to write"),
        (("-o", "a.pdf", "--chars", "U+4E00-9FFF"), 2, "are too many"),
        (("-o", "none/a.pdf"), 5, "cannot write none/a.pdf"),
        (("-o", "there.pdf", "--no-clobber"), 5, "there.pdf is there already"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments, status, words, vce, tmp_path):
    (tmp_path / "there.pdf").write_text("kept")
    done = vce("template", *arguments, status=status)
    assert done.stdout == ""
    assert re.fullmatch(r"error: [^\n]+\n(hint: [^\n]+\n)?", done.stderr), done.stderr
    assert words in done.stderr
    assert (tmp_path / "there.pdf").read_text() == "kept"


def test_characters_come_in_order_without_repeats_or_blanks():
    assert template.choose("b a\tb", "a-c,U+E000") == [*b"bac", 0xE000]
    assert len(template.choose(None, None)) == 94
    with pytest.raises(ConfigError):
        template.choose(None, "klingon")
