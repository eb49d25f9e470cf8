"""Make the paper's Table 1 and Figs. 3 to 6 by one command.

python benchmarks/paper.py --data omniglot/ --out runs/paper [--networks paper] [--only ROW ...]

It trains the first two phases once, and from there the last phase by every objective, margin and
weight of the style regulariser. Rows whose networks see something else learn it in a last phase
that is three times as long. It goes on where it was stopped, and writes `results.jsonl`, with a
line for each row, and the figures.

python benchmarks/paper.py ... --importance-samples 1000 --targets 1 --write docs/results.md

measures what is trained once more, and puts the tables of these measurements into the page.
"""

import argparse
import dataclasses
import itertools
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from vce_models import weights
from vce_models.config import ModelConfig, TrainConfig
from vce_models.datasets import drawings
from vce_models.datasets.drawings import Characters, Split
from vce_models.errors import DataError, DivergedError
from vce_models.evaluation import critics, likelihood, quality
from vce_models.files import replacing
from vce_models.glyphs import sheets
from vce_models.networks.precision import multiplies_bfloat16
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
        lmvae_learning_rate=0.0,
        objective="vae",
    ),
}

LAST_RATES = {"paper": 2e-4}
"""Learning rates at which rows begin the last phase, each with a schedule of its own. By the cosine
of the whole run it would begin at 4.6e-5. The paper's is 2e-4, halved three times at most."""

LONGER = 3
"""How many times as long the last phase of networks is that see something else than before."""


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        published: The NLL that the paper gives for it.
        train: Settings of the training that differ.
        model: Settings of the networks that differ: what they see. Their last phase is longer, and
            begins at the first phase's learning rate.
        shown: The figure that shows its conversions.
    """

    published: float | None = None
    train: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    shown: tuple[str, ...] = ()


ROWS = {
    "VAE, no condition": Row(106.31, {"objective": "vae"}, {"condition": False}),
    "IntroVAE": Row(117.1, {"objective": "introvae"}, shown=("fig5",)),
    "VAE": Row(68.75, {"objective": "vae"}, shown=("fig5",)),
    "LMVAE, sigma 0.15": Row(81.39, {"objective": "lmvae"}, shown=("fig5", "fig4")),
    "LMVAE, sigma 0": Row(62.8, {"objective": "lmvae", "reg_weight": 0.0}, shown=("fig5", "fig4")),
    "margin 25, sigma 0.15": Row(None, {"objective": "lmvae", "margin": 25.0}, shown=("fig4",)),
    "margin 100, sigma 0.15": Row(None, {"objective": "lmvae", "margin": 100.0}, shown=("fig4",)),
    "margin 50, sigma 0.5": Row(None, {"objective": "lmvae", "reg_weight": 0.5}, shown=("fig4",)),
    "VAE, binary images": Row(None, {"objective": "vae"}, {"resize": "subsample"}),
}
"""Table 1, the settings of Fig. 4, and the VAE trained for the likelihood of binary images."""

IMAGES = {"box": "grey, BOX", "bilinear": "grey, BILINEAR", "subsample": "binary"}
"""The images on which likelihoods are measured, by how they are made small."""

CONVERSIONS = ("recognisability", "diversity", "entropy")
"""The figures of conversions of the images that a row was trained on."""

REPORT, SAVE = 50, 500
"""Steps between two reports, and between two checkpoints."""

BEGIN, END = "<!-- table 1: benchmarks/paper.py --write -->", "<!-- the end of table 1 -->"
"""The lines of the page between which the tables stand."""


def train(run: Run, trainer: Trainer, last: int, test: Characters) -> None:
    """Train to a step, with reports and checkpoints."""
    while trainer.step < last:
        begun, first = time.monotonic(), trainer.step
        report = trainer.advance(min(REPORT, last - first))
        pairs = (trainer.step - first) * trainer.config.episodes * trainer.config.support
        run.record(report, pairs / (time.monotonic() - begun))
        # Weights that may be collapsing must not replace the last good ones.
        if (trainer.step % SAVE < REPORT or trainer.step == last) and not trainer.collapsing:
            run.save(trainer, test)
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
        # The checkpoint of the common phases goes on with the settings of the row.
        kept = dataclasses.replace(checkpoints.read(run.checkpoint), config=config)
        trainer = checkpoints.resume(kept, split.train, device)
    else:
        trainer = Trainer(config, split.train, device)
    run.trim(trainer.step)
    return run, trainer


def complete(folder: Path, config: TrainConfig) -> bool:
    """Say whether a run is over; its weights are then enough, without a checkpoint."""
    run = Run(folder, config, folder)
    steps = [line["step"] for line in lines(run.metrics)[-1:]]
    return run.weights.exists() and steps == [config.steps]


def branch(common: Run, folder: Path) -> None:
    """Let a row's run begin where the common phases ended."""
    if not (folder / "config.json").exists():
        folder.mkdir(exist_ok=True)
        shutil.copy(common.checkpoint, folder / common.checkpoint.name)
        shutil.copy(common.metrics, folder / common.metrics.name)


def measure(
    run: Run, read: Any, images: list[str], *, judge: bool, importance_samples: int, targets: int
) -> Iterator[dict[str, Any]]:
    """Yield figures of the run's weights: likelihoods on each kind of images, then conversions.

    Likelihoods are rounded to bfloat16 where the training was: 2.6 times as fast, and within
    0.05 nats of those without rounding, on 128 pairs.
    """
    model = weights.load(run.weights)
    networks, own = likelihood.from_weights(model), model.config.resize
    device = next(networks.parameters()).device
    for resize in images:
        with torch.autocast(device.type, torch.bfloat16, enabled=multiplies_bfloat16(device)):
            figures = likelihood.evaluate(
                networks,
                read(resize).test,
                targets=targets,
                importance_samples=importance_samples,
                seed=0,
            )
        means = {name: rounded(getattr(figures, name).mean) for name in likelihood.FIGURES}
        by = {"importance_samples": importance_samples, "targets": targets}
        error = rounded(figures.nll.standard_error)
        yield {"images": resize, **by, **means, "nll_error": error}
    if not judge:
        return
    test = read(own).test
    try:
        converted = quality.conversions(networks, test, seed=0)
        judged = quality.judge(converted, test, critics.load(), seed=0)
    except DataError:  # too few characters, or drawings of them
        return
    yield {name: rounded(getattr(judged, name).value, 3) for name in CONVERSIONS}


def rounded(figure: float, digits: int = 2) -> float | None:
    """Round a figure for JSON; None where there is none."""
    return round(figure, digits) if np.isfinite(figure) else None


def tables(rows: list[dict[str, Any]], *, importance_samples: int, targets: int) -> str:
    """Write what was measured so as Markdown; the last measurement of a thing counts."""
    by = {"importance_samples": importance_samples, "targets": targets}.items()
    head = ("", "images", "the paper's NLL", *likelihood.FIGURES)
    likelihoods, conversions, notes = [head], [("", *CONVERSIONS)], []
    for name, row in ROWS.items():
        own = [line for line in rows if line["name"] == name]
        found = {line.get("images"): line for line in own if line.items() >= by}
        for resize in (resize for resize in IMAGES if resize in found):
            line = found[resize]
            cells = {figure: shown(line[figure]) for figure in likelihood.FIGURES}
            cells["nll"] += f" ({shown(line['nll_error'])})"
            likelihoods.append((name, IMAGES[resize], str(row.published or ""), *cells.values()))
        if judged := [line for line in own if CONVERSIONS[0] in line]:
            cells = [shown(judged[-1][figure], 3) for figure in CONVERSIONS]
            conversions.append((name, *cells))
        if failed := [line for line in own if "error" in line]:
            notes.append(f"- {name}: {failed[-1]['error']}; measured at step {failed[-1]['step']}.")
    notes.append(
        f"- NLL by {importance_samples:,} importance samples on {targets} "
        f"target{'s' if targets > 1 else ''} a character, its standard error in brackets."
    )
    made = [markdown(table) for table in (likelihoods, conversions) if len(table) > 1]
    return "\n\n".join([*made, "\n".join(notes)]) + "\n" if made else ""


def markdown(table: list[tuple[str, ...]]) -> str:
    """Write lines of cells as a table, the first of them as its head."""
    head, *rows = (f"| {' | '.join(cells)} |" for cells in table)
    return "\n".join([head, "| --- " * len(table[0]) + "|", *rows])


def shown(figure: float | None, digits: int = 1) -> str:
    """Write a figure for a table."""
    return "-" if figure is None else f"{figure:.{digits}f}"


def write(page: Path, text: str) -> None:
    """Put the tables into the page, between its two lines."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{page} has no line {BEGIN}")
    with replacing(page) as temporary:
        temporary.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def plot(runs: dict[str, Run], test: Characters, path: Path) -> None:
    """Plot the same conversions by several runs, side by side."""
    figure = Figure(figsize=(3.4 * len(runs), 5), layout="constrained")
    for axes, (name, run) in zip(
        figure.subplots(1, len(runs), squeeze=False)[0], runs.items(), strict=True
    ):
        picture = curves.render_conversions(weights.load(run.weights), test, 0, 6)
        axes.imshow(np.asarray(picture))
        axes.set_title(name)
        axes.axis("off")
    figure.savefig(path, dpi=80)


def plot_all(runs: dict[str, Run], test: Characters, out: Path) -> None:
    """Plot Figs. 3 to 6, as far as their rows are trained."""
    for name in ("fig4", "fig5"):
        if chosen := {row: run for row, run in runs.items() if name in ROWS[row].shown}:
            plot(chosen, test, out / f"{name}.png")
    if run := runs.get("LMVAE, sigma 0.15"):
        curves.plot_curves(run.metrics, out / "fig3.png")
        picture = curves.render_conversions(weights.load(run.weights), test, 1, 15)
        sheets.save_png(picture, out / "fig6.png")


def read(data: Path, model: ModelConfig, magnification: int, resize: str) -> Split:
    """Read the drawings, made small by another filter; larger ones only if they are trained on."""
    changes: dict[str, Any] = {"resize": resize}
    return drawings.load(data, dataclasses.replace(model, **changes), magnification=magnification)


def main() -> None:
    """Train what is not yet trained, measure it, plot it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--networks", choices=NETWORKS, default="paper")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW")
    parser.add_argument("--steps", type=int, help="scale the whole schedule to it")
    parser.add_argument("--importance-samples", type=int, default=10, help="for the NLL")
    parser.add_argument("--targets", type=int, default=2, help="drawings of each character")
    parser.add_argument("--images", nargs="+", choices=IMAGES, default=list(IMAGES))
    parser.add_argument("--write", type=Path, help="put the tables into this page")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = NETWORKS[options.networks]
    config = config.scaled(options.steps) if options.steps else config
    trained_on = cache(partial(read, options.data, config.model, config.magnification))
    measured_on = cache(partial(read, options.data, config.model, 1))
    results = options.out / "results.jsonl"
    by = {"importance_samples": options.importance_samples, "targets": options.targets}
    runs = {}
    for name in options.only:
        run, failed = trained(name, config, options, trained_on)
        if not run.weights.exists():
            continue
        runs[name] = run
        done = [line for line in lines(results) if line["name"] == name]
        wanted = options.images if run.config.model.resize != "subsample" else ["subsample"]
        had = {line.get("images") for line in done if line.items() >= by.items()}
        left = [images for images in wanted if images not in had]
        judge = not any(CONVERSIONS[0] in line for line in done)
        for row in itertools.chain(failed, measure(run, measured_on, left, judge=judge, **by)):
            with results.open("a") as file:
                file.write(json.dumps({"name": name, **row}) + "\n")
            print(name, row, flush=True)
    plot_all(runs, measured_on(config.model.resize).test, options.out)
    text = tables(lines(results), **by)
    print(text)
    if options.write:
        write(options.write, text)


def lines(path: Path) -> list[dict[str, Any]]:
    """Read the rows of a JSON lines file; none where there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def settings(config: TrainConfig, row: Row, rate: float) -> TrainConfig:
    """Change the common settings to those of a row."""
    if not row.model:
        return dataclasses.replace(config, lmvae_learning_rate=rate, **row.train)
    return dataclasses.replace(
        config,
        model=dataclasses.replace(config.model, **row.model),
        lmvae_steps=LONGER * config.lmvae_steps,
        lmvae_learning_rate=config.learning_rate,
        **row.train,
    )


def trained(
    name: str, config: TrainConfig, options: argparse.Namespace, read: Any
) -> tuple[Run, list[dict[str, Any]]]:
    """Train a row's run to its end; return it, and how it failed, which is a result, too."""
    row, folder = ROWS[name], options.out / name.replace(", ", "-").replace(" ", "-")
    changed = settings(config, row, LAST_RATES.get(options.networks, 0.0))
    if complete(folder, changed):
        return Run.open(folder), []
    split = read(config.model.resize)
    common, trainer = begin(options.out / "common", config, options.data, split, options.device)
    train(common, trainer, config.pretrain_steps + config.vae_steps, split.test)
    common.close()
    branch(common, folder)
    split = read(changed.model.resize)
    run, trainer = begin(folder, changed, options.data, split, options.device)
    try:
        train(run, trainer, changed.steps, split.test)
    except DivergedError as error:
        step = checkpoints.read(run.checkpoint).step if run.checkpoint.exists() else 0
        return run, [{"error": str(error), "step": step}]
    return run, []


if __name__ == "__main__":
    main()
