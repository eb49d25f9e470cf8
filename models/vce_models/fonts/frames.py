"""Drawings, each in its own file, get places in a font: in one frame, or where is typical."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from vce_models.arrays import Array
from vce_models.fonts.building import CAP_HEIGHT, EM, X_HEIGHT
from vce_models.fonts.placement import Placement
from vce_models.glyphs.images import LONGEST
from vce_models.glyphs.scan import Written

Size = tuple[int, int]
"""Width and height of a canvas, in pixels."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom of ink on a canvas, in pixels, the last two exclusive."""

X, CAP = X_HEIGHT, CAP_HEIGHT

DESCENT = -220
"""Height at which g and p end, in font units."""

WIDEST = 1200
"""How wide a character may become, however low it is, in font units."""

FILLED = 0.06
"""Standard deviation of the longest sides' logarithms below which each drawing fills its canvas."""

VARIED = 0.1
"""Standard deviation of typical sides' logarithms above which drawings in one frame differ."""


class Extent(NamedTuple):
    """Where a character's ink typically is, in font units, the baseline at 0.

    Attributes:
        bottom: Height of its lower edge.
        top: Height of its upper edge.
        width: Its width at most.
    """

    bottom: int
    top: int
    width: int = WIDEST


_TABLE = (
    # Small letters that are not as high as x, and capitals that are not as high as H.
    ("bdfhklßſðđħłƀﬀﬁﬂﬃﬄδθλбћ", Extent(0, CAP)),
    ("itі", Extent(0, 660)),
    ("jјþƒβζξφфђ", Extent(DESCENT, CAP)),
    ("gpqyŋμγηρχςруџƥ", Extent(DESCENT, X)),
    ("ψ", Extent(DESCENT, 600)),
    ("дцщ", Extent(-130, X)),
    ("QДЦЩ", Extent(-130, CAP)),
    # Punctuation and symbols.
    (".…", Extent(0, 100)),
    (",‚„", Extent(-130, 100)),
    (":", Extent(0, X)),
    (";", Extent(-130, X)),
    ("'\"‘’“”´`", Extent(460, CAP)),
    ("*°", Extent(380, CAP)),
    ("^", Extent(380, CAP)),
    ("ªº¹²³", Extent(330, CAP)),
    ("-‐‑", Extent(210, 310, 330)),
    ("–", Extent(210, 310, 500)),
    ("—―", Extent(210, 310, 950)),
    ("_", Extent(-160, -90, 500)),
    ("~", Extent(260, 420, 500)),
    ("=", Extent(170, 420, 520)),
    ("+<>×÷−¬", Extent(60, 560, 520)),
    ("±", Extent(0, 560, 520)),
    ("·•", Extent(200, 360)),
    ("«»‹›", Extent(70, 430)),
    ("()[]{}|/\\¦§¶†‡", Extent(-150, 750)),
    ("$¢", Extent(-80, 780)),
    ("@", Extent(-150, CAP)),
    ("¯˘˙˚¨ˆˇ˜˝", Extent(560, 730)),
    ("¸˛", Extent(DESCENT, 0)),
    ("¿¡", Extent(-200, X)),
)

EXTENTS = {character: extent for characters, extent in _TABLE for character in characters}

ALPHABETS = ("LATIN", "GREEK", "CYRILLIC")
"""Alphabets whose small letters are as high as x, unless the table says otherwise."""

ABOVE, BELOW = (230, 228, 232), (202, 218, 220, 222)
"""Combining classes of marks over and under a letter."""


def extent(codepoint: int | None) -> Extent:
    """Say where a character's ink typically is; an unknown one is as high as a capital."""
    character = chr(codepoint or 0)
    if character in EXTENTS:
        return EXTENTS[character]
    base, *marks = list(unicodedata.normalize("NFD", character))
    if unicodedata.combining(base):
        return Extent(DESCENT, -50) if unicodedata.combining(base) in BELOW else Extent(540, 730)
    if marks:
        return _marked(extent(ord(base)), [unicodedata.combining(mark) for mark in marks])
    if unicodedata.category(base) == "Ll" and unicodedata.name(base, "").startswith(ALPHABETS):
        return Extent(0, X)
    return Extent(0, CAP)


def _marked(base: Extent, classes: list[int]) -> Extent:
    """Extend a letter's place by its marks, which stand above or below it as their classes say."""
    bottom, top = base.bottom, base.top
    if any(number in ABOVE for number in classes):
        top = CAP + 30 if top < CAP else CAP + 200
    if any(number in BELOW for number in classes):
        bottom = min(bottom, DESCENT)
    return Extent(bottom, top, base.width)


def placements(drawings: Sequence[tuple[int | None, Size, Box]]) -> list[Placement]:
    """Say where each drawing's canvas lies in a font of 1,000 units to the em.

    Drawings whose canvases are all of one size share a frame: all have one scale and one
    baseline, which the letters that stand on it show. Other drawings take the places that are
    typical of their characters. So do drawings that all fill their canvases, as these say
    nothing about how large one is beside another.

    Args:
        drawings: For each drawing its character, if that is known; width and height of its
            canvas; and left, top, right and bottom of its ink there, in pixels.

    Returns:
        For each drawing the square that has its canvas in the middle; its ink begins at x = 0.
        (`framed` takes this and returns the canvas of a framed drawing.)
    """
    extents = [extent(point) for point, _, _ in drawings]
    boxes = [box for _, _, box in drawings]
    alike = len(drawings) > 1 and len({size for _, size, _ in drawings}) == 1
    if alike and not _each_fills(extents, boxes):
        scale, baseline = _frame(extents, boxes)
        return [_square(size, box, scale, scale * (baseline - box[3])) for _, size, box in drawings]
    return [_typical(e, size, box) for e, (_, size, box) in zip(extents, drawings, strict=True)]


def framed(placement: Placement, size: Size, box: Box) -> Placement:
    """Return the canvas of a drawing whose ink was framed as the training data is.

    The ink is in the middle, and its longest side is `LONGEST` times the canvas's side.

    Args:
        placement: Where the drawing's own canvas lies, from `placements`.
        size: Width and height of the drawing's own canvas, in pixels.
        box: The ink on that canvas.
    """
    scale = placement.side / max(size)
    left, top, right, bottom = box
    side = max(right - left, bottom - top) / LONGEST * scale
    x = placement.x + ((left + right) / 2 + (max(size) - size[0]) / 2) * scale
    y = placement.y + (max(size) - (top + bottom) / 2 - (max(size) - size[1]) / 2) * scale
    return Placement(x - side / 2, y - side / 2, side)


def placement_of(one: Written) -> Placement:
    """Return the square that has the box of a written character in its middle.

    The guide lines of its page say how high it lies; its ink begins at x = 0.
    """
    box, scale = box_of(one.ink), one.em * EM
    height, width = one.ink.shape
    return _square((width, height), box, scale, (one.baseline - box[3]) * scale)


def box_of(ink: Array) -> Box:
    """Find where ink, (H, W) in [0, 1], is 0.5 or more, as it is somewhere."""
    rows, columns = (np.flatnonzero((ink >= 0.5).any(axis=axis)) for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _square(size: Size, box: Box, scale: float, bottom: float) -> Placement:
    """Return the square of a canvas at a scale; its ink begins at x = 0 and stands on `bottom`."""
    side = max(size)
    left = box[0] + (side - size[0]) / 2
    below = side - box[3] - (side - size[1]) / 2
    return Placement(-left * scale, bottom - below * scale, side * scale)


def _typical(place: Extent, size: Size, box: Box) -> Placement:
    height, width = max(1, box[3] - box[1]), max(1, box[2] - box[0])
    scale = min((place.top - place.bottom) / height, place.width / width)
    middle = (place.top + place.bottom) / 2
    stands = place.bottom == 0
    return _square(size, box, scale, 0.0 if stands else middle - height * scale / 2)


def _each_fills(extents: Sequence[Extent], boxes: Sequence[Box]) -> bool:
    """Say whether all drawings are equally large, though their characters are not."""
    longest = [max(box[2] - box[0], box[3] - box[1], 1) for box in boxes]
    typical = [place.top - place.bottom for place in extents]
    return bool(np.std(np.log(longest)) < FILLED and np.std(np.log(typical)) > VARIED)


def _frame(extents: Sequence[Extent], boxes: Sequence[Box]) -> tuple[float, float]:
    """Find the font units of a pixel, and the baseline's row, of drawings that share both.

    The scale comes from the heights of capitals and figures; without these from small letters
    and other high characters; without these from all. The baseline comes from the characters
    that stand on it; without these from where all characters typically are.
    """
    both = list(zip(extents, boxes, strict=True))
    kinds: list[Callable[[Extent], bool]] = [
        lambda e: (e.bottom, e.top) == (0, CAP),
        lambda e: e.top - e.bottom >= X,
        lambda e: True,
    ]
    chosen = next(found for kind in kinds if (found := [one for one in both if kind(one[0])]))
    scale = _median([(e.top - e.bottom) / max(1, box[3] - box[1]) for e, box in chosen])
    standing = [one for one in both if one[0].bottom == 0] or both
    return scale, _median([box[3] + e.bottom / scale for e, box in standing])


def _median(values: list[float]) -> float:
    return float(np.median(values))
