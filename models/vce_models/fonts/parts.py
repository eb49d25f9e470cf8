"""Glyphs are put together from other glyphs: the e of é is the very e, and moves as e does.

Components say which ones where a font has them. Elsewhere, for characters that Unicode takes
apart, the parts are found as outlines that are equal but for a shift.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vce_models.fonts.family import MasterGlyph, Places
from vce_models.fonts.outline import Contour

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

DOTLESS = {0x69: 0x131, 0x6A: 0x237}
"""i and j lose their dot below another mark."""

NEAR = 2.0
"""Outlines this near to each other are equal, in font units."""


@dataclass(frozen=True)
class Part:
    """A glyph in another.

    Attributes:
        name: The part's name.
        x: How far the part is shifted to the right, in font units.
        y: How far it is shifted upwards, in font units.
    """

    name: str
    x: float
    y: float


def find(
    font: TTFont, outlines: dict[str, list[Contour]], points: dict[str, int]
) -> dict[str, list[Part]]:
    """Find which simple glyphs composite glyphs are made of, bases before marks.

    Args:
        font: The font.
        outlines: Every glyph's contours, by name.
        points: The character that each glyph stands for.
    """
    named, table = font.getBestCmap() or {}, font.get("glyf")
    direct: dict[str, list[Part]] = {}
    for name, outline in outlines.items():
        found = None
        if table is not None and table[name].isComposite():
            found = _components(table[name])
            found = found and sorted(found, key=lambda part: _is_mark(points.get(part.name)))
        elif outline and points.get(name) in named:
            found = _taken_apart(points[name], outline, named, outlines)
        if found := [part for part in found or () if outlines[part.name]]:
            direct[name] = found

    def simple(name: str, x: float, y: float, within: tuple[str, ...]) -> Iterator[Part]:
        if name not in direct or name in within:
            yield Part(name, x, y)
            return
        for part in direct[name]:
            yield from simple(part.name, x + part.x, y + part.y, (*within, name))

    made = {name: list(simple(name, 0.0, 0.0, ())) for name in direct}
    # Two glyphs without other ink may each be made of the other; they are moved by themselves.
    return {
        name: found
        for name, found in made.items()
        if direct.keys().isdisjoint(p.name for p in found)
    }


def _is_mark(point: int | None) -> bool:
    """Say whether a glyph is set on another, as a combining mark is, with or without a width."""
    if point is None:
        return True
    return unicodedata.category(chr(point)) in ("Mn", "Mc", "Me", "Sk", "Lm")


def assemble(
    made: list[Part],
    glyphs: dict[str, MasterGlyph],
    advances: dict[str, int],
    name: str,
    masters: Places,
) -> MasterGlyph:
    """Put a glyph together from the moved glyphs that it is made of; marks follow their bases.

    Args:
        made: The parts.
        glyphs: The moved glyphs, by name.
        advances: The source's advance widths, by name.
        name: The glyph's name.
        masters: The linear maps of the source and of every hand, (masters, 2, 2).
    """
    base, contours, moved = glyphs[made[0].name], [], []
    for part in made:
        glyph = glyphs[part.name]
        by = np.array([part.x, part.y])
        offset = masters @ by
        if part is not made[0] and (meets := _meeting(base, made[0], glyph, part)) is not None:
            offset = base.move(meets - [made[0].x, made[0].y])[:, 0] - glyph.move(meets - by)[:, 0]
            offset += masters @ [made[0].x, made[0].y]
        offset = np.rint(offset)
        moved.append((part.name, offset))
        contours += [
            tuple(curve + offset[:, None] for curve in contour) for contour in glyph.contours
        ]
    more = masters[:, 0, 0] * (advances[name] - advances[made[0].name])
    wide = np.maximum(base.advances + np.rint(more).astype(np.int64), 0)
    move = _Shifted(base.move, np.array([made[0].x, made[0].y]), moved[0][1])
    return MasterGlyph(tuple(contours), wide, move, tuple(moved))


@dataclass(frozen=True, eq=False)
class _Shifted:
    """The `MasterGlyph.move` of a glyph whose base stands elsewhere in it.

    Attributes:
        base: The base's.
        before: How far the base is shifted in the source, (2,).
        after: How far in every master, (masters, 2).
    """

    base: Callable[[Places], Places]
    before: NDArray[np.float64]
    after: Places

    def __call__(self, places: Places) -> Places:
        return np.asarray(self.base(places - self.before) + self.after[:, None])


def _meeting(base: MasterGlyph, at: Part, glyph: MasterGlyph, part: Part) -> Places | None:
    """Find the base's place nearest to a mark, (1, 2); None where they stand side by side."""
    low, high = _bounds(base, at)
    first, last = _bounds(glyph, part)
    if last[0] <= low[0] or first[0] >= high[0]:
        return None
    return np.clip((first + last) / 2, low, high)[None]


def _bounds(glyph: MasterGlyph, at: Part) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the lower left and upper right corner of a part's ink in the source."""
    ends = np.concatenate([curve[0] for contour in glyph.contours for curve in contour])
    by = np.array([at.x, at.y])
    return ends.min(0) + by, ends.max(0) + by


def _components(glyph: Any) -> list[Part] | None:
    """Read the parts of a composite glyph of `glyf`; None where one is more than shifted."""
    found = []
    for component in glyph.components:
        scaled = hasattr(component, "transform") or not hasattr(component, "x")
        if scaled:
            return None
        found.append(Part(component.glyphName, float(component.x), float(component.y)))
    return found


def _taken_apart(
    point: int,
    contours: Sequence[Contour],
    named: Mapping[int, str],
    outlines: Mapping[str, Sequence[Contour]],
) -> list[Part] | None:
    """Find the parts of a character's outline, if all of it is made of other characters' glyphs.

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


def _key(contour: Contour) -> Places:
    return np.concatenate([curve[:-1] for piece in contour for curve in piece])


def _within(
    whole: list[Places],
    part: list[Places],
) -> tuple[tuple[float, float], set[int]] | None:
    """Find the shift that makes all contours of a part some of the whole's, and which ones."""
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
