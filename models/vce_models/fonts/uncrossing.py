"""Moved outlines fitted so that they cross themselves nowhere where the source's do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vce_models.fonts import crossings, evenness, fitting, hands, nodes
from vce_models.fonts.corrections import Numbers
from vce_models.fonts.family import Places

WEAKER, TRIES = 0.5, 3
"""What is left of a glyph's own at each try to keep its outline from crossing itself."""

KEPT = (0.75, 0.5, 0.25, 0.0)
"""What is left then, one after the other, of what makes it differ from an affine map."""


def uncrossed(
    maps: hands.Maps, em: float, norm: evenness.Norm | None
) -> tuple[hands.Maps, tuple[tuple[Places, ...], ...]]:
    """Fit the moved outline, with as much of the glyph's own as does not make it cross itself.

    Where none of its own does not help, strokes keep less of their width, down to an affine
    map of the source's curves, which cross where those do.

    Args:
        maps: The glyph's maps.
        em: Font units.
        norm: What the letters of the font have in common, as of `hands.outline`.

    Returns:
        The maps, weakened where need be, and the contours, as of `MasterGlyph`.
    """
    source = maps.source
    for left in range(TRIES, -1, -1):
        masters = np.concatenate((source.samples.places[None], hands.outline(maps, norm)))
        fitted = fitting.fit(source.samples, masters, em)
        contours = nodes.settle(fitted)
        worse = crossings.more(contours)
        if not worse.any():
            return maps, contours
        share = maps.share.copy()
        share[worse] *= WEAKER if left > 1 else 0
        maps = replace(maps, share=share)
    kept = np.ones(len(worse))
    for part in KEPT:
        kept[worse] = part
        contours = nodes.settle(_towards_affine(fitted, maps, kept))
        worse = crossings.more(contours)
    return maps, contours


def _towards_affine(
    contours: tuple[tuple[Places, ...], ...], maps: hands.Maps, kept: Numbers
) -> tuple[tuple[Places, ...], ...]:
    """Contours between affine maps of the source's, 0, and as they are, 1; by hand, (hands,)."""
    share = kept[:, None, None]

    def moved(curve: Places) -> Places:
        affine = curve[0] @ maps.linear.transpose(0, 2, 1) + maps.offset[:, None]
        return np.concatenate((curve[:1], share * curve[1:] + (1 - share) * affine))

    return tuple(tuple(map(moved, contour)) for contour in contours)
