"""Moved glyphs that look like another glyph are found: no hand turns a character into another.

Every glyph of a hand is compared, as a small blurred picture, with all glyphs of the font as the
hand's linear map alone moves them, its own among them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from vce_models.arrays import Array, Mask
from vce_models.fonts.crossings import flatten
from vce_models.fonts.family import MasterGlyph, Places
from vce_models.fonts.raster import fill

SIDE, LINES = 32, 3
"""Pixels a side of the pictures, and lines of ink that are measured across a pixel."""

BELOW, HEIGHT = 0.35, 1.5
"""How far below the baseline the pictures begin, and how high they are, in ems."""

TWIN = 0.05
"""Glyphs that differ by less, as a share of their ink, show one shape, as A and Alpha do."""


BAND = 512
"""Glyphs that are compared with all others at once, so that memory is in proportion to those."""


def confused(
    glyphs: Mapping[str, MasterGlyph],
    names: Sequence[str],
    doubtful: Collection[str],
    masters: Places,
    em: float,
) -> dict[str, Mask]:
    """Find glyphs that are nearer to another glyph of the font than to their own.

    Args:
        glyphs: All glyphs that were moved, by name.
        names: The glyphs that may be mistaken for each other.
        doubtful: The glyphs among these that are examined.
        masters: The linear maps of the source and of every hand, (masters, 2, 2).
        em: Font units of the em.

    Returns:
        For each glyph that is nearer to another in some hand: in which hands, (hands,).
    """
    shapes = {name: shape for name in names if (shape := flatten(glyphs[name].contours))}
    asked = {name: at for at, name in enumerate(shapes) if name in doubtful}
    order = list(asked.values())
    found = np.zeros((len(asked), len(masters) - 1), bool)
    for hand in range(1, len(masters)):
        linear = masters[hand]
        own = _pictures([[p[0] @ linear.T for p in shape] for shape in shapes.values()], em)
        moved = _pictures([[p[hand] for p in shapes[name]] for name in asked], em)
        for first in range(0, len(order), BAND):
            some = order[first : first + BAND]
            near = _distances(moved[first : first + BAND], own)
            twins = _distances(own[some], own) < TWIN * (own**2).sum(1)
            itself = near[range(len(some)), some]
            near[twins] = np.inf
            found[first : first + BAND, hand - 1] = near.min(1, initial=np.inf) < itself
    return {name: hands for name, hands in zip(asked, found, strict=True) if hands.any()}


def _pictures(shapes: Sequence[Sequence[Places]], em: float) -> Array:
    """Render blurred pictures of closed polygons in font units, centred, (n, pixels)."""
    scale = SIDE / (HEIGHT * em)
    pictures = np.empty((len(shapes), SIDE, SIDE), np.float32)
    for picture, polygons in zip(pictures, shapes, strict=True):
        across = np.concatenate([polygon[:, 0] for polygon in polygons])
        middle = (across.min() + across.max()) / 2
        placed = [
            np.stack(
                (
                    (polygon[:, 0] - middle) * scale + SIDE / 2,
                    SIDE - (polygon[:, 1] + BELOW * em) * scale,
                ),
                1,
            )
            for polygon in polygons
        ]
        picture[:] = fill(placed, SIDE, LINES)
    for axis in (1, 2):
        pictures += (np.roll(pictures, 1, axis) + np.roll(pictures, -1, axis)) / 2
    return np.asarray(pictures.reshape(len(shapes), SIDE * SIDE), np.float32)


def _distances(these: Array, those: Array) -> Array:
    """Compute squared distances, (these, those)."""
    squares = (these**2).sum(1)[:, None] + (those**2).sum(1)
    return np.asarray(np.maximum(squares - 2 * these @ those.T, 0))
