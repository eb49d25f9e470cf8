"""The residual trunk that encoder and convertor share: 5x5, then blocks of two 3x3."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vce_models.config import Activation, ModelConfig

ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {"relu": F.relu, "silu": F.silu}

Modulation = Tensor
"""Scale and shift of the channels of every block, (blocks, 2, N, channels)."""


def coordinates(size: int) -> Tensor:
    """Return row and column of every pixel, from -1 to 1: (2, size, size) beside the condition.

    `rendering.forward` writes them a second time.
    """
    # NumPy's linspace differs from this one in the last bit of some numbers. One of the two in
    # both places would change either the losses of seeded trainings or the bytes of conversions.
    line = torch.linspace(-1, 1, size)
    return torch.stack(torch.meshgrid(line, line, indexing="ij"))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside the identity, no normalisation (He et al. 2016)."""

    def __init__(self, channels: int, activation: Activation) -> None:
        super().__init__()
        self.activate = ACTIVATIONS[activation]
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, modulation: Modulation | None) -> Tensor:
        """Map (N, channels, H, W) to the same shape; `modulation` is (2, N, channels)."""
        h = self.conv1(self.activate(x))
        if modulation is not None:
            scale, shift = modulation.to(h.dtype)[..., None, None]
            h = torch.addcmul(shift, h, 1 + scale)
        residual: Tensor = self.conv2(self.activate(h))
        return x + residual


class Trunk(nn.Module):
    """The 5x5 convolution and the residual blocks."""

    def __init__(self, planes: int, config: ModelConfig) -> None:
        super().__init__()
        self.unshuffle = config.unshuffle
        self.stem = nn.Conv2d(planes * config.unshuffle**2, config.channels, 5, padding=2)
        blocks = (ResidualBlock(config.channels, config.activation) for _ in range(config.blocks))
        self.blocks = nn.ModuleList(blocks)
        self.activate = ACTIVATIONS[config.activation]

    def forward(self, x: Tensor, modulation: Modulation | None = None) -> Tensor:
        """Map (N, planes, H, W) to (N, channels, H / unshuffle, W / unshuffle)."""
        h = self.stem(F.pixel_unshuffle(x, self.unshuffle))
        for i, block in enumerate(self.blocks):
            h = block(h, None if modulation is None else modulation[i])
        return self.activate(h)
