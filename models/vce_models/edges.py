"""Where the edge of ink lies in a grey drawing, for the pen and for binary conditions alike."""

from __future__ import annotations

import numpy as np

from vce_models.arrays import Array

SHARE = 0.65
"""The grey value of an edge, as a share of the darkest ink about: thin lines are grey all over."""

LIMITS = (0.2, 0.5)
"""The least and the greatest grey value that an edge may have."""


def threshold(darkest: Array) -> Array:
    """Return the grey value from which on a place is ink.

    Args:
        darkest: The darkest ink about each place, (H, W) in [0, 1], ink = 1.
    """
    return np.asarray(np.clip(SHARE * darkest, *LIMITS), darkest.dtype)
