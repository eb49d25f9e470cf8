import math

import numpy as np
import pytest
import torch
from conftest import scribble

from vce_models import rules, weights
from vce_models.config import ModelConfig
from vce_models.convert import convert
from vce_models.datasets.drawings import Characters, load
from vce_models.errors import DataError
from vce_models.evaluation.likelihood import evaluate, from_weights, renderers
from vce_models.glyphs import images
from vce_models.networks import losses
from vce_models.networks.vce import VCE

CONFIG = ModelConfig(channels=8, blocks=1, wiring="modulation", unshuffle=2)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return VCE(CONFIG)


@pytest.fixture
def test_characters(tree):
    return load(tree, CONFIG).test


def test_the_same_seed_gives_the_same_figures(model, test_characters):
    given = {"targets": 3, "importance_samples": 2}
    first = evaluate(model, test_characters, seed=1, **given)
    assert evaluate(model, test_characters, seed=1, **given) == first
    assert evaluate(model, test_characters, seed=2, **given) != first


def test_figures_say_what_they_measured(model, test_characters):
    result = evaluate(model, test_characters, targets=3, importance_samples=2, seed=0)
    assert (result.pairs, result.characters) == (6, 2)
    assert (result.resize, result.size) == ("box", 28)
    assert result.nelbo.mean == pytest.approx(result.reconstruction.mean + result.kl.mean)
    assert result.floor.mean < result.reconstruction.mean


def test_figures_are_of_targets_and_their_errors_of_characters(model):
    """Targets are grey, conditions black and white: only the floor of targets is not 0."""
    greys = np.array([[255, 20, 30], [0, 60, 70], [255, 120, 100]], np.uint8)
    images = np.tile(greys.reshape(-1, 1, 1), (1, 28, 28))
    characters = Characters(images, np.arange(0, 10, 3), tuple("abc"))
    result = evaluate(model, characters, targets=5, importance_samples=1, seed=0)
    p = greys[:, 1:] / 255
    floors = 28 * 28 * -(p * np.log(p) + (1 - p) * np.log1p(-p))
    assert result.pairs == 6
    assert result.floor.mean == pytest.approx(floors.mean(), rel=1e-5)
    error = floors.mean(1).std(ddof=1) / np.sqrt(3)
    assert result.floor.standard_error == pytest.approx(error, rel=1e-5)


def test_more_importance_samples_tighten_the_bound(model, test_characters):
    one, many = (
        evaluate(model, test_characters, targets=5, importance_samples=k, seed=0).nll.mean
        for k in (1, 50)
    )
    assert many < one


def test_the_importance_weighted_bound_of_a_rule_left_unused_is_the_likelihood(
    model, test_characters
):
    """With q(z | x, q) = N(0, I) and p(x | z, q) without z, every bound is exact."""
    ignorant = VCE(CONFIG)
    ignorant.load_state_dict(model.state_dict())
    for name, parameter in ignorant.named_parameters():
        if "wiring" in name or "readout" in name or "convertor.head" in name:
            torch.nn.init.zeros_(parameter)
    result = evaluate(ignorant, test_characters, targets=5, importance_samples=4, seed=0)
    assert result.kl.mean == 0
    assert result.nll.mean == pytest.approx(28 * 28 * math.log(2), rel=1e-5)


def test_bounds_are_those_of_the_distribution_of_rules_that_was_measured(model, test_characters):
    """With q(z | x, q) = p(z), not N(0, I), and p(x | z, q) without z, they are exact again."""
    ignorant = VCE(CONFIG)
    ignorant.load_state_dict(model.state_dict())
    for name, parameter in ignorant.named_parameters():
        if "wiring" in name or "readout" in name or "convertor.head" in name:
            torch.nn.init.zeros_(parameter)
    mean, log_scale = torch.randn(2, CONFIG.latent_size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ignorant.encoder.readout.bias.copy_(torch.cat((mean, 2 * log_scale)))
    ignorant.prior.mean.copy_(mean)
    ignorant.prior.scale.copy_(log_scale.exp().diag())
    result = evaluate(ignorant, test_characters, targets=5, importance_samples=4, seed=0)
    assert result.kl.mean == pytest.approx(0, abs=1e-3)
    assert result.nll.mean == pytest.approx(28 * 28 * math.log(2), rel=1e-5)


def test_binarised_drawings_have_no_floor(model, test_characters):
    result = evaluate(
        model, test_characters, targets=2, importance_samples=1, seed=0, binarise=True
    )
    assert result.floor.mean == 0


def test_weights_that_overflow_are_an_error(model, test_characters):
    broken = VCE(CONFIG)
    broken.load_state_dict(model.state_dict())
    torch.nn.init.constant_(broken.encoder.readout.bias, 1e30)
    with pytest.raises(DataError, match="not a number"):
        evaluate(broken, test_characters, targets=1, importance_samples=1, seed=0)


def test_the_shipped_weights_beat_untrained_ones_and_an_independent_pixel_model(omniglot):
    """The second tells the mean drawing of the test set itself, which no honest model may."""
    shipped = weights.load()
    trained = from_weights(shipped)
    torch.manual_seed(0)
    untrained = VCE(shipped.config)
    test = load(omniglot, shipped.config).test.take(range(0, 659, 6))
    given = {"targets": 2, "importance_samples": 1, "seed": 0}
    result, baseline = (evaluate(model, test, **given) for model in (trained, untrained))
    grey = torch.from_numpy(test.images)[:, None].float() / 255
    mean = torch.logit(grey.mean(0, keepdim=True).clamp(1e-4, 1 - 1e-4)).expand_as(grey)
    pixels = float(losses.bernoulli_nll(mean, grey).mean())
    assert result.nelbo.mean < pixels - 40
    assert result.nelbo.mean < baseline.nelbo.mean - 100
    assert np.isfinite(result.nll.mean)


def test_the_likelihood_weights_come_to_what_the_results_say(omniglot):
    """It takes fewer samples than their 1,000, so that its bound is looser."""
    model = from_weights(weights.load("likelihood"))
    test = load(omniglot, model.config).test
    result = evaluate(model, test, targets=1, importance_samples=10, seed=0)
    assert result.floor.mean == 0
    assert result.nelbo.mean == pytest.approx(92.9, abs=1.0)
    assert 79.7 < result.nll.mean < 85.0


def test_the_converter_converts_as_numpy_does():
    """More rules than one batch holds."""
    shipped = weights.load()
    drawing = images.frame(1 - np.asarray(scribble(1, 0), np.float32) / 255, "it", shipped.config)
    z = rules.sample(130, shipped.config, 2)
    converted = renderers(shipped, "cpu")(*drawing)(z)
    np.testing.assert_allclose(
        converted, convert(shipped, drawing.condition, z, drawing.detail), atol=1e-5
    )
