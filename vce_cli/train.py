"""`vce train`: options to one TrainConfig, the run folder, the display."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vce_cli import report
from vce_cli.extras import require_torch, torch_device
from vce_models.errors import ConfigError, OutputError

if TYPE_CHECKING:
    from vce_models.config import TrainConfig
    from vce_models.training import Report, Trainer

SAVE_SECONDS = 60.0
"""Time between two checkpoints."""

REPORTS = 500
"""Reports of a long run, so that metrics.jsonl stays readable; at least every 100 steps."""


def train(
    data: Annotated[Path | None, typer.Option(help="Omniglot, or your own tree.")] = None,
    out: Annotated[Path, typer.Option(help="The run folder, made anew.")] = Path("runs/vce"),
    resume: Annotated[Path | None, typer.Option(help="Go on with the run in this folder.")] = None,
    recipe: Annotated[str, typer.Option(help="Named settings: paper, compact.")] = "paper",
    steps: Annotated[int | None, typer.Option(help="Scale the whole schedule to it.")] = None,
    episodes: Annotated[int | None, typer.Option(help="Episodes in one step.")] = None,
    objective: Annotated[
        str | None, typer.Option(help="Of the last phase: lmvae, introvae, vae.")
    ] = None,
    wiring: Annotated[
        str | None, typer.Option(help="How the rule enters: edge, rows, plane, modulation.")
    ] = None,
    size: Annotated[int | None, typer.Option(help="Pixels a side; even.")] = None,
    resize: Annotated[str | None, typer.Option(help="box (grey) or subsample (binary).")] = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, episodes and noise.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="CPU threads.", min=1)] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch Omniglot into --data first.")
    ] = False,
) -> None:
    """Train a model on drawings of characters, as the paper did or by another recipe."""
    require_torch("train")
    import torch

    from vce_models.data import load
    from vce_models.training import Trainer

    if threads:
        torch.set_num_threads(threads)
    where = torch_device(device)
    if resume:
        config, data = _resumed(resume, data)
        out = resume
    else:
        model = {"wiring": wiring, "size": size, "resize": resize}
        rest = {"episodes": episodes, "objective": objective, "seed": seed}
        config = _config(recipe, steps, model, rest)
    if data is None:
        raise ConfigError("no data set is named", hint="vce train --data omniglot/ --download")
    with report.progress("reading drawings") as advance:
        split = load(data, config.model, download=download, progress=advance)
    if resume:
        trainer = Trainer.load(resume / "checkpoint.safetensors", split.train, where)
    else:
        _new_folder(out, config, data)
        trainer = Trainer(config, split.train, where)
    _run(trainer, _Run(out, split.test))


def _config(
    recipe: str, steps: int | None, model: dict[str, Any], rest: dict[str, Any]
) -> TrainConfig:
    from vce_models.recipes import RECIPES

    if recipe not in RECIPES:
        raise ConfigError(f"no recipe is called {recipe!r}", hint=f"use {', '.join(RECIPES)}")
    config = RECIPES[recipe]
    config = dataclasses.replace(
        config,
        model=dataclasses.replace(config.model, **_given(model)),
        **_given(rest),
    )
    return config.scaled(steps) if steps is not None else config


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _resumed(folder: Path, data: Path | None) -> tuple[TrainConfig, Path | None]:
    from vce_models.config import TrainConfig

    try:
        saved = json.loads((folder / "config.json").read_text())
        return TrainConfig.from_dict(saved["train"]), data or Path(saved["data"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{folder} holds no run to resume: {error}") from error


def _new_folder(out: Path, config: TrainConfig, data: Path) -> None:
    if (out / "config.json").exists():
        raise ConfigError(f"{out} already holds a run", hint=f"--resume {out}, or another --out")
    settings = {"data": str(data.resolve()), "train": dataclasses.asdict(config)}
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "config.json").write_text(json.dumps(settings, indent=2) + "\n")
    except OSError as error:
        raise OutputError(f"cannot write {out}: {error.strerror}") from error


def _run(trainer: Trainer, run: _Run) -> None:
    config = trainer.config
    every = max(1, min(100, config.steps // REPORTS))
    saved = time.monotonic()
    run.trim(trainer.step)
    try:
        with report.training(config) as show:
            while trainer.step < config.steps:
                begun, first = time.monotonic(), trainer.step
                result = trainer.advance(every - trainer.step % every)
                pairs = (trainer.step - first) * config.episodes * config.support
                run.record(result, speed := pairs / (time.monotonic() - begun))
                show(result, speed)
                if time.monotonic() - saved > SAVE_SECONDS:
                    run.save(trainer)
                    saved = time.monotonic()
    except KeyboardInterrupt:
        run.save(trainer)
        report.say(f"stopped at step {trainer.step}; vce train --resume {run.folder} goes on")
        raise
    run.save(trainer)
    report.say(f"trained {trainer.step} steps; the weights are {run.folder}/weights.safetensors")


class _Run:
    """The run folder: metrics, checkpoint, weights and pictures."""

    def __init__(self, folder: Path, test: Any) -> None:
        self.folder = folder
        self.test = test
        self.metrics = folder / "metrics.jsonl"

    def trim(self, step: int) -> None:
        """Forget what was recorded after the checkpoint that training goes on from."""
        if self.metrics.exists():
            lines = self.metrics.read_text().splitlines(keepends=True)
            kept = [
                line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step
            ]
            self.metrics.write_text("".join(kept))

    def record(self, result: Report, speed: float) -> None:
        line = {
            "step": result.step,
            "phase": result.phase,
            **result.terms,
            "kl_weight": result.kl_weight,
            "learning_rate": result.learning_rate,
            "images_per_second": round(speed, 1),
        }
        with self.metrics.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def save(self, trainer: Trainer) -> None:
        """Write the checkpoint, the weights and the pictures, each whole."""
        from vce_models import weights

        trainer.save(self.folder / "checkpoint.safetensors")
        weights.save(self.folder / "weights.safetensors", trainer.weights())
