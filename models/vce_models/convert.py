"""Apply rules to a glyph, and read one off a pair, without PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vce_models.arrays import Array
from vce_models.rendering import forward
from vce_models.rendering.enlarging import enlarged
from vce_models.weights import Weights


def convert(
    weights: Weights,
    condition: Array,
    rules: Array,
    detail: Array | None = None,
    scale: int = 1,
    *,
    calm: bool = True,
) -> Array:
    """Render a glyph by each rule.

    Args:
        weights: The model.
        condition: (size, size) in [0, 1], ink = 1.
        rules: (N, size, latent_per_row).
        detail: The condition in finer pixels: (k size, k size), k a whole number. Where rules
            move ink, it is this that they move; elsewhere it changes nothing.
        scale: How many points a conversion has for each pixel of the condition, along a side.
        calm: Whether level and upright strokes stay so (`rendering.calming`), where rules move
            ink.

    Returns:
        (N, scale size, scale size) float32, the probability of ink. Where rules move no ink,
        it is made at scale 1 and enlarged (`rendering.enlarging`).
    """
    return renderer(weights, condition, detail, scale, calm=calm)(rules)


def renderer(
    weights: Weights,
    condition: Array,
    detail: Array | None = None,
    scale: int = 1,
    *,
    calm: bool = True,
) -> Callable[[Array], Array]:
    """Make a function that renders one glyph by a few rules at a time.

    Its arguments are those of `convert`, but for the rules.
    """
    net, config = forward.network(weights, "convertor"), weights.config
    prior = forward.network(weights, "prior")
    # Freeing one large block raises the size from which glibc maps memory anew (mallopt(3)), so
    # that the maps below reuse pages instead of faulting them in: twice as fast.
    np.empty(2**24, np.uint8)
    if config.wiring == "deformation":
        fine = condition if detail is None else detail
        by_latents = forward.deformation(net, config, condition, fine, scale, calm)
    else:
        by_latents = forward.convertor(net, config, condition)

    def render(rules: Array) -> Array:
        parts = []
        for at in range(0, len(rules), forward.BATCH):
            r = rules[at : at + forward.BATCH].reshape(-1, config.latent_size)
            images = by_latents(prior["mean"] + forward.product(prior["scale"], r))
            parts.append(enlarged(images, scale * config.size))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    return render


def encode(weights: Weights, drawing: Array, condition: Array) -> Array:
    """Read off the rule that turns a condition into a drawing: the mean of q(z | x, q).

    Args:
        weights: The model.
        drawing: (size, size) in [0, 1], ink = 1.
        condition: The same.

    Returns:
        (1, size, latent_per_row) float32.
    """
    net, config = forward.network(weights, "encoder"), weights.config
    mean = forward.mean_rule(net, config, drawing, condition)
    prior = forward.network(weights, "prior")
    rule = np.linalg.solve(prior["scale"], mean - prior["mean"])
    return rule.reshape(1, config.size, config.latent_per_row)
