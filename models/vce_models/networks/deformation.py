"""A convertor that moves the condition's ink instead of rendering every pixel.

The rule gives the condition a smooth displacement, so it can say how the character is drawn
but not which; what it makes has the condition's strokes, and is as sharp. Training moves the
ink itself, which has gradients everywhere; `vce convert` renders the same lines with a pen.

People's drawings differ in more than that, so the likelihood has an observation model of its
own: a small network, blind to rule and condition, that says how moved ink scatters.

This departs from Li et al. 2020, whose convertor makes each pixel from the rule. Close to it
are conditional variational registration (Krebs et al. 2019) and spatial transformers
(Jaderberg et al. 2015).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vce_models.arrays import Array
from vce_models.config import ModelConfig
from vce_models.networks.trunk import Trunk, coordinates
from vce_models.rendering import calming, pen
from vce_models.rendering.splines import FINE, cubic
from vce_models.shapes import HIDDEN, OBSERVATION, READOUT

SHARPNESS = 16.0
"""Steepness of the step from paper to ink, by grey value of the condition."""

HALF_WIDTH = 0.585 / 28
"""Half the width of Omniglot's strokes, as a share of the side.

In a line averaged over pixels the grey value falls by one for each pixel. So a step at
1/2 + HALF_WIDTH size (1 - 1/s), and not at 1/2, keeps the width of a line that the
deformation makes s times as wide.
"""

LEVELS = (0.2, 0.5)
"""Least and greatest grey value of that step. Beyond these limits thin strokes break or blot."""

STRETCH = (0.1, 4.0)
"""Least and greatest area of the condition that one area of the drawing shows.

Beyond these limits the field has folded.
"""


class Deformation(nn.Module):
    """p(x | z, q): the condition is displaced by a rule, and then observed.

    Control points are the sum of a linear function of the rule, the same for every
    character, and of what the trunk makes of rule and condition together.
    """

    coordinates: Tensor
    points: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.modulated = (config.blocks, 2, config.channels)
        self.control = (2, config.control, config.control)
        points, folded = 2 * config.control**2, config.size // config.unshuffle
        self.dense = nn.Linear(config.latent_size, points)
        self.hidden = nn.Linear(config.latent_size, HIDDEN)
        self.modulation = nn.Linear(HIDDEN, 2 * config.blocks * config.channels)
        self.trunk = Trunk(3, config)
        self.head = nn.Conv2d(config.channels, READOUT, 1)
        self.readout = nn.Linear(READOUT * folded**2, points)
        layers: list[nn.Module] = []
        for inputs, outputs, side in OBSERVATION:
            layers += [nn.Conv2d(inputs, outputs, side, padding=side // 2), nn.SiLU()]
        self.observation = nn.Sequential(*layers[:-1])
        # At first points move by a pixel or so, enough to learn what displacements are good for.
        nn.init.normal_(self.dense.weight, std=1 / config.latent_size**0.5)
        nn.init.normal_(self.readout.weight, std=0.003)
        nn.init.zeros_(self.dense.bias)
        nn.init.zeros_(self.readout.bias)
        self.register_buffer("coordinates", coordinates(config.size), persistent=False)
        weights = torch.from_numpy(cubic(FINE * config.size, config.control))
        self.register_buffer("points", weights, persistent=False)

    def forward(self, z: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        """Move ink, and give the logits of its observations.

        Args:
            z: Rules, (N, size, latent_per_row).
            q: Conditions, (N, 1, size, size) in [0, 1], ink = 1.

        Returns:
            The ink, (N, 1, size, size) in [0, 1], and the logits of eq. 5, the same shape,
            float32.
        """
        ink = moved(q, self.field(z, q, self.points))
        return ink, self.observation(ink).float()

    def renderer(
        self, q: Tensor, detail: Array, scale: int, *, calm: bool = True
    ) -> Callable[[Tensor], Tensor]:
        """Make a function that renders one condition by rules, with a pen.

        Args:
            q: The condition, (1, 1, size, size).
            detail: The same in (k size, k size), k a whole number, for the pen.
            scale: How many points a picture has for each pixel, along each side.
            calm: Whether level and upright strokes stay so (`rendering.calming`).

        Returns:
            A function of rules, (N, size, latent_per_row), that gives (N, 1, scale size,
            scale size) in [0, 1].
        """
        size = q.shape[3]
        line = torch.from_numpy(pen.measure(detail, size)).to(q.device)
        weights = torch.from_numpy(cubic(scale * size, self.control[1])).to(q.device)
        ink = calming.ink(q[0, 0].float().cpu().numpy(), self.control[1])
        known = (ink.counts, ink.extents, ink.away(size), *calming.along(size, self.control[1]))
        calm_by = [torch.from_numpy(part).to(q.device) for part in known]

        def render(z: Tensor) -> Tensor:
            points = self.control_points(z, q.expand(len(z), -1, -1, -1))
            if calm:
                points = calmed(points, *calm_by)
            return penned(line, weights @ points @ weights.T, size)

        return render

    def field(self, z: Tensor, q: Tensor, weights: Tensor) -> Tensor:
        """Compute the displacements of N pairs of a rule and a condition, in pixels, x first.

        Args:
            z: Rules, (N, size, latent_per_row).
            q: Conditions, (N, 1, size, size) in [0, 1], ink = 1.
            weights: `splines.cubic` of as many places as are wanted along a side, (count, control).

        Returns:
            (N, 2, count, count).
        """
        points = self.control_points(z, q)
        with torch.autocast(q.device.type, enabled=False):
            field: Tensor = weights @ points @ weights.T
        return field

    def control_points(self, z: Tensor, q: Tensor) -> Tensor:
        """Compute the displacements of control points, in pixels, x first.

        Args:
            z: Rules, (N, size, latent_per_row).
            q: Conditions, (N, 1, size, size) in [0, 1], ink = 1.

        Returns:
            (N, 2, control, control).
        """
        z = z.flatten(1)
        with torch.autocast(q.device.type, enabled=False):
            modulation = self.modulation(F.relu(self.hidden(z))).view(-1, *self.modulated)
        seen = torch.cat((q, self.coordinates.expand(len(q), -1, -1, -1)), dim=1)
        h = self.head(self.trunk(seen, modulation.movedim(0, 2)))
        with torch.autocast(q.device.type, enabled=False):
            points: Tensor = self.dense(z) + self.readout(h.float().flatten(1))
        return points.view(-1, *self.control)


def moved(q: Tensor, field: Tensor) -> Tensor:
    """Read q, (N, 1, size, size), displaced by a field, and sharpen it.

    Each of FINE points along a side of a pixel shows what lies in q at that point plus the
    displacement; between pixels it interpolates linearly, outside there is no ink.
    """
    size, count = q.shape[3], field.shape[3]
    places = (torch.arange(count, device=q.device) + 0.5) / FINE - 0.5
    x, y = places + field[:, 0], places[:, None] + field[:, 1]
    grid = torch.stack(((2 * x + 1) / size - 1, (2 * y + 1) / size - 1), dim=3)
    grey = F.grid_sample(q, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    (x_down, x_across), (y_down, y_across) = (torch.gradient(f, dim=(1, 2)) for f in (x, y))
    area = FINE**2 * (x_across * y_down - x_down * y_across)
    shrink = area.clamp(*STRETCH).sqrt()[:, None]
    level = (0.5 + HALF_WIDTH * size * (1 - shrink)).clamp(*LEVELS)
    # This is a logistic step from paper to ink, less its value on paper, so that paper stays white.
    ink = torch.exp(SHARPNESS * grey)
    return F.avg_pool2d((ink - 1) / (ink + torch.exp(SHARPNESS * level)), FINE)


def calmed(
    points: Tensor,
    counts: Tensor,
    extents: Tensor,
    away: Tensor,
    weights: Tensor,
    slopes: Tensor,
    places: Tensor,
) -> Tensor:
    """Do what `calming.calmed` does, by what `calming.Ink` and `calming.along` hold."""
    across = (counts[0, :, None] * points[:, 0]).sum(1)
    lines = torch.stack((across, (counts[1] * points[:, 1]).sum(2)), dim=1)
    means = (lines * counts.flip(0)).sum(2, keepdim=True)
    place, own = calming.GROWN * means + away[:, None], calming.GROWN * (lines - means)
    read = places + place + own @ weights.T
    inked = (read > extents[:, :1]) & (read < extents[:, 1:])
    slope = torch.where(inked, own @ slopes.T, 0.0)
    least, most = (limit - 1 for limit in calming.SHOWN)
    share = torch.minimum(
        least / slope.amin(2, keepdim=True).clamp(max=least),
        most / slope.amax(2, keepdim=True).clamp(min=most),
    )
    across, down = (place + share * own).unbind(1)
    return torch.stack(
        (across[:, None].expand_as(points[:, 0]), down[..., None].expand_as(points[:, 1])), dim=1
    )


def penned(line: Tensor, field: Tensor, size: int) -> Tensor:
    """Render a line, as `pen.measure` gives it, displaced by a field.

    Args:
        line: (places size + 2, places size + 2, 4, 4).
        field: Displacements in pixels, x first, (N, 2, scale size, scale size).
        size: Pixels a side.

    Returns:
        (N, 1, scale size, scale size) in [0, 1].
    """
    last, scale, step = len(line) - 1, field.shape[3] // size, (len(line) - 2) // size
    places = step * (torch.arange(field.shape[3], device=field.device) + 0.5) / scale + 0.5
    x = (step * field[:, 0] + places).clamp(0, last)
    y = (step * field[:, 1] + places[:, None]).clamp(0, last)
    left, top = x.floor(), y.floor()
    x, y = (x - left)[..., None], (y - top)[..., None]
    a, b, c, d = line[top.long(), left.long()].unbind(3)
    distance, horizontal, mixed, radius = (a + b * x + (c + d * x) * y).unbind(3)
    # `read` is how much of the condition a pixel of the picture shows across the line; at first its
    # square.
    slopes = (torch.gradient(scale * part, dim=(1, 2)) for part in field.unbind(1))
    (x_down, x_across), (y_down, y_across) = slopes
    read = horizontal * ((1 + x_across) ** 2 + x_down**2)
    read += (1 - horizontal) * (y_across**2 + (1 + y_down) ** 2)
    read += 2 * mixed * ((1 + x_across) * y_across + x_down * (1 + y_down))
    read = read.clamp(min=0).sqrt().clamp(*pen.RAMP)
    edge = radius * (read.clamp(*pen.KEPT) - 1) - distance
    return (0.5 + scale * edge / read).clamp(0, 1)[:, None]
