"""Glyph files to and from float32 arrays in [0, 1], ink = 1."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from vce_models.config import Resize
from vce_models.errors import InputError

Ink = NDArray[np.float32]


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
        raise InputError(f"{name} is not an image", hint="PNG, JPEG, BMP, TIFF, PGM work") from error
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
    return 1 - light if np.median(border) >= 0.5 else light


def _light(image: Image.Image) -> Ink:
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, np.float32)
        top = 65535 if values.max(initial=0) > 255 else 255
        return np.clip(values / top, 0, 1)
    if not image.has_transparency_data:
        return np.asarray(image.convert("L"), np.float32) / 255
    light, alpha = np.moveaxis(np.asarray(image.convert("LA"), np.float32) / 255, 2, 0)
    opaque = float((light * alpha).sum() / max(float(alpha.sum()), 1e-6))
    paper = 1.0 if opaque < 0.5 else 0.0
    return light * alpha + paper * (1 - alpha)


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
