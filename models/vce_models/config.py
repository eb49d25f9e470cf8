"""Every setting of the model and of its training, as frozen dataclasses.

The defaults are the numbers of Li, Han and Xing 2020 (section 4). Where the
paper gives none, the docstring says so.
"""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from vce_models.errors import ConfigError

Resize = Literal["box", "bilinear", "subsample"]
Wiring = Literal["edge", "rows", "plane", "modulation", "deformation"]
Activation = Literal["relu", "silu"]
Objective = Literal["lmvae", "introvae", "vae", "iwae"]
Phase = Literal["pretrain", "vae", "lmvae"]
Augmentation = Literal["none", "dihedral", "warp"]
Schedule = Literal["halvings", "cosine"]
Precision = Literal["float32", "bfloat16"]

PAPERS = ("a4", "letter")
"""The papers of templates, whose bands hold the place of one in this order."""

LARGEST = 512
"""Longest side of any drawing, in pixels."""

MAX_SEED = 2**63 - 1
"""The greatest seed that PyTorch takes as a signed number."""

MAGNIFICATION = 4
"""How many times as large as the model's images the drawings are that `warp` deforms."""


@dataclass(frozen=True)
class _Config:
    """Checks of every value, and JSON, for the two config classes."""

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self))
        for item in dataclasses.fields(self):
            value, hint = getattr(self, item.name), hints[item.name]
            if typing.get_origin(hint) is Literal:
                choices = typing.get_args(hint)
                if value not in choices:
                    raise ConfigError(f"{item.name} is {value!r}", hint=f"use one of {choices}")
                continue
            if hint is float and type(value) is int and abs(value) < 2**63:
                value = float(value)
                object.__setattr__(self, item.name, value)
            if hint in (int, float, bool) and type(value) is not hint:
                raise ConfigError(f"{item.name} is {value!r}, not of type {hint.__name__}")
            low, high = item.metadata.get("range", (None, None))
            if low is not None and not low <= value <= high:
                raise ConfigError(f"{item.name} is {value}, outside {low} to {high}")

    def to_json(self) -> str:
        """Write the config as a JSON object."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; unknown, missing and bad keys raise ConfigError."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"the config is not JSON: {error}") from error
        return cls.from_dict(values)

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Build the config from plain values.

        Raises:
            ConfigError: A key is unknown or missing, or a value is not allowed. Keys that came
                with later versions may be missing.
        """
        if not isinstance(values, dict):
            raise ConfigError("the config is not a JSON object")
        items = dataclasses.fields(cls)
        names = {item.name for item in items}
        later = {item.name for item in items if item.metadata.get("later")}
        unknown, missing = values.keys() - names, names - later - values.keys()
        for word, keys in (("unknown", unknown), ("missing", missing)):
            if keys:
                raise ConfigError(f"the config has {word} keys: {', '.join(sorted(keys))}")
        return cls(**values)


def _between(default: Any, low: float, high: float, *, later: bool = False) -> Any:
    """Make a field with a default and a range, both ends of which are allowed.

    `later` marks a field that older weights and checkpoints lack; there it has its default.
    """
    return field(default=default, metadata={"range": (low, high), "later": later})


@dataclass(frozen=True)
class ModelConfig(_Config):
    """What the networks look like, and what images they take; saved with the weights.

    Attributes:
        size: Side of the square images, an even number of pixels.
        resize: How images come to that size: `box` (grey, area average), `bilinear` (grey,
            Pillow's filter, which is wider) or `subsample` (binary,
            `x[floor(3.75 i), floor(3.75 j)]` of a 105-pixel drawing).
        latent_per_row: Latent numbers for each row of the image.
        channels: Feature maps of every hidden convolution.
        blocks: Residual blocks in each network.
        activation: What stands between convolutions. The paper names none; its references
            use `relu`.
        wiring: How the rule enters the convertor; see `wirings` and, for `deformation`, which
            moves the condition's ink, the module of that name. The paper's is `edge`.
        unshuffle: 1 works on pixels, as the paper does; 2 works on 2x2 pixels folded into
            channels, which takes a quarter of the arithmetic.
        control: Control points of a `deformation`, along each side.
        condition: Whether the networks see the condition. Without it they are a VAE of drawings,
            of the same trunks: the unconditional one of the paper's Table 1.
    """

    size: int = _between(28, 4, LARGEST)
    resize: Resize = "box"
    latent_per_row: int = _between(2, 1, 64)
    channels: int = _between(32, 1, 1024)
    blocks: int = _between(8, 1, 64)
    activation: Activation = "relu"
    wiring: Wiring = "edge"
    unshuffle: int = _between(1, 1, 2)
    control: int = _between(9, 4, 64)
    condition: bool = field(default=True, metadata={"later": True})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size % 2:
            raise ConfigError(f"size is {self.size}", hint="use an even number of pixels")
        if self.wiring == "edge" and self.latent_per_row % 2:
            raise ConfigError(
                f"latent_per_row is {self.latent_per_row} with wiring edge",
                hint="use an even number: half of it stands on either side of a row",
            )
        if self.wiring == "deformation" and not self.condition:
            raise ConfigError(
                "condition is False with wiring deformation, which moves its ink",
                hint="use another wiring",
            )

    @property
    def beside(self) -> tuple[int, int]:
        """Latent numbers on the left and on the right of each row; none unless wiring is `edge`."""
        half = self.latent_per_row // 2
        return (half, half) if self.wiring == "edge" else (0, 0)

    @property
    def latent_size(self) -> int:
        """Numbers in a rule: 56 for 28 rows of two."""
        return self.size * self.latent_per_row


@dataclass(frozen=True)
class TrainConfig(_Config):
    """One training run, from the first step to the last.

    Attributes:
        model: The networks.
        pretrain_steps: Reptile updates, algorithm 2. The paper says "a few epochs".
        vae_steps: Steps of the VAE phase. The paper gives 600,000 for all three phases.
        lmvae_steps: Steps of the large-margin phase, algorithm 1.
        objective: What the last phase minimises: `lmvae` (eqs. 11-12), `introvae`
            (eqs. 6-7), `vae` (eqs. 4-5, as the phase before), or `iwae`, the
            importance-weighted bound of Burda, Grosse and Salakhutdinov 2016.
        importance_samples: Rules sampled for each pair where the objective is `iwae`.
        episodes: Episodes in one step, each a class with its own condition; the paper's is 1.
        support: Drawings paired with the condition in one episode.
        augmentation: `dihedral` turns and mirrors both drawings of a pair alike, by one of
            the eight symmetries of the square. That makes more characters, though of no alphabet.
            `warp` deforms them smoothly before that, from drawings `MAGNIFICATION` times as large.
            The paper has none.
        learning_rate: The learning rate of Adam, before the schedule lets it fall.
        warmup_steps: The steps over which it rises to that. The paper has none.
        clip_norm: Longest gradient of a network, as a Euclidean norm. Longer ones are scaled
            down to it, and far longer ones further. 0 clips nothing, as in the paper.
        schedule: `halvings` divides it by two after 1/2, 2/3 and 5/6 of all steps (the
            paper halves, but its text does not say when); `cosine` lets it fall to zero.
        lmvae_learning_rate: Where the learning rate begins anew in the large-margin phase, to
            fall by a schedule of that phase alone. 0 goes on with the schedule of the whole run,
            as the paper seems to; by a cosine little is then left of it.
        margin: m of eqs. 6, 9 and 11, in nats.
        adversarial_weight: lambda of eqs. 8-12; alpha of eqs. 6-7.
        reg_weight: sigma of eqs. 11-12, the weight of the style regulariser.
        kl_weight: Weight of the KL term at the first step. It goes geometrically to
            `final_kl_weight` over the first steps. The paper's is 1 throughout.
        kl_span: Those first steps, as a share of all steps before the large-margin phase.
        final_kl_weight: Weight of the KL term after them. Below 1, rules tell more than the
            bound of eq. 2 would pay for.
        alignment_weight: Weight at the first step of `losses.alignment`, which shows a
            deformation the way while strokes do not yet overlap. It falls to zero over the
            first three fifths of all steps. The paper has none.
        inner_steps: k of eq. 3, the gradient steps between two Reptile updates. The paper
            gives no number.
        meta_step_size: Reptile's alpha. The paper gives no number.
        precision: The precision of convolutions; weights and losses are always float32.
            `bfloat16` is float32, too, where the device has no instructions for it.
        seed: The seed of the initial weights, the episodes and the latent noise.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    pretrain_steps: int = _between(10_000, 0, 10**9)
    vae_steps: int = _between(390_000, 0, 10**9)
    lmvae_steps: int = _between(200_000, 0, 10**9)
    objective: Objective = "lmvae"
    importance_samples: int = _between(5, 1, 1000, later=True)
    episodes: int = _between(1, 1, 4096)
    support: int = _between(19, 1, 4096)
    augmentation: Augmentation = "none"
    learning_rate: float = _between(2e-4, 0.0, 1.0)
    warmup_steps: int = _between(0, 0, 10**9)
    clip_norm: float = _between(0.0, 0.0, 1e9)
    schedule: Schedule = "halvings"
    lmvae_learning_rate: float = _between(0.0, 0.0, 1.0, later=True)
    margin: float = _between(50.0, 0.0, 1e6)
    adversarial_weight: float = _between(0.2, 0.0, 1e3)
    reg_weight: float = _between(0.15, 0.0, 1.0)
    kl_weight: float = _between(1.0, 1e-3, 1e3)
    kl_span: float = _between(0.8, 0.0, 1.0)
    final_kl_weight: float = _between(1.0, 1e-3, 1e3)
    alignment_weight: float = _between(0.0, 0.0, 1e3)
    inner_steps: int = _between(5, 1, 1000)
    meta_step_size: float = _between(0.5, 0.0, 1.0)
    precision: Precision = "float32"
    seed: int = _between(0, 0, MAX_SEED)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps < 1:
            raise ConfigError("there is no step to train", hint="give one phase a step")
        if self.magnification * self.model.size > LARGEST:
            raise ConfigError(
                f"size is {self.model.size} with augmentation warp",
                hint=f"use {LARGEST // MAGNIFICATION} pixels at most",
            )
        if self.augmentation == "warp" and self.model.resize == "bilinear":
            raise ConfigError(
                "resize is 'bilinear' with augmentation warp", hint="use box or subsample"
            )

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Build the config as `_Config.from_dict` does; the model's settings are a dict in it."""
        if isinstance(values, dict) and "model" in values:
            values = {**values, "model": ModelConfig.from_dict(values["model"])}
        return super().from_dict(values)

    @property
    def magnification(self) -> int:
        """How many times as large as the model's images the drawings to train on are."""
        return MAGNIFICATION if self.augmentation == "warp" else 1

    @property
    def adversarial(self) -> bool:
        """Whether the last phase sets the networks against each other."""
        return self.objective in ("lmvae", "introvae")

    @property
    def steps(self) -> int:
        """Steps of all phases."""
        return self.pretrain_steps + self.vae_steps + self.lmvae_steps

    def left(self, step: int) -> dict[Phase, range]:
        """List the numbers of the steps from `step` on, by phase, without phases that are over."""
        middle, last = self.pretrain_steps, self.pretrain_steps + self.vae_steps
        phases: dict[Phase, range] = {
            "pretrain": range(step, middle),
            "vae": range(max(step, middle), last),
            "lmvae": range(max(step, last), self.steps),
        }
        return {phase: steps for phase, steps in phases.items() if steps}

    def phase(self, step: int) -> Phase:
        """Return the phase that a step, counted from 0, belongs to."""
        if step < self.pretrain_steps:
            return "pretrain"
        return "vae" if step < self.pretrain_steps + self.vae_steps else "lmvae"

    def called(self, phase: Phase) -> str:
        """Return what people are told of a phase: the last one is called as its objective."""
        return self.objective if phase == "lmvae" else phase

    def scaled(self, steps: int) -> TrainConfig:
        """Return the same run in `steps` steps.

        Phases and warm-up keep their shares, and a phase keeps at least one step.

        Raises:
            ConfigError: There are fewer steps than phases.
        """
        shares = [self.pretrain_steps, self.vae_steps, self.lmvae_steps]
        if steps < sum(share > 0 for share in shares):
            raise ConfigError(f"{steps} steps do not reach every phase", hint="use more steps")
        counts = [max(1, round(steps * share / self.steps)) if share else 0 for share in shares]
        counts[counts.index(max(counts))] += steps - sum(counts)
        pretrain, vae, lmvae = counts
        warmup = round(steps * self.warmup_steps / self.steps)
        return dataclasses.replace(
            self,
            pretrain_steps=pretrain,
            vae_steps=vae,
            lmvae_steps=lmvae,
            warmup_steps=warmup,
        )

    def learning_rate_at(self, step: int) -> float:
        """Return Adam's learning rate at a step counted from 0."""
        progress = step / self.steps
        rate = self.learning_rate * min(1.0, (step + 1) / max(1, self.warmup_steps))
        if self.lmvae_learning_rate and self.phase(step) == "lmvae":
            progress = (step - self.steps + self.lmvae_steps) / self.lmvae_steps
            rate = self.lmvae_learning_rate
        if self.schedule == "cosine":
            return rate * 0.5 * (1 + math.cos(math.pi * progress))
        return rate * 0.5 ** sum(progress >= at for at in (1 / 2, 2 / 3, 5 / 6))

    def kl_weight_at(self, step: int) -> float:
        """Return the weight of the KL term at a step counted from 0."""
        span = self.kl_span * (self.pretrain_steps + self.vae_steps)
        left = max(0.0, 1 - step / span) if span else 0.0
        return float(self.final_kl_weight * (self.kl_weight / self.final_kl_weight) ** left)

    def alignment_weight_at(self, step: int) -> float:
        """Return the weight of `losses.alignment` at a step counted from 0."""
        return self.alignment_weight * max(0.0, 1 - step / (0.6 * self.steps))
