import itertools

import numpy as np
import pytest
import torch

from vce_models import cards, rules
from vce_models.config import ModelConfig
from vce_models.convert import convert, encode
from vce_models.evaluation.likelihood import from_weights, renderers
from vce_models.networks.vce import VCE
from vce_models.weights import Weights, load, parameter_shapes

WIRINGS = ("edge", "rows", "plane", "modulation", "deformation")
CASES = list(itertools.product(WIRINGS, (1, 2), ("relu", "silu")))


def untrained(**settings):
    """A model whose rules move a good deal, and whose prior is no N(0, I)."""
    config = ModelConfig(size=20, blocks=3, **settings)
    torch.manual_seed(1)
    model = VCE(config)
    model.prior.mean.normal_()
    model.prior.scale += 0.1 * torch.randn(40, 40).tril()
    if config.wiring == "deformation":  # far enough to fold and to leave the frame
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
