import dataclasses
import json
import re

import numpy as np
import pytest
import torch
from conftest import scribble

from vce_models.config import ModelConfig
from vce_models.datasets.drawings import load
from vce_models.errors import DataError, WeightsError
from vce_models.evaluation import critics, quality, transfer
from vce_models.networks.vce import VCE

CONFIG = ModelConfig(channels=8, blocks=1, wiring="modulation", unshuffle=2)


@pytest.fixture(scope="module")
def judges():
    return critics.load()


@pytest.fixture(scope="module")
def characters(tree):
    return load(tree, CONFIG).train


def repeated(characters):
    """Every exemplar as often as people drew it anew, (N, 1, size, size)."""
    counts = torch.from_numpy(np.diff(characters.starts) - 1)
    return torch.from_numpy(quality.exemplars(characters))[:, None].repeat_interleave(counts, 0)


def judged(samples, characters, judges):
    ends = np.cumsum(np.diff(characters.starts) - 1)[:-1]
    parts = np.split(samples[:, 0].numpy(), ends)
    result = quality.judge(parts, characters, judges, seed=0)
    return result.recognisability.value, result.diversity.value


def test_copies_are_recognised_and_all_alike(characters, judges):
    assert judged(repeated(characters), characters, judges) == pytest.approx((1, 0), abs=1e-6)


def test_people_have_peoples_diversity(characters, judges):
    result = quality.judge(quality.people(characters), characters, judges, seed=0)
    assert result.diversity.value == result.diversity.low == result.diversity.high == 1


def test_blank_samples_are_not_recognised(characters, judges):
    blank = torch.zeros_like(repeated(characters))
    assert judged(blank, characters, judges)[0] < 0.3


def test_the_ways_are_those_that_there_were(characters, judges):
    people = quality.people(characters)
    assert quality.judge(people, characters, judges, seed=0).ways == len(characters) == 8
    few = characters.take(range(3))
    assert quality.judge(people[:3], few, judges, seed=0).ways == 3
    with pytest.raises(DataError, match="one character"):
        quality.judge(people[:1], characters.take([0]), judges, seed=0)


def test_where_nothing_spreads_is_no_diversity(characters, judges):
    alike = dataclasses.replace(characters, images=np.zeros_like(characters.images))
    with pytest.raises(DataError, match="nothing spreads"):
        quality.judge(quality.people(characters), alike, judges, seed=0)


def test_figures_that_cannot_be_had_are_null_and_a_dash(vce, tmp_path):
    for character in range(5):
        (tmp_path / f"five/{character}").mkdir(parents=True)
        for hand in range(3):
            scribble(character, hand).save(tmp_path / f"five/{character}/{hand}.png")
    given = ("eval", "--data", "five", "--importance-samples", 1, "--device", "cpu")

    def refuse(constant):
        raise AssertionError(constant)

    found = json.loads(vce(*given, "--json").stdout, parse_constant=refuse)
    assert found["nll"]["standard_error"] is found["quality"] is found["transfer"] is None
    assert re.search(r"KL .* │ +- │", vce(*given).stdout)


def test_entropy_sees_blur(characters, judges):
    half = [np.full_like(drawn, 0.5) for drawn in quality.people(characters)]
    result = quality.judge(half, characters, judges, seed=0)
    assert result.entropy.value == pytest.approx(28 * 28 * np.log(2), rel=1e-5)


def test_known_cases_on_omniglot(omniglot, judges):
    """People, copies, three strengths of random affine maps, other characters and noise."""
    test = load(omniglot, ModelConfig()).test
    generator = torch.Generator().manual_seed(0)
    copies = repeated(test)
    weak, medium, strong = (
        judged(critics.jitter(copies, strength, generator), test, judges)
        for strength in (1.0, 1.5, 2.0)
    )
    human = quality.judge(quality.people(test), test, judges, seed=0)
    assert human.diversity.value == 1
    assert human.recognisability.low > 0.9
    assert judged(copies, test, judges) == pytest.approx((1, 0), abs=1e-6)
    # in the order of the published critics of Boutin et al. 2022
    assert 1 > weak[0] > human.recognisability.value > medium[0] > strong[0] > 0.5
    assert 0 < weak[1] < medium[1] < 1 < strong[1]
    others = judged(copies.roll(19 * 50, 0), test, judges)[0]
    noise = judged(torch.rand(copies.shape, generator=generator), test, judges)[0]
    assert others < 0.1  # chance is 0.05
    assert noise == pytest.approx(0.05, abs=0.03)


def test_critics_are_trained_from_a_seed(characters, tmp_path):
    first, second = (critics.train(characters, steps=2, seed=1) for _ in range(2))
    for name in ("a", "b"):
        critics.save(tmp_path / name, first if name == "a" else second)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    again = critics.load(tmp_path / "a")
    images = quality.exemplars(characters)
    assert torch.equal(
        critics.embed(again.recogniser, images), critics.embed(first.recogniser, images)
    )


def test_other_files_are_no_critics(tmp_path):
    for content in (b"", b"no weights"):
        (tmp_path / "x.safetensors").write_bytes(content)
        with pytest.raises(WeightsError, match=r"x\.safetensors is damaged"):
            critics.load(tmp_path / "x.safetensors")


def test_rules_of_an_untrained_model_carry_nothing(characters):
    torch.manual_seed(0)
    result = transfer.measure(VCE(CONFIG), characters, trials=400, seed=0)
    assert result.random.value == pytest.approx(0.5, abs=0.1)
    assert result.trials == 400


def test_rule_transfer_needs_people_who_drew_two_characters(characters):
    with pytest.raises(DataError, match="nobody drew two"):
        transfer.measure(VCE(CONFIG), characters.take([0]), trials=4, seed=0)
