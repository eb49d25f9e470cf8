"""Fonts that the command makes of eight others, held to what their sources hold."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import font_checks
import font_judges
import fonts
import pytest
from conftest import COMMAND
from fontTools import subset
from fontTools.ttLib import TTFont

FEW = "a-z,A,V,T,0-3,U+0020,U+002E,U+00E9"
"""What variable fonts are made of here: kerning, a ligature, a mark."""


@dataclass(frozen=True)
class Hands:
    name: str
    source: Path
    paths: list[Path]


def source(name):
    font = fonts.SOURCES[name]
    if not font.path.exists():
        pytest.skip(f"{font.path.name} is not here: apt install {font.package}")
    return font.path


def convert(*arguments):
    command = [COMMAND, "convert", *map(str, arguments), "--seed", "7", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session", params=fonts.SOURCES)
def hand_fonts(request, tmp_path_factory):
    """Four hands of each of eight fonts; VCE_HAND_FONTS=FOLDER names some made before."""
    path = source(request.param)
    if made := os.environ.get("VCE_HAND_FONTS"):
        folder = Path(made) / request.param
        if not folder.is_dir():
            pytest.skip(f"{folder} is not here: python benchmarks/fonts.py --keep {made}")
    else:
        folder = tmp_path_factory.mktemp(request.param)
        fonts.make(path, folder)
    return Hands(request.param, path, sorted(folder.glob("*.[to]tf")))


@pytest.fixture(scope="session", params=("sans", "serif", "variable"))
def few_fonts(request, tmp_path_factory):
    """Two hands of a few characters, as fonts and as one variable font."""
    path, folder = source(request.param), tmp_path_factory.mktemp(f"few-{request.param}")
    convert(path, "-n", "2", "--chars", FEW, "-o", folder / "hand.ttf")
    convert(path, "-n", "2", "--chars", FEW, "--variable", "-o", folder / "hands.ttf")
    return Hands(request.param, path, sorted(folder.glob("hand-*.ttf")))


QUICK = [
    check
    for check in font_checks.CHECKS
    if check not in (font_checks.fontbakery, font_checks.fontforge)
]


def cut(hands, folder):
    """The source, cut by fontTools to the characters of its hands."""
    font = TTFont(hands.source)
    cutter = subset.Subsetter(
        subset.Options(layout_features=["*"], name_IDs=["*"], name_languages=["*"])
    )
    cutter.populate(unicodes=TTFont(hands.paths[0]).getBestCmap())
    cutter.subset(font)
    path = folder / hands.source.name
    font.save(path)
    return path


@pytest.mark.parametrize("check", QUICK, ids=lambda check: check.__name__)
def test_every_hand_holds_what_its_source_holds(check, hand_fonts):
    assert len(hand_fonts.paths) == 4
    found = {path.name: check(hand_fonts.source, path) for path in hand_fonts.paths}
    assert {name: findings for name, findings in found.items() if findings} == {}


def test_fontbakery_finds_no_fault_that_the_source_has_not(hand_fonts, tmp_path):
    found = font_checks.fontbakery(hand_fonts.source, hand_fonts.paths[0])
    if found:  # a font may have a fault once it is cut, such as measures that only CJK fonts have
        of_cutting = font_checks.fontbakery(cut(hand_fonts, tmp_path), hand_fonts.paths[0])
        found = [finding for finding in found if finding in of_cutting]
    assert found == []


def test_fontforge_finds_no_fault_that_the_source_has_not(hand_fonts):
    if not font_judges.has_fontforge():
        pytest.skip("FontForge is not here: apt install fontforge-nox")
    found = font_judges.fontforge(hand_fonts.source, *hand_fonts.paths)
    assert [finding for finding in found if font_judges.EXTREMA not in finding] == []


def test_a_variable_font_at_100_is_the_single_font(few_fonts):
    variable = few_fonts.paths[0].with_name("hands.ttf")
    assert font_checks.varies(variable, few_fonts.paths) == []


def test_a_variable_font_rests_at_its_source(few_fonts):
    assert font_checks.rests(few_fonts.source, few_fonts.paths[0].with_name("hands.ttf")) == []


@pytest.mark.parametrize("check", QUICK, ids=lambda check: check.__name__)
def test_a_variable_font_holds_what_its_source_holds(check, few_fonts):
    assert check(few_fonts.source, few_fonts.paths[0].with_name("hands.ttf")) == []


def test_a_variable_font_names_the_place_where_it_rests_by_its_own_style(few_fonts):
    with TTFont(few_fonts.paths[0].with_name("hands.ttf")) as font:
        names, rest = font["name"], {axis.axisTag: axis.defaultValue for axis in font["fvar"].axes}
        (instance,) = (one for one in font["fvar"].instances if one.coordinates == rest)
        style = names.getDebugName(17) or names.getDebugName(2)
        assert names.getDebugName(instance.subfamilyNameID) == style
        assert names.getDebugName(instance.postscriptNameID) == names.getDebugName(6)


def test_fontbakery_takes_the_variable_font(few_fonts):
    variable = few_fonts.paths[0].with_name("hands.ttf")
    assert font_checks.fontbakery(few_fonts.source, variable) == []


def test_fontmake_builds_the_designspace_without_a_warning(tmp_path):
    path = tmp_path / "hands.designspace"
    convert(source("sans"), "-n", "2", "--chars", FEW, "-o", path)
    assert font_judges.builds(path) == []
