"""The command begins here, so that a signal ends it without a word from the first moment on."""

# `signal` itself loads much of the standard library, and Ctrl-C may come while it does.
import _signal  # type: ignore[import-not-found]
import os


def main() -> None:
    """Run the command line, whose modules take a tenth of a second to load."""
    for number in (_signal.SIGINT, _signal.SIGTERM):
        _signal.signal(number, _end)
    from vce_cli import app

    app.main()


def _end(number: int, frame: object) -> None:
    os._exit(128 + number)  # nothing has begun that would have to be cleaned up
