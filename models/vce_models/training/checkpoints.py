"""Checkpoints from which training goes on exactly where it stood."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from vce_models.config import TrainConfig
from vce_models.datasets.drawings import Characters
from vce_models.errors import VCEError, WeightsError
from vce_models.files import replacing
from vce_models.training.parallel import Processes
from vce_models.training.trainer import Trainer

FORMAT = "vce checkpoint 1"


def save(path: Path, trainer: Trainer) -> None:
    """Write networks, optimisers, random state and step, whole or not at all."""
    tensors = {f"model.{name}": value for name, value in trainer.model.state_dict().items()}
    for name, optimiser in _optimisers(trainer).items():
        for i, state in optimiser.state_dict()["state"].items():
            tensors |= {f"{name}.{i}.{key}": value for key, value in state.items()}
    tensors["generator"] = trainer.generator.get_state()
    tensors = {name: value.cpu().contiguous() for name, value in tensors.items()}
    settings = json.loads(trainer.config.to_json())
    state = {"config": settings, "step": trainer.step, "collapsing": trainer.collapsing}
    with replacing(path) as temporary:
        temporary.write_bytes(to_bytes(tensors, {FORMAT: json.dumps(state)}))


def load(
    path: Path, characters: Characters, device: str = "cpu", processes: Processes | None = None
) -> Trainer:
    """Go on exactly where `save` was called; arguments as of `Trainer`.

    Raises:
        WeightsError: The checkpoint is missing, damaged or of another kind.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            saved = json.loads((file.metadata() or {})[FORMAT])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        config = TrainConfig.from_dict(saved["config"])
        trainer = Trainer(config, characters, device, processes)
        trainer.step, trainer.collapsing = int(saved["step"]), int(saved["collapsing"])
        _restore(trainer, tensors)
    except (
        OSError,
        SafetensorError,
        KeyError,
        TypeError,
        ValueError,
        RuntimeError,
        VCEError,
    ) as error:
        raise WeightsError(f"{path} is not a checkpoint of vce: {error}") from error
    return trainer


def _restore(trainer: Trainer, tensors: dict[str, Tensor]) -> None:
    trainer.model.load_state_dict(_under("model", tensors))
    trainer.generator.set_state(tensors["generator"])
    for name, optimiser in _optimisers(trainer).items():
        parameters = optimiser.param_groups[0]["params"]
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _under(name, tensors).items():
            number, term = key.split(".")
            if value.ndim:  # fused Adam wants its moments laid out as the parameter is
                value = torch.empty_like(parameters[int(number)]).copy_(value)
            state.setdefault(int(number), {})[term] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def _optimisers(trainer: Trainer) -> dict[str, torch.optim.Adam]:
    return {"encoder_adam": trainer.encoder, "convertor_adam": trainer.convertor}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    cut = len(prefix) + 1
    return {name[cut:]: value for name, value in tensors.items() if name.startswith(f"{prefix}.")}
