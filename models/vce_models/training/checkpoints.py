"""A checkpoint keeps all that a training needs to go on exactly where it stood."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from vce_models.config import TrainConfig
from vce_models.datasets.drawings import Characters
from vce_models.errors import ConfigError, WeightsError
from vce_models.files import exists, is_file, replacing
from vce_models.training.parallel import Processes
from vce_models.training.trainer import Trainer

FORMAT = "vce checkpoint 1"
"""The one key of the metadata; its value is JSON."""

MOMENTS = ("exp_avg", "exp_avg_sq")
"""What Adam keeps of every parameter, in its shape."""


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


@dataclass(frozen=True)
class Checkpoint:
    """What `save` wrote, read and not yet held against the networks that it is for.

    Attributes:
        path: What errors call it.
        config: The settings that the run was begun with.
        step: Steps that were taken.
        collapsing: What `Trainer.collapsing` was.
        tensors: Networks, optimisers and random state.
    """

    path: Path
    config: TrainConfig
    step: int
    collapsing: int
    tensors: dict[str, Tensor]


def load(
    path: Path, characters: Characters, device: str = "cpu", processes: Processes | None = None
) -> Trainer:
    """Go on exactly where `save` was called. The arguments are those of `Trainer`.

    Raises:
        WeightsError: The checkpoint is missing, damaged or of another kind.
        ConfigError: The batch cannot be shared equally, or drawings are of another size.
    """
    return resume(read(path), characters, device, processes)


def read(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        WeightsError: It is missing, damaged or of another kind.
    """
    if exists(path) and not is_file(path):  # opening a pipe would wait for ever
        raise WeightsError(f"{path} is not a checkpoint of vce: it is no file")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            saved = json.loads((file.metadata() or {})[FORMAT])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        config = TrainConfig.from_dict(saved["config"])
        step, collapsing = saved["step"], saved["collapsing"]
    except (OSError, SafetensorError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is not a checkpoint of vce: {error}") from error
    except ConfigError as error:
        raise WeightsError(f"{path} is not a checkpoint of vce: {error}") from error
    for name, value, last in (("step", step, config.steps), ("collapsing", collapsing, step)):
        if type(value) is not int or not 0 <= value <= last:
            raise WeightsError(f"{path} is damaged: {name} is {value!r}, outside 0 to {last}")
    return Checkpoint(path, config, step, collapsing, tensors)


def resume(
    checkpoint: Checkpoint,
    characters: Characters,
    device: str = "cpu",
    processes: Processes | None = None,
) -> Trainer:
    """Build the trainer of a checkpoint. The arguments are those of `Trainer`.

    Raises:
        WeightsError: The checkpoint lacks something, holds what is no number, or was begun
            on another kind of device.
        ConfigError: The batch cannot be shared equally, or drawings are of another size.
    """
    trainer = Trainer(checkpoint.config, characters, device, processes)
    _check(checkpoint, trainer)
    tensors = checkpoint.tensors
    trainer.step, trainer.collapsing = checkpoint.step, checkpoint.collapsing
    trainer.model.load_state_dict(_under("model", tensors))
    try:
        trainer.generator.set_state(tensors["generator"])
    except RuntimeError as error:
        raise WeightsError(f"{checkpoint.path}: the random state is damaged") from error
    for name, optimiser in _optimisers(trainer).items():
        parameters = optimiser.param_groups[0]["params"]
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _under(name, tensors).items():
            number, term = key.split(".")
            if value.ndim:  # fused Adam wants its moments laid out as the parameter is
                value = torch.empty_like(parameters[int(number)]).copy_(value)
            state.setdefault(int(number), {})[term] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    return trainer


def _check(checkpoint: Checkpoint, trainer: Trainer) -> None:
    """Hold all tensors of a checkpoint against what the trainer needs, before it takes any."""
    path, tensors = checkpoint.path, checkpoint.tensors
    wanted = {f"model.{name}": value for name, value in trainer.model.state_dict().items()}
    if checkpoint.step:
        for name, optimiser in _optimisers(trainer).items():
            for i, parameter in enumerate(optimiser.param_groups[0]["params"]):
                wanted |= {f"{name}.{i}.{moment}": parameter for moment in MOMENTS}
                wanted[f"{name}.{i}.step"] = torch.zeros(())
    wanted["generator"] = trainer.generator.get_state()
    if wrong := sorted(wanted.keys() ^ tensors.keys()):
        word = "has an unknown" if wrong[0] in tensors else "lacks the"
        raise WeightsError(f"{path} is damaged: it {word} tensor {wrong[0]}")
    if len(tensors["generator"]) != len(wanted["generator"]):
        other = "cpu" if trainer.device.type == "cuda" else "cuda"
        raise WeightsError(f"{path} was begun on {other}", hint=f"use --device {other}")
    for name, value in wanted.items():
        found = tensors[name]
        if (found.shape, found.dtype) != (value.shape, value.dtype):
            kind = f"{found.dtype} {tuple(found.shape)}"
            raise WeightsError(
                f"{path} is damaged: {name} is {kind}, not {value.dtype} {tuple(value.shape)}"
            )
        if found.is_floating_point() and not found.isfinite().all():
            raise WeightsError(f"{path} is damaged: {name} holds values that are not numbers")
        if name.endswith(("exp_avg_sq", ".step")) and (found < 0).any():
            raise WeightsError(f"{path} is damaged: {name} is negative")


def _optimisers(trainer: Trainer) -> dict[str, torch.optim.Adam]:
    return {"encoder_adam": trainer.encoder, "convertor_adam": trainer.convertor}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    cut = len(prefix) + 1
    return {name[cut:]: value for name, value in tensors.items() if name.startswith(f"{prefix}.")}
