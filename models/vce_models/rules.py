"""Rules: the Gaussian latent variables that turn one drawing into another."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from vce_models.arrays import Array
from vce_models.config import ModelConfig
from vce_models.errors import ConfigError, InputError
from vce_models.files import exists, is_file, replacing

FORMAT = "vce rules 1"
"""The one key of the metadata, as in `weights`; its value is JSON."""

MOST = 100_000
"""Most rules that a file may hold."""


def sample(count: int, config: ModelConfig, seed: int) -> Array:
    """Sample rules from p(z) = N(0, I) (Li et al. 2020, eq. 1).

    The first four of sixteen are the four that the same seed gives alone.

    Returns:
        (count, size, latent_per_row) float32.
    """
    shape = (count, config.size, config.latent_per_row)
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def strengthen(rules: Array, own: Array, strength: float) -> Array:
    """Move rules along the line from a glyph's own rule.

    Args:
        rules: (N, size, latent_per_row).
        own: The encoder's mean for the glyph as a drawing of itself, one rule. It renders
            the glyph more closely than z = 0, which is the average of all hands: the ink of
            the two overlaps by 0.86 of its union on Omniglot's test characters, by 0.46
            for z = 0 and by 0.20 for sampled rules.
        strength: 0 gives `own`, 1 gives the rules, and more goes beyond them.
    """
    return np.asarray(own + np.float32(strength) * (rules - own), np.float32)


def walk(rules: Array, frames: int) -> Array:
    """Go from rule to rule and back to the first, spherically (Shoemake 1985).

    Gaussian rules lie near a sphere, and the straight line between two would pass through
    weaker ones. Lengths change evenly.

    Args:
        rules: (N, size, latent_per_row), two or more.
        frames: Rules from one, inclusive, to the next, exclusive.

    Returns:
        (N frames, size, latent_per_row); every `frames`-th is the next of `rules`.
    """
    flat = rules.reshape(len(rules), -1).astype(np.float64)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    sphere = flat / np.maximum(lengths, 1e-12)
    share = np.linspace(0, 1, frames, endpoint=False)[:, None]
    legs = []
    for a, b in zip(range(len(rules)), [*range(1, len(rules)), 0], strict=True):
        angle = np.arccos(np.clip(sphere[a] @ sphere[b], -1, 1))
        if np.sin(angle) < 1e-6:
            direction = (1 - share) * sphere[a] + share * sphere[b]
        else:
            near, far = np.sin((1 - share) * angle), np.sin(share * angle)
            direction = (near * sphere[a] + far * sphere[b]) / np.sin(angle)
        legs.append(direction * ((1 - share) * lengths[a] + share * lengths[b]))
    return np.concatenate(legs).reshape(-1, *rules.shape[1:]).astype(np.float32)


def save(path: Path, rules: Array, fingerprint: str, *, calm: bool = True) -> None:
    """Write rules, whole or not at all.

    Args:
        path: The .safetensors that is written.
        rules: (N, size, latent_per_row). The numbers themselves are kept, so that no change
            of a generator can change them.
        fingerprint: The fingerprint of the weights they were made for.
        calm: Whether level and upright strokes stay so (`rendering.calming`).
    """
    tensors = {"z": np.ascontiguousarray(rules)}
    facts = json.dumps({"weights": fingerprint, "calm": calm})
    with replacing(path) as temporary:
        temporary.write_bytes(to_bytes(tensors, {FORMAT: facts}))


def load(path: Path, config: ModelConfig) -> tuple[Array, str, bool]:
    """Read rules, the fingerprint of the weights that they were made for, and `calm`.

    Files of versions that knew no `calm` have rules that are not.

    Raises:
        InputError: The file is missing, damaged, or holds rules of another shape.
    """
    if not is_file(path):
        word = "is no rules file" if exists(path) else "does not exist"
        raise InputError(f"{path} {word}", hint="vce convert --save-rules writes one")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if FORMAT not in metadata:
                raise InputError(
                    f"{path} holds no rules of vce", hint="vce convert --save-rules writes some"
                )
            facts = dict(json.loads(metadata[FORMAT]))
            fingerprint, calm = str(facts["weights"]), bool(facts.get("calm"))
            _check_shape(path, file.get_slice("z"), config)
            z: Array = file.get_tensor("z")
    except (OSError, SafetensorError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is no rules file, or damaged: {error}") from error
    if not np.isfinite(z).all():
        raise InputError(f"{path} holds values that are not numbers")
    return z, fingerprint, calm


def _check_shape(path: Path, found: Any, config: ModelConfig) -> None:
    """Check kind and shape of rules before they are read, as NumPy lacks some kinds of numbers.

    Raises:
        InputError: They are not float32, or not of the shape that the model takes.
    """
    shape, kind = tuple(found.get_shape()), found.get_dtype()
    wanted = (config.size, config.latent_per_row)
    if kind != "F32" or len(shape) != 3 or shape[1:] != wanted or not shape[0]:
        raise InputError(
            f"{path} holds {kind} {shape}; rules of these weights are F32 (N, *{wanted})",
            hint="give the weights that they were made for",
        )
    if shape[0] > MOST:
        raise InputError(f"{path} holds {shape[0]} rules", hint=f"use {MOST} at most")


def split_selection(text: str) -> tuple[Path, tuple[int, int] | None]:
    """Split `F:3` and `F:2-5` into the file and the first and last number; `F` means all."""
    found = re.fullmatch(r"(.+):(\d+)(?:-(\d+))?", text)
    if not found or exists(Path(text)):
        return Path(text), None
    first, last = int(found[2]), int(found[3] or found[2])
    return Path(found[1]), (first, last)


def select(rules: Array, selection: tuple[int, int] | None) -> tuple[list[int], Array]:
    """Return the numbers, counted from 1, and the rules of a selection.

    Raises:
        ConfigError: It goes backwards, or past the last rule.
    """
    first, last = selection or (1, len(rules))
    if not 1 <= first <= last <= len(rules):
        wanted = f"{first}" if first == last else f"{first}-{last}"
        raise ConfigError(f"there is no rule {wanted}", hint=f"use 1 to {len(rules)}")
    return list(range(first, last + 1)), rules[first - 1 : last]
