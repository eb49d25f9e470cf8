"""The paper's Table 1 and Figs. 3, 4 and 5, by one command.

python benchmarks/paper.py --data omniglot/ --out runs/paper [--networks paper] [--steps N]

The first two phases once, then the last one by every objective, margin and weight of the
style regulariser from there. Goes on where it was stopped. Writes `results.jsonl`, a row each,
and the figures.
"""

import argparse
import dataclasses
import json
import shutil
import time
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from vce_models import weights
from vce_models.config import TrainConfig
from vce_models.datasets import drawings
from vce_models.datasets.drawings import Split
from vce_models.errors import DivergedError
from vce_models.evaluation import critics, likelihood, quality
from vce_models.recipes import RECIPES
from vce_models.training import checkpoints, curves
from vce_models.training.runs import Run
from vce_models.training.trainer import Trainer

NETWORKS = {
    # The paper's networks, with steps of many characters: two million pairs before the last phase.
    "paper": dataclasses.replace(
        RECIPES["paper"],
        pretrain_steps=300,
        vae_steps=62_500,
        lmvae_steps=10_000,
        episodes=32,
        support=1,
        augmentation="warp",
        learning_rate=1e-3,
        warmup_steps=300,
        clip_norm=200.0,
        schedule="cosine",
    ),
    "exact": RECIPES["paper"],
    # An eighth of the arithmetic, and a wiring that trains; many characters a step.
    "compact": dataclasses.replace(
        RECIPES["likelihood"],
        model=dataclasses.replace(RECIPES["likelihood"].model, resize="box"),
        augmentation="dihedral",
        pretrain_steps=10_000,
        vae_steps=390_000,
        lmvae_steps=200_000,
    ),
}
OBJECTIVES: dict[str, dict[str, object]] = {
    "IntroVAE": {"objective": "introvae"},
    "VAE": {"objective": "vae"},
    "LMVAE, sigma 0.15": {"objective": "lmvae"},
    "LMVAE, sigma 0": {"objective": "lmvae", "reg_weight": 0.0},
}
"""Table 1 and Fig. 5."""

SETTINGS: dict[str, dict[str, object]] = {
    "margin 25": {"objective": "lmvae", "margin": 25.0},
    "margin 100": {"objective": "lmvae", "margin": 100.0},
    "sigma 0.5": {"objective": "lmvae", "reg_weight": 0.5},
}
"""Fig. 4, beside the two of LMVAE above: margin 50 at sigma 0 and 0.15."""

REPORT, SAVE = 50, 500
"""Steps between two reports, and between two checkpoints."""


def train(run: Run, trainer: Trainer, last: int, split: Split) -> None:
    """Train to a step, with reports and checkpoints."""
    while trainer.step < last:
        begun, first = time.monotonic(), trainer.step
        report = trainer.advance(min(REPORT, last - first))
        pairs = (trainer.step - first) * trainer.config.episodes * trainer.config.support
        run.record(report, pairs / (time.monotonic() - begun))
        if trainer.step % SAVE < REPORT or trainer.step == last:
            run.save(trainer, split.test)
            print(run.folder.name, trainer.step, report.terms, flush=True)


def begin(
    folder: Path, config: TrainConfig, source: Path, split: Split, device: str
) -> tuple[Run, Trainer]:
    """Open a run, or go on with it."""
    made = (folder / "config.json").exists()
    run = Run.open(folder) if made else Run.create(folder, config, source)
    if run.config != config:
        raise SystemExit(f"{folder} was begun with other settings; use another --out")
    if run.checkpoint.exists():
        trainer = checkpoints.load(run.checkpoint, split.train, device)
    else:
        trainer = Trainer(config, split.train, device)
    run.trim(trainer.step)
    return run, trainer


def branch(
    common: Run, folder: Path, config: TrainConfig, split: Split, device: str
) -> tuple[Run, Trainer]:
    """Open the run of one objective; a new one begins where the common phases ended."""
    if not (folder / "config.json").exists():
        folder.mkdir(exist_ok=True)
        shutil.copy(common.checkpoint, folder / common.checkpoint.name)
        shutil.copy(common.metrics, folder / common.metrics.name)
    run, trainer = begin(folder, config, common.data, split, device)
    trainer.config = config
    return run, trainer


def measure(run: Run, split: Split) -> dict[str, float]:
    """What the run's weights are worth."""
    model = likelihood.from_weights(weights.load(run.weights))
    figures = likelihood.evaluate(model, split.test, targets=2, importance_samples=10, seed=0)
    samples = quality.conversions(model, split.test, seed=0)
    judged = quality.judge(samples, split.test, critics.load(), seed=0)
    return {
        **{name: round(getattr(figures, name).mean, 2) for name in likelihood.FIGURES},
        "recognisability": round(judged.recognisability.value, 3),
        "diversity": round(judged.diversity.value, 3),
        "entropy": round(judged.entropy.value, 1),
    }


def plot(runs: dict[str, Run], split: Split, path: Path) -> None:
    """The same conversions by several runs, side by side."""
    figure = Figure(figsize=(3.4 * len(runs), 5), layout="constrained")
    for axes, (name, run) in zip(
        figure.subplots(1, len(runs), squeeze=False)[0], runs.items(), strict=True
    ):
        picture = curves.render_conversions(weights.load(run.weights), split.test, 0, 6)
        axes.imshow(np.asarray(picture))
        axes.set_title(name)
        axes.axis("off")
    figure.savefig(path, dpi=80)


def main() -> None:
    """Train what is not yet trained, measure it, plot it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--networks", choices=NETWORKS, default="paper")
    parser.add_argument("--steps", type=int, help="scale the whole schedule to it")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = NETWORKS[options.networks]
    config = config.scaled(options.steps) if options.steps else config
    split = drawings.load(options.data, config.model, enlarged=config.enlarged)
    common, trainer = begin(options.out / "common", config, options.data, split, options.device)
    train(common, trainer, config.pretrain_steps + config.vae_steps, split)
    results = options.out / "results.jsonl"
    done = results.read_text() if results.exists() else ""
    runs = {}
    for name, changes in {**OBJECTIVES, **SETTINGS}.items():
        changed = dataclasses.replace(config, **changes)
        folder = options.out / name.replace(", ", "-").replace(" ", "-")
        run, trainer = branch(common, folder, changed, split, options.device)
        row: dict[str, object] = {"name": name}
        try:
            train(run, trainer, config.steps, split)
        except DivergedError as error:  # that is a result, too
            row |= {
                "error": str(error),
                "measured at": checkpoints.load(run.checkpoint, split.train).step,
            }
        if run.weights.exists():
            runs[name] = run
        if json.dumps(name) not in done:
            row |= measure(run, split) if name in runs else {}
            with results.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(row, flush=True)
    plot(
        {name: run for name, run in runs.items() if name in OBJECTIVES},
        split,
        options.out / "fig5.png",
    )
    settings = {name: run for name, run in runs.items() if name.startswith(("LMVAE", *SETTINGS))}
    plot(settings, split, options.out / "fig4.png")
    if "LMVAE, sigma 0.15" in runs:
        shutil.copy(runs["LMVAE, sigma 0.15"].folder / "curves.png", options.out / "fig3.png")


if __name__ == "__main__":
    main()
