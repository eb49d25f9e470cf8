import itertools

import numpy as np
import pytest
import torch

from vce_models import rules
from vce_models.config import ModelConfig
from vce_models.convert import convert, encode
from vce_models.evaluation import from_weights
from vce_models.networks import VCE
from vce_models.weights import Weights, load, parameter_shapes

CASES = list(itertools.product(("edge", "rows", "plane", "modulation"), (1, 2), (False, True)))


@pytest.mark.parametrize(("wiring", "unshuffle", "displacement"), CASES)
def test_numpy_equals_pytorch(wiring, unshuffle, displacement):
    config = ModelConfig(
        size=20, blocks=3, wiring=wiring, unshuffle=unshuffle, displacement=displacement
    )
    torch.manual_seed(1)
    model = VCE(config)
    if displacement:  # far enough to leave the frame
        torch.nn.init.normal_(model.convertor.head.weight, std=2.0)
    tensors = {name: value.numpy() for name, value in model.state_dict().items()}
    assert {name: value.shape for name, value in tensors.items()} == parameter_shapes(config)
    q = np.random.default_rng(2).random((20, 20), np.float32)
    z = rules.sample(3, config, seed=3)
    with torch.inference_mode():
        conditions = torch.from_numpy(q).expand(3, 1, 20, 20)
        expected = model.convertor(torch.from_numpy(z), conditions).sigmoid()[:, 0].numpy()
    np.testing.assert_allclose(convert(Weights(config, tensors), q, z), expected, atol=1e-5)


@pytest.mark.parametrize(("wiring", "unshuffle"), [("edge", 1), ("modulation", 2)])
def test_numpy_reads_the_rule_that_pytorch_reads(wiring, unshuffle):
    config = ModelConfig(size=20, blocks=3, wiring=wiring, unshuffle=unshuffle)
    torch.manual_seed(1)
    model = VCE(config)
    tensors = {name: value.numpy() for name, value in model.state_dict().items()}
    agree_on_a_rule(Weights(config, tensors), model)


def test_numpy_reads_the_rule_that_pytorch_reads_with_the_shipped_weights():
    shipped = load()
    agree_on_a_rule(shipped, from_weights(shipped))


def agree_on_a_rule(weights, model):
    size = weights.config.size
    x, q = np.random.default_rng(2).random((2, size, size), np.float32)
    with torch.inference_mode():
        mean, _ = model.encoder(torch.from_numpy(x)[None, None], torch.from_numpy(q)[None, None])
    np.testing.assert_allclose(encode(weights, x, q), mean.numpy(), atol=1e-5)
