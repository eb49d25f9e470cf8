"""Glyphs made of other glyphs: the e of é is the very e, and goes where e goes.

Found as components where a font has them, and else by outlines that are equal but for a
shift, for characters that Unicode takes apart.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vce_models.fonts.outline import Contour

DOTLESS = {0x69: 0x131, 0x6A: 0x237}
"""i and j lose their dot below another mark."""

NEAR = 2.0
"""Outlines this near to each other are equal, in font units."""


@dataclass(frozen=True)
class Part:
    """A glyph in another.

    Attributes:
        name: The glyph.
        x: How far it is moved, in font units, to the right and
        y: upwards.
    """

    name: str
    x: float
    y: float


def components(glyph: object) -> list[Part] | None:
    """The parts of a composite glyph of `glyf`; None where one is more than moved."""
    found = []
    for component in glyph.components:  # type: ignore[attr-defined]
        scaled = hasattr(component, "transform") or not hasattr(component, "x")
        if scaled:
            return None
        found.append(Part(component.glyphName, float(component.x), float(component.y)))
    return found


def taken_apart(
    point: int,
    contours: Sequence[Contour],
    named: Mapping[int, str],
    outlines: Mapping[str, Sequence[Contour]],
) -> list[Part] | None:
    """The parts of a character's outline, if all of it is made of other characters' glyphs.

    Args:
        point: The code point.
        contours: Its outline.
        named: Names of glyphs by code point.
        outlines: Their outlines by name.
    """
    letters = [ord(character) for character in unicodedata.normalize("NFD", chr(point))]
    if len(letters) < 2:
        return None
    left = [_key(contour) for contour in contours]
    found: list[Part] = []
    for letter in letters:
        choices = [DOTLESS[letter]] if letter in DOTLESS else []
        choices += [letter, *SPACING.get(letter, ())]
        for choice in choices:
            name = named.get(choice, "")
            shift = _within(left, [_key(contour) for contour in outlines.get(name, ())])
            if shift is not None:
                left = [key for i, key in enumerate(left) if i not in shift[1]]
                found.append(Part(name, *shift[0]))
                break
        else:
            return None
    return None if left else found


SPACING = {
    0x300: (0x60,), 0x301: (0xB4,), 0x302: (0x2C6, 0x5E), 0x303: (0x2DC,), 0x304: (0xAF, 0x2C9),
    0x306: (0x2D8,), 0x307: (0x2D9,), 0x308: (0xA8,), 0x30A: (0x2DA,), 0x30B: (0x2DD,),
    0x30C: (0x2C7,), 0x327: (0xB8,), 0x328: (0x2DB,),
}  # fmt: skip
"""Marks as characters of their own, whose glyphs fonts often use for the combining ones."""


def _key(contour: Contour) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.concatenate([curve[:-1] for piece in contour for curve in piece])


def _within(
    whole: list[np.ndarray[tuple[int, int], np.dtype[np.float64]]],
    part: list[np.ndarray[tuple[int, int], np.dtype[np.float64]]],
) -> tuple[tuple[float, float], set[int]] | None:
    """The shift that makes every contour of a part one of the whole's, and which these are."""
    if not part:
        return None
    for first in whole:
        if first.shape != part[0].shape:
            continue
        shift = first[0] - part[0][0]
        matched: set[int] = set()
        for contour in part:
            for i, other in enumerate(whole):
                if i in matched or other.shape != contour.shape:
                    continue
                if np.abs(contour + shift - other).max() <= NEAR:
                    matched.add(i)
                    break
            else:
                break
        else:
            return (float(shift[0]), float(shift[1])), matched
    return None
