"""Fonts as drawings: each character is a class, and each font that has it draws it once.

A drawing is what a model sees of the character where the font is converted: framed by itself,
rendered of its outlines. `held_back` says which characters only test.
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

from vce_models.characters import glyph_name, parse_characters
from vce_models.config import ModelConfig
from vce_models.datasets import cache
from vce_models.datasets.drawings import Characters, Progress, Split, files, omniglot
from vce_models.errors import DataError, InputError
from vce_models.files import is_folder
from vce_models.fonts.source import ALL, DEFAULT_CHARACTERS, SourceFont, read_font
from vce_models.glyphs import decoding
from vce_models.listing import is_font

Drawers = dict[int, list[SourceFont]]
"""The fonts that draw a character, by code point."""

HELD_BACK = 5
"""One character in so many only tests."""


def held_back(codepoint: int) -> bool:
    """Whether a character only tests: its code point in lower case is a multiple of `HELD_BACK`.

    So D and d, I and i, N and n, S and s, X and x, 2 and 7 are never trained on, whichever
    other characters are.
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
    enlarged: int = 1,
    progress: Progress | None = None,
) -> Split:
    """Read the characters that two or more fonts of a folder draw, through the cache.

    Args:
        folder: Holds what `find` lists.
        config: Says `size` and `resize`.
        chars: What `parse_characters` reads, or `all`; without it, what convert takes of a font.
        enlarged: Drawings to train on are this many times as large.
        progress: Called with (drawings rendered, drawings in all), for either part.

    Raises:
        ConfigError: `chars` cannot be read.
        DataError: A font is damaged, or fewer than two draw any character that trains, or
            any that tests.
    """
    with _usable():
        fonts = [read_font(path) for path in find(folder)]
        drawers = _drawers(fonts, chars)
    if not drawers:
        raise DataError(
            f"no font of {folder} draws any of {chars or DEFAULT_CHARACTERS}",
            hint="name characters that they draw, for example --chars greek,U+00DF",
        )
    shared = {point: drawing for point, drawing in drawers.items() if len(drawing) > 1}
    if not shared:
        raise DataError(
            f"{folder} has no character that two fonts draw, of {len(fonts)} in all",
            hint="a font draws a character once, and a rule leads from one drawing to another",
        )
    train, test = (
        {point: drawing for point, drawing in shared.items() if held_back(point) is held}
        for held in (False, True)
    )
    for part, use in ((train, "to train on"), (test, "to test")):
        if not part:
            raise DataError(
                f"{folder} has no character {use} that two fonts draw",
                hint="name more with --chars; of Latin D, I, N, S and X only test, large and small",
            )
    fine = dataclasses.replace(config, size=enlarged * config.size)
    return Split(_rendered(train, fine, progress), _rendered(test, config, progress))


@contextmanager
def _usable() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise DataError(str(error), hint="remove the font, or replace it") from error


def _drawers(fonts: Sequence[SourceFont], chars: str | None) -> Drawers:
    """The fonts that draw each of the characters that are asked for, sorted by code point."""
    named = None if chars == ALL else parse_characters(chars or DEFAULT_CHARACTERS)
    drawers: Drawers = {}
    for font in fonts:
        for point in font.present(font.named if named is None else named):
            drawers.setdefault(point, []).append(font)
    return dict(sorted(drawers.items()))


def _rendered(drawers: Drawers, config: ModelConfig, progress: Progress | None) -> Characters:
    """Render every drawing, or read what was rendered of the same outlines before.

    Characters that the same fonts draw are one alphabet: there, a font is the same hand
    throughout.
    """
    groups: dict[tuple[str, ...], int] = {}
    names = [
        f"{groups.setdefault(tuple(font.file for font in fonts), len(groups) + 1)}"
        f"/{glyph_name(point)}"
        for point, fonts in drawers.items()
    ]
    starts = np.cumsum([0, *map(len, drawers.values())], dtype=np.int64)
    with _usable():
        pictures = cache.kept(
            _key(drawers, config),
            (int(starts[-1]), config.size, config.size),
            partial(_render, drawers, config, progress),
        )
    return Characters(pictures, starts, tuple(names))


def _key(drawers: Drawers, config: ModelConfig) -> str:
    """A digest of all outlines, which say more than files do: a UFO is a folder of many."""
    digest = hashlib.sha256(f"fonts 1 {config.size} {config.resize}".encode())
    for point, fonts in drawers.items():
        for font in fonts:
            digest.update(f"\n{point}".encode())
            for contour in font.contours(point):
                digest.update(b"\0")
                for curve in (curve for piece in contour for curve in piece):
                    digest.update(f" {len(curve)} ".encode())
                    digest.update(curve.tobytes())
    return digest.hexdigest()[:32]


def _render(drawers: Drawers, config: ModelConfig, progress: Progress | None) -> NDArray[np.uint8]:
    drawings = [(point, font) for point, fonts in drawers.items() for font in fonts]
    pictures = np.empty((len(drawings), config.size, config.size), np.uint8)
    for i, (point, font) in enumerate(drawings):
        framed, _ = font.read(point, config)
        pictures[i] = np.rint(255 * framed.condition)
        if progress:
            progress(i + 1, len(drawings))
    return pictures
