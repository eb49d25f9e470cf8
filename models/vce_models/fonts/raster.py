"""Ink of outlines as a picture, by nonzero winding: what a model sees of a font's glyph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vce_models.fonts.family import Places


def edges(polygons: Sequence[Places]) -> tuple[Places, Places]:
    """Both ends of every edge of closed polygons, (n, 2) each."""
    starts = np.concatenate(polygons)
    ends = np.concatenate([np.roll(polygon, -1, axis=0) for polygon in polygons])
    return starts, ends


def crossings(
    starts: Places, ends: Places, heights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Where horizontal lines cross edges.

    Args:
        starts: (..., n, 2), and
        ends: of the edges.
        heights: y of the lines, (..., lines).

    Returns:
        x of every crossing, and 1, -1 or 0 where an edge goes up, down or is not crossed;
        (..., lines, n) each.
    """
    y, last = starts[..., None, :, 1], ends[..., None, :, 1]
    lines = heights[..., None]
    sign = (y <= lines).astype(np.int8) - (last <= lines).astype(np.int8)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (lines - y) / (last - y)
        x = starts[..., None, :, 0] * (1 - share) + ends[..., None, :, 0] * share
    return np.where(sign != 0, x, 0.0), sign


def fill(polygons: Sequence[Places], size: int, lines: int) -> NDArray[np.float32]:
    """The share of ink in every pixel, exact along a line, and of `lines` lines in each.

    Args:
        polygons: Closed, in pixels, y down; those inside out make holes.
        size: Pixels a side.
        lines: Lines across each pixel.

    Returns:
        (size, size) in [0, 1].
    """
    heights = (np.arange(size * lines) + 0.5) / lines
    x, sign = crossings(*edges(polygons), heights)
    line, edge = np.nonzero(sign)
    x, sign = np.clip(x[line, edge], 0, size), sign[line, edge]
    pixel = np.minimum(x.astype(np.intp), size - 1)
    inside = x - pixel
    cells = line * (size + 1) + pixel
    # From a crossing on, every pixel changes by 1; its own only by what lies beyond it.
    change = np.bincount(cells, sign * (1 - inside), len(heights) * (size + 1))
    change += np.bincount(cells + 1, sign * inside, len(change))[: len(change)]
    winding = change.reshape(-1, size + 1)[:, :size].cumsum(axis=1)
    ink = np.minimum(np.abs(winding), 1).reshape(size, lines, size).mean(axis=1)
    return np.asarray(ink, np.float32)
