"""Templates are pages of boxes to write characters in, which `scan` reads back."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vce_models.characters import DEFAULT, parse_characters
from vce_models.config import PAPERS
from vce_models.errors import ConfigError
from vce_models.files import replacing
from vce_models.glyphs import barcode
from vce_models.glyphs.barcode import COLUMNS, ROWS, Page
from vce_models.glyphs.captions import font_for
from vce_models.progress import Progress

DPI = 300
"""Dots to an inch of the pages."""

EM = 18.0
"""Size of an em in the boxes, in millimetres, as all lengths here."""

BASELINE = 7.5
"""How far the baseline lies above a box's lower edge."""

X_HEIGHT, CAP_HEIGHT = 0.5, 0.7
"""Heights of the guide lines above the baseline, in ems."""

INSET = 1.2
"""Width of the border of a box, which is not read."""

CAPTION = (9.5, 5.5)
"""Width and height of the corner for a box's caption, which is not read."""

CAPTION_SIZES = (4.0, 3.2, 2.5)
"""Sizes of captions that are tried."""

CLEAR = 4
"""Dots between a caption and the edges of its corner."""

MARKER = 9.0
"""Diameter of the four rings in the corners."""

EDGE = 14.5
"""Distance of the rings' centres from the upper and the lower edge of the paper."""

DOT = 1.1
"""Diameter of the dots where boxes meet."""

MARGIN = 2.4
"""Paper between a box's border and its guide lines."""

CELL = 1.2
"""Side of a cell of the bands."""

SMOOTH = 8
"""How many times as fine a disc is rendered before its edge is smoothed."""

MAX_PAGES = 255
"""Most pages of a template; a band has one byte for their number."""

TITLE = "vce template"
"""The title of the PDF."""

BLACK, GREY, WHITE = (0, 0, 0), (150, 150, 150), (255, 255, 255)

LINE, FAINT = (255, 176, 160), (255, 214, 204)
"""Light reds, as light as paper in the red channel, which is what `scan` reads."""

Colour = tuple[int, int, int]

Points = NDArray[np.float64]
"""Points in millimetres or in pixels, x first, (..., 2)."""


@dataclass(frozen=True)
class Layout:
    """Where everything lies on a page, in millimetres from the paper's upper left corner.

    Attributes:
        paper: One of `PAPERS`.
        width: The paper's width.
        height: The paper's height.
        columns: Boxes in a row.
        rows: Boxes in a column.
        box: Width and height of a box.
    """

    paper: str
    width: float
    height: float
    columns: int
    rows: int
    box: tuple[float, float]

    @property
    def left(self) -> float:
        """Left edge of the first column."""
        return (self.width - self.columns * self.box[0]) / 2

    @property
    def top(self) -> float:
        """Upper edge of the first row."""
        return (self.height - self.rows * self.box[1]) / 2

    @property
    def right(self) -> float:
        """Where the last column ends."""
        return self.width - self.left

    def markers(self) -> Points:
        """Return the centres of the four rings, (4, 2), clockwise from the upper left."""
        left, right = self.left + MARKER / 2, self.right - MARKER / 2
        upper, lower = EDGE, self.height - EDGE
        return np.array([(left, upper), (right, upper), (right, lower), (left, lower)])

    def dots(self) -> Points:
        """Return the centres of the dots, (N, 2)."""
        across = self.left + self.box[0] * np.arange(self.columns + 1)
        down = self.top + self.box[1] * np.arange(self.rows + 1)
        return np.stack(np.meshgrid(across, down), -1).reshape(-1, 2)

    def corners(self) -> Points:
        """Return the upper left corners of the boxes, row by row, (N, 2)."""
        across = self.left + self.box[0] * np.arange(self.columns)
        down = self.top + self.box[1] * np.arange(self.rows)
        return np.stack(np.meshgrid(across, down), -1).reshape(-1, 2)

    def bands(self) -> Points:
        """Return the centres of both bands' cells, upper first, (2, `ROWS`, `COLUMNS`, 2)."""
        across = self.width / 2 + CELL * (np.arange(COLUMNS) - (COLUMNS - 1) / 2)
        down = CELL * (np.arange(ROWS) - (ROWS - 1) / 2)
        middles = np.array([EDGE, self.height - EDGE])
        grid = np.empty((2, ROWS, COLUMNS, 2))
        grid[..., 0] = across
        grid[..., 1] = middles[:, None, None] + down[:, None]
        return grid


LAYOUTS = {
    "a4": Layout("a4", 210.0, 297.0, 6, 8, (31.0, 30.0)),
    "letter": Layout("letter", 215.9, 279.4, 6, 8, (31.0, 28.0)),
}
"""The layouts, by the name of the paper."""


def choose(text: str | None, chars: str | None) -> list[int]:
    """List the code points that are asked for, in order, without repeats or blanks.

    Args:
        text: Characters that are all asked for.
        chars: What `parse_characters` reads. It is `characters.DEFAULT` where both are None.

    Raises:
        ConfigError: `chars` cannot be read.
    """
    wanted = [ord(character) for character in unicodedata.normalize("NFC", text or "")]
    if text is None and chars is None:
        chars = DEFAULT
    wanted += parse_characters(chars) if chars is not None else []
    return [point for point in dict.fromkeys(wanted) if not _blank(point)]


def _blank(point: int) -> bool:
    return unicodedata.category(chr(point)) in ("Zs", "Zl", "Zp", "Cc", "Cf")


def paginate(characters: Sequence[int], paper: str) -> list[Page]:
    """Share characters out among pages, in their order.

    Raises:
        ConfigError: There are none or too many characters, or the paper is unknown.
    """
    if paper not in LAYOUTS:
        raise ConfigError(f"--paper is {paper!r}", hint=f"use {' or '.join(PAPERS)}")
    if not characters:
        raise ConfigError("there is no character to write", hint="for example: --chars latin")
    layout = LAYOUTS[paper]
    boxes, pages = layout.columns * layout.rows, [[characters[0]]]
    for point in characters[1:]:
        if len(pages[-1]) < boxes and barcode.fits([*pages[-1], point]):
            pages[-1].append(point)
        else:
            pages.append([point])
    if len(pages) > MAX_PAGES:
        raise ConfigError(
            f"{len(characters)} characters are too many: they take {len(pages)} pages",
            hint=f"choose fewer with --chars; {MAX_PAGES} pages are the most",
        )
    return [Page(paper, i, len(pages), tuple(page)) for i, page in enumerate(pages, 1)]


def render(page: Page) -> Image.Image:
    """Render a page at `DPI`, in RGB."""
    layout = LAYOUTS[page.paper]
    image = Image.new("RGB", (_dots(layout.width), _dots(layout.height)), "white")
    pen = ImageDraw.Draw(image)
    for (left, top), point in zip(layout.corners(), page.characters, strict=False):
        _render_box(pen, float(left), float(top), layout.box, point)
    for x, y in layout.dots():
        _paste_disc(image, x, y, DOT, BLACK)
    for x, y in layout.markers():
        for share, colour in ((1, BLACK), (5 / 7, WHITE), (3 / 7, BLACK)):
            _paste_disc(image, x, y, share * MARKER, colour)
    cells = barcode.encode(page)
    for band in layout.bands():
        for x, y in band[cells]:
            pen.rectangle(_box(x - CELL / 2, y - CELL / 2, x + CELL / 2, y + CELL / 2), BLACK)
    _render_words(pen, layout, page)
    return image


def write(
    pages: Sequence[Page],
    path: Path,
    form: str,
    *,
    clobber: bool = True,
    progress: Progress = lambda done, total: None,
) -> None:
    """Write pages as one file, always the same bytes, whole or not at all.

    Args:
        pages: One page for a `png`, one or more for a `pdf`.
        path: The file.
        form: `pdf` or `png`.
        clobber: Whether to replace a file that exists.
        progress: Called with (pages rendered, pages in all).

    Raises:
        OutputError: The file cannot be written, or must not be replaced.
    """
    # Some versions of Pillow lose a file without a name if they open it themselves.
    with replacing(path, clobber=clobber) as temporary, temporary.open("w+b") as file:
        if form == "png":
            picture = render(pages[0]).quantize(64)
            picture.save(file, "PNG", dpi=(DPI, DPI), optimize=True)
            return
        for i, page in enumerate(pages):
            first = {} if i else {"title": TITLE, "creationDate": (), "modDate": ()}
            render(page).save(file, "PDF", resolution=DPI, quality=90, append=i > 0, **first)
            file.flush()
            progress(i + 1, len(pages))


def _render_box(
    pen: ImageDraw.ImageDraw, left: float, top: float, box: tuple[float, float], point: int
) -> None:
    right, bottom = left + box[0], top + box[1]
    for x in (left, right):
        _bar(pen, x, x, top, bottom, 0.2, FAINT)
    for y in (top, bottom):
        _bar(pen, left, right, y, y, 0.2, FAINT)
    baseline = bottom - BASELINE
    for height, colour in ((CAP_HEIGHT, FAINT), (X_HEIGHT, FAINT), (0, LINE)):
        y = baseline - height * EM
        _bar(pen, left + MARGIN, right - MARGIN, y, y, 0.3, colour)
    caption, font, lowest = _caption(point)
    under = min(_dots(4.8), _dots(CAPTION[1]) - CLEAR - lowest)
    pen.text((_dots(left + MARGIN), _dots(top) + under), caption, GREY, font, anchor="ls")


def _caption(point: int) -> tuple[str, ImageFont.FreeTypeFont | None, int]:
    """Choose a caption that fits into its corner, its font, and how far it reaches down."""
    character = caption = chr(point)
    if unicodedata.combining(character):
        caption = f"\N{DOTTED CIRCLE}{caption}"
    room = _dots(CAPTION[0] - MARGIN) - CLEAR, _dots(CAPTION[1]) - 2 * CLEAR
    for size in CAPTION_SIZES:
        if font := font_for(character, _dots(size)):
            left, top, right, bottom = font.getbbox(caption, anchor="ls")
            if right - min(left, 0) <= room[0] and bottom - top <= room[1]:
                return caption, font, round(bottom)
    font, caption = font_for("U", _dots(2.4)), f"U+{point:04X}"
    return caption, font, 0


def _render_words(pen: ImageDraw.ImageDraw, layout: Layout, page: Page) -> None:
    of = f"page {page.number} of {page.pages}"
    above, below = layout.top - 2.2, layout.height - layout.top + 4.6
    first = "Write each character on its line, with a black or blue pen. Leave out what you like."
    second = "Scan or photograph the whole page, its four rings in view."
    for y, words, last in ((above, first, of), (below, second, "vce convert page.jpg -o hand.ttf")):
        font = font_for("a", _dots(3.2))
        pen.text((_dots(layout.left), _dots(y)), words, GREY, font, anchor="ls")
        pen.text((_dots(layout.right), _dots(y)), last, GREY, font, anchor="rs")


def _bar(
    pen: ImageDraw.ImageDraw,
    left: float,
    right: float,
    top: float,
    bottom: float,
    width: float,
    colour: Colour,
) -> None:
    """Fill an upright or level bar; all bars of one width are equally many pixels wide."""
    thick = _dots(width)
    x, y = _dots(left) - thick // 2, _dots(top) - thick // 2
    far = (x + _dots(right - left) + thick - 1, y + _dots(bottom - top) + thick - 1)
    pen.rectangle(((x, y), far), fill=colour)


def _paste_disc(image: Image.Image, x: float, y: float, diameter: float, colour: Colour) -> None:
    """Paste a disc with smooth edges; its centre may lie between pixels."""
    middle, radius = np.array((x, y)) * DPI / 25.4, diameter / 2 * DPI / 25.4
    corner = np.floor(middle - radius).astype(int)
    side = int(2 * radius) + 3
    disc = Image.new("L", (side * SMOOTH, side * SMOOTH))
    left, top = ((middle - radius - corner) * SMOOTH).tolist()
    right, bottom = ((middle + radius - corner) * SMOOTH - 1).tolist()
    ImageDraw.Draw(disc).ellipse((left, top, right, bottom), fill=255)
    image.paste(colour, tuple(corner.tolist()), disc.reduce(SMOOTH))


def _box(left: float, top: float, right: float, bottom: float) -> tuple[int, int, int, int]:
    """Return a rectangle of pixels as Pillow wants it: with its last row and column."""
    return _dots(left), _dots(top), _dots(right) - 1, _dots(bottom) - 1


def _dots(length: float) -> int:
    return round(float(length) * DPI / 25.4)
