"""Drawings of characters are read, and then all get their places in one font."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vce_models.arrays import Array
from vce_models.config import ModelConfig
from vce_models.errors import InputError
from vce_models.fonts import frames, tracing
from vce_models.fonts.building import Drawing
from vce_models.fonts.outline import Contour
from vce_models.fonts.placement import Placement
from vce_models.fonts.svg import Outlined
from vce_models.glyphs import images, letters

GRID = 1000
"""Pixels of the longest side of an SVG's canvas, so that its place is found as an image's is."""


class Unplaced(NamedTuple):
    """A drawing that has no place yet.

    Attributes:
        codepoint: Which character it is.
        contours: Its outline; the unit is a canvas's side, y up from its lower edge.
        size: Width and height of the drawing's own canvas, in pixels.
        box: Its ink there.
        framed: Whether the outline's canvas is another one, which frames the ink.
        placement: Where the drawing's own canvas lies in the font, if that is known.
        unusual: A phrase for each thing that a drawing of one character does not have.
    """

    codepoint: int
    contours: Sequence[Contour]
    size: frames.Size
    box: frames.Box
    framed: bool
    placement: Placement | None
    unusual: Sequence[str] = ()


def from_image(
    codepoint: int, ink: Array, placement: Placement | None, name: str, config: ModelConfig
) -> Unplaced:
    """Trace the ink of an image, (H, W) in [0, 1].

    Raises:
        InputError: The image shows no glyph, or several.
    """
    if (count := letters.several(ink)) > 1:
        hint = "cut it into one image each, or write on the pages of vce template"
        raise InputError(f"{name} holds {count} glyphs, and a font takes one", hint=hint)
    height, width = ink.shape
    detail = images.frame(ink, name, config).detail
    contours, box = tracing.contours(detail), images.bounds(ink, name)
    found = letters.unusual(detail)
    return Unplaced(codepoint, contours, (width, height), box, True, placement, found)


def from_svg(codepoint: int, drawing: Outlined) -> Unplaced:
    """Take the outline of an SVG as it is."""
    left, bottom, width, height = drawing.canvas
    side = max(width, height)
    corner = np.array([left - (side - width) / 2, bottom - (side - height) / 2])
    contours = [
        [[(curve - corner) / side for curve in piece] for piece in contour]
        for contour in drawing.contours
    ]
    places = np.concatenate([c for contour in contours for piece in contour for c in piece])
    inset = (np.array([side - width, side - height]) / (2 * side)).round(6)
    (x, y), (right, top) = (places.min(0) - inset) * GRID, (places.max(0) - inset) * GRID
    size = (max(1, round(GRID * width / side)), max(1, round(GRID * height / side)))
    box = (round(x), round(size[1] - top), round(right), round(size[1] - y))
    return Unplaced(codepoint, contours, size, box, False, None)


def placed(waiting: Sequence[Unplaced]) -> dict[int, Drawing]:
    """Give drawings their places in one font; return them by code point."""
    places = frames.placements([(one.codepoint, one.size, one.box) for one in waiting])
    drawings = {}
    for one, found in zip(waiting, places, strict=True):
        place = one.placement or found
        place = frames.framed(place, one.size, one.box) if one.framed else place
        drawings[one.codepoint] = Drawing(one.contours, place)
    return drawings
