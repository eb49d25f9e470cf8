"""The smoothest correction of moved outlines that does what is asked of it, by least squares.

Corrections are found at knots, which are every second sample of an outline; between two knots
they change evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vce_models.fonts.family import Places
from vce_models.fonts.outline import Samples

Numbers = NDArray[np.float64]

STIFF, BEND, STAY = 0.25, 0.6, 0.003
"""Weights of differences between neighbouring corrections, of their bends, and of their size."""


@dataclass(frozen=True, eq=False)
class Term:
    """What is asked of corrections: a weighted sum of squares of toward . corrections - missing.

    Attributes:
        feet: The knots that each square is about, (terms, k).
        toward: The directions in which corrections of these count, (rules, terms, k, 2).
        missing: By how much, (rules, terms).
        weights: How much each square counts, (terms,).
    """

    feet: NDArray[np.intp]
    toward: Places
    missing: Numbers
    weights: Numbers


def solve(samples: Samples, gaps: Numbers, terms: Sequence[Term]) -> Places:
    """Find the corrections of every sample, (rules, n, 2).

    Args:
        samples: The outline's samples, for what follows what.
        gaps: The distance from every knot to the next before anything is moved, (knots,),
            in pixels.
        terms: What is asked for, one or more.
    """
    count, rules = len(gaps), len(terms[0].missing)
    smooth = np.kron(_smoothness(samples, gaps), np.eye(2))
    solved = np.empty((rules, count, 2))
    cells, columns = [], []
    for term in terms:
        width = 2 * term.feet.shape[1]
        column = (2 * term.feet[..., None] + np.arange(2)).reshape(-1, width)
        columns.append(column.ravel())
        cells.append(((column * 2 * count)[..., None] + column[:, None]).ravel())
    cell, column = np.concatenate(cells), np.concatenate(columns)
    for rule in range(rules):
        squares, rights = [], []
        for term in terms:
            toward = term.toward[rule].reshape(-1, 2 * term.feet.shape[1])
            weighted = term.weights[:, None] * toward
            squares.append((weighted[..., None] * toward[:, None]).ravel())
            rights.append((weighted * term.missing[rule][:, None]).ravel())
        matrix = np.bincount(cell, np.concatenate(squares), 4 * count**2)
        right = np.bincount(column, np.concatenate(rights), 2 * count)
        solved[rule] = np.linalg.solve(matrix.reshape(2 * count, -1) + smooth, right).reshape(-1, 2)
    return _everywhere(samples, solved)


def smoothed(samples: Samples, gaps: Numbers, values: Places, weight: float) -> Places:
    """Make values of samples, (rules, n, 2), smoother along the outlines.

    Args:
        samples: The outline's samples, for what follows what.
        gaps: The distance from every knot to the next before anything is moved, (knots,),
            in pixels.
        values: What is made smoother, in any unit.
        weight: How much smoothness counts beside the values.
    """
    knots = values[:, ::2].swapaxes(0, 1)
    right = (gaps[:, None, None] * knots).reshape(len(gaps), -1)
    matrix = np.diag(gaps) + weight * _smoothness(samples, gaps)
    solved = np.asarray(np.linalg.solve(matrix, right).reshape(knots.shape))
    return _everywhere(samples, solved.swapaxes(0, 1))


def _everywhere(samples: Samples, knots: Places) -> Places:
    """Carry values of knots, (rules, knots, 2), to all samples, (rules, n, 2)."""
    between = (knots + knots[:, following(samples)]) / 2
    return np.asarray(np.stack((knots, between), 2).reshape(len(knots), -1, 2))


def following(samples: Samples) -> NDArray[np.intp]:
    """Return the knot after every knot, (knots,)."""
    return np.asarray(samples.following[1::2] // 2)


def gaps(samples: Samples, places: Places) -> Numbers:
    """Measure the distance from every knot to the next, (knots,); places are (n, 2)."""
    knots = places[::2]
    apart = np.linalg.norm(knots[following(samples)] - knots, axis=1)
    return np.asarray(np.maximum(apart, 1e-6))


def _smoothness(samples: Samples, gaps: Numbers) -> Numbers:
    """Build the quadratic form of first and second differences, and of the values themselves."""
    count, every = len(gaps), np.arange(len(gaps))
    after = following(samples)
    before = np.empty_like(after)
    before[after] = every
    back, corners = gaps[before], samples.corners[::2]
    first, second = np.zeros((2, count, count))
    np.add.at(first, (every, after), 1)
    np.add.at(first, (every, every), -1)
    np.add.at(second, (every, after), 1 / gaps)
    np.add.at(second, (every, every), -1 / gaps - 1 / back)
    np.add.at(second, (every, before), 1 / back)
    bend = BEND * np.where(corners, 0, 2 / (gaps + back))
    form = first.T @ (first * (STIFF / gaps)[:, None]) + second.T @ (second * bend[:, None])
    form[every, every] += STAY * (gaps + back) / 2
    return np.asarray(form)
