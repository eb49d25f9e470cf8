"""A band of black and white cells holds the characters of a template's page."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Mask
from vce_models.config import PAPERS

ROWS, COLUMNS = 6, 135
"""How many rows and columns of cells a band has."""

CAPACITY = ROWS * COLUMNS // 8
"""How many bytes a band holds, with its checksum."""

CHECKSUM = 4
"""How many bytes a checksum (CRC-32) has."""


class Page(NamedTuple):
    """What a page of a template says about itself.

    Attributes:
        paper: One of `PAPERS`.
        number: The page's number, counted from 1.
        pages: How many pages the template has.
        characters: Code points of its boxes, row by row.
    """

    paper: str
    number: int
    pages: int
    characters: tuple[int, ...]


def fits(characters: Sequence[int]) -> bool:
    """Say whether a band has room for these characters."""
    return len(_packed(Page("a4", 1, 1, tuple(characters)))) <= CAPACITY - CHECKSUM


def encode(page: Page) -> Mask:
    """Return the cells of a page's band, (`ROWS`, `COLUMNS`), true where they are black.

    Bytes are scrambled, so that black and white are even everywhere.
    """
    data = _packed(page).ljust(CAPACITY - CHECKSUM, b"\0")
    data += zlib.crc32(data).to_bytes(CHECKSUM, "big")
    bits = np.unpackbits(np.frombuffer(data, np.uint8) ^ _stir())
    cells = np.zeros(ROWS * COLUMNS, np.bool_)
    cells[: len(bits)] = bits
    return cells.reshape(ROWS, COLUMNS)


def decode(cells: Mask) -> Page | None:
    """Read a band, (`ROWS`, `COLUMNS`); None where its checksum or its content is wrong."""
    bits = cells.reshape(-1)[: CAPACITY * 8]
    data = (np.packbits(bits) ^ _stir()).tobytes()
    data, checksum = data[:-CHECKSUM], data[-CHECKSUM:]
    if zlib.crc32(data).to_bytes(CHECKSUM, "big") != checksum:
        return None
    try:
        return _unpacked(data)
    except (IndexError, ValueError):  # another version of these bytes
        return None


def _stir() -> NDArray[np.uint8]:
    """Return the bytes by which a band is scrambled, always the same."""
    return np.frombuffer(hashlib.shake_128(b"vce template 1").digest(CAPACITY), np.uint8)


def _packed(page: Page) -> bytes:
    """Return a page's bytes: its paper, its number, how many pages and characters there are.

    Then follows, for each character, how far it is from the successor of the one before, so that
    a near character takes one byte.
    """
    data = bytearray((PAPERS.index(page.paper), page.number, page.pages, len(page.characters)))
    expected = 0
    for point in page.characters:
        step = point - expected
        value = 2 * step if step >= 0 else -2 * step - 1
        while value >= 0x80:
            data.append(value & 0x7F | 0x80)
            value >>= 7
        data.append(value)
        expected = point + 1
    return bytes(data)


def _unpacked(data: bytes) -> Page:
    """Undo `_packed`.

    Raises:
        IndexError: The bytes end too early, or name no paper.
        ValueError: A number is no code point.
    """
    paper, number, pages, count = data[:4]
    points, at, expected = [], 4, 0
    for _ in range(count):
        value = shift = 0
        while data[at] >= 0x80:
            value |= (data[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
        value |= data[at] << shift
        at += 1
        points.append(expected + (value >> 1 if value % 2 == 0 else -(value + 1) // 2))
        chr(points[-1])
        expected = points[-1] + 1
    return Page(PAPERS[paper], number, pages, tuple(points))
