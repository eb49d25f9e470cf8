"""The two networks of Li et al. 2020: q(z | x, q) and p(x | z, q).

Both are a 5x5 convolution and residual blocks of two 3x3 convolutions, stride 1, SAME,
with a linear read-out the paper does not describe. How the rule z enters the convertor
is one of four components (`WIRINGS`), each of which turns the condition and the rule
into the convertor's input planes and, for `modulation`, a scale and shift for each block.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vce_models.config import ModelConfig, Wiring

PLANES = 4
"""Rank-one planes beside the modulation; read-out planes of the encoder: twice as many."""

HIDDEN = 128
"""Hidden units of the modulation's perceptron."""

Modulation = Tensor
"""Scale and shift of the channels of every block: (blocks, 2, N, channels)."""


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside the identity, no normalisation (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, modulation: Modulation | None) -> Tensor:
        """Map (N, channels, H, W) to the same shape; `modulation` is (2, N, channels)."""
        h = self.conv1(F.relu(x))
        if modulation is not None:
            scale, shift = modulation.to(h.dtype)[..., None, None]
            h = torch.addcmul(shift, h, 1 + scale)
        residual: Tensor = self.conv2(F.relu(h))
        return x + residual


class Trunk(nn.Module):
    """The 5x5 convolution and the residual blocks."""

    def __init__(self, planes: int, config: ModelConfig) -> None:
        super().__init__()
        self.unshuffle = config.unshuffle
        self.stem = nn.Conv2d(planes * config.unshuffle**2, config.channels, 5, padding=2)
        self.blocks = nn.ModuleList(ResidualBlock(config.channels) for _ in range(config.blocks))

    def forward(self, x: Tensor, modulation: Modulation | None = None) -> Tensor:
        """Map (N, planes, H, W) to (N, channels, H / unshuffle, W / unshuffle)."""
        x = F.pixel_unshuffle(x, self.unshuffle).contiguous(memory_format=torch.channels_last)
        h = self.stem(x)
        for i, block in enumerate(self.blocks):
            h = block(h, None if modulation is None else modulation[i])
        return F.relu(h)


class Encoder(nn.Module):
    """q(z | x, q): the rule that turns the condition q into the drawing x."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        side = config.size // config.unshuffle
        self.rule_shape = (config.size, config.latent_per_row)
        self.trunk = Trunk(2, config)
        self.head = nn.Conv2d(config.channels, 2 * PLANES, 1)
        self.readout = nn.Linear(2 * PLANES * side * side, 2 * config.latent_size)

    def forward(self, x: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the rule.

        Args:
            x: Drawings, (N, 1, size, size) in [0, 1], ink = 1.
            q: Their conditions, the same shape.

        Returns:
            `mu` and `logvar`, each (N, size, latent_per_row), float32.
        """
        h = self.head(self.trunk(torch.cat((x, q), dim=1)))
        with torch.autocast(h.device.type, enabled=False):
            mu, logvar = self.readout(h.float().flatten(1)).chunk(2, dim=1)
        return mu.unflatten(1, self.rule_shape), logvar.unflatten(1, self.rule_shape)


class Edge(nn.Module):
    """The paper's words: each row's numbers stand beside that row, as further pixels."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.planes = 1

    def forward(self, z: Tensor, q: Tensor) -> tuple[Tensor, None]:
        """(N, 1, size, size + latent_per_row), and no modulation."""
        return torch.cat((q, z[:, None]), dim=3), None


class Rows(nn.Module):
    """Each row's numbers, repeated along the row, as further planes."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.planes = 1 + config.latent_per_row

    def forward(self, z: Tensor, q: Tensor) -> tuple[Tensor, None]:
        """(N, 1 + latent_per_row, size, size), and no modulation."""
        rows = z.movedim(2, 1)[..., None].expand(-1, -1, -1, q.shape[3])
        return torch.cat((q, rows), dim=1), None


class Plane(nn.Module):
    """A dense layer from the rule to one plane: the strongest path, able to place strokes."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.planes = 2
        self.dense = nn.Linear(config.latent_size, config.size**2)

    def forward(self, z: Tensor, q: Tensor) -> tuple[Tensor, None]:
        """(N, 2, size, size), and no modulation."""
        return torch.cat((q, self.dense(z.flatten(1)).view_as(q)), dim=1), None


class Modulate(nn.Module):
    """A perceptron of the rule scales and shifts the channels of every block (FiLM).

    Beside the condition stand two planes of coordinates and `PLANES` planes of rank one,
    which can say where, but cannot hold a drawing.
    """

    coordinates: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.planes = 1 + 2 + PLANES
        self.shape = (config.blocks, 2, config.channels)
        self.dense = nn.Linear(config.latent_size, 2 * PLANES * config.size)
        self.hidden = nn.Linear(config.latent_size, HIDDEN)
        self.modulation = nn.Linear(HIDDEN, 2 * config.blocks * config.channels)
        line = torch.linspace(-1, 1, config.size)
        grid = torch.stack(torch.meshgrid(line, line, indexing="ij"))
        self.register_buffer("coordinates", grid, persistent=False)

    def forward(self, z: Tensor, q: Tensor) -> tuple[Tensor, Modulation]:
        """(N, 3 + PLANES, size, size), and the modulation of every block."""
        z = z.flatten(1)
        rows, columns = self.dense(z).view(len(q), 2, PLANES, q.shape[2]).unbind(1)
        planes = rows[..., :, None] * columns[..., None, :]
        modulation = self.modulation(F.relu(self.hidden(z))).view(-1, *self.shape)
        coordinates = self.coordinates.expand(len(q), -1, -1, -1)
        return torch.cat((q, coordinates, planes), dim=1), modulation.movedim(0, 2)


WIRINGS: dict[Wiring, type[Edge | Rows | Plane | Modulate]] = {
    "edge": Edge,
    "rows": Rows,
    "plane": Plane,
    "modulation": Modulate,
}


class Convertor(nn.Module):
    """p(x | z, q): the condition, redrawn by a rule."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.unshuffle = config.unshuffle
        self.displacement = config.displacement
        wiring = WIRINGS[config.wiring](config)
        self.wiring = wiring
        self.trunk = Trunk(wiring.planes, config)
        outputs = 3 if config.displacement else 1
        self.head = nn.Conv2d(config.channels, outputs * config.unshuffle**2, 1)
        if config.displacement:
            self.contrast = nn.Parameter(torch.tensor([3.0]))

    def forward(self, z: Tensor, q: Tensor) -> Tensor:
        """Logits of the converted drawings.

        Args:
            z: Rules, (N, size, latent_per_row).
            q: Conditions, (N, 1, size, size) in [0, 1], ink = 1.

        Returns:
            (N, 1, size, size), float32; their sigmoid is the probability of ink.
        """
        with torch.autocast(q.device.type, enabled=False):
            x, modulation = self.wiring(z, q)
        h = F.pixel_shuffle(self.head(self.trunk(x, modulation)), self.unshuffle)
        h = h.float()[..., : q.shape[3]]
        if not self.displacement:
            return h
        return h[:, :1] + self.contrast * (2 * displaced(q, h[:, 1:]) - 1)


def displaced(q: Tensor, displacement: Tensor) -> Tensor:
    """Read q, (N, 1, H, W), at each pixel plus `displacement`, (N, 2, H, W), x before y.

    In pixels; between pixels it interpolates linearly, outside there is no ink.
    """
    height, width = q.shape[2:]
    y = torch.arange(height, device=q.device, dtype=q.dtype)[:, None] + displacement[:, 1]
    x = torch.arange(width, device=q.device, dtype=q.dtype) + displacement[:, 0]
    grid = torch.stack(((2 * x + 1) / width - 1, (2 * y + 1) / height - 1), dim=3)
    return F.grid_sample(q, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


class VCE(nn.Module):
    """Encoder and convertor, built from a ModelConfig."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.convertor = Convertor(config)


def reparameterise(mu: Tensor, logvar: Tensor, generator: torch.Generator | None) -> Tensor:
    """Sample z = mu + sigma * epsilon, epsilon ~ N(0, I) (Kingma and Welling 2014)."""
    noise = torch.randn(mu.shape, generator=generator, device=mu.device, dtype=mu.dtype)
    return mu + torch.exp(0.5 * logvar) * noise
