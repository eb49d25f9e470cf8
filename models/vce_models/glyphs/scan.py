"""Characters that were written into a template, read from a scan or a photo of its page."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from vce_models.errors import InputError
from vce_models.glyphs import decoding, images, parts
from vce_models.glyphs.photos import Ink, levels
from vce_models.glyphs.register import Registered, register, sample
from vce_models.glyphs.template import BASELINE, CAPTION, EM, INSET, Points

FINENESS = 12
"""Pixels to a millimetre of what is read."""

SIDE = 5000
"""Longest side of an image that is looked at, in pixels; larger ones are made smaller."""

COARSE = 2
"""Pixels to a millimetre of the paper's light, which changes slowly."""

PEN = 6.5
"""Width of strokes at most, in millimetres; what is wider is shade."""

SPECK, WRITTEN = 0.05, 0.12
"""Areas in square millimetres: of a speck at most, and of what is written in a box at least."""

STRAY = 3.0
"""How far a stroke of a neighbouring box reaches in at most, in millimetres."""


class Written(NamedTuple):
    """A character in a frame that all boxes share.

    Attributes:
        codepoint: Which character it is.
        ink: (H, W) in [0, 1].
        baseline: Rows of pixels above the baseline.
        em: Ems to a pixel.
    """

    codepoint: int
    ink: Ink
    baseline: float
    em: float


def read(path: Path) -> list[Written] | None:
    """Read the characters written on a template's page; None where an image shows no template.

    Args:
        path: A scan, turned as it may be, or a photo.

    Raises:
        InputError: The file is no image; a corner of the page is hidden, or its bands cannot
            be read; nothing is written on it.
    """
    image = decoding.decode(decoding.contents(path, str(path)), str(path), SIDE)
    return written(image, str(path))


def written(image: Image.Image, name: str) -> list[Written] | None:
    """Do the same for an image that is open; errors call it `name`."""
    if max(image.size) > SIDE:
        factor = -(-max(image.size) // SIDE)
        coloured = image.mode in ("L", "RGB")
        image = image.reduce(factor) if coloured else decoding.reduced(image, SIDE)
    light = 1 - images.grey(decoding.reduced(image, SIDE), "dark")
    found = register(light, name)
    if found is None:
        return None
    inks = _inks(_red(image, light), found)
    if inks is not None:
        boxes = zip(found.page.characters, map(_cleaned, inks), strict=True)
        above = (found.layout.box[1] - BASELINE - INSET) * FINENESS
        filled = [
            Written(p, ink, above, 1 / (EM * FINENESS)) for p, ink in boxes if ink is not None
        ]
        if filled:
            return filled
    raise InputError(
        f"{name} is page {found.page.number} of a template, and nothing is written on it",
        hint="write with a dark pen, black or blue",
    )


def _red(image: Image.Image, light: Ink) -> Ink:
    """The red channel, in which guides are paper, (H, W) in [0, 1]; light, where there is none."""
    if image.mode.startswith(("I", "F", "L", "1")):
        return light
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB").getchannel("R"), np.float32) / np.float32(255)


def _inks(red: Ink, found: Registered) -> Ink | None:
    """What is written in each box, (N, H, W) in [0, 1]; None where nothing is."""
    coarse = _reduced(red, found.scale / COARSE)
    paper = _paper(*coarse, found)
    fine, factor = _reduced(red, found.scale / FINENESS)
    width, height = (length - 2 * INSET for length in found.layout.box)
    rows, columns = (_middles(length) for length in (height, width))
    grid = np.stack(np.meshgrid(columns, rows), -1) + INSET
    boxes = []
    for corner in found.layout.corners()[: len(found.page.characters)]:
        seen = sample(fine, found.pixels(corner + grid) / factor)
        boxes.append(1 - seen / np.maximum(sample(paper, (corner + grid) * COARSE), 0.05))
    ink = np.clip(np.stack(boxes), 0, 1)
    # Of what is at the same height in all boxes, guides, the halves without ink tell.
    ink -= np.median(ink, axis=(0, 2), keepdims=True)
    ink[:, : round((CAPTION[1] - INSET) * FINENESS), : round((CAPTION[0] - INSET) * FINENESS)] = 0
    stretched = levels(np.asarray(np.clip(ink, 0, 1), np.float32).reshape(-1, ink.shape[2]))
    return None if stretched is None else stretched.reshape(ink.shape)


def _middles(length: float) -> Points:
    """Of the pixels along a length, in millimetres."""
    return (np.arange(round(length * FINENESS)) + 0.5) / FINENESS


def _reduced(light: Ink, factor: float) -> tuple[Ink, int]:
    """An image made smaller by at most a factor, and by what whole number it is."""
    whole = max(1, int(factor))
    return np.asarray(Image.fromarray(light).reduce(whole), np.float32), whole


def _paper(light: Ink, factor: int, found: Registered) -> Ink:
    """The light of the paper behind all strokes, over the whole page, at `COARSE`."""
    across = (np.arange(round(found.layout.width * COARSE)) + 0.5) / COARSE
    down = (np.arange(round(found.layout.height * COARSE)) + 0.5) / COARSE
    seen = sample(light, found.pixels(np.stack(np.meshgrid(across, down), -1)) / factor)
    picture = Image.fromarray(np.rint(seen * 255).astype(np.uint8))
    width = 2 * round(PEN * COARSE / 2) + 1
    for filtering in (
        ImageFilter.MaxFilter(width),
        ImageFilter.MinFilter(width),
        ImageFilter.GaussianBlur(COARSE),
    ):
        picture = picture.filter(filtering)
    return np.asarray(picture, np.float32) / np.float32(255)


def _cleaned(ink: Ink) -> Ink | None:
    """Ink without specks and without strokes of neighbours; None where nothing is left."""
    found = parts.find(ink >= 0.5)
    height, width = ink.shape
    left, top, right, bottom = found.boxes.T
    depth = STRAY * FINENESS
    stray = ((left == 0) & (right < depth)) | ((top == 0) & (bottom < depth))
    stray |= (right == width) & (left > width - depth)
    stray |= (bottom == height) & (top > height - depth)
    kept = (found.areas > SPECK * FINENESS**2) & ~stray
    if found.areas[kept].sum() < WRITTEN * FINENESS**2:
        return None
    mask = Image.fromarray(found.mask(kept, ink.shape)).convert("L")
    near = np.asarray(mask.filter(ImageFilter.MaxFilter(5))) > 0
    return np.where(near, ink, np.float32(0))
