"""`vce train`: options become one TrainConfig, and the loop trains, shows and saves."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from vce_cli import completion, dataset, report
from vce_cli.extras import DEVICES, either, require_device, require_torch, torch_device
from vce_models.config import Objective, Resize, Wiring
from vce_models.errors import ConfigError, DivergedError
from vce_models.recipes import DEFAULT, RECIPES

if TYPE_CHECKING:
    from vce_models.config import TrainConfig
    from vce_models.datasets.drawings import Characters
    from vce_models.training.runs import Run
    from vce_models.training.trainer import Report, Trainer

SAVE_SECONDS = 60.0
"""Seconds between two checkpoints."""

REPORTS = 500
"""How many reports a long run has, so that metrics.jsonl stays short; one in 100 steps at least."""


def train(
    data: Annotated[
        Path | None,
        typer.Option(help=dataset.KINDS, show_default=False),
    ] = None,
    chars: dataset.Chars = None,
    out: Annotated[Path, typer.Option(help="The folder to make for the run.")] = Path("runs/vce"),
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the run in this folder.", show_default=False)
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"The named settings to train by: {either([*RECIPES])}; {DEFAULT} by default.",
            autocompletion=completion.recipes,
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Scale the whole schedule to so many steps.")
    ] = None,
    episodes: Annotated[
        int | None, typer.Option(help="How many episodes one step takes; the paper takes 1.")
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(help=f"What the last phase minimises: {either(get_args(Objective))}."),
    ] = None,
    wiring: Annotated[
        str | None,
        typer.Option(help=f"How the rule enters the convertor: {either(get_args(Wiring))}."),
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Side of the images in pixels, an even number.")
    ] = None,
    resize: Annotated[
        str | None, typer.Option(help=f"How drawings are made small: {either(get_args(Resize))}.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="The seed of the initial weights, the episodes and the noise."),
    ] = None,
    device: Annotated[
        str, typer.Option(help=f"The device to train on: {either(DEVICES)}.")
    ] = "auto",
    threads: Annotated[
        int | None, typer.Option(help="How many CPU threads PyTorch takes.", min=1)
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch Omniglot into --data first.")
    ] = False,
) -> None:
    """Train a model on drawings of characters, as the paper did or by another recipe."""
    require_torch("train")
    model = {"wiring": wiring, "size": size, "resize": resize}
    rest = {"episodes": episodes, "objective": objective, "seed": seed}
    settings = {"chars": chars, "recipe": recipe, "steps": steps, **model, **rest}
    if resume and (given := _given(settings)):
        options = ", ".join(f"--{name}" for name in given)
        raise ConfigError(f"{options} cannot change with --resume", hint="leave it out")
    if data is None and resume is None:
        hint = "vce train --data omniglot/ --download fetches one"
        raise ConfigError("no data set is named", hint=hint)
    if data is not None:
        dataset.require(data, download=download)
    require_device(device)
    from vce_models.training.runs import Run

    run = Run.open(resume) if resume else None
    config = run.config if run else _config(recipe, steps, model, rest)
    folder = data or (run.data if run else Path())
    chars = run.chars if run else chars
    if not run:
        Run(out, config, folder, chars).require_unbegun()
    read = partial(
        dataset.read,
        folder,
        config.model,
        chars=chars,
        download=download,
        magnification=config.magnification,
    )
    # Alone, read before PyTorch is loaded, which takes longer than to say what is no data set.
    split = read() if os.environ.get("WORLD_SIZE", "1") == "1" else None
    where = torch_device(device)
    import torch

    from vce_models.training import checkpoints
    from vce_models.training.parallel import Processes
    from vce_models.training.trainer import Trainer

    if threads:
        torch.set_num_threads(threads)
    processes = Processes.join(where)
    try:
        checkpoint = None
        if run:
            if not processes.rank:
                run.lock()
            checkpoint = checkpoints.read(run.checkpoint)
            run.check(checkpoint.config)
        split = split or processes.first(read, torch.device(where))
        if checkpoint:
            trainer = checkpoints.resume(checkpoint, split.train, where, processes)
        else:
            trainer = Trainer(config, split.train, where, processes)
        if processes.rank:
            _follow(trainer)
        elif run:
            run.trim(trainer.step)
            _train(trainer, run, split.test)
        else:
            _train(trainer, Run.create(out, config, folder, chars), split.test)
    finally:
        processes.leave()


def _config(
    recipe: str | None, steps: int | None, model: dict[str, Any], rest: dict[str, Any]
) -> TrainConfig:
    """Change what was asked for in a recipe.

    Raises:
        ConfigError: There is no such recipe, or the settings are not allowed.
    """
    recipe = recipe or DEFAULT
    if recipe not in RECIPES:
        raise ConfigError(f"no recipe is called {recipe!r}", hint=f"use {', '.join(RECIPES)}")
    config = RECIPES[recipe]
    changed = dataclasses.replace(config.model, **_given(model))
    config = dataclasses.replace(config, model=changed, **_given(rest))
    return config.scaled(steps) if steps is not None else config


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _train(trainer: Trainer, run: Run, test: Characters) -> None:
    """Train, show progress, and save."""
    config = trainer.config
    run.save(trainer, test)
    saved = time.monotonic()
    try:
        with _signals() as caught:
            _say_how_long(trainer)
            with report.training(config) as show:
                while trainer.step < config.steps and not caught:
                    begun, first = time.monotonic(), trainer.step
                    result = _advance(trainer, caught)
                    pairs = (trainer.step - first) * config.episodes * config.support
                    run.record(result, speed := pairs / (time.monotonic() - begun))
                    show(result, speed)
                    # Weights that may be collapsing must not replace the last good ones.
                    if time.monotonic() - saved > SAVE_SECONDS and not trainer.collapsing:
                        run.save(trainer, test)
                        saved = time.monotonic()
    except DivergedError:
        report.say(f"the last good weights are {run.weights}")
        raise
    run.save(trainer, test)
    if caught:
        report.say(f"stopped at step {trainer.step}; vce train --resume {run.folder} goes on")
        raise typer.Exit(128 + caught[0])
    report.say(f"trained {trainer.step} steps; the weights are {run.weights}")


def _say_how_long(trainer: Trainer) -> None:
    """Say how much training is ahead, and how long it will take on this machine."""
    import torch

    from vce_models.training import pace

    if not (left := trainer.config.left(trainer.step)):
        return
    cores = report.counted(torch.get_num_threads(), "core")
    if (count := trainer.processes.count) > 1:
        cores = f"{count} processes of {cores}"
    where = "CUDA" if trainer.device.type == "cuda" else cores
    phases = " + ".join(
        f"{len(steps):,} {trainer.config.called(phase)}" for phase, steps in left.items()
    )
    lasts = report.lasting(pace.seconds_left(trainer))
    report.say(f"about {lasts} on this machine ({where}): {phases} steps")


def _follow(trainer: Trainer) -> None:
    """Train beside the process that shows and saves, as long as that one trains."""
    from vce_models.training import pace

    with _signals() as caught:
        pace.seconds_left(trainer)
        while trainer.step < trainer.config.steps and not caught:
            _advance(trainer, caught)


def _advance(trainer: Trainer, caught: list[int]) -> Report:
    """Train to the next report; a signal that one process has caught stops all processes."""
    every = max(1, min(100, trainer.config.steps // REPORTS))
    result = trainer.advance(every - trainer.step % every, lambda: bool(caught))
    if trainer.stopped and not caught:
        caught.append(signal.SIGTERM)
    return result


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM, so that the current step ends; a second signal kills."""
    caught: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def catch(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        signal.signal(number, before[signal.Signals(number)])

    try:
        for number in before:
            signal.signal(number, catch)
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
