"""Glyphs are spaced by their ink: a moved glyph keeps its source's paper on either side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Integers
from vce_models.fonts import scripts
from vce_models.fonts.family import MasterGlyph, Places
from vce_models.fonts.raster import crossings

LINES = 60
"""Heights at which a glyph's profile is measured."""

DEEP = 0.10
"""How far a profile reaches behind its foremost point at most, in ems."""

Numbers = NDArray[np.float64]


def profiles(starts: Places, ends: Places, em: float) -> tuple[Numbers, Numbers]:
    """Find the mean places of the left and of the right edge of the ink.

    Args:
        starts: Where the edges of outlines start, (masters, n, 2); italic hands made upright.
        ends: Where these edges end, (masters, n, 2).
        em: Font units of the em.

    Returns:
        Left and right, (masters,) each, in font units.
    """
    low, high = starts[..., 1].min(1), starts[..., 1].max(1)
    heights = low[:, None] + (high - low)[:, None] * ((np.arange(LINES) + 0.5) / LINES)
    x, sign = crossings(starts, ends, heights)
    crossed = sign != 0
    left = np.where(crossed, x, np.inf).min(2)
    right = np.where(crossed, x, -np.inf).max(2)
    first, last = starts[..., 0].min(1), starts[..., 0].max(1)
    left = np.clip(left, first[:, None], first[:, None] + DEEP * em).mean(1)
    right = np.clip(right, last[:, None] - DEEP * em, last[:, None]).mean(1)
    return left, right


def upright(places: Places, linear: Places) -> Places:
    """Take each hand's slant out of places, (masters, n, 2)."""
    slant = linear[:, 0, 1] / linear[:, 1, 1]
    return np.stack((places[..., 0] - slant[:, None] * places[..., 1], places[..., 1]), -1)


def space(
    starts: Places, ends: Places, advance: int, linear: Places, em: float
) -> tuple[Numbers, Integers]:
    """Shift a glyph and change its advance so that each hand keeps the source's bearings.

    Args:
        starts: Where the edges of outlines start, (masters, n, 2), the source first.
        ends: Where these edges end, (masters, n, 2).
        advance: The source's advance, in font units. Where it is 0, as for a mark, it stays 0.
        linear: The hands' linear maps, (masters, 2, 2), which widen bearings like all else.
        em: Font units of the em.

    Returns:
        What to add to every x, and the advances; whole font units, (masters,) each.
    """
    starts, ends = upright(starts, linear), upright(ends, linear)
    left, right = profiles(starts, ends, em)
    wide = linear[:, 0, 0]
    if advance <= 0:  # a mark is placed by its anchors, or by where it overhangs
        centre = (left + right) / 2
        return np.rint(wide * centre[0] - centre), np.zeros(len(left), np.int64)
    shift = np.rint(wide * left[0] - left)
    advances = right + shift + wide * (advance - right[0])
    return shift, np.maximum(np.rint(advances), 0).astype(np.int64)


def even(
    glyphs: dict[str, MasterGlyph],
    advances: Mapping[str, int],
    points: Mapping[str, int],
    *,
    fixed: bool,
) -> dict[str, MasterGlyph]:
    """Keep widths equal that are equal in the source: of monospaced fonts, and of figures.

    Args:
        glyphs: The moved glyphs, by name.
        advances: The source's advance widths, by name.
        points: The character that each glyph stands for, by name.
        fixed: Whether the font says of itself that it is monospaced. Otherwise many letters of
            one width say so; a few may have one by chance.
    """
    letters = [name for name in glyphs if points.get(name) in scripts.LATIN]
    if fixed and not letters:
        letters = [name for name in glyphs if advances[name] > 0]
    widths = {advances[name] for name in letters}
    if len(widths) == 1 and widths != {0} and (fixed or len(letters) >= scripts.ENOUGH):
        (cell,) = widths
        mean = _mean(glyphs, letters)
        cells = {n: advances[n] // cell for n in glyphs if advances[n] % cell == 0}
        return _widened(glyphs, {name: mean * number for name, number in cells.items()})
    figures: dict[int, list[str]] = {}
    for name in glyphs:
        if points.get(name) in scripts.FIGURES:
            figures.setdefault(advances[name], []).append(name)
    for group in figures.values():
        if len({points[name] for name in group}) == len(scripts.FIGURES):
            mean = _mean(glyphs, group)
            glyphs = _widened(glyphs, dict.fromkeys(group, mean))
    return glyphs


def _mean(glyphs: Mapping[str, MasterGlyph], names: Sequence[str]) -> Integers:
    widths = np.mean([glyphs[name].advances for name in names], axis=0)
    return np.asarray(np.rint(widths), np.int64)


def _widened(
    glyphs: dict[str, MasterGlyph], widths: Mapping[str, Integers]
) -> dict[str, MasterGlyph]:
    """Give some glyphs other widths, half of the difference on either side of their ink.

    Where a glyph is made of others, its parts are shifted by as much less as these are.

    Args:
        glyphs: All glyphs, by name.
        widths: The new advance widths of some, (masters,) each.
    """
    by = {
        name: np.stack((shift := (wide - glyphs[name].advances) // 2, 0 * shift), -1)
        for name, wide in widths.items()
    }

    def widened(name: str, glyph: MasterGlyph) -> MasterGlyph:
        own = by.get(name, 0)
        parts = tuple((part, offset + own - by.get(part, 0)) for part, offset in glyph.parts)
        if name not in by:
            return replace(glyph, parts=parts)
        shift = by[name][:, None]
        contours = tuple(tuple(curve + shift for curve in contour) for contour in glyph.contours)
        return MasterGlyph(contours, widths[name], lambda at: glyph.move(at) + shift, parts)

    return {name: widened(name, glyph) for name, glyph in glyphs.items()}
