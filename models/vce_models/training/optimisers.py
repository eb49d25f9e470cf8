"""Adam, what comes before its step, and Reptile's step after several of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

OUTLIER = 20.0
"""A gradient that is more than so many times as long as it may be is made the shorter for it."""


def adam(network: nn.Module, learning_rate: float) -> torch.optim.Adam:
    """Make Adam for a network; its learning rate is a tensor that is changed in place."""
    parameters = list(network.parameters())
    device = parameters[0].device
    rate = torch.tensor(learning_rate, device=device)
    return torch.optim.Adam(parameters, rate, fused=True, capturable=device.type == "cuda")


def clip(parameters: list[nn.Parameter], longest: float) -> None:
    """Scale a gradient down to the norm `longest`, and an outlying one further.

    One outlying drawing can make exp(logvar) explode, and Adam would remember its gradient for a
    thousand steps. So one k times beyond `OUTLIER` keeps a norm of `longest / k`: not zero, since
    a network all of whose gradients are so long has to find its way back. What is not finite is
    zeroed. Nothing is read back from the device.
    """
    gradients = [value.grad for value in parameters if value.grad is not None]
    norm = nn.utils.clip_grad_norm_(parameters, longest)
    outlying = (OUTLIER * longest / norm).clamp(max=1.0)
    infinite = ~norm.isfinite()
    for gradient in gradients:
        gradient.mul_(outlying).masked_fill_(infinite, 0.0)


@torch.no_grad()
def interpolate(model: nn.Module, before: list[Tensor], meta_step_size: float) -> None:
    """Set a model's parameters phi' to phi + alpha (phi' - phi): algorithm 2, line 10.

    Args:
        model: Its parameters are phi'.
        before: phi, the parameters before the inner steps.
        meta_step_size: alpha.
    """
    for parameter, old in zip(model.parameters(), before, strict=True):
        if meta_step_size < 1:  # at 1 the sum would round where nothing is to change
            parameter.copy_(old + meta_step_size * (parameter - old))
