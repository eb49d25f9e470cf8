"""Predict how long a training will take on this machine, by a few steps of each phase."""

from __future__ import annotations

from vce_models.training.graphs import EAGER
from vce_models.training.trainer import Trainer

TIMED = 3
"""How many steps of a phase are timed."""


def seconds_left(trainer: Trainer) -> float:
    """Say how long the steps that are not yet taken will take.

    A twin of the trainer takes some steps of each phase, which are then lost; the trainer itself
    is left as it is. Processes that train together have to call it together.
    """
    twin, total = trainer.twin(), 0.0
    warm = EAGER + 1 if trainer.device.type == "cuda" else 1
    for steps in trainer.config.left(trainer.step).values():
        twin.rehearse(steps.start, warm)
        total += len(steps) * twin.rehearse(steps.start, TIMED) / TIMED
    return total
