"""A font of rectangles, made by the tests."""

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen

LETTERS = "AHilo.-é😀"


def rectangle(pen, left, bottom, right, top):
    pen.moveTo((left, bottom))
    for point in ((left, top), (right, top), (right, bottom)):
        pen.lineTo(point)
    pen.closePath()


def strokes(pen, letter):
    """Rectangles for a letter, 1000 units to the em; every letter lies elsewhere."""
    if letter == "o":
        rectangle(pen, 50, 0, 450, 500)
        pen.moveTo((130, 80))
        for point in ((370, 80), (370, 420), (130, 420)):
            pen.lineTo(point)
        pen.closePath()
    elif letter == "-":
        rectangle(pen, 40, 250, 340, 320)
    elif letter == ".":
        rectangle(pen, 80, 0, 180, 100)
    elif letter != " ":
        rectangle(pen, 60, -100 if letter == "i" else 0, 140, 700)
        rectangle(pen, 140, 300, 400, 380)


def build(path, letters=LETTERS + " ", otf=False):
    """A font of rectangles, its measures unlike every default."""
    font = FontBuilder(1000, isTTF=not otf)
    names = [".notdef", *(f"g{i}" for i in range(len(letters)))]
    glyphs = {}
    for name, letter in zip(names, f" {letters}", strict=True):
        pen = T2CharStringPen(500, None) if otf else TTGlyphPen(None)
        strokes(pen, letter)
        glyphs[name] = pen.getCharString() if otf else pen.glyph()
    font.setupGlyphOrder(names)
    font.setupCharacterMap(
        {ord(letter): name for letter, name in zip(letters, names[1:], strict=True)}
    )
    if otf:
        font.setupCFF("Blocks", {}, glyphs, {})
    else:
        font.setupGlyf(glyphs)
    edges = {" ": 0, "o": 50, "-": 40, ".": 80}
    bearings = [edges.get(letter, 60) for letter in f" {letters}"]
    widths = {name: (510 + i, bearings[i]) for i, name in enumerate(names)}
    font.setupHorizontalMetrics(widths)
    font.setupHorizontalHeader(ascent=820, descent=-210, lineGap=33)
    font.setupNameTable(
        {
            "familyName": "Blocks",
            "styleName": "Regular",
            "licenseDescription": "OFL",
            "copyright": "©",
        }
    )
    lines = {"sTypoAscender": 790, "sTypoDescender": -230, "sTypoLineGap": 21}
    limits = {"usWinAscent": 850, "usWinDescent": 240}
    font.setupOS2(sxHeight=480, sCapHeight=690, version=4, **lines, **limits)
    font.setupPost()
    font.save(path)
    return path
