"""Small fonts and UFOs that ask for much, and what is made for weights of another framing."""

import gzip
import io
import os
import re
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from blocks import build
from fontTools.cffLib import SubrsIndex
from fontTools.misc.psCharStrings import T2CharString
from fontTools.ttLib import TTFont
from test_hostile import MEGABYTES, run
from ufoLib2 import Font

from vce_models import weights
from vce_models.errors import InputError
from vce_models.fonts import hands
from vce_models.fonts.placement import around
from vce_models.fonts.source import read_font
from vce_models.framing import Framing

EVERY = 65535
BEGINS = struct.pack(">LHHH", 0x10000, 10, 10, 12) + b"\0\0"
"""A layout table without scripts and features."""


def spoilt(data, **tables):
    """A font with other tables, which fontTools would not write."""
    with TTFont(io.BytesIO(data)) as font:
        parts = {tag: font.reader[tag] for tag in font.reader.tables}
    parts |= tables
    place, directory, body = 12 + 16 * len(parts), b"", b""
    for tag in sorted(parts):
        directory += tag.encode() + struct.pack(">3L", 0, place + len(body), len(parts[tag]))
        body += parts[tag] + bytes(-len(parts[tag]) % 4)
    return struct.pack(">L4H", 0x10000, len(parts), 0, 0, 0) + directory + body


def of_glyphs(data, glyf, places):
    """A font of other glyphs, which begin and end at these places."""
    with TTFont(io.BytesIO(data)) as font:
        head, maxp, hmtx = (font.reader[tag] for tag in ("head", "maxp", "hmtx"))
    count = len(places) - 1
    return spoilt(
        data,
        head=head[:50] + struct.pack(">h", 1) + head[52:],
        maxp=maxp[:4] + struct.pack(">H", count) + maxp[6:],
        hmtx=hmtx + bytes(2 * count),
        glyf=glyf,
        loca=struct.pack(f">{count + 1}L", *places),
    )


def composite(part):
    return struct.pack(">5h", -1, 0, 0, 9, 9) + struct.pack(">HHbb", 2, part, 0, 0)


def chain(data):
    """Each of sixty thousand glyphs is made of the next."""
    size = len(composite(0))
    glyf = b"".join(composite(min(i + 1, 59_999)) for i in range(60_000))
    return of_glyphs(data, glyf, [size * i for i in range(60_001)])


def shared(data):
    """Glyphs that are all the same hundred thousand bytes."""
    glyf = struct.pack(">5hHH", 1, 0, 0, 9, 9, 50_000, 0) + bytes(100_000)
    return of_glyphs(data, glyf, [0, len(glyf)] * (EVERY // 2))


def mapped(*groups, maps=1):
    map_of_all = struct.pack(">HHLLL", 12, 0, 16 + 12 * len(groups), 0, len(groups))
    map_of_all += b"".join(struct.pack(">3L", *group) for group in groups)
    records = b"".join(struct.pack(">HHL", 3, 10, 4 + 8 * maps) for _ in range(maps))
    return struct.pack(">HH", 0, maps) + records + map_of_all


def layout(parts):
    """As many lookups, all the same, of as many parts, all the same."""
    lookups = struct.pack(f">{parts + 1}H", parts, *[2 * parts + 2] * parts)
    lookup = struct.pack(f">HHH{parts}H", 1, 0, parts, *[6 + 2 * parts] * parts)
    return BEGINS + lookups + lookup + struct.pack(">6H", 1, 6, 1, 1, 1, 2)


def laughs(data):
    """Strokes that call others a hundred times, which call others a hundred times, ..."""
    with TTFont(io.BytesIO(data), recalcBBoxes=False) as font:
        cff = font["CFF "].cff
        top = cff.topDictIndex[0]
        top.Private.Subrs = SubrsIndex()
        for i in range(12):
            calls = [i + 1 - 107, "callsubr"] * 100 if i < 11 else [1, "hmoveto"]
            strokes = T2CharString(program=[*calls, "return"], private=top.Private)
            strokes.globalSubrs = cff.GlobalSubrs
            top.Private.Subrs.append(strokes)
        top.CharStrings["g0"].setProgram([-107, "callsubr", "endchar"])
        whole = io.BytesIO()
        font.save(whole)
        return whole.getvalue()


def packed(data, extra, announced):
    """A WOFF with one more table, of zeros."""
    with TTFont(io.BytesIO(data)) as font:
        parts = {tag: (font.reader[tag], len(font.reader[tag])) for tag in font.reader.tables}
    parts["zzzz"] = (zlib.compress(bytes(extra)), announced)
    place, directory, body = 44 + 20 * len(parts), b"", b""
    for tag, (part, length) in sorted(parts.items()):
        directory += tag.encode()
        directory += struct.pack(">4L", place + len(body), len(part), length, 0)
        body += part + bytes(-len(part) % 4)
    begins = b"wOFF\0\1\0\0" + struct.pack(">LHHL", place + len(body), len(parts), 0, 500)
    return begins + bytes(24) + directory + body


def names(count, length):
    """A table of names that all share their bytes."""
    record = struct.pack(">6H", 3, 1, 0x409, 1, length, 0)
    return struct.pack(">3H", 0, count, 6) + record * count + b"\0A" * (length // 2)


def documents(count, document):
    """A table of SVG documents that all share their bytes."""
    place = 2 + 12 * count
    entry = b"".join(struct.pack(">HHLL", i, i, place, len(document)) for i in range(count))
    return struct.pack(">HLLH", 0, 10, 0, count) + entry + document


BOMBS = {
    "names": (lambda d: spoilt(d, name=names(EVERY, 60_000)), "names are too long"),
    "documents": (
        lambda d: spoilt(d, **{"SVG ": documents(EVERY, b" " * 200_000)}),
        "tables are too large",
    ),
    "packed documents": (
        lambda d: spoilt(d, **{"SVG ": documents(9, gzip.compress(bytes(60_000_000)))}),
        "tables are too large",
    ),
    "a chain of glyphs": (chain, "made of"),
    "glyphs that share their bytes": (shared, "overlap"),
    "a map of all characters": (lambda d: spoilt(d, cmap=mapped((0, 0x10FFFF, 1))), "characters"),
    "many maps": (lambda d: spoilt(d, cmap=mapped((65, 66, 1), maps=2000)), "2000 maps"),
    "substitutions": (lambda d: spoilt(d, GSUB=layout(3000)), "more parts"),
    "positions": (lambda d: spoilt(d, GPOS=layout(3000)), "more parts"),
    "a table that is long": (lambda d: packed(d, 60_000_000, 60_000_000), "too large"),
    "a table longer than it says": (lambda d: packed(d, 60_000_000, 100_000), "longer"),
    "glyphs that its map names": (
        lambda d: spoilt(d, cmap=mapped((65, 65, 1), (66, 66, 900))),
        "lacks",
    ),
    "no glyph that draws": (lambda d: of_glyphs(d, b"", [0] * 11), "draws nothing"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_font_that_asks_for_much_is_3(name, blocks, tmp_path):
    make, words = BOMBS[name]
    (tmp_path / "bomb.ttf").write_bytes(make(blocks.data))
    status, said, memory = run(tmp_path, "convert", "bomb.ttf", "-n", 1, "-q", "-o", "x.ttf")
    assert status == 3, said
    assert "bomb.ttf" in said[0]
    assert words in said[0]
    assert memory < MEGABYTES
    assert not (tmp_path / "x.ttf").exists()


def test_strokes_that_call_each_other_without_end_are_3(tmp_path):
    build(tmp_path / "a.otf", otf=True)
    (tmp_path / "bomb.otf").write_bytes(laughs((tmp_path / "a.otf").read_bytes()))
    for arguments in (("--text", "A", "-o", "x.png"), ("-o", "x.otf")):
        status, said, _ = run(tmp_path, "convert", "bomb.otf", "-n", 1, "-q", *arguments)
        assert (status, "call too many others" in said[0]) == (3, True), said


def ufo(folder):
    font = Font()
    font.info.unitsPerEm, font.info.familyName = 1000, "Small"
    glyph = font.newGlyph("A")
    glyph.unicode, glyph.width = 65, 500
    pen = glyph.getPen()
    pen.moveTo((50, 0))
    for place in ((50, 700), (400, 0)):
        pen.lineTo(place)
    pen.closePath()
    font.save(folder / "a.ufo")
    return folder / "a.ufo"


def entities(folder):
    file = folder / "glyphs/A_.glif"
    begins = '<!DOCTYPE glyph [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    file.write_text(file.read_text().replace("<glyph", f"{begins}<glyph", 1))


def of_itself(folder):
    file = folder / "glyphs/A_.glif"
    parts = '<outline><component base="A"/><component base="A"/>'
    file.write_text(file.read_text().replace("<outline>", parts))


def include(*names):
    def spoil(folder):
        code = "".join(f"include({name});\n" for name in names)
        (folder / "features.fea").write_text(code)

    return spoil


def inner(folder):
    (folder / "more.fea").write_text("include(a.ufo/more.fea);\n")
    include("a.ufo/more.fea")(folder)


def combined(statement):
    def spoil(folder):
        (folder / "features.fea").write_text(f"feature test {{ {statement}; }} test;\n")

    return spoil


def code(text, *glyphs):
    """Feature code, for a UFO with these glyphs too."""

    def spoil(folder):
        font = Font.open(folder)
        for name in glyphs:
            font.newGlyph(name)
        font.features.text = text
        font.save(folder, overwrite=True)

    return spoil


GLYPHS = [f"g{i}" for i in range(1600)]
HALVES = list(zip(GLYPHS[:800], GLYPHS[800:], strict=True))


def feature(*statements, name="test"):
    return f"feature {name} {{ {' '.join(statements)} }} {name};\n"


def doubling():
    """Thirty classes, each of which lists the one before it twice."""
    classes = ["@c0 = [A A];", *(f"@c{i} = [@c{i - 1} @c{i - 1}];" for i in range(1, 30))]
    return "\n".join([*classes, feature("sub @c29 by A;")])


def lookups(count):
    return "".join(f"lookup l{i} {{ sub A by A; }} l{i};\n" for i in range(count))


def languages(count):
    tags = [f"{chr(97 + i // 26)}{chr(97 + i % 26)}xx" for i in range(count)]
    systems = "".join(f"languagesystem {tag} dflt;\n" for tag in tags)
    return systems + "".join(feature("sub A by A;", name=tag) for tag in tags)


def marks():
    classes = "".join(f"markClass {b} <anchor 0 0> @{b};\n" for _, b in HALVES)
    places = (f"pos base {a} <anchor 0 0> mark @{b};" for a, b in HALVES)
    return classes + feature(*places, name="mark")


def alternates():
    choices = (f"sub {glyph} from [{' '.join(GLYPHS[:200])}];" for glyph in GLYPHS[:100])
    return feature("feature salt;" * 300, name="aalt") + feature(*choices, name="salt")


def included_pipe(folder):
    os.mkfifo(folder.parent / "x.fea")
    include("x.fea")(folder)


def tables(folder):
    font = Font.open(folder)
    font.data["com.github.googlei18n.ufo2ft.mtiFeatures/GSUB.mti"] = b"FontDame GSUB table\n"
    font.save(folder, overwrite=True)


def in_parts(base):
    """Each of a few glyphs is made of the next one twelve times, which `base` writes."""

    def spoil(folder):
        code("", "b", "c", "d", "e")(folder)
        for name, part in zip(("A_", "b", "c", "d"), "bcde", strict=True):
            file = folder / f"glyphs/{name}.glif"
            parts = f"<component base='{base(part)}'/>" * 12
            text = re.sub(r"<outline>.*</outline>", "", file.read_text(), flags=re.DOTALL)
            file.write_text(text.replace("</glyph>", f"<outline>{parts}</outline></glyph>"))

    return spoil


def otherwise_named(folder):
    """contents.plist says how a glyph is called, whatever its own file says."""
    in_parts(lambda part: part)(folder)
    for file in (folder / "glyphs").glob("*.glif"):
        file.write_text(file.read_text().replace('name="', 'name="x'))


def in_another(encoding):
    def spoil(folder):
        entities(folder)
        file = folder / "glyphs/A_.glif"
        file.write_bytes(file.read_text().replace("UTF-8", encoding).encode(encoding))

    return spoil


def of_another_suffix(folder):
    entities(folder)
    (folder / "glyphs/A_.glif").rename(folder / "glyphs/A_.txt")
    contents = folder / "glyphs/contents.plist"
    contents.write_text(contents.read_text().replace("A_.glif", "A_.txt"))


def pipe(folder):
    (folder / "metainfo.plist").unlink()
    os.mkfifo(folder / "metainfo.plist")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (entities, "A_.glif defines entities"),
        (of_itself, "the glyph A is made of itself"),
        (include("/etc/passwd"), "which lies elsewhere"),
        (include(*["x.fea"] * 100), "include 100 files"),
        (inner, "more.fea, which includes others"),
        (combined(f"sub {'[A A A A A A A A A A] ' * 40} by A"), "too many sequences"),
        (combined(f"enum pos [{'A ' * 2000}] [{'A ' * 2000}] 5"), "too many sequences"),
        (code(doubling()), "too many glyphs"),
        (code(feature(r"sub [\1-\90000000] by A;")), "more glyphs than a font has"),
        (code(feature("sub [" + r"\1-\60000 " * 99 + "] by A;")), "too many glyphs"),
        (
            code(f"@a = [{' '.join(GLYPHS)}];" + feature("sub @a A' by A;" * 3000), *GLYPHS),
            "too many glyphs",
        ),
        (code(feature("pos A 5include(/etc/passwd);")), "which lies elsewhere"),
        (included_pipe, "x.fea, which is no file"),
        (code(lookups(5000)), "have 5000 lookups"),
        (code(languages(400)), "for too many languages"),
        (
            code(feature(*(f"pos [{a}] [{b}] 5;" for a, b in HALVES), name="kern"), *GLYPHS),
            "too many pairs of classes",
        ),
        (code(marks(), *GLYPHS), "too many pairs of classes"),
        (code(alternates(), *GLYPHS), "too many glyphs"),
        (tables, "GSUB.mti holds features in a form that is not read"),
        (in_parts(lambda part: f"&#{ord(part)};"), "the glyph A is made of"),
        (otherwise_named, "the glyph A is made of"),
        (in_another("UTF-16"), "A_.glif is in another encoding"),
        (in_another("UTF-7"), "A_.glif is in another encoding"),
        (of_another_suffix, "A_.txt defines entities"),
        (pipe, "metainfo.plist is no file"),
        (lambda folder: os.truncate(folder / "glyphs/A_.glif", 2**40), "too large"),
        (lambda folder: (folder / "glyphs/A_.glif").write_text("<glyph"), "is damaged|no UFO"),
    ],
)
def test_a_ufo_that_reaches_out_or_asks_for_much_is_an_error(spoil, words, tmp_path):
    folder = ufo(tmp_path)
    assert read_font(folder).named == {65: "A"}
    spoil(folder)
    with pytest.raises(InputError, match=words):
        read_font(folder)


def test_a_class_of_classes_takes_little_memory(tmp_path):
    code(doubling())(ufo(tmp_path))
    status, said, memory = run(tmp_path, "convert", "a.ufo", "-n", 1, "-q", "-o", "x.ttf")
    assert (status, "too many glyphs" in said[0]) == (3, True), said
    assert memory < MEGABYTES


UFO2FT = "com.github.googlei18n.ufo2ft"


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("featureWriters", {"module": "evil", "class": "Evil"}),
        ("filters", {"namespace": "package", "name": "evil"}),
    ],
)
def test_no_module_is_loaded_that_a_ufo_names(key, entry, tmp_path):
    """ufo2ft would, and that runs it: `antigravity` opens a browser."""
    font = Font.open(ufo(tmp_path))
    font.lib[f"{UFO2FT}.{key}"] = [entry]
    font.save(tmp_path / "a.ufo", overwrite=True)
    (tmp_path / "package").mkdir()
    for name in ("evil.py", "package/__init__.py", "package/evil.py"):
        (tmp_path / name).write_text("open('RAN', 'w').close()\n")
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path}
    arguments = ("a.ufo", "--text", "A", "-n", 1, "--seed", 1, "-q", "-o", "x.png")
    status, said, _ = run(tmp_path, "convert", *arguments, env=environment)
    assert (status, said) == (0, [])
    assert not (tmp_path / "RAN").exists()


def test_filters_and_writers_of_ufo2ft_are_used(tmp_path):
    font = Font.open(ufo(tmp_path))
    font.kerning["A", "A"] = -50
    moved = {"name": "transformations", "kwargs": {"OffsetX": 100}, "pre": True}
    font.lib[f"{UFO2FT}.filters"] = [moved]
    font.lib[f"{UFO2FT}.featureWriters"] = [{"class": "KernFeatureWriter"}]
    font.save(tmp_path / "a.ufo", overwrite=True)
    source = read_font(tmp_path / "a.ufo")
    left = min(curve[:, 0].min() for c in source.contours(65) for piece in c for curve in piece)
    assert left == 150
    with TTFont(io.BytesIO(source.data)) as compiled:
        assert "GPOS" in compiled


def test_features_that_are_wrong_leave_no_file(tmp_path):
    """ufo2ft would keep a copy of them in the folder for temporary files."""
    code(feature("sub A by a; sub A by b;"), "a", "b")(ufo(tmp_path))
    (tmp_path / "temporary").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    status, said, _ = run(tmp_path, "convert", "a.ufo", "-q", "-o", "x.ttf", env=environment)
    assert (status, "Already defined" in said[0]) == (3, True), said
    assert not list((tmp_path / "temporary").iterdir())


OWN = Framing(longest=0.9, across=0.52, down=0.48)


def test_glyphs_of_a_font_lie_as_the_drawings_of_the_weights(blocks, tmp_path):
    shipped = weights.load()
    weights.save(tmp_path / "own.safetensors", replace(shipped, framing=OWN))
    (tmp_path / "a.ttf").write_bytes(blocks.data)
    arguments = ("--text", "AH", "-n", 1, "-q", "--weights", "own.safetensors")
    status, said, _ = run(tmp_path, "convert", "a.ttf", *arguments, "-o", "x.npz")
    assert (status, said) == (0, [])
    for condition in np.load(tmp_path / "x.npz")["conditions"]:
        rows, columns = np.nonzero(condition >= 0.5)
        sides = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert max(sides) == pytest.approx(0.9 * 28, abs=1.5)
        assert (columns.min() + columns.max() + 1) / 2 == pytest.approx(0.52 * 28, abs=1)


def test_fonts_are_moved_by_what_the_weights_see_in_their_own_framing(blocks):
    shipped = weights.load()
    own = hands.Rules(replace(shipped, framing=OWN), np.zeros((1, 28, 2), np.float32))
    outline, other = blocks.contours(ord("A")), hands.Rules(shipped, own.rules)
    seen, usual = (rules.source(outline, 1000.0) for rules in (own, other))
    assert seen is not None
    assert usual is not None
    assert seen.placement == around(usual.samples.places, OWN)
    assert seen.placement.side == pytest.approx(usual.placement.side * 0.64 / 0.9)
    assert seen.extent == pytest.approx(usual.extent)
    assert not np.array_equal(seen.condition, usual.condition)
