"""Both drawings of a pair are moved alike, which makes more characters of those there are.

The pair's character becomes another, while what turns one drawing into the other remains what a
person did. The paper has none of this.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from vce_models.config import MAGNIFICATION, Resize
from vce_models.rendering.splines import cubic

CONTROL = 6
"""Control points of a warp, along each side."""

ROTATION, SHEAR, STRETCH = 0.2, 0.15, 0.08
"""Standard deviations: of an angle in radians, of a displacement by distance, and of the logarithm
of each side's scale."""

SHIFT, WOBBLE = 1.0, 1.0
"""Standard deviations of the shift, and of every control point beside it, in pixels."""


def dihedral(x: Tensor, q: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Turn and mirror each pair of (N, 1, size, size) drawings by a symmetry of the square."""
    shape = (3, len(x), 1, 1, 1)
    swap, upset, mirror = torch.rand(shape, generator=generator, device=x.device) < 0.5

    def moved(images: Tensor) -> Tensor:
        images = torch.where(swap, images.mT, images)
        images = torch.where(upset, images.flip(2), images)
        return torch.where(mirror, images.flip(3), images)

    return moved(x), moved(q)


class Warp:
    """Deforms pairs of drawings kept `MAGNIFICATION` times as large as the model's images.

    Both drawings of a pair are moved by the same smooth random field, an affine map and a
    B-spline's wobble. Each drawing then moves up to half a pixel by itself, so that its pixels
    fall elsewhere on the strokes.

    Args:
        size: Side of the model's images, in pixels.
        resize: How drawings come to that size.
        device: Where the drawings are.
    """

    def __init__(self, size: int, resize: Resize, device: torch.device) -> None:
        self.size, self.averages = size, resize == "box"
        read = MAGNIFICATION * size if self.averages else size
        # `subsample` reads the first pixel of a cell, `box` all of them.
        place = 0.5 if self.averages else 0.5 / MAGNIFICATION
        self.places = (torch.arange(read, device=device) + place) * size / read
        self.weights = torch.from_numpy(cubic(read, CONTROL)).to(device)
        line = (torch.arange(CONTROL, device=device) - (CONTROL - 1) / 2) * size / (CONTROL - 3)
        self.points = torch.stack(torch.meshgrid(line, line, indexing="xy")).flatten(1)

    def __call__(self, x: Tensor, q: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Map x and q, each (N, 1, k size, k size), k = `MAGNIFICATION`, to (N, 1, size, size)."""
        field = self._field(len(x), generator)
        return self._read(x, field, generator), self._read(q, field, generator)

    def unmoved(self, images: Tensor) -> Tensor:
        """Bring drawings of the same shape, unmoved, to (N, 1, size, size)."""
        if self.averages:
            return F.avg_pool2d(images, MAGNIFICATION)
        return images[..., ::MAGNIFICATION, ::MAGNIFICATION]

    def _field(self, count: int, generator: torch.Generator) -> Tensor:
        """Sample displacements at the places read, (N, 2, read, read), in pixels, x first."""
        device = self.places.device

        def normal(deviation: float, *shape: int) -> Tensor:
            return deviation * torch.randn((count, *shape), generator=generator, device=device)

        angle, across, stretch = normal(ROTATION), normal(SHEAR), normal(STRETCH, 2).exp()
        sin, cos, zero = angle.sin(), angle.cos(), torch.zeros_like(angle)
        turn = torch.stack((cos, -sin, sin, cos), 1).view(-1, 2, 2)
        slant = torch.stack((stretch[:, 0], across, zero, stretch[:, 1]), 1).view(-1, 2, 2)
        moved = (turn @ slant @ self.points - self.points).view(-1, 2, CONTROL, CONTROL)
        wobble, shift = normal(WOBBLE, 2, CONTROL, CONTROL), normal(SHIFT, 2, 1, 1)
        return self.weights @ (moved + wobble + shift) @ self.weights.T

    def _read(self, images: Tensor, field: Tensor, generator: torch.Generator) -> Tensor:
        shape = (len(images), 2, 1, 1)
        own = torch.rand(shape, generator=generator, device=images.device) - 0.5
        across, down = (field + own).unbind(1)
        grid = torch.stack((self.places + across, self.places[:, None] + down), dim=3)
        mode = "bilinear" if self.averages else "nearest"
        seen = F.grid_sample(images, grid * 2 / self.size - 1, mode, align_corners=False)
        return F.avg_pool2d(seen, MAGNIFICATION) if self.averages else seen
