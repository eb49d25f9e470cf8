"""The connected marks of a drawing: how large they are, where they lie, what they touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

MOST_RUNS = 40_000
"""Runs of ink in rows, beyond which an image is noise, and nobody counts its marks."""


@dataclass(frozen=True)
class Marks:
    """Marks connected by sides or corners, N of them, and the runs of ink that they are made of.

    Attributes:
        shape: The drawing's height and width, (H, W).
        rows: The row of each run.
        starts: The first column of each run.
        ends: The column after each run.
        labels: The mark of each run, 0 to N - 1.
        areas: Pixels of each mark.
        boxes: (N, 4) first row, first column, and the row and the column after the last.
    """

    shape: tuple[int, int]
    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    labels: NDArray[np.int64]
    areas: NDArray[np.int64]
    boxes: NDArray[np.int64]

    def touching(self) -> Mask:
        """Which marks touch the border, (N,)."""
        first, last = self.boxes[:, :2], self.boxes[:, 2:]
        return np.asarray(((first == 0) | (last == self.shape)).any(1))

    def at(self, row: int, column: int) -> Mask:
        """Which mark a pixel belongs to, (N,)."""
        hit = (self.rows == row) & (self.starts <= column) & (column < self.ends)
        return np.isin(np.arange(len(self.areas)), self.labels[hit])

    def inside(self, mask: Mask) -> NDArray[np.int64]:
        """Pixels of each mark inside a mask of the drawing's shape, (N,)."""
        sums = np.pad(mask.astype(np.int64).cumsum(1), ((0, 0), (1, 0)))
        counts = sums[self.rows, self.ends] - sums[self.rows, self.starts]
        return np.bincount(self.labels, counts, len(self.areas)).astype(np.int64)

    def drawn(self, chosen: Mask) -> Mask:
        """The chosen marks as a mask of the drawing's shape."""
        runs = chosen[self.labels]
        edges = np.zeros((self.shape[0], self.shape[1] + 1), np.int8)
        np.add.at(edges, (self.rows[runs], self.starts[runs]), 1)
        np.add.at(edges, (self.rows[runs], self.ends[runs]), -1)
        return np.asarray(edges.cumsum(1)[:, :-1] > 0)


def find(solid: Mask) -> Marks | None:
    """Find the marks of a drawing, (H, W); None where it is noise."""
    edges = np.diff(np.pad(solid, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    if len(rows) > MOST_RUNS:
        return None
    labels = _labels(rows.tolist(), starts.tolist(), ends.tolist())
    count = int(labels.max(initial=-1)) + 1
    areas = np.bincount(labels, ends - starts, count).astype(np.int64)
    boxes = np.empty((count, 4), np.int64)
    for i, (values, choose) in enumerate(
        ((rows, np.minimum), (starts, np.minimum), (rows + 1, np.maximum), (ends, np.maximum))
    ):
        boxes[:, i] = 2**62 if choose is np.minimum else 0
        choose.at(boxes[:, i], labels, values)
    return Marks((solid.shape[0], solid.shape[1]), rows, starts, ends, labels, areas, boxes)


def _labels(rows: list[int], starts: list[int], ends: list[int]) -> NDArray[np.int64]:
    """A number for each run, the same where runs of neighbouring rows meet."""
    parents = list(range(len(rows)))

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = run = parents[parents[run]]
        return run

    above = 0
    for run, row in enumerate(rows):
        while rows[above] < row - 1 or (rows[above] == row - 1 and ends[above] < starts[run]):
            above += 1
        other = above
        while rows[other] == row - 1 and starts[other] <= ends[run]:
            parents[root(other)] = root(run)
            other += 1
    roots = np.array([root(run) for run in range(len(rows))], np.int64)
    return np.unique(roots, return_inverse=True)[1].reshape(-1)


SPECK = 0.35
"""A mark of less ink than this share of a square as wide as a stroke was not meant."""

WIDE = 1.2
"""Letters side by side are this many times as wide as high, and single ones seldom."""


def unusual(detail: NDArray[np.float32]) -> list[str]:
    """Say what a drawing of one character does not show, in words; mostly nothing.

    Args:
        detail: (H, W) in [0, 1], ink = 1.
    """
    solid = detail >= 0.5
    found = find(solid)
    if found is None or not len(found.areas):
        return []
    around = int((solid[:, 1:] != solid[:, :-1]).sum() + (solid[1:] != solid[:-1]).sum())
    stroke = 2 * found.areas.sum() / max(1, around)
    specks = found.areas < SPECK * stroke**2
    said = ["specks beside the glyph"] if specks.any() else []
    return said + (["several letters"] if _are_letters(found.boxes[~specks]) else [])


def _are_letters(boxes: NDArray[np.int64]) -> bool:
    """Whether marks stand side by side as letters do, in one line or in several."""
    if len(boxes) < 2:
        return False
    lines = _parted(boxes, 0)
    if len(lines) > 1 and all(len(_parted(line, 1)) > 1 for line in lines):
        return True
    heights = [np.ptp(part[:, [0, 2]]) for part in _parted(boxes, 1)]
    tall = sum(height >= 0.4 * max(heights) for height in heights)
    width, height = np.ptp(boxes[:, [1, 3]]), np.ptp(boxes[:, [0, 2]])
    return bool(tall > 1 and width > WIDE * height)


def _parted(boxes: NDArray[np.int64], axis: int) -> list[NDArray[np.int64]]:
    """Boxes that gaps part from each other, along rows (0) or columns (1)."""
    ordered = boxes[np.argsort(boxes[:, axis])]
    reached = np.maximum.accumulate(ordered[:, axis + 2])
    return np.split(ordered, np.flatnonzero(ordered[1:, axis] > reached[:-1]) + 1)
