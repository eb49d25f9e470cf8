"""`vce weights`: the weights that come with the package, and what each is for."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import typer

from vce_cli import report


def list_weights(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the list as JSON, for programs.")
    ] = False,
) -> None:
    """List the weights that `--weights` takes by name, each with its card."""
    from vce_models import cards

    found = {name: _facts(name) for name in cards.names()}
    if as_json:
        report.out(json.dumps(found, indent=2) + "\n")
    else:
        report.cards(found, cards.DEFAULT)


def _facts(name: str) -> dict[str, Any]:
    """Collect what a file of weights says, and what its card says."""
    from vce_models import cards, weights

    path = cards.path(name)
    model = weights.load(path)
    config = model.config
    return {
        "default": name == cards.DEFAULT,
        "file": str(path),
        "bytes": path.stat().st_size,
        "fingerprint": weights.fingerprint(model),
        "wiring": config.wiring,
        "size": config.size,
        "resize": config.resize,
        **dataclasses.asdict(cards.read(name)),
    }
