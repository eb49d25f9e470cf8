"""Set a page of plain text in a font, and count the words of it that Tesseract reads.

HarfBuzz shapes and renders the page. So kerning and features count, and fonts of either kind of
outline are rendered by the same program.
"""

from __future__ import annotations

import os
import shutil
import string
import subprocess
from pathlib import Path

import numpy as np
import uharfbuzz as hb
from numpy.typing import NDArray
from PIL import Image

TEXT = """
The quick wizard of Juniper Bay kept five dozen jugs of honey under his kitchen floor. Every
morning, before the fog had lifted from the water, Max walked along the quay with a lantern and
counted the boats: three white yachts, a grey ferry, and one small vessel without a name. Nobody
knew who owned it. When winter came, sharp and sudden, the harbour froze as hard as glass, and
children from Upper Village skated between the masts. Quite often they found strange objects in
the ice: a brass key, half a violin, letters written in purple ink. Old Mrs Garfield bought them
all. She said that each thing lost at sea belongs to somebody, and that somebody always returns.
Exactly twelve years later a young pilot knocked at her door, asked for the key, thanked her
kindly, and sailed away through the broken ice before lunch.
"""
"""Plain prose that has every letter of the alphabet, and some capitals."""

SIZE = 36
"""Pixels to an em: about nine points at 300 dots an inch."""

WIDTH = 1400
"""Width of a page with its margins, in pixels."""

MARGIN = 60
"""Width of each margin, in pixels."""

LEADING = 1.5
"""Distance from one baseline to the next, in ems."""


def missing() -> str | None:
    """Say why nothing can be read on this machine; None where Tesseract is installed."""
    if shutil.which("tesseract"):
        return None
    return "Tesseract is not installed: apt install tesseract-ocr"


def words(text: str) -> list[str]:
    """Split a text into its words, without the punctuation around them."""
    bare = (word.strip(string.punctuation + "‘’“”—–") for word in text.split())
    return [word for word in bare if word]


def page(font: Path, text: str = TEXT) -> NDArray[np.uint8]:
    """Render a page of text in a font, black on white, (height, `WIDTH`)."""
    face = hb.Face(hb.Blob.from_file_path(str(font)))
    shaper = hb.Font(face)
    scale = SIZE / face.upem
    lines = _lines(shaper, text, (WIDTH - 2 * MARGIN) / scale)
    height = round(2 * MARGIN + SIZE * LEADING * len(lines))
    raster = hb.RasterDraw()
    for number, line in enumerate(lines):
        x, y = float(MARGIN), height - MARGIN - SIZE * (1 + LEADING * number)
        shaped = _shape(shaper, line)
        for info, place in zip(shaped.glyph_infos, shaped.glyph_positions, strict=True):
            at = x + place.x_offset * scale, y + place.y_offset * scale
            raster.transform = (scale, 0, 0, scale, *at)
            raster.draw_glyph(shaper, info.codepoint)
            x += place.x_advance * scale
    raster.extents = hb.RasterExtents(0, 0, WIDTH, height, 0)
    image = raster.render()
    ink = np.frombuffer(image.buffer, np.uint8).reshape(height, image.extents.stride)
    return 255 - ink[::-1, :WIDTH]


def read(picture: NDArray[np.uint8], folder: Path) -> list[str]:
    """List the words that Tesseract reads on a page, in its order.

    Args:
        picture: The page, as `page` renders it.
        folder: Where the picture is written for Tesseract.
    """
    path = folder / "page.png"
    Image.fromarray(picture).save(path, dpi=(300, 300))
    done = subprocess.run(
        ["tesseract", path, "-", "--psm", "6", "--dpi", "300", "-l", "eng"],
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return words(done.stdout)


def share(written: list[str], found: list[str]) -> float:
    """Return the share of the words of a page that were read right and in their order.

    These are the longest common subsequence of both lists.
    """
    best = [0] * (len(found) + 1)
    for word in written:
        before = 0
        for index, other in enumerate(found):
            kept = best[index + 1]
            best[index + 1] = before + 1 if word == other else max(kept, best[index])
            before = kept
    return best[-1] / len(written)


def _lines(font: hb.Font, text: str, width: float) -> list[str]:
    """Break a text into lines that are not wider than a width, in font units."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _advance(font, longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _advance(font: hb.Font, text: str) -> int:
    return sum(place.x_advance for place in _shape(font, text).glyph_positions)


def _shape(font: hb.Font, text: str) -> hb.Buffer:
    shaped = hb.Buffer()
    shaped.add_str(text)
    shaped.guess_segment_properties()
    hb.shape(font, shaped)
    return shaped
