"""The outline of one glyph, outside any font, is moved by each rule: paths for SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from vce_models.arrays import Array
from vce_models.errors import InputError
from vce_models.fonts import hands, tracing
from vce_models.fonts.family import Places
from vce_models.fonts.outline import Contour
from vce_models.fonts.placement import Placement
from vce_models.fonts.tracing import Contour as Path
from vce_models.fonts.uncrossing import uncrossed
from vce_models.weights import Weights

UNITS = 4096.0
"""Side of the canvas on which nodes are put on whole units."""

CANVAS = Placement(0.0, 0.0, 1.0)
"""The placement of an outline whose unit is the canvas's side."""


def moved(
    weights: Weights,
    rules: Array,
    strength: float,
    condition: Array,
    glyph: tuple[Sequence[Contour], Placement],
    *,
    calm: bool = True,
) -> Iterator[tuple[tuple[Path, ...], bool]]:
    """Move an outline by each rule; strokes keep their width.

    Args:
        weights: A model whose wiring is `deformation`.
        rules: (rules, size, latent_per_row).
        strength: As `rules.strengthen` takes it.
        condition: What the model sees of the glyph, (size, size) in [0, 1], ink = 1.
        glyph: Its outline, and where the model's canvas lies, in the outline's units.
        calm: Whether level and upright strokes stay so (`rendering.calming`).

    Returns:
        An iterator: for each rule the contours, in units of the canvas's side, y down; and
        whether the rule was weakened, since the contours would cross themselves otherwise.

    Raises:
        InputError: The outline is too fine to be bent.
    """
    scale, size = UNITS / glyph[1].side, weights.config.size
    contours = [[[curve * scale for curve in piece] for piece in c] for c in glyph[0]]
    at = Placement(glyph[1].x * scale, glyph[1].y * scale, UNITS)
    source = hands.source(contours, size, UNITS, seen=(condition, at))
    if source is None:
        if any(contours):
            raise InputError(
                "its outline is too fine to be moved", hint="make a picture, or draw it with less"
            )
        return iter([((), False)] * len(rules))
    return _each(hands.Rules(weights, rules, strength, calm), source, at)


def _each(
    every: hands.Rules, source: hands.Source, at: Placement
) -> Iterator[tuple[tuple[Path, ...], bool]]:
    """Move an outline by rules one by one: a path does not depend on how many rules there are."""
    for i in range(len(every.rules)):
        whole = replace(every, rules=every.rules[i : i + 1]).maps(source)
        maps, fitted = uncrossed(whole, UNITS, None)
        paths = tuple(_path([curve[1] for curve in contour], at) for contour in fitted)
        yield paths, bool((maps.share < whole.share).any())


def _path(curves: list[Places], at: Placement) -> Path:
    """Turn a contour into a path on the canvas, where outsides run clockwise."""
    turned = [at.pixels(curve[::-1], 1) for curve in reversed(curves)]
    x, y = turned[0][0].tolist()
    segments = (tuple((x, y) for x, y in curve[1:].tolist()) for curve in turned)
    return tracing.Contour((x, y), tuple(segments))
