"""Weights that come with the package, by name."""

import json
import shutil

import pytest
from conftest import ROOT, scribble
from PIL import Image

from vce_models import cards, weights
from vce_models.errors import ConfigError
from vce_models.recipes import DEFAULT, RECIPES


@pytest.fixture(autouse=True)
def glyph(tmp_path):
    scribble(1, 0).save(tmp_path / "glyph.png")


def made_by(path):
    with Image.open(path) as image:
        return image.info["vce:weights"]


def test_all_weights_in_the_package_have_a_card_and_a_name():
    files = {path.stem for path in cards.FOLDER.glob("*.safetensors")} - {"critics"}
    assert files == set(cards.names())
    assert cards.names()[0] == cards.DEFAULT
    assert {"compact", "likelihood", "paper"} <= files


@pytest.mark.parametrize("name", cards.names())
def test_a_card_is_true(name):
    card, model = cards.read(name), weights.load(name)
    assert model.config == RECIPES[card.recipe].model
    assert card.command.startswith(("vce train ", "python benchmarks/paper.py "))
    if card.command.startswith("vce") and card.recipe != DEFAULT:
        assert f"--recipe {card.recipe}" in card.command
    assert all(isinstance(figure, float) for figure in card.figures.values())
    assert cards.path(name).stat().st_size < 8e6


def test_every_name_is_listed_with_its_card(vce):
    found = json.loads(vce("weights", "--json").stdout)
    assert list(found) == cards.names()
    for name, facts in found.items():
        assert facts["figures"] == cards.read(name).figures
        assert facts["fingerprint"] == weights.fingerprint(weights.load(name))
        assert facts["default"] == (name == cards.DEFAULT)
    page = vce("weights").stdout
    assert all(name in page for name in cards.names())
    assert "wiring deformation" in page


@pytest.mark.parametrize("name", cards.names())
def test_convert_takes_weights_by_name(vce, tmp_path, name):
    vce("convert", "glyph.png", "-n", 1, "--weights", name, "-o", "out.png")
    assert made_by(tmp_path / "out.png") == weights.fingerprint(weights.load(name))


def test_eval_takes_weights_by_name(vce, tree):
    given = ("--data", tree, "--importance-samples", 1, "--targets", 1, "--json")
    figures = json.loads(vce("eval", *given, "--weights", "likelihood").stdout)
    assert figures["resize"] == "subsample"


def test_a_name_wins_over_a_file_and_a_path_is_a_file(vce, tmp_path):
    shutil.copy(cards.path("compact"), tmp_path / "likelihood")
    shutil.copy(cards.path("likelihood"), tmp_path / "mine")
    compact, likelihood = (
        weights.fingerprint(weights.load(name)) for name in ("compact", "likelihood")
    )
    for given, wanted in [
        ("likelihood", likelihood),
        ("./likelihood", compact),
        (tmp_path / "likelihood", compact),
        ("mine", likelihood),
    ]:
        vce("convert", "glyph.png", "-n", 1, "--weights", given, "-o", "out.png")
        assert made_by(tmp_path / "out.png") == wanted, given


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ConfigError) as raised:
        cards.find("paperr")
    for name in cards.names():
        assert name in str(raised.value)


def test_both_cards_of_the_default_weights_agree():
    page = (ROOT / "models/vce_models/pretrained/README.md").read_text()
    figures = cards.read("compact").figures
    for name, digits in (("recognisability", 3), ("diversity", 3), ("entropy", 1), ("nelbo", 2)):
        assert f"| {figures[name]:.{digits}f} (" in page, name


def test_the_results_and_the_cards_agree():
    page = (ROOT / "docs/results.md").read_text()
    assert f"{cards.read('likelihood').figures['nll']:.1f}" in page
