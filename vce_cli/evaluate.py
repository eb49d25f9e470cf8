"""`vce eval`: likelihoods on the test characters, as a table, as JSON, as a picture."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vce_cli import report
from vce_cli.extras import require_torch, torch_device

if TYPE_CHECKING:
    from vce_models.data import Characters
    from vce_models.weights import Weights

GRID = (10, 12)
"""Test characters and conversions of each in the picture."""


def evaluate(
    data: Annotated[Path, typer.Option(help="Omniglot, or your own tree.")],
    weights: Annotated[Path | None, typer.Option(help="Instead of the shipped ones.")] = None,
    importance_samples: Annotated[
        int, typer.Option(min=1, help="Rules a pair; papers use 1000.")
    ] = 10,
    targets: Annotated[int, typer.Option(min=1, help="Drawings a character; 19 is all.")] = 5,
    binarise: Annotated[
        bool, typer.Option("--binarise", help="Threshold the drawings at 0.5.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the targets and the rules.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    grid: Annotated[Path | None, typer.Option(help="Draw conversions to this .png.")] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch Omniglot into --data first.")
    ] = False,
) -> None:
    """Measure how likely a model finds drawings of characters it never saw."""
    require_torch("eval")
    from vce_models import evaluation
    from vce_models.data import load
    from vce_models.weights import load as load_weights

    where = torch_device(device)
    model = load_weights(weights)
    with report.progress("reading drawings") as advance:
        test = load(data, model.config, download=download, progress=advance).test
    with report.progress("measuring pairs") as advance:
        result = evaluation.evaluate(
            evaluation.from_weights(model, where),
            test,
            targets=targets,
            importance_samples=importance_samples,
            seed=seed,
            binarise=binarise,
            progress=advance,
        )
    if grid:
        draw(model, test, seed, grid)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(result)))
    else:
        report.table(result)


def draw(model: Weights, test: Characters, seed: int, path: Path) -> None:
    """The paper's Fig. 5: each row a test character, its condition in a red box."""
    import numpy as np

    from vce_models import images, rules
    from vce_models.convert import convert

    rows, count = GRID
    drawn = rules.sample(count, model.config, seed)
    chosen = np.linspace(0, len(test) - 1, min(rows, len(test))).astype(int)
    conditions = test.images[test.starts[chosen]].astype(np.float32) / 255
    pictures = [images.draw_grid(q, convert(model, q, drawn), count + 1, 2) for q in conditions]
    images.save_png(images.stack(pictures), path)
