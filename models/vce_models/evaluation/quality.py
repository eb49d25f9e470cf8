"""Diversity and recognisability of conversions (Boutin et al. 2022), by the critics.

The first drawing of each test character is its exemplar. Samples are judged beside people's
other drawings of the same characters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vce_models import rules
from vce_models.arrays import Array, Integers
from vce_models.datasets.drawings import Characters
from vce_models.errors import DataError
from vce_models.evaluation import critics
from vce_models.evaluation.critics import Critics
from vce_models.networks.vce import VCE
from vce_models.progress import Progress

WAYS = 20
"""Among how many characters a sample is recognised."""

RESAMPLES = 2000
"""How often the characters are resampled for an interval (bootstrap)."""


@dataclass(frozen=True)
class Interval:
    """A figure and its 95% bootstrap interval over characters; no number where there is none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Quality:
    """What critics say of samples. The first two figures mean nothing without each other.

    Attributes:
        recognisability: Share of samples that lie nearer to their own exemplar than to 19
            other characters', in the recogniser's features, on average over all choices of 19.
            Where there are fewer characters, among all of them.
        diversity: Spread of a character's samples in the contrastive features, the square
            root of their unbiased variance, divided by the spread of people's drawings.
        entropy: Mean Bernoulli entropy of the samples, in nats an image. Critics hardly see
            blur; this does.
        samples: How many samples each character has.
        ways: Among how many characters a sample was recognised: 20, or as many as there are.
    """

    recognisability: Interval
    diversity: Interval
    entropy: Interval
    samples: int
    ways: int


def exemplars(test: Characters) -> Array:
    """Return the first drawing of every character, (C, size, size) in [0, 1]."""
    return _ink(test.images[test.starts[:-1]])


def people(test: Characters) -> list[Array]:
    """Return the other drawings of every character, each (n, size, size) in [0, 1]."""
    bounds = zip(test.starts[:-1], test.starts[1:], strict=True)
    return [_ink(test.images[start + 1 : stop]) for start, stop in bounds]


def _ink(images: NDArray[np.uint8]) -> Array:
    return np.asarray(images, np.float32) / np.float32(255)


@torch.inference_mode()
def conversions(
    model: VCE,
    test: Characters,
    *,
    seed: int,
    progress: Progress | None = None,
) -> list[Array]:
    """Convert each exemplar as many times as people made other drawings of it.

    Every conversion has a rule of its own.

    Returns:
        C arrays, each (n, size, size), probabilities of ink.

    Raises:
        DataError: A character has fewer than three drawings, so its spread is unknown.
    """
    device = next(model.parameters()).device
    counts = np.diff(test.starts) - 1
    if counts.min() < 2:
        few = test.names[int(counts.argmin())]
        raise DataError(f"{few} has fewer than three drawings")
    chosen = np.split(rules.sample(int(counts.sum()), model.config, seed), np.cumsum(counts)[:-1])
    converted = []
    for i, (q, r) in enumerate(zip(exemplars(test), chosen, strict=True)):
        z = model.prior.latents(torch.from_numpy(r).to(device))
        condition = torch.from_numpy(q).to(device)[None, None]
        drawings = model.convertor.renderer(condition, q, 1)(z)
        converted.append(np.asarray(drawings[:, 0].cpu().numpy(), np.float32))
        if progress:
            progress(i + 1, len(counts))
    return converted


def judge(samples: list[Array], test: Characters, judges: Critics, *, seed: int) -> Quality:
    """Judge samples of every test character.

    Args:
        samples: Two or more for each character, (n, size, size) in [0, 1].
        test: Its first drawings are the exemplars, the others people's own samples.
        judges: The critics.
        seed: The seed of the bootstrap.

    Raises:
        DataError: There is one character, or people's drawings do not differ at all.
    """
    if len(test) < 2:
        raise DataError("there is one character, which cannot be taken for another")
    owners = np.repeat(np.arange(len(test)), [len(part) for part in samples])
    stacked = np.concatenate(samples)
    recognised = _recognised(
        critics.embed(judges.recogniser, stacked),
        critics.embed(judges.recogniser, exemplars(test)),
        torch.from_numpy(owners),
    )
    # Rows: recognisability, the samples' spread, people's spread, entropy. Columns: characters.
    rows = np.stack(
        (
            _means(recognised.numpy(), owners),
            _spreads(judges, samples),
            _spreads(judges, people(test)),
            _means(_entropies(stacked), owners),
        )
    )
    if not rows[2].any():
        raise DataError("all drawings of a character are the same, so that nothing spreads")
    rng = np.random.default_rng(seed)
    resampled = rows[:, rng.integers(len(test), size=(RESAMPLES, len(test)))].mean(2)
    return Quality(
        recognisability=interval(rows[0].mean(), resampled[0]),
        diversity=interval(rows[1].mean() / rows[2].mean(), _shares(resampled[1], resampled[2])),
        entropy=interval(rows[3].mean(), resampled[3]),
        samples=len(stacked) // len(test),
        ways=min(WAYS, len(test)),
    )


def _recognised(features: Tensor, exemplar: Tensor, owners: Tensor) -> Tensor:
    """Return in what share of all choices of other characters each sample is recognised, (N,).

    If r of C - 1 other exemplars are nearer than its own, the share is
    (C-1-r choose 19) / (C-1 choose 19).

    Args:
        features: The samples' features, (N, D).
        exemplar: The exemplars' features, (C, D).
        owners: The character of each sample, (N,).
    """
    others = len(exemplar) - 1
    chosen = min(WAYS - 1, others)
    distances = torch.cdist(features, exemplar)
    own = distances.gather(1, owners[:, None])
    # One as near as its own counts as nearer: what cannot be told apart is not recognised.
    nearer = (distances <= own).sum(1) - 1
    farther = (others - nearer).double()
    steps = torch.arange(chosen, dtype=torch.double)
    return ((farther[:, None] - steps).clamp(min=0) / (others - steps)).prod(1)


def _spreads(judges: Critics, samples: list[Array]) -> NDArray[np.float64]:
    """Measure how far each character's samples spread in the contrastive features, (C,)."""
    features = critics.embed(judges.contrastive, np.concatenate(samples)).double()
    parts = torch.split(features, [len(part) for part in samples])
    return np.array([float(part.var(0).sum().sqrt()) for part in parts])


def _entropies(samples: Array) -> NDArray[np.float64]:
    """Sum the Bernoulli entropies of all pixels of each sample, in nats, (N,)."""
    p = np.clip(samples, 1e-7, 1 - 1e-7).reshape(len(samples), -1)
    return np.asarray(-(p * np.log(p) + (1 - p) * np.log1p(-p)).sum(1, dtype=np.float64))


def _means(values: NDArray[np.float64], owners: Integers) -> NDArray[np.float64]:
    """Average values, (N,), over the samples of each character, (C,)."""
    return np.bincount(owners, weights=values) / np.bincount(owners)


def _shares(parts: NDArray[np.float64], wholes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide parts by wholes; the share is infinite where the whole is 0."""
    return np.divide(parts, wholes, out=np.full_like(parts, np.inf), where=wholes > 0)


def interval(value: float, resampled: NDArray[np.float64]) -> Interval:
    """Return a figure with its 95% interval, from the same figure of many resamples, (N,)."""
    low, high = np.percentile(resampled, (2.5, 97.5))
    return Interval(float(value), float(low), float(high))
