"""Weights by which a few points along a side become values at all places along it.

A deformation is a coarse square of control points, each a displacement in pixels, made a
smooth field by cubic B-splines (Rueckert et al. 1999); a rule's coarse planes are made fine
linearly. PyTorch trains with these weights, and NumPy converts with them. Images that were drawn
anew are enlarged by B-splines as well.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Array

FINE = 2
"""Points of moved ink for each pixel, along each side; their mean is the pixel."""


@cache
def cubic(count: int, control: int) -> Array:
    """Weights of `control` points at `count` places, (count, control); rows sum to 1.

    The B-splines are uniform, and the outermost points lie beyond the frame.
    """
    places = (np.arange(count) + 0.5) / count * (control - 3) + 1
    return _bell(places[:, None] - np.arange(control))


@cache
def smooth(count: int, points: int) -> Array:
    """Weights of `points` pixels at `count` places, (count, points): cubic B-splines, too.

    They stand at the centres of pixels, and beyond the frame is nothing: rows near it sum to
    less than 1.
    """
    places = (np.arange(count) + 0.5) * points / count - 0.5
    return _bell(places[:, None] - np.arange(points))


def _bell(distance: NDArray[np.float64]) -> Array:
    """The uniform cubic B-spline, by the distance from its middle."""
    away = np.abs(distance)
    near, far = 2 / 3 - away**2 + away**3 / 2, (2 - away) ** 3 / 6
    return np.where(away < 1, near, np.where(away < 2, far, 0)).astype(np.float32)


@cache
def linear(count: int, points: int) -> Array:
    """Weights of `points` points at `count` places, (count, points); rows sum to 1."""
    places = (np.arange(count, dtype=np.float32) + 0.5) * points / count - 0.5
    distance = np.clip(places, 0, points - 1)[:, None] - np.arange(points, dtype=np.float32)
    return np.asarray(np.maximum(1 - np.abs(distance), 0))
