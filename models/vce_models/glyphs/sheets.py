"""Pictures of conversions: contact sheets, single cells, animations.

Files are opened here, and not by Pillow: some versions write to the name that a link of /proc
leads to, and what `files.replacing` yields may have none.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from vce_models.arrays import Array
from vce_models.files import replacing

BOX = (220, 30, 30)
"""The red of the box around the condition."""

GAP = 28
"""How many times the space between two cells a cell's side is."""

CAPTION = 14
"""Height of a caption, in pixels."""

FRAME_MS = 60
"""How long a frame of an animation stands, in milliseconds."""

GREYS = 16
"""Shades of an animation: edges stay smooth, in a third of the bytes that all 256 take."""


def render_cell(ink: Array, side: int) -> Image.Image:
    """Render the ink of a square drawing, in [0, 1], smoothly, black on white, (side, side)."""
    light = np.multiply(ink, -255, dtype=np.float32)
    light += 255
    picture = Image.fromarray(np.rint(light, out=light).astype(np.uint8))
    return picture.resize((side, side), Image.Resampling.BICUBIC)


def render_grid(
    cells: Sequence[Image.Image], columns: int | None, captions: Sequence[str] = ()
) -> Image.Image:
    """Set a condition in a red box and its conversions into one picture, row by row.

    Args:
        cells: Pictures as `render_cell` makes them, the condition first.
        columns: How many cells stand in a row; by default about as many as there are rows.
        captions: What stands above each cell; nothing by default.
    """
    sheet = render_cells(cells, columns, captions)
    side = cells[0].width
    gap, top = _gap(side), CAPTION if captions else 0
    line = max(1, gap // 2)
    left, upper = gap - line, top + gap - line
    around = (left, upper, gap + side + line - 1, top + gap + side + line - 1)
    ImageDraw.Draw(sheet).rectangle(around, outline=BOX, width=line)
    return sheet


def render_cells(
    cells: Sequence[Image.Image], columns: int | None, captions: Sequence[str] = ()
) -> Image.Image:
    """Set cells of one size with gaps between, row by row; arguments are those of `render_grid`."""
    side = cells[0].width
    gap, top = _gap(side), CAPTION if captions else 0
    columns = _columns(len(cells), columns)
    sheet = Image.new("RGB", grid_size(len(cells), columns, side, bool(captions)), "white")
    for i, cell in enumerate(cells):
        x, y = gap + i % columns * (side + gap), gap + i // columns * (side + gap + top)
        sheet.paste(cell, (x, y + top))
        if captions:
            caption = _render_caption(captions[i], side)
            sheet.paste(caption, (x, y - gap // 2))
    return sheet


def grid_size(cells: int, columns: int | None, side: int, captions: bool) -> tuple[int, int]:
    """Return width and height, in pixels, of what `render_cells` makes of so many cells."""
    columns = _columns(cells, columns)
    gap, top = _gap(side), CAPTION if captions else 0
    return columns * (side + gap) + gap, -(-cells // columns) * (side + gap + top) + gap


def _columns(cells: int, columns: int | None) -> int:
    return min(columns or math.ceil(math.sqrt(cells)), cells)


def _gap(side: int) -> int:
    return max(2, side // GAP)


def _render_caption(text: str, width: int) -> Image.Image:
    from PIL import ImageFont

    font = ImageFont.load_default(10)
    lacking = bytes(font.getmask("\uffff"))
    text = unicodedata.normalize("NFC", text)
    # A font of so few characters would show boxes for the others.
    shown = (c if bytes(font.getmask(c)) != lacking else f"U+{ord(c):04X}" for c in text)
    strip = Image.new("L", (width, CAPTION), "white")
    ImageDraw.Draw(strip).text((0, 0), "".join(shown), fill="black", font=font)
    return strip


def stack(pictures: Sequence[Image.Image]) -> Image.Image:
    """Set pictures under each other, from the left."""
    if len(pictures) == 1:
        return pictures[0]
    heights = [picture.height for picture in pictures]
    sheet = Image.new("RGB", (max(picture.width for picture in pictures), sum(heights)), "white")
    for i, picture in enumerate(pictures):
        sheet.paste(picture, (0, sum(heights[:i])))
    return sheet


def render_frames(
    conversions: Sequence[Iterable[Image.Image]], columns: int | None
) -> list[Image.Image]:
    """Make an animation: frame k shows conversion k of every glyph, `columns` in a row."""
    return [render_cells(cells, columns) for cells in zip(*conversions, strict=True)]


def write_png(picture: Image.Image, path: Path, text: Mapping[str, str]) -> None:
    """Write a PNG in place, always to the same bytes.

    Args:
        picture: What it shows.
        path: The file.
        text: Its metadata, by keyword.
    """
    info = PngInfo()
    for key, value in text.items():
        info.add_text(key, value)
    with path.open("wb") as file:
        # A twelfth more bytes than at the usual level, in half the time.
        picture.save(file, "PNG", pnginfo=info, compress_level=3)


def write_webp(frames: Sequence[Image.Image], path: Path) -> None:
    """Write a lossless WebP in place: one frame, or several that repeat for ever."""
    first, *rest = frames
    animation: dict[str, Any] = {
        "save_all": True,
        "append_images": rest,
        "duration": FRAME_MS,
        "loop": 0,
    }
    with path.open("wb") as file:
        first.save(file, "WEBP", lossless=True, **(animation if rest else {}))


def write_gif(frames: Sequence[Image.Image], path: Path) -> None:
    """Write frames that repeat for ever as a GIF, in place."""
    step = 255 / (GREYS - 1)
    shades = [round(round(value / step) * step) for value in range(256)]
    first, *rest = [frame.convert("L").point(shades) for frame in frames]
    with path.open("wb") as file:
        first.save(file, "GIF", save_all=True, append_images=rest, duration=FRAME_MS, loop=0)


def save_png(picture: Image.Image, path: Path) -> None:
    """Write a PNG without metadata, whole or not at all."""
    with replacing(path) as temporary:
        write_png(picture, temporary, {})
