"""Outputs that are written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vce_models.errors import OutputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside `path`, and rename it there when the block succeeds.

    A block that fails leaves `path` as it was. A link is followed, so that the file it
    names is replaced and the link stays. A device or a pipe stays too, and is written to.

    Raises:
        OutputError: The folder is missing or cannot be written.
        BrokenPipeError: `path` is a pipe, and its reader has gone.
    """
    target = path.resolve()
    try:
        if target.is_dir():
            raise OutputError(f"cannot write {path}: it is a folder")
        special = path.exists() and not path.is_file()
        handle, name = tempfile.mkstemp(
            dir=None if special else target.parent, prefix=f".{target.name}.", suffix=".tmp"
        )
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        if special:
            with temporary.open("rb") as whole, path.open("wb") as device:
                shutil.copyfileobj(whole, device)
            return
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
