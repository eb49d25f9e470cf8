"""The Typer app, its commands, and the one place where errors become one line."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from typing import Annotated, NoReturn

import typer

from vce_cli import extras, options, report, streams, template
from vce_cli.convert import convert
from vce_cli.critics import train_critics
from vce_cli.evaluate import evaluate
from vce_cli.train import train
from vce_cli.weights import list_weights
from vce_models import errors

EXIT_CODES = {
    errors.ConfigError: 2,
    errors.ExtraError: 2,
    errors.InputError: 3,
    errors.WeightsError: 4,
    errors.OutputError: 5,
    errors.BatchError: 6,
    errors.DataError: 7,
    errors.DivergedError: 8,
}

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Errors of a device that takes no more data."""

app = typer.Typer(
    name="vce",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="One drawing of a character in, the character in many hands out.",
)
app.command("convert", help=options.HELP, epilog=options.EPILOG)(
    options.taking(options.Options, convert)
)
app.command("template", help=template.HELP)(options.taking(template.Options, template.template))
app.command("train")(train)
app.command("eval")(evaluate)
app.command("critics")(train_critics)
app.command("weights")(list_weights)


def _version(wanted: bool) -> None:
    if wanted:
        report.out(f"vce {extras.version()}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def exit_on_signals() -> None:
    """Let Ctrl-C and SIGTERM exit plainly, with 130 or 143, so that half-written files go."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    sys.unraisablehook = _exit_later


def _exit_later(fault: sys.UnraisableHookArgs) -> None:
    """Exit in a moment, where a signal came during a callback, out of which nothing is raised."""
    if isinstance(fault.exc_value, SystemExit) and isinstance(fault.exc_value.code, int):
        number = fault.exc_value.code - 128
        again = threading.Timer(0.01, os.kill, (os.getpid(), number))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(fault)


def main() -> NoReturn:
    """Run the command line and exit with its documented status."""
    exit_on_signals()
    streams.fill_closed()
    try:
        app()
    except errors.VCEError as error:
        report.error(str(error), error.hint)
        sys.exit(EXIT_CODES[type(error)])
    except OSError as error:
        # Only help pages are printed past `report`. An error of a file would have its name.
        if error.filename is not None or error.errno not in FULL:
            raise
        report.drop()
        report.error(f"cannot write standard output: {error.strerror}")
        sys.exit(EXIT_CODES[errors.OutputError])
    sys.exit(0)
