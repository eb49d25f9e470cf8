"""How a rule enters a convertor that makes every pixel anew: what its trunk sees."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vce_models.config import ModelConfig, Wiring
from vce_models.networks.trunk import Modulation, coordinates
from vce_models.rendering.splines import linear
from vce_models.shapes import COARSE, HIDDEN, PLANES


class Edge(nn.Module):
    """Numbers of the rule stand on either side of their row, as further columns of the condition.

    The paper says that "every two sampled noises are juxtaposed with one line". Read as one on
    either side of its line, every pixel of 28 is within the receptive radius of a number (18 pixels
    for eight blocks). With both at one edge the ten columns farthest from it would never see the
    rule, and it hardly trains.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.planes = 1
        self.sides = list(config.beside)

    def forward(self, z: Tensor, q: Tensor) -> tuple[Tensor, None]:
        """Return (N, 1, size, size + latent_per_row), and no modulation."""
        left, right = torch.split(z[:, None], self.sides, dim=3)
        return torch.cat((left, q, right), dim=3), None


class Rows(nn.Module):
    """Each row's numbers are repeated along the row, as further planes."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.planes = 1 + config.latent_per_row

    def forward(self, z: Tensor, q: Tensor) -> tuple[Tensor, None]:
        """Return (N, 1 + latent_per_row, size, size), and no modulation."""
        rows = z.movedim(2, 1)[..., None].expand(-1, -1, -1, q.shape[3])
        return torch.cat((q, rows), dim=1), None


class Plane(nn.Module):
    """A dense layer makes a plane of the rule, beside the condition.

    It is the strongest path of all: it can place strokes.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.planes = 2
        self.dense = nn.Linear(config.latent_size, config.size**2)

    def forward(self, z: Tensor, q: Tensor) -> tuple[Tensor, None]:
        """Return (N, 2, size, size), and no modulation."""
        return torch.cat((q, self.dense(z.flatten(1)).view_as(q)), dim=1), None


class Modulate(nn.Module):
    """A perceptron of the rule scales and shifts the channels of every block (FiLM).

    Beside the condition stand two planes of coordinates and `PLANES` planes of the rule,
    interpolated from 7x7: they can say where, but are too coarse to hold a drawing.
    """

    coordinates: Tensor
    weights: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.planes = 1 + 2 + PLANES
        self.shape = (config.blocks, 2, config.channels)
        self.dense = nn.Linear(config.latent_size, PLANES * COARSE**2)
        self.hidden = nn.Linear(config.latent_size, HIDDEN)
        self.modulation = nn.Linear(HIDDEN, 2 * config.blocks * config.channels)
        self.register_buffer("coordinates", coordinates(config.size), persistent=False)
        weights = torch.from_numpy(linear(config.size, COARSE))
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, z: Tensor, q: Tensor) -> tuple[Tensor, Modulation]:
        """Return (N, 3 + PLANES, size, size), and the modulation of every block."""
        z = z.flatten(1)
        coarse = self.dense(z).view(-1, PLANES, COARSE, COARSE)
        planes = self.weights @ coarse @ self.weights.T
        modulation = self.modulation(F.relu(self.hidden(z))).view(-1, *self.shape)
        places = self.coordinates.expand(len(q), -1, -1, -1)
        return torch.cat((q, places, planes), dim=1), modulation.movedim(0, 2)


WIRINGS: dict[Wiring, type[Edge | Rows | Plane | Modulate]] = {
    "edge": Edge,
    "rows": Rows,
    "plane": Plane,
    "modulation": Modulate,
}
