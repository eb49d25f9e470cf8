"""Rule transfer: does a rule carry one person's hand from one character to another?

Two people, d and e, drew character A. The encoder's mean says which rule turns e's drawing
into d's. Applied to e's drawing of another character B of the same alphabet, that rule should
come nearer to d's drawing of B than to somebody else's. No published model reports this.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vce_models.arrays import Integers
from vce_models.datasets.drawings import Characters
from vce_models.errors import DataError
from vce_models.evaluation.quality import RESAMPLES, Interval
from vce_models.networks import losses
from vce_models.networks.vce import VCE

BATCH = 256
"""How many trials are computed at a time."""


@dataclass(frozen=True)
class Transfer:
    """How often a transferred rule comes nearer to its owner's drawing than to another's.

    Nearer is more likely: -log p(drawing | rule, condition), eq. 5. The chance of a rule
    that carries nothing is one half.

    Attributes:
        transferred: Share of trials in which the rule read off another character comes nearer.
        random: The same share for rules of the prior.
        own: The same share for the rule read off the pair itself, the best that the model knows.
        trials: How many quadruples of two characters and three people there were.
    """

    transferred: Interval
    random: Interval
    own: Interval
    trials: int


@torch.inference_mode()
def measure(model: VCE, test: Characters, *, trials: int, seed: int) -> Transfer:
    """Try rules on quadruples chosen at random, and count how often they come nearer.

    Args:
        model: On any device.
        test: Drawings of a character stand in the order of the people who made them, as in
            Omniglot; an alphabet is the part of a character's name before its last `/`.
        trials: How many quadruples are chosen.
        seed: The seed that chooses them, and the random rules.

    Raises:
        DataError: No two characters of one alphabet have the same number of drawings, 3 or
            more, so nobody can be taken to have drawn both; or no two people's drawings differ.
    """
    device = next(model.parameters()).device
    rng = np.random.default_rng(seed)
    alphabets, a, b, d, e, f = _quadruples(test, trials, rng)
    images = torch.from_numpy(test.images).to(device)[:, None]
    starts = torch.from_numpy(test.starts).to(device)
    generator = torch.Generator().manual_seed(seed)
    parts, differ = [], False
    for at in range(0, trials, BATCH):
        rows = (torch.from_numpy(x[at : at + BATCH]).to(device) for x in (a, b, d, e, f))
        first, second, owner, giver, other = rows

        def drawing(character: Tensor, person: Tensor) -> Tensor:
            return images[starts[character] + person].float() / 255

        q = drawing(second, giver)
        truth, foil = drawing(second, owner), drawing(second, other)
        differ = differ or not torch.equal(truth, foil)
        read, _ = model.encoder(drawing(first, owner), drawing(first, giver))
        noise = torch.randn(read.shape, generator=generator).to(device)
        sampled = model.prior.latents(noise)
        direct, _ = model.encoder(truth, q)
        nearer = []
        for z in (read, sampled, direct):
            _, logits = model.convertor(z, q)
            nearer.append(losses.bernoulli_nll(logits, truth) < losses.bernoulli_nll(logits, foil))
        parts.append(torch.stack(nearer).cpu())
    if not differ:
        raise DataError("all drawings of a character are the same, so that no hand shows")
    counted = torch.cat(parts, dim=1).double().numpy()
    transferred, random, own = (_interval(row, alphabets, rng) for row in counted)
    return Transfer(transferred, random, own, trials)


def _quadruples(test: Characters, trials: int, rng: np.random.Generator) -> tuple[Integers, ...]:
    """Choose an alphabet, its characters A and B, and people d, e and f; each (trials,).

    Raises:
        DataError: Nobody can be taken to have drawn two characters of one alphabet.
    """
    counts = np.diff(test.starts)
    groups: dict[tuple[str, int], list[int]] = {}
    for c, name in enumerate(test.names):
        groups.setdefault((name.rpartition("/")[0], int(counts[c])), []).append(c)
    usable = [(group, key[1]) for key, group in groups.items() if len(group) > 1 and key[1] > 2]
    if not usable:
        raise DataError("nobody drew two of these characters, so no rule can be transferred")
    rows = []
    for alphabet in rng.integers(len(usable), size=trials):
        group, drawers = usable[alphabet]
        pair = rng.choice(group, 2, replace=False)
        rows.append((alphabet, *pair, *rng.choice(drawers, 3, replace=False)))
    return tuple(np.array(rows, np.int64).T.copy())


def _interval(nearer: NDArray[np.float64], owners: Integers, rng: np.random.Generator) -> Interval:
    """Find a 95% interval by a bootstrap over alphabets, as trials of one share their people.

    The interval is no number where there is a single alphabet.
    """
    if len(np.unique(owners)) < 2:
        return Interval(float(nearer.mean()), math.nan, math.nan)
    counts, hits = np.bincount(owners), np.bincount(owners, weights=nearer)
    resampled = rng.integers(len(counts), size=(RESAMPLES, len(counts)))
    low, high = np.percentile(hits[resampled].sum(1) / counts[resampled].sum(1), (2.5, 97.5))
    return Interval(float(nearer.mean()), float(low), float(high))
