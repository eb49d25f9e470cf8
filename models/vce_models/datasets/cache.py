"""Pictures that were decoded or rendered before, kept in the user's cache folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from vce_models.errors import VCEError
from vce_models.files import exists, is_file, replacing


def kept(
    key: str, shape: tuple[int, int, int], make: Callable[[], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Read the pictures that were kept under a key, or make them and keep them.

    Args:
        key: A digest of all that the pictures depend on.
        shape: (N, side, side), which what was kept must have.
        make: Makes the pictures where none were kept, or where they are damaged.
    """
    path = _folder() / f"{key}.safetensors"
    pictures = _read(path, shape)
    if pictures is None:
        pictures = make()
        _write(path, pictures)
    return pictures


def _folder() -> Path:
    return Path(os.environ.get("VCE_CACHE") or platformdirs.user_cache_dir("vce", appauthor=False))


def _read(path: Path, shape: tuple[int, int, int]) -> NDArray[np.uint8] | None:
    """Read the pictures that were kept; None where they are missing, damaged or of other shape."""
    from safetensors import SafetensorError, safe_open

    if not is_file(path):
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            found = file.get_slice("images")
            if (found.get_dtype(), tuple(found.get_shape())) != ("U8", shape):
                return None
            pictures: NDArray[np.uint8] = file.get_tensor("images")
            return pictures
    except (OSError, SafetensorError):
        return None


def _write(path: Path, pictures: NDArray[np.uint8]) -> None:
    from safetensors.numpy import save

    if exists(path) and not is_file(path):
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(save({"images": pictures}))
    except (OSError, VCEError):
        return  # a full or read-only cache folder costs time, not the run
