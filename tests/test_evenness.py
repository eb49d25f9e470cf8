"""The benchmark's own measures, on fonts whose unevenness is known because it was put there."""

import math
from pathlib import Path

import letterforms
import numpy as np
import pytest
import reading
from fontTools.misc.transform import Identity
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

SANS = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


@pytest.fixture(scope="module")
def source():
    if not SANS.exists():
        pytest.skip("DejaVu Sans is not here: apt install fonts-dejavu-core")
    return letterforms.read_source(SANS)


@pytest.fixture
def moved(source, tmp_path):
    """Write DejaVu Sans with every letter moved by a transform of its own, and measure it."""

    def write(transform):
        font = TTFont(SANS)
        glyphs, units = font.getGlyphSet(), font["head"].unitsPerEm / 1000
        moved_glyphs = {}
        for letter in source.letters:
            name = font.getBestCmap()[ord(letter)]
            pen = TTGlyphPen(None)
            inner = Identity.scale(units).transform(transform()).scale(1 / units)
            glyphs[name].draw(TransformPen(pen, inner))
            moved_glyphs[name] = pen.glyph()
        for name, glyph in moved_glyphs.items():
            font["glyf"][name] = glyph
        font.save(tmp_path / "moved.ttf")
        return letterforms.compare(source, letterforms.read(tmp_path / "moved.ttf"))

    return write


def test_a_font_is_as_even_as_itself(source):
    even = letterforms.compare(source, source.letters)
    measures = (even.baseline, even.xheight, even.slant, even.stem)
    assert measures == pytest.approx((0, 0, 0, 0), abs=1e-9)


def test_what_all_letters_do_alike_makes_none_uneven(moved):
    for transform in (Identity.skew(math.radians(10)), Identity.scale(1.1, 0.9).translate(9, 30)):
        even = moved(lambda transform=transform: transform)
        assert max(even.baseline, even.xheight, even.stem) < 0.6  # points are whole units
        assert even.slant < 0.1


def test_letters_off_the_line_are_off_by_that(moved):
    rng = np.random.default_rng(1)
    even = moved(lambda: Identity.translate(0, rng.normal(0, 20)))
    assert even.baseline == pytest.approx(20, rel=0.3)
    assert even.xheight == pytest.approx(20, rel=0.5)
    assert max(even.slant, even.stem) < 0.1


def test_letters_that_lean_as_they_like_are_told_in_degrees(moved):
    rng = np.random.default_rng(2)
    even = moved(lambda: Identity.skew(math.radians(rng.normal(0, 3))))
    assert even.slant == pytest.approx(3, rel=0.3)
    assert max(even.baseline, even.xheight) < 0.6


def test_letters_of_different_weight_are_told_by_their_stems(moved):
    rng = np.random.default_rng(3)
    # DejaVu Sans' stems are 92 thousandths wide: a tenth more or less is nine
    even = moved(lambda: Identity.scale(1 + rng.normal(0, 0.1), 1))
    assert even.stem == pytest.approx(9.2, rel=0.3)
    assert max(even.baseline, even.xheight, even.slant) < 0.6


def test_letters_of_different_height_are_told_by_the_x_height(moved):
    rng = np.random.default_rng(4)
    # x is 547 thousandths high: a thirtieth more or less is 18
    even = moved(lambda: Identity.scale(1, 1 + rng.normal(0, 1 / 30)))
    assert even.xheight == pytest.approx(18, rel=0.5)
    assert even.baseline < 1


@pytest.mark.parametrize(
    ("found", "share"),
    [
        ("one two three four", 1.0),
        ("one Two three four", 0.75),
        ("one three two four", 0.75),
        ("two three", 0.5),
        ("", 0.0),
        ("one and two and three and four", 1.0),
    ],
)
def test_words_count_in_order_and_by_their_case(found, share):
    assert reading.share(["one", "two", "three", "four"], found.split()) == share


def test_the_text_has_every_letter_and_words_lose_their_punctuation():
    assert set("abcdefghijklmnopqrstuvwxyz") <= set(reading.TEXT.lower())
    assert reading.words("Quite often: (a key), half a violin.") == [
        *("Quite", "often", "a", "key", "half", "a", "violin")
    ]


def test_a_plain_font_is_read_whole(source, tmp_path):
    if reason := reading.missing():
        pytest.skip(reason)
    found = reading.read(reading.page(SANS), tmp_path)
    assert reading.share(reading.words(reading.TEXT), found) == 1
