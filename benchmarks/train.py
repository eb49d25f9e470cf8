"""The step of `vce train` is measured beside a plain PyTorch loop of the same algorithm.

python benchmarks/train.py --data omniglot/ [--recipe paper] [--rounds 5] [--device cpu]

The plain loop is what one writes first: drawings in a list, stacked on the host for every
step; tensors as PyTorch lays them out; Adam as it comes; float32; algorithm 1 line by line;
every loss read back. The two take turns, so that a machine that slows down slows both. The
ratio is the median over rounds. Before that both train from the same weights on the same
pairs and noise in float32, and the largest difference of a loss is printed.
"""

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from vce_models.config import TrainConfig
from vce_models.datasets import drawings
from vce_models.datasets.drawings import Characters
from vce_models.networks import losses
from vce_models.networks.vce import VCE
from vce_models.recipes import DEFAULT, RECIPES
from vce_models.training.trainer import Trainer

Batch = tuple[Tensor, Tensor]
Noise = Callable[[Tensor], Tensor]


class Plain:
    """The loop written the obvious way."""

    def __init__(self, config: TrainConfig, device: str) -> None:
        self.config = config
        torch.manual_seed(config.seed)
        self.model = VCE(config.model).to(device)
        rate = config.learning_rate
        self.encoder = torch.optim.Adam(self.model.encoder.parameters(), rate)
        self.convertor = torch.optim.Adam(self.model.convertor.parameters(), rate)
        self.step = 0

    def train(self, x: Tensor, q: Tensor, noise: Noise) -> float:
        """Take one step on a batch of pairs, and return its loss."""
        for optimiser in (self.encoder, self.convertor):
            optimiser.param_groups[0]["lr"] = self.config.learning_rate_at(self.step)
        large_margin = self.config.phase(self.step) == "lmvae"
        loss = (self._lmvae if large_margin else self._vae)(x, q, noise)
        self.step += 1
        return loss.item()

    def _terms(self, x: Tensor, q: Tensor, noise: Noise) -> tuple[Tensor, ...]:
        mu, logvar = self.model.encoder(x, q)
        drawing, logits = self.model.convertor(mu + torch.exp(0.5 * logvar) * noise(mu), q)
        return losses.kl_divergence(mu, logvar), drawing, logits

    def _descend(self, loss: Tensor, *optimisers: torch.optim.Adam) -> None:
        self.encoder.zero_grad()
        self.convertor.zero_grad()
        loss.backward()
        for optimiser in optimisers:
            if self.config.clip_norm:
                own = optimiser.param_groups[0]["params"]
                torch.nn.utils.clip_grad_norm_(own, self.config.clip_norm)
            optimiser.step()

    def _vae(self, x: Tensor, q: Tensor, noise: Noise) -> Tensor:
        kl, drawing, logits = self._terms(x, q, noise)
        loss = losses.vae(kl, losses.bernoulli_nll(logits, x), self.config.kl_weight_at(self.step))
        if weight := self.config.alignment_weight_at(self.step):
            loss = loss + weight * losses.alignment(drawing, x)
        self._descend(loss.mean(), self.encoder, self.convertor)
        return loss.mean()

    def _lmvae(self, x: Tensor, q: Tensor, noise: Noise) -> Tensor:
        """Take the step of algorithm 1, lines 4 to 10."""
        weights = {
            "adversarial_weight": self.config.adversarial_weight,
            "reg_weight": self.config.reg_weight,
        }
        kl, drawing, logits = self._terms(x, q, noise)
        converted = losses.kl_divergence(*self.model.encoder(drawing.detach(), q))
        terms = losses.bernoulli_nll(logits, x), losses.bernoulli_nll(logits, q)
        margin = self.config.margin
        loss = losses.encoder_loss(kl, [converted], *terms, margin=margin, **weights)
        self._descend(loss.mean(), self.encoder)
        kl, drawing, logits = self._terms(x, q, noise)
        converted = losses.kl_divergence(*self.model.encoder(drawing, q))
        terms = losses.bernoulli_nll(logits, x), losses.bernoulli_nll(logits, q)
        loss = losses.convertor_loss(kl, [converted], *terms, **weights)
        self._descend(loss.mean(), self.convertor)
        return loss.mean()


def host_batches(characters: Characters, config: TrainConfig, device: str) -> Iterator[Batch]:
    """Yield pairs that are chosen and stacked in Python."""
    rng = np.random.default_rng(config.seed)
    bounds = list(zip(characters.starts[:-1], characters.starts[1:], strict=True))
    while True:
        x, q = [], []
        for _ in range(config.episodes):
            start, stop = bounds[rng.integers(len(bounds))]
            condition, *support = start + rng.permutation(stop - start)[: config.support + 1]
            x += [characters.images[drawing] for drawing in support]
            q += [characters.images[condition]] * len(support)
        pair = (torch.from_numpy(np.stack(part))[:, None].float() / 255 for part in (x, q))
        yield tuple(part.to(device) for part in pair)  # type: ignore[misc]


def largest_difference(config: TrainConfig, characters: Characters, device: str) -> float:
    """Train both on the same pairs and noise; return the largest relative difference of losses."""
    settings = {"precision": "float32", "augmentation": "none", "warmup_steps": 0}
    config = dataclasses.replace(config, **settings)
    trainer, plain = Trainer(config, characters, device), Plain(config, device)
    generator = torch.Generator(device).manual_seed(config.seed)

    def noise(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=generator, device=device)

    differences = []
    for _ in range(config.steps):
        fast = trainer.advance(1).terms["loss"]
        x, q = trainer.episodes.sample(config.episodes, config.support, generator)
        differences.append(abs(fast / plain.train(x, q, noise) - 1))
    return max(differences)


def operations(config: TrainConfig, characters: Characters, device: str) -> float:
    """Count the floating-point operations of one step of the plain loop, by PyTorch's counter."""
    plain, batch = Plain(config, device), next(host_batches(characters, config, device))
    with FlopCounterMode(display=False) as counter:
        plain.train(*batch, torch.randn_like)
    return float(counter.get_total_flops())


def matrix_rate(dtype: torch.dtype, device: str) -> float:
    """Measure the floating-point operations a second of a square matrix product, at best."""
    a = torch.randn(1024, 1024, device=device).to(dtype)
    seconds = min(timed(lambda: a @ a, device) for _ in range(20))
    return 2 * 1024**3 / seconds


def timed(work: Callable[[], object], device: str) -> float:
    """Measure the seconds that the work takes on the device."""
    begun = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def only(config: TrainConfig, phase: str, steps: int) -> TrainConfig:
    """Return the settings of the same run with one phase alone."""
    counts = {f"{name}_steps": 0 for name in ("pretrain", "vae", "lmvae")}
    return dataclasses.replace(config, **{**counts, f"{phase}_steps": steps})


def main() -> None:
    """Print, for each phase, the difference of losses, both speeds and their ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipe", choices=RECIPES, default=DEFAULT)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20, help="of each loop in a round")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = parser.parse_args()
    recipe, device = RECIPES[options.recipe], options.device
    if recipe.augmentation == "warp":  # which the plain loop knows nothing of
        recipe = dataclasses.replace(recipe, augmentation="none")
    characters = drawings.load(options.data, recipe.model).train
    pairs = recipe.episodes * recipe.support
    print(f"{options.recipe}: {pairs} pairs a step, {torch.get_num_threads()} threads, {device}")
    for phase in ("vae", "lmvae"):
        if not getattr(recipe, f"{phase}_steps"):
            continue
        difference = largest_difference(only(recipe, phase, 10), characters, device)
        config = only(recipe, phase, 10**6)
        trainer, plain = Trainer(config, characters, device), Plain(config, device)
        batches = host_batches(characters, config, device)

        def slow(plain: Plain = plain, batches: Iterator[Batch] = batches) -> None:
            for _ in range(options.steps):
                plain.train(*next(batches), torch.randn_like)

        def fast(trainer: Trainer = trainer) -> None:
            trainer.advance(options.steps)

        for warm in (slow, fast):
            warm()
        rounds = [(timed(slow, device), timed(fast, device)) for _ in range(options.rounds)]
        images = options.steps * pairs
        speed = images / statistics.median(b for _, b in rounds)
        ratio = statistics.median(a / b for a, b in rounds)
        dtype = torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32
        work = operations(config, characters, device) * speed / pairs
        print(
            f"{phase}: {speed:.0f} images/s, the plain loop {speed / ratio:.0f}, "
            f"ratio {ratio:.2f}; "
            f"{work / matrix_rate(dtype, device):.0%} of the rate of a {dtype} matrix product; "
            f"losses differ by {difference:.1e} at most over 10 steps"
        )


if __name__ == "__main__":
    main()
