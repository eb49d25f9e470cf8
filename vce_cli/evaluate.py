"""`vce eval`: likelihoods on the test characters, as a table, as JSON, as a picture."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from vce_cli import dataset, report
from vce_cli.extras import require_torch, torch_device


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
    from vce_models.figures import draw_conversions
    from vce_models.weights import load

    where = torch_device(device)
    model = load(weights)
    test = dataset.read(data, model.config, download=download).test
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
        draw_conversions(model, test, seed, grid)
    if as_json:
        report.out(json.dumps(dataclasses.asdict(result), indent=2) + "\n")
    else:
        report.table(result)
