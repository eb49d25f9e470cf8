"""Fonts are read as training data: each character is a class, with a drawing from each font.

A drawing is the character as a model sees it where the font is converted: rendered from its
outlines, and framed by itself. `held_back` says which characters are kept for tests.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vce_models.characters import DEFAULT, glyph_name, parse_characters
from vce_models.config import ModelConfig
from vce_models.datasets import cache
from vce_models.datasets.drawings import Characters, Split, files, omniglot
from vce_models.errors import DataError, InputError
from vce_models.files import is_folder
from vce_models.fonts.source import ALL, SourceFont, read_font
from vce_models.glyphs import decoding
from vce_models.listing import is_font
from vce_models.progress import Progress

FontsOf = dict[int, list[SourceFont]]
"""The fonts that have an outline for a character, by code point."""

HELD_BACK = 5
"""One character in so many is only tested on."""


def held_back(codepoint: int) -> bool:
    """Say whether a character is kept for tests: whether `HELD_BACK` divides its code point.

    The code point in lower case counts. So D and d, I and i, N and n, S and s, X and x, 2 and 7
    are never trained on, whichever other characters are.
    """
    return ord(chr(codepoint).lower()[0]) % HELD_BACK == 0


def find(folder: Path) -> list[Path]:
    """List the fonts of a data set, in order of their names; none where it holds Omniglot.

    Raises:
        DataError: A folder cannot be read, or images lie beside the fonts.
    """
    if not is_folder(folder) or any(omniglot(folder)):
        return []
    found = [path for path in files(folder) if path.is_file() or path.is_dir()]
    fonts = sorted(path for path in found if is_font(path))
    images = [path for path in found if path.suffix.lower() in decoding.SUFFIXES]
    if fonts and images:
        raise DataError(
            f"{folder} holds fonts and images, {fonts[0].name} and {images[0].name}",
            hint="keep each kind in a folder of its own",
        )
    return fonts


def load(
    folder: Path,
    config: ModelConfig,
    *,
    chars: str | None = None,
    magnification: int = 1,
    progress: Progress | None = None,
) -> Split:
    """Read the characters that two or more fonts of a folder have, through the cache.

    Args:
        folder: The folder, with the fonts that `find` lists.
        config: The model's settings, for `size` and `resize`.
        chars: What `parse_characters` reads, or `all`; None means what convert takes from a font.
        magnification: How many times as large the drawings to train on are.
        progress: Called with (drawings rendered, drawings in all), for either part.

    Raises:
        ConfigError: `chars` cannot be read.
        DataError: A font is damaged, or no two fonts share a character to train on, or one to
            test on.
    """
    with _usable():
        fonts = [read_font(path) for path in find(folder)]
        fonts_of = _fonts_of(fonts, chars)
    if not fonts_of:
        raise DataError(
            f"no font of {folder} draws any of {chars or DEFAULT}",
            hint="name characters that they draw, for example --chars greek,U+00DF",
        )
    shared = {point: those for point, those in fonts_of.items() if len(those) > 1}
    if not shared:
        raise DataError(
            f"{folder} has no character that two fonts draw, of {len(fonts)} in all",
            hint="a font draws a character once, and a rule leads from one drawing to another",
        )
    train, test = (
        {point: those for point, those in shared.items() if held_back(point) is held}
        for held in (False, True)
    )
    for part, use in ((train, "to train on"), (test, "to test")):
        if not part:
            raise DataError(
                f"{folder} has no character {use} that two fonts draw",
                hint="name more with --chars; of Latin D, I, N, S and X only test, large and small",
            )
    fine = dataclasses.replace(config, size=magnification * config.size)
    return Split(_rendered(train, fine, progress), _rendered(test, config, progress))


@contextmanager
def _usable() -> Iterator[None]:
    """Turn the error of a font into that of a data set."""
    try:
        yield
    except InputError as error:
        raise DataError(str(error), hint="remove the font, or replace it") from error


def _fonts_of(fonts: Sequence[SourceFont], chars: str | None) -> FontsOf:
    """Find the fonts that have each of the characters, sorted by code point."""
    named = None if chars == ALL else parse_characters(chars or DEFAULT)
    fonts_of: FontsOf = {}
    for font in fonts:
        for point in font.present(font.named if named is None else named):
            fonts_of.setdefault(point, []).append(font)
    return dict(sorted(fonts_of.items()))


def _rendered(fonts_of: FontsOf, config: ModelConfig, progress: Progress | None) -> Characters:
    """Render every drawing, or read what was rendered from the same outlines before.

    The characters that the same fonts have make one alphabet, in which a font is one hand
    throughout.
    """
    groups: dict[tuple[str, ...], int] = {}
    names = [
        f"{groups.setdefault(tuple(font.file for font in fonts), len(groups) + 1)}"
        f"/{glyph_name(point)}"
        for point, fonts in fonts_of.items()
    ]
    starts = np.cumsum([0, *map(len, fonts_of.values())], dtype=np.int64)
    with _usable():
        pictures = cache.kept(
            _key(fonts_of, config),
            (int(starts[-1]), config.size, config.size),
            partial(_render, fonts_of, config, progress),
        )
    return Characters(pictures, starts, tuple(names))


def _key(fonts_of: FontsOf, config: ModelConfig) -> str:
    """Compute a digest of all outlines, rather than of files, as a UFO is a folder of many."""
    digest = hashlib.sha256(f"fonts 1 {config.size} {config.resize}".encode())
    for point, fonts in fonts_of.items():
        for font in fonts:
            digest.update(f"\n{point}".encode())
            for contour in font.contours(point):
                digest.update(b"\0")
                for curve in (curve for piece in contour for curve in piece):
                    digest.update(f" {len(curve)} ".encode())
                    digest.update(curve.tobytes())
    return digest.hexdigest()[:32]


def _render(fonts_of: FontsOf, config: ModelConfig, progress: Progress | None) -> NDArray[np.uint8]:
    drawings = [(point, font) for point, fonts in fonts_of.items() for font in fonts]
    pictures = np.empty((len(drawings), config.size, config.size), np.uint8)
    for i, (point, font) in enumerate(drawings):
        framed, _ = font.read(point, config)
        pictures[i] = np.rint(255 * framed.condition)
        if progress:
            progress(i + 1, len(drawings))
    return pictures
