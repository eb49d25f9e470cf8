"""Outlines become quadratic, as TrueType has them, with the same points in every master."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy as np

from vce_models.arrays import Integers, Mask
from vce_models.fonts.family import Family, Places

TOLERANCE = 0.001
"""How far a quadratic curve may leave the cubic one, in ems."""

IMPLIED = 0.5
"""TrueType assumes a point halfway between two control points. A point that is no farther than
this from halfway, in font units and in every master, is left out."""


@dataclass(frozen=True, eq=False)
class Outline:
    """The points of one glyph, contour after contour.

    Outside contours run clockwise, as TrueType has them.

    Attributes:
        places: (masters, points, 2), whole font units.
        on: (points,), whether the curve passes through a point; it is a control point if not.
        ends: The index of each contour's last point.
    """

    places: Integers
    on: Mask
    ends: tuple[int, ...]


@lru_cache(maxsize=1)  # the fonts of one family are written one after the other
def outlines(family: Family) -> dict[str, Outline]:
    """Convert every glyph of a family that has ink."""
    from fontTools.ttLib import TTFont

    with TTFont(BytesIO(family.source), lazy=True) as font:
        em = font["head"].unitsPerEm
    return {
        name: converted(glyph.contours, em)
        for name, glyph in family.glyphs.items()
        if any(glyph.contours)
    }


def converted(contours: tuple[tuple[Places, ...], ...], em: float) -> Outline:
    """Convert the contours of one glyph with ink, all masters together.

    Args:
        contours: Their segments, as `MasterGlyph` has them.
        em: Font units of the em.

    Raises:
        fontTools.cu2qu.errors.ApproxNotFoundError: A hundred curves do not come so near.
    """
    made = [_contour(contour, TOLERANCE * em) for contour in contours if contour]
    ends = np.cumsum([len(on) for _, on in made]) - 1
    return Outline(
        np.concatenate([places for places, _ in made], axis=1),
        np.concatenate([on for _, on in made]),
        tuple(ends.tolist()),
    )


def _contour(segments: tuple[Places, ...], tolerance: float) -> tuple[Integers, Mask]:
    """Convert one contour and turn it round: its points, (masters, n, 2), and which are on it."""
    splines = [_quadratic(segment, tolerance)[:, :-1] for segment in segments]
    on = np.concatenate([np.arange(spline.shape[1]) == 0 for spline in splines])
    places = np.floor(np.concatenate(splines, axis=1) + 0.5).astype(np.int64)
    order = np.r_[0, len(on) - 1 : 0 : -1]  # the first point stays the first
    places, on = places[:, order], on[order]
    middles = (np.roll(places, 1, axis=1) + np.roll(places, -1, axis=1)) / 2
    implied = (np.abs(places - middles) <= IMPLIED).all((0, 2))
    implied &= on & ~np.roll(on, 1) & ~np.roll(on, -1)
    implied[0] = False  # some programs want a contour to begin on the curve
    return places[:, ~implied], on[~implied]


def _quadratic(segment: Places, tolerance: float) -> Places:
    """Return a line as it is, or the control polygon (masters, k, 2) of splines for a cubic."""
    if segment.shape[1] == 2:
        return segment
    from fontTools.cu2qu import curves_to_quadratic

    return np.array(curves_to_quadratic(segment.tolist(), [tolerance] * len(segment)))
