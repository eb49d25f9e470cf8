"""The two networks of Li et al. 2020: q(z | x, q) and p(x | z, q).

Both are a 5x5 convolution and residual blocks of two 3x3 convolutions, stride 1, SAME,
with a linear read-out the paper does not describe. There are two kinds of convertor: one
makes every pixel anew, and the rule enters it by one of the `wirings`; `deformation` moves
the condition's ink.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vce_models.arrays import Array
from vce_models.config import ModelConfig
from vce_models.networks.deformation import Deformation
from vce_models.networks.prior import Prior
from vce_models.networks.trunk import Trunk
from vce_models.networks.wirings import WIRINGS
from vce_models.shapes import READOUT

CALM = -3.0
"""Log variance of a deformation's rules at the start of a training.

At 0, noise would move ink more than the means of rules do.
"""


class Encoder(nn.Module):
    """q(z | x, q): the rule that turns the condition q into the drawing x."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        side = config.size // config.unshuffle
        self.sees = config.condition
        self.rule_shape = (config.size, config.latent_per_row)
        self.trunk = Trunk(2, config)
        self.head = nn.Conv2d(config.channels, READOUT, 1)
        self.readout = nn.Linear(READOUT * side * side, 2 * config.latent_size)

    def forward(self, x: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the rule.

        Args:
            x: Drawings, (N, 1, size, size) in [0, 1], ink = 1.
            q: Their conditions, the same shape.

        Returns:
            `mu` and `logvar`, each (N, size, latent_per_row), float32.
        """
        seen = q if self.sees else torch.zeros_like(q)
        h = self.head(self.trunk(torch.cat((x, seen), dim=1)))
        with torch.autocast(h.device.type, enabled=False):
            mu, logvar = self.readout(h.float().flatten(1)).chunk(2, dim=1)
        return mu.unflatten(1, self.rule_shape), logvar.unflatten(1, self.rule_shape)


class Convertor(nn.Module):
    """p(x | z, q): a rule makes every pixel of the character anew."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.unshuffle, (self.left, _) = config.unshuffle, config.beside
        self.sees = config.condition
        wiring = WIRINGS[config.wiring](config)
        self.wiring = wiring
        self.trunk = Trunk(wiring.planes, config)
        self.head = nn.Conv2d(config.channels, config.unshuffle**2, 1)

    def forward(self, z: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        """Return drawings and the logits of the likelihood; here a drawing is their sigmoid.

        Args:
            z: Rules, (N, size, latent_per_row).
            q: Conditions, (N, 1, size, size) in [0, 1], ink = 1.

        Returns:
            The drawings, (N, 1, size, size) in [0, 1], and the logits of eq. 5, the same
            shape, float32.
        """
        seen = q if self.sees else torch.zeros_like(q)
        with torch.autocast(q.device.type, enabled=False):
            x, modulation = self.wiring(z, seen)
        h = F.pixel_shuffle(self.head(self.trunk(x, modulation)), self.unshuffle)
        logits = h.float()[..., self.left : self.left + q.shape[3]]
        return logits.sigmoid(), logits

    def renderer(
        self, q: Tensor, detail: Array, scale: int, *, calm: bool = True
    ) -> Callable[[Tensor], Tensor]:
        """Make a function that renders one condition by rules, as `Deformation.renderer` does.

        It gives (N, 1, size, size): a convertor that makes every pixel anew takes no detail of
        the condition, has no points between pixels, and nothing to calm.
        """

        def render(z: Tensor) -> Tensor:
            images: Tensor = self(z, q.expand(len(z), -1, -1, -1))[0]
            return images

        return render


class VCE(nn.Module):
    """Encoder, convertor and the distribution of rules, built from a ModelConfig."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.prior = Prior(config)
        self.encoder = Encoder(config)
        deforms = config.wiring == "deformation"
        self.convertor = Deformation(config) if deforms else Convertor(config)
        if deforms:
            nn.init.constant_(self.encoder.readout.bias[config.latent_size :], CALM)


def reparameterise(mu: Tensor, logvar: Tensor, noise: Tensor) -> Tensor:
    """Return rules mu + sigma * noise, where noise ~ N(0, I) (Kingma and Welling 2014)."""
    return mu + torch.exp(0.5 * logvar) * noise
