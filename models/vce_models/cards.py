"""The weights that come with the package: each has a name, and a card that says what it is.

A name needs two files in `pretrained/`: NAME.safetensors, and the card NAME.toml.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from vce_models.errors import ConfigError
from vce_models.files import exists

FOLDER = Path(__file__).parent / "pretrained"

DEFAULT = "compact"
"""The name of the weights that are taken by default."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known about weights beside their file.

    Attributes:
        purpose: What they are for, and what they are not for.
        recipe: The recipe of `vce train` by which they were made.
        command: The command that made them.
        data: The drawings they were trained on.
        length: How much they were trained.
        time: How long that took, and on what machine.
        licence: The licence of the weights, and of the drawings.
        measured: The command that gives the figures, and what was random in it.
        figures: Figures of merit by their names in `vce eval --json`; likelihoods are in nats.
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
    """List the names of all weights in the package, the default first."""
    found = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return sorted(found, key=lambda name: name != DEFAULT)


def read(name: str) -> Card:
    """Read the card of weights in the package."""
    return Card(**tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")))


def path(name: str) -> Path:
    """Return the file of weights in the package."""
    return FOLDER / f"{name}.safetensors"


def find(wanted: str | None = None) -> Path:
    """Return the file of weights that are given by their name or by a path.

    A name wins over a file that is called so; `./NAME` is the file.

    Args:
        wanted: The name or the path; None means the default weights.

    Raises:
        ConfigError: It is no name of weights, and does not look like a path: it has no folder and
            no suffix, and there is no such file.
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
    """Say whether a file of weights came with the package."""
    return file.parent == FOLDER
