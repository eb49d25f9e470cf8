"""Results that are folders, or files with folders beside them, are written whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vce_models.errors import OutputError

UFO = "metainfo.plist"
"""The file that every UFO has."""


@contextmanager
def beside(path: Path, *, clobber: bool = True) -> Iterator[Path]:
    """Yield a path of the same name in a new folder, and put all that is written there in place.

    When the block succeeds, everything in the new folder takes its place beside `path`: folders
    first, and `path` itself last. A block that fails leaves all as it was.

    Args:
        path: A UFO, or a file that has UFOs beside it.
        clobber: Whether to replace what exists by then.

    Raises:
        OutputError: Nothing can be written there, or something exists there that is no result or
            must not be replaced.
    """
    target = path.resolve()
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
            yield Path(folder) / target.name
            made = [found for found in sorted(Path(folder).iterdir()) if found.name != target.name]
            made.append(Path(folder) / target.name)
            for found in made:
                _check(target.parent / found.name, found, clobber)
            for found in made:
                _replace(target.parent / found.name, found, Path(folder))
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _check(place: Path, found: Path, clobber: bool) -> None:
    if not place.exists():
        return
    if not clobber:
        raise OutputError(f"{place} is there already", hint="leave out --no-clobber")
    if found.is_dir() != place.is_dir() or (place.is_dir() and not (place / UFO).is_file()):
        raise OutputError(f"{place} exists and is no UFO", hint="name another, or move it")


def _replace(place: Path, found: Path, folder: Path) -> None:
    """Put a folder in the place of another, which comes back if that fails."""
    if not place.is_dir():
        found.replace(place)
        return
    old = folder / f"{place.name}.old"
    place.rename(old)
    try:
        found.rename(place)
    except OSError:
        old.rename(place)
        raise
