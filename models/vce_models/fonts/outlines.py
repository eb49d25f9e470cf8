"""Outlines of one glyph, outside any font, are moved as each rule says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from vce_models.arrays import Array
from vce_models.fonts import fitting, hands, tracing
from vce_models.fonts.family import Places
from vce_models.fonts.outline import Contour
from vce_models.fonts.placement import Placement
from vce_models.fonts.tracing import Contour as Path
from vce_models.weights import Weights

CANVAS = Placement(0.0, 0.0, 1.0)
"""The placement of a drawing whose unit is the canvas's side."""


def moved(
    weights: Weights,
    rules: Array,
    strength: float,
    condition: Array,
    glyph: tuple[Sequence[Contour], Placement],
) -> Iterator[tuple[Path, ...]]:
    """Move an outline by each rule; strokes keep their width.

    Args:
        weights: A model whose wiring is `deformation`.
        rules: (rules, size, latent_per_row).
        strength: As `rules.strengthen` takes it.
        condition: What the model sees of the glyph, (size, size) in [0, 1], ink = 1.
        glyph: Its outline, and where the model's canvas lies in the units of that.

    Yields:
        The contours for each rule, in units of the canvas's side, y down.
    """
    contours, at = glyph
    size = weights.config.size
    source = hands.source(contours, size, at.side, seen=(condition, at))
    for i in range(len(rules)):  # one by one: the first of more are the same
        if source is None:
            yield ()
            continue
        maps = hands.Rules(weights, rules[i : i + 1], strength).maps(source)
        masters = np.concatenate((source.samples.places[None], hands.outline(maps)))
        fitted = fitting.fit(source.samples, masters, at.side)
        yield tuple(_path([curve[1] for curve in contour], at) for contour in fitted)


def _path(curves: list[Places], at: Placement) -> Path:
    """Bring a contour to the canvas, where outsides run clockwise."""
    turned = [at.pixels(curve[::-1], 1) for curve in reversed(curves)]
    x, y = turned[0][0].tolist()
    segments = (tuple((x, y) for x, y in curve[1:].tolist()) for curve in turned)
    return tracing.Contour((x, y), tuple(segments))
