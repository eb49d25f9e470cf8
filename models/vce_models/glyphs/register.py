"""A template's page is found in a scan or a photo, and its bands say which page it is."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from vce_models.arrays import Array, Integers, Mask
from vce_models.errors import InputError
from vce_models.glyphs import barcode, parts
from vce_models.glyphs.barcode import Page
from vce_models.glyphs.parts import Parts
from vce_models.glyphs.template import DOT, LAYOUTS, Layout, Points

LOOKED_AT, SMALL = 2000, 1200
"""Longest sides in pixels: of an image that is searched for rings, and of one that is enlarged."""

LEAST = 3
"""How many of a page's four rings an image has to show."""

SMALLEST = 400
"""Least shorter side of an image that may show a page, in pixels."""

DARKER = (0.85, 0.6)
"""A pixel is dark if it has at most this share of the light around it. The second share is for
blurred photos, where by the first ring and disc run together."""

RINGS = 8
"""How many rings are tried at most, the largest first."""

ALIKE = 4.0
"""Greatest ratio of a page's rings; perspective makes far ones smaller."""

DISTANT = 6.0
"""Least distance between two rings of a page, in diameters of the larger."""

SPREAD = 0.08
"""Least area of the parallelogram of three rings without the fourth, as a share of the image."""

STEP = 0.15
"""Distance between two samples around a dot, in millimetres."""

FITS = ((1, 2.4), (2, 1.8), (3, 1.2))
"""Passes that fit a page's bend: degree of the polynomial, and how far dots are searched, in mm."""


MOST = 1000
"""How many rings, and how many discs, are compared with each other at most."""


class Rings(NamedTuple):
    """Rings that were found, as shares of the image's longest side.

    Attributes:
        centres: Their centres, (N, 2).
        sizes: Their diameters, (N,).
    """

    centres: Points
    sizes: Points


class Registered(NamedTuple):
    """A page that was found.

    Attributes:
        page: What its bands say.
        layout: Where everything lies on it.
        homography: Maps millimetres from the page's middle to pixels, (3, 3).
        bend: Coefficients of the polynomial, in pixels, that lens and curled paper add, (K, 2).
        fineness: Pixels to a millimetre, in the page's middle.
    """

    page: Page
    layout: Layout
    homography: Points
    bend: Points
    fineness: float

    def pixels(self, points: Points) -> Points:
        """Return the pixels, (..., 2), at which points of the page, (..., 2) millimetres, are."""
        return _pixels(points, self.layout, self.homography, self.bend)


def register(light: Array, rings: Rings, name: str) -> Registered | None:
    """Find a template's page in an image; None where there is none.

    Args:
        light: The image, (H, W) in [0, 1]; paper is light.
        rings: What `find_rings` found in it.
        name: How errors call the image.

    Raises:
        InputError: A ring is hidden, or the page's bands cannot be read.
    """
    centres, sizes = (lengths * max(light.shape) for lengths in rings)
    for corners in (fours := _quadrilaterals(centres, sizes)):
        for layout in LAYOUTS.values():
            for turn in range(4):
                found = _read(light, layout, np.roll(corners, turn, axis=0))
                if found is not None:
                    return found
    if fours:
        raise InputError(
            f"{name} shows a template's four rings, but its bands cannot be read",
            hint="lay the page flat, in even light, and fill the picture with it",
        )
    if len(centres) == 3 and _three(centres, sizes, light.size):
        raise InputError(
            f"{name} shows three of a template's four rings",
            hint="scan or photograph the whole page, sharply, with nothing upon its corners",
        )
    return None


def interpolate(light: Array, points: Points) -> Array:
    """Interpolate an image, (H, W), at points in pixels, (..., 2); its edge goes on beyond it."""
    height, width = light.shape
    x = np.clip(points[..., 0] - 0.5, 0, width - 1.001).astype(np.float32)
    y = np.clip(points[..., 1] - 0.5, 0, height - 1.001).astype(np.float32)
    left, top = x.astype(np.int32), y.astype(np.int32)
    x -= left
    y -= top
    at = top * width + left
    values = light.reshape(-1)
    upper = values[at] * (1 - x) + values[at + 1] * x
    lower = values[at + width] * (1 - x) + values[at + width + 1] * x
    return np.asarray(upper * (1 - y) + lower * y, np.float32)


def find_rings(light: Array, *, enlarge: bool) -> Rings:
    """Find dark rings around dark discs, the largest first.

    Args:
        light: The image, (H, W) in [0, 1], `LOOKED_AT` a side at most; paper is light.
        enlarge: Whether to search at twice the size.
    """
    picture = Image.fromarray(np.rint(light * 255).astype(np.uint8))
    if enlarge:
        picture = picture.resize((2 * picture.width, 2 * picture.height))
    values = np.asarray(picture, np.float32)
    around = np.asarray(picture.filter(ImageFilter.BoxBlur(max(picture.size) / 40)), np.float32)
    centres, sizes = np.empty((0, 2)), np.empty(0)
    for share in DARKER:
        more, larger = _nested(parts.find(values < share * around))
        for centre, size in zip(more, larger, strict=True):
            if not (np.linalg.norm(centres - centre, axis=1) < size / 2).any():
                centres, sizes = np.vstack((centres, centre)), np.append(sizes, size)
        if len(centres) in (0, 4):
            break
    order = np.argsort(-sizes, kind="stable")[:RINGS]
    longest = max(picture.size)
    return Rings(centres[order] / longest, sizes[order] / longest)


def _nested(found: Parts) -> tuple[Points, Points]:
    """Find discs in the middle of rings of seven thirds their size: centres, ring diameters."""
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    filled = found.areas / np.maximum(sides.prod(1), 1)
    wide = sides.max(1) <= 3 * sides.min(1)
    discs = _largest(np.flatnonzero(wide & (sides.min(1) >= 3) & (filled > 0.45)), sides)
    rings = _largest(np.flatnonzero(wide & (sides.min(1) >= 9) & (filled < 0.7)), sides)
    # (rings, discs)
    apart = np.linalg.norm(found.centres[rings, None] - found.centres[None, discs], axis=2)
    larger = sides[rings, None] / sides[None, discs]
    fuller = found.areas[None, discs] / found.areas[rings, None]
    fits = (apart < 0.12 * sides[rings].max(1)[:, None]) & (larger > 1.6).all(2)
    fits &= (larger < 3.4).all(2) & (fuller > 0.15) & (fuller < 0.9)
    outer, inner = np.nonzero(fits)
    return found.centres[discs[inner]], sides[rings[outer]].max(1).astype(np.float64)


def _largest(chosen: Integers, sides: Integers) -> Integers:
    """Keep the `MOST` largest parts in their order, since noise would have billions of pairs."""
    order = np.argsort(-sides[chosen].max(1), kind="stable")
    return np.sort(chosen[order[:MOST]])


def _quadrilaterals(centres: Points, sizes: Points) -> list[Points]:
    """List fours of rings of similar size that stand clockwise and convex, the largest first."""
    found = []
    for chosen in combinations(range(len(centres)), 4):
        four, size = centres[list(chosen)], sizes[list(chosen)]
        middle = four - four.mean(0)
        corners = four[np.argsort(np.arctan2(middle[:, 1], middle[:, 0]))]
        sides = np.roll(corners, -1, axis=0) - corners
        turns = _cross(sides, np.roll(sides, -1, axis=0))
        if _apart(four, size) and size.max() <= ALIKE * size.min() and (turns > 0).all():
            found.append((float(_cross(corners, np.roll(corners, -1, axis=0)).sum()), corners))
    return [corners for _, corners in sorted(found, key=lambda one: -one[0])]


def _three(centres: Points, sizes: Points, pixels: int) -> bool:
    """Say whether three rings may be those of a page whose fourth ring is hidden."""
    sides = np.roll(centres, -1, axis=0) - centres
    spread = abs(float(_cross(sides[0], sides[1])))
    alike = sizes.max() <= ALIKE * sizes.min()
    return bool(alike and _apart(centres, sizes) and spread >= SPREAD * pixels)


def _apart(centres: Points, sizes: Points) -> bool:
    """Say whether every two rings are as far apart as those of a page."""
    return all(
        float(np.linalg.norm(centres[i] - centres[j])) >= DISTANT * max(sizes[i], sizes[j])
        for i, j in combinations(range(len(sizes)), 2)
    )


def _cross(one: Points, other: Points) -> Points:
    """Return the cross products of vectors, (...,) of (..., 2)."""
    return np.asarray(one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0])


def _read(light: Array, layout: Layout, corners: Points) -> Registered | None:
    """Read the page whose rings are at these pixels, (4, 2), its own upper left one first."""
    homography = _homography(layout.markers() - _middle(layout), corners)
    bend = _bend(light, layout, homography)
    if bend is None:
        return None
    page = _decoded(interpolate(light, _pixels(_cells(layout), layout, homography, bend)))
    if page is None or page.paper != layout.paper:
        return None
    area = _cross(corners, np.roll(corners, -1, axis=0)).sum() / 2
    width, height = np.ptp(layout.markers(), axis=0)
    return Registered(page, layout, homography, bend, float(np.sqrt(area / (width * height))))


def _homography(points: Points, pixels: Points) -> Points:
    """Find the projective map that takes four points to four pixels, (3, 3).

    This is direct linear transformation (Hartley and Zisserman 2004, section 4.1).
    """
    rows = []
    for (x, y), (u, v) in zip(points, pixels, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    solved = np.linalg.solve(np.array(rows), pixels.reshape(-1))
    return np.append(solved, 1.0).reshape(3, 3)


def _pixels(points: Points, layout: Layout, homography: Points, bend: Points) -> Points:
    """Do what `Registered.pixels` does, while the page is still being found."""
    flat = points - _middle(layout)
    seen = flat @ homography[:, :2].T + homography[:, 2]
    return np.asarray(seen[..., :2] / seen[..., 2:] + _powers(flat / 100, len(bend)) @ bend)


def _middle(layout: Layout) -> Points:
    """Return the page's middle in millimetres, (2,)."""
    return np.array([layout.width, layout.height]) / 2


def _powers(points: Points, count: int) -> Points:
    """Compute the first terms 1, x, y, x^2, x y, y^2, ... of a polynomial, (..., count)."""
    powers = np.ones((4, *points.shape))
    for degree in (1, 2, 3):  # repeated products are ten times as fast as **
        powers[degree] = powers[degree - 1] * points
    x, y = powers[..., 0], powers[..., 1]
    terms = [x[degree - k] * y[k] for degree in range(4) for k in range(degree + 1)]
    return np.stack(terms[:count], -1)


def _bend(light: Array, layout: Layout, homography: Points) -> Points | None:
    """Fit what moves the page's dots to where they are seen, (K, 2); None where few are seen."""
    dots = layout.dots()
    points = np.concatenate((dots, layout.markers()))
    terms = (points - _middle(layout)) / 100
    bend = np.zeros((1, 2))
    for degree, reach in FITS:
        seen, shown = _dots_near(light, layout, homography, bend, reach)
        if np.count_nonzero(shown) < len(dots) / 2:
            return None
        marks = _pixels(layout.markers(), layout, homography, np.zeros((1, 2)))
        target = np.concatenate((seen, marks)) - _pixels(
            points, layout, homography, np.zeros((1, 2))
        )
        used = np.append(shown, np.ones(len(marks), np.bool_))
        powers = _powers(terms, (degree + 1) * (degree + 2) // 2)
        for _ in range(3):  # ink that lies near a dot, and is none, is left out
            bend = np.linalg.lstsq(powers[used], target[used], rcond=None)[0]
            error = np.linalg.norm(powers @ bend - target, axis=1)
            used &= error <= max(4 * float(np.median(error[used])), 0.5)
    return bend


def _dots_near(
    light: Array, layout: Layout, homography: Points, bend: Points, reach: float
) -> tuple[Points, Mask]:
    """Find the pixels of the page's dots, (N, 2), and whether each dot is there, (N,)."""
    dots = layout.dots()
    steps = np.arange(-reach - DOT, reach + DOT + STEP / 2, STEP)
    offsets = np.stack(np.meshgrid(steps, steps), -1)
    values = interpolate(light, _pixels(dots[:, None, None] + offsets, layout, homography, bend))
    brightest = values.max((1, 2), keepdims=True)
    dark = 1 - values / np.maximum(brightest, 1e-3)
    # A dot is dark on a square of its size, and light around.
    inner, outer = round(DOT / STEP / 2), round(DOT / STEP)
    score = _mean_around(dark, inner)
    score -= np.maximum(_mean_around(dark, outer) - score * 0.25, 0)
    within = np.abs(steps) <= reach
    score = np.where(within[:, None] & within, score, -1)
    best = score.reshape(len(dots), -1).argmax(1)
    at = offsets.reshape(-1, 2)[best]
    for _ in range(2):
        near = np.linalg.norm(offsets - at[:, None, None], axis=3) <= DOT
        weights = np.where(near, np.maximum(dark - 0.25, 0), 0) + 1e-9
        at = np.einsum("nij,nijk->nk", weights, np.broadcast_to(offsets, (*near.shape, 2)))
        at /= weights.sum((1, 2))[:, None]
    shown = score.reshape(len(dots), -1).max(1) > 0.2
    return _pixels(dots + at, layout, homography, bend), shown


def _mean_around(values: Array, radius: int) -> Array:
    """Compute means over squares of 2 radius + 1 samples, of (N, H, W); the edge goes on."""
    padded = np.pad(values, ((0, 0), (radius + 1, radius), (radius + 1, radius)), mode="edge")
    sums = padded.cumsum(1, dtype=np.float64).cumsum(2)
    side = 2 * radius + 1
    total = sums[:, side:, side:] - sums[:, :-side, side:]
    total -= sums[:, side:, :-side] - sums[:, :-side, :-side]
    return np.asarray(total / side**2, np.float32)


def _cells(layout: Layout) -> Points:
    """Place nine points in each cell of the bands, (2, rows, columns, 9, 2)."""
    steps = np.array([-0.25, 0, 0.25])
    offsets: Points = np.stack(np.meshgrid(steps, steps), -1).reshape(9, 2)
    return np.asarray(layout.bands()[..., None, :] + offsets)


def _decoded(values: Array) -> Page | None:
    """Read one band, the other, or both together, from the light at their cells, (2, R, C, 9)."""
    light = values.mean(3)
    window = np.ones(21)
    count = np.convolve(np.ones(light.shape[2]), window, "same")

    def around(cells: Points) -> Points:
        means = cells.mean(1)
        smooth = np.stack([np.convolve(row, window, "same") for row in means])
        return np.asarray(smooth / count)[:, None]

    darker = around(light) - light
    darker = darker / np.sqrt(around(darker**2) + 1e-6)
    for cells in (darker[0], darker[1], darker.sum(0)):
        page = barcode.decode(cells > 0)
        if page is not None:
            return page
    return None
