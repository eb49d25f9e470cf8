"""`vce eval` says what a model is worth on the test characters, in tables or as JSON."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from vce_cli import completion, dataset, report
from vce_cli.completion import WEIGHTS
from vce_cli.extras import DEVICES, either, require_device, require_torch, torch_device
from vce_models.config import MAGNIFICATION, MAX_SEED, Resize
from vce_models.errors import DataError
from vce_models.files import check_file

if TYPE_CHECKING:
    from vce_models.datasets.drawings import Characters, Split
    from vce_models.evaluation.critics import Critics
    from vce_models.evaluation.quality import Quality
    from vce_models.evaluation.transfer import Transfer
    from vce_models.evaluation.turing import Told
    from vce_models.networks.vce import VCE
    from vce_models.weights import Weights

TRIALS = 4000
"""How often rule transfer is tried."""


def evaluate(
    data: Annotated[Path, typer.Option(help=dataset.KINDS)],
    weights: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help=WEIGHTS, autocompletion=completion.weights),
    ] = None,
    importance_samples: Annotated[
        int, typer.Option(min=1, help="How many rules are sampled for each pair; papers use 1000.")
    ] = 10,
    targets: Annotated[
        int,
        typer.Option(min=1, help="How many drawings of each character are measured; 19 is all."),
    ] = 5,
    binarise: Annotated[
        bool,
        typer.Option(
            "--binarise", help="Make the drawings black and white, at a threshold of 0.5."
        ),
    ] = False,
    resize: Annotated[
        str | None,
        typer.Option(
            help=f"How drawings are made small: {either(get_args(Resize))}; "
            "by default as for the training."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=MAX_SEED, help="The seed that chooses targets and rules.")
    ] = 0,
    device: Annotated[
        str, typer.Option(help=f"The device to work on: {either(DEVICES)}.")
    ] = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON, for programs.")
    ] = False,
    critics: Annotated[
        Path | None, typer.Option(help="Critics other than the shipped ones.")
    ] = None,
    turing: Annotated[
        bool,
        typer.Option(
            "--turing", help="Train judges that tell conversions from people's drawings, too."
        ),
    ] = False,
    grid: Annotated[
        Path | None, typer.Option(help="Write a picture of conversions to this .png.")
    ] = None,
    chars: dataset.Chars = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch Omniglot into --data first.")
    ] = False,
) -> None:
    """Measure likelihood, recognisability, diversity and rule transfer on unseen characters."""
    require_torch("eval")
    if grid:
        check_file(grid)
    dataset.require(data, download=download)
    require_device(device)
    from vce_models.glyphs import sheets
    from vce_models.training.curves import render_conversions
    from vce_models.weights import load

    model = load(weights)
    if resize:
        settings: dict[str, Any] = {"resize": resize}  # checked by the config
        config = dataclasses.replace(model.config, **settings)
        model = dataclasses.replace(model, config=config)
    judges = _critics(critics, device) if critics else None
    split = dataset.read(data, model.config, chars=chars, download=download)
    test = split.test
    judges = judges or _critics(None, device)
    from vce_models.evaluation import likelihood

    where = torch_device(device)
    networks = likelihood.from_weights(model, where)
    with report.progress("measuring pairs") as advance:
        measured = likelihood.evaluate(
            networks,
            test,
            targets=targets,
            importance_samples=importance_samples,
            seed=seed,
            binarise=binarise,
            progress=advance,
        )
    quality = _quality(networks, test, judges, seed)
    transfer = _transfer(networks, test, seed)
    told = None
    if turing:
        large = dataclasses.replace(model.config, size=MAGNIFICATION * model.config.size)
        fine = dataset.read(data, large, chars=chars, download=False)
        told = _told(model, split, fine, canvas=_canvas(data), seed=seed, device=where)
    if grid:
        sheets.save_png(render_conversions(model, test, seed), grid)
    if as_json:
        parts = {"quality": quality, "transfer": transfer, "turing": told}
        figures = {name: part and dataclasses.asdict(part) for name, part in parts.items()}
        found = report.known({**dataclasses.asdict(measured), **figures})
        report.out(json.dumps(found, indent=2, allow_nan=False) + "\n")
    else:
        report.tables(measured, quality, transfer, told)


def _critics(path: Path | None, device: str) -> Critics:
    """Load the critics, which loads PyTorch."""
    from vce_models.evaluation.critics import load

    return load(path, torch_device(device))


def _quality(model: VCE, test: Characters, judges: Critics, seed: int) -> Quality | None:
    """Judge conversions; say why and return None where these characters do not allow it."""
    from vce_models.evaluation import quality

    try:
        with report.progress("converting") as advance:
            samples = quality.conversions(model, test, seed=seed, progress=advance)
        return quality.judge(samples, test, judges, seed=seed)
    except DataError as error:
        report.say(f"no diversity and recognisability: {error}")
        return None


def _transfer(model: VCE, test: Characters, seed: int) -> Transfer | None:
    """Measure rule transfer; say why and return None where these characters do not allow it."""
    from vce_models.evaluation import transfer

    try:
        return transfer.measure(model, test, trials=TRIALS, seed=seed)
    except DataError as error:
        report.say(f"no rule transfer: {error}")
        return None


def _canvas(data: Path) -> int | None:
    """Return how many pixels a side all drawings of a data set had, where that is known."""
    from vce_models.datasets.drawings import omniglot
    from vce_models.glyphs.images import CANVAS

    return CANVAS if any(omniglot(data)) else None


def _told(
    model: Weights, split: Split, fine: Split, *, canvas: int | None, seed: int, device: str
) -> Told | None:
    """Train judges on characters to train on, and ask them about the others.

    Args:
        model: The weights.
        split: The drawings as the model sees them.
        fine: The same drawings, `MAGNIFICATION` times as large.
        canvas: Pixels a side that all drawings had, if that is known.
        seed: The seed of rules and judges.
        device: `cpu` or `cuda`.

    Returns:
        None, after saying why, where these characters do not allow it.
    """
    from vce_models.evaluation import likelihood, turing

    renderer = likelihood.renderers(model, device)
    try:
        halves = []
        for small, large, own_seed in (
            (split.train, fine.train, seed + 1),
            (split.test, fine.test, seed),
        ):
            with report.progress("converting finely") as advance:
                made = turing.conversions(
                    renderer,
                    model.config,
                    small,
                    large,
                    canvas=canvas,
                    seed=own_seed,
                    progress=advance,
                )
            halves.append((large, made))
        with report.progress("training judges") as advance:
            return turing.measure(*halves, seed=seed, device=device, progress=advance)
    except DataError as error:
        report.say(f"no visual Turing test: {error}")
        return None
