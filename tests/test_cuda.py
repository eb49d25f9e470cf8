"""What CUDA adds; where there is none, that convert says so."""

import dataclasses

import numpy as np
import pytest
import torch
from conftest import scribble

from vce_models import rules, weights
from vce_models.convert import convert
from vce_models.datasets.drawings import load
from vce_models.evaluation.likelihood import renderers
from vce_models.glyphs import images
from vce_models.recipes import RECIPES
from vce_models.training.trainer import Trainer

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is here")


@needs_cuda
def test_cuda_converts_as_numpy_does():
    shipped = weights.load()
    ink = 1 - np.asarray(scribble(1, 0), np.float32) / 255
    condition, detail = images.frame(ink, "it", shipped.config)
    r = rules.sample(300, shipped.config, 0)
    for scale in (1, 4):
        converted = renderers(shipped, "cuda")(condition, detail, scale)(r)
        expected = convert(shipped, condition, r, detail, scale)
        np.testing.assert_allclose(converted, expected, atol=1e-3)


@needs_cuda
@pytest.mark.parametrize("recipe", RECIPES)
def test_cuda_trains(tree, recipe):
    config = dataclasses.replace(RECIPES[recipe], warmup_steps=0).scaled(300)
    characters = load(tree, config.model, magnification=config.magnification).train
    trainer = Trainer(config, characters, "cuda")
    first = trainer.advance(5).terms["loss"]
    while trainer.step < 200:
        last = trainer.advance(20).terms["loss"]
    assert last < first


@needs_cuda
@pytest.mark.parametrize("recipe", RECIPES)
def test_replayed_steps_train_as_called_ones_do(tree, recipe):
    config = dataclasses.replace(RECIPES[recipe], precision="float32").scaled(60)
    characters = load(tree, config.model, magnification=config.magnification).train
    called, replayed = (Trainer(config, characters, "cuda") for _ in range(2))
    called.take.enabled = False
    while called.step < config.steps:
        terms = called.advance(5).terms
        assert replayed.advance(5).terms == pytest.approx(terms, rel=1e-2)
    assert torch.equal(called.generator.get_state(), replayed.generator.get_state())


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here")
def test_without_cuda_device_cuda_is_one_line(vce, tmp_path):
    scribble(1, 0).save(tmp_path / "a.png")
    done = vce("convert", "a.png", "--device", "cuda", "-o", "out.png", status=2)
    assert done.stdout == ""
    assert done.stderr.startswith("error: PyTorch finds no CUDA device here\n")
    assert not (tmp_path / "out.png").exists()
