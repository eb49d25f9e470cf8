"""Pictures of a model and of its training, in the manner of the paper's figures."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
from PIL import Image

from vce_models import rules
from vce_models.convert import convert
from vce_models.datasets.drawings import Characters
from vce_models.files import replacing
from vce_models.glyphs import sheets
from vce_models.weights import Weights

ROWS, SCALE = 10, 2
"""Test characters in a picture, and the picture's points for each pixel of a drawing."""


def render_conversions(
    model: Weights, test: Characters, seed: int, columns: int = 12
) -> Image.Image:
    """Render fig. 5: a row for each test character, its condition in a red box and conversions.

    Args:
        model: The weights.
        test: `ROWS` characters are taken at even distances, the same ones every time.
        seed: The seed of the rules, which all rows share.
        columns: How many conversions each row has.
    """
    sampled = rules.sample(columns, model.config, seed)
    chosen = np.linspace(0, len(test) - 1, min(ROWS, len(test))).astype(int)
    conditions = test.images[test.starts[chosen]].astype(np.float32) / 255
    side = SCALE * model.config.size
    # A convertor that renders every pixel is shown as it is: enlarged, it would look less blurred.
    scale = SCALE if model.config.wiring == "deformation" else 1
    rows = []
    for q in conditions:
        cells = [q, *convert(model, q, sampled, scale=scale)]
        pictures = [sheets.render_cell(ink, side) for ink in cells]
        rows.append(sheets.render_grid(pictures, columns + 1))
    return sheets.stack(rows)


NUMBERS = ("step", "reconstruction", "kl", "kl_converted", "learning_rate")
"""What is plotted of a row of metrics.jsonl, beside its phase."""


def can_plot(row: dict[str, object]) -> bool:
    """Return whether a row of metrics.jsonl has all that is plotted."""
    return "phase" in row and all(isinstance(row.get(name), int | float) for name in NUMBERS)


def plot_curves(metrics: Path, path: Path) -> None:
    """Plot fig. 3: the reconstruction, and the KL of real and of converted drawings.

    Grey lines stand between phases, orange ones where the learning rate was halved.

    Args:
        metrics: A run's metrics.jsonl.
        path: The PNG that is written.
    """
    from matplotlib.figure import Figure

    rows = [json.loads(line) for line in metrics.read_text().splitlines()]
    steps = [row["step"] for row in rows]
    figure = Figure(figsize=(7, 6), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True)
    upper.plot(steps, [row["reconstruction"] for row in rows], linewidth=1, color="black")
    upper.set_ylabel("reconstruction, nats")
    for term, label in (("kl", "real drawings"), ("kl_converted", "converted drawings")):
        lower.plot(steps, [row[term] for row in rows], linewidth=1, label=label)
    lower.set_ylabel("KL, nats")
    lower.set_xlabel("step")
    lower.legend()
    for axes in (upper, lower):
        for before, after in itertools.pairwise(rows):
            if before["phase"] != after["phase"]:
                axes.axvline(before["step"], color="grey", linewidth=0.5)
            if math.isclose(after["learning_rate"], before["learning_rate"] / 2):
                axes.axvline(before["step"], color="orange", linewidth=0.5)
    with replacing(path) as temporary, temporary.open("wb") as file:
        figure.savefig(file, format="png", dpi=100)
