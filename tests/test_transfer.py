import numpy as np
import pytest
import torch
from torch import nn

from vce_models.config import ModelConfig
from vce_models.datasets.drawings import Characters, load
from vce_models.errors import DataError
from vce_models.evaluation import transfer
from vce_models.networks.prior import Prior
from vce_models.networks.vce import VCE

CONFIG = ModelConfig(channels=8, blocks=1, wiring="modulation", unshuffle=2)
SHAPES = ((3, 9), (9, 3), (5, 5), (7, 4))
"""Height and width of the bars that are characters."""


@pytest.fixture(scope="module")
def characters(tree):
    return load(tree, CONFIG).train


def shifted(*hands_of_one_mind):
    """Alphabets of bars at places of their own, which each of six hands moves.

    It is said of each alphabet whether a hand moves all its characters alike, or each in
    another way.
    """
    rng = np.random.default_rng(0)
    names, drawings = [], []
    for alphabet, alike in enumerate(hands_of_one_mind):
        hands = rng.permutation(25)[:6]
        for c, (height, width) in enumerate(SHAPES):
            down, right = rng.integers(2, 11, 2)
            names.append(f"{alphabet}/{c}")
            for y, x in (divmod(hand, 5) for hand in (hands if alike else rng.permutation(25)[:6])):
                image = np.zeros((28, 28), np.uint8)
                image[down + y : down + y + height, right + x : right + x + width] = 255
                drawings.append(image)
    return Characters(np.stack(drawings), np.arange(0, len(drawings) + 1, 6), tuple(names))


class Shifts(nn.Module):
    """A model whose rules are shifts in whole pixels: it reads and applies them exactly."""

    def __init__(self):
        super().__init__()
        self.config = ModelConfig()
        self.prior = Prior(self.config)
        self.nothing = nn.Parameter(torch.zeros(()))

    def encoder(self, x, q):
        def corner(images):
            rows, columns = (images[:, 0].amax(d) > 0.5 for d in (2, 1))
            return torch.stack((rows.int().argmax(1), columns.int().argmax(1)), 1)

        z = torch.zeros(len(x), self.config.size, 2)
        z[:, 0] = (corner(x) - corner(q)).float()
        return z, torch.zeros_like(z)

    def convertor(self, z, q):
        moved = [
            image.roll(shift, (1, 2))
            for image, shift in zip(q, z[:, 0].round().int().tolist(), strict=True)
        ]
        drawing = torch.stack(moved)
        return drawing, 20 * drawing - 10


def test_hands_that_are_rules_are_transferred_without_fail():
    result = transfer.measure(Shifts(), shifted(True, True), trials=200, seed=0)
    assert result.transferred.value == result.own.value == 1
    assert result.random.value < 0.8


def test_where_a_character_says_nothing_of_the_next_nothing_is_transferred():
    result = transfer.measure(Shifts(), shifted(False, False), trials=1000, seed=0)
    assert result.own.value == 1
    assert result.transferred.value < 0.5


def test_random_rules_are_those_of_the_distribution_that_was_measured():
    """Here one that moves everything past where anybody draws."""
    model = Shifts()
    model.prior.mean[:2] = 14
    result = transfer.measure(model, shifted(True, True), trials=200, seed=0)
    assert result.random.value == 0


def test_the_interval_of_transfer_is_over_alphabets():
    """One in 27 resamples of three alphabets has the first alone, and all its trials succeed."""
    result = transfer.measure(Shifts(), shifted(True, False, False), trials=300, seed=0)
    assert result.transferred.low < 0.5 < result.transferred.value < 0.9
    assert result.transferred.high == 1


def test_rules_of_an_untrained_model_carry_nothing(characters):
    torch.manual_seed(0)
    result = transfer.measure(VCE(CONFIG), characters, trials=400, seed=0)
    assert result.random.value == pytest.approx(0.5, abs=0.1)
    assert result.trials == 400


def test_rule_transfer_needs_people_who_drew_two_characters(characters):
    with pytest.raises(DataError, match="nobody drew two"):
        transfer.measure(VCE(CONFIG), characters.take([0]), trials=4, seed=0)


def test_where_all_draw_alike_no_rule_can_be_transferred():
    alike = np.zeros((8, 28, 28), np.uint8)
    characters = Characters(alike, np.array([0, 4, 8]), ("a/0", "a/1"))
    with pytest.raises(DataError, match="no hand shows"):
        transfer.measure(VCE(CONFIG), characters, trials=4, seed=0)
