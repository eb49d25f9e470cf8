"""A font writes as people do: each letter has several alternates, which take turns.

Letters, digits and ASCII's punctuation that the font encodes have one alternate by each hand.
The first is the glyph itself; the others are glyphs of their own beside it, called `a.alt1`
and so on. The feature `calt` chooses among them (see `cycling`), and `salt` lets a user choose.
Kerning, marks, joins and carets hold for all alternates alike. A letter that another feature
has replaced before, as by a small capital or by a joined form of Arabic, has no alternates; nor
has one that is joined to its neighbours, which all hands draw alike.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Mapping

from fontTools.ttLib import TTFont

from vce_models.errors import ConfigError
from vce_models.fonts import anchors, copies, cycling, slanting
from vce_models.fonts.editing import Flavour, finish, opened, saved
from vce_models.fonts.family import Family
from vce_models.fonts.naming import rename
from vce_models.fonts.outline_tables import set_outlines

MOST_GLYPHS = 0xFFFF

MARK = 3
"""The class of marks in GDEF. A mark is placed on a letter, and has no alternates."""


def alternates(family: Family, *, name: str, flavour: Flavour) -> bytes:
    """Make a font whose letters take turns between the alternates of all hands.

    Args:
        family: The source and its hands, each of which gives one alternate.
        name: The family name of the new font; its style is the source's.
        flavour: `ttf`, `otf`, or `woff2`.

    Returns:
        The file's bytes, the same ones each time.

    Raises:
        ConfigError: A font cannot hold so many glyphs.
    """
    font = opened(family)
    cubic = flavour == "otf" or (flavour == "woff2" and "glyf" not in font)
    rename(font, name)
    planned = _planned(font, family)
    slanting.lean(font, family, 1)
    attached = anchors.attachments(font, family)
    whole = {glyph: (glyph, 1) for glyph in family.glyphs}
    # All second alternates come first, then all third ones, so that tables name whole ranges.
    added = {
        glyphs[hand]: (letter, hand + 1)
        for hand in range(1, family.hands)
        for letter, glyphs in planned.items()
    }
    set_outlines(font, family, whole | added, cubic=cubic)
    for _, table, places in attached:
        anchors.put(table, places[1])
    copies.extend(font, added, attached)
    characters = font.getBestCmap()
    spaces = [characters[point] for point in (0x20, 0xA0) if point in characters]
    if planned and family.hands > 1:
        cycling.add(font, planned, spaces)
    finish(font, family, 1)
    if font["OS/2"].version >= 2:
        # The rule looks only at glyphs before a letter, and this measure does not count those.
        font["OS/2"].usMaxContext = max(font["OS/2"].usMaxContext, 1)
    return saved(font, packed=flavour == "woff2")


def takes_turns(family: Family) -> bool:
    """Say whether any letter of a family would have alternates."""
    with opened(family) as font:
        return bool(_planned(font, family))


def _planned(font: TTFont, family: Family) -> Mapping[str, list[str]]:
    """Name the alternates of each letter; its own glyph is the first of them, and the key."""
    definitions = font["GDEF"].table.GlyphClassDef if "GDEF" in font else None
    classes = definitions.classDefs if definitions else {}
    characters = sorted((font.getBestCmap() or {}).items())
    letters = dict.fromkeys(
        glyph
        for point, glyph in characters
        if _varies(chr(point)) and classes.get(glyph) != MARK and _differs(family, glyph)
    )
    order = font.getGlyphOrder()
    count = len(order) + len(letters) * (family.hands - 1)
    if count > MOST_GLYPHS:
        raise ConfigError(
            f"{family.hands} drawings of {len(letters)} letters make {count} glyphs; "
            f"a font holds {MOST_GLYPHS}",
            hint="name fewer characters with --chars, or fewer --alternates",
        )
    taken, suffix = set(order), "alt"
    while any(f".{suffix}" in name for name in taken):
        suffix = f"v{suffix}"
    return {
        letter: [letter, *(f"{letter}.{suffix}{hand}" for hand in range(1, family.hands))]
        for letter in letters
    }


def _varies(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN" or character in string.punctuation


def _differs(family: Family, glyph: str) -> bool:
    """Say whether the hands draw a glyph differently."""
    contours = family.glyphs[glyph].contours if glyph in family.glyphs else ()
    return any((curve[1:2] != curve[2:]).any() for contour in contours for curve in contour)
