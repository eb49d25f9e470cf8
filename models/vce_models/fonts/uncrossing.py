"""Moved outlines are weakened until they cross themselves no more often than the source's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vce_models.arrays import Mask
from vce_models.fonts import crossings, evenness, fitting, hands, nodes, nudging
from vce_models.fonts.corrections import Numbers
from vce_models.fonts.family import Places

WEAKER, TRIES = 0.5, 3
"""The share of a glyph's own that is left at each try, and how many tries there are."""

KEPT = (0.75, 0.5, 0.25, 0.0)
"""The shares of a moved outline's difference from an affine map that are tried after that."""


def uncrossed(
    maps: hands.Maps, em: float, norm: evenness.Norm | None
) -> tuple[hands.Maps, tuple[tuple[Places, ...], ...]]:
    """Fit the moved outline, with as much of the glyph's own as does not make it cross itself.

    If it still crosses itself without anything of its own, strokes keep less of their widths,
    down to an affine map of the source's curves, which crosses itself where those do.

    Args:
        maps: The glyph's maps.
        em: Font units of the em.
        norm: What the letters of the font have in common; `hands.outline` takes it.

    Returns:
        The maps, weakened where that was needed, and the contours, as `MasterGlyph` has them.
    """
    source = maps.source
    for left in range(TRIES, -1, -1):
        masters = np.concatenate((source.samples.places[None], hands.outline(maps, norm)))
        fitted = fitting.fit(source.samples, masters, em)
        contours, worse = _nudged(fitted, maps, em)
        if not worse.any():
            return maps, contours
        share = maps.share.copy()
        share[worse] *= WEAKER if left > 1 else 0
        maps = replace(maps, share=share)
    kept = np.ones(len(worse))
    for part in KEPT:
        kept[worse] = part
        contours, worse = _nudged(_towards_affine(fitted, maps, kept), maps, em)
    return maps, contours


def _nudged(
    fitted: tuple[tuple[Places, ...], ...], maps: hands.Maps, em: float
) -> tuple[tuple[tuple[Places, ...], ...], Mask]:
    """Round contours, and say in which hands they cross themselves more often than the source."""
    contours = nodes.settle(fitted)
    crossed = crossings.more(contours, maps.linear, em)
    contours, crossed = nudging.nudged(contours, crossed, maps.linear, em)
    return contours, np.array([len(places) > 0 for places in crossed])


def _towards_affine(
    contours: tuple[tuple[Places, ...], ...], maps: hands.Maps, kept: Numbers
) -> tuple[tuple[Places, ...], ...]:
    """Mix contours with affine maps of the source's: `kept`, (hands,), is the contours' share."""
    share = kept[:, None, None]

    def moved(curve: Places) -> Places:
        affine = curve[0] @ maps.linear.transpose(0, 2, 1) + maps.offset[:, None]
        return np.concatenate((curve[:1], share * curve[1:] + (1 - share) * affine))

    return tuple(tuple(map(moved, contour)) for contour in contours)
