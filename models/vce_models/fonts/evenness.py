"""Letters of one hand are made to stand on one line and to lean alike, more than rules say.

What a letter has of its own may tilt its stems and lift its feet, differently in each letter. A
little of that looks like handwriting; more of it makes the letters of a line dance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vce_models.fonts.corrections import Numbers, Term, following, gaps, solve
from vce_models.fonts.family import Places
from vce_models.fonts.outline import Samples

LEAN, STAND = 4.0, 1.0
"""How much it counts that walls lean as their hand does, and that feet stand on the line."""

LEANS, STANDS = 0.95, 0.5
"""Shares of a letter's own lean, and of its own height above the line, that are taken out."""

UPRIGHT = 0.96
"""A wall is upright where the cosine between it and the source's stems is at least this."""


@dataclass(frozen=True)
class Norm:
    """What the letters of a font have in common.

    Attributes:
        lines: Heights at which they stand or end, in font units.
        slant: How far their stems go to the right for each unit upwards.
    """

    lines: tuple[float, ...]
    slant: float = 0.0


@dataclass(frozen=True, eq=False)
class Even:
    """What letters of one hand have in common, in pixels, y down.

    Attributes:
        linear: The hands' linear maps, (rules, 2, 2): upright walls lean as these say.
        upright: The direction of the source's stems, a unit vector, (2,).
        lines: Heights at which letters of the source stand or end, (lines,).
        targets: Where these lines are in the hands, (rules, lines).
        near: How far from a line a knot that stands on it lies at most.
    """

    linear: Places
    upright: Places
    lines: Numbers
    targets: Numbers
    near: float


STEEP, BINS = 30.0, 61
"""Degrees that stems lean at most, and bins into which these are divided to find the commonest."""


def slant(samples: Iterable[Samples]) -> float:
    """Find how far stems go to the right for each unit upwards, as most walls of letters do."""
    steps = [part.places[part.following] - part.places for part in samples]
    if not steps:
        return 0.0
    x, y = np.concatenate(steps).T
    degrees = np.degrees(np.arctan2(x * np.sign(y), np.abs(y)))
    near = np.abs(degrees) < STEEP
    lengths, edges = np.histogram(degrees[near], BINS, (-STEEP, STEEP), weights=np.abs(y[near]))
    smooth = np.convolve(lengths, (1, 2, 1), "same")
    middle = (edges[:-1] + edges[1:]) / 2
    about = np.abs(middle - middle[smooth.argmax()]) < 2.5 * STEEP * 2 / BINS
    if not lengths[about].sum():
        return 0.0
    return float(np.tan(np.radians(np.average(middle[about], weights=lengths[about]))))


def correct(samples: Samples, places: Places, moved: Places, even: Even) -> Places:
    """Make moved letters more alike.

    Args:
        samples: The outline's samples, for what follows what.
        places: Where they were before they were moved, (n, 2), in pixels.
        moved: Where maps put them, (rules, n, 2).
        even: What the letters of the hands have in common.

    Returns:
        Corrections to add, (rules, n, 2).
    """
    knots, before, apart = moved[:, ::2], places[::2], gaps(samples, places)
    lean = _lean(before, knots, following(samples), apart, even)
    return solve(samples, apart, [lean, _stand(before, knots, apart, even)])


def _lean(
    before: Places, knots: Places, following: NDArray[np.intp], gaps: Numbers, even: Even
) -> Term:
    """Ask upright walls to lean nearly as the hand's linear map makes them lean."""
    every = np.arange(len(gaps))
    along = (before[following] - before) / gaps[:, None]
    upright = np.clip((np.abs(along @ even.upright) - UPRIGHT) / (1 - UPRIGHT), 0, 1)
    ways = along @ even.linear.transpose(0, 2, 1)
    ways /= np.linalg.norm(ways, axis=-1, keepdims=True)
    normals = np.stack((-ways[..., 1], ways[..., 0]), -1)
    off = ((knots[:, following] - knots) * normals).sum(-1)
    feet, toward = np.stack((every, following), 1), np.stack((-normals, normals), 2)
    return Term(feet, toward, -LEANS * off, LEAN * upright / gaps)


def _stand(before: Places, knots: Places, gaps: Numbers, even: Even) -> Term:
    """Ask what stands on a line of the source to stand nearly on that of the hand."""
    off = np.abs(before[:, None, 1] - even.lines)
    line = off.argmin(1)
    near = off[np.arange(len(off)), line] < even.near
    (used,) = np.nonzero(near)
    line = line[used]
    slope = even.linear[:, None, 1, 1]
    wanted = even.targets[:, line] + slope * (before[used, 1] - even.lines[line])
    down = np.broadcast_to(np.array([0.0, 1.0]), (len(knots), len(used), 1, 2))
    missing = STANDS * (wanted - knots[:, used, 1])
    return Term(used[:, None], down, missing, STAND * gaps[used])
