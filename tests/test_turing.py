import json

import numpy as np
import pytest
import torch
from conftest import scribble

from vce_models.datasets.drawings import Characters
from vce_models.evaluation import critics, turing
from vce_models.evaluation.thinning import thickened, thinned
from vce_models.glyphs import images, parts
from vce_models.glyphs.images import CANVAS

SIDE, HANDS = 112, 9
STRONG = 2.0
"""Strength of the affine maps."""


def drawn(characters):
    """Characters of a stroke of five points, each by nine hands."""
    images = [
        255 - np.asarray(scribble(character, hand, SIDE), np.uint8)
        for character in characters
        for hand in range(HANDS)
    ]
    starts = np.arange(0, len(images) + 1, HANDS)
    return Characters(np.stack(images), starts, tuple(map(str, characters)))


@pytest.fixture(scope="module")
def background():
    return drawn(range(48))


@pytest.fixture(scope="module")
def unseen():
    return drawn(range(100, 124))


def first(characters):
    return characters.images[characters.starts[:-1]]


def told(make, background, unseen):
    halves = ((half, make(half)) for half in (background, unseen))
    return turing.measure(*halves, seed=0, epochs=20)


def test_people_are_not_told_from_people(background, unseen):
    """Four of a character's drawings stand where conversions would."""

    def others(half):
        return [half.images[at + 5 : at + 9] for at in half.starts[:-1]]

    found = told(others, background, unseen)
    assert found.ink.value == pytest.approx(0.5, abs=0.1)
    assert found.lines.value == pytest.approx(0.5, abs=0.1)
    assert found.drawings == 4


def test_copies_are_told_from_people(background, unseen):
    def copies(half):
        return [np.repeat(exemplar[None], 4, 0) for exemplar in first(half)]

    found = told(copies, background, unseen)
    assert found.ink.value > 0.95
    assert found.lines.value > 0.95


def test_soft_edges_are_as_much_ink_as_hard_ones():
    """A line of six pixels, at whole places as people's are, and at others with grey edges."""
    rows = np.arange(112)[:, None]

    def shown(places):
        upper = places[:, None, None]
        covered = np.clip(np.minimum(rows + 1, upper + 6) - np.maximum(rows, upper), 0, 1)
        pictures = (255 * covered * np.ones(112)).round().astype(np.uint8)
        return turing.ink(torch.from_numpy(pictures)).float().mean().item()

    hard, soft = shown(np.arange(40.0, 44)), shown(np.arange(40.0, 44) + 0.3)
    assert soft == pytest.approx(hard, rel=0.02)


def test_conversions_come_to_the_pixels_of_peoples_drawings():
    """They are black and white, and what a drawing of fewer pixels is made into when it is read."""
    pictures = np.stack([255 - np.asarray(scribble(c, 0, SIDE), np.uint8) for c in range(9)])
    found = turing.kept(pictures, CANVAS)
    assert {*np.unique(found)} == {0, 255}
    assert found.mean() == pytest.approx(pictures.mean(), rel=0.02)
    middles = (np.arange(CANVAS) * SIDE + SIDE // 2) // CANVAS
    for picture in found:
        drawing = picture[np.ix_(middles, middles)] / 255
        np.testing.assert_array_equal(images.resize(drawing, SIDE, "box"), picture)


def test_bolder_drawings_are_told_by_ink_and_not_by_lines(background, unseen):
    def bolder(half):
        people = [half.images[at + 5 : at + 9] for at in half.starts[:-1]]
        return [
            torch.nn.functional.max_pool2d(torch.from_numpy(x).float(), 5, 1, 2).byte().numpy()
            for x in people
        ]

    found = told(bolder, background, unseen)
    assert found.ink.value > 0.9
    assert found.lines.value < found.ink.value - 0.1


def test_affine_maps_are_told_from_people(background, unseen):
    """Half of what a hand does here is a wobble of its own, which no affine map has."""
    generator = torch.Generator().manual_seed(0)

    def affine(half):
        copies = torch.from_numpy(first(half)).float()[:, None].repeat_interleave(4, 0)
        moved = critics.jitter(copies, STRONG, generator)[:, 0].round().byte().numpy()
        return np.split(moved, len(half))

    found = told(affine, background, unseen)
    assert found.ink.low > 0.5
    assert found.lines.low > 0.5


def test_thinned_lines_hold_together_and_are_thin():
    ink = torch.stack(
        [torch.from_numpy(255 - np.asarray(scribble(c, 0, SIDE))) > 127 for c in range(9)]
    )
    ink[:, 2:4, 2:4] = True  # a dot
    skeletons = thinned(ink)
    for whole, thin in zip(ink.numpy(), skeletons.numpy(), strict=True):
        assert len(parts.find(whole).areas) == len(parts.find(thin).areas)
    blocks = torch.nn.functional.avg_pool2d(skeletons.float(), 2, 1) == 1
    assert blocks.float().mean() < 1e-3
    assert not (skeletons & ~ink).any()


def test_one_pen_draws_thin_lines_and_bold_ones_alike():
    ink = torch.zeros(2, 40, 40, dtype=torch.bool)
    ink[0, 10:30, 19:22] = True
    ink[1, 10:30, 17:24] = True
    again = thickened(thinned(ink))
    assert again[:, 20].sum(1).tolist() == [5, 5]


def test_eval_tells_where_it_is_asked(vce, tree):
    given = ("eval", "--data", tree, "--importance-samples", 1, "--device", "cpu")
    shown = vce(*given, "--turing").stdout
    assert "told from people by ink" in shown
    assert "told from people by lines" in shown
    found = json.loads(vce(*given, "--turing", "--json").stdout)["turing"]
    assert found["drawings"] == 5
    assert 0 <= found["ink"]["low"] <= found["ink"]["value"] <= found["ink"]["high"] <= 1
    assert json.loads(vce(*given, "--json").stdout)["turing"] is None
