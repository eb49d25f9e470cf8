"""How many letters a drawing shows: a sheet of them is refused, what may be several is said.

A font is made of drawings one by one, so that what is surely a sheet stops it: `several` errs
on the side of one. A conversion only warns, and `unusual` says what merely looks like letters.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image, ImageFilter

from vce_models.arrays import Array, Integers, Mask
from vce_models.glyphs.parts import find, joined

Crop = Literal["whole", "largest"]
"""What of a page is the glyph: all ink, or the largest mark with what stands over or under it."""

LOOKED_AT = 256
"""Longest side at which glyphs are counted, in pixels."""

LETTER = 0.15
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

SPECK = 0.35
"""A mark of less ink than this share of a square as wide as a stroke was not meant."""

WIDE = 1.2
"""Letters side by side are this many times as wide as high, and single ones seldom."""


def several(ink: Array) -> int:
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
    """Groups of parts less than a gap apart that hold a letter, and are of letter size."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    apart = np.hypot(*np.moveaxis(np.maximum(low - high, 0), 2, 0))
    group = joined(len(boxes), *np.nonzero(apart < gap))
    large = letters & ((boxes[:, 2:] - boxes[:, :2]).max(1) >= size / 2)
    return len(np.unique(group[large]))


def unusual(detail: Array) -> list[str]:
    """Say what a drawing of one character does not show, in words; mostly nothing.

    Args:
        detail: (H, W) in [0, 1], ink = 1.
    """
    solid = detail >= 0.5
    found = find(solid)
    if not len(found.areas):
        return []
    specks = found.areas < SPECK * _stroke(solid) ** 2
    said = ["specks beside the glyph"] if specks.any() else []
    return said + (["several letters"] if _are_letters(found.boxes[~specks]) else [])


def _stroke(solid: Mask) -> float:
    """The mean width of strokes, in pixels: twice the ink over the length of its outline."""
    around = int((solid[:, 1:] != solid[:, :-1]).sum() + (solid[1:] != solid[:-1]).sum())
    return 2 * float(solid.sum()) / max(1, around)


def largest(ink: Array) -> Array:
    """Ink, (H, W) in [0, 1], of the largest mark and of what stands over or under it.

    What stands there and is no speck belongs to it: the dot of an i, the bars of =.
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
    """Whether marks stand side by side as letters do, in one line or in several."""
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
    """Boxes that gaps part from each other, along columns (0) or rows (1)."""
    ordered = boxes[np.argsort(boxes[:, axis])]
    reached = np.maximum.accumulate(ordered[:, axis + 2])
    return np.split(ordered, np.flatnonzero(ordered[1:, axis] > reached[:-1]) + 1)
