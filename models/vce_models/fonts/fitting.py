"""Curves through moved samples: the same cubics in every master, so that points agree.

Parts are fitted all at once. A part that any master misses is halved in all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vce_models.fonts.family import Places
from vce_models.fonts.outline import Cubic, Samples

TOLERANCE = 0.0015
"""How far a curve may leave its samples, in ems."""

FLAT = 0.0008
"""What bends less in every master stays a line, in ems."""

ROUNDS = 3
"""Of fitting, each with samples at better parameters."""

ARMS = (0.12, 0.75)
"""Length of a cubic's arms, as shares of its chord length along the samples."""

HALVINGS = 3
"""A part is halved so often at most."""

_SLOPE = np.array([-25, 48, -36, 16, -3]) / 12
"""A derivative from five samples, one-sided."""


def fit(samples: Samples, masters: Places, em: float) -> tuple[tuple[Places, ...], ...]:
    """Fit every contour in every master.

    Args:
        samples: Say which samples belong together; the source's own curves are kept in
            master 0 where a part is one curve, or a section of one.
        masters: Places of the samples, (masters, n, 2); the first is the source.
        em: Units of the em, in the units of the places.

    Returns:
        For each contour its segments, each (masters, 2, 2) for a line or (masters, 4, 2) for
        a cubic.
    """
    before, after = _tangents(samples, masters)
    # A part: its samples (a run that may end where the contour began), and where it comes from.
    runs = [_run(samples, part) for part in range(len(samples.parts))]
    whole = [(part, 0, len(run) - 1) for part, run in enumerate(runs)]
    fitted: dict[tuple[int, int], Places] = {}
    for halving in range(HALVINGS + 1):
        index, mask = _padded([runs[part][lo : hi + 1] for part, lo, hi in whole])
        places = masters[:, index]
        last = mask.sum(1) - 1
        ends = index[np.arange(len(index)), last]
        cubics, miss = _cubics(places, mask, last, after[:, index[:, 0]], before[:, ends])
        straight = samples.lines[[part for part, _, _ in whole]]
        flat = straight & (_bulge(places, mask, last) < FLAT * em).all(0)
        good = flat | (miss < TOLERANCE * em).all(0)
        rest = []
        for i, (part, lo, hi) in enumerate(whole):
            if good[i] or halving == HALVINGS or hi - lo < 4:
                fitted[part, lo] = _segment(samples, part, lo, hi, cubics[:, i], bool(flat[i]))
            else:
                middle = (lo + hi) // 2
                rest += [(part, lo, middle), (part, middle, hi)]
        whole = rest
        if not whole:
            break
    return tuple(
        tuple(fitted[key] for part in parts for key in sorted(k for k in fitted if k[0] == part))
        for parts in samples.contours
    )


def _run(samples: Samples, part: int) -> NDArray[np.intp]:
    first, last = samples.parts[part]
    if last > first:
        return np.arange(first, last + 1)
    end = first + 1  # the contour closes: its last sample leads to its first
    while samples.following[end - 1] == end:
        end += 1
    return np.append(np.arange(first, end), last)


def _padded(runs: list[NDArray[np.intp]]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Runs as rows of one array, the last sample repeated, and which are true."""
    length = max(len(run) for run in runs)
    index = np.stack([np.pad(run, (0, length - len(run)), mode="edge") for run in runs])
    counts = np.array([len(run) for run in runs])
    return index, np.arange(length) < counts[:, None]


def _segment(samples: Samples, part: int, lo: int, hi: int, cubics: Places, flat: bool) -> Places:
    if flat:
        return cubics[:, [0, 3]]
    known = samples.exact[part]
    if known and len(known[0]) == 4:
        curve, first, last = known
        count = len(_run(samples, part)) - 1
        if (lo, hi) == (0, count):
            cubics = np.concatenate((_section(curve, first, last)[None], cubics[1:]))
    return cubics


def _section(curve: Cubic, first: float, last: float) -> Cubic:
    """The part of a cubic between two parameters, by its blossom."""

    def blossom(r: float, s: float, t: float) -> NDArray[np.float64]:
        a, b, c, d = curve
        ab, bc, cd = a + (b - a) * r, b + (c - b) * r, c + (d - c) * r
        abc, bcd = ab + (bc - ab) * s, bc + (cd - bc) * s
        return np.asarray(abc + (bcd - abc) * t)

    ends = (first, first, first), (first, first, last), (first, last, last), (last, last, last)
    return np.stack([blossom(*end) for end in ends])


def _tangents(samples: Samples, masters: Places) -> tuple[Places, Places]:
    """Unit tangents into every sample, and out of it; (masters, n, 2) each."""
    nodes = samples.parts[:, 0]
    forward = [np.arange(masters.shape[1])]
    backward = [forward[0]]
    for _ in range(4):
        forward.append(samples.following[forward[-1]])
        backward.append(samples.preceding[backward[-1]])
    central = _unit(masters[:, forward[1]] - masters[:, backward[1]])
    before, after = central.copy(), central
    out = _unit(sum(w * masters[:, i[nodes]] for w, i in zip(_SLOPE, forward, strict=True)))
    into = -_unit(sum(w * masters[:, i[nodes]] for w, i in zip(_SLOPE, backward, strict=True)))
    sharp = samples.corners[nodes][:, None]
    smooth = _unit(out + into)
    before[:, nodes], after[:, nodes] = np.where(sharp, into, smooth), np.where(sharp, out, smooth)
    return before, after


def _unit(vectors: Places) -> Places:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))


def _bulge(places: Places, mask: NDArray[np.bool_], last: NDArray[np.intp]) -> NDArray[np.float64]:
    """How far samples lie from the line through a part's ends, at most, (masters, parts)."""
    start = places[:, :, :1]
    chord = places[:, np.arange(len(last)), last][:, :, None] - start
    offset = places - start
    cross = chord[..., 0] * offset[..., 1] - chord[..., 1] * offset[..., 0]
    far = np.abs(cross) / np.maximum(np.linalg.norm(chord, axis=-1), 1e-12)
    return np.asarray(np.where(mask, far, 0).max(2))


def _cubics(
    places: Places,
    mask: NDArray[np.bool_],
    last: NDArray[np.intp],
    out: Places,
    into: Places,
) -> tuple[Places, NDArray[np.float64]]:
    """Cubics with given ends and tangents, by least squares (Schneider 1990).

    Args:
        places: (masters, parts, n, 2), and
        mask: which of them count, (parts, n).
        last: The last that counts, (parts,).
        out: Unit tangents at the beginning, (masters, parts, 2), and
        into: at the end.

    Returns:
        Control points (masters, parts, 4, 2), and how far samples lie from the curve at most.
    """
    parts = np.arange(len(last))
    steps = np.linalg.norm(np.diff(places, axis=2), axis=3)  # none where the last repeats
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
        # A small pull of both arms to a third of the length, where samples do not say.
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
