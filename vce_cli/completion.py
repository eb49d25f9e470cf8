"""Names that options take are listed in help pages, and completed by shells."""

from __future__ import annotations

from pathlib import Path

from vce_models import cards
from vce_models.recipes import RECIPES

WEIGHTS = (
    "Weights by their name, which vce weights lists, or from a file. A name wins over a file "
    f"that is called so: ./NAME is the file; {cards.DEFAULT} by default."
)
"""The help of --weights."""


def weights(incomplete: str) -> list[str]:
    """List names of weights in the package, then files and folders that may hold others."""
    place = Path(incomplete)
    folder = place if incomplete.endswith("/") else place.parent
    try:
        found = sorted(folder.iterdir())
    except OSError:
        found = []
    files = [f"{path}/" for path in found if path.is_dir()]
    files += [str(path) for path in found if path.suffix == ".safetensors"]
    return [name for name in (*cards.names(), *files) if name.startswith(incomplete)]


def recipes(incomplete: str) -> list[str]:
    """List names of recipes."""
    return [name for name in RECIPES if name.startswith(incomplete)]
