"""`vce convert`: one glyph in, a grid of conversions out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vce_cli import report
from vce_cli.extras import require_torch, torch_device
from vce_models.errors import ConfigError

if TYPE_CHECKING:
    from vce_models.convert import Array
    from vce_models.weights import Weights

REPAYS = 512
"""Conversions from which starting PyTorch on CUDA repays itself under `--device auto`."""


def convert(
    glyph: Annotated[Path, typer.Argument(help="An image of one character.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="The grid, a .png.")],
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="Rules to sample.")] = 16,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the rules; drawn and printed by default.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="Instead of the shipped ones.")] = None,
    columns: Annotated[int | None, typer.Option(min=1, help="Cells in a row.")] = None,
    scale: Annotated[int, typer.Option(min=1, max=64, help="Enlargement of a pixel.")] = 4,
    device: Annotated[
        str, typer.Option(help="auto, cpu or cuda; auto takes CUDA for large jobs.")
    ] = "auto",
) -> None:
    """Redraw a character in many styles; no training, no PyTorch."""
    if output.suffix.lower() != ".png":
        raise ConfigError(f"cannot write {output}", hint="name a .png after -o")
    # One thread: on a busy machine more make the small products ten times slower.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from vce_models import images, rules
    from vce_models.weights import load

    model = load(weights)
    condition = images.read_glyph(glyph, str(glyph), model.config)
    if seed is None:
        seed = int.from_bytes(os.urandom(4), "big")
        report.say(f"seed {seed}")
    drawn = rules.sample(number, model.config, seed)
    converted = _converted(model, condition, drawn, device)
    images.save_png(images.draw_grid(condition, converted, columns, scale), output)


def _converted(model: Weights, condition: Array, rules: Array, device: str) -> Array:
    if device not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"--device is {device!r}", hint="use auto, cpu or cuda")
    large = len(rules) >= REPAYS and Path("/dev/nvidia0").exists()
    if device == "cuda" or (device == "auto" and large and _has_torch()):
        require_torch("convert --device cuda")
        where = torch_device(device)
        from vce_models.evaluation import convert_torch

        return convert_torch(model, condition, rules, where)
    from vce_models.convert import convert as convert_numpy

    with report.progress("converting") as advance:
        return convert_numpy(model, condition, rules, advance)


def _has_torch() -> bool:
    from importlib.util import find_spec

    return find_spec("torch") is not None
