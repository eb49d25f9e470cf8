"""The pen that draws a deformed glyph: lines keep their width, however far they are stretched.

Moved ink grows wide where a deformation enlarges. So a glyph is taken as the line that a pen
of its own width drew: how far every place lies from the edge of the ink is measured once, and
a deformation stretches that distance across the line, not the pen. `deformation` draws by it
in PyTorch and `convert` in NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float32]

PLACES = 4
"""Places for each pixel, along each side, where distances are measured."""

REACH = 3.0
"""The farthest distance told from another, in pixels."""

SHARE, EDGE = 0.65, (0.2, 0.5)
"""Grey value of an edge: a share of the darkest ink about, since thin lines are grey
throughout, and the least and greatest."""

RADIUS = (0.4, 2.0)
"""Half the width of a line, in pixels: what is wider keeps no more than this on either side."""

NARROWED = (1 / 9, 4.0)
"""Square of how much a line narrows at most, and widens: beyond, the deformation has folded."""

FLAT = 1e-4
"""Square of a slope of the distance that is none: far from an edge, and amid a line."""


def trace(q: Array) -> Array:
    """Measure a condition: where its edges are, which way, and how wide its lines.

    Args:
        q: (size, size) in [0, 1], ink = 1.

    Returns:
        (PLACES size + 2, PLACES size + 2, 4, 4): between four places a value is
        a + b x + (c + d x) y, x and y from 0 to 1. First a, b, c and d; then of the distance
        from the edge of the ink in pixels, outside positive, up to `REACH`; of its slope across
        and down; and of half the width of the line about, within `RADIUS`. The outermost reach
        beyond the frame, where there is no ink.
    """
    side = PLACES * len(q)
    small = Image.fromarray(np.asarray(q, np.float32))
    grey = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))
    ink = grey >= np.clip(SHARE * _greatest(grey, PLACES), *EDGE)
    # A place lies half a step from the edge between it and its neighbour.
    outside, inside = (np.maximum(_nearest(mask) - 0.5 / PLACES, 0) for mask in (ink, ~ink))
    framed = _mean(outside - inside, 1)
    down, across = (np.pad(slope, (1, 2)) for slope in np.gradient(PLACES * framed))
    distance = np.pad(framed, (1, 2), constant_values=REACH)
    radius = np.clip(_mean(_greatest(-distance, 2 * PLACES), 2 * PLACES), *RADIUS)
    values = np.stack((distance, across, down, radius), axis=2).astype(np.float32)
    right, below = np.diff(values, axis=1), np.diff(values, axis=0)
    corners = (values[:-1, :-1], right[:-1], below[:, :-1], np.diff(right, axis=0))
    return np.ascontiguousarray(np.stack(corners, axis=2))


def _nearest(mask: NDArray[np.bool_]) -> Array:
    """Distance in pixels to the nearest place of the mask, `REACH` at most."""
    steps = int(REACH * PLACES)
    squares = np.where(mask, 0, steps**2).astype(np.int16)
    further = np.arange(-steps, steps + 1, dtype=np.int16) ** 2
    nearest = np.minimum(_slide(squares, np.minimum, further), steps**2)
    return np.asarray(np.sqrt(nearest) / PLACES, np.float32)


def _greatest(values: Array, steps: int) -> Array:
    """The greatest value at most so many places away along either side."""
    return _slide(values, np.maximum, np.zeros(2 * steps + 1, np.float32))


def _mean(values: Array, steps: int) -> Array:
    """The mean of the values at most so many places away along either side."""
    zeros = np.zeros(2 * steps + 1, np.float32)
    return np.asarray(_slide(values, np.add, zeros) / len(zeros) ** 2, np.float32)


def _slide(values: NDArray[Any], join: np.ufunc, more: NDArray[Any]) -> NDArray[Any]:
    """Join every value with its neighbours along a side, then along the other.

    Each has something added, as many before a value as after it.
    """
    for _ in range(2):
        count, steps = len(values), len(more) // 2
        framed = np.pad(values, ((steps, steps), (0, 0)), mode="edge")
        values = framed[:count] + more[0]
        for i in range(1, len(more)):
            join(values, framed[i : i + count] + more[i], out=values)
        values = values.T
    return values
