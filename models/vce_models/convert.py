"""Apply rules to a glyph, and read one off a pair, without PyTorch.

The forward passes of both networks in NumPy, the one thing this project writes twice; a
test holds them to `networks.Convertor` and `networks.Encoder`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vce_models.config import ModelConfig
from vce_models.weights import Weights

Array = NDArray[np.float32]


def convert(
    weights: Weights,
    condition: Array,
    rules: Array,
    progress: Callable[[int, int], None] | None = None,
) -> Array:
    """Redraw a glyph by each rule.

    Args:
        weights: The model.
        condition: (size, size) in [0, 1], ink = 1.
        rules: (N, size, latent_per_row).
        progress: Called with (conversions made, conversions in all).

    Returns:
        (N, size, size) float32, the probability of ink.
    """
    net = _network(weights, "convertor")
    converted = np.empty((len(rules), *condition.shape), np.float32)
    for i, z in enumerate(rules):
        converted[i] = _convert(net, weights.config, condition, z)
        if progress:
            progress(i + 1, len(rules))
    return converted


def encode(weights: Weights, drawing: Array, condition: Array) -> Array:
    """Read off the rule that turns a condition into a drawing: the mean of q(z | x, q).

    Args:
        weights: The model.
        drawing: (size, size) in [0, 1], ink = 1.
        condition: The same.

    Returns:
        (1, size, latent_per_row) float32.
    """
    net, config = _network(weights, "encoder"), weights.config
    h = _convolve(net, "head", _trunk(net, config, np.stack((drawing, condition), axis=2), None))
    mean = _linear(net, "readout", h.transpose(2, 0, 1).ravel())[: config.latent_size]
    return mean.reshape(1, config.size, config.latent_per_row)


def _network(weights: Weights, name: str) -> dict[str, Array]:
    """One network's tensors; kernels of convolutions as matrices, window by channels."""
    net = {}
    for key, value in weights.tensors.items():
        network, _, rest = key.partition(".")
        if network == name:
            kernel = value.ndim == 4
            net[rest] = value.transpose(2, 3, 1, 0).reshape(-1, len(value)) if kernel else value
    return net


def _trunk(net: dict[str, Array], config: ModelConfig, x: Array, modulation: Array | None) -> Array:
    """The stem and the residual blocks, as `networks.Trunk`."""
    h = _convolve(net, "trunk.stem", _unshuffle(x, config.unshuffle))
    for i in range(config.blocks):
        block = f"trunk.blocks.{i}"
        inner = _convolve(net, f"{block}.conv1", np.maximum(h, 0))
        if modulation is not None:
            inner = inner * (1 + modulation[i, 0]) + modulation[i, 1]
        h = h + _convolve(net, f"{block}.conv2", np.maximum(inner, 0))
    return np.maximum(h, 0)


def _convert(net: dict[str, Array], config: ModelConfig, q: Array, z: Array) -> Array:
    """One image at a time: its feature maps stay in the processor's cache."""
    x, modulation = _WIRINGS[config.wiring](net, config, z, q)
    h = _convolve(net, "head", _trunk(net, config, x, modulation))
    h = _shuffle(h, config.unshuffle)[:, : config.size]
    logits = h[..., 0]
    if config.displacement:
        moved = _displaced(q, h[..., 1], h[..., 2])
        logits = logits + net["contrast"] * (2 * moved - 1)
    return (1 / (1 + np.exp(-np.clip(logits, -80, 80)))).astype(np.float32)


def _edge(net: dict[str, Array], config: ModelConfig, z: Array, q: Array) -> tuple[Array, None]:
    return np.concatenate((q, z), axis=1)[..., None], None


def _rows(net: dict[str, Array], config: ModelConfig, z: Array, q: Array) -> tuple[Array, None]:
    rows = np.broadcast_to(z[:, None], (*q.shape, z.shape[1]))
    return np.concatenate((q[..., None], rows), axis=2), None


def _plane(net: dict[str, Array], config: ModelConfig, z: Array, q: Array) -> tuple[Array, None]:
    return np.stack((q, _linear(net, "wiring.dense", z.ravel()).reshape(q.shape)), axis=2), None


def _modulate(
    net: dict[str, Array], config: ModelConfig, z: Array, q: Array
) -> tuple[Array, Array]:
    rows, columns = _linear(net, "wiring.dense", z.ravel()).reshape(2, -1, config.size)
    hidden = np.maximum(_linear(net, "wiring.hidden", z.ravel()), 0)
    modulation = _linear(net, "wiring.modulation", hidden)
    line = np.linspace(-1, 1, config.size, dtype=np.float32)
    y, x = np.meshgrid(line, line, indexing="ij")
    planes = np.moveaxis(rows[:, :, None] * columns[:, None], 0, 2)
    stacked = np.concatenate((np.stack((q, y, x), axis=2), planes), axis=2)
    return stacked, modulation.reshape(config.blocks, 2, config.channels)


_WIRINGS = {"edge": _edge, "rows": _rows, "plane": _plane, "modulation": _modulate}


def _linear(net: dict[str, Array], name: str, x: Array) -> Array:
    return np.asarray(net[f"{name}.weight"] @ x + net[f"{name}.bias"])


def _convolve(net: dict[str, Array], name: str, x: Array) -> Array:
    """SAME convolution of (H, W, C), as one matrix product over the gathered windows."""
    kernel, (height, width, channels) = net[f"{name}.weight"], x.shape
    side = math.isqrt(len(kernel) // channels)
    pad = side // 2
    padded = np.zeros((height + 2 * pad, width + 2 * pad, channels), np.float32)
    padded[pad : pad + height, pad : pad + width] = x  # np.pad takes a fifth of the whole
    windows = np.empty((height, width, side, side, channels), np.float32)
    for i in range(side):
        for j in range(side):
            windows[:, :, i, j] = padded[i : i + height, j : j + width]
    product = windows.reshape(height * width, -1) @ kernel + net[f"{name}.bias"]
    return np.asarray(product.reshape(height, width, -1))


def _unshuffle(x: Array, fold: int) -> Array:
    """(H, W, C) to (H / fold, W / fold, C fold fold), channels as PyTorch orders them."""
    height, width, channels = x.shape
    x = x.reshape(height // fold, fold, width // fold, fold, channels)
    return x.transpose(0, 2, 4, 1, 3).reshape(height // fold, width // fold, -1)


def _shuffle(x: Array, fold: int) -> Array:
    height, width, channels = x.shape
    x = x.reshape(height, width, channels // fold**2, fold, fold)
    return x.transpose(0, 3, 1, 4, 2).reshape(height * fold, width * fold, -1)


def _displaced(q: Array, dx: Array, dy: Array) -> Array:
    """Read q at each pixel plus (dx, dy), linearly between pixels, without ink outside."""
    size = len(q)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    # Beyond the frame every place is empty, and one as far as the next is near enough.
    y, x = np.clip(y + dy, -1, size), np.clip(x + dx, -1, size)
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    down, right = y - top, x - left
    framed = np.pad(q, ((1, 2), (1, 2)))
    top, left = top + 1, left + 1
    upper = framed[top, left] * (1 - right) + framed[top, left + 1] * right
    lower = framed[top + 1, left] * (1 - right) + framed[top + 1, left + 1] * right
    return np.asarray(upper * (1 - down) + lower * down)
