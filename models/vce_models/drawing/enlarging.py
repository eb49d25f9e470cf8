"""How images of probabilities are enlarged: their edges stay edges, their greys stay greys.

A convertor that draws anew says of each pixel how likely ink is. Enlarged as a picture is, every
edge would be as wide as a pixel of it, and lines that it draws in steps would keep them. So the
image is made smooth, and ink is where it exceeds a share of the greatest probability about: lines
of every certainty keep their width, edges turn within one point of the picture, and the ink is
as dark as that probability.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from vce_models.arrays import Array
from vce_models.drawing.splines import smooth

SHARE = 0.43
"""Ink is where a smoothed image exceeds this share of the greatest probability about. A line one
pixel wide is two thirds of it when smoothed, one that runs diagonally half."""

FAINT = 0.04
"""Ink is where it exceeds this, too: what is fainter is haze."""

FLAT = 0.02
"""Where an image changes by less than this from pixel to pixel, an edge takes several points."""


def enlarged(images: Array, side: int) -> Array:
    """Bring (N, size, size) probabilities of ink to (N, side, side), side a multiple of size."""
    size = images.shape[1]
    if side == size:
        return images
    weights = smooth(side, size)
    return np.stack([_enlarged(image, weights) for image in images])


def _enlarged(image: Array, weights: Array) -> Array:
    tone = weights @ _greatest(image) @ weights.T
    grey = weights @ image @ weights.T
    least = FLAT * len(image) / len(weights)
    slope = np.maximum(np.hypot(*np.gradient(grey)), least)
    edge = grey - np.maximum(SHARE * tone, FAINT)
    return np.asarray(tone * np.clip(0.5 + edge / slope, 0, 1), np.float32)


def _greatest(image: Array) -> Array:
    """The greatest of the nine pixels about each."""
    around = sliding_window_view(np.pad(image, 1), (3, 3))
    return np.asarray(around.max((2, 3)))
