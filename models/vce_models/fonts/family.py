"""What hands make of a font: every glyph's outline in every master, with the same points.

Master 0 is the source; master k is the k-th hand. Because their points agree, all of them can
live in one variable font.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Integers

Places = NDArray[np.float64]
"""Points in font units, y up: (..., 2)."""


@dataclass(frozen=True, eq=False)
class MasterGlyph:
    """One glyph in every master.

    Attributes:
        contours: For each contour its segments, each (masters, 2, 2) for a line or
            (masters, 4, 2) for a cubic; a segment begins where the one before ends, and the
            last ends where the first begins. In font units, bearings included. Outside
            contours run as PostScript has them, counter-clockwise.
        advances: Advance width in each master, (masters,), whole font units.
        move: Maps places of the source glyph, (n, 2), to every master, (masters, n, 2). It also
            moves what is attached to a glyph, such as the anchors of marks.
        parts: The glyphs that it is made of, and how far each is shifted, (masters, 2), in whole
            font units; none where it has an outline of its own.
    """

    contours: tuple[tuple[Places, ...], ...]
    advances: Integers
    move: Callable[[Places], Places]
    parts: tuple[tuple[str, Places], ...] = ()


class Weakened(NamedTuple):
    """A note of a glyph that keeps less of its own in a hand than was asked for.

    Attributes:
        name: The glyph's name.
        hand: Which hand, counted from 1.
        why: What the glyph would do otherwise.
    """

    name: str
    hand: int
    why: str


@dataclass(frozen=True, eq=False)
class Family:
    """A font and its hands.

    Attributes:
        source: The source as a font file (sfnt, TrueType or CFF outlines, one instance), cut
            to the glyphs that are wanted. Every font that is written is an edited copy of it.
        glyphs: The glyphs, by the names that fontTools gives those of `source`.
        hands: How many hands there are, one less than masters.
        linear: The linear map that moves all glyphs in each master, (masters, 2, 2); the
            identity in master 0.
        weakened: Which glyphs keep less of their own, in which hands, and why.
    """

    source: bytes
    glyphs: dict[str, MasterGlyph]
    hands: int
    linear: Places
    weakened: tuple[Weakened, ...] = ()
