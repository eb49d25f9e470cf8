"""Measure how bold a glyph is, beside the drawings that a model was trained on.

Width of strokes and share of ink have limits, beyond which lies a thousandth of the training
drawings on either side: there the networks have seen next to nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Array
from vce_models.framing import OMNIGLOT, Framing

SAMPLE = 2000
"""The most drawings that are measured."""

SPREAD = 1.25
"""A factor by which limits are widened where fewer than half of `SAMPLE` drawings are measured."""

CALIBRATION = 1.17 / 1.47
"""Corrects `width`, in which grey edges of thin strokes count double.

Without it Omniglot's median would be 1.47 pixels instead of 1.17.
"""


def width(condition: Array) -> float:
    """Measure the mean stroke width, in pixels: twice the ink over the length of its outline.

    Args:
        condition: (H, W) in [0, 1], ink = 1. The outline's length is the total variation.
    """
    framed = np.pad(condition, 1)
    across, down = np.diff(framed, axis=1)[1:], np.diff(framed, axis=0)[:, 1:]
    return CALIBRATION * 2 * float(condition.sum() / max(1e-6, np.hypot(across, down).sum()))


def unusual(condition: Array, framing: Framing = OMNIGLOT) -> list[str]:
    """Say in words what a glyph has that only one in 500 training drawings has, if anything."""
    stroke, ink = width(condition), float(condition.mean())
    said = []
    if not framing.thinnest <= stroke <= framing.boldest:
        limits = f"{framing.thinnest:.3g} to {framing.boldest:.3g}"
        said.append(f"strokes of {stroke:.2f} px (trained on {limits})")
    if not framing.least <= ink <= framing.most:
        limits = f"{framing.least:.1%} to {framing.most:.1%}"
        said.append(f"ink on {ink:.1%} of the canvas (trained on {limits})")
    return said


def measure(drawings: NDArray[np.uint8], magnification: int = 1) -> Framing:
    """Measure how training drawings lie, on `SAMPLE` of them at most.

    Args:
        drawings: (N, magnification size, magnification size), ink = 255.
        magnification: How many times as large as the model's images they are.
    """
    chosen = drawings[:: -(-len(drawings) // SAMPLE)].astype(np.float32) / 255
    boxes = np.array([_box(drawing) for drawing in chosen if drawing.max() > 0])
    if not len(boxes):
        return OMNIGLOT
    size = chosen.shape[1] // magnification
    small = chosen.reshape(len(chosen), size, magnification, size, magnification).mean((2, 4))
    widths, inks = np.array([width(drawing) for drawing in small]), small.mean((1, 2))
    # So few drawings do not show what the thousandth one would be like.
    spread = 1.0 if 2 * len(chosen) > SAMPLE else SPREAD
    (thinnest, boldest), (least, most) = (
        np.quantile(values, (0.001, 0.999)) * (1 / spread, spread) for values in (widths, inks)
    )
    top, left, bottom, right = boxes.T / chosen.shape[1]
    return Framing(
        float(np.median(np.maximum(bottom - top, right - left))),
        float(np.median(left + right) / 2),
        float(np.median(top + bottom) / 2),
        float(thinnest),
        float(boldest),
        float(least),
        float(min(1, most)),
    )


def _box(drawing: Array) -> tuple[int, int, int, int]:
    """Return top, left, bottom and right of the ink, the last two exclusive."""
    solid = drawing >= 0.5 * drawing.max()
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
