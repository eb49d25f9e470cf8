"""A convertor that moves the condition's ink instead of drawing anew.

The rule gives the condition a smooth displacement, so it can say how the character is drawn
but not which; what it draws has the condition's strokes, and is as sharp. People's drawings
differ in more than that, so the likelihood has an observation model of its own: a small
network, blind to rule and condition, that says how a drawing scatters. It carries the
likelihood, and `vce convert` shows the drawing itself.

A departure from Li et al. 2020, whose convertor draws each pixel from the rule. Close to it
are conditional variational registration (Krebs et al. 2019) and spatial transformers
(Jaderberg et al. 2015).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vce_models.config import ModelConfig
from vce_models.splines import FINE, LEVELS, PEN, SHARPNESS, STRETCH, enlarge
from vce_models.trunk import HIDDEN, READOUT, Trunk, coordinates

SCATTER = 8
"""Feature maps of the observation model."""


class Deformation(nn.Module):
    """p(x | z, q): the condition, displaced by a rule, then observed.

    Control points are the sum of a linear function of the rule, the same for every
    character, and of what the trunk makes of rule and condition together.
    """

    coordinates: Tensor
    enlarge: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.modulated = (config.blocks, 2, config.channels)
        self.control = (2, config.control, config.control)
        points, side = 2 * config.control**2, config.size // config.unshuffle
        self.dense = nn.Linear(config.latent_size, points)
        self.hidden = nn.Linear(config.latent_size, HIDDEN)
        self.modulation = nn.Linear(HIDDEN, 2 * config.blocks * config.channels)
        self.trunk = Trunk(3, config)
        self.head = nn.Conv2d(config.channels, READOUT, 1)
        self.readout = nn.Linear(READOUT * side * side, points)
        self.observation = nn.Sequential(
            nn.Conv2d(1, SCATTER, 7, padding=3),
            nn.SiLU(),
            nn.Conv2d(SCATTER, SCATTER, 5, padding=2),
            nn.SiLU(),
            nn.Conv2d(SCATTER, 1, 5, padding=2),
        )
        # A pixel or so at first: enough to find out what a displacement is good for.
        nn.init.normal_(self.dense.weight, std=1 / config.latent_size**0.5)
        nn.init.normal_(self.readout.weight, std=0.003)
        nn.init.zeros_(self.dense.bias)
        nn.init.zeros_(self.readout.bias)
        self.register_buffer("coordinates", coordinates(config.size), persistent=False)
        weights = torch.from_numpy(enlarge(FINE * config.size, config.control))
        self.register_buffer("enlarge", weights, persistent=False)

    def forward(self, z: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        """Drawings, and logits of their observations.

        Args:
            z: Rules, (N, size, latent_per_row).
            q: Conditions, (N, 1, size, size) in [0, 1], ink = 1.

        Returns:
            The drawings, (N, 1, size, size) in [0, 1], and the logits of eq. 5, the same
            shape, float32.
        """
        drawing = drawn(q, self.field(z, q))
        return drawing, self.observation(drawing).float()

    def field(self, z: Tensor, q: Tensor) -> Tensor:
        """Displacement at every point read, (N, 2, FINE size, FINE size), in pixels, x first."""
        z = z.flatten(1)
        with torch.autocast(q.device.type, enabled=False):
            modulation = self.modulation(F.relu(self.hidden(z))).view(-1, *self.modulated)
        seen = torch.cat((q, self.coordinates.expand(len(q), -1, -1, -1)), dim=1)
        h = self.head(self.trunk(seen, modulation.movedim(0, 2)))
        with torch.autocast(q.device.type, enabled=False):
            points = self.dense(z) + self.readout(h.float().flatten(1))
            field: Tensor = self.enlarge @ points.view(-1, *self.control) @ self.enlarge.T
        return field


def drawn(q: Tensor, field: Tensor) -> Tensor:
    """Read q, (N, 1, size, size), displaced by a field, and draw it with a pen.

    Each point of the drawing shows what lies in q at that point plus the displacement;
    between pixels it interpolates linearly, outside there is no ink.
    """
    size, count = q.shape[3], field.shape[3]
    places = (torch.arange(count, device=q.device) + 0.5) / FINE - 0.5
    x, y = places + field[:, 0], places[:, None] + field[:, 1]
    grid = torch.stack(((2 * x + 1) / size - 1, (2 * y + 1) / size - 1), dim=3)
    grey = F.grid_sample(q, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    shrink = _area(x, y).clamp(*STRETCH).sqrt()[:, None]
    level = (0.5 + PEN * size * (1 - shrink)).clamp(*LEVELS)
    # The logistic step from paper to ink less its value on paper, so that paper stays white.
    ink = torch.exp(SHARPNESS * grey)
    return F.avg_pool2d((ink - 1) / (ink + torch.exp(SHARPNESS * level)), FINE)


def _area(x: Tensor, y: Tensor) -> Tensor:
    """Area of q read for one of the drawing at each point: the Jacobian, by differences."""
    (x_down, x_across), (y_down, y_across) = (torch.gradient(f, dim=(1, 2)) for f in (x, y))
    area: Tensor = FINE**2 * (x_across * y_down - x_down * y_across)
    return area
