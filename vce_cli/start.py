"""Where the command begins: a signal ends it without a word, from the first moment on."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; what it loads takes a tenth of a second in which Ctrl-C may come."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    from vce_cli import app

    app.main()


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)  # nothing is begun, and nothing is left
