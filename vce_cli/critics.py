"""`vce critics`: train the networks that judge conversions in `vce eval`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vce_cli import dataset, report
from vce_cli.extras import DEVICES, either, require_device, require_torch, torch_device
from vce_models.config import MAX_SEED, ModelConfig
from vce_models.files import check_file


def train_critics(
    data: Annotated[Path, typer.Option(help=dataset.KINDS)],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The .safetensors that will hold the critics.")
    ],
    steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many steps the recogniser takes; the other critic takes a fifth.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            max=MAX_SEED,
            help="The seed of the initial weights, the episodes and the jitter.",
        ),
    ] = 0,
    device: Annotated[
        str, typer.Option(help=f"The device to work on: {either(DEVICES)}.")
    ] = "auto",
    chars: dataset.Chars = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch Omniglot into --data first.")
    ] = False,
) -> None:
    """Train the recogniser and the contrastive network by which `vce eval` judges."""
    require_torch("critics")
    dataset.require(data, download=download)
    check_file(output)
    require_device(device)
    characters = dataset.read(data, ModelConfig(), chars=chars, download=download).train
    from vce_models.evaluation import critics

    where = torch_device(device)
    with report.progress("training critics") as advance:
        trained = critics.train(
            characters, where, steps=steps or critics.STEPS, seed=seed, progress=advance
        )
    critics.save(output, trained)
