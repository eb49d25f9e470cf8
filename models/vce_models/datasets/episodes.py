"""Episodes are sampled: a character, one of its drawings as condition, others as support."""

from __future__ import annotations

import torch
from torch import Tensor

from vce_models.datasets.drawings import Characters


class Episodes:
    """All drawings in one tensor on the device, where episodes are sampled.

    Args:
        characters: The characters that are sampled.
        device: Where the drawings are kept, as uint8.
    """

    def __init__(self, characters: Characters, device: torch.device) -> None:
        self.images = torch.from_numpy(characters.images).to(device)[:, None]
        starts = torch.from_numpy(characters.starts).to(device)
        self.starts, self.counts = starts[:-1], starts.diff()
        self.places = torch.arange(int(self.counts.max()), device=device)

    def sample(
        self, episodes: int, support: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Sample episodes, whose characters are chosen with replacement.

        Returns:
            What `sample_from` does.
        """
        device = self.images.device
        chosen = torch.randint(len(self.counts), (episodes,), generator=generator, device=device)
        return self.sample_from(chosen, support, generator)

    def sample_from(
        self, chosen: Tensor, support: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Sample for each of these characters a condition and other drawings as its support.

        A drawing comes twice only where the character has fewer than `support` others, and
        the condition is never in its own support.

        Args:
            chosen: Numbers of characters, (episodes,).
            support: How many other drawings of each.
            generator: On the device of the drawings.

        Returns:
            x and q, each (episodes * support, 1, size, size), float32 in [0, 1].
        """
        device = self.images.device
        keys = torch.rand(len(chosen), len(self.places), generator=generator, device=device)
        counts = self.counts[chosen, None]
        order = keys.masked_fill(self.places >= counts, 2).argsort(1)
        turn = torch.arange(support, device=device) % (counts - 1) + 1
        support_at = self.starts[chosen, None] + order.gather(1, turn)
        condition = self.starts[chosen, None] + order[:, :1]
        x = self.images[support_at.flatten()]
        q = self.images[condition.expand(-1, support).flatten()]
        return x.float() / 255, q.float() / 255
