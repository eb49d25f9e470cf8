"""Deformations by cubic B-splines.

A deformation is a coarse square of control points, each a displacement in pixels, enlarged
to a smooth field (Rueckert et al. 1999). `deformation` draws by it in PyTorch and `convert`
in NumPy.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

FINE = 2
"""Points of moved ink for each pixel, along each side; their mean is the pixel."""


@cache
def enlarge(count: int, control: int) -> NDArray[np.float32]:
    """Weights of `control` points at `count` places along a side; rows sum to 1.

    Uniform cubic B-splines; the outermost points lie beyond the frame.
    """
    places = (np.arange(count) + 0.5) / count * (control - 3) + 1
    distance = np.abs(places[:, None] - np.arange(control))
    near, far = 2 / 3 - distance**2 + distance**3 / 2, (2 - distance) ** 3 / 6
    return np.where(distance < 1, near, np.where(distance < 2, far, 0)).astype(np.float32)
