"""The types of arrays: what one holds, and its shape, stand where it is used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
"""Numbers of single precision, of which pictures, rules and networks are made."""

Integers = NDArray[np.int64]
"""Counts, labels and places in other arrays."""

Mask = NDArray[np.bool_]
"""Truth values, one for each pixel or each thing."""
