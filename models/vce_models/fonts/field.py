"""A rule's field of displacements, and its inverse: where the points of an outline go.

The networks' field is backward: place p of a conversion shows the condition at p + f(p). An
outline wants p for a given place s of the condition, s = p + f(p). f is a cubic B-spline,
constant beyond the frame. Coordinates are pixels of the model's image, y down.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Mask
from vce_models.fonts.family import Places

Points = NDArray[np.float64]
"""Control points of fields, (rules, 2, control, control), displacements in pixels, x first."""

LEAST = 0.05
"""Least determinant of the derivative of p + f(p) at an outline; below, the field nearly folds."""

STAGES, POLISH = 4, 10
"""Stages of the continuation, and steps of Newton's method that follow at most."""

STRIDE = 1.5
"""Longest step towards a solution, in pixels."""

ENOUGH = 1e-4
"""A shorter step ends the search, in pixels."""


def displace(points: Points, places: Places, size: int) -> tuple[Places, Places]:
    """Evaluate fields and their derivatives.

    Args:
        points: Control points.
        places: (rules, n, 2).
        size: Pixels a side of the frame.

    Returns:
        Displacements (rules, n, 2), and derivatives (rules, n, 2, 2): component, variable.
    """
    rules = np.arange(len(points))[:, None, None, None]
    first, weights, slopes = _basis(places, points.shape[2], size)
    near = first[..., None] + np.arange(4)
    grid = points.transpose(0, 2, 3, 1)  # rule, row, column, component
    around = grid[rules, near[..., 1, :, None], near[..., 0, None, :]]  # (rules, n, 4, 4, 2)
    both = np.stack((weights, slopes), -2)  # (rules, n, axis, 2, 4)
    rows = np.matmul(both[..., 1, :, :], around.reshape(*around.shape[:3], 8))
    rows = rows.reshape(*rows.shape[:3], 4, 2)
    found = np.matmul(both[..., 0, None, :, :], rows)  # by rows, by columns, component
    return found[..., 0, 0, :], np.stack((found[..., 0, 1, :], found[..., 1, 0, :]), -1)


def _basis(
    places: Places, control: int, size: int
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Find the first of four control points along either axis, their weights and their slopes."""
    density = (control - 3) / size
    t = np.clip(places, 0, size) * density
    first = np.minimum(t.astype(np.intp), control - 4)
    u = t - first
    v, u2 = 1 - u, u * u
    u3, v2 = u2 * u, v * v
    weights, slopes = np.empty((2, *u.shape, 4))
    weights[..., 0], weights[..., 3] = v2 * v, u3
    weights[..., 1], weights[..., 2] = 3 * u3 - 6 * u2 + 4, 3 * (u2 + u - u3) + 1
    slopes[..., 0], slopes[..., 3] = -v2, u2
    slopes[..., 1], slopes[..., 2] = 3 * u2 - 4 * u, 2 * u - 3 * u2 + 1
    weights /= 6
    slopes *= (density / 2) * ((places > 0) & (places < size))[..., None]
    return first, weights, slopes


def invert(points: Points, places: Places, size: int) -> tuple[Places, Places, Mask]:
    """Solve s = p + f(p) for p, by continuation from no field to the whole field.

    Args:
        points: Control points.
        places: s, (n, 2).
        size: Pixels a side of the frame.

    Returns:
        p, (rules, n, 2); the derivative of p by s there, (rules, n, 2, 2); and for each rule
        whether its field nearly folds at these places, or has no p that was found.
    """
    s = np.broadcast_to(places, (len(points), *places.shape))
    p = s.copy()
    identity = np.eye(2)
    for step in range(1, STAGES + POLISH + 1):
        t = min(1.0, step / STAGES)
        value, slope = displace(points, p, size)
        rest = s - p - t * value
        move = _solve(identity + t * slope, rest)
        length = np.linalg.norm(move, axis=-1, keepdims=True)
        p += move * np.minimum(1, STRIDE / np.maximum(length, 1e-12))
        if step > STAGES and length.max(initial=0) < ENOUGH:
            break
    value, slope = displace(points, p, size)
    backward = identity + slope
    folds = (determinant(backward) < LEAST).any(1)
    lost = (np.abs(s - p - value) > 1e-3).any((1, 2))
    return p, _inverse(backward), np.asarray(folds | lost)


def unfold(points: Points, places: Places, size: int) -> tuple[Points, Places, Places]:
    """Weaken fields that fold at these places, as little as is needed, and invert them.

    Only a field's difference from its own affine part is weakened; that part does not fold.

    Args:
        points: Control points.
        places: (n, 2), pixels.
        size: Pixels a side of the frame.

    Returns:
        The weakened control points; p and its derivative, as `invert` returns them.
    """
    p, derivative, folds = invert(points, places, size)
    points = points.copy() if folds.any() else points
    for rule in np.flatnonzero(folds):
        calm, own = _affine(points[rule])
        low, high = 0.0, 1.0
        for _ in range(5):
            middle = (low + high) / 2
            if invert((calm + middle * own)[None], places, size)[2][0]:
                high = middle
            else:
                low = middle
        points[rule] = calm + low * own
        (p[rule],), (derivative[rule],), _ = invert(points[rule][None], places, size)
    return points, p, derivative


def _affine(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Split a field into its affine part, by least squares over control points, and the rest."""
    control = points.shape[1]
    line = np.arange(control) - (control - 1) / 2
    y, x = np.meshgrid(line, line, indexing="ij")
    basis = np.stack((np.ones_like(x), x, y)).reshape(3, -1)
    flat = points.reshape(2, -1)
    factors = np.linalg.lstsq(basis.T, flat.T, rcond=None)[0]
    calm = (basis.T @ factors).T.reshape(points.shape)
    return calm, points - calm


def determinant(matrices: Places) -> NDArray[np.float64]:
    """Compute the determinants of (..., 2, 2)."""
    a, b, c, d = (matrices[..., i, j] for i in (0, 1) for j in (0, 1))
    return np.asarray(a * d - b * c)


def _inverse(matrices: Places) -> Places:
    a, b, c, d = (matrices[..., i, j] for i in (0, 1) for j in (0, 1))
    turned = np.stack((np.stack((d, -b), -1), np.stack((-c, a), -1)), -2)
    return np.asarray(turned / _away(a * d - b * c)[..., None, None])


def _solve(matrices: Places, right: Places) -> Places:
    a, b, c, d = (matrices[..., i, j] for i in (0, 1) for j in (0, 1))
    x, y = right[..., 0], right[..., 1]
    solved = np.stack((d * x - b * y, a * y - c * x), -1)
    return np.asarray(solved / _away(a * d - b * c)[..., None])


def _away(determinants: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep determinants away from zero, so that a step near a fold stays short."""
    return np.where(np.abs(determinants) < 0.05, np.copysign(0.05, determinants), determinants)
