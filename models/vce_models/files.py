"""Outputs that are written whole or not at all."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vce_models.errors import OutputError

_unfinished: set[Path] = set()


@atexit.register
def _remove_unfinished() -> None:
    """A signal may end a run between any two steps, those of `replacing` among them."""
    for path in _unfinished:
        path.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path, *, clobber: bool = True) -> Iterator[Path]:
    """Yield a temporary file beside `path`, and rename it there when the block succeeds.

    A block that fails leaves `path` as it was. A link is followed, so that the file it
    names is replaced and the link stays. A device or a pipe stays too, and is written to.

    Args:
        path: The file.
        clobber: Replace one that is there by then.

    Raises:
        OutputError: The folder is missing or cannot be written; a file is there.
        BrokenPipeError: `path` is a pipe, and its reader has gone.
    """
    target = path.resolve()
    try:
        if target.is_dir():
            raise OutputError(f"cannot write {path}: it is a folder")
        special = path.exists() and not path.is_file()
        folder = Path(tempfile.gettempdir()) if special else target.parent
        # As tempfile would, but for the name, which is known before the file is there.
        temporary = folder / f".{target.name}.{secrets.token_hex(4)}.tmp"
        _unfinished.add(temporary)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    try:
        yield temporary
        if special:
            with temporary.open("rb") as whole, path.open("wb") as device:
                shutil.copyfileobj(whole, device)
            return
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        if not clobber:
            target.touch(exist_ok=False)  # taken, for no other to write
        temporary.replace(target)
    except BrokenPipeError:
        raise
    except FileExistsError as error:
        raise OutputError(f"{path} is there already", hint="leave out --no-clobber") from error
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
        _unfinished.discard(temporary)
