import math
from itertools import product

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from vce_models.networks import losses


@pytest.fixture
def terms():
    generator = torch.Generator().manual_seed(0)
    return [100 * torch.rand(7, generator=generator) for _ in range(4)]


def test_kl_equals_that_of_torch_distributions():
    mu, logvar = torch.randn(2, 5, 6, 2, generator=torch.Generator().manual_seed(1))
    prior = Normal(torch.zeros_like(mu), torch.ones_like(mu))
    expected = kl_divergence(Normal(mu, (0.5 * logvar).exp()), prior).sum((1, 2))
    torch.testing.assert_close(losses.kl_divergence(mu, logvar), expected)


def test_reconstruction_of_binary_drawings_is_their_bernoulli_likelihood():
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(3, 1, 4, 4, generator=generator)
    x = (torch.rand(3, 1, 4, 4, generator=generator) > 0.5).float()
    expected = -Bernoulli(logits=logits).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(losses.bernoulli_nll(logits, x), expected)


def test_no_reconstruction_of_grey_lies_below_the_entropy():
    x = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(3))
    best = losses.bernoulli_nll(torch.logit(x), x)
    torch.testing.assert_close(best, losses.entropy(x))
    assert (losses.bernoulli_nll(torch.logit(x) + 0.1, x) > losses.entropy(x)).all()


def test_black_and_white_have_no_entropy():
    assert losses.entropy(torch.tensor([[[[0.0, 1.0]]]])).item() == 0


def test_without_regulariser_equations_11_and_12_are_9_and_8(terms):
    kl, converted, reconstruction, regulariser = terms
    hinge = (50 - converted).clamp(min=0)
    given = {"adversarial_weight": 0.2, "reg_weight": 0.0}
    torch.testing.assert_close(
        losses.encoder_loss(kl, [converted], reconstruction, regulariser, margin=50.0, **given),
        kl + 0.2 * hinge + reconstruction,
    )
    torch.testing.assert_close(
        losses.convertor_loss(kl, [converted], reconstruction, regulariser, **given),
        kl + 0.2 * converted + reconstruction,
    )


def test_the_regulariser_takes_its_share_from_the_reconstruction(terms):
    kl, converted, reconstruction, regulariser = terms
    loss = losses.convertor_loss(
        kl, [converted], reconstruction, regulariser, adversarial_weight=0.0, reg_weight=0.15
    )
    torch.testing.assert_close(loss, kl + 0.85 * reconstruction + 0.15 * regulariser)


def test_the_vae_weighs_the_kl_alone(terms):
    kl, reconstruction, *_ = terms
    torch.testing.assert_close(losses.vae(kl, reconstruction, 0.3), 0.3 * kl + reconstruction)
    assert torch.equal(losses.vae(kl, reconstruction), kl + reconstruction)


def test_the_importance_weighted_bound_is_that_of_the_densities():
    """By the densities of torch.distributions, and with one rule that of eq. 2 by this rule."""
    generator = torch.Generator().manual_seed(4)
    mu, logvar = torch.randn(2, 5, 6, 2, generator=generator)
    noise = torch.randn(3, 5, 6, 2, generator=generator)
    reconstruction = 100 * torch.rand(3, 5, generator=generator)
    rules, deviation = mu + (0.5 * logvar).exp() * noise, (0.5 * logvar).exp()
    prior = Normal(torch.zeros_like(mu), torch.ones_like(mu))
    ratio = prior.log_prob(rules) - Normal(mu, deviation).log_prob(rules)
    log_p = -reconstruction + ratio.sum((2, 3))
    found = [
        losses.log_weight(r, n, logvar, nll)
        for r, n, nll in zip(rules, noise, reconstruction, strict=True)
    ]
    torch.testing.assert_close(torch.stack(found), log_p)
    expected = -(log_p - log_p.amax(0)).exp().mean(0).log() - log_p.amax(0)
    torch.testing.assert_close(losses.importance_weighted(log_p), expected)
    torch.testing.assert_close(losses.importance_weighted(log_p[:1]), -log_p[0])


def test_the_hinge_is_of_each_drawing():
    kl = torch.tensor([0.0, 100.0])  # their mean reaches the margin, the first one does not
    assert losses.hinge([kl], 50.0).tolist() == [50.0, 0.0]


def test_introvae_sums_converted_and_sampled_drawings(terms):
    kl, converted, reconstruction, sampled = terms
    loss = losses.encoder_loss(
        kl,
        [converted, sampled],
        reconstruction,
        reconstruction,
        margin=50.0,
        adversarial_weight=0.2,
        reg_weight=0.0,
    )
    hinges = (50 - converted).clamp(min=0) + (50 - sampled).clamp(min=0)
    torch.testing.assert_close(loss, kl + 0.2 * hinges + reconstruction)


def test_alignment_shrinks_as_a_stroke_comes_nearer():
    """Also from where strokes do not overlap, and there the likelihood says nothing."""
    strokes = torch.zeros(12, 1, 28, 28)
    for i in range(12):
        strokes[i, 0, 4:24, 4 + i] = 1
    distance = losses.alignment(strokes, strokes[:1].expand_as(strokes))
    assert distance[0] == 0
    assert (distance.diff() > 0).all()


def test_alignment_sums_squares_of_blurred_differences_by_the_square_of_the_blur():
    drawing, x = torch.rand(2, 1, 1, 5, 6, generator=torch.Generator().manual_seed(4))
    expected = 0.0
    for deviation in losses.BLURS:
        for row, column in product(range(5), range(6)):
            blurred = 0.0
            for i, j in product(range(5), range(6)):
                square = ((i - row) ** 2 + (j - column) ** 2) / deviation**2
                density = math.exp(-square / 2) / (2 * math.pi * deviation**2)
                blurred += density * float(drawing[0, 0, i, j] - x[0, 0, i, j])
            expected += deviation**2 * blurred**2
    assert losses.alignment(drawing, x).item() == pytest.approx(expected, rel=1e-4)
