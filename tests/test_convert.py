import dataclasses
import itertools
from typing import get_args

import numpy as np
import pytest
import torch

from vce_models import cards, rules
from vce_models.config import ModelConfig, Wiring
from vce_models.convert import convert, encode
from vce_models.evaluation.likelihood import from_weights, renderers
from vce_models.networks.deformation import Deformation
from vce_models.networks.vce import VCE
from vce_models.recipes import RECIPES
from vce_models.weights import Weights, load, parameter_shapes

WIRINGS = get_args(Wiring)
CASES = list(itertools.product(WIRINGS, (1, 2), ("relu", "silu")))
SMALL = {"size": 20, "channels": 8, "blocks": 2}
MODELS = {name: dataclasses.replace(recipe.model, **SMALL) for name, recipe in RECIPES.items()}
MODELS |= {
    "four numbers a row": ModelConfig(**SMALL, latent_per_row=4),
    "no condition": ModelConfig(**SMALL, condition=False),
    "no condition, modulation": ModelConfig(**SMALL, condition=False, wiring="modulation"),
}


def untrained(**settings):
    """A model whose rules move a good deal, and whose prior is no N(0, I)."""
    return initialised(ModelConfig(size=20, blocks=3, **settings))


def initialised(config):
    torch.manual_seed(1)
    model = VCE(config)
    model.prior.mean.normal_()
    latent = config.latent_size
    model.prior.scale += 0.1 * torch.randn(latent, latent).tril()
    if isinstance(model.convertor, Deformation):  # far enough to fold and to leave the frame
        torch.nn.init.normal_(model.convertor.dense.weight, std=0.5)
        torch.nn.init.normal_(model.convertor.readout.weight, std=0.3)
    return model, Weights(config, {key: value.numpy() for key, value in model.state_dict().items()})


@pytest.mark.parametrize(("wiring", "unshuffle", "activation"), CASES)
def test_numpy_equals_pytorch(wiring, unshuffle, activation):
    model, weights = untrained(wiring=wiring, unshuffle=unshuffle, activation=activation)
    shapes = {name: value.shape for name, value in weights.tensors.items()}
    assert shapes == parameter_shapes(model.config)
    q = np.random.default_rng(2).random((20, 20), np.float32)
    r = rules.sample(3, model.config, seed=3)
    with torch.inference_mode():
        latents = model.prior.latents(torch.from_numpy(r))
        expected = model.convertor.renderer(torch.from_numpy(q)[None, None], q, 1)(latents)
    # Noise is a line that turns at every place, so rounding shows where a deformation folds.
    tolerance = 1e-4 if wiring == "deformation" else 1e-5
    np.testing.assert_allclose(convert(weights, q, r), expected[:, 0].numpy(), atol=tolerance)


@pytest.mark.parametrize("name", MODELS)
def test_numpy_equals_pytorch_in_all_that_a_recipe_makes(name):
    """At a small size, on a drawing; conversions and the rule that is read off a pair."""
    model, weights = initialised(MODELS[name])
    q, x = np.zeros((2, 20, 20), np.float32)
    q[4:16, 5:7] = q[4:6, 5:15] = 1
    x[3:17, 8:10] = x[9:11, 3:16] = 1
    r = rules.sample(5, model.config, seed=3)
    with torch.inference_mode():
        drawing, condition = (torch.from_numpy(image)[None, None] for image in (x, q))
        latents = model.prior.latents(torch.from_numpy(r))
        expected = model.convertor.renderer(condition, q, 1)(latents)
        read = model.prior.rules(model.encoder(drawing, condition)[0])
    np.testing.assert_allclose(convert(weights, q, r), expected[:, 0].numpy(), atol=1e-5)
    np.testing.assert_allclose(encode(weights, x, q), read.numpy(), atol=1e-5)


def test_without_a_condition_every_condition_is_the_same():
    model, weights = initialised(MODELS["no condition"])
    assert parameter_shapes(model.config) == parameter_shapes(ModelConfig(**SMALL))
    q, x = np.random.default_rng(2).random((2, 20, 20), np.float32)
    r = rules.sample(3, model.config, seed=3)
    blank = np.zeros_like(q)
    np.testing.assert_array_equal(convert(weights, q, r), convert(weights, blank, r))
    np.testing.assert_array_equal(encode(weights, x, q), encode(weights, x, blank))
    assert not np.array_equal(convert(weights, q, r)[0], convert(weights, q, r)[1])
    seeing = dataclasses.replace(weights, config=ModelConfig(**SMALL))
    np.testing.assert_array_equal(convert(seeing, blank, r), convert(weights, q, r))
    assert not np.array_equal(convert(seeing, q, r), convert(weights, q, r))


@pytest.mark.parametrize("wiring", ["rows", "deformation"])
@pytest.mark.parametrize("scale", [3, 8])
def test_numpy_equals_pytorch_between_the_pixels(wiring, scale):
    _, weights = untrained(wiring=wiring)
    square = np.zeros((160, 160), np.float32)
    square[40:120, 40:60] = square[40:60, 40:120] = 1
    q, r = square.reshape(20, 8, 20, 8).mean((1, 3)), rules.sample(11, weights.config, seed=3)
    drawn = convert(weights, q, r, square, scale)
    assert drawn.shape == (11, 20 * scale, 20 * scale)
    assert 0 <= drawn.min() < drawn.max() <= 1
    expected = renderers(weights, "cpu")(q, square, scale)(r)
    np.testing.assert_allclose(drawn, expected, atol=1e-4 * scale)
    np.testing.assert_array_equal(convert(weights, q, r[:3], square, scale), drawn[:3])


@pytest.mark.parametrize("wiring", WIRINGS)
def test_a_rule_gives_the_same_bits_in_any_company(wiring):
    model, weights = untrained(wiring=wiring)
    q = np.random.default_rng(2).random((20, 20), np.float32)
    r = rules.sample(19, model.config, seed=3)
    together = convert(weights, q, r)
    assert together.dtype == np.float32
    for i in range(19):
        np.testing.assert_array_equal(convert(weights, q, r[i : i + 1])[0], together[i])
    np.testing.assert_array_equal(convert(weights, q, r[:9]), together[:9])


@pytest.mark.parametrize(("wiring", "unshuffle"), [("edge", 1), ("modulation", 2)])
def test_numpy_reads_the_rule_that_pytorch_reads(wiring, unshuffle):
    model, weights = untrained(wiring=wiring, unshuffle=unshuffle)
    agree_on_a_rule(weights, model)


@pytest.mark.parametrize("name", cards.names())
def test_numpy_reads_the_rule_that_pytorch_reads_with_the_shipped_weights(name):
    shipped = load(name)
    agree_on_a_rule(shipped, from_weights(shipped))


def agree_on_a_rule(weights, model):
    size = weights.config.size
    x, q = np.random.default_rng(2).random((2, size, size), np.float32)
    with torch.inference_mode():
        mean, _ = model.encoder(torch.from_numpy(x)[None, None], torch.from_numpy(q)[None, None])
    expected = model.prior.rules(mean).numpy()
    np.testing.assert_allclose(encode(weights, x, q), expected, atol=1e-4)
