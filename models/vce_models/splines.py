"""Deformations by cubic B-splines, and the pen that draws what they moved: shared numbers.

A deformation is a coarse square of control points, each a displacement in pixels, enlarged
to a smooth field (Rueckert et al. 1999). `deformation` draws by it in PyTorch and `convert`
in NumPy.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

FINE = 2
"""Points read for each pixel of the drawing, along each side; their mean is the pixel."""

SHARPNESS = 16.0
"""Steepness of the step from paper to ink, by grey value of the condition."""

PEN = 0.585 / 28
"""Half the width of Omniglot's strokes, as a share of the side.

Where a deformation enlarges, strokes of the condition grow wide, while a pen does not. In a
line averaged over pixels the grey value falls by one a pixel, so a step at
1/2 + PEN size (1 - 1/s) instead of 1/2 leaves a line enlarged s times as wide as it was.
"""

LEVELS = (0.2, 0.5)
"""Least and greatest grey value of that step: beyond them thin strokes break or blot."""

STRETCH = (0.1, 4.0)
"""Least and greatest area read for one of the drawing: beyond them the field has folded."""


@cache
def enlarge(count: int, control: int) -> NDArray[np.float32]:
    """Weights of `control` points at `count` places along a side; rows sum to 1.

    Uniform cubic B-splines; the outermost points lie beyond the frame.
    """
    places = (np.arange(count) + 0.5) / count * (control - 3) + 1
    distance = np.abs(places[:, None] - np.arange(control))
    near, far = 2 / 3 - distance**2 + distance**3 / 2, (2 - distance) ** 3 / 6
    return np.where(distance < 1, near, np.where(distance < 2, far, 0)).astype(np.float32)
