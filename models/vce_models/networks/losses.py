"""Equations 4 to 12 of Li et al. 2020, as functions of tensors that know no network.

Every loss is in nats, one number for each drawing: (N,). The caller takes means over a batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

BLURS = (1.0, 2.0, 4.0)
"""Standard deviations of the blurs of `alignment`, in pixels."""


def kl_divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """Compute KL(N(mu, sigma^2) || N(0, I)), eq. 4, of (N, size, latent_per_row) latents."""
    return 0.5 * (mu.square() + logvar.exp() - logvar - 1).flatten(1).sum(1)


def bernoulli_nll(logits: Tensor, x: Tensor) -> Tensor:
    """Compute -log p(x | z, q), eq. 5, of (N, 1, H, W) logits and targets in [0, 1].

    Grey targets are taken as probabilities, so the value cannot fall below their entropy.
    It is the style regulariser, eq. 10, if the condition takes the place of x.
    """
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


def entropy(x: Tensor) -> Tensor:
    """Return the entropy of (N, 1, H, W) grey values, the floor under `bernoulli_nll`."""
    return -(torch.xlogy(x, x) + torch.xlogy(1 - x, 1 - x)).flatten(1).sum(1)


def alignment(drawing: Tensor, x: Tensor) -> Tensor:
    """Sum squared differences of blurred drawings and targets, (N, 1, H, W), to (N,).

    They are blurred by a Gaussian of each of `BLURS` pixels. A misplaced stroke costs less
    the wider the blur is, so each sum of squares is weighted with the square of its blur.
    """
    difference = drawing - x
    total = torch.zeros(len(x), device=x.device)
    for deviation in BLURS:
        rows, columns = (_gaussian(side, deviation, x.device) for side in x.shape[2:])
        blurred = rows @ difference @ columns
        total = total + deviation**2 * blurred.square().flatten(1).sum(1)
    return total


def _gaussian(side: int, deviation: float, device: torch.device) -> Tensor:
    """Return a Gaussian's weights between all places along a side, (side, side), symmetric."""
    places = torch.arange(side, device=device, dtype=torch.float32)
    distance = (places[:, None] - places) / deviation
    return torch.exp(-0.5 * distance.square()) / (deviation * math.sqrt(2 * math.pi))


def vae(kl: Tensor, reconstruction: Tensor, kl_weight: float | Tensor = 1.0) -> Tensor:
    """Compute the loss of both networks in the first two phases: the negative bound of eq. 2."""
    return kl_weight * kl + reconstruction


def log_weight(rules: Tensor, noise: Tensor, logvar: Tensor, reconstruction: Tensor) -> Tensor:
    """Compute log p(x, z | q) - log q(z | x, q) of rules mu + sigma * noise, with p(z) = N(0, I).

    The constant of both densities is left out, since it cancels in their ratio.

    Args:
        rules: Rules of the posterior, (N, size, latent_per_row).
        noise: By which they were sampled, the same shape.
        logvar: Log variances of the posterior, the same shape.
        reconstruction: Eq. 5 by these rules, (N,).
    """
    ratio: Tensor = 0.5 * (noise.square() + logvar - rules.square()).flatten(1).sum(1)
    return ratio - reconstruction


def importance_weighted(log_weights: Tensor) -> Tensor:
    """Compute the negative importance-weighted bound of (K, N) logarithms of weights, (N,).

    K rules of each pair's posterior have one weight each; with one, it is the bound of eq. 2 by
    that rule (Burda, Grosse and Salakhutdinov 2016, eq. 8).
    """
    return math.log(len(log_weights)) - torch.logsumexp(log_weights, dim=0)


def hinge(kl: Sequence[Tensor], margin: float) -> Tensor:
    """Sum max(0, m - KL) over the kinds of generated images, for each image by itself.

    The paper does not say whether each image has a hinge or the batch's mean has one. Here
    each has, so that an image beyond the margin cannot pay for another below it.
    """
    return torch.stack([F.relu(margin - value) for value in kl]).sum(0)


def encoder_loss(
    kl: Tensor,
    kl_generated: Sequence[Tensor],
    reconstruction: Tensor,
    regulariser: Tensor,
    *,
    margin: float,
    adversarial_weight: float,
    reg_weight: float,
) -> Tensor:
    """Compute the encoder's loss, eq. 11; with `reg_weight` 0 it is eq. 9.

    It is eq. 6 with beta 1 if `kl_generated` holds the KL of both converted and sampled
    images, and `reg_weight` is 0.

    Args:
        kl: KL of the real drawings' rules, (N,).
        kl_generated: KL of the rules of generated drawings, each (N,). The drawings must
            be detached, as in IntroVAE; algorithm 1 leaves that out.
        reconstruction: Eq. 5, (N,).
        regulariser: Eq. 10, (N,).
        margin: m, in nats.
        adversarial_weight: lambda, or alpha in eq. 6.
        reg_weight: sigma, in [0, 1].
    """
    adversarial = adversarial_weight * hinge(kl_generated, margin)
    return kl + adversarial + _regularised(reconstruction, regulariser, reg_weight)


def convertor_loss(
    kl: Tensor,
    kl_generated: Sequence[Tensor],
    reconstruction: Tensor,
    regulariser: Tensor,
    *,
    adversarial_weight: float,
    reg_weight: float,
) -> Tensor:
    """Compute the convertor's loss, eq. 12; with `reg_weight` 0 it is eq. 8.

    Its arguments are those of `encoder_loss`, but drawings are not detached.

    It is eq. 7 with beta 1 if `kl_generated` holds the KL of both converted and sampled
    images, and `reg_weight` is 0; the `kl` is then added, which no convertor weight changes.
    """
    adversarial = adversarial_weight * torch.stack(tuple(kl_generated)).sum(0)
    return kl + adversarial + _regularised(reconstruction, regulariser, reg_weight)


def _regularised(reconstruction: Tensor, regulariser: Tensor, reg_weight: float) -> Tensor:
    """Weigh how like its target a conversion is, eq. 5, against how like the condition, eq. 10."""
    return (1 - reg_weight) * reconstruction + reg_weight * regulariser
