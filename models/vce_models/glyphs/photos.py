"""Ink out of grey values: their levels, and strokes on paper that is anything but plain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from vce_models.arrays import Array, Mask
from vce_models.glyphs import parts

Polarity = Literal["auto", "dark", "light"]
"""Which is the ink: the dark strokes, the light ones, or what the border is not."""

CONTRAST = 0.15
"""Difference between ink and paper that is enough, as a share of that from black to white."""

FAINT, CLEAR = 0.04, 5.0
"""Least difference of faint ink from paper, and least multiple of the paper's own deviation.

The lighter and the darker half of mere noise, or of an even shade, differ by two and a half times
the deviation of one half.
"""

RULED = 0.3
"""Printed lines differ less from paper than this, as a share of the way from black to white."""

DARKER = 1.5
"""Ink that differs so many times as much from paper as lines do is writing on them."""

RUNS = 3
"""Least number of lines that cross each side of an image where they are a grid."""

PRINTED = 0.7
"""Lines that are printed on paper are no darker than this, as a share of strokes."""

PLAIN = 0.4
"""Least share of an image that is as light as its border where it is a drawing, not a photo."""

SHADE, WIDE = 96, 19
"""Longest side of a photo made small, and the width there up to which a mark may be ink."""

LEFT = 0.0005
"""Least share of an image that has to stay ink where something is removed from it."""


def photographed(
    light: Array, polarity: Polarity, pale: Callable[[], Array | None]
) -> Array | None:
    """Find the ink of a photo or a scan by its light, both (H, W) in [0, 1].

    The result is None where the paper is plain.

    Strokes are what is darker (or lighter) than all around it, as a share of that: shadows
    and the table are too wide.

    Args:
        light: Light, by which ink is dark.
        polarity: Which is the ink.
        pale: Makes the light by which coloured lines are pale, too; None where there is none.
    """
    if min(light.shape) < SHADE:
        return None
    border = np.concatenate(_sides(light))
    if np.mean(np.abs(light - median(border)) <= 2 / 255) >= PLAIN:
        return None
    if polarity == "light" or (polarity == "auto" and _skew(light) > 0):
        return _strokes(_darker(1 - light))
    ink = _darker(light)
    if ink is not None and crosses(ink) and (paler := pale()) is not None:
        ink = without_lines(ink, _darker(paler))
    return _strokes(ink)


def _strokes(ink: Array | None) -> Array | None:
    """Keep the strokes inside; by the square, what is left of shadows becomes weak beside them."""
    return None if ink is None else levels(_inside(ink) ** 2)


def _darker(light: Array) -> Array | None:
    """Find what is darker than all around it; None where there is no contrast."""
    paper = _smoothed(light, ImageFilter.MaxFilter(WIDE), ImageFilter.MinFilter(WIDE))
    return unruled(np.asarray(np.clip(1 - light / np.maximum(paper, 0.05), 0, 1), np.float32))


def crosses(ink: Array) -> bool:
    """Say whether ink stands at two borders that face each other, as printed lines do."""
    top, bottom, left, right = (side.max() >= 0.5 for side in _sides(ink))
    return bool((top and bottom) or (left and right))


def without_lines(ink: Array, pale: Array | None) -> Array:
    """Choose the ink by which coloured lines are pale, where it rids ink of what crosses it."""
    if pale is None or np.mean(pale >= 0.5) < LEFT:
        return ink
    gone = np.mean(_outside(pale) & (pale >= 0.5)) <= np.mean(_outside(ink) & (ink >= 0.5)) / 2
    return pale if gone else ink


def _sides(image: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    return image[0], image[-1], image[:, 0], image[:, -1]


def _skew(light: Array) -> float:
    """Measure how skewed light is about its local mean; negative for dark strokes on paper.

    Strokes cover less than the paper around them, so that they lie farther from the mean.
    """
    beside = light - _smoothed(light, ImageFilter.GaussianBlur(WIDE / 2))
    # The middle counts most, since paper may end farther out.
    down, across = (np.sin(np.linspace(0, np.pi, length)) ** 4 for length in light.shape)
    return float(down @ beside**3 @ across)


def _smoothed(light: Array, *filters: ImageFilter.Filter) -> Array:
    """Filter an image that is made small, `SHADE` pixels a side, and bring it back to its size."""
    picture = Image.fromarray(np.rint(light * 255).astype(np.uint8))
    small = picture.reduce(-(-max(picture.size) // SHADE))
    for each in filters:
        small = small.filter(each)
    large = small.resize(picture.size, Image.Resampling.BILINEAR)
    return np.asarray(large, np.float32) / np.float32(255)


def _inside(ink: Array) -> Array:
    """Remove what touches the border, a table or a scanner's lid, if ink is left then."""
    inside = np.where(_outside(ink), np.float32(0), ink)
    return inside if np.mean(inside >= 0.5) >= LEFT else ink


def _outside(ink: Array) -> Mask:
    """Find the ink that touches the border, and two pixels around it."""
    mask = Image.fromarray(np.pad(ink >= 0.5, 1, constant_values=True)).convert("L")
    ImageDraw.floodfill(mask, (0, 0), 128)
    outside = mask.point([255 * (value == 128) for value in range(256)])
    return np.asarray(outside.filter(ImageFilter.MaxFilter(5)))[1:-1, 1:-1] > 0


def median(values: Array) -> float:
    """Do what `np.median` does, which would load all of numpy.ma for its first answer."""
    lower, upper = (len(values) - 1) // 2, len(values) // 2
    ordered = np.partition(values, (lower, upper))
    return float(ordered[lower] + ordered[upper]) / 2


def levels(ink: Array) -> Array | None:
    """Stretch ink so that paper is 0 and strokes are 1; None where there is no contrast.

    Otsu's threshold parts the two. Paper's own unevenness, two standard deviations, goes
    too; a clean image keeps its anti-aliased edges.

    Args:
        ink: (H, W) in [0, 1].
    """
    parted = _parted(ink)
    if parted is None:
        return None
    low, deviation, strokes = parted
    return _stretched(ink, low + 2 * deviation, low, median(strokes))


def unruled(ink: Array) -> Array | None:
    """Stretch ink as `levels` does; faint lines that are printed across the paper go, too."""
    parted = _parted(ink)
    if parted is None:
        return None
    low, deviation, strokes = parted
    contrast = median(strokes) - low
    alike = np.mean(ink > low + DARKER * contrast) < LEFT
    if contrast < RULED and alike and _only_lines(ink >= strokes.min()):
        return None
    printed = _printed(ink, low + 2 * deviation, strokes)
    if printed is None:
        return _stretched(ink, low + 2 * deviation, low, median(strokes))
    lines, written = printed
    return _stretched(ink, lines, lines, written)


def _parted(ink: Array) -> tuple[float, float, Array] | None:
    """Find paper's median, its deviation, and strokes' values; None where there is no contrast."""
    threshold = _threshold(ink)
    paper, strokes = ink[ink <= threshold], ink[ink > threshold]
    if not len(paper) or not len(strokes):
        return None
    low = median(paper)
    contrast, deviation = median(strokes) - low, median(np.abs(paper - low)) * 1.4826
    if contrast < CONTRAST and (contrast < FAINT or contrast < CLEAR * deviation):
        return None
    return low, deviation, strokes


def _only_lines(solid: Mask) -> bool:
    """Say whether all ink crosses the image from border to border, as printed lines do."""
    found = parts.find(solid)
    spans = found.boxes[:, 2:] - found.boxes[:, :2] == solid.shape[::-1]
    if found.areas[~spans.any(1)].sum() > LEFT * solid.size:
        return False
    runs = [
        np.count_nonzero(np.diff(np.pad(side.astype(np.int8), 1)) == 1) for side in _sides(solid)
    ]
    return bool(np.count_nonzero(spans.any(1)) > 1 or min(runs) >= RUNS)


def _stretched(ink: Array, wanted: float, low: float, high: float) -> Array:
    """Stretch ink from a level of paper, half-way to strokes at most, to the level of strokes."""
    paper = min(wanted, (low + high) / 2)
    return np.asarray(np.clip((ink - paper) / (high - paper), 0, 1), np.float32)


def _threshold(ink: Array) -> float:
    """Find Otsu's threshold, which makes the two classes most unlike each other."""
    counts, edges = np.histogram(ink, bins=256, range=(0, 1))
    centres = (edges[:-1] + edges[1:]) / 2
    below, total = np.cumsum(counts), np.cumsum(counts * centres)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (total[-1] * below / below[-1] - total) ** 2 / (below * above)
    return float(centres[int(np.nanargmax(np.where(below * above > 0, between, 0)))])


def _printed(ink: Array, paper: float, strokes: Array) -> tuple[float, float] | None:
    """Find how dark printed lines are, and how dark strokes are; None where no line is printed.

    Printed lines cross the paper from border to border; strokes are darker, and touch none.

    Args:
        ink: (H, W) in [0, 1].
        paper: What is no darker is plain paper.
        strokes: What Otsu's threshold takes for strokes; lines may be among them.
    """
    darkest = median(strokes[strokes > _threshold(strokes)]) if np.ptp(strokes) > 0 else strokes[0]
    limit = paper + PRINTED * (float(darkest) - paper)
    sides = _sides(ink)
    if limit <= paper or max(float(side.max()) for side in sides) > limit:
        return None
    crossed = [bool((side > paper + 1 / 255).any()) for side in sides]
    if not (crossed[0] and crossed[1]) and not (crossed[2] and crossed[3]):
        return None
    lines = max(float(side.max()) for side in sides)
    written = strokes[strokes > limit]
    return (lines, median(written)) if len(written) >= LEFT * ink.size else None
