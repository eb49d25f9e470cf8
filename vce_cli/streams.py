"""Standard input and output, which may be pipes, files, terminals, or closed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from vce_models.errors import ConfigError, InputError, OutputError

STDIN = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
"""Names of standard input."""

STDOUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
"""Names of standard output."""


def fill_closed() -> None:
    """Open the null device in the place of closed standard streams.

    Otherwise the next file that is opened would get the number of the stream, and with it what a
    library prints.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number


class Output:
    """Standard output, which carries the result."""

    def __init__(self, descriptor: int | None) -> None:
        self.descriptor = descriptor

    def require(self, *, binary: bool) -> None:
        """Raise, before any work, if a result could not be written there."""
        if self.descriptor is None:
            raise OutputError("standard output is closed", hint="name a file after -o")
        if binary and os.isatty(self.descriptor):
            raise ConfigError(
                "standard output is a terminal, and the result is not text",
                hint="send it into a file or a pipe",
            )

    def write(self, data: bytes) -> None:
        """Write all data; raise BrokenPipeError if its reader has gone."""
        self.require(binary=False)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self.descriptor or 1, rest) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"cannot write standard output: {error.strerror}") from error


@contextmanager
def standard_output() -> Iterator[Output]:
    """Keep standard output for the result; whatever else is printed goes to standard error."""
    if sys.stdout is None:
        yield Output(None)
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield Output(kept)
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def standard_input() -> IO[bytes]:
    """Return standard input, if something can come from it.

    Raises:
        InputError: It is closed.
        ConfigError: It is a terminal, and nobody types an image.
    """
    if sys.stdin is None:
        raise InputError("standard input is closed", hint="name a file instead of -")
    if sys.stdin.isatty():
        raise ConfigError(
            "standard input is a terminal", hint="pipe an image in: cat a.png | vce convert - ..."
        )
    return sys.stdin.buffer
