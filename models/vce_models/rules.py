"""Rules: the Gaussian latent variables that turn one drawing into another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vce_models.config import ModelConfig


def sample(count: int, config: ModelConfig, seed: int) -> NDArray[np.float32]:
    """Draw rules from p(z) = N(0, I) (Li et al. 2020, eq. 1).

    The first four of sixteen are the four that the same seed gives alone.

    Returns:
        (count, size, latent_per_row) float32.
    """
    shape = (count, config.size, config.latent_per_row)
    return np.random.default_rng(seed).standard_normal(shape, np.float32)
