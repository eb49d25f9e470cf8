"""Drawings are reduced to the course of their lines: thinned, and rendered again by one pen."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

PEN = 2.5
"""Radius of the pen, in pixels of the drawing that was thinned."""

RING = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""Steps to the neighbours of a pixel, clockwise from the upper one."""


def thinned(ink: Tensor) -> Tensor:
    """Thin lines to skeletons, a pixel wide and connected as they were.

    This is algorithm A1 of Guo and Hall 1989. In turns it removes pixels at the left and at the
    right of an edge, except ends of lines and pixels that hold parts together.

    Args:
        ink: Whether each pixel is ink, (N, H, W).
    """
    ink = ink.clone()
    while True:
        before = int(ink.sum())
        for k in (2, 0):
            around = _around(ink)
            beside, corner = around[::2], around[1::2]
            parts = (~beside & (corner | beside.roll(-1, 0))).sum(0)
            pairs = (beside | corner.roll(1, 0)).sum(0), (beside | corner).sum(0)
            fewest = torch.minimum(*pairs)
            kept = (beside[k] | corner[k] | ~corner[k + 1]) & beside[k + 1]
            ink &= ~((parts == 1) & (fewest >= 2) & (fewest <= 3) & ~kept)
        if int(ink.sum()) == before:
            return ink


def thickened(skeletons: Tensor) -> Tensor:
    """Render skeletons, (N, H, W), by a round pen of radius `PEN`."""
    reach = int(PEN)
    place = torch.arange(-reach, reach + 1, device=skeletons.device)
    pen = (place.square() + place[:, None].square() <= PEN**2).float()
    return F.conv2d(skeletons[:, None].float(), pen[None, None], padding=reach)[:, 0] > 0.5


def _around(ink: Tensor) -> Tensor:
    """Return the eight neighbours of every pixel, (8, N, H, W), without ink beyond the frame."""
    height, width = ink.shape[1:]
    framed = F.pad(ink, (1, 1, 1, 1))
    parts = [framed[:, 1 + y : 1 + y + height, 1 + x : 1 + x + width] for y, x in RING]
    return torch.stack(parts)
