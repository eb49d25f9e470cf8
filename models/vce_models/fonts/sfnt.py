"""A font's tables are checked before anything trusts them.

A file of some kilobytes can ask for gigabytes of memory, or for years of time: by what it unpacks
to, by its map of characters, by glyphs that share their bytes or are made of others, by strokes
that call others, and by layout tables that name the same parts again and again.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

Name = TypeVar("Name", int, str)

NEEDED = {"head", "hhea", "maxp", "hmtx", "cmap"}
"""Tables that every font must have; which table holds the outlines is checked elsewhere."""

MAX_BYTES = 1 << 26
"""Bytes of a font file at most."""

MAX_UNPACKED = 1 << 26
"""Bytes that the tables of a packed font unpack to at most."""

RATIO, SMALL = 32, 1 << 20
"""A packed font unpacks to so many times its size at most, or to so many bytes if that is more."""

MAX_PARTS = 256
"""Glyphs that one glyph is made of at most, at all depths; an accented letter takes three."""

MAX_MAPPED, MAX_MAPS = 1 << 18, 64
"""Characters in all maps of a font together, and maps of a font, at most."""

MAX_NAMES = 1 << 22
"""Bytes of all names together, at most."""

MAX_CALLS = 2000
"""Subroutines that a glyph's strokes call at most, at all depths."""

MIN_LAYOUT, LAYOUT = 20_000, 2
"""Parts of layout tables that any font may have, and bytes of its file for each further part.

The densest fonts have one part for every twenty bytes.
"""

AT_ONCE = 8
"""Numbers, or glyphs, of a list that count as one part."""


def unpacked(data: bytes) -> bytes:
    """Return a packed font without its metadata, after a check of what it unpacks to.

    Raises:
        ValueError: It unpacks to more than it announces, or than a font of its size may.
    """
    if data.startswith(b"wOFF"):
        return data[:24] + bytes(20) + data[44:]
    if data.startswith(b"wOF2"):
        data = data[:28] + bytes(20) + data[48:]
        _check_brotli(data)
    return data


def _check_brotli(data: bytes) -> None:
    import brotli
    from fontTools.ttLib.woff2 import WOFF2DirectoryEntry, woff2DirectorySize

    count, (packed,) = struct.unpack_from(">H", data, 12)[0], struct.unpack_from(">L", data, 20)
    file, announced = BytesIO(data), 0
    file.seek(woff2DirectorySize)
    for _ in range(count):
        entry = WOFF2DirectoryEntry()
        entry.fromFile(file)
        announced += max(entry.length, entry.origLength)
    _check_size(announced, len(data))
    unpacker = brotli.Decompressor()
    try:
        found = unpacker.process(file.read(packed), output_buffer_limit=announced + 1)
    except brotli.error as error:
        raise ValueError(str(error)) from error
    if len(found) <= announced and not unpacker.is_finished():
        raise ValueError("its tables end before their time")
    if len(found) > announced:
        raise ValueError("its tables are longer than they say")


def _check_size(unpacked: int, packed: int) -> None:
    if unpacked > min(MAX_UNPACKED, max(SMALL, RATIO * packed)):
        raise ValueError("its tables are too large")


def check_tables(reader: Any) -> None:
    """Refuse a font that lacks tables, or asks for much more than its size allows.

    Args:
        reader: fontTools' `SFNTReader`.

    Raises:
        ValueError: The font is refused.
        struct.error, zlib.error: A table ends too early, or cannot be unpacked.
    """
    if lacking := sorted(NEEDED - reader.keys()):
        raise ValueError(f"it lacks the table {lacking[0]}")
    if reader.flavor == "woff":
        _check_compressed(reader)
    _check_map(reader["cmap"])
    if "name" in reader:
        _check_names(reader["name"])
    if "SVG " in reader:
        _check_documents(reader["SVG "])
    if {"glyf", "loca"} <= reader.keys():
        long = struct.unpack_from(">h", reader["head"], 50)[0] != 0
        _check_parts(reader["glyf"], np.frombuffer(reader["loca"], ">u4" if long else ">u2"), long)


def _check_compressed(reader: Any) -> None:
    """Check that each table unpacks to no more than it announces."""
    entries = reader.tables
    packed = sum(entry.length for entry in entries.values())
    _check_size(sum(entry.origLength for entry in entries.values()), packed)
    for tag, entry in entries.items():
        if entry.length != entry.origLength:
            reader.file.seek(entry.offset)
            unpacker = zlib.decompressobj()
            unpacker.decompress(reader.file.read(entry.length), entry.origLength + 1)
            if not unpacker.eof:
                raise ValueError(f"{tag} is longer than it says")


def _check_names(table: bytes) -> None:
    """Check that names, which may share their bytes, are not too long in all."""
    (count,) = struct.unpack_from(">H", table, 2)
    records = np.frombuffer(table, ">u2", 6 * count, 6).reshape(-1, 6)
    if records[:, 4].sum(dtype=np.int64) > MAX_NAMES:
        raise ValueError("its names are too long")


def _check_documents(table: bytes) -> None:
    """Check that the SVG documents, which may be packed, are not too long in all."""
    (start,) = struct.unpack_from(">L", table, 2)
    (count,) = struct.unpack_from(">H", table, start)
    total = 0
    for i in range(count):
        place, length = struct.unpack_from(">LL", table, start + 2 + 12 * i + 4)
        document = table[start + place : start + place + length]
        if document.startswith(b"\x1f\x8b"):
            document = zlib.decompressobj(31).decompress(document, MAX_UNPACKED)
        total += len(document)
        _check_size(total, len(table))


def _check_map(cmap: bytes) -> None:
    """Check that the maps are few, and that they have few enough characters."""
    (count,) = struct.unpack_from(">H", cmap, 2)
    if count > MAX_MAPS:
        raise ValueError(f"it has {count} maps of characters")
    starts = {struct.unpack_from(">L", cmap, 8 + 8 * i)[0] for i in range(count)}
    if sum(_mapped(cmap, start) for start in starts) > MAX_MAPPED:
        raise ValueError("its map has more characters than there are")


def _mapped(cmap: bytes, start: int) -> int:
    """Count the characters that a part of the map has, or claims to have."""
    (kind,) = struct.unpack_from(">H", cmap, start)
    if kind == 4:
        segments = struct.unpack_from(">H", cmap, start + 6)[0] // 2
        last = np.frombuffer(cmap, ">u2", segments, start + 14)
        first = np.frombuffer(cmap, ">u2", segments, start + 16 + 2 * segments)
    elif kind in (12, 13):
        (groups,) = struct.unpack_from(">L", cmap, start + 12)
        first, last, _ = np.frombuffer(cmap, ">u4", 3 * groups, start + 16).reshape(-1, 3).T
    elif kind == 14:
        return _variants(cmap, start)
    else:
        return 0x10000  # all other formats map 16 bits at most
    return int(np.maximum(last.astype(np.int64) - first + 1, 0).sum())


def _variants(cmap: bytes, start: int) -> int:
    """Count the characters that have variants, for all selectors together."""
    (selectors,) = struct.unpack_from(">L", cmap, start + 6)
    total = 0
    for i in range(selectors):
        for place in struct.unpack_from(">LL", cmap, start + 13 + 11 * i):
            (entries,) = struct.unpack_from(">L", cmap, start + place) if place else (0,)
            total += entries
        if total > MAX_MAPPED:
            break
    return total


def _check_parts(glyf: bytes, loca: Any, long: bool) -> None:
    """Check that glyphs share no bytes, and that none is made of too many glyphs or of itself."""
    places = loca.astype(np.int64) * (1 if long else 2)
    if np.maximum(np.diff(places), 0).sum() > len(glyf):
        raise ValueError("its glyphs overlap each other")
    ends = places.tolist()
    parts = {
        glyph: _parts(glyf[start:end])
        for glyph, (start, end) in enumerate(pairwise(ends))
        if end > start and glyf[start : start + 2] >= b"\x80"  # a negative number of contours
    }
    if (found := oversized(parts)) is not None:
        raise ValueError(f"glyph {found} is made of itself, or of too many others")


def oversized(parts: Mapping[Name, Sequence[Name]]) -> Name | None:
    """Return a glyph that is made of more than `MAX_PARTS` others, or of itself, if there is one.

    Args:
        parts: For each composite glyph, the glyphs that it is made of.
    """
    counted: dict[Name, int] = {}
    for first in parts:
        waiting = [first]
        while waiting:
            glyph = waiting[-1]
            left = [part for part in parts[glyph] if part in parts and part not in counted]
            if left and glyph not in counted:
                waiting.append(left[0])
            else:
                counted[glyph] = 1 + sum(counted.get(part, 1) for part in parts[glyph])
                waiting.pop()
            if len(waiting) > MAX_PARTS or counted.get(glyph, 0) > MAX_PARTS:
                return first
    return None


def _parts(data: bytes) -> list[int]:
    """List the glyphs that a composite glyph names."""
    found: list[int] = []
    place, more = 10, True
    while more and len(found) <= MAX_PARTS:
        flags, part = struct.unpack_from(">HH", data, place)
        found.append(part)
        scale = 2 if flags & 0x08 else 4 if flags & 0x40 else 8 if flags & 0x80 else 0
        place += 4 + (4 if flags & 0x01 else 2) + scale
        more = bool(flags & 0x20)
    return found


@contextmanager
def limited(size: int) -> Iterator[None]:
    """Stop fontTools, as long as the context is open, from taking far too much of a font apart.

    Subroutines may call each other a thousand times each and ten deep, and so may parts of layout
    tables name others. That shows only when they are followed, and fontTools follows without end.

    Args:
        size: Bytes of the font, which decide how much it may hold.

    Raises:
        ValueError: The font holds more.
    """
    from fontTools.misc.psCharStrings import SimpleT2Decompiler
    from fontTools.ttLib import TTFont
    from fontTools.ttLib.tables.otBase import OTTableReader

    followed = (
        (SimpleT2Decompiler, "execute"),
        (OTTableReader, "getSubReader"),
        (OTTableReader, "readArray"),
        (TTFont, "getGlyphNameMany"),
    )
    execute, part, array, glyphs = (getattr(kind, name) for kind, name in followed)
    most, taken = MIN_LAYOUT + size // LAYOUT, 0

    def called(self: Any, strokes: Any, **options: Any) -> None:
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls > MAX_CALLS:
            raise ValueError("its strokes call too many others")
        execute(self, strokes, **options)

    def named(self: Any, offset: int) -> Any:
        take(1)
        return part(self, offset)

    def listed(self: Any, typecode: str, staticSize: int, count: int) -> Any:  # noqa: N803
        take(count // AT_ONCE)
        return array(self, typecode, staticSize, count)

    def ranged(self: Any, numbers: Any) -> Any:
        take(len(numbers) // AT_ONCE)
        return glyphs(self, numbers)

    def take(parts: int) -> None:
        nonlocal taken
        taken += parts
        if taken > most:
            raise ValueError("its layout has more parts than it has room for")

    for (kind, name), guarded in zip(followed, (called, named, listed, ranged), strict=True):
        setattr(kind, name, guarded)
    try:
        yield
    finally:
        for (kind, name), plain in zip(followed, (execute, part, array, glyphs), strict=True):
            setattr(kind, name, plain)
