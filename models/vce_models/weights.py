"""Weights as safetensors, with the model's config in their metadata."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from vce_models import cards
from vce_models.arrays import Array
from vce_models.config import ModelConfig
from vce_models.errors import ConfigError, WeightsError
from vce_models.files import is_file, replacing
from vce_models.framing import NUMBERS, Framing
from vce_models.shapes import COARSE, HIDDEN, OBSERVATION, PLANES, READOUT

FORMAT = "vce 1"
"""The one key of the metadata: with two, their order in the file would be left to chance."""

FRAMING = "framing"
"""The name of `Framing.to_array` among the tensors, where the drawings were measured."""


@dataclass(frozen=True)
class Weights:
    """A model.

    Attributes:
        config: What the networks look like.
        tensors: Float32 tensors by their names in `networks.VCE`.
        framing: How its training drawings lie; None where nobody measured them.
    """

    config: ModelConfig
    tensors: dict[str, Array]
    framing: Framing | None = None


def fingerprint(weights: Weights) -> str:
    """Return SHA-256 of the tensors' names and bytes, in hexadecimal, for any file layout."""
    digest = hashlib.sha256()
    for name in sorted(weights.tensors):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(weights.tensors[name]).data)
    return digest.hexdigest()


def save(path: Path, weights: Weights) -> None:
    """Write weights, whole or not at all."""
    tensors = {name: np.ascontiguousarray(value) for name, value in weights.tensors.items()}
    if weights.framing:
        tensors[FRAMING] = weights.framing.to_array()
    with replacing(path) as temporary:
        temporary.write_bytes(to_bytes(tensors, {FORMAT: weights.config.to_json()}))


def load(source: Path | str | None = None) -> Weights:
    """Read weights.

    Args:
        source: The file; or as text, what `cards.find` takes: the name of weights in the package,
            or a path. Without it, the package's default.

    Raises:
        ConfigError: No weights have that name.
        WeightsError: The file is missing, damaged, of another kind, or does not hold
            exactly the finite float32 tensors that its config asks for.
    """
    path = source if isinstance(source, Path) else cards.find(source)
    if not is_file(path):
        raise WeightsError(
            f"{path} is no weights file", hint="vce train writes weights.safetensors"
        )
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if FORMAT not in metadata:
                raise WeightsError(
                    f"{path} holds no weights of vce", hint="vce train writes weights.safetensors"
                )
            config = ModelConfig.from_json(metadata[FORMAT])
            _check_shapes(path, config, file)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} is damaged: {error}") from error
    except ConfigError as error:
        raise WeightsError(f"{path}: {error}", hint=error.hint) from error
    if broken := [name for name, value in tensors.items() if not np.isfinite(value).all()]:
        raise WeightsError(f"{path}: {broken[0]} holds values that are not numbers")
    numbers = tensors.pop(FRAMING, None)
    try:
        framing = None if numbers is None else Framing.from_array(numbers)
    except ValueError as error:
        raise WeightsError(f"{path} is damaged: {error}") from error
    return Weights(config, tensors, framing)


def _check_shapes(path: Path, config: ModelConfig, file: Any) -> None:
    """Check the tensors of an open file before they are read.

    Raises:
        WeightsError: One is missing, unknown, or not float32 of the shape that it should have.
    """
    found = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
    wanted = parameter_shapes(config)
    if FRAMING in found:
        wanted[FRAMING] = (NUMBERS,)
    if wrong := sorted(wanted.keys() ^ found.keys()):
        word = "has an unknown" if wrong[0] in found else "lacks the"
        raise WeightsError(f"{path} {word} tensor {wrong[0]}")
    for name, shape in wanted.items():
        kind = (tuple(found[name].get_shape()), found[name].get_dtype())
        if kind != (shape, "F32"):
            raise WeightsError(f"{path}: {name} is {kind[1]} {kind[0]}, not F32 {shape}")


def parameter_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Return name and shape of every tensor of `networks.VCE(config)`, without PyTorch."""
    fold, size, latent = config.unshuffle**2, config.size, config.latent_size
    shapes: dict[str, tuple[int, ...]] = {"prior.mean": (latent,), "prior.scale": (latent, latent)}
    shapes |= _trunk("encoder", 2 * fold, config)
    shapes |= _layer("encoder.head", (READOUT, config.channels, 1, 1))
    shapes |= _layer("encoder.readout", (2 * latent, READOUT * size**2 // fold))
    if config.wiring == "deformation":
        return shapes | _deformation(config)
    wiring: dict[str, tuple[int, int]] = {  # name: inputs and outputs of a linear layer
        "edge": {},
        "rows": {},
        "plane": {"dense": (latent, size**2)},
        "modulation": {
            "dense": (latent, PLANES * COARSE**2),
            "hidden": (latent, HIDDEN),
            "modulation": (HIDDEN, 2 * config.blocks * config.channels),
        },
    }[config.wiring]
    planes = {"edge": 1, "rows": 1 + config.latent_per_row, "plane": 2, "modulation": 3 + PLANES}
    shapes |= _trunk("convertor", planes[config.wiring] * fold, config)
    shapes |= _layer("convertor.head", (fold, config.channels, 1, 1))
    for name, (inputs, out) in wiring.items():
        shapes |= _layer(f"convertor.wiring.{name}", (out, inputs))
    return shapes


def _deformation(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    fold, points = config.unshuffle**2, 2 * config.control**2
    shapes = _layer("convertor.dense", (points, config.latent_size))
    shapes |= _layer("convertor.hidden", (HIDDEN, config.latent_size))
    shapes |= _layer("convertor.modulation", (2 * config.blocks * config.channels, HIDDEN))
    shapes |= _trunk("convertor", 3 * fold, config)
    shapes |= _layer("convertor.head", (READOUT, config.channels, 1, 1))
    shapes |= _layer("convertor.readout", (points, READOUT * config.size**2 // fold))
    for i, (inputs, outputs, side) in enumerate(OBSERVATION):
        # Between two convolutions there is an activation, which is numbered, too.
        shapes |= _layer(f"convertor.observation.{2 * i}", (outputs, inputs, side, side))
    return shapes


def _trunk(network: str, planes: int, config: ModelConfig) -> dict[str, tuple[int, ...]]:
    shapes = _layer(f"{network}.trunk.stem", (config.channels, planes, 5, 5))
    for i in range(config.blocks):
        for conv in ("conv1", "conv2"):
            name = f"{network}.trunk.blocks.{i}.{conv}"
            shapes |= _layer(name, (config.channels, config.channels, 3, 3))
    return shapes


def _layer(name: str, weight: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": weight, f"{name}.bias": weight[:1]}
