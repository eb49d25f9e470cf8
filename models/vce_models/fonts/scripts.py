"""Scripts say which glyphs join: these must go on meeting where they met."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

JOINED = {
    *("Adlm", "Arab", "Beng", "Chrs", "Deva", "Gong", "Guru", "Mand", "Mani", "Modi", "Mong"),
    *("Newa", "Nkoo", "Ogam", "Ougr", "Phag", "Phlp", "Rohg", "Sogd", "Sylo", "Syrc", "Tibt"),
    "Tirh",
}
"""Scripts, by ISO 15924, whose letters are joined, by strokes on the line or by a headline."""

SPLIT = {0xE33: (0xE4D, 0xE32), 0xEB3: (0xECD, 0xEB2)}
"""AM of Thai and of Lao, which shapers set as a ring above and a vowel after the letter."""

TILES = ((0x2500, 0x259F), (0x1FB00, 0x1FBFF), (0xE0B0, 0xE0D4))
"""Code points whose glyphs stand edge to edge: boxes, blocks, symbols of prompts."""

FIGURES = tuple(range(0x30, 0x3A))

SMALL = tuple(range(0x61, 0x7B))

LATIN = SMALL + tuple(range(0x41, 0x5B))
"""The alphabet from which a hand is computed, if the font has it."""

ENOUGH, MOST = 10, 64
"""Letters of an alphabet, at least and at most."""


def base_points(font: TTFont) -> dict[str, int]:
    """Find the character that each glyph of a font stands for, by name.

    The character map says which; otherwise the glyph's name does, as `a.sc` names a; otherwise
    the glyph that a feature replaces by it does.
    """
    points: dict[str, int] = {}
    named = font.getBestCmap() or {}
    for point in sorted(named, reverse=True):
        points[named[point]] = point
    for name in font.getGlyphOrder():
        stem = name.split(".")[0]
        if name not in points and stem in points:
            points[name] = points[stem]
    swaps = list(_swaps(font))
    while found := {new: points[old] for old, new in swaps if old in points and new not in points}:
        points |= found
    return points


def _swaps(font: TTFont) -> Iterator[tuple[str, str]]:
    """List the pairs of a glyph and the glyph that a feature puts in its place."""
    if "GSUB" not in font or not font["GSUB"].table.LookupList:
        return
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for subtable in lookup.SubTable:
            table = getattr(subtable, "ExtSubTable", subtable)
            if table.LookupType == 1:
                yield from table.mapping.items()
            elif table.LookupType == 3:
                for old, choices in table.alternates.items():
                    yield from ((old, new) for new in choices)


def is_joined(point: int) -> bool:
    """Say whether a character belongs to a script whose letters are joined."""
    from fontTools.unicodedata import script

    return script(chr(point)) in JOINED


def _marks_joined(point: int) -> bool:
    """Say whether a character is a mark of joined letters, and not of Latin ones."""
    from fontTools.unicodedata import script_extension

    scripts = script_extension(chr(point))
    return is_mark(point) and "Latn" not in scripts and not JOINED.isdisjoint(scripts)


def taken_apart(point: int) -> list[int]:
    """Return the characters that shapers may set in its place: a vowel may have several parts."""
    if point in SPLIT:
        return list(SPLIT[point])
    if unicodedata.category(chr(point)) != "Mc":
        return []
    return [ord(part) for part in unicodedata.normalize("NFD", chr(point))]


def joins(point: int) -> bool:
    """Say whether glyphs of this character meet their neighbours edge to edge."""
    return is_tile(point) or is_joined(point) or _marks_joined(point)


def is_tile(point: int | None) -> bool:
    """Say whether glyphs of this character are laid edge to edge, on all sides."""
    return point is not None and any(first <= point <= last for first, last in TILES)


def alphabet(points: Iterable[int]) -> list[int]:
    """List the letters from which a font's hands are computed: a to z and A to Z, or its own."""
    have = set(points)
    latin = [point for point in LATIN if point in have]
    if len(latin) >= ENOUGH:
        return latin
    letters = [p for p in sorted(have) if unicodedata.category(chr(p)).startswith("L")]
    letters = letters or sorted(have)
    return letters[:: -(-len(letters) // MOST)] if letters else []


def is_mark(point: int) -> bool:
    """Say whether a character is set on another."""
    return unicodedata.category(chr(point)).startswith("M")


def is_accented(point: int | None) -> bool:
    """Say whether a character is a letter with marks on it."""
    return point is not None and len(unicodedata.normalize("NFD", chr(point))) > 1
