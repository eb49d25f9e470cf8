"""Masters as UFO, and a designspace of them, built by fontmake."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from families import HANDS, SOURCES, TEXTS, family_of, installed, little
from fontTools.designspaceLib import DesignSpaceDocument
from fontTools.pens.recordingPen import DecomposingRecordingPen
from matplotlib import get_data_path
from test_hand_fonts import opened, saved, shaped
from ufoLib2 import Font

from vce_models import rules, weights
from vce_models.fonts import hands, moving
from vce_models.fonts.designspace import write_designspace
from vce_models.fonts.editing import edited
from vce_models.fonts.source import read_font
from vce_models.fonts.ufo import master_ufo

TWO = HANDS[:2]
MIXED = "AV Ta fi Te é o\u0323 fi\u0301 a\u0300\u0301 nk At"


def fontmake(*arguments):
    command = Path(sys.executable).with_name("fontmake")
    if not command.exists():
        pytest.skip("fontmake is not installed")
    quiet = ["--verbose", "WARNING", "--keep-overlaps"]
    done = subprocess.run(
        [command, *map(str, arguments), *quiet], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["little", "little in CFF", "DejaVu Sans", "Thai"])
def test_fontmake_builds_the_family_without_a_warning(name, tmp_path):
    source = SOURCES[name]()
    family, text = family_of(source, TWO), TEXTS.get(name, MIXED)
    (tmp_path / "made").mkdir()
    written = write_designspace(tmp_path / "made" / "hands.designspace", family, name="Hands")
    assert sorted(written) == sorted((tmp_path / "made").iterdir())
    built = tmp_path / "built.ttf"
    fontmake("-m", written[0], "-o", "variable", "--output-path", built)
    for hand in range(3):
        alone = edited(family, hand, name="Hand", flavour="ttf")
        at = {f"HND{k}": 100 * (k == hand) for k in (1, 2)}
        assert shaped(built.read_bytes(), text, variations=at) == shaped(alone, text)


def test_fontmake_builds_one_master(tmp_path):
    family = family_of(little(), TWO)
    master_ufo(family, 2, name="Hand").save(tmp_path / "hand.ufo")
    built = tmp_path / "hand.otf"
    fontmake("-u", tmp_path / "hand.ufo", "-o", "otf", "--output-path", built)
    alone = edited(family, 2, name="Hand", flavour="otf")
    assert shaped(built.read_bytes(), MIXED) == shaped(alone, MIXED)
    one, two = opened(built.read_bytes()), opened(alone)
    for number in (0, 1, 2, 4, 5, 6, 7, 9, 10, 13):
        assert one["name"].getDebugName(number) == two["name"].getDebugName(number)
    kept = "usWeightClass fsSelection fsType usWinAscent usWinDescent sTypoAscender sxHeight"
    for measure in (*kept.split(), "sCapHeight", "achVendID", "ulUnicodeRange1"):
        assert getattr(one["OS/2"], measure) == getattr(two["OS/2"], measure)
    assert one["head"].macStyle == two["head"].macStyle
    assert one["head"].created == two["head"].created
    assert one["post"].italicAngle == two["post"].italicAngle
    assert one.getBestCmap() == two.getBestCmap()


def test_glyphs_have_other_names_where_feature_code_cannot_hold_theirs(tmp_path):
    odd = {"a.sc": "1st a", "t.wide": "sub", "i.dotless": "i#1", "f_i": "fi-lig"}
    order = [odd.get(name, name) for name in opened(little()).getGlyphOrder()]
    font = opened(little())
    font.setGlyphOrder(order)
    assert font["post"].formatType == 2  # read, and so written anew
    source = saved(font)
    assert opened(source).getGlyphOrder() == order
    master_ufo(family_of(source, TWO), 0, name="Hand").save(tmp_path / "hand.ufo")
    built = tmp_path / "hand.ttf"
    fontmake("-u", tmp_path / "hand.ufo", "-o", "ttf", "--output-path", built)
    for features in ({}, {"smcp": True}):
        one, two = (
            [at[1:] for at in shaped(data, MIXED, features=features)]
            for data in (built.read_bytes(), source)
        )
        assert one == two


def test_all_masters_have_the_same_points():
    family = family_of(installed("Lato"), TWO)
    ufos = [master_ufo(family, master, name="Hand") for master in range(3)]
    for glyph in ufos[0].keys():  # noqa: SIM118 - a font is no mapping
        kinds = {
            tuple(tuple(p.type for p in contour) for contour in ufo[glyph].contours) for ufo in ufos
        }
        assert len(kinds) == 1
    moved = family.glyphs["g"].contours[0][0][2, 0]
    places = [(p.x, p.y) for contour in ufos[2]["g"].contours for p in contour]
    assert tuple(np.floor(moved + 0.5)) in places


def test_widths_characters_and_order_are_kept():
    family = family_of(little(), TWO)
    ufo = master_ufo(family, 1, name="Hand")
    assert ufo.glyphOrder == opened(little()).getGlyphOrder()
    assert ufo["eacute"].unicodes == [0xE9]
    assert ufo["M"].width == family.glyphs["M"].advances[1]
    assert ufo.info.familyName == "Hand"
    assert ufo.info.styleName == "Bold Italic"
    assert ufo.info.openTypeOS2Selection == [7]


def test_a_designspace_names_its_axes_sources_and_instances(tmp_path):
    write_designspace(tmp_path / "h.designspace", family_of(little(), TWO), name="Hands")
    document = DesignSpaceDocument.fromfile(tmp_path / "h.designspace")
    axes = [(a.tag, a.name, a.minimum, a.default, a.maximum) for a in document.axes]
    assert axes == [("HND1", "Hand 1", 0, 0, 100), ("HND2", "Hand 2", 0, 0, 100)]
    assert [s.filename for s in document.sources] == ["h-source.ufo", "h-1.ufo", "h-2.ufo"]
    assert document.findDefault().filename == "h-source.ufo"
    assert [(i.styleName, i.postScriptFontName) for i in document.instances] == [
        ("Bold Italic", "Hands-BoldItalic"),
        ("Bold Italic Hand 1", "Hands-BoldItalicHand1"),
        ("Bold Italic Hand 2", "Hands-BoldItalicHand2"),
    ]


def test_the_same_source_gives_the_same_files(tmp_path):
    family = family_of(little(), TWO)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_designspace(tmp_path / folder / "h.designspace", family, name="Hands")
    one, two = (
        {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        for root in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two


def test_a_ufo_can_be_read_again(tmp_path):
    master_ufo(family_of(little(), TWO), 1, name="Hand").save(tmp_path / "hand.ufo")
    ufo = Font.open(tmp_path / "hand.ufo", validate=True)
    assert "feature kern" in ufo.features.text
    assert len(ufo["a"].contours) == 2


def test_accented_letters_are_components_and_build_to_the_same_outlines(tmp_path):
    font = read_font(Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf"))
    model = weights.load()
    data = font.cut(font.characters("eéabcdghilmn"))
    family = moving.family(data, hands.Rules(model, rules.sample(1, model.config, 7)))
    made = master_ufo(family, 1, name="Hand")
    assert [part.baseGlyph for part in made["eacute"].components] == ["e", "acute"]
    assert len(made["e"].contours) == 2
    made.save(tmp_path / "hand.ufo")
    built = tmp_path / "hand.otf"
    fontmake("-u", tmp_path / "hand.ufo", "-o", "otf", "--output-path", built)
    alone = edited(family, 1, name="Hand", flavour="otf")
    one, two = (drawn(data, "eacute") for data in (built.read_bytes(), alone))
    assert one == two


def drawn(data, name):
    """A glyph's contours as places, with or without a last line to where they begin."""
    pen = DecomposingRecordingPen(glyphs := opened(data).getGlyphSet())
    glyphs[name].draw(pen)
    contours = []
    for move, places in pen.value:
        if move == "moveTo":
            contours.append(list(places))
        elif move == "closePath":
            contours[-1] = contours[-1][: -1 if contours[-1][-1] == contours[-1][0] else None]
        else:
            contours[-1] += places
    return contours
