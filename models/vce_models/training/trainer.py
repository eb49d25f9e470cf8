"""Algorithms 1 and 2 of Li et al. 2020, in three phases."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vce_models.config import Phase, TrainConfig
from vce_models.datasets.drawings import Characters
from vce_models.datasets.episodes import Episodes
from vce_models.errors import ConfigError, DivergedError
from vce_models.glyphs import strokes
from vce_models.networks import losses, prior
from vce_models.networks.layout import channels_last
from vce_models.networks.precision import multiplies_bfloat16
from vce_models.networks.vce import VCE, reparameterise
from vce_models.training.augmentation import Warp, dihedral
from vce_models.training.graphs import Replayed
from vce_models.training.optimisers import adam, clip, interpolate
from vce_models.training.parallel import Processes
from vce_models.weights import Weights

TERMS = ("loss", "reconstruction", "kl", "kl_converted", "regulariser")
"""The terms of a report, in nats an image."""

PRIOR_PAIRS, PRIOR_BATCH = 2048, 128
"""How many pairs the prior is measured on, and how many are encoded at a time."""

KL_PAIRS = 32
"""How many pairs are converted and encoded again for a report."""

COLLAPSED = 2000
"""A run has collapsed if real drawings have more KL than converted ones for so many steps."""


@dataclass(frozen=True)
class Report:
    """How the steps since the last report went.

    Attributes:
        step: How many steps the run has taken.
        phase: The phase of these steps.
        learning_rate: That of the last step.
        kl_weight: That of the last step.
        terms: Means over these steps by the names of `TERMS`, in nats an image.
    """

    step: int
    phase: Phase
    learning_rate: float
    kl_weight: float
    terms: dict[str, float]


class Trainer:
    """One training run: networks, their optimisers, random state and the step reached.

    Args:
        config: The whole run.
        characters: Drawings to train on, `config.magnification` times as large as the model's
            images.
        device: `cpu` or `cuda`.
        processes: The processes that share every batch.

    Raises:
        ConfigError: The batch cannot be shared equally, or drawings are of another size.
    """

    def __init__(
        self,
        config: TrainConfig,
        characters: Characters,
        device: str = "cpu",
        processes: Processes | None = None,
    ) -> None:
        self.config = config
        self.processes = processes or Processes()
        self.processes.check(config.episodes * config.support)
        self.device = torch.device(device)
        side = config.magnification * config.model.size
        if characters.images.shape[1] != side:
            raise ConfigError(f"drawings of {characters.images.shape[1]} pixels, not {side}")
        warps = config.augmentation == "warp"
        self.warp = Warp(config.model.size, config.model.resize, self.device) if warps else None
        self.framing = strokes.measure(characters.images, config.magnification)
        self.episodes = Episodes(characters, self.device)
        self.rounds = config.precision == "bfloat16" and multiplies_bfloat16(self.device)
        self._begin()

    def _begin(self) -> None:
        """Make everything that training changes, as it is before the first step."""
        config = self.config
        self.step = 0
        self.collapsing = 0
        self.stopped = False
        self.generator = torch.Generator(self.device).manual_seed(config.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = VCE(config.model)
        channels_last(self.model.to(self.device))
        self.encoder = adam(self.model.encoder, config.learning_rate)
        self.convertor = adam(self.model.convertor, config.learning_rate)
        # What changes from step to step is held by tensors, for a step to be captured once.
        self.kl_weight, self.alignment_weight = torch.ones(2, device=self.device)
        self.totals = torch.zeros(len(TERMS), device=self.device)
        capture = self.device.type == "cuda" and self.processes.count == 1
        self.take = Replayed(self.generator, capture)

    def twin(self) -> Trainer:
        """Make a trainer of the same run before its first step; only the drawings are shared."""
        twin = copy.copy(self)
        twin._begin()
        return twin

    def rehearse(self, step: int, times: int) -> float:
        """Take step number `step` so many times, without a report; return the seconds it took.

        Processes that train together have to call it together.
        """
        begun = time.perf_counter()
        for _ in range(times):
            self.step = step
            self._advance()
        self.totals.tolist()  # waits for the device
        return time.perf_counter() - begun

    def advance(self, steps: int, stop: Callable[[], bool] = lambda: False) -> Report:
        """Train at most `steps` steps, within one phase, and say how they went.

        Args:
            steps: 1 or more.
            stop: Asked after every step; whether to return early. Processes that train
                together agree on it, every time.

        Raises:
            ConfigError: All steps are taken.
            DivergedError: A loss is no number, or the encoder has long told real
                drawings from converted ones the wrong way round.
        """
        if self.step >= self.config.steps:
            raise ConfigError(f"all {self.config.steps} steps of the run are taken")
        phase = self.config.phase(self.step)
        self.totals.zero_()
        first = self.step
        while self.step < min(first + steps, self.config.steps):
            if self.config.phase(self.step) != phase:
                break
            rate = self._advance()
            self.stopped = self.processes.any(stop(), self.device)
            if self.stopped:
                break
        self.processes.average([self.totals])
        terms = dict(zip(TERMS, (self.totals / (self.step - first)).tolist(), strict=True))
        if phase != "lmvae" or not self.config.adversarial:
            terms["kl_converted"] = self._kl_converted()
        report = Report(self.step, phase, rate, self.config.kl_weight_at(self.step - 1), terms)
        self._check(report, self.step - first)
        return report

    def _advance(self) -> float:
        """Take one step; return its learning rate."""
        rate = self._schedule()
        self.take((self.config.phase(self.step), self._aligns()), self._step)
        self.step += 1
        return rate

    def _schedule(self) -> float:
        """Set what changes from step to step; return the learning rate."""
        rate = self.config.learning_rate_at(self.step)
        for optimiser in (self.encoder, self.convertor):
            optimiser.param_groups[0]["lr"].fill_(rate)
        self.kl_weight.fill_(self.config.kl_weight_at(self.step))
        self.alignment_weight.fill_(self.config.alignment_weight_at(self.step))
        return rate

    def _aligns(self) -> bool:
        return self.config.alignment_weight_at(self.step) > 0

    def _step(self) -> None:
        """Take one step of the phase on the device alone; nothing is read back."""
        phase = self.config.phase(self.step)
        if phase == "pretrain":
            self.totals += self._reptile_step()
        elif phase == "vae" or self.config.objective == "vae":
            self.totals += self._vae_step(*self._sample())
        elif self.config.objective == "iwae":
            self.totals += self._iwae_step(*self._sample())
        else:
            self.totals += self._adversarial_step(*self._sample())

    def _sample(self) -> tuple[Tensor, Tensor]:
        config = self.config
        x, q = self.episodes.sample(config.episodes, config.support, self.generator)
        if self.warp:
            x, q = self.warp(x, q, self.generator)
        if config.augmentation != "none":
            x, q = dihedral(x, q, self.generator)
        return self.processes.share(x), self.processes.share(q)

    def _unmoved(self, pairs: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Sample pairs, each of another character, and do not augment them."""
        x, q = self.episodes.sample(pairs, 1, generator)
        if self.warp:
            x, q = self.warp.unmoved(x), self.warp.unmoved(q)
        return x, q

    def _noise(self, shape: torch.Size) -> Tensor:
        """Sample N(0, I) of this shape, (N, ...); this process's share of that of all."""
        count, *rest = shape
        noise = torch.randn(
            (count * self.processes.count, *rest), generator=self.generator, device=self.device
        )
        return self.processes.share(noise)

    def _sampled(self, mu: Tensor, logvar: Tensor) -> Tensor:
        """Sample a rule of each pair's posterior, or of N(0, I) where both are zero."""
        return reparameterise(mu, logvar, self._noise(mu.shape))

    def _descend(self, loss: Tensor, *optimisers: torch.optim.Adam) -> None:
        """Take one step of these optimisers; gradients are means over all processes."""
        parameters = [p for optimiser in optimisers for p in optimiser.param_groups[0]["params"]]
        for optimiser in optimisers:
            optimiser.zero_grad()
        loss.backward(inputs=parameters)
        self.processes.average(p.grad for p in parameters)
        for optimiser in optimisers:
            if self.config.clip_norm:
                clip(optimiser.param_groups[0]["params"], self.config.clip_norm)
            optimiser.step()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.rounds)

    def _encode(self, x: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        with self._autocast():
            mu, logvar = self.model.encoder(x, q)
        return mu, logvar

    def _convert(self, z: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        with self._autocast():
            drawing, logits = self.model.convertor(z, q)
        return drawing, logits

    def _vae_step(self, x: Tensor, q: Tensor) -> Tensor:
        """Let both networks descend the loss of eqs. 4-5, which one backward pass serves."""
        mu, logvar = self._encode(x, q)
        drawing, logits = self._convert(self._sampled(mu, logvar), q)
        kl = losses.kl_divergence(mu, logvar)
        reconstruction = losses.bernoulli_nll(logits, x)
        loss = losses.vae(kl, reconstruction, self.kl_weight)
        if self._aligns():
            loss = loss + self.alignment_weight * losses.alignment(drawing, x)
        loss = loss.mean()
        self._descend(loss, self.encoder, self.convertor)
        with torch.no_grad():
            return _totals(loss, reconstruction, kl, None, losses.bernoulli_nll(logits, q))

    def _iwae_step(self, x: Tensor, q: Tensor) -> Tensor:
        """Let both networks descend the importance-weighted bound, by some rules for each pair."""
        mu, logvar = self._encode(x, q)
        kl = losses.kl_divergence(mu, logvar)
        count = self.config.importance_samples
        mu, logvar, x, q = (
            part.repeat(count, *[1] * (part.ndim - 1)) for part in (mu, logvar, x, q)
        )
        noise = self._noise(mu.shape)
        z = reparameterise(mu, logvar, noise)
        _, logits = self._convert(z, q)
        reconstruction = losses.bernoulli_nll(logits, x)
        log_weights = losses.log_weight(z, noise, logvar, reconstruction)
        loss = losses.importance_weighted(log_weights.unflatten(0, (count, -1))).mean()
        self._descend(loss, self.encoder, self.convertor)
        with torch.no_grad():
            return _totals(loss, reconstruction, kl, None, losses.bernoulli_nll(logits, q))

    def _reptile_step(self) -> Tensor:
        """Take some steps on one batch, and then go a part of their way (algorithm 2)."""
        before = [parameter.detach().clone() for parameter in self.model.parameters()]
        x, q = self._sample()
        totals = torch.stack([self._vae_step(x, q) for _ in range(self.config.inner_steps)])
        interpolate(self.model, before, self.config.meta_step_size)
        return totals.mean(0)

    def _adversarial_step(self, x: Tensor, q: Tensor) -> Tensor:
        """Take the encoder's step, then the convertor's with the new encoder (algorithm 1)."""
        self._encoder_step(x, q)
        return self._convertor_step(x, q)

    def _reg_weight(self) -> float:
        return self.config.reg_weight if self.config.objective == "lmvae" else 0.0

    def _generated(self, x: Tensor, q: Tensor, drawing: Tensor) -> list[Tensor]:
        """List converted drawings and, for IntroVAE, drawings by rules of the prior.

        Args:
            x: The targets, whose number alone counts.
            q: The conditions.
            drawing: What was converted by the posterior's rules.
        """
        generated = [drawing]
        if self.config.objective == "introvae":
            shape = (len(x), self.config.model.size, self.config.model.latent_per_row)
            none = torch.zeros(shape, device=self.device)
            generated.append(self._convert(self._sampled(none, none), q)[0])
        return generated

    def _encoder_step(self, x: Tensor, q: Tensor) -> None:
        """Let the encoder descend eq. 11, or eq. 6; the convertor is left as it is."""
        mu, logvar = self._encode(x, q)
        drawing, logits = self._convert(self._sampled(mu, logvar), q)
        generated = [image.detach() for image in self._generated(x, q, drawing)]
        loss = losses.encoder_loss(
            losses.kl_divergence(mu, logvar),
            [losses.kl_divergence(*self._encode(image, q)) for image in generated],
            losses.bernoulli_nll(logits, x),
            losses.bernoulli_nll(logits, q),
            margin=self.config.margin,
            adversarial_weight=self.config.adversarial_weight,
            reg_weight=self._reg_weight(),
        ).mean()
        self._descend(loss, self.encoder)

    def _convertor_step(self, x: Tensor, q: Tensor) -> Tensor:
        """Let the convertor descend eq. 12, or eq. 7, through the encoder, which is left as it is.

        The forward pass is made anew, as algorithm 1 does, since the encoder has changed.
        """
        with torch.no_grad():
            mu, logvar = self._encode(x, q)
        kl = losses.kl_divergence(mu, logvar)
        drawing, logits = self._convert(self._sampled(mu, logvar), q)
        generated = self._generated(x, q, drawing)
        kl_generated = [losses.kl_divergence(*self._encode(image, q)) for image in generated]
        reconstruction, regulariser = (
            losses.bernoulli_nll(logits, x),
            losses.bernoulli_nll(logits, q),
        )
        loss = losses.convertor_loss(
            kl,
            kl_generated,
            reconstruction,
            regulariser,
            adversarial_weight=self.config.adversarial_weight,
            reg_weight=self._reg_weight(),
        ).mean()
        self._descend(loss, self.convertor)
        return _totals(loss.detach(), reconstruction, kl, kl_generated[0], regulariser)

    @torch.no_grad()
    def _kl_converted(self) -> float:
        """Measure KL of converted drawings in phases that do not train on it; change nothing."""
        generator = torch.Generator(self.device).manual_seed(self.step)
        x, q = self._unmoved(KL_PAIRS, generator)
        mu, logvar = self._encode(x, q)
        noise = torch.randn(mu.shape, generator=generator, device=self.device)
        drawing, _ = self._convert(reparameterise(mu, logvar, noise), q)
        return float(losses.kl_divergence(*self._encode(drawing, q)).mean())

    @torch.inference_mode()
    def _prior(self) -> dict[str, Tensor]:
        """Measure the Gaussian of rules read off `PRIOR_PAIRS` pairs; change nothing."""
        generator = torch.Generator(self.device).manual_seed(self.config.seed)
        pairs = self._unmoved(PRIOR_PAIRS, generator)
        parts = zip(*(torch.split(part, PRIOR_BATCH) for part in pairs), strict=True)
        mu, logvar = zip(*(self._encode(x, q) for x, q in parts), strict=True)
        return prior.measure(torch.cat(mu), torch.cat(logvar))

    def _check(self, report: Report, steps: int) -> None:
        """Raise DivergedError if the training has failed, by a report of so many steps."""
        finite = torch.stack([value.isfinite().all() for value in self.model.parameters()]).all()
        if not finite or not all(map(math.isfinite, report.terms.values())):
            raise DivergedError(
                f"a loss is not a number at step {report.step}",
                hint="a smaller learning rate, or another seed, may help",
            )
        wrong = report.phase == "lmvae" and report.terms["kl"] > report.terms["kl_converted"]
        self.collapsing = self.collapsing + steps if wrong and self.config.adversarial else 0
        if self.collapsing >= COLLAPSED:
            raise DivergedError(
                f"KL of real drawings stays above that of converted ones at step {report.step}",
                hint="give the phase before more steps, or use another margin",
            )

    def weights(self) -> Weights:
        """Return the networks as they are now, with the distribution of the rules they read."""
        state = self.model.state_dict()
        state |= {f"prior.{name}": value for name, value in self._prior().items()}
        tensors = {name: value.cpu().contiguous().numpy() for name, value in state.items()}
        return Weights(self.config.model, tensors, self.framing)


def _totals(
    loss: Tensor, reconstruction: Tensor, kl: Tensor, kl_converted: Tensor | None, reg: Tensor
) -> Tensor:
    """Put the `TERMS` of one step into a tensor, so that nothing is read back before a report."""
    converted = torch.zeros_like(kl) if kl_converted is None else kl_converted
    means = [term.detach().mean() for term in (loss, reconstruction, kl, converted, reg)]
    return torch.stack(means)
