"""A font's tables are checked before anything believes them.

A file of some kilobytes can ask for gigabytes, or for years, in three places: in what is
compressed, in the map of characters, and in glyphs that are made of glyphs.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np

NEEDED = {"head", "hhea", "maxp", "hmtx", "cmap"}
"""Tables without which a font is no use here; outlines are FreeType's matter."""

MAX_BYTES = 1 << 28
"""Bytes of a font file at most."""

MAX_UNPACKED = 1 << 26
"""Bytes that the tables of a packed font unpack to at most."""

MAX_PARTS = 256
"""Glyphs that one is made of at most, all the way down; an accented letter takes three."""


def unpacked(data: bytes) -> bytes:
    """Return a packed font without its metadata, once it surely unpacks to a font's size.

    Raises:
        ValueError: It unpacks to more than it says, or than `MAX_UNPACKED`.
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
    if announced > MAX_UNPACKED:
        raise ValueError("its tables are too large")
    try:
        found = brotli.Decompressor().process(file.read(packed), output_buffer_limit=announced + 1)
    except brotli.error as error:
        raise ValueError(str(error)) from error
    if len(found) > announced:
        raise ValueError("its tables are longer than they say")


def check_tables(reader: Any) -> None:
    """Refuse a font that lacks tables, or by which a small file claims much.

    Args:
        reader: fontTools' `SFNTReader`.

    Raises:
        ValueError: It is refused.
        struct.error, zlib.error: A table ends before its time, or cannot be unpacked.
    """
    if lacking := sorted(NEEDED - reader.keys()):
        raise ValueError(f"it lacks the table {lacking[0]}")
    if reader.flavor == "woff":
        _check_compressed(reader)
    _check_map(reader["cmap"])
    if {"glyf", "loca"} <= reader.keys():
        long = struct.unpack_from(">h", reader["head"], 50)[0] != 0
        _check_parts(reader["glyf"], np.frombuffer(reader["loca"], ">u4" if long else ">u2"), long)


def _check_compressed(reader: Any) -> None:
    """Check that what fontTools unpacks is no longer than it says; FreeType checks for itself."""
    if sum(entry.origLength for entry in reader.tables.values()) > MAX_UNPACKED:
        raise ValueError("its tables are too large")
    for tag in (NEEDED | {"OS/2", "glyf", "loca"}) & reader.keys():
        entry = reader.tables[tag]
        if entry.length != entry.origLength:
            reader.file.seek(entry.offset)
            packed, unpacker = reader.file.read(entry.length), zlib.decompressobj()
            unpacker.decompress(packed, entry.origLength + 1)
            if not unpacker.eof:
                raise ValueError(f"{tag} is longer than it says")


def _check_map(cmap: bytes) -> None:
    """Check that no part of the map has more characters than Unicode."""
    (count,) = struct.unpack_from(">H", cmap, 2)
    for i in range(count):
        (start,) = struct.unpack_from(">L", cmap, 8 + 8 * i)
        (kind,) = struct.unpack_from(">H", cmap, start)
        if kind == 4:
            segments = struct.unpack_from(">H", cmap, start + 6)[0] // 2
            last = np.frombuffer(cmap, ">u2", segments, start + 14)
            first = np.frombuffer(cmap, ">u2", segments, start + 16 + 2 * segments)
        elif kind in (12, 13):
            (groups,) = struct.unpack_from(">L", cmap, start + 12)
            first, last, _ = np.frombuffer(cmap, ">u4", 3 * groups, start + 16).reshape(-1, 3).T
        else:
            continue
        if np.maximum(last.astype(np.int64) - first + 1, 0).sum() > 0x110000:
            raise ValueError("its map has more characters than there are")


def _check_parts(glyf: bytes, loca: Any, long: bool) -> None:
    """Check that no glyph is made of more than `MAX_PARTS` others, or of itself."""
    starts = (loca.astype(np.int64) * (1 if long else 2)).tolist()
    parts = {
        glyph: _parts(glyf, start)
        for glyph, (start, end) in enumerate(pairwise(starts))
        if end > start and glyf[start : start + 2] >= b"\x80"  # a negative number of contours
    }
    counted: dict[int, int] = {}
    while left := parts.keys() - counted.keys():
        for glyph in left:
            if not any(part in parts and part not in counted for part in parts[glyph]):
                counted[glyph] = 1 + sum(counted.get(part, 1) for part in parts[glyph])
                if counted[glyph] > MAX_PARTS:
                    raise ValueError(f"glyph {glyph} is made of too many others")
        if left == parts.keys() - counted.keys():
            raise ValueError(f"glyph {min(left)} is made of itself")


def _parts(glyf: bytes, start: int) -> list[int]:
    """The glyphs that a composite glyph names."""
    found: list[int] = []
    place, more = start + 10, True
    while more and len(found) <= MAX_PARTS:
        flags, part = struct.unpack_from(">HH", glyf, place)
        found.append(part)
        scale = 2 if flags & 0x08 else 4 if flags & 0x40 else 8 if flags & 0x80 else 0
        place += 4 + (4 if flags & 0x01 else 2) + scale
        more = bool(flags & 0x20)
    return found
