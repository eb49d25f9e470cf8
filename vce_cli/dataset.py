"""--data, --chars and --download say which drawings train, eval and critics read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vce_cli import report
from vce_cli.extras import require_fonts
from vce_models import characters
from vce_models.errors import ConfigError
from vce_models.files import is_folder

if TYPE_CHECKING:
    from vce_models.config import ModelConfig
    from vce_models.datasets.drawings import Split

KINDS = "A folder with Omniglot, a tree of images of your own, or fonts."

Chars = Annotated[
    str | None,
    typer.Option(
        metavar="SET",
        help="Characters that are taken from fonts: latin, digits, U+0041, a-z, or all; "
        f"{characters.DEFAULT} by default. Those whose code point, in lower case, is a "
        "multiple of five are only tested on: d, i, n, s, x, 2, 7, ...",
        show_default=False,
    ),
]
"""The option --chars."""


def require(folder: Path, *, download: bool) -> None:
    """Find a wrong path before PyTorch is loaded, which takes seconds.

    Raises:
        DataError: There is no such folder, and none is to be made.
    """
    from vce_models.datasets.drawings import require_folder

    if not download:
        require_folder(folder)


def read(
    folder: Path,
    config: ModelConfig,
    *,
    chars: str | None = None,
    download: bool,
    magnification: int = 1,
) -> Split:
    """Download Omniglot if that was asked for and it is missing; read, and show progress.

    Raises:
        ConfigError: Characters of images are asked for.
        DataError: There are no usable drawings.
        ExtraError: The libraries that read fonts are not installed.
    """
    from vce_models.datasets import drawings, typefaces

    if download:
        from vce_models.datasets.download import fetch

        with report.progress("downloading") as advance:
            fetch(folder, progress=advance)
    with report.progress("reading drawings") as advance:
        if typefaces.find(folder):
            require_fonts("reading fonts")
            return typefaces.load(
                folder, config, chars=chars, magnification=magnification, progress=advance
            )
        if chars is not None and is_folder(folder):
            raise ConfigError(
                f"{folder} holds no fonts, and has no characters to choose",
                hint="leave out --chars, or give a folder of fonts",
            )
        return drawings.load(folder, config, magnification=magnification, progress=advance)
