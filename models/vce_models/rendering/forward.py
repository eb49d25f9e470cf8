"""The forward passes of both networks in NumPy, the one thing that this project writes twice.

A test compares them with `networks.vce` and `networks.deformation`. Maps are (N, H, W, C).

Every matrix product is that of one rule, stacked over the batch: a product of more rows may
differ in the last bit, and so would `-n 4` from the first four of `-n 16`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vce_models.arrays import Array
from vce_models.config import ModelConfig
from vce_models.rendering import calming, pen, splines
from vce_models.shapes import COARSE
from vce_models.weights import Weights

Render = Callable[[Array], Array]
"""A function that renders one condition by latent numbers z, (N, latent_size): (N, side, side)."""

BATCH = 8
"""How many rules are computed at a time.

So many repay the calls of NumPy, and their maps stay in the processor's cache.
"""

_POINTS = 2**13
"""How many points of pictures are rendered at a time, for the same reason."""


def network(weights: Weights, name: str) -> dict[str, Array]:
    """Return one network's tensors. A kernel becomes a matrix for each of its rows."""
    net = {}
    for key, value in weights.tensors.items():
        network, _, rest = key.partition(".")
        if network == name:
            net[rest] = value
            if value.ndim == 4:
                out, _, side, _ = value.shape
                net[rest] = value.transpose(2, 3, 1, 0).reshape(side, -1, out)
    return net


def mean_rule(net: dict[str, Array], config: ModelConfig, x: Array, q: Array) -> Array:
    """Return the mean of q(z | x, q), (latent_size,), as `networks.vce.Encoder` gives it."""
    stem = _stem(net, config, np.stack((x, _shown(config, q)), axis=2)[None])
    h = _convolve(net, "head", _trunk(net, config, stem, None))
    return _linear(net, "readout", _flat(h))[0, : config.latent_size]


def _stem(net: dict[str, Array], config: ModelConfig, x: Array) -> Array:
    return _convolve(net, "trunk.stem", _unshuffle(x, config.unshuffle))


def _trunk(net: dict[str, Array], config: ModelConfig, h: Array, modulation: Array | None) -> Array:
    """Apply the residual blocks of `networks.trunk.Trunk`.

    Args:
        net: The network's tensors.
        config: What the network looks like.
        h: What the stem gave; a single map where it does not depend on the rules.
        modulation: Scale and shift of the channels of every block, (N, blocks, 2, channels).
    """
    activate = _ACTIVATIONS[config.activation]
    for i in range(config.blocks):
        block = f"trunk.blocks.{i}"
        inner = _convolve(net, f"{block}.conv1", activate(h))
        if modulation is not None:
            scale, shift = np.moveaxis(modulation[:, i, :, None, None], 1, 0)
            inner = inner * (1 + scale)
            inner += shift
        inner = _convolve(net, f"{block}.conv2", activate(inner))
        inner += h
        h = inner
    return activate(h)


def convertor(net: dict[str, Array], config: ModelConfig, q: Array) -> Render:
    """Do what `networks.vce.Convertor` does, with one of the `wirings`."""
    left, _ = config.beside
    q = _shown(config, q)

    def render(z: Array) -> Array:
        x, modulation = _WIRINGS[config.wiring](net, config, z, q)
        h = _convolve(net, "head", _trunk(net, config, _stem(net, config, x), modulation))
        logits = _shuffle(h, config.unshuffle)[:, :, left : left + config.size, 0]
        return _sigmoid(logits)

    return render


def _edge(net: dict[str, Array], config: ModelConfig, z: Array, q: Array) -> tuple[Array, None]:
    left, right = np.split(z.reshape(len(z), config.size, -1), 2, axis=2)
    return np.concatenate((left, _repeat(q, len(z)), right), axis=2)[..., None], None


def _rows(net: dict[str, Array], config: ModelConfig, z: Array, q: Array) -> tuple[Array, None]:
    rows = z.reshape(len(z), config.size, 1, -1).repeat(config.size, axis=2)
    return np.concatenate((_repeat(q, len(z))[..., None], rows), axis=3), None


def _plane(net: dict[str, Array], config: ModelConfig, z: Array, q: Array) -> tuple[Array, None]:
    plane = _linear(net, "wiring.dense", z).reshape(-1, *q.shape)
    return np.stack((_repeat(q, len(z)), plane), axis=3), None


def _modulate(
    net: dict[str, Array], config: ModelConfig, z: Array, q: Array
) -> tuple[Array, Array]:
    coarse = _linear(net, "wiring.dense", z).reshape(len(z), -1, COARSE, COARSE)
    weights = splines.linear(config.size, COARSE)
    planes = np.moveaxis(weights @ coarse @ weights.T, 1, 3)
    seen = _repeat(_seen(q), len(z))
    return np.concatenate((seen, planes), axis=3), _modulation(net, "wiring.", config, z)


def _modulation(net: dict[str, Array], prefix: str, config: ModelConfig, z: Array) -> Array:
    hidden = _relu(_linear(net, f"{prefix}hidden", z))
    scales_and_shifts = _linear(net, f"{prefix}modulation", hidden)
    return scales_and_shifts.reshape(-1, config.blocks, 2, config.channels)


def _shown(config: ModelConfig, q: Array) -> Array:
    return q if config.condition else np.zeros_like(q)


def _repeat(x: Array, count: int) -> Array:
    return np.broadcast_to(x, (count, *x.shape))


def _seen(q: Array) -> Array:
    """Stack the condition and the coordinates of its pixels, (size, size, 3)."""
    line = np.linspace(-1, 1, len(q), dtype=np.float32)
    y, x = np.meshgrid(line, line, indexing="ij")
    return np.stack((q, y, x), axis=2)


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)


def _silu(x: Array) -> Array:
    half = 0.5 * x  # x sigmoid(x) is x / 2 (1 + tanh(x / 2)), which cannot overflow
    y: Array = np.tanh(half)
    y += 1
    y *= half
    return y


def _sigmoid(x: Array) -> Array:
    return np.asarray(np.tanh(0.5 * x) * 0.5 + 0.5)


_ACTIVATIONS = {"relu": _relu, "silu": _silu}
_WIRINGS = {"edge": _edge, "rows": _rows, "plane": _plane, "modulation": _modulate}


def product(matrix: Array, x: Array) -> Array:
    """Multiply a matrix with each of (N, columns); the products are (N, rows)."""
    return np.asarray((matrix @ x[..., None])[..., 0])


def _linear(net: dict[str, Array], name: str, x: Array) -> Array:
    return product(net[f"{name}.weight"], x) + net[f"{name}.bias"]


def _convolve(net: dict[str, Array], name: str, x: Array) -> Array:
    """Convolve maps with zeros around them (SAME), as the sum of a product for each kernel row.

    Neighbours along a line are gathered once for all rows of the kernel, so that gathering takes
    a tenth of the time of the products.
    """
    kernel, (count, height, width, channels) = net[f"{name}.weight"], x.shape
    side = len(kernel)
    pad = side // 2
    lines = np.zeros((count, height + 2 * pad, width, side, channels), np.float32)
    for j in range(side):
        start, stop = max(0, pad - j), min(width, width + pad - j)
        shifted = x[:, :, start + j - pad : stop + j - pad]
        lines[:, pad : pad + height, start:stop, j] = shifted
    rows = (lines[:, i : i + height].reshape(count, height * width, -1) for i in range(side))
    summed = next(rows) @ kernel[0]
    for row, matrix in zip(rows, kernel[1:], strict=True):
        summed += row @ matrix
    summed += net[f"{name}.bias"]
    return np.asarray(summed.reshape(count, height, width, -1))


def _flat(x: Array) -> Array:
    """Flatten (N, H, W, C) to (N, C H W), in PyTorch's order."""
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


def _unshuffle(x: Array, fold: int) -> Array:
    """Fold (N, H, W, C) to (N, H / fold, W / fold, C fold fold), channels in PyTorch's order."""
    count, height, width, channels = x.shape
    x = x.reshape(count, height // fold, fold, width // fold, fold, channels)
    return x.transpose(0, 1, 3, 5, 2, 4).reshape(count, height // fold, width // fold, -1)


def _shuffle(x: Array, fold: int) -> Array:
    """Undo `_unshuffle`."""
    count, height, width, channels = x.shape
    x = x.reshape(count, height, width, channels // fold**2, fold, fold)
    return x.transpose(0, 1, 4, 2, 5, 3).reshape(count, height * fold, width * fold, -1)


class Fields:
    """The control points of deformations, for a condition and rules.

    Args:
        weights: A model whose wiring is `deformation`.
        calm: Whether level and upright strokes stay so (`calming`).
    """

    def __init__(self, weights: Weights, *, calm: bool) -> None:
        self.config, self.calm = weights.config, calm
        self.net, self.prior = network(weights, "convertor"), network(weights, "prior")

    def __call__(self, q: Array, rules: Array) -> NDArray[np.float64]:
        """Return displacements in pixels, x first, (N, 2, control, control).

        Args:
            q: The condition, (size, size) in [0, 1], ink = 1.
            rules: (N, size, latent_per_row).
        """
        stem = _stem(self.net, self.config, _seen(q)[None])
        flat = rules.reshape(len(rules), -1)
        parts = []
        for at in range(0, len(flat), BATCH):
            z = self.prior["mean"] + product(self.prior["scale"], flat[at : at + BATCH])
            parts.append(_points(self.net, self.config, stem, z))
        points = np.concatenate(parts)
        if self.calm:
            ink = calming.ink(q, self.config.control)
            points = calming.calmed(points, ink, self.config.size)
        return points.astype(np.float64)


def _points(net: dict[str, Array], config: ModelConfig, stem: Array, z: Array) -> Array:
    """Compute the control points of latent numbers z, (N, 2, control, control)."""
    h = _convolve(net, "head", _trunk(net, config, stem, _modulation(net, "", config, z)))
    points = _linear(net, "dense", z) + _linear(net, "readout", _flat(h))
    return points.reshape(-1, 2, config.control, config.control)


def deformation(
    net: dict[str, Array], config: ModelConfig, q: Array, detail: Array, scale: int, calm: bool
) -> Render:
    """Do what `networks.deformation.Deformation.renderer` does."""
    ink = calming.ink(q, config.control) if calm else None
    stem = _stem(net, config, _seen(q)[None])
    weights = splines.cubic(scale * config.size, config.control)
    slopes: Array = scale * np.gradient(weights, axis=0)
    line = pen.measure(detail, config.size)
    # Some rows are rendered at a time, as many for any number of rules: the last bit of a product
    # depends on its shape.
    side = len(weights)
    band = max(1, _POINTS // (BATCH * side))

    def render(z: Array) -> Array:
        points = _points(net, config, stem, z)
        if ink:
            points = calming.calmed(points, ink, config.size)
        along, sloping = np.matmul(points, weights.T), np.matmul(points, slopes.T)
        images = np.empty((len(z), side, side), np.float32)
        for top in range(0, side, band):
            rows = slice(top, top + band)
            fields = weights[rows] @ along, slopes[rows] @ along, weights[rows] @ sloping
            images[:, rows] = _penned(line, *fields, top, config.size)
        return images

    return render


def _penned(line: Array, field: Array, down: Array, across: Array, top: int, size: int) -> Array:
    """Do what `networks.deformation.penned` does, by a field and its slopes down and across.

    All three are (N, 2, H, scale size), some rows of the picture from `top` on.
    """
    height, width = field.shape[2:]
    last, scale, step = len(line) - 1, width // size, (len(line) - 2) // size
    places = step * (np.arange(width, dtype=np.float32) + 0.5) / scale + 0.5
    x = np.clip(step * field[:, 0] + places, 0, last)
    y = np.clip(step * field[:, 1] + places[top : top + height, None], 0, last)
    left, upper = np.floor(x), np.floor(y)
    x, y = (x - left)[..., None], (y - upper)[..., None]
    cell = upper.astype(np.int32) * np.int32(len(line)) + left.astype(np.int32)
    a, b, c, d = np.moveaxis(line.reshape(-1, 4, 4).take(cell, axis=0), 3, 0)
    distance, horizontal, mixed, radius = np.moveaxis(a + b * x + (c + d * x) * y, 3, 0)
    # `read` is how much of the condition a pixel of the picture shows across the line; at first its
    # square.
    right, below = 1 + across[:, 0], 1 + down[:, 1]
    read = horizontal * (right**2 + down[:, 0] ** 2)
    read += (1 - horizontal) * (across[:, 1] ** 2 + below**2)
    read += 2 * mixed * (right * across[:, 1] + down[:, 0] * below)
    read = np.clip(np.sqrt(np.maximum(read, 0)), *pen.RAMP)
    edge = radius * (np.clip(read, *pen.KEPT) - 1) - distance
    return np.asarray(np.clip(0.5 + scale * edge / read, 0, 1))
