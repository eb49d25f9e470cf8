"""Character classes: from Omniglot archives or folders, or from a tree of one's own.

Background alphabets train, evaluation alphabets test; of a tree of one's own a seeded
fifth of the characters tests.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from vce_models.config import ModelConfig
from vce_models.errors import DataError, InputError, VCEError
from vce_models.files import replacing
from vce_models.glyphs import images

Progress = Callable[[int, int], None]

HALVES = ("images_background", "images_evaluation")
HELD_BACK = 0.2
"""Share of the characters of a tree of one's own that only test."""

MAX_BYTES = 64 * 2**20
"""Largest image file read, so that an archive's entry cannot fill the memory."""


@dataclass(frozen=True)
class Characters:
    """Drawings, sorted by character.

    Attributes:
        images: (N, size, size) uint8, ink = 255.
        starts: (C + 1,) int64; character c is `images[starts[c]:starts[c + 1]]`.
        names: The character's folder, `Alphabet/character01`, C of them.
    """

    images: NDArray[np.uint8]
    starts: NDArray[np.int64]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def take(self, characters: Iterable[int]) -> Characters:
        """The characters of these numbers, in this order."""
        chosen = list(characters)
        parts = [self.images[self.starts[c] : self.starts[c + 1]] for c in chosen]
        return Characters(
            np.concatenate(parts),
            np.cumsum([0, *map(len, parts)], dtype=np.int64),
            tuple(self.names[c] for c in chosen),
        )


@dataclass(frozen=True)
class Split:
    """Characters to train on, and others to test on."""

    train: Characters
    test: Characters


@dataclass(frozen=True)
class _Drawing:
    character: str
    file: str
    read: Callable[[], bytes]


def load(
    folder: Path,
    config: ModelConfig,
    *,
    enlarged: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Split:
    """Read a data set at the size and with the resize of `config`, through the cache.

    Args:
        folder: Holds the official archives, their unpacked trees, torchvision's
            `omniglot-py`, or any tree whose leaf folders are one character each.
        config: Says `size` and `resize`.
        enlarged: Drawings to train on are this many times as large.
        seed: Chooses which characters of a tree of one's own only test.
        progress: Called with (drawings read, drawings in all).

    Raises:
        DataError: Nothing usable is there; the message names the file.
    """
    if not folder.is_dir():
        word = "is not a folder" if folder.exists() else "does not exist"
        raise DataError(f"{folder} {word}", hint="--download fetches Omniglot into a new folder")
    roots = (folder, folder / "omniglot-py")
    train, test = (find_half(roots, name) for name in HALVES)
    fine = dataclasses.replace(config, size=enlarged * config.size)
    if train and test:
        return Split(_cached(train, fine, progress), _cached(test, config, progress))
    for name, half in zip(HALVES, (train, test), strict=True):
        if half is None and (train or test):
            raise DataError(
                f"{folder} has no {name}.zip", hint="--download fetches what is missing"
            )
    everything = _cached(folder, config, progress)
    if len(everything) < 2:
        raise DataError(f"{folder} has one character", hint="training and test need one each")
    order = np.random.default_rng(seed).permutation(len(everything)).tolist()
    held = max(1, round(HELD_BACK * len(everything)))
    finest = everything if enlarged == 1 else _cached(folder, fine, progress)
    return Split(finest.take(sorted(order[held:])), everything.take(sorted(order[:held])))


def find_half(roots: Iterable[Path], name: str) -> Path | None:
    """Find the archive or the unpacked tree of one of `HALVES`."""
    candidates = (path for root in roots for path in (root / f"{name}.zip", root / name))
    return next((path for path in candidates if path.exists()), None)


def _drawings(source: Path, archives: ExitStack) -> list[_Drawing]:
    found = _zipped(source, archives) if source.is_file() else _unpacked(source)
    drawings = sorted(found, key=lambda drawing: (drawing.character, drawing.file))
    if not drawings:
        kinds = ", ".join(sorted(suffix[1:] for suffix in images.SUFFIXES))
        raise DataError(f"{source} holds no images", hint=f"it looks for {kinds}")
    return drawings


def _zipped(source: Path, archives: ExitStack) -> Iterator[_Drawing]:
    try:
        archive = archives.enter_context(zipfile.ZipFile(source))
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{source} is not a readable archive: {error}") from error

    def read(entry: zipfile.ZipInfo) -> bytes:
        try:
            return archive.read(entry)
        except (OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
            raise DataError(f"{source}: {entry.filename}: {error}") from error
        except (zipfile.BadZipFile, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
            raise DataError(f"{source}: {entry.filename} is damaged: {error}") from error

    for entry in archive.infolist():
        name = Path(entry.filename)
        if name.suffix.lower() in images.SUFFIXES and not entry.is_dir():
            _check_size(entry.file_size, f"{source}: {entry.filename}")
            character = "/".join(name.parts[1:-1]) or "."
            yield _Drawing(character, name.name, lambda entry=entry: read(entry))  # type: ignore[misc]


def _unpacked(source: Path) -> Iterator[_Drawing]:
    for root, folders, files in os.walk(source):
        folders.sort()
        for name in files:
            path = Path(root, name)
            if path.suffix.lower() in images.SUFFIXES and not name.startswith("."):
                try:
                    _check_size(path.stat().st_size, str(path))
                except OSError as error:
                    raise DataError(f"cannot read {path}: {error.strerror}") from error
                yield _Drawing(path.parent.relative_to(source).as_posix(), name, path.read_bytes)


def _check_size(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise DataError(f"{name} has {size >> 20} MB, more than any drawing has")


def _cached(source: Path, config: ModelConfig, progress: Progress | None) -> Characters:
    """Decode a source, or read what was decoded of the same bytes before."""
    with ExitStack() as archives:
        drawings = _drawings(source, archives)
        lonely = _lonely(drawings)
        if lonely:
            raise DataError(
                f"{source}: {lonely} holds one image",
                hint="a leaf folder is one character in two or more drawings",
            )
        path = _cache_folder() / f"{_key(drawings, config)}.safetensors"
        return _read_cache(path) or _decode(source, drawings, config, path, progress)


def _lonely(drawings: list[_Drawing]) -> str | None:
    counts: dict[str, int] = {}
    for drawing in drawings:
        counts[drawing.character] = counts.get(drawing.character, 0) + 1
    return next((name for name, count in counts.items() if count < 2), None)


def _cache_folder() -> Path:
    return Path(os.environ.get("VCE_CACHE") or platformdirs.user_cache_dir("vce", appauthor=False))


def _key(drawings: list[_Drawing], config: ModelConfig) -> str:
    digest = hashlib.sha256(f"1 {config.size} {config.resize}".encode())
    for drawing in drawings:
        digest.update(f"\n{drawing.character}\0{drawing.file}\0".encode())
        try:
            digest.update(hashlib.sha256(drawing.read()).digest())
        except OSError as error:
            raise DataError(f"cannot read {drawing.file}: {error.strerror}") from error
    return digest.hexdigest()[:32]


def _read_cache(path: Path) -> Characters | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names = tuple(json.loads(file.metadata()["names"]))
            return Characters(file.get_tensor("images"), file.get_tensor("starts"), names)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None  # missing or damaged: it is made anew


def _decode(
    source: Path,
    drawings: list[_Drawing],
    config: ModelConfig,
    cache: Path,
    progress: Progress | None,
) -> Characters:
    pictures = np.empty((len(drawings), config.size, config.size), np.uint8)
    names: list[str] = []
    starts: list[int] = []
    for i, drawing in enumerate(drawings):
        name = f"{source}: {drawing.character}/{drawing.file}"
        try:
            ink = images.grey(images.read(BytesIO(drawing.read()), name))
        except InputError as error:
            raise DataError(str(error), hint="remove the file, or replace it") from error
        pictures[i] = images.resize(ink, config.size, config.resize)
        if not names or names[-1] != drawing.character:
            names.append(drawing.character)
            starts.append(i)
        if progress:
            progress(i + 1, len(drawings))
    starts.append(len(drawings))
    characters = Characters(pictures, np.array(starts, np.int64), tuple(names))
    _write_cache(cache, characters)
    return characters


def _write_cache(path: Path, characters: Characters) -> None:
    from safetensors.numpy import save

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            tensors: dict[str, NDArray[Any]] = {
                "images": characters.images,
                "starts": characters.starts,
            }
            temporary.write_bytes(save(tensors, {"names": json.dumps(characters.names)}))
    except (OSError, VCEError):
        return  # a full or read-only cache folder costs time, not the run
