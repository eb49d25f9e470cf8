"""Characters and their drawings, from Omniglot's archives or folders, or from one's own tree.

Omniglot's background alphabets are trained on, and its evaluation alphabets are tested on. A
tree of one's own has no such halves: a fifth of its characters, chosen by a seed, is tested on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Integers
from vce_models.config import ModelConfig
from vce_models.datasets import cache
from vce_models.errors import DataError, InputError
from vce_models.files import exists, is_folder
from vce_models.glyphs import decoding, images
from vce_models.glyphs.photos import unruled
from vce_models.progress import Progress

HALVES = ("images_background", "images_evaluation")
"""Names of Omniglot's archives and folders: characters to train on, and to test on."""

HELD_BACK = 0.2
"""Share of the characters of a tree of one's own that are only tested on."""

PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Methods by which archives may be packed; by others an entry is unpacked at once, however long."""

_DAMAGE = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    RuntimeError,
    ValueError,
    LookupError,
    EOFError,
    OverflowError,
)
"""Errors that zipfile raises on damaged archives."""


@dataclass(frozen=True)
class Characters:
    """Drawings, sorted by character.

    Attributes:
        images: (N, size, size) uint8, ink = 255.
        starts: (C + 1,) int64; character c is `images[starts[c]:starts[c + 1]]`.
        names: The character's folder, `Alphabet/character01`, C of them.
    """

    images: NDArray[np.uint8]
    starts: Integers
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def take(self, characters: Iterable[int]) -> Characters:
        """Return the characters of these numbers, in this order."""
        chosen = list(characters)
        parts = [self.images[self.starts[c] : self.starts[c + 1]] for c in chosen]
        return Characters(
            np.concatenate(parts),
            np.cumsum([0, *map(len, parts)], dtype=np.int64),
            tuple(self.names[c] for c in chosen),
        )


@dataclass(frozen=True)
class Split:
    """A data set: characters to train on, and others to test on."""

    train: Characters
    test: Characters


@dataclass(frozen=True)
class _Drawing:
    """A drawing that was found, and not yet decoded.

    Attributes:
        character: The folder that it lies in, below the data set's.
        file: The name of its file.
        read: Returns the bytes of the file; raises DataError.
    """

    character: str
    file: str
    read: Callable[[], bytes]


def load(
    folder: Path,
    config: ModelConfig,
    *,
    magnification: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Split:
    """Read a data set at the size and with the resize of `config`, through the cache.

    Args:
        folder: Holds the official archives, their unpacked trees, torchvision's
            `omniglot-py`, or any tree whose leaf folders are one character each.
        config: Says `size` and `resize`.
        magnification: Drawings to train on are this many times as large.
        seed: Chooses which characters of a tree of one's own are only tested on.
        progress: Called with (drawings read, drawings in all).

    Raises:
        DataError: Nothing usable is there; the message names the file.
    """
    require_folder(folder)
    train, test = omniglot(folder)
    fine = dataclasses.replace(config, size=magnification * config.size)
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
    finest = everything if magnification == 1 else _cached(folder, fine, progress)
    return Split(finest.take(sorted(order[held:])), everything.take(sorted(order[:held])))


def require_folder(folder: Path) -> None:
    """Raise DataError if a data set is no folder."""
    if not is_folder(folder):
        word = "is not a folder" if exists(folder) else "does not exist"
        raise DataError(f"{folder} {word}", hint="--download fetches Omniglot into a new folder")


def omniglot(folder: Path) -> tuple[Path | None, Path | None]:
    """Find what a folder holds of `HALVES`, itself or in torchvision's `omniglot-py`."""
    train, test = (find_half((folder, folder / "omniglot-py"), name) for name in HALVES)
    return train, test


def find_half(roots: Iterable[Path], name: str) -> Path | None:
    """Find the archive or the unpacked tree of one of `HALVES`."""
    candidates = (path for root in roots for path in (root / f"{name}.zip", root / name))
    return next((path for path in candidates if path.exists()), None)


def _drawings(source: Path, archives: ExitStack) -> list[_Drawing]:
    """List the drawings of an archive or a folder, sorted by character and file.

    Args:
        source: The archive or the folder.
        archives: Keeps the archive open, from which drawings are read later.
    """
    found = _zipped(source, archives) if source.is_file() else _unpacked(source)
    drawings = sorted(found, key=lambda drawing: (drawing.character, drawing.file))
    if not drawings:
        kinds = ", ".join(sorted(suffix[1:] for suffix in decoding.SUFFIXES))
        raise DataError(f"{source} holds no images", hint=f"it looks for {kinds}, or for fonts")
    return drawings


def _zipped(source: Path, archives: ExitStack) -> Iterator[_Drawing]:
    try:
        archive = archives.enter_context(zipfile.ZipFile(source))
    except _DAMAGE as error:
        raise DataError(
            f"{source} is not a readable archive: {error}", hint="remove it, or replace it"
        ) from error
    found: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = PurePosixPath(entry.filename)
        if name.suffix.lower() in decoding.SUFFIXES and not entry.is_dir() and is_own(name):
            if name in found:
                raise DataError(f"{source} holds {name} twice", hint="pack it anew")
            found[name] = entry
    top = _top(list(found), source.stem)
    for name, entry in found.items():
        read = partial(_unpack, archive, entry, f"{source}: {entry.filename}")
        yield _Drawing("/".join(name.parts[top:-1]) or ".", name.name, read)


def is_own(name: PurePath) -> bool:
    """Say whether a file is the user's, and not one that a system keeps beside it."""
    return not name.name.startswith(".") and "__MACOSX" not in name.parts


def _top(names: list[PurePosixPath], stem: str) -> int:
    """Count the outer folders, one or none, that are no part of the characters' names.

    A single folder around everything is none if it has the archive's own name, `stem`, or if
    alphabets of characters lie in it.
    """
    tops = {name.parts[0] for name in names}
    deep = all(len(name.parts) > 3 for name in names)
    return int(len(tops) == 1 and (deep or tops == {stem}))


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    """Unpack an entry, to `decoding.MAX_BYTES` at most."""
    if entry.compress_type not in PACKED:
        raise DataError(
            f"{name} is packed by method {entry.compress_type}, which is not read",
            hint="pack it with deflate, as zip does by itself",
        )
    try:
        with archive.open(entry) as file:
            return decoding.contents(file, name)
    except InputError as error:
        raise DataError(str(error)) from error
    except _DAMAGE as error:
        raise DataError(f"{name} is damaged: {error}") from error


def _unpacked(source: Path) -> Iterator[_Drawing]:
    for path in files(source):
        if path.suffix.lower() in decoding.SUFFIXES and path.is_file():
            character = path.parent.relative_to(source).as_posix()
            yield _Drawing(character, path.name, partial(_read, path))


def files(source: Path) -> Iterator[Path]:
    """List what lies in a folder and in the folders in it, but for what a system keeps there.

    A UFO is listed, and not what is in it.

    Raises:
        DataError: A folder cannot be read.
    """

    def fail(error: OSError) -> None:
        raise DataError(f"cannot read {error.filename}: {error.strerror}") from error

    for root, folders, names in os.walk(source, onerror=fail):
        ufos = [name for name in folders if name.lower().endswith(".ufo")]
        folders[:] = sorted({*folders}.difference(ufos))
        for path in (Path(root, name) for name in (*names, *ufos)):
            if is_own(path.relative_to(source)):
                yield path


def _read(path: Path) -> bytes:
    try:
        return decoding.contents(path, str(path))
    except InputError as error:
        raise DataError(str(error)) from error


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
        names = tuple(dict.fromkeys(drawing.character for drawing in drawings))
        counts = Counter(drawing.character for drawing in drawings)
        starts = np.cumsum([0, *(counts[name] for name in names)], dtype=np.int64)
        shape = (len(drawings), config.size, config.size)
        decode = partial(_decode, source, drawings, config, progress)
        return Characters(cache.kept(_key(drawings, config), shape, decode), starts, names)


def _lonely(drawings: list[_Drawing]) -> str | None:
    """Return a character with a single drawing, if there is one."""
    counts = Counter(drawing.character for drawing in drawings)
    return next((name for name, count in counts.items() if count < 2), None)


def _key(drawings: list[_Drawing], config: ModelConfig) -> str:
    """Compute a digest of the files' names and bytes, and of the version of their decoding."""
    digest = hashlib.sha256(f"3 {config.size} {config.resize}".encode())
    for drawing in drawings:
        digest.update(f"\n{drawing.character}\0{drawing.file}\0".encode(errors="surrogateescape"))
        digest.update(hashlib.sha256(drawing.read()).digest())
    return digest.hexdigest()[:32]


def _decode(
    source: Path, drawings: list[_Drawing], config: ModelConfig, progress: Progress | None
) -> NDArray[np.uint8]:
    pictures = np.empty((len(drawings), config.size, config.size), np.uint8)
    for i, drawing in enumerate(drawings):
        name = f"{source}: {drawing.character}/{drawing.file}"
        try:
            image = decoding.decode(drawing.read(), name)
            ink = images.grey(decoding.reduced(image, images.MAX_PAGE))
            ink = ink if (stretched := unruled(ink)) is None else stretched
        except InputError as error:
            raise DataError(str(error), hint="remove the file, or replace it") from error
        pictures[i] = images.resize(ink, config.size, config.resize)
        if progress:
            progress(i + 1, len(drawings))
    return pictures
