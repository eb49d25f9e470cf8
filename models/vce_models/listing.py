"""Glyphs are listed before they are read: images, folders of images, characters of fonts."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from vce_models.arrays import Array
from vce_models.config import ModelConfig
from vce_models.errors import ConfigError, InputError
from vce_models.files import is_folder
from vce_models.framing import OMNIGLOT, Framing
from vce_models.glyphs import images
from vce_models.glyphs.decoding import READERS, SUFFIXES
from vce_models.glyphs.letters import Crop
from vce_models.glyphs.photos import Polarity

if TYPE_CHECKING:
    from vce_models.fonts.outline import Contour
    from vce_models.fonts.placement import Placement
    from vce_models.fonts.source import SourceFont
    from vce_models.fonts.unplaced import Unplaced

FONT_SUFFIXES = {".ttf", ".otf", ".ttc", ".otc", ".woff", ".woff2", ".ufo"}
"""Suffixes of files that are read as fonts."""

PAGE_BYTES = 3_000
"""Size of the shortest file that may be the picture of a page, in bytes. At 100 dots to an inch, in
black and white, a page takes 3,800."""


@dataclass(frozen=True)
class Reading:
    """How glyphs are found and read.

    Attributes:
        config: The model's settings, for size and resize.
        polarity: Which pixels of images are ink.
        fit: Whether to frame the glyphs of images.
        text: Characters to take from a font.
        chars: The same, as names, code points and ranges.
        location: Where on its axes to take a variable font.
        framing: How the drawings lie that the model was trained on.
        crop: Which ink of an image is the glyph.
    """

    config: ModelConfig
    polarity: Polarity = "auto"
    fit: bool = True
    text: str | None = None
    chars: str | None = None
    location: str | None = None
    framing: Framing = OMNIGLOT
    crop: Crop = "whole"


@dataclass(frozen=True)
class Glyph:
    """A glyph that was found, and not yet read.

    Attributes:
        name: How outputs and captions call it: the file's stem, or `uni0041`.
        source: How errors and the manifest call it.
        read: Returns condition and detail, and the place in its font where there is one; raises
            InputError.
        codepoint: The character of a font's glyph.
        font: The font that it comes from, if it comes from one.
        outline: Returns the outline of a font's glyph or an SVG, in its own units.
        page: Returns the ink of an image's page, and its place in a font if a template says so.
        note: What should be said of it, if anything.
    """

    name: str
    source: str
    read: Callable[[], tuple[images.Framed, Placement | None]]
    codepoint: int | None = None
    font: SourceFont | None = None
    outline: Callable[[], list[Contour]] | None = None
    page: Callable[[], tuple[Array, Placement | None]] | None = None
    note: str | None = None


@dataclass(frozen=True)
class Converted:
    """A glyph and its conversions.

    Attributes:
        glyph: What was converted.
        drawing: Condition and detail.
        placement: Where the canvas lay in the font.
        conversions: One for each rule, as the result needs them: arrays, pictures or outlines.
            They may be an iterator, which yields them once.
    """

    glyph: Glyph
    drawing: images.Framed
    placement: Placement | None
    conversions: Iterable[Any]


def find(path: Path, reading: Reading) -> list[Glyph]:
    """List the glyphs of an image, a folder of images in order of their names, or a font.

    Raises:
        InputError: The folder cannot be read or holds no image; the font cannot be read,
            or lacks the characters.
        ConfigError: Images are asked for what only fonts have, characters or a place on axes.
    """
    if is_font(path):
        return _of_font(path, reading)
    _check_is_drawing(str(path), reading)
    if is_svg(path):
        return [_of_svg(path, reading)]
    if not is_folder(path):
        return _of_image(path, reading)
    files = sorted(Path(entry.path) for entry in _entries(path) if _is_image(entry))
    if not files:
        fonts = sorted(entry.name for entry in _entries(path) if is_font(Path(entry.name)))
        hint = f"name the font: {path / fonts[0]}" if fonts else f"{', '.join(READERS)} work"
        raise InputError(f"{path} holds no images", hint=hint)
    return [glyph for file in files for glyph in _of_image(file, reading)]


def is_svg(path: Path) -> bool:
    """Say by its name whether a path is read as the outline of a glyph."""
    return path.suffix.lower() == ".svg"


def is_font(path: Path) -> bool:
    """Say by its name whether a path is read as a font."""
    return path.suffix.lower() in FONT_SUFFIXES


def left_out(path: Path) -> list[str]:
    """List the names in a folder that `find` does not read; hidden files are not counted."""
    if not is_folder(path):
        return []
    entries = (entry for entry in _entries(path) if not entry.name.startswith("."))
    return sorted(entry.name for entry in entries if not _is_image(entry))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}") from error


def codepoint(glyph: Glyph) -> int:
    """Return the character that a glyph stands for in a font.

    Raises:
        ConfigError: An image's name does not say which.
    """
    if glyph.codepoint is not None:
        return glyph.codepoint
    from vce_models.characters import codepoint_of

    if (found := codepoint_of(glyph.name)) is None:
        raise ConfigError(
            f"{glyph.source} does not say which character it is",
            hint="name it by its character, its name or code point: a.png, eacute.png, uni0061.png",
        )
    return found


def read_drawing(glyph: Glyph, codepoint: int, config: ModelConfig) -> Unplaced:
    """Read an image or an SVG as a drawing for a font.

    Raises:
        InputError: It cannot be read, shows no glyph, or shows ink where a space has none.
    """
    from vce_models.fonts import building, svg, unplaced

    if glyph.page is None:
        drawing = unplaced.from_svg(codepoint, svg.read(Path(glyph.source)))
    else:
        ink, placement = glyph.page()
        drawing = unplaced.from_image(codepoint, ink, placement, glyph.source, config)
    if codepoint in building.SPACES:
        hint = "name it after the character that it shows; every font gets a space by itself"
        raise InputError(f"{glyph.source} holds ink, and a space has none", hint=hint)
    return drawing


def from_stream(stream: IO[bytes], reading: Reading) -> Glyph:
    """Take the glyph of an image that arrives on a pipe."""
    _check_is_drawing("standard input", reading)

    def read() -> tuple[images.Framed, None]:
        return read_image(stream, "standard input", reading), None

    def page() -> tuple[Array, None]:
        return images.read_page(stream, "standard input", reading.polarity, reading.crop), None

    return Glyph("stdin", "standard input", read, page=page)


def _check_is_drawing(called: str, reading: Reading) -> None:
    """Refuse what is asked of fonts alone.

    Raises:
        ConfigError: Characters or a place on axes are asked for.
    """
    if reading.location is not None:
        raise ConfigError(
            f"{called} is no font, and has no axes", hint="leave out --location, or give a font"
        )
    if reading.text is not None or reading.chars is not None:
        raise ConfigError(
            f"{called} is no font, and has no characters to choose",
            hint="leave out --text and --chars, or give a .ttf or an .otf",
        )


def _is_image(entry: os.DirEntry[str]) -> bool:
    """Say whether a file may be read as an image; reading a pipe would wait for its writer."""
    suffix = Path(entry.name).suffix.lower()
    return suffix in SUFFIXES and not entry.name.startswith(".") and not _is_special(entry)


def _is_special(entry: os.DirEntry[str]) -> bool:
    try:
        return not stat.S_ISREG(entry.stat().st_mode)
    except OSError:  # a link to nowhere, as reading it will say
        return False


def _of_image(path: Path, reading: Reading) -> list[Glyph]:
    """List the one glyph of an image, or all that are written on a template."""
    if is_large(path) and (written := _of_template(path, reading)):
        return written

    def read() -> tuple[images.Framed, None]:
        return read_image(path, str(path), reading), None

    def page() -> tuple[Array, None]:
        return images.read_page(path, str(path), reading.polarity, reading.crop), None

    return [Glyph(path.stem, str(path), read, page=page)]


def _of_svg(path: Path, reading: Reading) -> Glyph:
    """Take the outline of an SVG as a glyph."""
    from vce_models.fonts import raster, svg

    def read() -> tuple[images.Framed, Placement]:
        framed = raster.framed(svg.read(path).contours, reading.config, reading.framing)
        if framed is None:
            raise InputError(f"{path} is blank")
        return framed

    return Glyph(path.stem, str(path), read, outline=lambda: svg.read(path).contours)


def is_large(path: Path) -> bool:
    """Say whether a file may be the picture of a whole page."""
    try:
        return path.stat().st_size >= PAGE_BYTES
    except OSError:
        return False


def _of_template(path: Path, reading: Reading) -> list[Glyph]:
    """List what is written on a template's page; nothing where an image shows none."""
    from vce_models.characters import called, glyph_name
    from vce_models.fonts.frames import placement_of
    from vce_models.glyphs import scan

    def glyph(written: scan.Written) -> Glyph:
        name = f"{called(written.codepoint)} of {path}"

        def read() -> tuple[images.Framed, None]:
            return images.frame(written.ink, name, reading.config, reading.framing), None

        def page() -> tuple[Array, Placement]:
            return written.ink, placement_of(written)

        note = f"{name} goes on beyond its box, and is cut" if written.is_cut else None
        return Glyph(
            glyph_name(written.codepoint), name, read, written.codepoint, page=page, note=note
        )

    return [glyph(written) for written in scan.read(path) or []]


def read_image(source: Path | IO[bytes], name: str, reading: Reading) -> images.Framed:
    """Read the glyph of an image; errors call it `name`.

    Raises:
        InputError: The image cannot be read, or holds no glyph.
    """
    return images.read_glyph(
        source,
        name,
        reading.config,
        reading.polarity,
        reading.fit,
        reading.framing,
        reading.crop,
    )


def _of_font(path: Path, reading: Reading) -> list[Glyph]:
    """List the glyphs of the characters that are taken from a font."""
    from vce_models.characters import called, glyph_name
    from vce_models.fonts.source import read_font

    font = read_font(path, reading.location)

    def glyph(codepoint: int) -> Glyph:
        def read() -> tuple[images.Framed, Placement]:
            return font.read(codepoint, reading.config, reading.framing)

        name, source = glyph_name(codepoint), f"{called(codepoint)} of {path}"
        return Glyph(name, source, read, codepoint, font, partial(font.contours, codepoint))

    return [glyph(codepoint) for codepoint in font.characters(reading.text, reading.chars)]
