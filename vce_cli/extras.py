"""Find out what is installed: which vce, and whether PyTorch, CUDA and the libraries for fonts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from vce_models.errors import ConfigError, ExtraError

DEVICES = ("auto", "cpu", "cuda")
"""Values of --device."""


def version() -> str:
    """Return the version of vce that is installed."""
    from importlib import metadata

    return metadata.version("vce-cli")


def require_torch(command: str) -> None:
    """Raise ExtraError, with how to install it, where PyTorch is not installed."""
    if find_spec("torch") is None:
        raise ExtraError(f"vce {command} needs PyTorch", hint="pip install 'vce-cli[torch]'")


def require_fonts(wanted: str) -> None:
    """Raise ExtraError where the libraries that read fonts and trace outlines are not installed."""
    for module in ("contourpy", "fontTools", "brotli", "ufoLib2", "ufo2ft"):
        if find_spec(module) is None:
            raise ExtraError(f"{wanted} needs {module}", hint="pip install 'vce-cli[fonts]'")


def check_device(name: str) -> None:
    """Raise ConfigError if --device is none of `DEVICES`."""
    if name not in DEVICES:
        raise ConfigError(f"--device is {name!r}", hint=f"use {either(DEVICES)}")


def require_device(name: str) -> None:
    """Find a wrong --device before work that would be wasted; only `cuda` loads PyTorch for it."""
    check_device(name)
    if name == "cuda":
        torch_device(name)


def either(choices: Sequence[str]) -> str:
    """Write choices as in a sentence: `auto, cpu or cuda`."""
    *most, last = choices
    return f"{', '.join(most)} or {last}" if most else last


def torch_device(name: str) -> str:
    """Turn one of `DEVICES` into `cpu` or `cuda`; PyTorch must be installed."""
    import torch

    check_device(name)
    present = torch.cuda.is_available()
    if name == "cuda" and not present:
        raise ConfigError("PyTorch finds no CUDA device here", hint="use --device cpu")
    return "cuda" if present and name != "cpu" else "cpu"
