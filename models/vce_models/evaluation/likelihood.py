"""Likelihoods on the test characters, and conversion with PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vce_models.arrays import Array, Integers
from vce_models.datasets.drawings import Characters
from vce_models.errors import DataError
from vce_models.networks import losses
from vce_models.networks.layout import channels_last
from vce_models.networks.vce import VCE, reparameterise
from vce_models.progress import Progress
from vce_models.rendering.enlarging import enlarged
from vce_models.weights import Weights

BATCH = 128
"""How many pairs or conversions are computed at a time."""


@dataclass(frozen=True)
class Figure:
    """A mean over pairs and its standard error, in nats an image.

    The standard error is that of the mean over characters, because pairs of one character
    share their condition and are not independent.
    """

    mean: float
    standard_error: float


FIGURES = ("reconstruction", "kl", "nelbo", "nll", "floor")
"""The figures of a pair: fields of `Evaluation`, in the order in which `_measure` returns them."""


@dataclass(frozen=True)
class Evaluation:
    """Likelihoods of a model, with everything they depend on.

    Attributes:
        reconstruction: Eq. 5 at one sampled rule.
        kl: Eq. 4, to the model's own distribution of rules (`prior`).
        nelbo: Their sum, the negative of the bound of eq. 2.
        nll: The importance-weighted bound with `importance_samples` rules for each pair
            (Burda, Grosse and Salakhutdinov 2016).
        floor: Entropy of the targets; grey targets allow no lower reconstruction.
        pairs: How many pairs of a condition and a target there are.
        characters: How many characters the pairs come from.
        targets: Drawings of each character beside its first, which is the condition.
        importance_samples: Rules for each pair.
        seed: The seed by which targets and rules were chosen.
        size: Side of the drawings, in pixels.
        resize: How the drawings came to that size.
        binarised: Whether the drawings were thresholded at 0.5.
    """

    reconstruction: Figure
    kl: Figure
    nelbo: Figure
    nll: Figure
    floor: Figure
    pairs: int
    characters: int
    targets: int
    importance_samples: int
    seed: int
    size: int
    resize: str
    binarised: bool


def from_weights(weights: Weights, device: str = "cpu") -> VCE:
    """Build the networks with these weights, ready to evaluate."""
    model = VCE(weights.config)
    state = {name: torch.from_numpy(np.array(value)) for name, value in weights.tensors.items()}
    model.load_state_dict(state)
    return channels_last(model.to(device)).eval()


def renderers(weights: Weights, device: str) -> Callable[..., Callable[[Array], Array]]:
    """Make `convert.renderer` of these weights, on a PyTorch device: a function of a glyph."""
    model = from_weights(weights, device)

    @torch.inference_mode()
    def of_glyph(
        condition: Array, detail: Array | None = None, scale: int = 1, *, calm: bool = True
    ) -> Callable[[Array], Array]:
        q = torch.from_numpy(condition).to(device)[None, None]
        fine = condition if detail is None else detail
        by_latents = model.convertor.renderer(q, fine, scale, calm=calm)
        side, batch = scale * len(condition), max(1, BATCH // scale**2)

        @torch.inference_mode()
        def render(rules: Array) -> Array:
            converted = np.empty((len(rules), side, side), np.float32)
            for at in range(0, len(rules), batch):
                r = torch.from_numpy(rules[at : at + batch]).to(device)
                images = by_latents(model.prior.latents(r))[:, 0].cpu().numpy()
                converted[at : at + batch] = enlarged(images, side)
            return converted

        return render

    return of_glyph


@torch.inference_mode()
def evaluate(
    model: VCE,
    test: Characters,
    *,
    targets: int,
    importance_samples: int,
    seed: int,
    binarise: bool = False,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure likelihoods; each character's first drawing is the condition of its others.

    Args:
        model: On any device.
        test: Characters the model was not trained on.
        targets: How many other drawings of each character are chosen; all, where it has fewer.
        importance_samples: Rules for each pair, 1 or more.
        seed: The same seed gives the same figures.
        binarise: Whether conditions and targets are first thresholded at 0.5.
        progress: Called with (pairs measured, pairs in all).

    Raises:
        DataError: A likelihood is not a number.
    """
    device = next(model.parameters()).device
    conditions, drawings, characters = _pairs(test, targets, seed)
    images = torch.from_numpy(test.images)[:, None].float() / 255
    images = (images >= 0.5).float() if binarise else images
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for at in range(0, len(drawings), BATCH):
        x = images[drawings[at : at + BATCH]].to(device)
        q = images[conditions[at : at + BATCH]].to(device)
        parts.append(_measure(model, x, q, importance_samples, generator).cpu())
        if progress:
            progress(min(at + BATCH, len(drawings)), len(drawings))
    measured = torch.cat(parts, dim=1).numpy()
    if not np.isfinite(measured).all():
        raise DataError("a likelihood is not a number: the weights do not fit these drawings")
    return Evaluation(
        **{name: _figure(row, characters) for name, row in zip(FIGURES, measured, strict=True)},
        pairs=len(drawings),
        characters=len(test),
        targets=targets,
        importance_samples=importance_samples,
        seed=seed,
        size=model.config.size,
        resize=model.config.resize,
        binarised=binarise,
    )


def _pairs(test: Characters, targets: int, seed: int) -> tuple[Tensor, Tensor, Integers]:
    """Choose pairs; return the numbers of their conditions, targets and characters, each (N,)."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, int]] = []
    for c, (start, stop) in enumerate(zip(test.starts[:-1], test.starts[1:], strict=True)):
        others = np.sort(rng.permutation(np.arange(start + 1, stop))[:targets])
        rows.extend((start, other, c) for other in others)
    conditions, drawings, characters = np.array(rows, np.int64).T
    return torch.from_numpy(conditions.copy()), torch.from_numpy(drawings.copy()), characters


def _measure(model: VCE, x: Tensor, q: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    """Measure what `FIGURES` names of N pairs, in nats, (5, N)."""
    mu, logvar = model.encoder(x, q)
    reconstructions, log_weights = [], []
    for _ in range(samples):
        noise = torch.randn(mu.shape, generator=generator).to(x.device)
        z = reparameterise(mu, logvar, noise)
        reconstruction = losses.bernoulli_nll(model.convertor(z, q)[1], x)
        reconstructions.append(reconstruction)
        log_weights.append(losses.log_weight(model.prior.rules(z), noise, logvar, reconstruction))
    nll = losses.importance_weighted(torch.stack(log_weights)) + model.prior.log_volume()
    kl = model.prior.kl_divergence(mu, logvar)
    first = reconstructions[0]
    return torch.stack((first, kl, first + kl, nll, losses.entropy(x)))


def _figure(values: Array, characters: Integers) -> Figure:
    """Average over pairs, (N,), and find the standard error over the characters they are of."""
    counts = np.bincount(characters)
    means = np.bincount(characters, weights=values)[counts > 0] / counts[counts > 0]
    error = means.std(ddof=1) / math.sqrt(len(means)) if len(means) > 1 else math.nan
    return Figure(float(values.mean()), float(error))
