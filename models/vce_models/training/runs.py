"""The folder of a training run holds its settings, what it has reached, and how it went.

config.json             the whole TrainConfig, and which drawings it has
checkpoint.safetensors  everything that resuming needs
weights.safetensors     the model, for eval and convert
metrics.jsonl           one object a report
curves.png              reconstruction and KL over the steps
conversions.png         conversions of the same test characters each time
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from vce_models import weights
from vce_models.config import TrainConfig
from vce_models.datasets.drawings import Characters
from vce_models.errors import ConfigError, InputError, OutputError
from vce_models.files import exists, is_file, lock, replacing
from vce_models.glyphs import sheets
from vce_models.glyphs.decoding import contents
from vce_models.training import curves

if TYPE_CHECKING:
    from vce_models.training.trainer import Report, Trainer

MAX_CONFIG = 1 << 20
"""Bytes of config.json at most; it has a thousand."""


class Run:
    """One run's folder.

    Attributes:
        folder: Holds the files named above.
        config: The run's settings.
        data: The data set it trains on.
        chars: The characters that are taken from it, where it holds fonts.
    """

    def __init__(
        self, folder: Path, config: TrainConfig, data: Path, chars: str | None = None
    ) -> None:
        self.folder, self.config, self.data, self.chars = folder, config, data, chars
        self.checkpoint = folder / "checkpoint.safetensors"
        self.weights = folder / "weights.safetensors"
        self.metrics = folder / "metrics.jsonl"
        self._locked: int | None = None

    @classmethod
    def create(
        cls, folder: Path, config: TrainConfig, data: Path, chars: str | None = None
    ) -> Self:
        """Make the folder and write config.json.

        A run that has no checkpoint yet, since the disk was full, is begun anew.

        Raises:
            ConfigError: The folder already holds a run, or another process trains there.
            OutputError: The folder cannot be written.
        """
        run, path = cls(folder, config, data, chars), folder / "config.json"
        if exists(path):
            run.lock()  # another process may be about to write its first checkpoint
            run.require_unbegun()
        settings: dict[str, Any] = {"data": str(data.resolve())}
        settings |= {"chars": chars} if chars is not None else {}
        settings["train"] = dataclasses.asdict(config)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write {folder}: {error.strerror}") from error
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(settings, indent=2) + "\n")
        run.lock()
        return run

    def require_unbegun(self) -> None:
        """Raise ConfigError if the folder holds what a run has reached."""
        if exists(self.checkpoint) or exists(self.weights):
            self.close()
            raise ConfigError(
                f"{self.folder} already holds a run",
                hint=f"vce train --resume {self.folder}, or another --out",
            )

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read config.json of a run that was begun before.

        Raises:
            ConfigError: There is none, or it is damaged.
        """
        path = folder / "config.json"
        try:
            if exists(path) and not is_file(path):
                raise ValueError("config.json is no file")
            saved = json.loads(contents(path, "config.json", MAX_CONFIG).decode())
            config, chars = TrainConfig.from_dict(saved["train"]), saved.get("chars")
            if chars is not None and not isinstance(chars, str):
                raise TypeError(f"chars is {chars!r}")
            return cls(folder, config, Path(saved["data"]), chars)
        except (InputError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ConfigError(
                f"{folder} holds no run to resume: {error}", hint="vce train --out begins one"
            ) from error
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}", hint=error.hint) from error

    def lock(self) -> None:
        """Keep other processes from training in this folder, until `close` or the end of this one.

        Raises:
            ConfigError: Another process does.
            OutputError: The folder cannot be written.
        """
        try:
            descriptor = os.open(self.folder / "config.json", os.O_RDWR)
        except OSError as error:
            raise OutputError(f"cannot write {self.folder}: {error.strerror}") from error
        if lock(descriptor) is False:
            os.close(descriptor)
            raise ConfigError(
                f"another process trains in {self.folder}", hint="wait for it, or use another --out"
            )
        self.close()
        self._locked = descriptor

    def close(self) -> None:
        """Let other processes train in this folder."""
        if self._locked is not None:
            os.close(self._locked)
            self._locked = None

    def check(self, config: TrainConfig) -> None:
        """Hold config.json against the settings that the checkpoint was made with.

        Raises:
            ConfigError: One is another; the message names it.
        """
        for name, (kept, found) in _differences(config, self.config).items():
            raise ConfigError(
                f"{self.folder / 'config.json'}: {name} is {found!r}, and was {kept!r} when the "
                "run was begun",
                hint="put it back, or begin another run",
            )

    def trim(self, step: int) -> None:
        """Forget what was recorded after the checkpoint that training goes on from."""
        if not is_file(self.metrics):
            return
        lines = self.metrics.read_text(errors="replace").splitlines(keepends=True)
        with replacing(self.metrics) as temporary:
            temporary.write_text("".join(line for line in lines if _step(line) <= step))

    def record(self, report: Report, speed: float) -> None:
        """Append a report to metrics.jsonl.

        Args:
            report: The report.
            speed: Pairs a second.

        Raises:
            OutputError: The file cannot be written.
        """
        line: dict[str, Any] = {
            "step": report.step,
            "phase": report.phase,
            **report.terms,
            "kl_weight": report.kl_weight,
            "learning_rate": report.learning_rate,
            "images_per_second": round(speed, 1),
        }
        try:
            with self.metrics.open("a") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise OutputError(f"cannot write {self.metrics}: {error.strerror}") from error

    def save(self, trainer: Trainer, test: Characters) -> None:
        """Write checkpoint, weights and pictures, each whole."""
        from vce_models.training import checkpoints  # loads PyTorch

        checkpoints.save(self.checkpoint, trainer)
        model = trainer.weights()
        weights.save(self.weights, model)
        picture = curves.render_conversions(model, test, 0)
        sheets.save_png(picture, self.folder / "conversions.png")
        if is_file(self.metrics):
            curves.plot_curves(self.metrics, self.folder / "curves.png")


def _differences(one: Any, other: Any, prefix: str = "") -> dict[str, tuple[Any, Any]]:
    """Return both values of each setting in which two configs differ, by names as `model.size`."""
    found: dict[str, tuple[Any, Any]] = {}
    for item in dataclasses.fields(one):
        a, b = getattr(one, item.name), getattr(other, item.name)
        if dataclasses.is_dataclass(a):
            found |= _differences(a, b, f"{prefix}{item.name}.")
        elif a != b:
            found[prefix + item.name] = (a, b)
    return found


def _step(line: str) -> float:
    """Return the step of a line of metrics.jsonl; infinity where it was cut off, or no report."""
    try:
        row = json.loads(line)
        step = float(row["step"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return math.inf
    return step if curves.can_plot(row) else math.inf
