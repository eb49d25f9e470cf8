import dataclasses
import json

import pytest
from conftest import ROOT

from vce_models.config import ModelConfig, TrainConfig
from vce_models.errors import ConfigError
from vce_models.recipes import RECIPES


def test_the_defaults_are_the_papers_numbers():
    config = TrainConfig()
    assert config.steps == 600_000
    assert (config.episodes, config.support) == (1, 19)
    assert (config.learning_rate, config.margin) == (2e-4, 50.0)
    assert (config.adversarial_weight, config.reg_weight) == (0.2, 0.15)
    assert (config.model.channels, config.model.blocks, config.model.latent_size) == (32, 8, 56)
    assert RECIPES["paper"] == dataclasses.replace(config, precision="bfloat16")


@pytest.mark.parametrize("config", [*RECIPES.values(), TrainConfig(seed=5, kl_weight=3)])
def test_json_gives_the_config_back(config):
    assert TrainConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[]", "not a JSON object"),
        ("{", "not JSON"),
        (ModelConfig().to_json()[:-1] + ', "colour": 1}', "unknown keys: colour"),
        (ModelConfig().to_json().replace('"size": 28, ', ""), "missing keys: size"),
        (ModelConfig().to_json().replace("28", '"28"'), "size is '28', not of type int"),
        (ModelConfig().to_json().replace("28", "true"), "size is True, not of type int"),
        (ModelConfig().to_json().replace("28", "29"), "size is 29"),
        (ModelConfig().to_json().replace("28", "100000"), "outside 4 to 512"),
        (ModelConfig().to_json().replace("edge", "side"), "wiring is 'side'"),
        (ModelConfig(condition=False).to_json().replace("edge", "deformation"), "moves its ink"),
    ],
)
def test_a_wrong_config_is_refused(text, word):
    with pytest.raises(ConfigError, match=word):
        ModelConfig.from_json(text)


def test_what_was_saved_before_a_setting_was_there_has_its_default():
    saved = json.loads(TrainConfig().to_json())
    for later in ("lmvae_learning_rate", "importance_samples"):
        del saved[later]
    del saved["model"]["condition"]
    assert TrainConfig.from_dict(saved) == TrainConfig()
    begun = json.loads((ROOT / "benchmarks/table/common/config.json").read_text())
    assert TrainConfig.from_dict(begun["train"]).model == ModelConfig()


@pytest.mark.parametrize("steps", [3, 7, 100, 1234])
def test_a_short_run_is_a_whole_one(steps):
    short = TrainConfig().scaled(steps)
    assert short.steps == steps
    assert {short.phase(step) for step in range(steps)} == {"pretrain", "vae", "lmvae"}


def test_a_run_too_short_for_its_phases_is_refused():
    with pytest.raises(ConfigError, match="2 steps do not reach every phase"):
        TrainConfig().scaled(2)


def test_a_short_run_warms_up_as_long_a_share_of_it():
    compact = RECIPES["compact"]
    for steps in (100, 3600, 72_000):
        config = compact.scaled(steps)
        assert config.warmup_steps == round(compact.warmup_steps * steps / compact.steps)
    assert max(map(compact.scaled(100).learning_rate_at, range(100))) > 0.99 * compact.learning_rate


def test_the_learning_rate_halves_three_times():
    config = TrainConfig().scaled(600)
    rates = [config.learning_rate_at(step) for step in (0, 299, 300, 400, 500, 599)]
    assert rates == [2e-4, 2e-4, 1e-4, 5e-5, 2.5e-5, 2.5e-5]


@pytest.mark.parametrize("schedule", ["cosine", "halvings"])
def test_the_last_phase_may_have_a_schedule_of_its_own(schedule):
    config = dataclasses.replace(
        RECIPES["paper"], schedule=schedule, learning_rate=1e-3, warmup_steps=30
    ).scaled(600)
    own = dataclasses.replace(config, lmvae_learning_rate=2e-4)
    first = config.steps - config.lmvae_steps
    rates = [own.learning_rate_at(step) for step in range(600)]
    assert rates[:first] == [config.learning_rate_at(step) for step in range(first)]
    assert rates[first] == 2e-4
    assert rates[first:] == sorted(rates[first:], reverse=True)
    alone = dataclasses.replace(
        own, pretrain_steps=0, vae_steps=0, learning_rate=2e-4, lmvae_learning_rate=0.0
    )
    alone = dataclasses.replace(alone, warmup_steps=0)
    assert rates[first:] == [alone.learning_rate_at(step) for step in range(config.lmvae_steps)]


def test_steps_that_are_left_are_counted_by_phase():
    config = TrainConfig(pretrain_steps=2, vae_steps=3, lmvae_steps=4)
    assert config.left(0) == {"pretrain": range(2), "vae": range(2, 5), "lmvae": range(5, 9)}
    assert config.left(4) == {"vae": range(4, 5), "lmvae": range(5, 9)}
    assert config.left(9) == {}
    for phase, steps in config.left(0).items():
        assert {config.phase(step) for step in steps} == {phase}


@pytest.mark.parametrize(("first", "last"), [(6.0, 1.0), (0.02, 0.3)])
def test_the_kl_weight_goes_from_its_first_to_its_last_value(first, last):
    config = dataclasses.replace(
        RECIPES["compact"], kl_weight=first, final_kl_weight=last, kl_span=0.8
    )
    weights = [config.scaled(100).kl_weight_at(step) for step in range(100)]
    assert weights[0] == pytest.approx(first)
    assert weights == sorted(weights, reverse=first > last)
    assert set(weights[80:]) == {last} != {weights[79]}


def test_the_learning_rate_rises_first():
    config = dataclasses.replace(RECIPES["compact"], learning_rate=1.0, warmup_steps=4)
    rates = [config.learning_rate_at(step) for step in range(4)]
    assert rates == pytest.approx([0.25, 0.5, 0.75, 1.0], rel=1e-3)


def test_the_alignment_weight_falls_to_nothing():
    config = dataclasses.replace(RECIPES["compact"], alignment_weight=2.0).scaled(100)
    weights = [config.alignment_weight_at(step) for step in range(100)]
    assert weights[0] == 2
    assert weights == sorted(weights, reverse=True)
    assert weights[59] > 0
    assert set(weights[60:]) == {0}


def test_drawings_to_warp_are_not_too_large():
    with pytest.raises(ConfigError, match="size is 130 with augmentation warp"):
        TrainConfig(model=ModelConfig(size=130), augmentation="warp")
    with pytest.raises(ConfigError, match="bilinear"):
        TrainConfig(model=ModelConfig(resize="bilinear"), augmentation="warp")
