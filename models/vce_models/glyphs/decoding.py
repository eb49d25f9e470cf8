"""Image files from anywhere, decoded with limits: the only place that calls Pillow's readers.

A file is taken for what its first bytes say, never for its suffix, and by one of the readers
below: Pillow has thirty more, one of which starts Ghostscript. What it may cost is decided
before any pixel is decoded.
"""

from __future__ import annotations

import os
import re
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from PIL import Image, ImageOps

from vce_models.errors import InputError

READERS: dict[str, tuple[bytes, str]] = {
    "PNG": (rb"\x89PNG\r\n\x1a\n", "PngImagePlugin.PngImageFile"),
    "JPEG": (rb"\xff\xd8\xff", "JpegImagePlugin.JpegImageFile"),
    "GIF": (rb"GIF8[79]a", "GifImagePlugin.GifImageFile"),
    "BMP": (rb"BM", "BmpImagePlugin.BmpImageFile"),
    "PNM": (rb"P[1-6Ff]\s", "PpmImagePlugin.PpmImageFile"),
    "TIFF": (rb"II[*+]\0|MM\0[*+]", "TiffImagePlugin.TiffImageFile"),
    "WebP": (rb"RIFF....WEBP", "WebPImagePlugin.WebPImageFile"),
    "AVIF": (rb"....ftyp(avif|avis|mif1|msf1)", "AvifImagePlugin.AvifImageFile"),
    "JPEG 2000": (
        rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n",
        "Jpeg2KImagePlugin.Jpeg2KImageFile",
    ),
}
"""Formats that are read: how their files begin, and which class of Pillow reads them."""

SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".pbm", ".pgm", ".ppm", ".pnm"),
    *(".tif", ".tiff", ".webp", ".avif", ".jp2", ".j2k", ".jpf", ".jpx"),
}
"""Suffixes of the files in a folder that are taken for images."""

MAX_BYTES = 64 * 2**20
"""Size of the longest file that is read; a page in colour at 600 dots an inch is shorter."""

MAX_MEMORY = 160 * 2**20
"""Most memory that decoding may take, in bytes; such a page takes 140 MB."""

MAX_PIXELS = 100_000_000
"""Most pixels of an image in any mode; a JPEG may have twice as many, as it is decoded smaller."""

MAX_ASPECT = 256
"""Greatest ratio of an image's sides; a longer image is no drawing."""

MAX_TEXT = 4 * 2**20
"""Size of the longest PNM in decimal digits, which Python reads one by one."""

MAX_TAG = 4 * 2**20
"""Longest value of a TIFF's tag, which becomes a Python number for every four bytes."""

OPENING, LOADING = 5_000, 300_000
"""How often Pillow may read from a file to find the first pixel, and then to decode all.

Files of millions of chunks, comments or segments, of a few bytes each, would take minutes.
"""

MAX_SCANS = 64
"""Most scans of a JPEG, each of which passes over the whole image; progressive ones have ten."""

STRIPS, TILES = 273, 324
"""Tags of a TIFF that say where its strips or its tiles begin."""

ROWS_PER_STRIP, ORIENTATION = 278, 274
"""Tags that say how many rows of pixels a strip has, and how an image is turned (1: not at all)."""

MAX_STRIPS = 40_000
"""Most strips or tiles of a TIFF: one for each row of each colour of the largest image."""

DRAFT = 1024
"""A JPEG of a single glyph is decoded smaller, but no side below this many pixels."""

MODES = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "I", "F"}
"""Pillow's modes that are read, beside those of 16 bits."""

_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    LookupError,
    RuntimeError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    BufferError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""Errors that Pillow's readers raise on damaged files."""


def contents(source: Path | IO[bytes], name: str, most: int = MAX_BYTES) -> bytes:
    """Read a file or a stream, which may not be longer than it should.

    Args:
        source: A path, or an open binary file.
        name: What errors call it.
        most: Bytes.

    Raises:
        InputError: It is missing, a folder, longer than that, or cannot be read.
    """
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                data = file.read(most + 1)
        else:
            data = source.read(most + 1)
    except FileNotFoundError as error:
        raise InputError(f"{name} does not exist") from error
    except IsADirectoryError as error:
        raise InputError(f"{name} is a folder, not a file") from error
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or error}") from error
    if len(data) > most:
        raise InputError(
            f"{name} has more than {most >> 20} MB, and is too large",
            hint="make it smaller first",
        )
    return data


def decode(data: bytes, name: str, shortest: int = DRAFT) -> Image.Image:
    """Decode an image whole, as it is to be looked at.

    Args:
        data: The file, of one of the formats of `READERS`.
        name: What errors call it.
        shortest: Side in pixels down to which a JPEG may be decoded smaller, where that is
            a half, a quarter or an eighth.

    Raises:
        InputError: It is not such an image, is damaged, or would cost too much.
    """
    begins = ((form, re.match(first, data, re.DOTALL)) for form, (first, _) in READERS.items())
    form = next((form for form, found in begins if found), None)
    if form is None:
        raise InputError(f"{name} is not an image", hint=f"{', '.join(READERS)} work")
    file = _Sparing(data, OPENING, MAX_TAG if form == "TIFF" else MAX_BYTES)
    try:
        with warnings.catch_warnings(), _unheard(form):
            # Pillow warns on standard error, of sizes, palettes and metadata.
            warnings.simplefilter("ignore")
            if form == "TIFF":
                _check_strips(data)
            with _opened(form, file) as image:
                scans = _scans(data, file.tell()) if form == "JPEG" else 1
                _check(image, form, len(data), name, shortest, scans)
                file.left, file.longest = LOADING, MAX_BYTES
                image.load()
                ImageOps.exif_transpose(image, in_place=True)
                decoded: Image.Image = image
                return decoded
    except ModuleNotFoundError as error:
        raise InputError(
            f"{name} is an image of the form {form}, for which this Pillow is too old",
            hint="pip install --upgrade pillow, or save it as PNG",
        ) from error
    except _DAMAGE as error:
        raise InputError(f"{name} is damaged: {_said(error)}") from error


def reduced(image: Image.Image, side: int, *, colours: bool = False) -> Image.Image:
    """Return an image of mode L, LA, I or F with sides of this length at most, by areas' averages.

    Args:
        image: As `decode` gives it.
        side: In pixels.
        colours: Keep colours; the mode is RGB or RGBA where there are any.
    """
    factor = -(-max(image.size) // side)
    if factor == 1 and not colours:
        return _plain(image)
    width, height = image.size
    # The image is reduced band by band, so that what is converted needs little memory.
    step = factor * max(1, 2**20 // (factor * width))
    bands = [
        _averaged(image.crop((0, top, width, min(height, top + step))), factor, colours)
        for top in range(0, height, step)
    ]
    whole = Image.new(bands[0].mode, (bands[0].width, sum(band.height for band in bands)))
    for i, band in enumerate(bands):
        whole.paste(band, (0, i * step // factor))
    return whole


def _averaged(image: Image.Image, factor: int, colours: bool) -> Image.Image:
    """Average areas before colours are converted where Pillow can, as that is less to convert."""
    form = _coloured if colours else _plain
    if image.mode in ("L", "RGB", "RGBA", "LA", "CMYK", "I", "F"):
        return form(image.reduce(factor))
    return form(image).reduce(factor)


def _coloured(image: Image.Image) -> Image.Image:
    """Convert an image to RGB or RGBA, unless it is grey."""
    if image.mode in ("1", "L", "LA", "F") or image.mode.startswith("I"):
        return _plain(image)
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _plain(image: Image.Image) -> Image.Image:
    """Convert an image to L, LA, I or F."""
    if image.mode == "F":
        return image
    if image.mode.startswith("I"):
        return image.convert("I")
    if not image.has_transparency_data:
        return image.convert("L")
    return image.convert("RGBA").convert("LA")


class _Sparing(BytesIO):
    """A file that raises OSError if it is read too often, or too much of it at a time.

    Args:
        data: What is in the file.
        reads: How often it may be read.
        longest: How many bytes may be read at a time.
    """

    def __init__(self, data: bytes, reads: int, longest: int) -> None:
        super().__init__(data)
        self.left, self.longest = reads, longest

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError("it has too many parts")
        if size is not None and size > self.longest:
            raise OSError("a part of it is too long")
        return super().read(size)


def _opened(form: str, file: BytesIO) -> Any:
    module, name = READERS[form][1].split(".")
    return getattr(import_module(f"PIL.{module}"), name)(file, "")


_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
"""A marker that ends the data of a scan: any but those that restart it."""


def _scans(data: bytes, place: int) -> int:
    """Count the scans of a JPEG.

    Args:
        data: The file.
        place: Where the data of the first scan begin.

    Raises:
        OSError: There are more than `MAX_SCANS`, or too many segments between them.
    """
    scans = 1
    for _ in range(OPENING):
        found = _MARKER.search(data, place)
        if found is None or found[1] == b"\xd9":
            return scans
        scans += found[1] == b"\xda"
        if scans > MAX_SCANS:
            break
        place = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    raise OSError("it has too many parts")


def _check_strips(data: bytes) -> None:
    """Refuse a TIFF of too many strips or tiles, for each of which Pillow makes an object.

    Raises:
        OSError: It has too many.
        struct.error: It ends too early.
    """
    order, large = "<>"[data[:1] == b"M"], b"+" in data[2:4]
    (start,) = struct.unpack_from(f"{order}{'Q' if large else 'L'}", data, 8 if large else 4)
    (count,) = struct.unpack_from(f"{order}{'Q' if large else 'H'}", data, start)
    first, length = (start + 8, 20) if large else (start + 2, 12)
    for i in range(min(count, OPENING)):
        layout = f"{order}HH{'Q' if large else 'L'}"
        tag, _, number = struct.unpack_from(layout, data, first + length * i)
        if tag in (STRIPS, TILES) and number > MAX_STRIPS:
            raise OSError("it has too many parts")


def _check(
    image: Image.Image, form: str, length: int, name: str, shortest: int, scans: int
) -> None:
    """Refuse what would take too much time or memory.

    Raises:
        InputError: It would, or its mode is none that can be read.
    """
    width, height = image.size
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise InputError(
            f"{name} has {width}x{height} pixels, which is no drawing", hint="cut it to the glyph"
        )
    memory, most = 0.0, MAX_PIXELS
    if form == "JPEG":
        most = 2 * MAX_PIXELS
        if scans > 1 or "progressive" in image.info:
            memory = 6.0 * width * height  # two bytes of every number are kept until the end
        image.draft(None, (shortest, shortest))
    memory += image.width * image.height * _bytes_a_pixel(image, form)
    if width * height > most or memory > MAX_MEMORY or (_is_text(image) and length > MAX_TEXT):
        raise InputError(
            f"{name} is too large: {width}x{height} pixels", hint="make it smaller first"
        )
    if image.mode not in MODES and not image.mode.startswith("I;16"):
        raise InputError(
            f"{name} has colours of the kind {image.mode}, which are not read",
            hint="save it in grey or in RGB",
        )


def _bytes_a_pixel(image: Any, form: str) -> float:
    """Estimate the memory that a pixel takes, with what the decoder keeps beside the image.

    Palettes and 16 bits count more than they take, for the time that converting them takes.

    Args:
        image: An image that is opened, of the class of its format: Pillow's types do not say what
            each of them adds to `Image.Image`.
        form: One of `READERS`.
    """
    own = {"1": 1, "L": 1, "P": 3, "RGBA": 5}.get(image.mode, 3 if "16" in image.mode else 4)
    beside = {"WebP": 12, "AVIF": 12, "JPEG 2000": 16}.get(form, 0)
    if form == "TIFF":  # a whole strip at a time
        rows = image.tag_v2.get(ROWS_PER_STRIP, image.height)
        beside = own * min(1.0, rows / max(1, image.height))
    turned = "exif" in image.info or form == "TIFF"  # asked for it, a PNG would be decoded
    return own + beside + (own if turned and image.getexif().get(ORIENTATION, 1) != 1 else 0)


def _is_text(image: Any) -> bool:
    """Say whether an opened image is a PNM in decimal digits."""
    return bool(image.tile) and image.tile[0][0] == "ppm_plain"


def _said(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


_stderr = threading.Lock()


@contextmanager
def _unheard(form: str) -> Iterator[None]:
    """Send nowhere what libtiff writes on standard error by itself; the error is raised, too."""
    if form != "TIFF":
        yield
        return
    with _stderr:
        try:
            kept = os.dup(2)
        except OSError:  # closed
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
