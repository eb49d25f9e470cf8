"""Images of probabilities are enlarged by the logarithms of their odds.

A convertor that renders every pixel anew says of each how likely ink is. Enlarged as pictures are,
edges would become as wide as a pixel, with haloes. So the logarithm of the odds is interpolated:
between a pixel that is surely ink and one that surely is not, even odds lie at one place, and the
edge is narrow. Where the model is in doubt, grey stays grey.
"""

from __future__ import annotations

import numpy as np

from vce_models.arrays import Array
from vce_models.rendering.splines import mitchell

SURE = 5.0
"""Greater logarithms of odds count as this, so that pixels that are sure are equally sure."""

CONTRAST = 2.0
"""Logarithms of odds are multiplied by this, for narrower edges: odds are squared."""


def enlarged(images: Array, side: int) -> Array:
    """Bring (N, size, size) probabilities of ink to (N, side, side), side a multiple of size."""
    size = images.shape[1]
    if side == size:
        return images
    least = 1 / (1 + np.exp(np.float32(SURE)))
    likely = np.clip(images, least, 1 - least)
    weights = CONTRAST * mitchell(side, size), mitchell(side, size)
    odds = weights[0] @ np.log(likely / (1 - likely)) @ weights[1].T
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * odds), np.float32)
