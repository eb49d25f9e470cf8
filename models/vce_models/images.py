"""Glyph files to and from float32 arrays in [0, 1], ink = 1."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageOps, UnidentifiedImageError

from vce_models.config import ModelConfig, Resize
from vce_models.errors import InputError
from vce_models.files import replacing

Ink = NDArray[np.float32]

CANVAS = 105
"""Side of Omniglot's drawings, in pixels."""

LONGEST = 0.64
"""Longest side of the ink in Omniglot's drawings, as a share of the canvas (median)."""

MAX_SIDE = 512
"""Larger images are made smaller first: their noise goes, and nothing that shows later."""

CONTRAST = 0.15
"""Least difference of ink from paper, as a share of black from white."""

BOX = (220, 30, 30)
"""Red, around the condition."""


def read(source: Path | IO[bytes], name: str) -> Image.Image:
    """Decode an image file whole.

    Args:
        source: A path, or an open binary file.
        name: What errors call it.

    Raises:
        InputError: It is missing, a folder, or not an image that Pillow can decode.
    """
    try:
        with Image.open(source) as image:
            image.load()
            return ImageOps.exif_transpose(image)
    except FileNotFoundError as error:
        raise InputError(f"{name} does not exist") from error
    except IsADirectoryError as error:
        raise InputError(f"{name} is a folder, not an image") from error
    except UnidentifiedImageError as error:
        raise InputError(
            f"{name} is not an image", hint="PNG, JPEG, BMP, TIFF, PGM work"
        ) from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{name} is too large: {error}", hint="make it smaller first") from error
    except (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError) as error:
        raise InputError(f"{name} is damaged: {error}") from error


def grey(image: Image.Image) -> Ink:
    """Ink of an image of any mode, (H, W) in [0, 1].

    Transparent pixels are paper. Dark strokes on light paper and light on dark come to
    the same: paper is what the median pixel of the border has.
    """
    light = _light(image)
    border = np.concatenate((light[0], light[-1], light[:, 0], light[:, -1]))
    dark_on_light = float(np.median(border)) >= 0.5
    return np.asarray(1 - light, np.float32) if dark_on_light else light


def _light(image: Image.Image) -> Ink:
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, np.float32)
        top = 65535 if values.max(initial=0) > 255 else 255
        return np.asarray(np.clip(values / top, 0, 1), np.float32)
    if not image.has_transparency_data:
        return np.asarray(image.convert("L"), np.float32) / np.float32(255)
    light, alpha = np.moveaxis(np.asarray(image.convert("LA"), np.float32) / 255, 2, 0)
    opaque = float((light * alpha).sum() / max(float(alpha.sum()), 1e-6))
    paper = 1.0 if opaque < 0.5 else 0.0
    return np.asarray(light * alpha + paper * (1 - alpha), np.float32)


def resize(ink: Ink, size: int, method: Resize) -> NDArray[np.uint8]:
    """Bring ink to (size, size) uint8, ink = 255, on a square of paper.

    Args:
        ink: (H, W) in [0, 1].
        size: Pixels a side.
        method: `box` averages areas. `subsample` takes `x[floor(i s), floor(j s)]`,
            s = side / size, of ink of 0.5 or more: the binary images of Bartunov and
            Vetrov 2018 for 105 pixels and size 28.
    """
    height, width = ink.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    square = np.pad(ink, ((top, side - height - top), (left, side - width - left)))
    if method == "subsample":
        places = np.arange(size) * side // size
        return np.where(square[np.ix_(places, places)] >= 0.5, 255, 0).astype(np.uint8)
    picture = Image.fromarray(np.rint(square * 255).astype(np.uint8))
    return np.asarray(picture.resize((size, size), Image.Resampling.BOX))


def read_glyph(source: Path | IO[bytes], name: str, config: ModelConfig) -> Ink:
    """Read the one glyph of an image, in the framing of Omniglot's drawings.

    Args:
        source: A path, or an open binary file.
        name: What errors call it.
        config: Says size and resize.

    Returns:
        (size, size) float32 in [0, 1], ink = 1.

    Raises:
        InputError: The image cannot be read, or holds no glyph.
    """
    image = read(source, name)
    if max(image.size) > MAX_SIDE:
        image = image.convert("RGBA") if image.mode in ("P", "PA") else image
        image = image.reduce(-(-max(image.size) // MAX_SIDE))
    ink = _levels(grey(image))
    if ink is None:
        raise InputError(f"{name} holds no glyph: it is blank", hint="use dark ink on light paper")
    return frame(ink, name, config)


def _levels(ink: Ink) -> Ink | None:
    """Stretch ink so that paper is 0 and strokes are 1; None where there is no contrast.

    Otsu's threshold parts the two. Paper's own unevenness, two standard deviations, goes
    too; a clean image keeps its anti-aliased edges.
    """
    counts, edges = np.histogram(ink, bins=256, range=(0, 1))
    centres = (edges[:-1] + edges[1:]) / 2
    below, total = np.cumsum(counts), np.cumsum(counts * centres)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (total[-1] * below / below[-1] - total) ** 2 / (below * above)
    threshold = centres[int(np.nanargmax(np.where(below * above > 0, between, 0)))]
    paper, strokes = ink[ink <= threshold], ink[ink > threshold]
    if not len(paper) or not len(strokes):
        return None
    low, high = float(np.median(paper)), float(np.median(strokes))
    if high - low < CONTRAST:
        return None
    deviation = float(np.median(np.abs(paper - low))) * 1.4826
    low = min(low + 2 * deviation, (low + high) / 2)
    stretched = np.clip((ink - low) / (high - low), 0, 1)
    return np.asarray(stretched, np.float32)


def frame(ink: Ink, name: str, config: ModelConfig) -> Ink:
    """Scale ink, (H, W), so that it lies as Omniglot's drawings do, and resize it.

    Raises:
        InputError: No stroke is left once single specks are.
    """
    solid = ink >= 0.5
    if min(ink.shape) > 2 * CANVAS:  # in small images a speck may be a dot
        median = Image.fromarray(solid).convert("L").filter(ImageFilter.MedianFilter(3))
        solid = np.asarray(median) > 0
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not len(rows):
        raise InputError(f"{name} holds no glyph", hint="use dark ink on light paper")
    cut = ink[max(0, rows[0] - 1) : rows[-1] + 2, max(0, columns[0] - 1) : columns[-1] + 2]
    side = CANVAS * -(-2 * config.size // CANVAS)
    scale = LONGEST * side / max(len(solid[rows[0] : rows[-1] + 1]), columns[-1] + 1 - columns[0])
    height, width = (max(1, min(side, round(length * scale))) for length in cut.shape)
    picture = Image.fromarray(np.rint(cut * 255).astype(np.uint8))
    # BOX averages when it makes smaller; when it enlarges, BICUBIC keeps strokes smooth.
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    canvas = Image.new("L", (side, side))
    place = ((side - width) // 2, (side - height) // 2)
    canvas.paste(picture.resize((width, height), method), place)
    whole = np.asarray(canvas, np.float32) / np.float32(255)
    return np.asarray(resize(whole, config.size, config.resize), np.float32) / np.float32(255)


def draw_grid(condition: Ink, conversions: Ink, columns: int | None, scale: int) -> Image.Image:
    """One picture: the condition in a red box, then its conversions, row by row.

    Args:
        condition: (H, W) in [0, 1], ink = 1.
        conversions: (N, H, W) in [0, 1].
        columns: Cells in a row; by default about as many as there are rows.
        scale: How much larger than its pixels a cell is drawn, smoothly.
    """
    cells = [condition, *conversions]
    columns = columns or int(np.ceil(np.sqrt(len(cells))))
    columns = min(columns, len(cells))
    height, width = (length * scale for length in condition.shape)
    gap = max(2, scale)
    rows = -(-len(cells) // columns)
    size = (columns * (width + gap) + gap, rows * (height + gap) + gap)
    sheet = Image.new("RGB", size, "white")
    for i, cell in enumerate(cells):
        light = Image.fromarray(np.rint(255 - 255 * np.clip(cell, 0, 1)).astype(np.uint8))
        place = (gap + i % columns * (width + gap), gap + i // columns * (height + gap))
        sheet.paste(light.resize((width, height), Image.Resampling.BICUBIC), place)
    line = max(1, gap // 2)
    around = (gap - line, gap - line, gap + width + line - 1, gap + height + line - 1)
    ImageDraw.Draw(sheet).rectangle(around, outline=BOX, width=line)
    return sheet


def stack(pictures: list[Image.Image]) -> Image.Image:
    """Set pictures of one width under each other."""
    heights = [picture.height for picture in pictures]
    sheet = Image.new("RGB", (pictures[0].width, sum(heights)), "white")
    for i, picture in enumerate(pictures):
        sheet.paste(picture, (0, sum(heights[:i])))
    return sheet


def save_png(image: Image.Image, path: Path) -> None:
    """Write a PNG, whole or not at all."""
    with replacing(path) as temporary:
        image.save(temporary, format="PNG")
