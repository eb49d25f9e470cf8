"""What HarfBuzz sets with a font made from another, beside what it sets with the source."""

import functools
import re

import uharfbuzz as hb
from fontTools.ttLib import TTFont

ASCII = "".join(map(chr, range(0x21, 0x7F)))

WORDS = (
    *("office", "affluent", "fjord", "Mississippi", "AVATAR To Wave", "1/2 1st 2nd", "WWW..."),
    *(
        "naïve",
        "Škoda",
        "Łódź",
        "Việt Nam",
        "e\u0301a\u0302n\u0303o\u0308",
        "i\u0307 ĳ ﬁ",
        "O\u031b",
    ),
    *("Ἀθῆναι", "Ελλάδα", "ΑΥΤΟΣ", "Москва", "Ўзбек", "и\u0306", "Україна", "България"),
    *("שָׁלוֹם", "السلام", "لا إله", "نُور", "हिन्दी", "क्षत्रिय", "ภาษาไทย", "น้ำ", "Հայերեն", "ქართული"),
)
"""Words whose shaping takes ligatures, marks, alternates or joining; a font has some of them."""

GENERATED = re.compile(r"glyph\d+|gid\d+")
"""A name that stands for a number: it is another one in a font that was cut."""


def shapes(source, hand):
    """HarfBuzz finds the source's glyphs for every pair of ASCII and words of other scripts."""
    return _compare(source, hand, "glyphs", lambda a, b: all(map(_same_name, a, b)))


def kerns(source, hand):
    """Pairs and words are kerned by what the source kerns them."""
    return _compare(source, hand, "kerning", lambda a, b: list(a) == list(b))


@functools.cache
def _face(path):
    """HarfBuzz's font and its glyphs' names, which FontTools reads where HarfBuzz does not."""
    with TTFont(path, lazy=True) as font:
        return hb.Font(hb.Face(hb.Blob.from_file_path(str(path)))), font.getGlyphOrder()


def _shape(path, text, features):
    font, names = _face(path)
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    hb.shape(font, buffer, features)
    return [names[info.codepoint] for info in buffer.glyph_infos], [
        place.x_advance for place in buffer.glyph_positions
    ]


@functools.cache
def _shaped(path, texts):
    """Glyphs, and what kerning adds to each advance, for every text."""
    result = {}
    for text in texts:
        names, kerned = _shape(path, text, {})
        _, plain = _shape(path, text, {"kern": False})
        added = (
            [a - b for a, b in zip(kerned, plain, strict=True)]
            if len(kerned) == len(plain)
            else kerned
        )
        result[text] = {"glyphs": names, "kerning": added}
    return result


@functools.cache
def _texts(characters):
    """Pairs of ASCII and words that can be set with some characters."""
    ascii_ = [character for character in ASCII if character in characters]
    pairs = [a + b for a in ascii_ for b in ascii_]
    return (*pairs, *(word for word in WORDS if set(word) <= characters | {" "}))


def _compare(source, hand, what, equal):
    with TTFont(source, lazy=True) as original, TTFont(hand, lazy=True) as font:
        both = frozenset(map(chr, original.getBestCmap().keys() & font.getBestCmap().keys()))
    before, after = (_shaped(path, _texts(both)) for path in (source, hand))
    apart = [
        text
        for text, was in before.items()
        if len(was[what]) != len(after[text][what]) or not equal(was[what], after[text][what])
    ]
    if not apart:
        return []
    first = apart[0]
    return [
        f"{what} of {len(apart)} texts of {len(before)} differ, as {first!r}: "
        f"{before[first][what]} became {after[first][what]}"
    ]


def _same_name(a, b):
    return a == b or bool(GENERATED.fullmatch(a) or GENERATED.fullmatch(b))


def figure_widths(path, features):
    with TTFont(path, lazy=True) as font:
        figures = [chr(point) for point in range(0x30, 0x3A) if point in font.getBestCmap()]
    return {_shape(path, figure, features)[1][0] for figure in figures}
