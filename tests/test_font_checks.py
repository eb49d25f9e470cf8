"""Each check of fonts passes a faithful font, and finds a fault that was put into one."""

import shutil
import subprocess
import sys
from pathlib import Path

import font_checks
import font_judges
import fonts
import pytest
from fontTools import subset
from fontTools.designspaceLib import AxisDescriptor, DesignSpaceDocument, SourceDescriptor
from fontTools.fontBuilder import FontBuilder
from fontTools.misc.transform import Identity
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables.TupleVariation import TupleVariation
from ufoLib2 import Font

SANS = fonts.SOURCES["sans"]
KEPT = "AVTo.fil0123456789eu"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Some of DejaVu Sans, with its kerning, ligatures and marks."""
    if not SANS.path.exists():
        pytest.skip(f"DejaVu Sans is not here: apt install {SANS.package}")
    options = subset.Options(layout_features=["*"], hinting=False, glyph_names=True)
    options.drop_tables += ["FFTM"]
    path = tmp_path_factory.mktemp("source") / "source.ttf"
    with TTFont(SANS.path) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(text=KEPT + "\u0301\u0308 ")
        cutter.subset(font)
        for tag in ("fpgm", "cvt ", "prep"):
            font.tables.pop(tag, None)
        font.save(path)
    return path


@pytest.fixture
def hand(source, tmp_path):
    """Write the source under another name, with a fault if one is given."""

    def write(fault=lambda font: None):
        with TTFont(source) as font:
            for number in (1, 4, 6, 16):
                font["name"].removeNames(nameID=number)
            for number, name in ((1, "Other"), (4, "Other"), (6, "Other-Regular")):
                font["name"].setName(name, number, 3, 1, 0x409)
            fault(font)
            font["OS/2"].usWinAscent = max(font["OS/2"].usWinAscent, font["head"].yMax)
            font["OS/2"].usWinDescent = max(font["OS/2"].usWinDescent, -font["head"].yMin)
            font.save(tmp_path / "hand.ttf")
        return tmp_path / "hand.ttf"

    return write


def replace(font, name, points=None, transform=Identity):
    """Replace a glyph by itself moved, or by one contour of points."""
    pen = TTGlyphPen(None)
    if points:
        pen.moveTo(points[0])
        for point in points[1:]:
            pen.lineTo(point)
        pen.closePath()
    else:
        font.getGlyphSet()[name].draw(TransformPen(pen, transform))
    font["glyf"][name] = pen.glyph()


def cross(font):
    replace(font, "T", [(0, 0), (900, 1400), (900, 0), (0, 1400)])


def bulge(font):
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.qCurveTo((-200, 700), (0, 1400))
    pen.lineTo((900, 1400))
    pen.closePath()
    font["glyf"]["T"] = pen.glyph()


def unkern(font):
    for lookup in font["GPOS"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            if table.LookupType == 2 and table.Format == 1:
                for pairs in table.PairSet:
                    for record in pairs.PairValueRecord:
                        record.Value1.XAdvance += 7
            if table.LookupType == 2 and table.Format == 2:
                for first in table.Class1Record:
                    for second in first.Class2Record:
                        if second.Value1 and getattr(second.Value1, "XAdvance", 0):
                            second.Value1.XAdvance += 7
    if "kern" in font:
        del font["kern"]


def forget_ligatures(font):
    del font["GSUB"]


def wider_one(font):
    width, bearing = font["hmtx"]["one"]
    font["hmtx"]["one"] = width + 9, bearing


def wide_mark(font):
    font["hmtx"][font.getBestCmap()[0x301]] = 300, 0


def no_licence(font):
    font["name"].removeNames(nameID=13)
    font["name"].removeNames(nameID=0)


def old_family(font):
    font["name"].setName("DejaVu Sans", 1, 3, 1, 0x409)


def flat_ascent(font):
    font["hhea"].ascent -= 100


def other_units(font):
    font["head"].unitsPerEm = 1000


def said_to_slant(font):
    font["post"].italicAngle = 10


def lost_glyph(font):
    for table in font["cmap"].tables:
        table.cmap.pop(ord("V"), None)
        table.cmap[ord("V")] = "A"


FAULTS = [
    (font_checks.crosses, cross),
    (font_checks.extrema, bulge),
    (font_checks.kerns, unkern),
    (font_checks.shapes, forget_ligatures),
    (font_checks.shapes, lost_glyph),
    (font_checks.widths, wider_one),
    (font_checks.widths, wide_mark),
    (font_checks.tables, no_licence),
    (font_checks.tables, old_family),
    (font_checks.tables, flat_ascent),
    (font_checks.tables, other_units),
    (font_checks.tables, forget_ligatures),
    (font_checks.fontbakery, said_to_slant),
    (font_checks.fontforge, cross),
]


def ready(check):
    if check is font_checks.fontforge and not font_judges.has_fontforge():
        pytest.skip("FontForge is not here: apt install fontforge-nox")
    return check


@pytest.mark.parametrize("check", font_checks.CHECKS, ids=lambda check: check.__name__)
def test_a_font_under_another_name_holds(check, source, hand):
    assert ready(check)(source, hand()) == []


@pytest.mark.parametrize(("check", "fault"), FAULTS, ids=lambda part: part.__name__)
def test_a_fault_is_found(check, fault, source, hand):
    assert ready(check)(source, hand(fault)) != []


def test_a_broken_table_does_not_pass_the_sanitiser(source, hand):
    path = hand()
    whole = path.read_bytes()
    at = whole.index(b"head", 12, 12 + 16 * 40)
    offset = int.from_bytes(whole[at + 8 : at + 12])
    path.write_bytes(whole[: offset + 12] + b"\0\0\0\0" + whole[offset + 16 :])  # its magic number
    assert font_checks.sanitises(source, path)


def build(path, moved=0, mark="A"):
    """A font of one glyph with an axis that moves a point of it, or the same with it moved."""
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", mark])
    builder.setupCharacterMap({0x41: mark})
    pens = {}
    for name in (".notdef", mark):
        pens[name] = TTGlyphPen(None)
        pens[name].moveTo((0, 0))
        for point in ((0, 700), (500 + moved, 700), (500, 0)):
            pens[name].lineTo(point)
        pens[name].closePath()
    builder.setupGlyf({name: pen.glyph() for name, pen in pens.items()})
    builder.setupHorizontalMetrics(dict.fromkeys((".notdef", mark), (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Two", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    if path.stem == "variable":
        builder.setupFvar([("HND1", 0, 0, 100, "Hand 1")], [])
        delta = moved_by(40)
        builder.setupGvar({name: [delta] for name in (".notdef", mark)})
    builder.save(path)
    return path


def moved_by(by):
    points = [(0, 0), (0, 0), (by, 0), (0, 0)]
    return TupleVariation({"HND1": (0, 1, 1)}, points + [(0, 0)] * 4)


def test_a_variable_font_at_the_end_of_an_axis_is_its_hand(tmp_path):
    variable = build(tmp_path / "variable.ttf")
    assert font_checks.varies(variable, [build(tmp_path / "hand.ttf", moved=40)]) == []
    assert font_checks.varies(variable, [build(tmp_path / "other.ttf", moved=41)])
    assert font_checks.varies(variable, [])


def test_a_variable_font_rests_at_its_source(tmp_path):
    variable, source = build(tmp_path / "variable.ttf"), build(tmp_path / "source.ttf")
    assert font_checks.rests(source, variable) == []
    assert font_checks.rests(build(tmp_path / "bold.ttf", moved=40), variable)


def masters(folder, last):
    """A designspace of a square that widens, the wide one with a last point or without."""
    document = DesignSpaceDocument()
    document.addAxis(AxisDescriptor(tag="HND1", name="Hand 1", minimum=0, default=0, maximum=100))
    for place in (0, 100):
        font = Font()
        font.info.familyName, font.info.styleName = "Two", f"Hand {place}"
        font.info.unitsPerEm, font.info.ascender, font.info.descender = 1000, 800, -200
        font.info.xHeight, font.info.capHeight = 500, 700
        glyph = font.newGlyph("A")
        glyph.unicode, glyph.width = 0x41, 600
        pen = glyph.getPen()
        pen.moveTo((0, 0))
        for point in ((500 + place, 0), (500, 700), (0, 700))[: 3 if last or not place else 2]:
            pen.lineTo(point)
        pen.closePath()
        font.save(folder / f"{place}.ufo")
        document.addSource(
            SourceDescriptor(path=str(folder / f"{place}.ufo"), location={"Hand 1": place})
        )
    document.write(folder / "two.designspace")
    return folder / "two.designspace"


def test_fontmake_takes_masters_that_agree_and_no_others(tmp_path):
    for last in (True, False):
        (tmp_path / str(last)).mkdir()
        findings = font_judges.builds(masters(tmp_path / str(last), last))
        assert bool(findings) is not last, findings


def test_the_checks_run_as_a_script(source, hand, tmp_path):
    shutil.copy(hand(wider_one), tmp_path / "one.ttf")
    done = subprocess.run(
        [sys.executable, Path(font_checks.__file__), source, tmp_path / "one.ttf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "one.ttf: widths: figures of one width have several" in done.stdout
