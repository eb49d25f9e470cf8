import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from vce_models.config import ModelConfig
from vce_models.networks import losses, prior
from vce_models.networks.prior import Prior

CONFIG = ModelConfig(size=4)


@pytest.fixture
def fitted():
    """A prior that is far from N(0, I)."""
    torch.manual_seed(0)
    one = Prior(CONFIG)
    one.mean.normal_()
    one.scale.copy_(torch.eye(8) + torch.randn(8, 8).tril(-1))
    return one


def test_before_it_is_measured_it_is_the_papers():
    z = torch.randn(5, 4, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Prior(CONFIG).latents(z), z)
    expected = losses.kl_divergence(z, z)
    torch.testing.assert_close(Prior(CONFIG).kl_divergence(z, z), expected)


def test_rules_and_latents_are_each_others_inverse(fitted):
    rules = torch.randn(5, 4, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(fitted.rules(fitted.latents(rules)), rules)


def test_kl_is_that_of_torch_distributions(fitted):
    mu, logvar = torch.randn(2, 5, 4, 2, generator=torch.Generator().manual_seed(0))
    posterior = MultivariateNormal(mu.flatten(1), torch.diag_embed(logvar.exp().flatten(1)))
    expected = kl_divergence(posterior, MultivariateNormal(fitted.mean, scale_tril=fitted.scale))
    torch.testing.assert_close(fitted.kl_divergence(mu, logvar), expected)


def test_what_is_measured_is_the_gaussian_of_sampled_rules(fitted):
    """It holds for rules mu + sigma epsilon, whatever each adds to their spread."""
    generator = torch.Generator().manual_seed(0)
    mu = fitted.latents(torch.randn(50_000, 4, 2, generator=generator))
    logvar = torch.full_like(mu, -1.0)
    found = prior.measure(mu, logvar)
    sampled = Normal(mu, torch.exp(0.5 * logvar)).mean + torch.exp(0.5 * logvar) * torch.randn(
        mu.shape, generator=generator
    )
    torch.testing.assert_close(found["mean"], fitted.mean, atol=0.05, rtol=0)
    covariance = found["scale"] @ found["scale"].T
    torch.testing.assert_close(covariance, torch.cov(sampled.flatten(1).T), atol=0.1, rtol=0.02)


def test_directions_that_spread_very_unequally_have_a_factor():
    """Two latent numbers that move together but for a thousandth, a hundred wide."""
    generator = torch.Generator().manual_seed(0)
    wide, thin = torch.randn(2, 2000, generator=generator)
    mu = 1e-3 * torch.randn(2000, 4, 2, generator=generator)
    mu[:, 0] = 100 * wide[:, None]
    mu[:, 0, 1] += 1e-3 * thin
    found = prior.measure(mu, torch.full_like(mu, -30.0))
    assert found["scale"].dtype == found["mean"].dtype == torch.float32
    assert found["scale"][1, 1].item() == pytest.approx(1e-3, rel=0.05)
