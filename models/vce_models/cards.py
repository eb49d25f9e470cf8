"""The weights that come with the package: each has a name, and a card that says what it is.

A file NAME.safetensors in `pretrained/` with a card NAME.toml beside it is all that a name takes.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from vce_models.errors import ConfigError
from vce_models.files import exists

FOLDER = Path(__file__).parent / "pretrained"

DEFAULT = "compact"
"""The weights that are meant where none are named."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known of weights beside their file.

    Attributes:
        purpose: What they are for, and what they are not.
        recipe: The recipe of `vce train` that they were made by.
        command: The command that made them.
        data: The drawings they were trained on.
        length: How much they were trained.
        time: How long that took, and on what.
        licence: The licence of the weights, and of the drawings.
        measured: The command that gives the figures, and what was left to chance.
        figures: Figures of merit by their names in `vce eval --json`; likelihoods in nats.
    """

    purpose: str
    recipe: str
    command: str
    data: str
    length: str
    time: str
    licence: str
    measured: str
    figures: dict[str, float]


def names() -> list[str]:
    """The names of all weights in the package, the default first."""
    found = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return sorted(found, key=lambda name: name != DEFAULT)


def read(name: str) -> Card:
    """Read the card of weights in the package."""
    return Card(**tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")))


def path(name: str) -> Path:
    """The file of weights in the package."""
    return FOLDER / f"{name}.safetensors"


def find(wanted: str | None = None) -> Path:
    """The file of weights that are given by their name or by a path.

    A name wins over a file that is called so; `./NAME` is the file.

    Args:
        wanted: The name or the path; the default weights without it.

    Raises:
        ConfigError: It is no name, and nothing else speaks for a path: there is no such file, and
            no folder or suffix in it.
    """
    wanted = DEFAULT if wanted is None else wanted
    if wanted in names():
        return path(wanted)
    file = Path(wanted)
    if exists(file) or file.name != wanted or file.suffix:
        return file
    raise ConfigError(
        f"no weights are called {wanted!r}, only {' and '.join(names())}",
        hint="vce weights tells of them; a file may be given, too",
    )


def shipped(file: Path) -> bool:
    """Whether a file of weights is one that came with the package."""
    return file.parent == FOLDER
