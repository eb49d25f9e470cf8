"""Connected parts of masks are found: how large they are, where they lie, what they touch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Integers, Mask


class Parts(NamedTuple):
    """The connected parts of a mask, eight neighbours to a pixel; N parts in R runs of pixels.

    Attributes:
        shape: Height and width of the mask, (H, W).
        rows: The row of each run, (R,).
        starts: The first column of each run, (R,).
        ends: The column after the last of each run, (R,).
        part: The part that each run belongs to, 0 to N - 1, (R,).
        boxes: Left, top, right and bottom of each part, the last two exclusive, (N, 4).
        areas: Pixels of each part, (N,).
        centres: Mean x and y of its pixels' centres, (N, 2).
    """

    shape: tuple[int, int]
    rows: Integers
    starts: Integers
    ends: Integers
    part: Integers
    boxes: Integers
    areas: Integers
    centres: NDArray[np.float64]

    def labels(self) -> Integers:
        """Return the part of each pixel, (H, W); -1 for paper."""
        steps = np.zeros((self.shape[0], self.shape[1] + 1), np.int64)
        steps[self.rows, self.starts] = self.part + 1
        steps[self.rows, self.ends] -= self.part + 1
        return np.asarray(np.cumsum(steps, axis=1)[:, :-1] - 1)

    def mask(self, chosen: Mask) -> Mask:
        """Return the pixels, (H, W), of the parts that are chosen, (N,)."""
        runs = chosen[self.part]
        steps = np.zeros((self.shape[0], self.shape[1] + 1), np.int8)
        steps[self.rows[runs], self.starts[runs]] = 1
        steps[self.rows[runs], self.ends[runs]] = -1
        return np.asarray(steps.cumsum(1)[:, :-1] > 0)

    def touching(self) -> Mask:
        """Say which parts touch the border, (N,)."""
        first, last = self.boxes[:, :2], self.boxes[:, 2:]
        return np.asarray(((first == 0) | (last == self.shape[::-1])).any(1))

    def at(self, row: int, column: int) -> Mask:
        """Say which part a pixel belongs to, as a mask of parts, (N,)."""
        hit = (self.rows == row) & (self.starts <= column) & (column < self.ends)
        return np.isin(np.arange(len(self.areas)), self.part[hit])

    def inside(self, mask: Mask) -> Integers:
        """Count the pixels of each part, (N,), inside a mask, (H, W)."""
        sums = np.pad(mask.astype(np.int64).cumsum(1), ((0, 0), (1, 0)))
        counts = sums[self.rows, self.ends] - sums[self.rows, self.starts]
        return np.bincount(self.part, counts, len(self.areas)).astype(np.int64)


def find(mask: Mask) -> Parts:
    """Find the connected parts of a mask, (H, W)."""
    steps = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    part = joined(len(rows), *_touching(rows, starts, ends, mask.shape[1] + 2))
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
    shape = (mask.shape[0], mask.shape[1])
    return Parts(shape, rows, starts, ends, part, boxes, areas.astype(np.int64), centres)


def _touching(
    rows: Integers, starts: Integers, ends: Integers, stride: int
) -> tuple[Integers, Integers]:
    """Find pairs of runs that touch, one row apart."""
    below = (rows + 1) * stride
    first = np.searchsorted(rows * stride + ends, below + starts)
    last = np.searchsorted(rows * stride + starts, below + ends, side="right")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(rows)), counts)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    return upper, np.repeat(first, counts) + np.arange(len(upper)) - before


def joined(count: int, one: Integers, other: Integers) -> Integers:
    """Number the groups that pairs make of `count` things, from 0."""
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
