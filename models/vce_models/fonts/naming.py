"""An edited font gets a family name of its own, and keeps the style of its source.

Licence, copyright, trademark, designers, version and all names that features use are kept. The
description says what the font was made from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

FAMILY, STYLE, UNIQUE, FULL, VERSION, POSTSCRIPT, DESCRIPTION = 1, 2, 3, 4, 5, 6, 10
TYPOGRAPHIC_FAMILY, TYPOGRAPHIC_STYLE, PREFIX = 16, 17, 25

RENAMED = (1, 2, 3, 4, 6, 16, 17, 18, 20, 21, 22, 25)
"""Names that contain the family's or the style's; 18 and 20 to 22 only repeat the others."""

WINDOWS_ENGLISH = (3, 1, 0x409)
ENGLISH = (0, 0x409)
"""The number of English for Apple and Unicode, and for Microsoft."""

UPRIGHT = ("Regular", "Book", "Roman", "Normal")
"""Names of a style that is neither bold nor italic."""

MACINTOSH = 1
"""The platform whose names only old programs read."""

POSTSCRIPT_LENGTH = 63


def rename(font: TTFont, family: str) -> None:
    """Give a font another family name and say in its description where it comes from.

    The names of all platforms and languages change alike. Some programs know four styles alone:
    regular, bold, italic and bold italic. Any other style becomes part of the family's name for
    these (names 1 and 2), and stays a style for all other programs (names 16 and 17).

    Args:
        font: Its `name` table changes, and the names inside a `CFF ` table.
        family: The new name; characters that cannot be printed are left out.
    """
    family = "".join(filter(str.isprintable, family)).strip() or "Untitled"
    table = font["name"]
    old = {
        (r.platformID, r.platEncID, r.langID, r.nameID): r.toUnicode(errors="replace")
        for r in table.names
    }
    languages = sorted({key[:3] for key in old if key[3] in (FAMILY, FULL)} | {WINDOWS_ENGLISH})
    english = style_of(font)
    linked = _linked(font)
    origin = _origin(font)
    for number in RENAMED:
        table.removeNames(nameID=number)
    for language in languages:
        # Old Macintosh names call a light style regular, so Windows' names are read instead.
        told_by = WINDOWS_ENGLISH if language[0] == MACINTOSH and language[2] == 0 else language
        local = {number: old.get((*told_by, number), "") for number in range(26)}
        _name(table, language, family, local, english, linked)
    postscript = postscript_name(family, english)
    revision, maker = font["head"].fontRevision, font["OS/2"].achVendID.strip("\0 ")
    for language in languages:
        if language[2] in ENGLISH:
            told = old.get((*language, DESCRIPTION), "")
            _set(table, postscript, POSTSCRIPT, *language)
            _set(table, f"{revision:.3f};{maker};{postscript}", UNIQUE, *language)
            made = f"Redrawn by vce from {origin}. {told}".strip()
            _set(table, made, DESCRIPTION, *language)
    for language, version in _versions(old):
        table.setName(version, VERSION, *language)


def _versions(
    old: dict[tuple[int, int, int, int], str],
) -> Iterator[tuple[tuple[int, int, int], str]]:
    """Remove from the versions what a program noted about instructions that are gone."""
    for (platform, encoding, tongue, number), text in old.items():
        if number == VERSION and "ttfautohint" in text:
            parts = [part for part in text.split(";") if "ttfautohint" not in part]
            yield (platform, encoding, tongue), ";".join(parts) or "Version 1.000"


def style_of(font: TTFont) -> str:
    """Return a font's style in English, such as `Bold Italic` or `Condensed Light`."""
    names = font["name"]
    style = names.getDebugName(TYPOGRAPHIC_STYLE) or names.getDebugName(STYLE)
    return style or _linked(font)


def postscript_name(family: str, style: str) -> str:
    """Make a name `Family-Style` from ASCII letters and digits, of 63 characters at most."""
    parts = [re.sub(r"[^A-Za-z0-9]", "", part) for part in (family, style)]
    after = f"-{parts[1] or 'Regular'}"
    return (parts[0] or "Untitled")[: POSTSCRIPT_LENGTH - len(after)] + after


def reserved_names(font: TTFont) -> tuple[str, ...]:
    """List the names that a licence reserves for the font's makers (SIL Open Font License)."""
    found: list[str] = []
    records = font["name"].names if "name" in font else []
    for number in (0, 13):
        for record in records:
            if record.nameID == number:
                text = record.toUnicode(errors="replace")
                for listed in _RESERVED.findall(text):
                    parts = re.split(r",|\band\b|&", listed)
                    found += [part.strip(" \"'“”‘’.") for part in parts]
    return tuple(dict.fromkeys(filter(None, found)))


_RESERVED = re.compile(r"Reserved Font Names?:?\s+([\"'“‘]?[A-Z][^.;()\n]*)")


def _linked(font: TTFont) -> str:
    """Say which of the four styles that every program knows a font has."""
    bits = font["OS/2"].fsSelection
    words = ["Bold"] * bool(bits & 1 << 5) + ["Italic"] * bool(bits & 1)
    return " ".join(words) or "Regular"


def _origin(font: TTFont) -> str:
    names = font["name"]
    called = names.getDebugName(FULL) or names.getBestFamilyName() or "a font without a name"
    version = (names.getDebugName(VERSION) or "").split(";")[0].strip()
    return f"{called} ({version})" if version else called


def _name(
    table: Any,
    language: tuple[int, int, int],
    family: str,
    local: dict[int, str],
    english: str,
    linked: str,
) -> None:
    """Set the names of one platform and language."""
    style = local[TYPOGRAPHIC_STYLE] or local[STYLE] or english
    known = UPRIGHT if linked == "Regular" else (*linked.split(), "Oblique")
    beyond = [word for word in english.split() if word not in known]
    named = {FAMILY: " ".join([family, *beyond]), STYLE: linked, FULL: f"{family} {style}"}
    if english != linked:
        named |= {TYPOGRAPHIC_FAMILY: family, TYPOGRAPHIC_STYLE: style}
    elif language != WINDOWS_ENGLISH:  # English on Windows must have the four English words
        named[STYLE] = local[STYLE] or linked
    if beyond and style == english:  # a full name must begin with the family's
        rest = [word for word in known if word in english.split()]
        named[FULL] = " ".join([named[FAMILY], *rest])
    for number, text in named.items():
        _set(table, text, number, *language)


def _set(table: Any, text: str, number: int, platform: int, encoding: int, tongue: int) -> None:
    """Set a name, unless the platform's encoding lacks one of its characters."""
    from fontTools.ttLib.tables._n_a_m_e import makeName

    try:
        makeName(text, number, platform, encoding, tongue).toBytes()
    except UnicodeEncodeError:
        return
    table.setName(text, number, platform, encoding, tongue)
