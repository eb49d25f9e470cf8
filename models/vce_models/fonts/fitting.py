"""Curves are fitted to moved samples: as many in every master, so that points agree.

All parts are fitted at once. A part that is not met in some master is halved in all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Mask
from vce_models.fonts.family import Places
from vce_models.fonts.outline import Cubic, Samples

TOLERANCE = 0.0015
"""How far a curve may leave its samples, in ems."""

FLAT = 0.0015
"""A part that bends less than this in every master stays a line, in ems."""

ROUNDS = 3
"""How often a curve is fitted, each time with samples at better parameters."""

ARMS = (0.12, 0.75)
"""Least and greatest length of a cubic's arms, as shares of its length along the samples."""

HALVINGS = 3
"""How often a part is halved at most."""

SHORTEST = 4
"""A part of fewer intervals is not halved."""

LEVEL = 0.05
"""A unit tangent of the source is level, or upright, where its other component is less."""

_SLOPE = np.array([-25, 48, -36, 16, -3]) / 12
"""Weights of five samples for the derivative at the first."""


def fit(samples: Samples, masters: Places, em: float) -> tuple[tuple[Places, ...], ...]:
    """Fit every contour in every master.

    Args:
        samples: The source's samples, in contours and parts. Master 0 keeps the source's own
            curves where a part is one curve, or a section of one.
        masters: Places of the samples, (masters, n, 2); the first is the source.
        em: Units of the em, in the units of the places.

    Returns:
        For each contour its segments, each (masters, 2, 2) for a line or (masters, 4, 2) for
        a cubic.
    """
    ring = _Ring(samples)
    central = _unit(masters[:, samples.following] - masters[:, samples.preceding])
    into, out, slid = _nodes(samples, ring, masters, central)
    starts = ring.parts[:, 0] + slid
    ends = ring.parts[:, 1] + slid[:, ring.after]
    whole = [(part, 0.0, 1.0) for part in range(len(ring.parts))]
    fitted: dict[tuple[int, float], Places] = {}
    for halving in range(HALVINGS + 1):
        part, low, high = (np.array(column) for column in zip(*whole, strict=True))
        first, length = starts[:, part], (ends - starts)[:, part]
        at, mask = _evenly(ring.intervals[part] * (high - low))
        share = low[:, None] + (high - low)[:, None] * at
        positions = first[..., None] + length[..., None] * share
        places = ring.read(masters, part, positions)
        ways = _unit(ring.read(central, part, positions))
        last = mask.sum(1) - 1
        flat = np.zeros(len(part), bool)
        if halving == 0:  # a line that bends becomes curves throughout, or it would have kinks
            flat = samples.lines & (_bulge(places, mask, last) < FLAT * em).all(0)
            chords = _unit(places[:, part, last] - places[:, :, 0])
            into, out = _along_lines(samples, ring, flat, chords, into, out)
        begin = np.where((low == 0)[:, None], out[:, part], ways[:, :, 0])
        end = np.where((high == 1)[:, None], into[:, ring.after[part]], ways[:, :, -1])
        cubics, miss = _cubics(places, mask, last, begin, end)
        good = flat | (miss < TOLERANCE * em).all(0)
        rest = []
        for i, (number, lo, hi) in enumerate(whole):
            short = ring.intervals[number] * (hi - lo) < SHORTEST
            if good[i] or halving == HALVINGS or short:
                known = samples.exact[number] if (lo, hi) == (0, 1) else None
                fitted[number, lo] = _segment(cubics[:, i], known, bool(flat[i]))
            else:
                rest += [(number, lo, (lo + hi) / 2), (number, (lo + hi) / 2, hi)]
        whole = rest
        if not whole:
            break
    ordered = sorted(fitted)
    return tuple(
        tuple(fitted[key] for key in ordered if key[0] in parts) for parts in samples.contours
    )


class _Ring:
    """The order of samples on closed contours.

    Attributes:
        parts: First and last sample of every part, (parts, 2), as if contours did not close.
        intervals: How many intervals every part has, (parts,).
        after: The part after every part, (parts,).
        before: The part before every part, (parts,).
    """

    def __init__(self, samples: Samples) -> None:
        firsts = samples.parts[:, 0]
        contours = [(firsts[parts[0]], parts) for parts in samples.contours]
        bounds = [*(first for first, _ in contours), len(samples.places)]
        self.first = np.concatenate([np.full(len(parts), first) for first, parts in contours])
        self.count = np.concatenate(
            [
                np.full(len(parts), bounds[i + 1] - bounds[i])
                for i, (_, parts) in enumerate(contours)
            ]
        )
        numbers = [np.array(parts) for _, parts in contours]
        self.after = np.concatenate([np.roll(part, -1) for part in numbers])
        self.before = np.concatenate([np.roll(part, 1) for part in numbers])
        follows = firsts[self.after]
        ends = np.where(follows > firsts, follows, self.first + self.count)
        self.parts = np.stack((firsts, ends), 1)
        self.intervals = ends - firsts

    def read(
        self, values: Places, part: NDArray[np.intp], positions: NDArray[np.float64]
    ) -> Places:
        """Interpolate values of samples, (masters, n, 2): (masters, parts, k, 2)."""
        whole = np.floor(positions)
        share = (positions - whole)[..., None]
        first, count = self.first[part][:, None], self.count[part][:, None]
        here = first + (whole.astype(np.intp) - first) % count
        there = first + (here + 1 - first) % count
        master = np.arange(len(values))[:, None, None]
        return np.asarray(values[master, here] * (1 - share) + values[master, there] * share)


def _evenly(intervals: NDArray[np.float64]) -> tuple[NDArray[np.float64], Mask]:
    """Divide 0 to 1 evenly into so many intervals; rows are padded, and a mask says where."""
    counts = np.maximum(np.rint(intervals).astype(np.intp), 1)
    order = np.arange(counts.max() + 1)
    return np.minimum(order / counts[:, None], 1), order <= counts[:, None]


def _segment(cubics: Places, known: tuple[Cubic, float, float] | None, flat: bool) -> Places:
    if flat:
        return cubics[:, [0, 3]]
    if known and len(known[0]) == 4:
        return np.concatenate((_section(*known)[None], cubics[1:]))
    return cubics


def _section(curve: Cubic, first: float, last: float) -> Cubic:
    """Cut a cubic between two parameters, by its blossom."""

    def blossom(r: float, s: float, t: float) -> NDArray[np.float64]:
        a, b, c, d = curve
        ab, bc, cd = a + (b - a) * r, b + (c - b) * r, c + (d - c) * r
        abc, bcd = ab + (bc - ab) * s, bc + (cd - bc) * s
        return np.asarray(abc + (bcd - abc) * t)

    ends = (first, first, first), (first, first, last), (first, last, last), (last, last, last)
    return np.stack([blossom(*end) for end in ends])


def _nodes(
    samples: Samples, ring: _Ring, masters: Places, central: Places
) -> tuple[Places, Places, NDArray[np.float64]]:
    """Find unit tangents at every part's beginning, and how far it slides along the outline.

    Where the source has a point at an extremum, every master has one at its own extremum: the
    point slides along the outline to where the tangent is level, or upright.

    Returns:
        Tangents into and out of the beginning, (masters, parts, 2) each; and how far that
        slides, in samples, (masters, parts).
    """
    nodes = samples.parts[:, 0]
    forward, backward = [nodes], [nodes]
    for _ in range(4):
        forward.append(samples.following[forward[-1]])
        backward.append(samples.preceding[backward[-1]])
    out = _unit(sum(w * masters[:, i] for w, i in zip(_SLOPE, forward, strict=True)))
    into = -_unit(sum(w * masters[:, i] for w, i in zip(_SLOPE, backward, strict=True)))
    smooth = _unit(out + into)
    sharp = samples.corners[nodes][:, None]
    into, out = np.where(sharp, into, smooth), np.where(sharp, out, smooth)
    slid = np.zeros(out.shape[:2])
    bent = ~samples.lines & ~samples.lines[ring.before] & ~sharp[:, 0]
    reach = np.minimum(ring.intervals, ring.intervals[ring.before]) // 2 - 1
    for axis in (0, 1):
        (level,) = np.nonzero(bent & (np.abs(smooth[0, :, axis]) < LEVEL) & (reach > 0))
        if len(level):
            slid[:, level] = _slides(ring, central[..., axis], level, reach[level])
            ways = _unit(ring.read(central, level, (nodes + slid)[:, level, None])[:, :, 0])
            ways[..., axis] = np.where(slid[:, level] != 0, 0, ways[..., axis])
            out[:, level] = into[:, level] = _unit(ways)
    return into, out, slid


def _along_lines(
    samples: Samples, ring: _Ring, flat: Mask, chords: Places, into: Places, out: Places
) -> tuple[Places, Places]:
    """Let curves that smoothly meet a line end in its direction.

    Args:
        samples: The samples, for where corners are.
        ring: The samples' order.
        flat: Which parts are lines, (parts,).
        chords: The directions of parts, (masters, parts, 2).
        into: Unit tangents into the beginning of every part, (masters, parts, 2).
        out: Unit tangents out of it, (masters, parts, 2).

    Returns:
        The changed `into` and `out`.
    """
    smooth = ~samples.corners[samples.parts[:, 0]]
    begins = smooth & flat & ~flat[ring.before]
    ends = smooth & ~flat & flat[ring.before]
    into = np.where(begins[:, None], chords, into)
    out = np.where(ends[:, None], chords[:, ring.before], out)
    return into, out


def _slides(
    ring: _Ring, slopes: NDArray[np.float64], parts: NDArray[np.intp], reach: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Find how far from the beginning of parts a slope is zero; 0 where it is not within `reach`.

    Args:
        ring: The samples' order.
        slopes: The outline's slopes along one axis, (masters, n).
        parts: Which parts, (k,).
        reach: How far to look, in samples, (k,).

    Returns:
        How far, in samples, (masters, k); always 0 in master 0, which keeps its points.
    """
    order = np.arange(-reach.max(), reach.max() + 1)
    first, count = ring.first[parts][:, None], ring.count[parts][:, None]
    near = first + (ring.parts[parts, :1] + order - first) % count
    values = slopes[:, near]
    here, there = values[..., :-1], values[..., 1:]
    crosses = (here * there <= 0) & (here != there)
    crosses &= (np.abs(order[:-1]) < reach[:, None]) & (np.abs(order[1:]) <= reach[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        at = np.where(crosses, order[:-1] + here / (here - there), np.inf)
    nearest = np.take_along_axis(at, np.abs(at).argmin(2)[..., None], 2)[..., 0]
    slides = np.where(np.isfinite(nearest), nearest, 0.0)
    slides[0] = 0
    return slides


def _unit(vectors: Places) -> Places:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))


def _bulge(places: Places, mask: Mask, last: NDArray[np.intp]) -> NDArray[np.float64]:
    """Measure how far samples lie from the line through a part's ends at most, (masters, parts)."""
    start = places[:, :, :1]
    chord = places[:, np.arange(len(last)), last][:, :, None] - start
    offset = places - start
    cross = chord[..., 0] * offset[..., 1] - chord[..., 1] * offset[..., 0]
    far = np.abs(cross) / np.maximum(np.linalg.norm(chord, axis=-1), 1e-12)
    return np.asarray(np.where(mask, far, 0).max(2))


def _cubics(
    places: Places,
    mask: Mask,
    last: NDArray[np.intp],
    out: Places,
    into: Places,
) -> tuple[Places, NDArray[np.float64]]:
    """Fit cubics with given ends and tangents by least squares (Schneider 1990).

    Args:
        places: Samples of every part, (masters, parts, n, 2).
        mask: Which of them count, (parts, n).
        last: The last one that counts, (parts,).
        out: Unit tangents at the beginning, (masters, parts, 2).
        into: Unit tangents at the end, (masters, parts, 2).

    Returns:
        Control points, (masters, parts, 4, 2), and the greatest distance of a sample from its
        curve.
    """
    parts = np.arange(len(last))
    steps = np.linalg.norm(np.diff(places, axis=2), axis=3)  # 0 where the last sample repeats
    along = np.concatenate((np.zeros((*steps.shape[:2], 1)), np.cumsum(steps, axis=2)), axis=2)
    length = np.maximum(along[:, :, -1:], 1e-9)
    t = along / length
    start, end = places[:, :, :1], places[:, parts, last][:, :, None]
    counted = mask[None, :, :, None].astype(float)
    shortest, longest = (share * length[..., 0] for share in ARMS)
    for left in reversed(range(ROUNDS)):
        s = 1 - t
        b0, b1, b2, b3 = s**3, 3 * t * s**2, 3 * t**2 * s, t**3
        rest = (places - (b0 + b1)[..., None] * start - (b2 + b3)[..., None] * end) * counted
        first, second = b1[..., None] * out[:, :, None], -b2[..., None] * into[:, :, None]
        first, second = first * counted, second * counted
        # A small term pulls both arms to a third of the length, where samples do not decide.
        pull = 1e-4
        a = (first * first).sum((2, 3)) + pull
        b = (first * second).sum((2, 3))
        c = (second * second).sum((2, 3)) + pull
        x = (first * rest).sum((2, 3)) + pull * length[..., 0] / 3
        y = (second * rest).sum((2, 3)) + pull * length[..., 0] / 3
        determinant = np.maximum(a * c - b * b, 1e-12)
        arm = np.clip((c * x - b * y) / determinant, shortest, longest)[..., None]
        other = np.clip((a * y - b * x) / determinant, shortest, longest)[..., None]
        p0, p3 = start[:, :, 0], end[:, :, 0]
        cubics = np.stack((p0, p0 + arm * out, p3 - other * into, p3), axis=2)
        p0, p1, p2, p3 = (cubics[:, :, i, None] for i in range(4))
        curve = p0 * b0[..., None] + p1 * b1[..., None] + p2 * b2[..., None] + p3 * b3[..., None]
        slope = 3 * (
            (p1 - p0) * (s * s)[..., None]
            + (p2 - p1) * (2 * s * t)[..., None]
            + (p3 - p2) * (t * t)[..., None]
        )
        miss = (places - curve) * counted
        speed = np.maximum((slope * slope).sum(3), 1e-12)
        if left:
            t = np.clip(t + (miss * slope).sum(3) / speed, 0, 1)
            t[:, :, 0] = 0
            t[:, parts, last] = 1
    cross = miss[..., 0] * slope[..., 1] - miss[..., 1] * slope[..., 0]
    return cubics, np.asarray((np.abs(cross) / np.sqrt(speed)).max(2))
