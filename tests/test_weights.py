import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from vce_models import cards, rules, weights
from vce_models.config import ModelConfig
from vce_models.convert import convert
from vce_models.errors import OutputError, WeightsError
from vce_models.evaluation.likelihood import from_weights
from vce_models.framing import Framing
from vce_models.networks.vce import VCE

SMALL = ModelConfig(size=12, channels=4, blocks=1)


@pytest.fixture
def small():
    torch.manual_seed(0)
    tensors = {name: value.numpy() for name, value in VCE(SMALL).state_dict().items()}
    return weights.Weights(SMALL, tensors)


def test_weights_come_back_as_they_were(small, tmp_path):
    path = tmp_path / "weights.safetensors"
    weights.save(path, small)
    again = weights.load(path)
    assert again.config == SMALL
    assert again.tensors.keys() == small.tensors.keys()
    assert all(np.array_equal(again.tensors[name], small.tensors[name]) for name in small.tensors)


def test_weights_keep_how_their_drawings_lie(small, tmp_path):
    path = tmp_path / "weights.safetensors"
    framing = Framing(longest=0.9, across=0.4, boldest=3.5)
    weights.save(path, dataclasses.replace(small, framing=framing))
    again = weights.load(path)
    assert again.framing
    np.testing.assert_allclose(again.framing.to_array(), framing.to_array())
    assert weights.fingerprint(again) == weights.fingerprint(small)
    for broken in (np.zeros(7), np.full(7, np.nan), np.full(7, 9), np.zeros(6)):
        tensors = small.tensors | {weights.FRAMING: broken.astype(np.float32)}
        save_file(tensors, path, {weights.FORMAT: SMALL.to_json()})
        with pytest.raises(WeightsError, match="framing"):
            weights.load(path)


def test_the_same_weights_are_the_same_bytes(small, tmp_path):
    written = set()
    for name in "abcdefgh":
        weights.save(tmp_path / name, small)
        written.add((tmp_path / name).read_bytes())
    assert len(written) == 1


def test_damaged_or_foreign_weights_are_refused(small, tmp_path):
    whole, some = tmp_path / "whole", tmp_path / "some"
    weights.save(whole, small)
    name, tensor = next(iter(small.tensors.items()))
    metadata = {weights.FORMAT: SMALL.to_json()}

    def written(tensors, metadata=metadata):
        save_file(tensors, some, metadata)
        return some.read_bytes()

    wrong_config = {weights.FORMAT: json.dumps({"size": 28})}
    for content, words in {
        b"": "damaged",
        b"no weights": "damaged",
        whole.read_bytes()[:-50]: "damaged",
        written(small.tensors, {"format": "pt"}): "holds no weights of vce",
        written(small.tensors, wrong_config): "missing keys",
        written({name: tensor}): "lacks the tensor",
        written(small.tensors | {"more": tensor}): "unknown tensor more",
        written(small.tensors | {name: tensor[:2]}): f"{name} is F32",
        written(small.tensors | {name: tensor.astype(np.float16)}): f"{name} is F16",
        written(small.tensors | {name: tensor * np.nan}): "not numbers",
    }.items():
        some.write_bytes(content)
        with pytest.raises(WeightsError, match=words):
            weights.load(some)
    with pytest.raises(WeightsError, match="is no weights file"):
        weights.load(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_written_is_named(small, tmp_path):
    with pytest.raises(OutputError, match=r"cannot write .*nowhere"):
        weights.save(tmp_path / "nowhere" / "weights.safetensors", small)


@pytest.mark.parametrize("name", cards.names())
def test_numpy_equals_pytorch_on_the_shipped_weights(name):
    shipped = weights.load(name)
    size = shipped.config.size
    model = from_weights(shipped)
    q = np.zeros((size, size), np.float32)
    q[6:22, 9:11] = q[6:8, 6:20] = 1
    z = rules.sample(8, shipped.config, seed=0)
    with torch.inference_mode():
        latents = model.prior.latents(torch.from_numpy(z))
        expected = model.convertor.renderer(torch.from_numpy(q)[None, None], q, 1)(latents)
    np.testing.assert_allclose(convert(shipped, q, z), expected[:, 0].numpy(), atol=1e-5)
