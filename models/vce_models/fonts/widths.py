"""Strokes keep their width: moved chords between facing walls are corrected.

A map stretches strokes as it moves them, but a pen would not. So chords are laid across the
strokes of the source, from wall to facing wall. The moved outline is corrected by the smoothest
displacement that gives every chord its length again and keeps its middle where the map puts it.
Caps, corners and joints follow their walls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Mask
from vce_models.fonts.corrections import Numbers, Term, gaps, solve
from vce_models.fonts.family import Places
from vce_models.fonts.outline import Samples
from vce_models.rendering.pen import KEPT

WIDEST = 8.0
"""Whatever is wider than this, in pixels, is no stroke."""

FACING = -0.5
"""Walls face each other where the cosine between their normals is less than this."""

TYPICAL = 2.2
"""A chord this many times as long as the glyph's median lies in a joint, or along a stroke, unless
chords beside it are as long for as far as it is long: then it is across a stem among hairlines."""

ALIKE, BESIDE = 0.25, 24
"""By what share chords that are as long differ at most, and how many pieces either way are seen."""

TRIED, NEAR = 5, 0.02
"""How many pieces of a contour are asked on which side of them ink is, and how near, in pixels."""

RAYS = 256
"""Rays that are followed at once."""

MIDDLE = 0.5
"""Weight of the middles of chords, beside their lengths; without it bowls drift inwards."""


@dataclass(frozen=True, eq=False)
class Chords:
    """Chords across the strokes of a glyph, in pixels.

    Attributes:
        lengths: How long the chords are, (chords,).
        weights: How much each chord counts, (chords,).
        normals: Unit vectors along the chords, from wall to wall, (chords, 2).
        feet: The knots beside either end, (chords, 4): two of the wall where a chord begins,
            and two of the wall that it meets.
        shares: How near the ends are to these knots, (chords, 4); each pair sums to 1.
    """

    lengths: Numbers
    weights: Numbers
    normals: Places
    feet: NDArray[np.intp]
    shares: Numbers


def chords(samples: Samples, places: Places) -> Chords | None:
    """Lay a chord from the middle of every short piece of the outline to the facing wall.

    Args:
        samples: The outline's samples, for what follows what.
        places: Where the samples lie, (n, 2), in pixels, y down.

    Returns:
        None where no two walls face each other.
    """
    following = samples.following
    start, step = places, places[following] - places
    length = np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)
    along = step / length[:, None]
    middle = start + step / 2
    inward = np.stack((-along[:, 1], along[:, 0]), 1)
    inward *= _sides(samples, start, step, middle, inward)[:, None]

    # In bands of rays, for long outlines to need little memory.
    bands = [
        _met(start, along, length, middle[at : at + RAYS], inward[at : at + RAYS], inward)
        for at in range(0, len(start), RAYS)
    ]
    met, reach, where, facing = map(np.concatenate, zip(*bands, strict=True))
    weight = length * np.clip((FACING - facing) / 0.3, 0, 1)
    weight *= np.clip((WIDEST - reach) / 0.6, 0, 1)
    counts = weight > 1e-6
    if not counts.any():
        return None
    stroke = np.clip((TYPICAL - reach / _median(reach[counts], weight[counts])) / 0.6, 0, 1)
    (long,) = np.nonzero(counts & (stroke < 1))
    stroke[long] = np.maximum(stroke[long], _stems(samples, long, reach, length))
    weight *= stroke
    (used,) = np.nonzero(weight > 1e-6)
    met, half = met[used], np.full(len(used), 0.5)
    feet, shares = zip(
        *(_foot(following, *end) for end in ((used, half), (met, where[used]))), strict=True
    )
    ends = np.concatenate(feet, 1), np.concatenate(shares, 1)
    return Chords(reach[used], weight[used], inward[used], *ends)


def _sides(samples: Samples, start: Places, step: Places, middle: Places, left: Places) -> Numbers:
    """Say on which side of the pieces ink is, 1 or -1: that of `left` or the other.

    A contour may run the other way round than the rest, and still be filled.

    Args:
        samples: The outline's samples, for what follows what.
        start: Where the pieces begin, (n, 2).
        step: Where they end, from there.
        middle: Their middles.
        left: Unit vectors across the pieces.
    """
    whole = np.sign(np.sum(start[:, 0] * step[:, 1] - start[:, 1] * step[:, 0])) or 1.0
    first = samples.parts[[parts[0] for parts in samples.contours], 0]
    sides = np.full(len(start), whole)
    if len(first) == 1:
        return sides
    for at, end in zip(first, [*first[1:], len(start)], strict=True):
        longest = at + np.argsort(-np.hypot(*step[at:end].T), kind="stable")[:TRIED]
        away = NEAR * left[longest]
        one, other = (_is_inside(middle[longest] + by, start, step) for by in (away, -away))
        sides[at:end] = np.sign(float(one.sum() - other.sum())) or whole
    return sides


def _is_inside(places: Places, start: Places, step: Places) -> Mask:
    """Say which places lie in the ink, by how often the outline's pieces wind about them."""
    x, y = (places[:, i, None] - start[:, i] for i in (0, 1))
    above, up = y >= 0, y >= step[:, 1]
    turns = np.sign(step[:, 0] * y - step[:, 1] * x)
    winds = (above & ~up & (turns < 0)).sum(1) - (~above & up & (turns > 0)).sum(1)
    return np.asarray(winds != 0)


def _met(
    start: Places,
    along: Places,
    length: Numbers,
    middle: Places,
    inward: Places,
    normals: Places,
) -> tuple[NDArray[np.intp], Numbers, Numbers, Numbers]:
    """Find what rays from the middles of pieces meet first of all pieces that face them.

    Args:
        start: Where the pieces begin, (n, 2).
        along: Their directions, (n, 2).
        length: Their lengths, (n,).
        middle: Where the rays begin, (rays, 2).
        inward: Their directions, (rays, 2).
        normals: The pieces' directions inward, (n, 2).

    Returns:
        For each ray the piece that it meets, the ray's length until there (infinite where it
        meets none), where on the piece that is, from 0 to 1, and the cosine between the normals.
    """
    facing = inward @ normals.T
    # A ray from a middle meets another piece at x of its length and u of the piece's.
    cross = np.where(facing < FACING, inward[:, :1] * along[:, 1] - inward[:, 1:] * along[:, 0], 0)
    dx, dy = (start[:, i] - middle[:, i, None] for i in (0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (dx * along[:, 1] - dy * along[:, 0]) / cross
        u = (dx * inward[:, 1:] - dy * inward[:, :1]) / (cross * length)
        x[~((np.abs(cross) > 1e-6) & (u >= 0) & (u <= 1) & (x > 1e-6))] = np.inf
    met, every = x.argmin(1), np.arange(len(x))
    return met, x[every, met], u[every, met], facing[every, met]


def _stems(samples: Samples, chords: NDArray[np.intp], reach: Numbers, length: Numbers) -> Numbers:
    """Say whether chords are beside others as long, for as far as they are long: from 0 to 1.

    Args:
        samples: The outline's samples, for what follows what.
        chords: The pieces from which the chords begin.
        reach: How long the chords from all pieces are; infinite where a piece has none.
        length: How long the pieces are.
    """
    own = reach[chords]
    far = length[chords].copy()
    for beside in (samples.following, samples.preceding):
        at, alike = chords, np.full(len(chords), True)
        for _ in range(BESIDE):
            at = beside[at]
            alike &= np.abs(reach[at] - own) < ALIKE * own
            far += alike * length[at]
    return np.clip(2 * far / own - 1, 0, 1)


def _foot(
    following: NDArray[np.intp], piece: NDArray[np.intp], at: Numbers
) -> tuple[NDArray[np.intp], Numbers]:
    """Find the knots on either side of a place on a piece, (n, 2), and their shares."""
    knot = piece // 2
    share = (at + piece % 2) / 2
    after = following[2 * knot + 1] // 2
    return np.stack((knot, after), 1), np.stack((1 - share, share), 1)


def _median(values: Numbers, weights: Numbers) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def keep(
    samples: Samples,
    across: Chords,
    places: Places,
    moved: Places,
    derivative: Places,
    others: Sequence[Term] = (),
) -> Places:
    """Correct moved outlines so that strokes are as wide as they were.

    Args:
        samples: The outline's samples, for what follows what.
        across: The chords of the source.
        places: Where the samples were before they were moved, (n, 2), in pixels.
        moved: Where maps put them, (rules, n, 2).
        derivative: The derivative of the maps at the samples, (rules, n, 2, 2).
        others: What else is asked of the corrections.

    Returns:
        Corrections to add, (rules, n, 2).
    """
    normals, have, stretch = _measure(across, moved[:, ::2], derivative[:, ::2])
    wanted = across.lengths * stretch / np.clip(stretch, 1 / KEPT[1], 1 / KEPT[0])
    toward = normals[:, :, None] * (across.shares * np.array([-1, -1, 1, 1]))[..., None]
    middle = normals[:, :, None] * across.shares[..., None] / 2
    terms = (
        Term(across.feet, toward, wanted - have, across.weights),
        Term(across.feet, middle, np.zeros_like(have), MIDDLE * across.weights),
        *others,
    )
    return solve(samples, gaps(samples, places), terms)


def error(across: Chords, moved: Places, derivative: Places) -> Numbers:
    """Measure the mean relative difference of strokes' widths from the source's, (rules,)."""
    _, have, _ = _measure(across, moved[:, ::2], derivative[:, ::2])
    return np.asarray(np.average(np.abs(have / across.lengths - 1), axis=1, weights=across.weights))


def _measure(across: Chords, knots: Places, derivative: Places) -> tuple[Places, Numbers, Numbers]:
    """Measure unit normals of moved strokes, their widths, and how far the map stretches them."""
    matrix = derivative[:, across.feet].mean(2)
    a, b, c, d = (matrix[..., i, j] for i in (0, 1) for j in (0, 1))
    x, y = across.normals.T
    determinant = a * d - b * c
    normals = np.stack((d * x - c * y, a * y - b * x), -1) / determinant[..., None]
    shrink = np.linalg.norm(normals, axis=-1)
    normals /= shrink[..., None]
    ends = knots[:, across.feet] * across.shares[..., None]
    chord = ends[:, :, 2:].sum(2) - ends[:, :, :2].sum(2)
    return normals, np.asarray((chord * normals).sum(-1)), 1 / shrink
