"""Everything Rich draws: progress, tables, error lines; on stderr but for asked-for tables."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 1.0
"""Seconds before a progress bar shows."""


def error(message: str, hint: str | None = None) -> None:
    """Print `error: ...` and, where there is one, `hint: ...`."""
    lines = [f"error: {message}", *([f"hint: {hint}"] if hint else [])]
    say("\n".join(" ".join(line.split()) for line in lines))


def say(message: str) -> None:
    """Print one line on stderr."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


@contextmanager
def progress(description: str) -> Iterator[Callable[[int, int], None]]:
    """Yield `advance(done, total)`, which draws a bar with the time left.

    It draws on a terminal only, and only what takes longer than `PATIENCE`.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(description, total=None)
    begun = time.monotonic()

    def advance(done: int, total: int) -> None:
        if time.monotonic() - begun > PATIENCE:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield advance
    finally:
        bar.stop()
