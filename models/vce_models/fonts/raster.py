"""Outlines are rendered, by the nonzero rule, as the pictures that a model sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Array
from vce_models.config import ModelConfig
from vce_models.fonts.family import Places
from vce_models.fonts.outline import Contour, evaluate
from vce_models.fonts.placement import Placement, around
from vce_models.framing import OMNIGLOT, Framing
from vce_models.glyphs.images import Framed, as_condition, finest, inked

CURVE = np.linspace(0, 1, 13)[:-1]
"""Parameters at which a curve is cut into lines."""

DRAWING_LINES, IMAGE_LINES = 4, 16
"""Lines of ink that are measured across a pixel of a drawing, and of the model's image."""

HINT = 0.05
"""A drawing is blank if every pixel of it has less ink than this."""

EDGES = 4096
"""Edges that are rendered at once."""


def edges(polygons: Sequence[Places]) -> tuple[Places, Places]:
    """List both ends of every edge of closed polygons, (n, 2) each."""
    starts = np.concatenate(polygons)
    ends = np.concatenate([np.roll(polygon, -1, axis=0) for polygon in polygons])
    return starts, ends


def crossings(
    starts: Places, ends: Places, heights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Find where horizontal lines cross edges.

    Args:
        starts: Where the edges start, (..., n, 2).
        ends: Where the edges end, (..., n, 2).
        heights: y of the lines, (..., lines).

    Returns:
        x of every crossing; and 1 where the edge goes up, -1 where it goes down, 0 where the
        line does not cross it. (..., lines, n) each.
    """
    y, last = starts[..., None, :, 1], ends[..., None, :, 1]
    lines = heights[..., None]
    sign = (y <= lines).astype(np.int8) - (last <= lines).astype(np.int8)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (lines - y) / (last - y)
        x = starts[..., None, :, 0] * (1 - share) + ends[..., None, :, 0] * share
    return np.where(sign != 0, x, 0.0), sign


def fill(polygons: Sequence[Places], size: int, lines: int) -> Array:
    """Measure the share of ink in every pixel, exactly along each of `lines` lines across it.

    Args:
        polygons: Closed polygons in pixels, y down; those that run the other way make holes.
        size: Pixels a side.
        lines: Lines across each pixel.

    Returns:
        (size, size) in [0, 1].
    """
    heights = (np.arange(size * lines) + 0.5) / lines
    starts, ends = edges(polygons)
    change = np.zeros(len(heights) * (size + 1) + 1)
    for at in range(0, len(starts), EDGES):
        x, sign = crossings(starts[at : at + EDGES], ends[at : at + EDGES], heights)
        line, edge = np.nonzero(sign)
        x, sign = np.clip(x[line, edge], 0, size), sign[line, edge]
        pixel = np.minimum(x.astype(np.intp), size - 1)
        inside, cells = x - pixel, line * (size + 1) + pixel
        # A crossing changes every later pixel by 1, and its own by the share that lies beyond it.
        change += np.bincount(cells, sign * (1 - inside), len(change))
        change += np.bincount(cells + 1, sign * inside, len(change))
    winding = change[:-1].reshape(-1, size + 1)[:, :size].cumsum(axis=1)
    ink = np.minimum(np.abs(winding), 1).reshape(size, lines, size).mean(axis=1)
    return np.asarray(ink, np.float32)


def polygons(contours: Sequence[Contour]) -> list[Places]:
    """Turn contours into closed polygons, which are near enough for pictures."""
    return [
        np.concatenate(
            [c[:1] if len(c) == 2 else evaluate(c, CURVE) for piece in contour for c in piece]
        )
        for contour in contours
        if contour
    ]


def condition(polygons: Sequence[Places], at: Placement, size: int) -> Array:
    """Render what a model sees of closed polygons in font units, (size, size)."""
    return inked(fill([at.pixels(polygon, size) for polygon in polygons], size, IMAGE_LINES))


def framed(
    contours: Sequence[Contour], config: ModelConfig, framing: Framing = OMNIGLOT
) -> tuple[Framed, Placement] | None:
    """Render a glyph as its model sees it and as the pen does; None where it has no ink."""
    if not (found := polygons(contours)):
        return None
    at, side = around(np.concatenate(found), framing), finest(config.size) * config.size
    drawing = fill([at.pixels(polygon, side) for polygon in found], side, DRAWING_LINES)
    if drawing.max() < HINT:
        return None
    return Framed(as_condition(drawing, config), inked(drawing)), at
