"""Weights by which a few points along a side become values at all places along it.

A deformation is a coarse square of control points, each a displacement in pixels, made a
smooth field by cubic B-splines (Rueckert et al. 1999); a rule's coarse planes are made fine
linearly. PyTorch trains with these weights, and NumPy converts with them. Images of convertors that
render every pixel are enlarged by a filter of the same kind.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from vce_models.arrays import Array

FINE = 2
"""How many points of moved ink a pixel has along each side; their mean is the pixel."""


@cache
def cubic(count: int, control: int) -> Array:
    """Return the weights of `control` points at `count` places, (count, control); rows sum to 1.

    The B-splines are uniform, and the outermost points lie beyond the frame.
    """
    places = (np.arange(count) + 0.5) / count * (control - 3) + 1
    distance = np.abs(places[:, None] - np.arange(control))
    near, far = 2 / 3 - distance**2 + distance**3 / 2, (2 - distance) ** 3 / 6
    return np.where(distance < 1, near, np.where(distance < 2, far, 0)).astype(np.float32)


@cache
def mitchell(count: int, points: int) -> Array:
    """Return the weights of `points` pixels at `count` places, (count, points); rows sum to 1.

    The filter of Mitchell and Netravali 1988 is between a cubic B-spline, which blurs, and one that
    goes through the pixels, which keeps steps. Pixels at the frame go on beyond it.
    """
    places = (np.arange(count) + 0.5) * points / count - 0.5
    distance = np.abs(places[:, None] - np.arange(-2, points + 2))
    near = (7 * distance**3 - 12 * distance**2 + 16 / 3) / 6
    far = (-7 / 3 * distance**3 + 12 * distance**2 - 20 * distance + 32 / 3) / 6
    weights = np.where(distance < 1, near, np.where(distance < 2, far, 0))
    weights[:, 2] += weights[:, :2].sum(1)
    weights[:, -3] += weights[:, -2:].sum(1)
    return weights[:, 2:-2].astype(np.float32)


@cache
def linear(count: int, points: int) -> Array:
    """Return the weights of `points` points at `count` places, (count, points); rows sum to 1."""
    places = (np.arange(count, dtype=np.float32) + 0.5) * points / count - 0.5
    distance = np.clip(places, 0, points - 1)[:, None] - np.arange(points, dtype=np.float32)
    return np.asarray(np.maximum(1 - np.abs(distance), 0))
