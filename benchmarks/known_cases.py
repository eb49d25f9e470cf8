"""The critics judge known cases, beside which every figure of a model must be read.

python benchmarks/known_cases.py --data omniglot/ [--critics critics.safetensors]

It prints a row for each case: people's own drawings, copies of the exemplar, random affine maps of
it in three strengths, other characters, and noise. It takes a minute of one core.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vce_models.arrays import Array
from vce_models.config import ModelConfig
from vce_models.datasets import drawings
from vce_models.datasets.drawings import Characters
from vce_models.evaluation import critics, quality
from vce_models.evaluation.quality import Interval

STRENGTHS = {"weak": 1.0, "medium": 1.5, "strong": 2.0}
"""Strengths of `critics.jitter`."""

OTHERS = 50
"""The other character that is shown in the place of one stands so many places before it."""


def cases(test: Characters, seed: int = 0) -> Iterator[tuple[str, list[Array]]]:
    """Yield each case and its samples of every character, as many as people made others."""
    generator = torch.Generator().manual_seed(seed)
    counts = np.diff(test.starts) - 1
    copies = torch.from_numpy(np.repeat(quality.exemplars(test), counts, 0))[:, None]

    def parts(images: Tensor) -> list[Array]:
        return np.split(images[:, 0].numpy(), np.cumsum(counts)[:-1])

    yield "people", quality.people(test)
    yield "copies", parts(copies)
    for name, strength in STRENGTHS.items():
        yield name, parts(critics.jitter(copies, strength, generator))
    of_others = parts(copies)
    yield "others", of_others[-OTHERS:] + of_others[:-OTHERS]
    yield "noise", parts(torch.rand(copies.shape, generator=generator))


def shown(figure: Interval) -> str:
    """Write a figure and its interval as the model card has them."""
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def main() -> None:
    """Print a table of recognisability, diversity and entropy."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--critics", type=Path, help="others than the shipped ones")
    options = parser.parse_args()
    test = drawings.load(options.data, ModelConfig()).test
    judges = critics.load(options.critics)
    print("| | recognisability | diversity / people's | entropy |\n| --- | --- | --- | --- |")
    for name, samples in cases(test):
        found = quality.judge(samples, test, judges, seed=0)
        rows = (shown(found.recognisability), shown(found.diversity), f"{found.entropy.value:.1f}")
        print("|", " | ".join((name, *rows)), "|", flush=True)


if __name__ == "__main__":
    main()
