"""What only some installations have: PyTorch, CUDA, and what fonts need."""

from __future__ import annotations

from importlib.util import find_spec

from vce_models.errors import ConfigError, ExtraError


def require_torch(command: str) -> None:
    """Raise ExtraError, in one line with the mend, where PyTorch is not installed."""
    if find_spec("torch") is None:
        raise ExtraError(f"vce {command} needs PyTorch", hint="pip install 'vce-cli[torch]'")


def require_fonts(wanted: str) -> None:
    """Raise ExtraError where what reads fonts and traces outlines is not installed."""
    for module in ("vtracer", "fontTools", "ufoLib2"):
        if find_spec(module) is None:
            raise ExtraError(f"{wanted} needs {module}", hint="pip install 'vce-cli[fonts]'")


def torch_device(name: str) -> str:
    """`cpu` or `cuda` for `auto`, `cpu` or `cuda`; PyTorch must be installed."""
    import torch

    if name not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"--device is {name!r}", hint="use auto, cpu or cuda")
    present = torch.cuda.is_available()
    if name == "cuda" and not present:
        raise ConfigError("PyTorch finds no CUDA device here", hint="use --device cpu")
    return "cuda" if present and name != "cpu" else "cpu"
