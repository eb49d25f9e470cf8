"""Glyphs of colour fonts lie on each other, in every hand as in the source."""

import io

import numpy as np
import pytest
from blocks import build
from fontTools.colorLib.builder import buildCOLR, buildCPAL
from fontTools.ttLib import TTFont

from vce_models import rules, weights
from vce_models.fonts import colours, hands, moving
from vce_models.fonts.alternates import alternates


@pytest.fixture(params=[0, 1], ids=["layers", "paints"])
def colourful(request, tmp_path):
    """A font whose o is an A and an H in two colours, and the names of these three."""
    with TTFont(build(tmp_path / "a.ttf")) as font:
        whole, first, second = names = [font.getBestCmap()[ord(c)] for c in "oAH"]
        layers = [(first, 0), (second, 1)]
        paints = (1, [(10, (2, colour, 1.0), name) for name, colour in layers])
        layered = {whole: paints if request.param else layers}
        font["COLR"] = buildCOLR(layered, version=request.param)
        font["CPAL"] = buildCPAL([[(1, 0, 0, 1), (0, 0, 1, 1)]])
        font.save(tmp_path / "a.ttf")
    return (tmp_path / "a.ttf").read_bytes(), names


def move(data, count, **options):
    model = weights.load()
    drawn = hands.Rules(model, rules.sample(count, model.config, 7))
    return moving.family(data, drawn, **options)


def test_layers_move_as_one(colourful):
    data, names = colourful
    with TTFont(io.BytesIO(data)) as font:
        assert colours.layered(font) == set(names)
    family = move(data, 2)
    for name in names:
        for contour in family.glyphs[name].contours:
            source, *moved = np.concatenate([curve[:, :1] for curve in contour], axis=1)
            for places, linear in zip(moved, family.linear[1:], strict=True):
                assert np.abs(source @ linear.T - places).max() < 1  # rounded


def test_a_letter_in_colours_takes_no_turns(colourful):
    data, names = colourful
    made = alternates(move(data, 2, own=1.0, alike=True), name="Turns", flavour="ttf")
    with TTFont(io.BytesIO(made)) as font:
        turning = {name.split(".")[0] for name in font.getGlyphOrder() if ".alt" in name}
    assert turning
    assert turning.isdisjoint(names)
