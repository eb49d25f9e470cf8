"""Connected parts of a drawing, and how many glyphs a sheet of them shows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vce_models.glyphs.photos import Ink

Integers = NDArray[np.int64]

LOOKED_AT = 256
"""Longest side at which glyphs are counted, in pixels."""

SPECK = 0.15
"""Longest side of a part at least, as a share of the largest part's, where it may be a letter."""

SOLID, SIMPLE = 0.62, 0.4
"""Share of its box that a part covers at most where it is strokes, and not a dot; the second
where each of its rows and columns is one run of pixels, as of a lozenge."""

LINE = 0.3
"""Shorter side of a part at least, as a share of its longer, where it is no single stroke."""

NEAR, FAR = 0.45, 0.9
"""Gaps, as a share of a letter, that part `MANY` glyphs or more, and that part any two."""

MANY = 5
"""Parts like letters that one glyph does not have, far apart or in a line."""

LONG = 3.5
"""Length of a line of letters at least, as a share of its width."""


class Parts(NamedTuple):
    """The connected parts of a mask, eight neighbours to a pixel; N parts in R runs of pixels.

    Attributes:
        rows: Row of each run, (R,).
        starts: Its first column, (R,).
        ends: The column after its last, (R,).
        part: The part that it belongs to, 0 to N - 1, (R,).
        boxes: Left, top, right and bottom of each part, the last two exclusive, (N, 4).
        areas: Pixels of each part, (N,).
        centres: Mean x and y of its pixels' centres, (N, 2).
    """

    rows: Integers
    starts: Integers
    ends: Integers
    part: Integers
    boxes: Integers
    areas: Integers
    centres: NDArray[np.float64]

    def labels(self, shape: tuple[int, int]) -> Integers:
        """The part of each pixel, (H, W); -1 for paper."""
        steps = np.zeros((shape[0], shape[1] + 1), np.int64)
        steps[self.rows, self.starts] = self.part + 1
        steps[self.rows, self.ends] -= self.part + 1
        return np.asarray(np.cumsum(steps, axis=1)[:, :-1] - 1)

    def mask(self, kept: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.bool_]:
        """The pixels of some parts, (H, W), by a truth value for each part, (N,)."""
        return np.append(kept, False)[self.labels(shape)]


def find(mask: NDArray[np.bool_]) -> Parts:
    """The connected parts of a mask, (H, W)."""
    steps = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    part = _joined(len(rows), *_touching(rows, starts, ends, mask.shape[1] + 2))
    count = int(part.max(initial=-1)) + 1
    lengths = ends - starts
    areas = np.bincount(part, lengths, count)
    across = np.bincount(part, lengths * (starts + ends) / 2, count)
    down = np.bincount(part, lengths * (rows + 0.5), count)
    boxes = np.empty((count, 4), np.int64)
    boxes[:, :2], boxes[:, 2:] = max(mask.shape), 0
    np.minimum.at(boxes[:, 0], part, starts)
    np.minimum.at(boxes[:, 1], part, rows)
    np.maximum.at(boxes[:, 2], part, ends)
    np.maximum.at(boxes[:, 3], part, rows + 1)
    centres = np.stack((across, down), 1) / np.maximum(areas, 1)[:, None]
    return Parts(rows, starts, ends, part, boxes, areas.astype(np.int64), centres)


def _touching(
    rows: Integers, starts: Integers, ends: Integers, stride: int
) -> tuple[Integers, Integers]:
    """Pairs of runs that touch, one row apart."""
    below = (rows + 1) * stride
    first = np.searchsorted(rows * stride + ends, below + starts)
    last = np.searchsorted(rows * stride + starts, below + ends, side="right")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(rows)), counts)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    return upper, np.repeat(first, counts) + np.arange(len(upper)) - before


def _joined(count: int, one: Integers, other: Integers) -> Integers:
    """Number the groups of `count` things of which pairs belong together, from 0."""
    parent = np.arange(count)
    while True:
        roots, others = parent[one], parent[other]
        if np.array_equal(roots, others):
            return np.unique(parent, return_inverse=True)[1].reshape(-1)
        least = np.minimum(roots, others)
        np.minimum.at(parent, roots, least)
        np.minimum.at(parent, others, least)
        while not np.array_equal(parent, jumped := parent[parent]):
            parent = jumped


def several(ink: Ink) -> int:
    """Count the glyphs of a drawing that is a sheet of them; 1 for what may be one glyph.

    A sheet has parts of the size of letters, made of strokes, that are far apart: as far as
    a letter is large, or half of it where they are many, and less where they form a line.
    Dots, single strokes, and what stands closer than that may all belong to one character.

    Args:
        ink: (H, W) in [0, 1].
    """
    reduce = -(-max(ink.shape) // LOOKED_AT)
    picture = Image.fromarray(np.rint(ink * 255).astype(np.uint8)).reduce(reduce)
    mask = np.asarray(picture) >= 96
    parts = find(mask)
    if len(parts.boxes) < 2:
        return 1
    sides = parts.boxes[:, 2:] - parts.boxes[:, :2]
    longest, shortest = sides.max(1), sides.min(1)
    filled = parts.areas / sides.prod(1)
    above = np.pad(mask, ((1, 0), (0, 0)))[:-1]
    columns = np.bincount(parts.labels(mask.shape)[mask & ~above])
    runs = np.stack((columns, np.bincount(parts.part)), 1)
    dots = (filled > SOLID) | ((runs <= 1.1 * sides).all(1) & (filled > SIMPLE))
    letters = (longest >= SPECK * longest.max()) & ~dots & (shortest >= LINE * longest)
    if np.count_nonzero(letters) < 2:
        return 1
    size = float(np.median(longest[letters]))
    extent = np.ptp(parts.boxes.reshape(-1, 2, 2), axis=(0, 1))
    line = extent.max() >= LONG * extent.min()
    many = _groups(parts.boxes, letters, size, 0 if line else NEAR * size)
    return many if many >= MANY or _groups(parts.boxes, letters, size, FAR * size) > 1 else 1


def _groups(boxes: Integers, letters: NDArray[np.bool_], size: float, gap: float) -> int:
    """Groups of parts less than a gap apart that hold a letter, and are of letter size."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    apart = np.hypot(*np.moveaxis(np.maximum(low - high, 0), 2, 0))
    group = _joined(len(boxes), *np.nonzero(apart < gap))
    large = letters & ((boxes[:, 2:] - boxes[:, :2]).max(1) >= size / 2)
    return len(np.unique(group[large]))
