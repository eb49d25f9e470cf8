"""What a script asks of its glyphs: letters that join must go on meeting where they met."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

JOINED = {
    *("Adlm", "Arab", "Beng", "Deva", "Guru", "Mand", "Mani", "Mong"),
    *("Nkoo", "Phag", "Phlp", "Rohg", "Sogd", "Syrc", "Tibt"),
}
"""Scripts, by ISO 15924, whose letters are joined, by strokes on the line or by a headline."""

TILES = ((0x2500, 0x259F), (0x1FB00, 0x1FBFF), (0xE0B0, 0xE0D4))
"""Code points whose glyphs are laid edge to edge: boxes, blocks, symbols of prompts."""

FIGURES = tuple(range(0x30, 0x3A))

SMALL = tuple(range(0x61, 0x7B))

LATIN = SMALL + tuple(range(0x41, 0x5B))
"""The alphabet by which a hand is known, where a font has it."""

ENOUGH, MOST = 10, 64
"""Letters that make an alphabet, at least and at most."""


def base_points(cmap: Mapping[int, str], names: Iterable[str]) -> dict[str, int]:
    """The character that each glyph stands for, by name; `a.sc` stands for what `a` does."""
    points: dict[str, int] = {}
    for point in sorted(cmap, reverse=True):
        points[cmap[point]] = point
    found = {}
    for name in names:
        stem = name if name in points else name.split(".")[0]
        if stem in points:
            found[name] = points[stem]
    return found


def is_joined(point: int) -> bool:
    """Whether a character is of a script whose letters are joined."""
    from fontTools.unicodedata import script

    return script(chr(point)) in JOINED


def joins(point: int) -> bool:
    """Whether glyphs of this character meet their neighbours edge to edge."""
    return is_joined(point) or any(first <= point <= last for first, last in TILES)


def alphabet(points: Iterable[int]) -> list[int]:
    """The letters of a font by which its hands are known: a to z and A to Z, or its own."""
    have = set(points)
    latin = [point for point in LATIN if point in have]
    if len(latin) >= ENOUGH:
        return latin
    letters = [p for p in sorted(have) if unicodedata.category(chr(p)).startswith("L")]
    letters = letters or sorted(have)
    return letters[:: -(-len(letters) // MOST)] if letters else []


def is_mark(point: int) -> bool:
    """Whether a character is set on another."""
    return unicodedata.category(chr(point)).startswith("M")
