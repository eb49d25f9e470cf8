"""How often judges tell drawings from people's, and by what.

python benchmarks/turing.py --data omniglot/ [--weights FILE] [--picture told.png]

Prints a row a case: other drawings by people, copies of the exemplar, strong affine maps of it,
and conversions. The picture shows, for ink and for lines, the conversions that the judge is
surest of and those that it takes for people's, and which places tell it so. Twenty minutes on
one core.
"""

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from known_cases import shown
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vce_models import weights
from vce_models.arrays import Array
from vce_models.config import MAGNIFICATION
from vce_models.datasets import drawings
from vce_models.datasets.drawings import Characters
from vce_models.evaluation import critics, likelihood, turing
from vce_models.evaluation.turing import Case, Judge, Pictures
from vce_models.glyphs.images import CANVAS

STRONG = 2.0
"""Strength of the affine maps, of `critics.jitter`."""

SHOWN = 8
"""Conversions of either kind in a row of the picture."""

FRAME = (0.0, 1.0, 0.0, 1.0)
"""Where a drawing and the evidence about it lie in their axes."""

Made = tuple[list[Pictures], list[Pictures]]
"""What is judged, of background characters and of unseen ones."""


def others(fine: Characters) -> list[Pictures]:
    """As many drawings by people again as are shown of people's, where there are so many."""
    bounds = zip(fine.starts[:-1] + 1, fine.starts[1:], strict=True)
    halves = [fine.images[start:stop] for start, stop in bounds]
    return [half[len(half) // 2 :][: turing.DRAWINGS] for half in halves]


def copies(fine: Characters) -> list[Pictures]:
    """Exemplars over again, as many as drawings by people are shown."""
    bounds = zip(fine.starts[:-1], fine.starts[1:], strict=True)
    counts = ((start, min(int(stop - start) - 1, turing.DRAWINGS)) for start, stop in bounds)
    return [np.repeat(fine.images[start : start + 1], count, 0) for start, count in counts]


def maps(fine: Characters) -> list[Pictures]:
    """Random affine maps of every exemplar, of strength `STRONG`."""
    generator = torch.Generator().manual_seed(0)

    def moved(exemplars: Pictures) -> Pictures:
        images = torch.from_numpy(exemplars)[:, None].float()
        grey = critics.jitter(images, STRONG, generator)[:, 0]
        return turing.kept(grey.round().to(torch.uint8).numpy(), CANVAS)

    return [moved(exemplars) for exemplars in copies(fine)]


def plot(judges: dict[str, tuple[Judge, Case]], path: Path) -> None:
    """Plot the conversions that each judge is surest of, and those it takes for people's.

    Under each exemplar stands its conversion. Red places say that it is one, blue ones that a
    person drew it.
    """
    count = 4 * len(judges)
    figure = Figure(figsize=(SHOWN, 1.12 * count), layout="constrained")
    rows = iter(figure.subplots(count, SHOWN))
    for name, (judge, case) in judges.items():
        evidence = turing.evidence(judge, case)
        made = np.flatnonzero(case.made.numpy())
        ranked = made[np.argsort(evidence[made].mean((1, 2)))]
        for said, chosen in (("told", ranked[::-1]), ("not told", ranked)):
            above, below = next(rows), next(rows)
            above[0].set_title(f"{said} by {name}", loc="left", fontsize=9)
            for exemplar, conversion, i in zip(above, below, chosen[:SHOWN], strict=True):
                render(exemplar, case.exemplars[case.owners[i]].numpy())
                render(conversion, case.shown[i].numpy(), evidence[i])
    figure.savefig(path, dpi=80)


def render(axes: Axes, drawing: Pictures, evidence: Array | None = None) -> None:
    """Render a drawing, (side, side) uint8, and the evidence at its places."""
    axes.imshow(drawing, cmap="Greys", extent=FRAME)
    if evidence is not None:
        axes.imshow(evidence, cmap="bwr", alpha=0.4, vmin=-4, vmax=4, extent=FRAME)
    axes.set_xticks([])
    axes.set_yticks([])


def main() -> None:
    """Print the table; with --picture, plot what told the judges so."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", help="a name or a file; the default weights otherwise")
    parser.add_argument("--picture", type=Path, help="the PNG to write")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model = weights.load(options.weights)
    large = dataclasses.replace(model.config, size=MAGNIFICATION * model.config.size)
    small, fine = (drawings.load(options.data, config) for config in (model.config, large))

    def converted(part: str, seed: int) -> list[Pictures]:
        renderer = likelihood.renderers(model, "cpu")
        parts = getattr(small, part), getattr(fine, part)
        return turing.conversions(renderer, model.config, *parts, canvas=CANVAS, seed=seed)

    cases: dict[str, Callable[[], Made]] = {
        "people": lambda: (others(fine.train), others(fine.test)),
        "copies": lambda: (copies(fine.train), copies(fine.test)),
        "strong affine maps": lambda: (maps(fine.train), maps(fine.test)),
        "conversions": lambda: (
            converted("train", options.seed + 1),
            converted("test", options.seed),
        ),
    }
    print("| | told by ink | told by lines |\n| --- | --- | --- |")
    for name, make in cases.items():
        judged, figures = {}, []
        made = make()
        for by, (look, fold) in turing.LOOKS.items():
            judge = turing.train(turing.case(fine.train, made[0], look), fold, seed=options.seed)
            judged[by] = judge, turing.case(fine.test, made[1], look)
            figures.append(shown(turing.told(*judged[by], seed=options.seed)))
        print("|", " | ".join((name, *figures)), "|", flush=True)
    if options.picture:
        plot(judged, options.picture)


if __name__ == "__main__":
    main()
