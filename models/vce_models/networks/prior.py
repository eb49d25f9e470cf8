"""The distribution of rules: N(0, I), carried to where the encoder puts them.

A trained encoder's rules, taken over all pairs, are rarely N(0, I): after short trainings
some directions spread two or three times as far, and samples of N(0, I) are then timid.
So the Gaussian of those rules is measured whenever weights are made (ex-post density estimation;
Ghosh et al. 2020), and a rule r ~ N(0, I) stands for the latent numbers z = mean + scale r.
This departs from Li et al. 2020, who sample z ~ N(0, I); with mean 0 and scale I it is theirs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vce_models.config import ModelConfig


class Prior(nn.Module):
    """p(z) = N(mean, scale scale^T); shapes (latent_size,) and (latent_size, latent_size)."""

    mean: Tensor
    scale: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(config.latent_size))
        self.register_buffer("scale", torch.eye(config.latent_size))

    def latents(self, rules: Tensor) -> Tensor:
        """Turn rules r into latent numbers z, both (N, size, latent_per_row)."""
        latents: Tensor = self.mean + rules.flatten(1) @ self.scale.T
        return latents.view_as(rules)

    def rules(self, latents: Tensor) -> Tensor:
        """Turn latent numbers z into rules r, both (N, size, latent_per_row)."""
        centred = (latents.flatten(1) - self.mean).T
        solved: Tensor = torch.linalg.solve_triangular(self.scale, centred, upper=False)
        return solved.T.reshape_as(latents)

    def log_volume(self) -> Tensor:
        """Return the logarithm of the determinant of the scale."""
        volume: Tensor = self.scale.diagonal().log().sum()
        return volume

    def kl_divergence(self, mu: Tensor, logvar: Tensor) -> Tensor:
        """Compute KL(N(mu, sigma^2) || p(z)) in nats, (N,); with mean 0 and scale I it is eq. 4."""
        eye = torch.eye(len(self.mean), device=mu.device)
        inverse = torch.linalg.solve_triangular(self.scale, eye, upper=False)
        spread = logvar.exp().flatten(1) @ inverse.square().sum(0)
        distance = self.rules(mu).square().flatten(1).sum(1)
        entropy = (logvar + 1).flatten(1).sum(1)
        divergence: Tensor = 0.5 * (spread + distance - entropy) + self.log_volume()
        return divergence


def measure(mu: Tensor, logvar: Tensor) -> dict[str, Tensor]:
    """Measure the Gaussian of the rules N(mu, sigma^2) of many pairs, as `Prior` holds it.

    It is found in float64: rounded to float32, a covariance whose directions spread very
    unequally may have no Cholesky factor.

    Args:
        mu: (N, size, latent_per_row).
        logvar: The same shape.
    """
    wide, variance = mu.flatten(1).double(), logvar.flatten(1).double().exp().mean(0)
    covariance = torch.cov(wide.T, correction=0) + variance.diag()
    found = {"mean": wide.mean(0), "scale": torch.linalg.cholesky(covariance)}
    return {name: value.to(mu.dtype) for name, value in found.items()}
