"""Paper is found in images whose values alone do not say which pixels are paper."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from vce_models.arrays import Array, Mask
from vce_models.glyphs import parts
from vce_models.glyphs.photos import LEFT, Polarity, median

Points = NDArray[np.float64]
"""Places in pixels, x first, (n, 2)."""

TOPS = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""The values of white for images of 1, 8, 10, 12, 14 and 16 bits, in files of 16 and 32 bits."""

PAGE = 0.7
"""No drawing covers more than this share of an image; a page on something dark does."""

SHEET, MARKED = 0.12, 0.35
"""A sheet covers at least the first share of an image, and what is written on it at most the second
share of the sheet."""

STRAIGHT = 0.95
"""A sheet's outline has at least this share of its convex hull, and of that the largest
quadrilateral has as much. Of a disc's it has 0.64."""

COARSE = 256
"""Longest side on which a sheet is looked for, in pixels. Three corners of its hull are compared at
a time, and a large hull would have a thousand."""

EDGE = 0.6
"""Ink along more than this share of a side of an image is a scanner's edge, and no glyph's."""


def light(image: Image.Image, polarity: Polarity) -> Array:
    """Return the light of an image of mode L, LA, I or F, (H, W) in [0, 1], without transparency.

    Transparent pixels become paper. Where a page has transparent margins, it is the page's
    paper; where strokes stand on nothing, it is a paper from which they stand out.
    """
    if image.mode != "LA":
        return _of_numbers(np.asarray(image, np.float32))
    values, alpha = np.moveaxis(np.asarray(image, np.float32) / 255, 2, 0)
    if alpha.min(initial=1) == 1:
        return np.asarray(values, np.float32)
    if polarity == "auto":
        page = _page(values, alpha)
        opaque = float((values * alpha).sum() / max(float(alpha.sum()), 1e-6))
        paper = page if page is not None else float(opaque < 0.5)
    else:
        paper = float(polarity == "dark")
    return np.asarray(values * alpha + paper * (1 - alpha), np.float32)


def _of_numbers(values: Array) -> Array:
    """Scale whole numbers of any depth, or floats, so that white is 1."""
    known = np.isfinite(values)
    if not known.all():
        middle = median(values[known]) if known.any() else 0.0
        values = np.where(known, values, np.float32(middle))
    values = values - min(0.0, float(values.min(initial=0)))
    highest = float(values.max(initial=0))
    white = next((top for top in TOPS if highest <= top), highest)
    if 1 < highest < 2:  # a filter has led floats beyond 1
        white = highest
    return np.asarray(values / np.float32(white), np.float32)


def _page(values: Array, alpha: Array) -> float | None:
    """Find the paper of a page with transparent margins; None where ink stands on nothing.

    A page has one colour along its edge, and something else on it.
    """
    opaque = _shrunk(alpha >= 0.5)
    edge = opaque & ~_shrunk(_shrunk(opaque))
    if not edge.any():
        return None
    paper = median(values[edge])
    if np.mean(np.abs(values[edge] - paper) < 0.1) < 0.85:
        return None
    written = np.mean(np.abs(values[opaque] - paper) > 0.25)
    return paper if written >= LEFT else None


def _shrunk(mask: Mask) -> Mask:
    """Remove from a mask the pixels beside its edge; the border of the image is an edge, too."""
    padded = np.pad(mask, 1)
    inner = padded[1:-1, 1:-1] & padded[:-2, 1:-1] & padded[2:, 1:-1]
    return np.asarray(inner & padded[1:-1, :-2] & padded[1:-1, 2:])


def cleared(ink: Array, polarity: Polarity) -> Array:
    """Remove what lies around the page from ink, (H, W) in [0, 1].

    Ink is inverted where a page lies on a dark ground, since its border says that the page is the
    ink: where it covers most of the image, or is a sheet with four straight edges. Strips and
    corners along the border are removed if what is left touches no border.
    """
    if polarity == "auto" and (np.mean(ink >= 0.5) > PAGE or _is_sheet(ink >= 0.5)):
        turned = 1 - ink
        found = parts.find(turned >= 0.5)
        inside = ~found.touching()
        if found.areas[inside].sum() >= LEFT * ink.size:
            return _without(turned, found.mask(~inside))
    around = _around(ink >= 0.5)
    return ink if around is None else _without(ink, around)


def _is_sheet(solid: Mask) -> bool:
    """Say whether the largest part of ink is a sheet that something is written on."""
    if np.mean(solid) < SHEET:
        return False
    step = -(-max(solid.shape) // COARSE)
    solid = solid[::step, ::step]
    found = parts.find(solid)
    largest = found.mask(np.arange(len(found.areas)) == found.areas.argmax())
    (rows,) = np.nonzero(largest.any(1))
    left = largest[rows].argmax(1)
    right = largest.shape[1] - largest[rows, ::-1].argmax(1)
    filled = (right - left).sum()
    written = 1 - found.areas.max() / filled
    if filled < SHEET * solid.size or not 0 < written < MARKED:
        return False
    sides = [np.stack((x, rows + down), 1) for x in (left, right) for down in (0, 1)]
    hull = _hull(np.concatenate(sides))
    return filled >= STRAIGHT * _area(hull) and _quadrilateral(hull) >= STRAIGHT * _area(hull)


def _hull(points: Points) -> Points:
    """Return the corners of the convex hull of points, (n, 2), counter-clockwise."""
    ordered = points[np.lexsort((points[:, 1], points[:, 0]))].tolist()
    halves = []
    for half in (ordered, ordered[::-1]):
        chain: list[list[float]] = []
        for x, y in half:
            while len(chain) > 1:
                (a, b), (c, d) = chain[-2:]
                if (c - a) * (y - b) - (d - b) * (x - a) > 0:
                    break
                chain.pop()
            chain.append([x, y])
        halves += chain[:-1]
    return np.array(halves, float)


def _area(corners: Points) -> float:
    x, y = corners.T
    return float(abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2)


def _quadrilateral(hull: Points) -> float:
    """Find the area of the largest quadrilateral whose corners are some of the hull's."""
    ways = hull - hull[:, None]
    sides = ways[:, :, None, 0] * ways[:, None, :, 1] - ways[:, :, None, 1] * ways[:, None, :, 0]
    return float((sides.max(2) - sides.min(2)).max() / 2)


def _around(solid: Mask) -> Mask | None:
    """Find parts in a corner, or along most of a side, that stay out of the middle.

    The result is None where there are none. It is None, too, where these parts may be the glyph:
    nothing else is there, or all else touches the border as well.
    """
    height, width = solid.shape
    sides = [np.zeros_like(solid) for _ in range(4)]
    for side, at in zip(sides, ((0,), (-1,), (slice(None), 0), (slice(None), -1)), strict=True):
        side[at] = True
    filled = [side for side in sides if solid[side].mean() >= EDGE]
    corners = [(row, column) for row in (0, -1) for column in (0, -1) if solid[row, column]]
    if not corners and not filled:
        return None
    found = parts.find(solid)
    beside = np.zeros(len(found.areas), np.bool_)
    for row, column in corners:
        beside |= found.at(row % height, column % width)
    for side in filled:
        beside |= found.inside(side) >= EDGE * side.sum()
    middle = np.zeros_like(solid)
    middle[height // 4 : -height // 4, width // 4 : -width // 4] = True
    beside &= found.inside(middle) == 0
    left = ~beside & (found.areas >= 0.01 * found.areas[~beside].max(initial=0))
    kept = found.areas[left].sum() >= LEFT * solid.size and not found.touching()[left].any()
    return found.mask(beside) if kept and beside.any() else None


def _without(ink: Array, mask: Mask) -> Array:
    """Remove a mask, and the soft edge around it, from ink."""
    around = np.asarray(Image.fromarray(mask).convert("L").filter(ImageFilter.MaxFilter(5))) > 0
    return np.where(around, np.float32(0), ink)
