"""The pen that renders a deformed glyph: lines keep their width, however far they are stretched.

Moved ink grows wide where a deformation enlarges. So a glyph is taken as the line that a pen
of its own width drew: how far every place lies from the edge of the ink is measured once, and
a deformation stretches that distance across the line, not the pen. `networks.deformation`
renders by it in PyTorch and `forward` in NumPy, at any number of points for each pixel.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vce_models import edges
from vce_models.arrays import Array, Mask

PLACES, MOST = 4, 16
"""Least and most places for each pixel, along each side, where distances are measured."""

REACH = 3.0
"""Distances are measured up to this one, in pixels; what is farther counts as this far."""

SMOOTH = 0.5
"""How far from the edge of the ink distances are smoothed, in pixels."""

THIN = 0.2
"""Half the width of the thinnest pen, in pixels: that of hairlines."""

RADIUS = 2.0
"""Half the width of the widest line, in pixels: what is wider keeps this on either side."""

KEPT = (1 / 3, 3**0.5)
"""Limits of how much of the glyph a pixel of the picture shows, across the line, where the line
keeps its width. Below the first it is torn apart rather than stretched. Above the second the widest
lines would reach beyond `REACH`."""

RAMP = (0.01, 3.0)
"""The same limits where an edge turns from paper to ink within a point, so that nothing is haze."""

ABOUT = 1.25
"""How far about a place slopes are averaged to find the way across the line, in pixels."""

BEYOND = 2.4
"""Half widths of a line from one side of it to beyond the other, and not beyond its corners."""

END = 0.003
"""How much the slopes of a line's end count beside those of its sides."""

FLAT = 1e-4
"""A slope as small as this counts as none: such a place is far from every edge."""


def measure(drawing: Array, size: int) -> Array:
    """Measure where the edges of a glyph are, which way they go, and how wide its lines are.

    Args:
        drawing: (k size, k size) in [0, 1], ink = 1, k a whole number: the larger k is, the finer
            is what is measured.
        size: Side of the model's images, whose pixels are the unit of what is measured.

    Returns:
        (places size + 2, places size + 2, 4, 4), places = k within limits. `[i, j, c, k]` is
        coefficient c of a + b x + (c + d x) y on one cell between four places, x and y from 0
        to 1. k runs over four values: the distance from the edge of the ink in pixels, outside
        positive, up to `REACH`; the horizontal and the mixed part of the structure tensor of
        its slopes, whose trace is 1; and half the width of the line, from `THIN` to `RADIUS`.
        The outermost cells lie beyond the frame, where there is no ink.
    """
    places = min(max(PLACES, len(drawing) // size), MOST)
    picture = Image.fromarray(np.asarray(drawing, np.float32))
    side = (places * size, places * size)
    grey = np.asarray(picture.resize(side, Image.Resampling.BICUBIC))
    signed = _signed(grey, places)
    crest = _crest(signed)
    signed -= np.clip(THIN - crest, 0, THIN)
    radius = np.clip(crest, THIN, RADIUS)
    # The least value about, smoothed, is nowhere more than the crest.
    radius = _mean(-_greatest(-radius, places // 2), places // 2)
    horizontal, mixed = _across(signed, np.clip(crest, THIN, REACH), places)
    parts = (signed, REACH), (horizontal, 0.5), (mixed, 0.0), (radius, THIN)
    framed = [np.pad(part, (1, 2), constant_values=around) for part, around in parts]
    values = np.stack(framed, axis=2).astype(np.float32)
    right, below = np.diff(values, axis=1), np.diff(values, axis=0)
    corners = (values[:-1, :-1], right[:-1], below[:, :-1], np.diff(right, axis=0))
    return np.ascontiguousarray(np.stack(corners, axis=2))


def _signed(grey: Array, places: int) -> Array:
    """Measure the distance from the edge of the ink in pixels, outside positive, up to `REACH`."""
    above = grey - edges.threshold(_greatest(grey, places))
    ink = above >= 0
    # A place lies half a step from the edge between it and its neighbour.
    outside, inside = (np.maximum(_nearest(m, places) - 0.5 / places, 0) for m in (ink, ~ink))
    # Whole places are too much ink or too little, by so much for each place of the edge.
    steps = places // PLACES
    covered = np.clip(0.5 + above / np.maximum(np.hypot(*np.gradient(grey)), FLAT), 0, 1)
    more = _mean(ink - covered, steps) / (_mean(np.hypot(*np.gradient(covered)), steps) + FLAT)
    rough = outside - inside
    smooth = _mean(rough, steps) + np.clip(more, -0.5, 0.5) / places
    # Only the edge is smoothed: the crest would sink.
    deep = np.clip(np.abs(rough) / SMOOTH, 0, 1)
    return np.asarray(smooth + deep * (rough - smooth), np.float32)


def _crest(signed: Array) -> Array:
    """Find half the width of the line at each place: the depth at which the way into ink ends."""
    height, width = signed.shape
    framed = np.pad(-signed, 1, constant_values=-REACH)
    steps = sorted(itertools.product((-1, 0, 1), repeat=2), key=np.any)  # to stay comes first
    around = [framed[1 + i : 1 + i + height, 1 + j : 1 + j + width] for i, j in steps]
    deepest = np.argmax(around, axis=0).ravel()
    into = np.arange(signed.size) + np.array([i * width + j for i, j in steps])[deepest]
    for _ in range(width.bit_length()):
        into = into[into]
    crest: Array = -signed.ravel()[into].reshape(signed.shape)
    return crest


def _across(signed: Array, crest: Array, places: int) -> tuple[Array, Array]:
    """Find the way across the line: two parts of the structure tensor of slopes, of trace 1.

    A slope counts where the line's other side lies as far away as the line is wide. So at the end
    of a line the slopes of its sides count, and not those of its end.
    """
    down, across = (np.asarray(slope, np.float32) for slope in np.gradient(places * signed))
    steps = (places * (signed + BEYOND * crest) + 1) / np.maximum(np.hypot(down, across), FLAT)
    i, j = np.indices(signed.shape, np.float32)
    far = tuple(
        np.clip(np.rint(at - steps * slope), 0, len(signed) - 1).astype(np.intp)
        for at, slope in ((i, down), (j, across))
    )
    counts = np.where(signed[far] > 0, np.float32(1), np.float32(END))
    products = (across * across, across * down, down * down)
    horizontal, mixed, vertical = (_mean(part * counts, round(ABOUT * places)) for part in products)
    steepness = horizontal + vertical + FLAT
    return (horizontal + FLAT / 2) / steepness, mixed / steepness


def _nearest(mask: Mask, places: int) -> Array:
    """Measure the distance in pixels to the nearest place of the mask, `REACH` at most."""
    steps = int(REACH * places)
    squares = np.where(mask, 0, steps**2).astype(np.int16)
    further = np.arange(-steps, steps + 1, dtype=np.int16) ** 2
    nearest = np.minimum(_slide(squares, np.minimum, further), steps**2)
    return np.asarray(np.sqrt(nearest) / places, np.float32)


def _greatest(values: Array, steps: int) -> Array:
    """Return the greatest value within so many places along either side."""
    return _slide(values, np.maximum, np.zeros(2 * steps + 1, np.float32))


def _mean(values: Array, steps: int) -> Array:
    """Return the mean of the values within so many places along either side."""
    width, means = 2 * steps + 1, np.asarray(values, np.float64)
    for _ in range(2):
        framed = np.pad(means, ((steps + 1, steps), (0, 0)), mode="edge")
        sums = np.cumsum(framed, axis=0)
        means = ((sums[width:] - sums[:-width]) / width).T
    return np.asarray(means, np.float32)


def _slide(values: NDArray[Any], join: np.ufunc, more: NDArray[Any]) -> NDArray[Any]:
    """Join every value with its neighbours along one side, then along the other.

    Args:
        values: (H, W).
        join: For example `np.minimum`.
        more: What is added to each neighbour before it is joined, (2 n + 1,): to n before a value,
            to itself, and to n after it.
    """
    for _ in range(2):
        count, steps = len(values), len(more) // 2
        framed = np.pad(values, ((steps, steps), (0, 0)), mode="edge")
        values = framed[:count] + more[0]
        for i in range(1, len(more)):
            join(values, framed[i : i + count] + more[i], out=values)
        values = values.T
    return values
