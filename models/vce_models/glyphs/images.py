"""Glyph files to and from float32 arrays in [0, 1], ink = 1."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from vce_models import edges
from vce_models.arrays import Array
from vce_models.config import LARGEST, ModelConfig, Resize
from vce_models.errors import InputError
from vce_models.framing import OMNIGLOT, Framing
from vce_models.glyphs import decoding, letters, paper
from vce_models.glyphs.letters import Crop
from vce_models.glyphs.photos import Polarity, crosses, median, photographed, unruled, without_lines

CANVAS = 105
"""Side of Omniglot's drawings, in pixels."""

LONGEST = OMNIGLOT.longest
"""Longest side of the ink in Omniglot's drawings, as a share of the canvas (median)."""

DETAIL = 8
"""How many pixels of a glyph's detail stand for one of its condition, along each side."""

MAX_PAGE, MAX_PHOTO = 1024, 512
"""Longest sides of images and of photos, in pixels.

Larger ones are made smaller first, by which they lose their noise and little else.
"""


class Framed(NamedTuple):
    """A glyph twice, both (side, side) in [0, 1] with ink = 1, of one canvas.

    Attributes:
        condition: As the networks see it, (size, size).
        detail: As a pen draws it, (k size, k size), k a whole number.
    """

    condition: Array
    detail: Array


def finest(size: int) -> int:
    """Return how many pixels of detail stand for one of `size` a side: `DETAIL` or fewer."""
    return max(1, min(DETAIL, LARGEST // size))


def grey(image: Image.Image, polarity: Polarity = "auto") -> Array:
    """Return the ink of an image of mode L, LA, I or F, (H, W) in [0, 1].

    Transparent pixels are paper. With `auto`, paper is as light or dark as the median pixel of
    the border, so that dark strokes on light paper and light strokes on dark paper give the same.
    """
    light = paper.light(image, polarity)
    if polarity == "auto":
        border = np.concatenate((light[0], light[-1], light[:, 0], light[:, -1]))
        polarity = "dark" if median(border) >= 0.5 else "light"
    return np.asarray(1 - light, np.float32) if polarity == "dark" else light


def resize(ink: Array, size: int, method: Resize) -> NDArray[np.uint8]:
    """Bring ink to (size, size) uint8, ink = 255, on a square of paper.

    Args:
        ink: (H, W) in [0, 1].
        size: Pixels a side.
        method: `box` averages areas; `bilinear` weighs areas twice as wide by a triangle.
            `subsample` takes `x[floor(i s), floor(j s)]`, s = side / size, of ink of 0.5 or
            more: the binary images of Bartunov and Vetrov 2018 for 105 pixels and size 28.
    """
    square = _square(ink)
    side = len(square)
    if method == "subsample":
        places = np.arange(size) * side // size
        return np.where(square[np.ix_(places, places)] >= 0.5, 255, 0).astype(np.uint8)
    picture = Image.fromarray(np.rint(square * 255).astype(np.uint8))
    filters = {"box": Image.Resampling.BOX, "bilinear": Image.Resampling.BILINEAR}
    return np.asarray(picture.resize((size, size), filters[method]))


def _square(ink: Array) -> Array:
    """Set ink into the middle of a square of paper."""
    height, width = ink.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    return np.pad(ink, ((top, side - height - top), (left, side - width - left)))


def read_glyph(
    source: Path | IO[bytes],
    name: str,
    config: ModelConfig,
    polarity: Polarity = "auto",
    fit: bool = True,
    framing: Framing = OMNIGLOT,
    crop: Crop = "whole",
) -> Framed:
    """Read the one glyph of an image, in the framing of the training drawings.

    Args:
        source: A path, or an open binary file.
        name: What errors call it.
        config: Says size and resize.
        polarity: Which is the ink.
        fit: Frame the glyph; otherwise the image is the whole canvas, as it is.
        framing: How the drawings lie that the model was trained on.
        crop: What of the ink is the glyph.

    Raises:
        InputError: The image cannot be read, or holds no glyph.
    """
    if fit:
        return frame(read_page(source, name, polarity, crop), name, config, framing)
    image = decoding.decode(decoding.contents(source, name), name)
    ink = _cropped(_levelled(image, name, polarity), crop)
    detail = min(finest(config.size), -(-max(ink.shape) // config.size)) * config.size
    return Framed(resized(ink, config.size, config.resize), _smoothly(_square(ink), detail, detail))


def read_page(
    source: Path | IO[bytes], name: str, polarity: Polarity = "auto", crop: Crop = "whole"
) -> Array:
    """Read the ink of an image's page, (H, W) in [0, 1], larger images made smaller.

    Args:
        source: A path, or an open binary file.
        name: What errors call it.
        polarity: Which is the ink.
        crop: What of the ink is the glyph.

    Raises:
        InputError: The image cannot be read, or is blank.
    """
    image = decoding.decode(decoding.contents(source, name), name)
    small, ink = decoding.reduced(image, MAX_PHOTO), None
    if small.mode != "LA" or np.asarray(small.getchannel("A")).min() == 255:
        pale = partial(_palest, image, MAX_PHOTO)
        ink = photographed(paper.light(small, polarity), polarity, pale)
    ink = paper.cleared(_levelled(image, name, polarity) if ink is None else ink, polarity)
    return _cropped(ink, crop)


def _cropped(ink: Array, crop: Crop) -> Array:
    return letters.largest(ink) if crop == "largest" else ink


def _levelled(image: Image.Image, name: str, polarity: Polarity) -> Array:
    """Stretch the ink of an image from 0 to 1, without printed lines.

    Raises:
        InputError: The image is blank.
    """
    ink = unruled(grey(decoding.reduced(image, MAX_PAGE), polarity))
    if ink is None:
        raise InputError(f"{name} holds no glyph: it is blank", hint="use dark ink on light paper")
    if crosses(ink) and (pale := _palest(image, MAX_PAGE)) is not None:
        return without_lines(ink, unruled(np.asarray(1 - pale, np.float32)))
    return ink


def _palest(image: Image.Image, side: int) -> Array | None:
    """Return the greatest of each pixel's colours, by which printed lines are paler than ink.

    It is None where the image has no colours, or is transparent somewhere.
    """
    coloured = decoding.reduced(image, side, colours=True)
    return np.asarray(coloured, np.float32).max(2) / 255 if coloured.mode == "RGB" else None


def resized(ink: Array, size: int, method: Resize) -> Array:
    """Bring ink to (size, size) float32 in [0, 1], as `resize`."""
    return np.asarray(resize(ink, size, method), np.float32) / np.float32(255)


def _smoothly(ink: Array, width: int, height: int) -> Array:
    """Resize ink to (height, width), by BOX to make it smaller and by BICUBIC to enlarge it."""
    picture = Image.fromarray(np.rint(ink * 255).astype(np.uint8))
    method = Image.Resampling.BOX if width < picture.width else Image.Resampling.BICUBIC
    return np.asarray(picture.resize((width, height), method), np.float32) / np.float32(255)


def frame(ink: Array, name: str, config: ModelConfig, framing: Framing = OMNIGLOT) -> Framed:
    """Scale ink, (H, W), so that it lies as the training drawings do, and resize it.

    Raises:
        InputError: No stroke is left once single specks are.
    """
    left, top, right, bottom = bounds(ink, name)
    cut = ink[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1]
    side = finest(config.size) * config.size
    factor = framing.longest * side / max(bottom - top, right - left)
    height, width = (max(1, min(side, round(length * factor))) for length in cut.shape)
    left = min(max(0, int(framing.across * side - width / 2)), side - width)
    top = min(max(0, int(framing.down * side - height / 2)), side - height)
    whole = np.zeros((side, side), np.float32)
    whole[top : top + height, left : left + width] = _smoothly(cut, width, height)
    return Framed(as_condition(whole, config), inked(whole))


def as_condition(ink: Array, config: ModelConfig) -> Array:
    """Bring a framed drawing to the model's pixels, (size, size).

    Binary pixels are not read place by place: lines finer than Omniglot's would fall between the
    places that `subsample` reads.
    """
    if config.resize != "subsample":
        return inked(resized(ink, config.size, config.resize))
    grey = inked(resized(ink, config.size, "box"))
    return np.asarray(grey >= edges.threshold(_greatest(grey)), np.float32)


def bounds(ink: Array, name: str) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the strokes without specks, the last two exclusive.

    Raises:
        InputError: No stroke is left.
    """
    solid = ink >= 0.5
    if min(ink.shape) > 2 * CANVAS:  # in small images a speck may be a dot
        filtered = Image.fromarray(solid).convert("L").filter(ImageFilter.MedianFilter(3))
        kept = np.asarray(filtered) > 0
        # It takes lines of a single pixel, too: then they are what was drawn.
        solid = kept if 2 * kept.sum() >= solid.sum() else solid
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not len(rows):
        raise InputError(f"{name} holds no glyph", hint="use dark ink on light paper")
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def inked(ink: Array) -> Array:
    """Darken strokes thinner than a pixel until the median of their crests is 1, as in Omniglot.

    A crest is a pixel that is the darkest of the nine about it, and no faint speck.
    """
    crests = ink[(ink == _greatest(ink)) & (ink > ink.max() / 3)]
    return np.asarray(np.minimum(1, ink / median(crests)), np.float32) if len(crests) else ink


def _greatest(ink: Array) -> Array:
    """Return the greatest of the nine pixels about each."""
    return np.asarray(sliding_window_view(np.pad(ink, 1), (3, 3)).max((2, 3)))
