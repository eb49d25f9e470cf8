"""Find drawings that show several letters, to refuse them or to warn of them.

A font takes one drawing for each character, and refuses a picture that surely shows several; in
doubt `several` counts one. A conversion only warns, and so `unusual` tells of doubts, too.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image, ImageFilter

from vce_models.arrays import Array, Integers, Mask
from vce_models.glyphs.parts import find, joined

Crop = Literal["whole", "largest"]
"""Which ink of a page is the glyph: all of it, or the largest mark and what is over or under it."""

LOOKED_AT = 256
"""Longest side at which glyphs are counted, in pixels."""

LETTER = 0.15
"""Least longest side of a part that may be a letter, as a share of that of the largest part."""

SOLID, SIMPLE = 0.62, 0.4
"""A part that covers more than this share of its box is a dot, and no strokes. The second share is
for parts whose rows and columns are one run of pixels each, as a lozenge's are."""

LINE = 0.3
"""A part whose shorter side is less than this share of its longer side is a single stroke."""

NEAR, FAR = 0.45, 0.9
"""Gaps between `MANY` glyphs or more, and gaps between two, as shares of a letter's size."""

MANY = 5
"""So many parts like letters, apart or in a line, are never a single glyph."""

LONG = 3.5
"""Parts stand in a line if their whole is at least this many times as long as wide."""

SPECK = 0.35
"""A mark with less ink than this share of a square as wide as a stroke is a speck."""

WIDE = 1.2
"""Marks wider than this times their height may be letters side by side; one letter seldom is."""


def several(ink: Array) -> int:
    """Count the glyphs of a drawing that surely shows several; 1 where it may be one glyph.

    A sheet has parts as large as letters, made of strokes, that are far apart: by the size of a
    letter, or by half of it where there are many, or by less where they form a line. Dots, single
    strokes, and parts that are nearer than that may all belong to one character.

    Args:
        ink: The drawing's ink, (H, W) in [0, 1].
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
    columns = np.bincount(parts.labels()[mask & ~above])
    runs = np.stack((columns, np.bincount(parts.part)), 1)
    dots = (filled > SOLID) | ((runs <= 1.1 * sides).all(1) & (filled > SIMPLE))
    letters = (longest >= LETTER * longest.max()) & ~dots & (shortest >= LINE * longest)
    if np.count_nonzero(letters) < 2:
        return 1
    size = float(np.median(longest[letters]))
    extent = np.ptp(parts.boxes.reshape(-1, 2, 2), axis=(0, 1))
    line = extent.max() >= LONG * extent.min()
    many = _groups(parts.boxes, letters, size, 0 if line else NEAR * size)
    return many if many >= MANY or _groups(parts.boxes, letters, size, FAR * size) > 1 else 1


def _groups(boxes: Integers, letters: Mask, size: float, gap: float) -> int:
    """Count groups of parts less than a gap apart, if they hold a letter and have its size."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    apart = np.hypot(*np.moveaxis(np.maximum(low - high, 0), 2, 0))
    group = joined(len(boxes), *np.nonzero(apart < gap))
    large = letters & ((boxes[:, 2:] - boxes[:, :2]).max(1) >= size / 2)
    return len(np.unique(group[large]))


def unusual(detail: Array) -> list[str]:
    """Say in words what a drawing of one character does not have; for most drawings nothing.

    Args:
        detail: The drawing, (H, W) in [0, 1], ink = 1.
    """
    solid = detail >= 0.5
    found = find(solid)
    if not len(found.areas):
        return []
    specks = found.areas < SPECK * _stroke(solid) ** 2
    said = ["specks beside the glyph"] if specks.any() else []
    return said + (["several letters"] if _are_letters(found.boxes[~specks]) else [])


def _stroke(solid: Mask) -> float:
    """Measure the mean width of strokes in pixels: twice the ink over the length of its outline."""
    around = int((solid[:, 1:] != solid[:, :-1]).sum() + (solid[1:] != solid[:-1]).sum())
    return 2 * float(solid.sum()) / max(1, around)


def largest(ink: Array) -> Array:
    """Keep the ink, (H, W) in [0, 1], of the largest mark and of marks over or under it.

    Such a mark, if it is no speck, belongs to the largest: the dot of an i, a bar of =.
    """
    solid = ink >= 0.5
    found = find(solid)
    if len(found.areas) < 2:
        return ink
    boxes, first = found.boxes, int(found.areas.argmax())
    left, top, right, bottom = boxes[first]
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    apart = np.maximum(boxes[:, 1] - bottom, top - boxes[:, 3])
    kept = (left <= middle) & (middle <= right) & (apart < max(right - left, bottom - top))
    mark = found.mask(np.arange(len(boxes)) == first)
    kept &= found.areas >= SPECK * _stroke(mark) ** 2
    kept[first] = True
    near = Image.fromarray(found.mask(kept)).convert("L").filter(ImageFilter.MaxFilter(5))
    beside = found.mask(~kept)
    return np.where((np.asarray(near) > 0) & ~beside, ink, np.float32(0))


def _are_letters(boxes: Integers) -> bool:
    """Say whether marks stand side by side as letters do, in one line or in several."""
    if len(boxes) < 2:
        return False
    lines = _parted(boxes, 1)
    if len(lines) > 1 and all(len(_parted(line, 0)) > 1 for line in lines):
        return True
    heights = [np.ptp(part[:, [1, 3]]) for part in _parted(boxes, 0)]
    tall = sum(height >= 0.4 * max(heights) for height in heights)
    width, height = np.ptp(boxes[:, [0, 2]]), np.ptp(boxes[:, [1, 3]])
    return bool(tall > 1 and width > WIDE * height)


def _parted(boxes: Integers, axis: int) -> list[Integers]:
    """Divide boxes into groups with gaps between them, along columns (0) or rows (1)."""
    ordered = boxes[np.argsort(boxes[:, axis])]
    reached = np.maximum.accumulate(ordered[:, axis + 2])
    return np.split(ordered, np.flatnonzero(ordered[1:, axis] > reached[:-1]) + 1)
