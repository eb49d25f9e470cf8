"""Glyph files to and from float32 arrays in [0, 1], ink = 1."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import IO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageOps, UnidentifiedImageError

from vce_models.config import ModelConfig, Resize
from vce_models.errors import InputError

Ink = NDArray[np.float32]

Polarity = Literal["auto", "dark", "light"]
"""Which is the ink: the dark strokes, the light ones, or what the border is not."""

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".pgm", ".webp"}
"""Files of a folder that are taken for images."""

CANVAS = 105
"""Side of Omniglot's drawings, in pixels."""

LONGEST = 0.64
"""Longest side of the ink in Omniglot's drawings, as a share of the canvas (median)."""

DETAIL = 8
"""Pixels of a glyph's detail to one of its condition, along each side."""

MAX_SIDE = 512
"""Of a glyph's detail, in pixels."""

MAX_PAGE, MAX_PHOTO = 1024, 512
"""Larger images, and photos, are made smaller first: their noise goes, and little beside."""

CONTRAST = 0.15
"""Least difference of ink from paper, as a share of black from white."""

PLAIN = 0.4
"""Least share of an image that is as light as its border where it is a drawing, not a photo."""

SHADE, WIDE = 96, 19
"""Longest side of a photo made small, and the width there up to which a mark may be ink."""

LEFT = 0.0005
"""Share of a photo that has to stay ink for what touches its border to be none."""


class Framed(NamedTuple):
    """A glyph twice, both (side, side) in [0, 1] with ink = 1, of one canvas.

    Attributes:
        condition: As the networks see it, (size, size).
        detail: As a pen draws it, (k size, k size), k a whole number.
    """

    condition: Ink
    detail: Ink


def finest(size: int) -> int:
    """Pixels of detail to one of `size` a side: `DETAIL`, or as many as `MAX_SIDE` holds."""
    return max(1, min(DETAIL, MAX_SIDE // size))


def read(source: Path | IO[bytes], name: str) -> Image.Image:
    """Decode an image file whole.

    Args:
        source: A path, or an open binary file.
        name: What errors call it.

    Raises:
        InputError: It is missing, a folder, or not an image that Pillow can decode.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns on standard error long before it refuses.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(source) as image:
                image.load()
                return ImageOps.exif_transpose(image)
    except FileNotFoundError as error:
        raise InputError(f"{name} does not exist") from error
    except IsADirectoryError as error:
        raise InputError(f"{name} is a folder, not an image") from error
    except UnidentifiedImageError as error:
        raise InputError(
            f"{name} is not an image", hint="PNG, JPEG, BMP, TIFF, PGM, WebP work"
        ) from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{name} is too large: {error}", hint="make it smaller first") from error
    except (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError) as error:
        raise InputError(f"{name} is damaged: {error}") from error


def grey(image: Image.Image, polarity: Polarity = "auto") -> Ink:
    """Ink of an image of any mode, (H, W) in [0, 1].

    Transparent pixels are paper. By `auto`, dark strokes on light paper and light on dark
    come to the same: paper is what the median pixel of the border has.
    """
    light = _light(image, polarity)
    if polarity == "auto":
        border = np.concatenate((light[0], light[-1], light[:, 0], light[:, -1]))
        polarity = "dark" if _median(border) >= 0.5 else "light"
    return np.asarray(1 - light, np.float32) if polarity == "dark" else light


def _light(image: Image.Image, polarity: Polarity) -> Ink:
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, np.float32)
        top = 65535 if values.max(initial=0) > 255 else 255
        return np.asarray(np.clip(values / top, 0, 1), np.float32)
    if not image.has_transparency_data:
        return np.asarray(image.convert("L"), np.float32) / np.float32(255)
    light, alpha = np.moveaxis(np.asarray(image.convert("LA"), np.float32) / 255, 2, 0)
    if polarity == "auto":
        opaque = float((light * alpha).sum() / max(float(alpha.sum()), 1e-6))
        polarity = "dark" if opaque < 0.5 else "light"
    paper = 1.0 if polarity == "dark" else 0.0
    return np.asarray(light * alpha + paper * (1 - alpha), np.float32)


def _photographed(image: Image.Image, polarity: Polarity) -> Ink | None:
    """Ink of a photo or a scan, (H, W) in [0, 1]; None of an image with plain paper.

    Strokes are what is darker (or lighter) than all around it, as a share of that: shadows
    and the table are too wide.
    """
    if min(image.size) < SHADE or image.has_transparency_data:
        return None
    light = _light(image, polarity)
    border = np.concatenate((light[0], light[-1], light[:, 0], light[:, -1]))
    if np.mean(np.abs(light - _median(border)) <= 2 / 255) >= PLAIN:
        return None
    if polarity == "light" or (polarity == "auto" and _skew(light) > 0):
        light = 1 - light
    paper = _smoothed(light, ImageFilter.MaxFilter(WIDE), ImageFilter.MinFilter(WIDE))
    ink = _levels(np.asarray(np.clip(1 - light / np.maximum(paper, 0.05), 0, 1), np.float32))
    # Squared, what is left of shadows falls behind strokes.
    return None if ink is None else _levels(_inside(ink) ** 2)


def _skew(light: Ink) -> float:
    """Negative for dark strokes, which cover less than the paper around them."""
    beside = light - _smoothed(light, ImageFilter.GaussianBlur(WIDE / 2))
    # The middle counts most: farther out paper may end.
    down, across = (np.sin(np.linspace(0, np.pi, length)) ** 4 for length in light.shape)
    return float(down @ beside**3 @ across)


def _smoothed(light: Ink, *filters: ImageFilter.Filter) -> Ink:
    """Filters of the image made small, at its own size."""
    picture = Image.fromarray(np.rint(light * 255).astype(np.uint8))
    small = picture.reduce(-(-max(picture.size) // SHADE))
    for each in filters:
        small = small.filter(each)
    large = small.resize(picture.size, Image.Resampling.BILINEAR)
    return np.asarray(large, np.float32) / np.float32(255)


def _inside(ink: Ink) -> Ink:
    """Without what touches the border, a table or a scanner's lid, where ink is left then."""
    mask = Image.fromarray(np.pad(ink >= 0.5, 1, constant_values=True)).convert("L")
    ImageDraw.floodfill(mask, (0, 0), 128)
    outside = mask.point([255 * (value == 128) for value in range(256)])
    around = np.asarray(outside.filter(ImageFilter.MaxFilter(5)))[1:-1, 1:-1] > 0
    inside = np.where(around, np.float32(0), ink)
    return inside if np.mean(inside >= 0.5) >= LEFT else ink


def _median(values: Ink) -> float:
    """`np.median`, which would load all of numpy.ma for its first answer."""
    lower, upper = (len(values) - 1) // 2, len(values) // 2
    ordered = np.partition(values, (lower, upper))
    return float(ordered[lower] + ordered[upper]) / 2


def resize(ink: Ink, size: int, method: Resize) -> NDArray[np.uint8]:
    """Bring ink to (size, size) uint8, ink = 255, on a square of paper.

    Args:
        ink: (H, W) in [0, 1].
        size: Pixels a side.
        method: `box` averages areas. `subsample` takes `x[floor(i s), floor(j s)]`,
            s = side / size, of ink of 0.5 or more: the binary images of Bartunov and
            Vetrov 2018 for 105 pixels and size 28.
    """
    square = _square(ink)
    side = len(square)
    if method == "subsample":
        places = np.arange(size) * side // size
        return np.where(square[np.ix_(places, places)] >= 0.5, 255, 0).astype(np.uint8)
    picture = Image.fromarray(np.rint(square * 255).astype(np.uint8))
    return np.asarray(picture.resize((size, size), Image.Resampling.BOX))


def _at_most(image: Image.Image, side: int) -> Image.Image:
    if max(image.size) <= side:
        return image
    modes = {"1": "L", "P": "RGBA", "PA": "RGBA"}  # these cannot be averaged
    image = image.convert(modes[image.mode]) if image.mode in modes else image
    return image.reduce(-(-max(image.size) // side))


def _square(ink: Ink) -> Ink:
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
) -> Framed:
    """Read the one glyph of an image, in the framing of Omniglot's drawings.

    Args:
        source: A path, or an open binary file.
        name: What errors call it.
        config: Says size and resize.
        polarity: Which is the ink.
        fit: Frame the glyph; otherwise the image is the whole canvas, as it is.

    Raises:
        InputError: The image cannot be read, or holds no glyph.
    """
    image = read(source, name)
    ink = _photographed(_at_most(image, MAX_PHOTO), polarity) if fit else None
    ink = _levels(grey(_at_most(image, MAX_PAGE), polarity)) if ink is None else ink
    if ink is None:
        raise InputError(f"{name} holds no glyph: it is blank", hint="use dark ink on light paper")
    if fit:
        return frame(ink, name, config)
    detail = min(finest(config.size), -(-max(ink.shape) // config.size)) * config.size
    return Framed(
        _resized(ink, config.size, config.resize), _smoothly(_square(ink), detail, detail)
    )


def _resized(ink: Ink, size: int, method: Resize) -> Ink:
    return np.asarray(resize(ink, size, method), np.float32) / np.float32(255)


def _smoothly(ink: Ink, width: int, height: int) -> Ink:
    """BOX averages where it makes smaller; where it enlarges, BICUBIC keeps strokes smooth."""
    picture = Image.fromarray(np.rint(ink * 255).astype(np.uint8))
    method = Image.Resampling.BOX if width < picture.width else Image.Resampling.BICUBIC
    return np.asarray(picture.resize((width, height), method), np.float32) / np.float32(255)


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
    low, high = _median(paper), _median(strokes)
    if high - low < CONTRAST:
        return None
    deviation = _median(np.abs(paper - low)) * 1.4826
    low = min(low + 2 * deviation, (low + high) / 2)
    stretched = np.clip((ink - low) / (high - low), 0, 1)
    return np.asarray(stretched, np.float32)


def frame(ink: Ink, name: str, config: ModelConfig) -> Framed:
    """Scale ink, (H, W), so that it lies as Omniglot's drawings do, and resize it.

    Raises:
        InputError: No stroke is left once single specks are.
    """
    solid = ink >= 0.5
    if min(ink.shape) > 2 * CANVAS:  # in small images a speck may be a dot
        median = Image.fromarray(solid).convert("L").filter(ImageFilter.MedianFilter(3))
        kept = np.asarray(median) > 0
        # It takes lines of a single pixel, too: then they are what was drawn.
        solid = kept if 2 * kept.sum() >= solid.sum() else solid
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not len(rows):
        raise InputError(f"{name} holds no glyph", hint="use dark ink on light paper")
    cut = ink[max(0, rows[0] - 1) : rows[-1] + 2, max(0, columns[0] - 1) : columns[-1] + 2]
    side = finest(config.size) * config.size
    scale = LONGEST * side / max(len(solid[rows[0] : rows[-1] + 1]), columns[-1] + 1 - columns[0])
    height, width = (max(1, min(side, round(length * scale))) for length in cut.shape)
    left, top = (side - width) // 2, (side - height) // 2
    whole = np.zeros((side, side), np.float32)
    whole[top : top + height, left : left + width] = _smoothly(cut, width, height)
    return Framed(_inked(_resized(whole, config.size, config.resize)), _inked(whole))


def _inked(ink: Ink) -> Ink:
    """Darken strokes thinner than a pixel until their crests are 1, as Omniglot's are.

    Crests are the greatest of nine pixels, but for faint specks; of a training drawing
    their median is 1.
    """
    framed = np.zeros((len(ink) + 2, len(ink) + 2), np.float32)
    framed[1:-1, 1:-1] = ink
    around = np.lib.stride_tricks.sliding_window_view(framed, (3, 3)).max((2, 3))
    crests = ink[(ink == around) & (ink > ink.max() / 3)]
    return np.asarray(np.minimum(1, ink / _median(crests)), np.float32) if len(crests) else ink
