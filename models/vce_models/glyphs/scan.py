"""Characters that were written into a template are read from a scan or a photo of its page."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from vce_models.arrays import Array
from vce_models.errors import InputError
from vce_models.glyphs import images, parts
from vce_models.glyphs.decoding import contents, decode, reduced
from vce_models.glyphs.photos import levels
from vce_models.glyphs.register import (
    LEAST,
    LOOKED_AT,
    SMALL,
    SMALLEST,
    Registered,
    find_rings,
    interpolate,
    register,
)
from vce_models.glyphs.template import BASELINE, CAPTION, EM, INSET, Points

FINENESS = 12
"""How many pixels of the ink that is read are a millimetre of paper."""

FINEST = 5000
"""Longest side of an image that is read, in pixels; larger images are made smaller."""

COARSE = 2
"""The same for the paper's light, which changes slowly."""

PEN = 6.5
"""Greatest width of strokes, in millimetres; whatever is wider is shade."""

SPECK, WRITTEN = 0.05, 0.12
"""Greatest area of a speck, and least area of what is written in a box, in square millimetres."""

DARK = 0.2
"""Least darkness of a pen in the red channel, where paper has 0 and black has 1."""

STRAY = 4.2
"""How far strokes of neighbouring boxes may reach into a box, in millimetres."""

BEYOND = 2.0
"""How far above and below its box a stroke is read, in millimetres: what is written large goes on
there. Nothing is read beside a box, as upright guides are there."""


class Written(NamedTuple):
    """A character in a frame that all boxes share.

    Attributes:
        codepoint: Which character it is.
        ink: Its ink, (H, W) in [0, 1].
        baseline: How many rows of pixels are above the baseline.
        em: Ems to a pixel.
        is_cut: Whether it goes on where nothing is read.
    """

    codepoint: int
    ink: Array
    baseline: float
    em: float
    is_cut: bool = False


def read(path: Path) -> list[Written] | None:
    """Read the characters written on a template's page; None where an image shows no template.

    Args:
        path: A scan, which may be turned in any way, or a photo.

    Raises:
        InputError: The file is no image; a corner of the page is hidden, or its bands cannot
            be read; nothing is written on it.
    """
    # No name here keeps the image, so that a large one is freed once it was made smaller.
    return written(decode(contents(path, str(path)), str(path), FINEST), str(path))


def written(image: Image.Image, name: str) -> list[Written] | None:
    """Do what `read` does, for an open image that errors call `name`."""
    if min(image.size) < SMALLEST:
        return None
    # Most images show no page, and this is found out at little cost.
    light = 1 - images.grey(reduced(image, LOOKED_AT), "dark")
    rings = find_rings(light, enlarge=max(image.size) <= SMALL)
    if len(rings.sizes) < LEAST:
        return None
    image = reduced(image, FINEST, colours=True)
    factor = -(-max(image.size) // (2 * LOOKED_AT))
    found = register(1 - images.grey(reduced(image, 2 * LOOKED_AT), "dark"), rings, name)
    if found is None:
        return None
    inks = _inks(_red(image), found, factor)
    if inks is not None:
        boxes = zip(found.page.characters, map(_cleaned, inks), strict=True)
        above = (found.layout.box[1] - BASELINE + BEYOND) * FINENESS
        filled = [
            Written(p, ink, above, 1 / (EM * FINENESS), _is_cut(ink))
            for p, ink in boxes
            if ink is not None
        ]
        if filled:
            return filled
    raise InputError(
        f"{name} is page {found.page.number} of a template, and nothing is written on it",
        hint="write with a dark pen, black or blue",
    )


def _red(image: Image.Image) -> Array:
    """Return the red channel, in which guides are paper, (H, W) in [0, 1]; of grey, the light."""
    if image.mode.startswith(("I", "F", "L")):  # grey, or LAB
        return 1 - images.grey(image, "dark")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB").getchannel("R"), np.float32) / np.float32(255)


def _inks(red: Array, found: Registered, finer: int) -> Array | None:
    """Read what is written in each box, (N, H, W) in [0, 1]; None where nothing is.

    Args:
        red: The image.
        found: The page in it.
        finer: How many times as fine `red` is as the image in which the page was found.
    """
    fineness = found.fineness * finer
    factor = _whole(fineness / COARSE)
    paper = _paper(_reduced(red, factor), found, finer / factor)
    factor = _whole(fineness / FINENESS)
    fine = _reduced(red, factor)
    width, height = found.layout.box
    rows = _middles(height + 2 * BEYOND) - BEYOND
    columns = _middles(width - 2 * INSET) + INSET
    grid = np.stack(np.meshgrid(columns, rows), -1)
    boxes = []
    for corner in found.layout.corners()[: len(found.page.characters)]:
        seen = interpolate(fine, found.pixels(corner + grid) * (finer / factor))
        boxes.append(1 - seen / np.maximum(interpolate(paper, (corner + grid) * COARSE), 0.05))
    ink = np.clip(np.stack(boxes), 0, 1)
    # Guides go from side to side in all boxes; even a dashed line has no ink on a quarter.
    ink -= np.quantile(ink, 0.25, axis=(0, 2), keepdims=True)
    captions = (rows < CAPTION[1]) | (rows > height)  # its own, and that of the box below
    ink[:, np.outer(captions, columns < CAPTION[0])] = 0
    rows_of_all = np.asarray(np.clip(ink, 0, 1), np.float32).reshape(-1, ink.shape[2])
    stretched = levels(rows_of_all) if _dark(rows_of_all) else None
    return None if stretched is None else stretched.reshape(ink.shape)


def _dark(ink: Array) -> bool:
    """Say whether enough ink is as dark as a pen; a red pen is not, and would be read in shreds."""
    picture = Image.fromarray(np.rint(ink * 255).astype(np.uint8))
    calm = np.asarray(picture.filter(ImageFilter.BoxBlur(2)))
    return bool(np.count_nonzero(calm > DARK * 255) >= WRITTEN * FINENESS**2)


def _middles(length: float) -> Points:
    """Return the middles of the pixels along a length, in millimetres."""
    return (np.arange(round(length * FINENESS)) + 0.5) / FINENESS


def _whole(factor: float) -> int:
    return max(1, int(factor))


def _reduced(light: Array, factor: int) -> Array:
    return np.asarray(Image.fromarray(light).reduce(factor), np.float32)


def _paper(light: Array, found: Registered, shrunk: float) -> Array:
    """Estimate the light of the paper behind all strokes, over the whole page, at `COARSE`.

    Args:
        light: The image.
        found: The page in it.
        shrunk: How many times as fine `light` is as the image in which the page was found.
    """
    across = (np.arange(round(found.layout.width * COARSE)) + 0.5) / COARSE
    down = (np.arange(round(found.layout.height * COARSE)) + 0.5) / COARSE
    seen = interpolate(light, found.pixels(np.stack(np.meshgrid(across, down), -1)) * shrunk)
    picture = Image.fromarray(np.rint(seen * 255).astype(np.uint8))
    width = 2 * round(PEN * COARSE / 2) + 1
    for filtering in (
        ImageFilter.MaxFilter(width),
        ImageFilter.MinFilter(width),
        ImageFilter.GaussianBlur(COARSE),
    ):
        picture = picture.filter(filtering)
    return np.asarray(picture, np.float32) / np.float32(255)


def _cleaned(ink: Array) -> Array | None:
    """Remove specks and strokes of neighbours from ink; None where nothing is left."""
    found = parts.find(ink >= 0.5)
    height, width = ink.shape
    left, top, right, bottom = found.boxes.T
    beyond = BEYOND * FINENESS
    across, down = (STRAY - INSET) * FINENESS, STRAY * FINENESS + beyond
    stray = ((left == 0) & (right < across)) | ((top == 0) & (bottom < down))
    stray |= (right == width) & (left > width - across)
    stray |= (bottom == height) & (top > height - down)
    stray |= (top + bottom < 2 * beyond) | (top + bottom > 2 * (height - beyond))
    kept = (found.areas > SPECK * FINENESS**2) & ~stray
    if found.areas[kept].sum() < WRITTEN * FINENESS**2:
        return None
    mask = Image.fromarray(found.mask(kept)).convert("L")
    near = np.asarray(mask.filter(ImageFilter.MaxFilter(5))) > 0
    return np.where(near, ink, np.float32(0))


def _is_cut(ink: Array) -> bool:
    """Say whether strokes go on beyond what was read."""
    solid = ink >= 0.5
    return bool(solid[[0, -1]].any() or solid[:, [0, -1]].any())
