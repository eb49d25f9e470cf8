"""`vce critics`: train the networks that judge conversions in `vce eval`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vce_cli import dataset, report
from vce_cli.extras import require_torch, torch_device


def train_critics(
    data: Annotated[Path, typer.Option(help="Omniglot, or your own tree.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The critics, a .safetensors.")],
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Of the recogniser; the other has a fifth.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, episodes and jitter.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    download: Annotated[
        bool, typer.Option("--download", help="Fetch Omniglot into --data first.")
    ] = False,
) -> None:
    """Train the recogniser and the contrastive network that `vce eval` judges by."""
    require_torch("critics")
    from vce_models.config import ModelConfig
    from vce_models.evaluation import critics

    where = torch_device(device)
    config = ModelConfig(size=critics.SIZE)
    characters = dataset.read(data, config, download=download).train
    with report.progress("training critics") as advance:
        trained = critics.train(
            characters, where, steps=steps or critics.STEPS, seed=seed, progress=advance
        )
    critics.save(output, trained)
