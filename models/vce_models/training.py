"""Algorithms 1 and 2 of Li et al. 2020, the three phases, and checkpoints that resume exactly."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from vce_models import losses
from vce_models.config import TrainConfig
from vce_models.data import Characters
from vce_models.episodes import Episodes
from vce_models.errors import DivergedError, VCEError, WeightsError
from vce_models.files import replacing
from vce_models.networks import VCE, reparameterise
from vce_models.weights import Weights

FORMAT = "vce checkpoint 1"
TERMS = ("loss", "reconstruction", "kl", "kl_converted", "regulariser")
PATIENCE = 2000
"""Steps in a row with KL of real drawings above that of converted ones: a collapse."""


@dataclass(frozen=True)
class Report:
    """Means of the last steps: `terms` in nats, by the names of `TERMS`."""

    step: int
    phase: str
    learning_rate: float
    kl_weight: float
    terms: dict[str, float]


class Trainer:
    """One training run: networks, their optimisers, random state and the step reached.

    Args:
        config: The whole run.
        characters: To train on.
        device: `cpu` or `cuda`.
    """

    def __init__(self, config: TrainConfig, characters: Characters, device: str = "cpu") -> None:
        self.config = config
        self.device = torch.device(device)
        self.episodes = Episodes(characters, self.device)
        self.step = 0
        self.collapsing = 0
        self.generator = torch.Generator(self.device).manual_seed(config.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model = VCE(config.model)
        self.model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        rate = config.learning_rate
        self.encoder = torch.optim.Adam(self.model.encoder.parameters(), rate, fused=True)
        self.convertor = torch.optim.Adam(self.model.convertor.parameters(), rate, fused=True)

    def advance(self, steps: int, stop: Callable[[], bool] = lambda: False) -> Report:
        """Train at most `steps` steps, within one phase, and say how they went.

        Args:
            steps: 1 or more.
            stop: Asked after every step; whether to return early.

        Raises:
            DivergedError: A loss is no number, or the encoder has long told real
                drawings from converted ones the wrong way round.
        """
        phase = self.config.phase(self.step)
        totals = torch.zeros(len(TERMS), device=self.device)
        first = self.step
        while self.step < min(first + steps, self.config.steps):
            if self.config.phase(self.step) != phase:
                break
            rate = self.config.learning_rate_at(self.step)
            for optimiser in (self.encoder, self.convertor):
                for group in optimiser.param_groups:
                    group["lr"] = rate
            if phase == "pretrain":
                totals += self._reptile_step()
            elif phase == "vae" or self.config.objective == "vae":
                totals += self._vae_step(*self._sample())
            else:
                totals += self._adversarial_step(*self._sample())
            self.step += 1
            if stop():
                break
        terms = dict(zip(TERMS, (totals / (self.step - first)).tolist(), strict=True))
        if phase != "lmvae" or self.config.objective == "vae":
            terms["kl_converted"] = self._kl_converted()
        report = Report(self.step, phase, rate, self.config.kl_weight_at(self.step - 1), terms)
        self._check(report, self.step - first)
        return report

    def _sample(self) -> tuple[Tensor, Tensor]:
        return self.episodes.sample(self.config.episodes, self.config.support, self.generator)

    def _autocast(self) -> torch.autocast:
        enabled = self.config.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def _encode(self, x: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        with self._autocast():
            mu, logvar = self.model.encoder(x, q)
        return mu, logvar

    def _convert(self, z: Tensor, q: Tensor) -> Tensor:
        with self._autocast():
            logits: Tensor = self.model.convertor(z, q)
        return logits

    def _vae_step(self, x: Tensor, q: Tensor) -> Tensor:
        """Eqs. 4-5: both networks descend the same loss, so one backward pass serves both."""
        mu, logvar = self._encode(x, q)
        logits = self._convert(reparameterise(mu, logvar, self.generator), q)
        kl = losses.kl_divergence(mu, logvar)
        reconstruction = losses.bernoulli_nll(logits, x)
        loss = losses.vae(kl, reconstruction, self.config.kl_weight_at(self.step)).mean()
        self.encoder.zero_grad()
        self.convertor.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.encoder.step()
        self.convertor.step()
        with torch.no_grad():
            return _totals(loss, reconstruction, kl, None, losses.bernoulli_nll(logits, q))

    def _reptile_step(self) -> Tensor:
        """Algorithm 2: some steps on one episode, then part of the way they went."""
        before = [parameter.detach().clone() for parameter in self.model.parameters()]
        x, q = self._sample()
        totals = torch.stack([self._vae_step(x, q) for _ in range(self.config.inner_steps)])
        interpolate(self.model, before, self.config.meta_step_size)
        return totals.mean(0)

    def _adversarial_step(self, x: Tensor, q: Tensor) -> Tensor:
        """Algorithm 1: the encoder's step, then the convertor's with the new encoder."""
        self._encoder_step(x, q)
        return self._convertor_step(x, q)

    def _reg_weight(self) -> float:
        return self.config.reg_weight if self.config.objective == "lmvae" else 0.0

    def _generated(self, x: Tensor, q: Tensor, logits: Tensor) -> list[Tensor]:
        """Converted drawings, and for IntroVAE drawings by rules of the prior, too."""
        generated = [logits.sigmoid()]
        if self.config.objective == "introvae":
            shape = (len(x), self.config.model.size, self.config.model.latent_per_row)
            z = torch.randn(shape, generator=self.generator, device=self.device)
            generated.append(self._convert(z, q).sigmoid())
        return generated

    def _encoder_step(self, x: Tensor, q: Tensor) -> None:
        """Eq. 11, or 6; the convertor is left as it is."""
        mu, logvar = self._encode(x, q)
        logits = self._convert(reparameterise(mu, logvar, self.generator), q)
        generated = [image.detach() for image in self._generated(x, q, logits)]
        loss = losses.encoder_loss(
            losses.kl_divergence(mu, logvar),
            [losses.kl_divergence(*self._encode(image, q)) for image in generated],
            losses.bernoulli_nll(logits, x),
            losses.bernoulli_nll(logits, q),
            margin=self.config.margin,
            adversarial_weight=self.config.adversarial_weight,
            reg_weight=self._reg_weight(),
        ).mean()
        self.encoder.zero_grad()
        loss.backward(inputs=list(self.model.encoder.parameters()))  # type: ignore[no-untyped-call]
        self.encoder.step()

    def _convertor_step(self, x: Tensor, q: Tensor) -> Tensor:
        """Eq. 12, or 7, through the encoder; the encoder is left as it is.

        The forward pass is made anew, as algorithm 1 does: the encoder has changed.
        """
        with torch.no_grad():
            mu, logvar = self._encode(x, q)
        kl = losses.kl_divergence(mu, logvar)
        logits = self._convert(reparameterise(mu, logvar, self.generator), q)
        kl_generated = [
            losses.kl_divergence(*self._encode(image, q)) for image in self._generated(x, q, logits)
        ]
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
        self.convertor.zero_grad()
        loss.backward(inputs=list(self.model.convertor.parameters()))  # type: ignore[no-untyped-call]
        self.convertor.step()
        return _totals(loss.detach(), reconstruction, kl, kl_generated[0], regulariser)

    @torch.no_grad()
    def _kl_converted(self) -> float:
        """KL of converted drawings, in phases that do not train on it; leaves no trace."""
        generator = torch.Generator(self.device).manual_seed(self.step)
        x, q = self.episodes.sample(1, self.config.support, generator)
        logits = self._convert(reparameterise(*self._encode(x, q), generator), q)
        return float(losses.kl_divergence(*self._encode(logits.sigmoid(), q)).mean())

    def _check(self, report: Report, steps: int) -> None:
        finite = torch.stack([value.isfinite().all() for value in self.model.parameters()]).all()
        if not finite or not all(map(math.isfinite, report.terms.values())):
            raise DivergedError(
                f"a loss is not a number at step {report.step}",
                hint="a smaller learning rate, or another seed, may help",
            )
        wrong = report.phase == "lmvae" and report.terms["kl"] > report.terms["kl_converted"]
        self.collapsing = self.collapsing + steps if wrong and self.config.objective != "vae" else 0
        if self.collapsing >= PATIENCE:
            raise DivergedError(
                f"KL of real drawings stays above that of converted ones at step {report.step}",
                hint="give the phase before more steps, or use another margin",
            )

    def weights(self) -> Weights:
        """The networks as they are now."""
        state = self.model.state_dict()
        tensors = {name: value.cpu().contiguous().numpy() for name, value in state.items()}
        return Weights(self.config.model, tensors)

    def save(self, path: Path) -> None:
        """Write everything that `load` needs, whole or not at all."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        for name, optimiser in self._optimisers().items():
            for i, state in optimiser.state_dict()["state"].items():
                tensors |= {f"{name}.{i}.{key}": value for key, value in state.items()}
        tensors["generator"] = self.generator.get_state()
        tensors = {name: value.cpu().contiguous() for name, value in tensors.items()}
        settings = json.loads(self.config.to_json())
        state = {"config": settings, "step": self.step, "collapsing": self.collapsing}
        with replacing(path) as temporary:
            temporary.write_bytes(save(tensors, {FORMAT: json.dumps(state)}))

    def _optimisers(self) -> dict[str, torch.optim.Adam]:
        return {"encoder_adam": self.encoder, "convertor_adam": self.convertor}

    @classmethod
    def load(cls, path: Path, characters: Characters, device: str = "cpu") -> Trainer:
        """Go on exactly where `save` was called.

        Raises:
            WeightsError: The checkpoint is missing, damaged or of another kind.
        """
        try:
            with safe_open(path, framework="pt", device="cpu") as file:
                saved = json.loads((file.metadata() or {})[FORMAT])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            trainer = cls(TrainConfig.from_dict(saved["config"]), characters, device)
            trainer.step, trainer.collapsing = int(saved["step"]), int(saved["collapsing"])
            trainer._restore(tensors)
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

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.model.load_state_dict(_under("model", tensors))
        self.generator.set_state(tensors["generator"])
        for name, optimiser in self._optimisers().items():
            parameters = optimiser.param_groups[0]["params"]
            state: dict[int, dict[str, Tensor]] = {}
            for key, value in _under(name, tensors).items():
                number, term = key.split(".")
                if value.ndim:  # fused Adam wants its moments laid out as the parameter is
                    value = torch.empty_like(parameters[int(number)]).copy_(value)
                state.setdefault(int(number), {})[term] = value
            optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


@torch.no_grad()
def interpolate(model: nn.Module, before: list[Tensor], meta_step_size: float) -> None:
    """Set phi + alpha (phi' - phi): algorithm 2, line 10; phi is `before`, phi' the model's."""
    for parameter, old in zip(model.parameters(), before, strict=True):
        if meta_step_size < 1:  # at 1 the sum would round where nothing is to change
            parameter.copy_(old + meta_step_size * (parameter - old))


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    cut = len(prefix) + 1
    return {name[cut:]: value for name, value in tensors.items() if name.startswith(f"{prefix}.")}


def _totals(
    loss: Tensor, reconstruction: Tensor, kl: Tensor, kl_converted: Tensor | None, reg: Tensor
) -> Tensor:
    """The `TERMS` of one step, as one tensor: nothing is read back before a report."""
    converted = torch.zeros_like(kl) if kl_converted is None else kl_converted
    means = [term.detach().mean() for term in (loss, reconstruction, kl, converted, reg)]
    return torch.stack(means)
