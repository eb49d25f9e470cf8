"""Characters by code point: `--chars` is read, and files and glyphs are named by characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from vce_models.errors import ConfigError

DEFAULT = "latin,digits,punctuation"
"""What `parse_characters` reads for a font or a template where no characters are named."""

ASCII = range(0x21, 0x7F)
"""The code points from which `digits` and `punctuation` are taken."""

LEAST = 10
"""A block with fewer letters is not taken for a script's own: 々 alone is not where Han begins."""

_POINT = r"(?:[Uu]\+([0-9A-Fa-f]{4,6})|(\S))"
_SPAN = re.compile(rf"{_POINT}(?:-(?:[Uu]\+)?(?:([0-9A-Fa-f]{{4,6}})|(\S)))?")
_STEM = re.compile(r"(?:[Uu]\+|uni|u)([0-9A-Fa-f]{4,6})")


def parse_characters(spec: str) -> list[int]:
    """List the code points that a comma-separated list names, in its order, without repeats.

    Each part is one of these:

    - `digits` or `punctuation` means ASCII's; the second includes symbols.
    - A script's name in Unicode, as `latin`, `greek`, `cyrillic`, `hebrew` or `runic`, means the
      letters of the first block of Unicode that is the script's own. So `latin` is A to Z and
      a to z.
    - A character, or its code point as `U+0041`, means itself.
    - A range is written as `a-z` or `U+0041-005A`.

    Raises:
        ConfigError: A part is none of these.
    """
    return list(dict.fromkeys(point for part in parse_parts(spec) for point in part[0]))


def parse_parts(spec: str) -> Iterator[tuple[list[int], bool]]:
    """Yield each part's code points, as `parse_characters` reads it, and whether it is a name."""
    parts = [part.strip() for part in spec.split(",")]
    for part in filter(None, parts):
        match = _SPAN.fullmatch(part)
        if match:
            yield _span(part, *match.groups()), False
        else:
            yield _named(part), True
    if not any(parts):
        raise ConfigError("no characters are named", hint="for example: latin,digits,U+00DF")


def _span(
    part: str, code: str | None, character: str | None, last_code: str | None, last: str | None
) -> list[int]:
    first = int(code, 16) if code else ord(character or "")
    if last_code and not code:
        raise ConfigError(f"{part} is no range", hint="write both ends alike: a-z, U+0041-005A")
    end = int(last_code, 16) if last_code else ord(last) if last else first
    if not first <= end <= 0x10FFFF:
        raise ConfigError(f"{part} is no range of code points", hint="the least comes first")
    points = [point for point in range(first, end + 1) if not 0xD800 <= point <= 0xDFFF]
    if not points:
        raise ConfigError(
            f"{part} is no character, but half of one", hint="write the whole one: U+1F600"
        )
    return points


def _named(name: str) -> list[int]:
    if name in ("digits", "punctuation"):
        kinds = ("N",) if name == "digits" else ("P", "S")
        return [point for point in ASCII if unicodedata.category(chr(point))[0] in kinds]
    from fontTools.unicodedata import script_code

    script = script_code(name.title().replace(" ", "_"), default=None)
    letters = _letters(script) if script else []
    if not letters:
        raise ConfigError(
            f"no characters are called {name!r}",
            hint="use digits, punctuation, a script's name as greek, a-z, U+0041 or U+0041-005A",
        )
    return letters


def _letters(script: str) -> list[int]:
    from fontTools.unicodedata import Scripts, block

    blocks: dict[str, list[int]] = {}
    ends = [*Scripts.RANGES[1:], 0x110000]
    for start, end, code in zip(Scripts.RANGES, ends, Scripts.VALUES, strict=True):
        for point in range(start, end) if code == script else ():
            character = chr(point)
            if unicodedata.category(character).startswith("L"):
                blocks.setdefault(block(character), []).append(point)
    return next((letters for letters in blocks.values() if len(letters) >= LEAST), [])


def codepoint_of(stem: str) -> int | None:
    """Return the character that a file's name, without its suffix, stands for.

    Args:
        stem: A single character; a code point as `uni0041`, `u1F600` or `U+0041`; or a name of
            Adobe's list for new fonts, such as `eacute`, `period` or `one`.
    """
    stem = unicodedata.normalize("NFC", stem)  # some file systems take letters apart
    match = _STEM.fullmatch(stem)
    if not match and len(stem) != 1:
        from fontTools.agl import AGL2UV

        point: int | None = AGL2UV.get(stem)
        return point
    point = int(match[1], 16) if match else ord(stem)
    return point if point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF else None


def glyph_name(codepoint: int) -> str:
    """Name a glyph `uni0041`, or `u1F600` beyond the first 65,536 (the Adobe glyph list's rule)."""
    return f"uni{codepoint:04X}" if codepoint <= 0xFFFF else f"u{codepoint:04X}"


def called(codepoint: int) -> str:
    """Return a character as messages write it: `'A' (U+0041)`."""
    character = chr(codepoint)
    code = f"U+{codepoint:04X}"
    return f"{character!r} ({code})" if character.isprintable() else code
