"""A visual Turing test: a judge tells people's drawings from conversions (Lake et al. 2015).

The judge is a small network that sees a character's exemplar and one more drawing of it, and
says whether the second is a conversion. It learns from background characters, and is asked
about unseen ones. One judge sees the ink, in black and white. Another sees only the course of
lines, which were thinned and rendered again by one pen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from vce_models import rules
from vce_models.arrays import Array
from vce_models.config import MAGNIFICATION, ModelConfig
from vce_models.datasets.drawings import Characters
from vce_models.errors import DataError
from vce_models.evaluation.quality import RESAMPLES, Interval, interval
from vce_models.evaluation.thinning import thickened, thinned
from vce_models.networks.layout import channels_last
from vce_models.networks.precision import multiplies_bfloat16

DRAWINGS = 8
"""How many drawings of a character are shown of either kind, if people made so many."""

EPOCHS, PAIRS = 8, 64
"""How often a judge sees each drawing in its training, on average, and how many drawings of either
kind a step has."""

WIDTHS = (32, 64, 64, 64)
"""Channels of the judge's convolutions; the first two are followed by 2x2 pooling."""

BATCH = 128
"""Drawings that are prepared, or judged, at a time."""

Pictures = NDArray[np.uint8]
Look = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Told:
    """How often a judge takes a drawing for what it is: a person's or a conversion.

    Half of the drawings are people's, so a judge that cannot tell is right in half of all cases.

    Attributes:
        ink: For black and white drawings, of the size of the model's images.
        lines: For lines that one pen rendered again, twice as large.
        drawings: How many drawings of a character were judged of either kind, at most.
    """

    ink: Interval
    lines: Interval
    drawings: int


@dataclass(frozen=True)
class Case:
    """Drawings that a judge is shown, as it sees them.

    Attributes:
        exemplars: The first drawing of each character, (C, side, side) uint8.
        shown: The drawings to judge, (N, side, side) uint8.
        owners: For each drawing to judge the number of its character, (N,).
        made: Whether each drawing to judge is a conversion, (N,).
    """

    exemplars: Tensor
    shown: Tensor
    owners: Tensor
    made: Tensor


class Judge(nn.Module):
    """Four 3x3 convolutions of `WIDTHS`, and a 1x1 one that gives evidence at every place."""

    def __init__(self, fold: int) -> None:
        """Build a judge that folds squares of `fold` by `fold` pixels into channels first."""
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(fold)]
        inputs = 2 * fold**2
        for i, outputs in enumerate(WIDTHS):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if i < 2 else []
            inputs = outputs
        self.layers = channels_last(nn.Sequential(*layers, nn.Conv2d(inputs, 1, 1)))

    def forward(self, exemplars: Tensor, shown: Tensor) -> Tensor:
        """Map two pictures, (N, side, side) uint8 each, to evidence, (N, places, places).

        Its mean over places is the logarithm of the odds that `shown` is a conversion.
        """
        x = torch.stack((exemplars, shown), dim=1).float() / 255
        evidence: Tensor = self.layers(x.contiguous(memory_format=torch.channels_last))[:, 0]
        return evidence


def kept(pictures: Pictures, canvas: int) -> Pictures:
    """Make of pictures what would be left if they had been kept in fewer pixels, black and white.

    People's drawings were, and then each of their pixels became one or two of a larger picture.
    Which became two can be seen wherever a stroke lies, so that a drawing that was moved by pixels
    of the larger picture would be told by nothing else.

    Args:
        pictures: (N, side, side).
        canvas: Pixels a side in which they are kept.

    Returns:
        The same shape.
    """
    side = pictures.shape[-1]
    edges = np.arange(canvas + 1)[:, None] * side / canvas
    pixels = np.arange(side)
    overlap = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    area = np.maximum(overlap, 0).astype(np.float32) * canvas / side
    black = np.where(area @ pictures @ area.T >= 127.5, 255, 0).astype(np.uint8)
    of_each = (2 * pixels + 1) * canvas // (2 * side)
    return black[:, of_each[:, None], of_each]


def ink(pictures: Tensor) -> Tensor:
    """Reduce (N, k size, k size) uint8, k = `MAGNIFICATION`, to (N, size, size), black and white.

    They are cut before that, too. People's drawings have no grey, so that many of their pixels are
    half ink to the point, and count as ink; next to none of a grey picture would be.
    """
    black = (pictures[:, None] >= 128).float()
    return (F.avg_pool2d(black, MAGNIFICATION)[:, 0] >= 0.5).to(torch.uint8) * 255


def lines(pictures: Tensor) -> Tensor:
    """Thin (N, k size, k size) uint8, k = `MAGNIFICATION`; render grey (N, 2 size, 2 size) of it.

    A mean over 3x3 pixels comes first, so that the steps of pixels do not show in the lines.
    """
    grey = F.avg_pool2d(pictures[:, None].float(), 3, 1, 1)[:, 0]
    strokes = thickened(thinned(grey >= 127.5))
    small = F.avg_pool2d(strokes[:, None].float(), MAGNIFICATION // 2)[:, 0]
    return (255 * small).round().to(torch.uint8)


LOOKS: dict[str, tuple[Look, int]] = {"ink": (ink, 1), "lines": (lines, 2)}
"""What the judges see, and how many pixels a side each judge folds."""


def conversions(
    renderer: Callable[..., Callable[[Array], Array]],
    config: ModelConfig,
    small: Characters,
    fine: Characters,
    *,
    canvas: int | None,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[Pictures]:
    """Convert the first drawing of each character, each time by a rule of its own.

    Args:
        renderer: What `likelihood.renderers` makes of the weights.
        config: The model's settings.
        small: The characters as the model sees them.
        fine: The same characters, `MAGNIFICATION` times as large.
        canvas: Pixels a side of the drawings that people's were made of, as `kept` takes it; None
            where they differ.
        seed: The seed of the rules.
        progress: Called with (characters converted, characters in all).

    Returns:
        C arrays, (n, k size, k size), k = `MAGNIFICATION`; n is `DRAWINGS`, or the number of other
        drawings that people made if that is less.

    Raises:
        DataError: A character has no second drawing.
    """
    counts = np.minimum(np.diff(fine.starts) - 1, DRAWINGS)
    if counts.min() < 1:
        raise DataError(f"{fine.names[int(counts.argmin())]} has one drawing only")
    chosen = np.split(rules.sample(int(counts.sum()), config, seed), np.cumsum(counts)[:-1])
    side = MAGNIFICATION * config.size
    # One block for all: small ones between the large ones of the rendering would keep those.
    converted = np.split(np.empty((counts.sum(), side, side), np.uint8), np.cumsum(counts)[:-1])
    for i, (own, pictures) in enumerate(zip(chosen, converted, strict=True)):
        q, detail = (part.images[part.starts[i]].astype(np.float32) / 255 for part in (small, fine))
        made = (255 * renderer(q, detail, MAGNIFICATION)(own)).round().astype(np.uint8)
        pictures[:] = made if canvas is None else kept(made, canvas)
        if progress:
            progress(i + 1, len(chosen))
    return converted


def case(fine: Characters, made: list[Pictures], look: Look, device: str = "cpu") -> Case:
    """Put together the conversions of each character and as many drawings by people.

    Args:
        fine: The characters; the first drawing of each is the exemplar, and the next ones are
            shown.
        made: For each character n conversions, (n, k size, k size), k = `MAGNIFICATION`; people
            made n other drawings of it or more.
        look: One of `LOOKS`.
        device: Where the judge will be.
    """
    starts = fine.starts[:-1]
    people = [
        fine.images[at + 1 : at + 1 + len(part)] for at, part in zip(starts, made, strict=True)
    ]

    def seen(pictures: Pictures) -> Tensor:
        parts = torch.split(torch.from_numpy(pictures), BATCH)
        return torch.cat([look(part.to(device)) for part in parts])

    owners = torch.arange(len(fine)).repeat_interleave(torch.tensor([len(part) for part in made]))
    return Case(
        seen(fine.images[starts]),
        torch.cat((seen(np.concatenate(people)), seen(np.concatenate(made)))),
        owners.repeat(2).to(device),
        torch.arange(2 * len(owners), device=device) >= len(owners),
    )


def train(
    case: Case,
    fold: int,
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Judge:
    """Train a judge on drawings of background characters.

    Args:
        case: The drawings that it is shown.
        fold: How many pixels a side it folds.
        epochs: How often it sees each drawing, on average.
        seed: The seed of the weights, and of the order of drawings.
        progress: Called with (steps made, steps in all).
    """
    device = case.shown.device
    half = len(case.shown) // 2
    steps = -(-epochs * half // PAIRS)
    generator = torch.Generator(device).manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        judge = Judge(fold).to(device)
    optimiser = torch.optim.AdamW(judge.parameters(), 1e-3)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        chosen = torch.randint(half, (2, PAIRS), generator=generator, device=device)
        chosen = torch.cat((chosen[0], half + chosen[1]))
        optimiser.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=multiplies_bfloat16(device)):
            evidence = judge(case.exemplars[case.owners[chosen]], case.shown[chosen])
        odds = evidence.float().mean((1, 2))
        F.binary_cross_entropy_with_logits(odds, case.made[chosen].float()).backward()
        optimiser.step()
        decay.step()
        if progress:
            progress(step + 1, steps)
    return judge.eval()


@torch.inference_mode()
def evidence(judge: Judge, case: Case) -> Array:
    """Return the judge's evidence at each place of each drawing, (N, places, places)."""
    parts = [
        judge(case.exemplars[owners], shown)
        for owners, shown in zip(case.owners.split(BATCH), case.shown.split(BATCH), strict=True)
    ]
    return np.asarray(torch.cat(parts).float().cpu().numpy())


def told(judge: Judge, case: Case, *, seed: int) -> Interval:
    """Measure how often the judge is right; the interval is bootstrapped over characters."""
    right = (evidence(judge, case).mean((1, 2)) > 0) == case.made.cpu().numpy()
    owners = case.owners.cpu().numpy()
    of_each = np.bincount(owners, weights=right) / np.bincount(owners)
    rng = np.random.default_rng(seed)
    resampled = of_each[rng.integers(len(of_each), size=(RESAMPLES, len(of_each)))].mean(1)
    return interval(of_each.mean(), resampled)


def measure(
    background: tuple[Characters, list[Pictures]],
    unseen: tuple[Characters, list[Pictures]],
    *,
    seed: int,
    device: str = "cpu",
    epochs: int = EPOCHS,
    progress: Callable[[int, int], None] | None = None,
) -> Told:
    """Train a judge for each of `LOOKS`, and ask it about unseen characters.

    Args:
        background: Characters to learn from, `MAGNIFICATION` times as large as the model's images,
            and the conversions of each.
        unseen: Other characters, and their conversions.
        seed: The seed of the judges and of the bootstrap.
        device: `cpu` or `cuda`.
        epochs: How often each judge sees a drawing.
        progress: Called with (steps made, steps in all).
    """
    found = {}
    for i, (name, (look, fold)) in enumerate(LOOKS.items()):

        def advance(done: int, total: int, before: int = i) -> None:
            if progress:
                progress(before * total + done, len(LOOKS) * total)

        learnt = case(*background, look, device)
        judge = train(learnt, fold, epochs=epochs, seed=seed, progress=advance)
        found[name] = told(judge, case(*unseen, look, device), seed=seed)
    return Told(**found, drawings=max(len(part) for part in unseen[1]))
