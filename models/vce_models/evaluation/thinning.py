"""Drawings are reduced to the course of their lines: thinned, and rendered again by one pen."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

PEN = 2.5
"""Radius of the pen, in pixels of the drawing that was thinned."""

RING = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""Steps to the neighbours of a pixel, clockwise from the upper one."""


def thinned(ink: Tensor) -> Tensor:
    """Thin lines to skeletons, a pixel wide and connected as they were.

    This is algorithm A1 of Guo and Hall 1989. In turns it removes pixels from one side of lines
    and from the other, except ends of lines and pixels that hold parts together. There is no ink
    beyond the frame.

    Args:
        ink: Whether each pixel is ink, (N, H, W).
    """
    framed = F.pad(ink, (1, 1, 1, 1))
    flat, width = framed.view(-1), framed.shape[2]
    ring = torch.tensor([y * width + x for y, x in RING], device=ink.device)
    tables = [_removable(k).to(ink.device) for k in (2, 0)]
    left = flat.nonzero()
    before = -1
    while len(left) != before:
        before = len(left)
        for table in tables:
            gone = table[_codes(flat[left + ring])]
            flat[left[gone]] = False
            left = left[~gone]
    return framed[:, 1:-1, 1:-1]


def _codes(around: Tensor) -> Tensor:
    """Number neighbourhoods, (N, 8) bool, from 0 to 255."""
    bits = torch.arange(8, device=around.device)
    return (around.long() << bits).sum(1)


@cache
def _removable(k: int) -> Tensor:
    """Say for each neighbourhood whether the pixel in its middle is removed, (256,).

    Args:
        k: 2 in the turn in which pixels at one side of a line are removed, 0 for the other side.
    """
    around = (torch.arange(256) >> torch.arange(8)[:, None] & 1).bool()
    beside, corner = around[::2], around[1::2]
    parts = (~beside & (corner | beside.roll(-1, 0))).sum(0)
    pairs = (beside | corner.roll(1, 0)).sum(0), (beside | corner).sum(0)
    fewest = torch.minimum(*pairs)
    kept = (beside[k] | corner[k] | ~corner[k + 1]) & beside[k + 1]
    return (parts == 1) & (fewest >= 2) & (fewest <= 3) & ~kept


def thickened(skeletons: Tensor) -> Tensor:
    """Render skeletons, (N, H, W), by a round pen of radius `PEN`."""
    reach = int(PEN)
    place = torch.arange(-reach, reach + 1, device=skeletons.device)
    pen = (place.square() + place[:, None].square() <= PEN**2).float()
    return F.conv2d(skeletons[:, None].float(), pen[None, None], padding=reach)[:, 0] > 0.5
