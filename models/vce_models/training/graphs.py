"""Training steps replayed from a CUDA graph: one launch takes the place of hundreds."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch

EAGER = 3
"""How many steps come before one is captured: libraries choose algorithms, Adam makes its state."""


class Replayed:
    """Takes steps: on CUDA the first few one by one, and then from a graph of one of them.

    A step must work on the same tensors every time and read nothing back. Each call is one
    step, whether called or replayed.

    Args:
        generator: The generator whose random numbers steps take.
        enabled: Whether steps are captured at all.
    """

    def __init__(self, generator: torch.Generator, enabled: bool) -> None:
        self.generator, self.enabled = generator, enabled
        self.kind: Hashable = None
        self.called = 0
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, kind: Hashable, step: Callable[[], None]) -> None:
        """Take a step; one of another kind than the last is captured anew."""
        if not self.enabled:
            step()
            return
        if kind != self.kind:
            self.kind, self.called, self.graph = kind, 0, None
        if self.graph is None and self.called == EAGER:
            graph = torch.cuda.CUDAGraph()
            graph.register_generator_state(self.generator)
            with torch.cuda.graph(graph):
                step()
            self.graph = graph
        if self.graph is not None:
            self.graph.replay()
            return
        # The step has a stream of its own, as the capture will: gradients remember their stream.
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            step()
        torch.cuda.current_stream().wait_stream(beside)
        self.called += 1
