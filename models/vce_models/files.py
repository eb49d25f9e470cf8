"""Outputs are written whole or not at all, and are on the disk when their writer returns."""

from __future__ import annotations

import atexit
import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from vce_models.errors import OutputError

_PREFIX, _SUFFIX = ".vce-", ".tmp"

_unfinished: set[Path] = set()
_swept: set[Path] = set()


@atexit.register
def _remove_unfinished() -> None:
    """Remove half-written files, as a signal may end a run between any two steps of `replacing`."""
    for path in _unfinished:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def is_file(path: Path) -> bool:
    """Say whether a regular file exists; at a name too long for the system there is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Say whether a folder exists that can be looked into."""
    try:
        return path.is_dir()
    except OSError:
        return False


def exists(path: Path) -> bool:
    """Say whether something is known to exist."""
    try:
        return path.exists()
    except OSError:
        return False


def check_file(path: Path) -> None:
    """Find out, before any work, whether a file can have this path.

    Raises:
        OutputError: There is no folder for it, or it is a folder.
    """
    check_folder(path)
    if is_folder(path):
        raise _is_a_folder(path)


def check_folder(path: Path) -> None:
    """Find out, before any work, whether there is a folder for what is to have this path.

    Raises:
        OutputError: There is none.
    """
    if not is_folder(path.parent):
        raise OutputError(
            f"cannot write {path}: there is no folder {path.parent}", hint="make it first"
        )


def _is_a_folder(path: Path) -> OutputError:
    return OutputError(f"cannot write {path}: it is a folder", hint="name a file")


@contextmanager
def replacing(path: Path, *, clobber: bool = True) -> Iterator[Path]:
    """Yield a temporary file, and put it in the place of `path` when the block succeeds.

    A block that fails leaves `path` as it was. A link is followed: the link stays, and the file
    that it names is replaced and keeps its mode. A device, a pipe or a file that has no name is
    not replaced, but written to. File and folder are on the disk when this returns.

    A process that is killed leaves nothing where the system has files without a name. Elsewhere
    the next process that writes into the folder removes what it left.

    Args:
        path: The file.
        clobber: Whether to replace a file that exists by then.

    Raises:
        OutputError: The folder is missing or cannot be written, or a file must not be replaced.
        BrokenPipeError: `path` is a pipe, and its reader has gone.
    """
    try:
        target, before = _followed(path)
        if before and not (stat.S_ISREG(before.st_mode) and _is(target, before)):
            with scratch() as temporary:
                yield temporary
                with temporary.open("rb") as whole, path.open("wb") as device:
                    shutil.copyfileobj(whole, device)
            return
        _sweep(target.parent)
        with _Temporary(target.parent) as file:
            yield file.path
            file.place(target, before, clobber)
    except BrokenPipeError:
        raise
    except FileExistsError as error:
        raise OutputError(f"{path} is there already", hint="leave out --no-clobber") from error
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield an empty file that is gone after the block; it is in memory where the system can."""
    if hasattr(os, "memfd_create") and _can_name_descriptors():
        descriptor = os.memfd_create("vce")
        try:
            yield _named(descriptor)
        finally:
            os.close(descriptor)
        return
    with tempfile.TemporaryDirectory(prefix="vce-") as folder:
        (file := Path(folder, "result")).touch()
        yield file


def _can_name_descriptors() -> bool:
    return is_folder(Path("/proc/self/fd"))


def _named(descriptor: int) -> Path:
    """Return a path by which this process, and those it starts, can open an open file again."""
    return Path(f"/proc/{os.getpid()}/fd/{descriptor}")


def _followed(path: Path) -> tuple[Path, os.stat_result | None]:
    """Follow a path's links; return the target, and what the system says about it.

    Raises:
        OutputError: It is a folder.
        OSError: It leads nowhere, or cannot be looked at.
    """
    try:
        target = path.resolve()
    except RuntimeError as error:  # a link to itself, before Python 3.13
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error
    try:
        before = path.stat()
    except FileNotFoundError:
        return target, None
    if stat.S_ISDIR(before.st_mode):
        raise _is_a_folder(path)
    return target, before


def _is(target: Path, before: os.stat_result) -> bool:
    """Say whether a path still names the file that it named before."""
    try:
        return os.path.samestat(target.stat(), before)
    except FileNotFoundError:
        return False


class _Temporary:
    """A file in a folder, open and locked; it has no name until it is placed, if that can be.

    Attributes:
        path: The path to write to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name: Path | None = None
        self.descriptor, self.path = self._opened()
        lock(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.name:
            with suppress(OSError):
                self.name.unlink(missing_ok=True)
            _unfinished.discard(self.name)
        os.close(self.descriptor)

    def _opened(self) -> tuple[int, Path]:
        if hasattr(os, "O_TMPFILE") and _can_name_descriptors():
            try:
                descriptor = os.open(self.folder, os.O_TMPFILE | os.O_RDWR, 0o600)
                return descriptor, _named(descriptor)
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
                    raise  # the others say that file system or kernel has no such files
        name = self._new_name()
        return os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), name

    def _new_name(self) -> Path:
        self.name = self.folder / f"{_PREFIX}{secrets.token_hex(6)}{_SUFFIX}"
        _unfinished.add(self.name)  # before it is there
        return self.name

    def place(self, target: Path, before: os.stat_result | None, clobber: bool) -> None:
        """Give the file its mode and its place, and wait until both are on the disk.

        Raises:
            FileExistsError: A file exists there, and must not be replaced.
        """
        if before:
            with suppress(OSError):
                os.fchown(self.descriptor, before.st_uid, before.st_gid)
        os.fchmod(self.descriptor, stat.S_IMODE(before.st_mode) if before else _usual_mode())
        os.fsync(self.descriptor)
        if clobber:
            (self.name or self._link(self._new_name())).replace(target)
        else:
            self._link(target)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # some file systems cannot
                os.fsync(folder)
        finally:
            os.close(folder)

    def _link(self, target: Path) -> Path:
        """Give the file another name, unless it is taken."""
        # Only with a folder's descriptor does Python follow the link that /proc has.
        os.link(self.path, target, src_dir_fd=self.descriptor, follow_symlinks=True)
        return target


def _usual_mode() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def lock(descriptor: int) -> bool | None:
    """Lock an open file for as long as this process lives and has it open.

    Returns:
        Whether nobody else has locked it; None where the system cannot lock it.
    """
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return None
    return True


def _sweep(folder: Path) -> None:
    """Remove files that killed processes left in a folder: nobody locks these any more."""
    if folder in _swept:
        return
    _swept.add(folder)
    with suppress(OSError):
        for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
            with suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
                try:
                    if lock(descriptor):
                        path.unlink()
                finally:
                    os.close(descriptor)
