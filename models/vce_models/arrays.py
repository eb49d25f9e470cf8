"""The one type of array that pictures, rules and networks are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
"""Numbers of single precision; what an array holds, and its shape, stand where it is used."""
