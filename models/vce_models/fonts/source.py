"""Fonts as sources of characters: what they hold, how they draw it, and their measures."""

from __future__ import annotations

import io
import logging
import struct
import unicodedata
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vce_models.config import ModelConfig
from vce_models.errors import InputError
from vce_models.fonts.characters import called, parse_parts
from vce_models.fonts.sfnt import MAX_BYTES, check_tables
from vce_models.glyphs.images import LONGEST, Framed, frame
from vce_models.glyphs.photos import Ink

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

DEFAULT_CHARACTERS = "latin,digits,punctuation"

DRAWN = 256
"""Longest side of a drawn character, in pixels."""

PROBED = 64
"""Pixels of the em by which a character is measured before it is drawn."""

LIMIT = 32767
"""Coordinates in fonts go so far either way, in font units."""


@dataclass(frozen=True)
class Placement:
    """Where a conversion's canvas lies, in font units, y up.

    Attributes:
        x: Of its left edge.
        y: Of its lower edge; the baseline is 0.
        side: Its side.
    """

    x: float
    y: float
    side: float


@dataclass(frozen=True)
class Metrics:
    """A font's measures, in font units; the defaults are for conversions of plain images.

    Attributes:
        units_per_em: Font units in an em.
        ascent: From the baseline to the top of a line.
        descent: From the baseline to its bottom, negative.
        line_gap: Between lines.
        x_height: Of lower-case letters.
        cap_height: Of capitals.
        space: Advance width of the space.
    """

    units_per_em: int = 1000
    ascent: int = 900
    descent: int = -250
    line_gap: int = 0
    x_height: int = 500
    cap_height: int = 700
    space: int = 300


@dataclass(frozen=True, eq=False)
class SourceFont:
    """A font that characters are taken from.

    Attributes:
        file: What errors call it.
        name: Its family.
        metrics: Its measures.
        advances: Advance width of each character that it has, by code point.
        data: The file's bytes.
    """

    file: str
    name: str
    metrics: Metrics
    advances: dict[int, int] = field(repr=False)
    data: bytes = field(repr=False)

    def characters(self, text: str | None = None, chars: str | None = None) -> list[int]:
        """The code points that are asked for, in order, without repeats or blanks.

        Args:
            text: Characters, each asked for.
            chars: What `parse_characters` reads. A name in it asks for those of its
                characters that the font draws, all else for exactly itself. Without text
                and without this, it is `latin,digits,punctuation`.

        Raises:
            ConfigError: `chars` cannot be read.
            InputError: The font lacks what is asked for, or nothing is.
        """
        wanted = [ord(character) for character in unicodedata.normalize("NFC", text or "")]
        if text is None and chars is None:
            chars = DEFAULT_CHARACTERS
        for points, named in () if chars is None else parse_parts(chars):
            wanted += self._drawable(points) if named else points
        wanted = [point for point in dict.fromkeys(wanted) if not _blank(point)]
        if lacking := [point for point in wanted if point not in self.advances]:
            shown = ", ".join(called(point) for point in lacking[:5])
            more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
            raise InputError(f"{self.file} lacks {shown}{more}")
        if not wanted:
            raise InputError(
                f"{self.file} has nothing of what is asked for",
                hint="name the characters, for example --chars greek,U+00DF",
            )
        return wanted

    def _drawable(self, points: list[int]) -> list[int]:
        """Those that the font has, and that are not empty there."""
        face, found = _face(self.data, PROBED), []
        for point in filter(self.advances.__contains__, points):
            try:
                _, top, _, bottom = face.getbbox(chr(point))
            except OSError:  # damaged, which `draw` says
                found.append(point)
            else:
                found += [point] if top < bottom else []
        return found

    def draw(self, codepoint: int, config: ModelConfig) -> tuple[Framed, Placement]:
        """Draw a character in the framing of Omniglot's drawings, and say where its canvas lies.

        Raises:
            InputError: The font cannot draw it, or draws nothing.
        """
        name = f"{called(codepoint)} of {self.file}"
        try:
            picture, x, y, scale = self._drawn(chr(codepoint), name)
        except (OSError, ValueError, MemoryError) as error:  # from FreeType, by Pillow
            raise InputError(f"{name} cannot be drawn: {error}") from error
        if picture.max() < 0.5:
            raise InputError(f"{name} is blank")
        framed = frame(picture, name, config)
        side = _longest(picture) / LONGEST * scale
        # The centre of ink is where both pictures meet, however `frame` rounds.
        u, v = _centre(framed.detail)
        left, top = _centre(picture)
        left, top = x + left * picture.shape[1] * scale, y - top * picture.shape[0] * scale
        placement = Placement(left - u * side, top - (1 - v) * side, side)
        corners = (placement.x, placement.y, placement.x + side, placement.y + side)
        if max(map(abs, corners)) > LIMIT:
            raise InputError(f"{name} is too large")
        return framed, placement

    def _drawn(self, character: str, name: str) -> tuple[Ink, float, float, float]:
        """Ink, its left and top edge in font units, and font units to a pixel."""
        left, top, right, bottom = _face(self.data, PROBED).getbbox(character, anchor="ls")
        longest = max(right - left, bottom - top, 1)
        size = round(min(PROBED * DRAWN / longest, 16 * DRAWN))
        if size < 1:
            raise InputError(f"{name} is too large")
        face = _face(self.data, size)
        left, top, right, bottom = (round(v) for v in face.getbbox(character, anchor="ls"))
        picture = Image.new("L", (max(1, right - left) + 4, max(1, bottom - top) + 4))
        ImageDraw.Draw(picture).text((2 - left, 2 - top), character, 255, face, anchor="ls")
        scale = self.metrics.units_per_em / size
        ink = np.asarray(picture, np.float32) / np.float32(255)
        return ink, (left - 2) * scale, (2 - top) * scale, scale


def _blank(point: int) -> bool:
    return unicodedata.category(chr(point)) in ("Zs", "Zl", "Zp", "Cc", "Cf")


def _longest(ink: Ink) -> int:
    rows, columns = np.nonzero(ink >= 0.5)
    return int(max(np.ptp(rows), np.ptp(columns))) + 1


def _centre(ink: Ink) -> tuple[float, float]:
    """Centre of mass as shares of width and height, from the left and from the top."""
    rows, columns = (np.arange(length) + 0.5 for length in ink.shape)
    mass = float(ink.sum(dtype=np.float64))
    across = float(ink.sum(axis=0) @ columns) / mass / ink.shape[1]
    return across, float(ink.sum(axis=1) @ rows) / mass / ink.shape[0]


def _face(data: bytes, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(io.BytesIO(data), size, layout_engine=ImageFont.Layout.BASIC)


def read_font(path: Path) -> SourceFont:
    """Read a TrueType or OpenType font, plain, packed as WOFF, or the first of a collection.

    Raises:
        InputError: It is missing, not a font, damaged, or maps no Unicode characters.
    """
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        words = "does not exist" if missing else f"cannot be read: {error.strerror}"
        raise InputError(f"{path} {words}") from error
    if len(data) > MAX_BYTES:
        raise InputError(f"{path} is too large for a font")
    if data.startswith(b"wOF2"):
        hint = "unpack it: fonttools ttLib.woff2 decompress"
        raise InputError(f"{path} is a WOFF2 font, which is not read", hint=hint)
    if data.startswith(b"wOFF"):
        data = data[:24] + bytes(20) + data[44:]  # no metadata, nor what it may unpack to
    logging.getLogger("fontTools").addHandler(logging.NullHandler())
    try:
        with TTFont(io.BytesIO(data), fontNumber=0, lazy=True, recalcTimestamp=False) as font:
            check_tables(font.reader)
            if not any(table in font for table in ("glyf", "CFF ", "CFF2")):
                hint = "give its characters as images, in .png"
                raise InputError(f"{path} holds pictures, not outlines", hint=hint)
            metrics, advances = _measures(font)
        name = _face(data, PROBED).getname()[0]
    except (TTLibError, OSError) as error:
        raise InputError(f"{path} is not a font: {error}") from error
    except _DAMAGE as error:
        raise InputError(f"{path} is damaged: {str(error) or repr(error)}") from error
    if not advances:
        raise InputError(f"{path} maps no Unicode characters")
    return SourceFont(str(path), name or path.stem, metrics, advances, data)


_DAMAGE = (
    struct.error,
    zlib.error,
    ValueError,
    LookupError,
    AssertionError,
    TypeError,
    AttributeError,
    OverflowError,
    EOFError,
)
"""What fontTools lets through when a table says what it should not."""


def _measures(font: TTFont) -> tuple[Metrics, dict[int, int]]:
    head, hhea = font["head"], font["hhea"]
    units = head.unitsPerEm
    if not 16 <= units <= 16384:
        raise ValueError(f"{units} units per em")
    # Names by number: those of the font are not needed, and cost its largest tables.
    font.setGlyphOrder([f"glyph{i:05}" for i in range(font["maxp"].numGlyphs)])
    widths = font["hmtx"].metrics
    mapped = font["cmap"].getBestCmap() or {}
    advances = {point: widths[name][0] for point, name in mapped.items() if name in widths}
    os2 = font.get("OS/2")
    metrics = Metrics(
        units_per_em=units,
        ascent=hhea.ascent,
        descent=hhea.descent,
        line_gap=hhea.lineGap,
        x_height=getattr(os2, "sxHeight", 0) or round(0.5 * units),
        cap_height=getattr(os2, "sCapHeight", 0) or round(0.7 * units),
        space=advances.get(0x20, round(0.3 * units)),
    )
    return metrics, advances
