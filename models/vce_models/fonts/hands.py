"""One rule becomes one hand: it moves all glyphs of an alphabet alike.

A rule's map of one glyph has an affine part, which is size, slant and proportion, and a rest that
is the glyph's own. The affine parts differ from letter to letter, as people's drawings do, and a
line of such letters would dance. So a hand is the mean of the affine parts over an alphabet.
Every glyph is moved by that mean, about the baseline, and keeps a share of its own rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Array
from vce_models.fonts import evenness, widths
from vce_models.fonts.corrections import gaps, smoothed, solve
from vce_models.fonts.family import Places
from vce_models.fonts.field import Points, determinant, invert, unfold
from vce_models.fonts.joints import Held
from vce_models.fonts.outline import Contour, Samples, sample
from vce_models.fonts.placement import FLIP, Placement, around
from vce_models.fonts.raster import condition, polygons
from vce_models.framing import OMNIGLOT, Framing
from vce_models.rendering import forward
from vce_models.weights import Weights

Matrices = NDArray[np.float64]

OWN = 0.6
"""The share of its own rest that a glyph keeps, beside its hand's affine map."""

LETTER = 0.35
"""Glyphs smaller than this, in ems, keep less of their own: a full stop is no letter."""

THIN = 0.05
"""How strongly an affine part is pulled towards no motion, in ems; thin glyphs need that."""

LEVEL = 0.02
"""A point stands on a line if it is no farther from it than this, in ems."""

BENT = 1.2
"""Greatest derivative of what a glyph keeps of its own. A rule that pushes strokes together and
apart more sharply leaves knots and kinks."""

SMOOTH = 3.0
"""How much a glyph's own is smoothed along the outline. Where a rule nearly folds, it would leave
bumps on one side of a stroke otherwise."""

LEAST = 0.2
"""Least determinant of a glyph's map, as a share of its hand's."""


DETAILED, FINE = 1000, 3000
"""An outline of so many pieces, or samples, is too fine to be bent.

Keeping the widths of its strokes would take time that grows with the cube of its samples.
"""


@dataclass(frozen=True, eq=False)
class Source:
    """A glyph before it is moved.

    Attributes:
        samples: The samples of its outline, in font units.
        condition: What the model sees of it, (size, size), ink = 1.
        placement: Where the model's canvas lies.
        across: Chords across its strokes.
        em: Font units of the em.
        longest: The longest side of the ink, as a share of the canvas.
        held: What of it lies where letters meet.
    """

    samples: Samples
    condition: Array
    placement: Placement
    across: widths.Chords | None
    em: float
    longest: float
    held: Held | None = None

    @property
    def extent(self) -> float:
        """Return the longest side of the ink, in ems."""
        return self.placement.side * self.longest / self.em


def source(
    contours: Sequence[Contour],
    size: int,
    em: float,
    seen: tuple[Array, Placement] | None = None,
    framing: Framing | None = None,
) -> Source | None:
    """Sample a glyph, and frame it as the training's drawings are.

    Args:
        contours: The glyph's contours as `outline.pen` collects them, in font units.
        size: Pixels a side of the model's image.
        em: Font units of the em.
        seen: For a drawing, what the model sees of it and where that lies; it is rendered
            otherwise.
        framing: How the training's drawings lie; by default as Omniglot's.

    Returns:
        None where it has no ink, or is too fine to be bent.
    """
    framing = framing or OMNIGLOT
    if sum(map(len, contours)) >= DETAILED or not (outlines := polygons(contours)):
        return None
    at = around(np.concatenate(outlines), framing) if seen is None else seen[1]
    samples = sample(contours, at.side / size)
    if samples is None or len(samples.places) >= FINE:
        return None
    image = condition(outlines, at, size) if seen is None else seen[0]
    across = widths.chords(samples, at.pixels(samples.places, size))
    return Source(samples, image, at, across, em, framing.longest)


@dataclass(frozen=True, eq=False)
class Maps:
    """Where each rule puts the places of one glyph: linear p + offset + share (own - affine).

    Attributes:
        source: The glyph.
        size: Pixels a side of the model's image.
        points: Control points of the rules' fields, (rules, 2, control, control), unfolded.
        own: What the glyph has of its own at its samples, beyond `affine`, (rules, n, 2).
        slopes: The derivative of `own`, (rules, n, 2, 2).
        affine: The affine part of each field's own map, linear (rules, 2, 2) and constant
            (rules, 2), in font units.
        linear: The linear map that takes its place, (rules, 2, 2).
        offset: The constant that takes its place, (rules, 2).
        share: How much the glyph keeps of its own, (rules,).
    """

    source: Source
    size: int
    points: Points
    own: Places
    slopes: Matrices
    affine: tuple[Matrices, Places]
    linear: Matrices
    offset: Places
    share: NDArray[np.float64]

    def __call__(self, places: Places) -> Places:
        """Move places of the source, (n, 2), by every rule: (rules, n, 2).

        Strokes do not keep their widths here. Places beyond the ink move by the same of the
        glyph's own as the nearest place of the ink.
        """
        samples = self.source.samples.places
        near = np.clip(places, samples.min(0), samples.max(0))
        nearest = np.linalg.norm(near[:, None] - samples, axis=2).argmin(1)
        fields = self._field(np.concatenate((near, samples[nearest])))
        from_nearest = fields[:, : len(near)] - fields[:, len(near) :]
        own = self.own[:, nearest] + from_nearest
        return _moved(places, self.linear, self.offset) + self.share[:, None, None] * own

    def _field(self, places: Places) -> Places:
        """Return what the rules' fields have of their own, (rules, n, 2), at places, (n, 2)."""
        at = self.source.placement
        pixels = invert(self.points, at.pixels(places, self.size), self.size)[0]
        return at.units(pixels, self.size) - _moved(places, *self.affine)

    def outline(self) -> tuple[Places, Matrices]:
        """Move the samples of the outline, and return the map's derivative there, too."""
        share = self.share[:, None, None]
        places = _moved(self.source.samples.places, self.linear, self.offset) + share * self.own
        return places, self.linear[:, None] + share[..., None] * self.slopes


def _moved(places: Places, linear: Matrices, offset: Places) -> Places:
    return np.asarray(places @ linear.transpose(0, 2, 1) + offset[:, None])


@dataclass(frozen=True, eq=False)
class Rules:
    """Rules that move ink, as fields for each glyph.

    Attributes:
        weights: A model whose wiring is `deformation`.
        rules: (rules, size, latent_per_row).
        strength: As `rules.strengthen` takes it.
        calm: Whether level and upright strokes stay so (`rendering.calming`).
    """

    weights: Weights
    rules: Array
    strength: float = 1.0
    calm: bool = False

    @cached_property
    def fields(self) -> forward.Fields:
        """Return the function that computes the fields' control points for a glyph."""
        return forward.Fields(self.weights, calm=self.calm)

    def source(self, contours: Sequence[Contour], em: float) -> Source | None:
        """Sample a glyph and render it as these weights see it; None as of `source`."""
        return source(contours, self.weights.config.size, em, framing=self.weights.framing)

    def maps(self, glyph: Source) -> Maps:
        """Return each rule's own map of a glyph, unfolded where it folds."""
        from vce_models.convert import encode
        from vce_models.rules import strengthen

        rules, size = self.rules, self.weights.config.size
        if self.strength != 1:
            own = encode(self.weights, glyph.condition, glyph.condition)
            rules = strengthen(rules, own, self.strength)
        points = self.fields(glyph.condition, rules)
        pixels = glyph.placement.pixels(glyph.samples.places, size)
        points, moved, slopes = unfold(points, pixels, size)
        moved = glyph.placement.units(moved, size)
        linear, constant = _affine(glyph, moved, turns=not self.calm)
        rest = moved - _moved(glyph.samples.places, linear, constant)
        slopes = slopes * FLIP - linear[:, None]
        whole = np.ones(len(rules))
        return Maps(glyph, size, points, rest, slopes, (linear, constant), linear, constant, whole)


def _affine(glyph: Source, moved: Places, *, turns: bool) -> tuple[Matrices, Places]:
    """Fit the affine part of maps over the outline by least squares, pulled towards no motion.

    Args:
        glyph: The glyph.
        moved: Its samples, moved by each rule, (rules, n, 2).
        turns: Whether that part may slant and turn; otherwise it only stretches either axis.
    """
    samples = glyph.samples
    places = samples.places
    gaps = np.linalg.norm(places[samples.following] - places, axis=1)
    weight = (gaps + gaps[samples.preceding])[:, None] / (2 * gaps.sum())
    middle = (weight * places).sum(0)
    centred = places - middle
    still = np.eye(2) * (THIN * glyph.em) ** 2
    products = centred.T @ (weight * centred) + still
    means = (weight * moved).sum(1)
    mixed = np.swapaxes(weight * centred, 0, 1) @ (moved - means[:, None]) + still
    if not turns:
        products, mixed = products * np.eye(2), mixed * np.eye(2)
    linear = np.swapaxes(np.linalg.solve(products, mixed), 1, 2)
    return linear, means - linear @ middle


def hand(affine: Matrices) -> Matrices:
    """Find the linear map of every hand: the mean over an alphabet, with a level baseline.

    Whatever would turn the baseline of a line of text is taken out, as a rotation.

    Args:
        affine: The linear part of every letter's own map, (letters, rules, 2, 2).

    Returns:
        (rules, 2, 2).
    """
    mean = affine.mean(axis=0)
    angle = np.arctan2(mean[:, 1, 0], mean[:, 0, 0])
    cosine, sine = np.cos(angle), np.sin(angle)
    level = np.stack((np.stack((cosine, sine), -1), np.stack((-sine, cosine), -1)), -2)
    return np.asarray(level @ mean)


def in_hand(maps: Maps, linear: Matrices, own: float = OWN) -> Maps:
    """Let the hands' linear maps take the place of a glyph's own affine parts in its maps."""
    steepest = np.linalg.norm(maps.slopes, ord=2, axis=(2, 3)).max(1)
    share = np.minimum(own * min(1.0, maps.source.extent / LETTER), BENT / (steepest + 1e-9))
    samples, at = maps.source.samples, maps.source.placement
    apart = gaps(samples, at.pixels(samples.places, maps.size))
    smooth = smoothed(samples, apart, maps.own, SMOOTH)
    offset = np.zeros_like(maps.offset)
    return _unfolded(replace(maps, own=smooth, linear=linear, offset=offset, share=share))


def _unfolded(maps: Maps) -> Maps:
    """Keep as much of the glyph's own in its maps as does not fold."""
    share = maps.share.copy()
    for _ in range(4):
        derivative = maps.linear[:, None] + share[:, None, None, None] * maps.slopes
        least = determinant(derivative).min(1)
        folds = least < LEAST * determinant(maps.linear)
        if not folds.any():
            break
        share[folds] *= 0.6
    return replace(maps, share=share)


def outline(maps: Maps, norm: evenness.Norm | None = None) -> Places:
    """Move the outline, with strokes as wide as the source's: (rules, n, 2).

    Args:
        maps: The glyph's maps.
        norm: What the letters of the font have in common. With it, letters of a hand stand on
            one line and lean alike more than their rules say.
    """
    glyph, at = maps.source, maps.source.placement
    before = at.pixels(glyph.samples.places, maps.size)
    places, derivative = maps.outline()
    moved = at.pixels(places, maps.size)
    if norm:
        even = _even(maps, norm)
        moved += evenness.correct(glyph.samples, before, moved, even)
    held = []
    if glyph.held:
        wanted = at.pixels(glyph.held.moved(maps.linear), maps.size)
        held.append(glyph.held.term(wanted - moved[:, 2 * glyph.held.knots]))
    if glyph.across:
        moved += widths.keep(glyph.samples, glyph.across, before, moved, derivative * FLIP, held)
    elif held:
        moved += solve(glyph.samples, gaps(glyph.samples, before), held)
    return at.units(moved, maps.size)


def _even(maps: Maps, norm: evenness.Norm) -> evenness.Even:
    """Express the hands' lines and slants in pixels of the glyph's canvas."""
    scale, at = maps.size / maps.source.placement.side, maps.source.placement
    lines = np.asarray(norm.lines, float)
    upright = np.array([norm.slant, -1.0]) / np.hypot(norm.slant, 1.0)
    return evenness.Even(
        linear=maps.linear * FLIP,
        upright=upright,
        lines=maps.size - (lines - at.y) * scale,
        targets=maps.size - (lines * maps.linear[:, 1, 1, None] - at.y) * scale,
        near=LEVEL * maps.source.em * scale,
    )
