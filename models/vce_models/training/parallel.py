"""Data-parallel training: several processes, each of which takes a share of every batch.

Every process samples the same whole batch and the same noise from the same seed, and keeps
its share. So N processes train as one does, but for the rounding of sums.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed

from vce_models.errors import ConfigError, DataError

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """This process among those that train together; alone by default."""

    rank: int = 0
    count: int = 1

    @classmethod
    def join(cls, device: str) -> Processes:
        """Meet the processes that torchrun started; without torchrun, be alone.

        Args:
            device: `cuda` meets over nccl, `cpu` over gloo.
        """
        count = int(os.environ.get("WORLD_SIZE", "1"))
        if count == 1:
            return cls()
        if device == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        distributed.init_process_group("nccl" if device == "cuda" else "gloo")
        return cls(distributed.get_rank(), distributed.get_world_size())

    def leave(self) -> None:
        """Leave the other processes; a single process does nothing."""
        if self.count > 1:
            distributed.destroy_process_group()

    def check(self, batch: int) -> None:
        """Raise ConfigError where a batch cannot be shared equally."""
        if batch % self.count:
            raise ConfigError(
                f"{batch} pairs a step cannot be shared by {self.count} processes",
                hint="choose --episodes that can",
            )

    def share(self, batch: Tensor) -> Tensor:
        """Return this process's part of a batch, (N / count, ...) of (N, ...)."""
        return batch if self.count == 1 else batch[self.rank :: self.count]

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Set tensors to their mean over the processes, in one exchange."""
        if self.count == 1:
            return
        own = list(tensors)
        flat = torch.cat([tensor.flatten() for tensor in own])
        distributed.all_reduce(flat)
        for tensor, mean in zip(
            own, torch.split(flat, [tensor.numel() for tensor in own]), strict=True
        ):
            tensor.copy_((mean / self.count).view_as(tensor))

    def first(self, read: Callable[[], T], device: torch.device) -> T:
        """Let one process read before the others, which then find what it has kept.

        Raises:
            DataError: The first process could not read; all others raise this.
        """
        if self.count == 1:
            return read()
        if self.rank:
            if self.any(False, device):
                raise DataError("the first process could not read the data")
            return read()
        failed = True
        try:
            found = read()
            failed = False
        finally:
            self.any(failed, device)
        return found

    def any(self, flag: bool, device: torch.device) -> bool:
        """Say whether the flag is set in any process."""
        if self.count == 1:
            return flag
        flags = torch.tensor(float(flag), device=device)
        distributed.all_reduce(flags)
        return bool(flags > 0)
