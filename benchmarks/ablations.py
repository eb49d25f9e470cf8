"""Ablations: short runs of equal pairs and seed, each of which differs from the base in one factor.

python benchmarks/ablations.py --data omniglot/ --out runs/ablations [NAME ...]

It writes a row, a picture and weights for each run, and goes on where it was stopped;
`results.jsonl` holds the rows. Without names it runs all, some six minutes each on one core.
"""

import argparse
import dataclasses
import json
import time
from pathlib import Path

import torch
from torch import Tensor

from vce_models import weights
from vce_models.config import TrainConfig
from vce_models.datasets import drawings
from vce_models.datasets.drawings import Characters
from vce_models.errors import DivergedError
from vce_models.evaluation import critics, likelihood, quality, transfer
from vce_models.evaluation.quality import Quality
from vce_models.glyphs import sheets
from vce_models.networks.prior import Prior
from vce_models.networks.vce import VCE
from vce_models.recipes import RECIPES
from vce_models.training import curves
from vce_models.training.augmentation import dihedral
from vce_models.training.trainer import Trainer

PAIRS = 112_000
"""How many pairs each run is trained on: one hundredth of the paper's training."""


def changed(
    model: dict[str, object] | None = None, recipe: str = "compact", **train: object
) -> TrainConfig:
    """Change some fields of a recipe, and scale it to `PAIRS`."""
    base = RECIPES[recipe]
    config = dataclasses.replace(base, model=dataclasses.replace(base.model, **(model or {})))
    config = dataclasses.replace(config, **train)
    return config.scaled(PAIRS // (config.episodes * config.support))


def binary(model: dict[str, object] | None = None, **train: object) -> TrainConfig:
    """Change some fields of the recipe for binary images, without its last phase."""
    return changed(model, "likelihood", lmvae_steps=0, lmvae_learning_rate=0.0, **train)


def phases(pretrain: int, vae: int, lmvae: int, **train: object) -> TrainConfig:
    """Divide the steps of the base among the phases in these proportions."""
    return changed(pretrain_steps=pretrain, vae_steps=vae, lmvae_steps=lmvae, **train)


RENDERS = {"kl_weight": 6.0, "kl_span": 0.8, "alignment_weight": 0.0}
"""Settings for convertors that render pixels themselves, which first learn from the condition."""

FACTORS = {
    "base": changed(),
    "wiring edge": changed({"wiring": "edge"}, **RENDERS),
    "wiring rows": changed({"wiring": "rows"}, **RENDERS),
    "wiring plane": changed({"wiring": "plane"}, **RENDERS),
    "wiring modulation": changed({"wiring": "modulation"}, **RENDERS),
    "6 control points": changed({"control": 6}),
    "14 control points": changed({"control": 14}),
    "8 blocks": changed({"blocks": 8}),
    "relu": changed({"activation": "relu"}),
    "full resolution": changed({"unshuffle": 1}),
    "KL weight 1 throughout": changed(kl_weight=1.0),
    "KL weight 6 to 1": changed(kl_weight=6.0),
    "KL weight to 0.3": changed(final_kl_weight=0.3),
    "no alignment": changed(alignment_weight=0.0),
    "no augmentation": changed(augmentation="none"),
    "warped": changed(augmentation="warp"),
    "4 episodes of 8": changed(episodes=4, support=8),
    "16 episodes": changed(episodes=16),
    "128 episodes": changed(episodes=128),
    "learning rate 3e-3": changed(learning_rate=3e-3),
    "learning rate 5e-4": changed(learning_rate=5e-4),
    "halvings": changed(schedule="halvings"),
    "Reptile first": phases(1, 19, 0),
    "IntroVAE last": phases(0, 3, 1, objective="introvae"),
    "LMVAE last": phases(0, 3, 1, objective="lmvae", reg_weight=0.0),
    "LMVAE last, regularised": phases(0, 3, 1, objective="lmvae"),
    "half across": changed(kl_weight=1.0),
    "all across": changed(kl_weight=1.0),
    "binary": binary(),
    "binary, wiring deformation": binary({"wiring": "deformation"}, alignment_weight=2.0),
    "binary, not warped": binary(augmentation="dihedral"),
    "binary, learning rate 1.2e-3": binary(learning_rate=1.2e-3),
    "binary, 16 episodes": binary(episodes=16),
    "binary, 64 channels": binary({"channels": 64}),
    "binary, full resolution": binary({"unshuffle": 1}),
}


TEMPERATURES = {f"temperature {t}": t for t in (0.5, 0.75, 1.0, 1.25)}
"""Temperatures of rules that are sampled for the shipped weights; nothing is trained."""

ACROSS = {"half across": 0.5, "all across": 1.0}
"""Shares of the pairs whose rules are read off another character by the same two people."""


class Across(Trainer):
    """Reads a share of the rules off another character of the alphabet, by the same people.

    Drawings of a character stand in the order of the people who made them, as in Omniglot.
    """

    def __init__(self, config: TrainConfig, characters: Characters, share: float) -> None:
        super().__init__(config, characters)
        self.share = share
        alphabets = [name.rpartition("/")[0] for name in characters.names]
        self.first = torch.tensor([alphabets.index(name) for name in alphabets])
        self.count = torch.tensor([alphabets.count(name) for name in alphabets])
        self.people = int(self.episodes.counts.min())

    def _sample(self) -> tuple[Tensor, Tensor]:
        def uniform(*shape: int) -> Tensor:
            return torch.rand(pairs, *shape, generator=self.generator)

        pairs, starts = self.config.episodes * self.config.support, self.episodes.starts
        chosen = (uniform() * len(starts)).long()
        people = uniform(self.people).argsort(1)[:, :2]
        first, count = self.first[chosen], self.count[chosen]
        step = 1 + (uniform() * (count - 1)).long()
        other = first + (chosen - first + step) % count
        read = torch.where(uniform() < self.share, other, chosen)
        drawings = torch.cat((starts[chosen, None] + people, starts[read, None] + people), 1)
        images = self.episodes.images[drawings.flatten(), 0].unflatten(0, (pairs, 4))
        x, q, *self.read = dihedral(*[images.float() / 255] * 2, self.generator)[0].split(1, dim=1)
        self.pair = x, q
        return x, q

    def _encode(self, x: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        return super()._encode(*(self.read if x is self.pair[0] else (x, q)))


def judge(model: VCE, test: Characters) -> Quality:
    """Measure recognisability and diversity by the shipped critics."""
    samples = quality.conversions(model, test, seed=0)
    return quality.judge(samples, test, critics.load(), seed=0)


def run(name: str, folder: Path, picture: Path) -> dict[str, float]:
    """Train one run and measure it; its weights are kept beside the picture."""
    config = FACTORS[name]
    split = drawings.load(folder, config.model, magnification=config.magnification)
    share = ACROSS.get(name)
    trainer = Across(config, split.train, share) if share else Trainer(config, split.train)
    begun = time.monotonic()
    while trainer.step < config.steps:
        trainer.advance(500)
    seconds = time.monotonic() - begun
    trained = trainer.weights()
    weights.save(picture.with_suffix(".safetensors"), trained)
    model = likelihood.from_weights(trained)
    figures = likelihood.evaluate(
        model, split.test, targets=2, importance_samples=1, seed=0, binarise=False
    )
    judged = judge(model, split.test)
    moved = transfer.measure(model, split.test, trials=4000, seed=0)
    sheets.save_png(curves.render_conversions(trained, split.test, 0), picture)
    model.prior.load_state_dict(Prior(config.model).state_dict())
    unmeasured = judge(model, split.test)
    return {
        "seconds": round(seconds),
        "nelbo": round(figures.nelbo.mean, 2),
        "kl": round(figures.kl.mean, 2),
        "recognisability": round(judged.recognisability.value, 3),
        "diversity": round(judged.diversity.value, 3),
        "recognisability at N(0, I)": round(unmeasured.recognisability.value, 3),
        "diversity at N(0, I)": round(unmeasured.diversity.value, 3),
        "entropy": round(judged.entropy.value, 1),
        "transfer": round(moved.transferred.value, 3),
    }


def temper(name: str, folder: Path) -> dict[str, float]:
    """Judge the shipped weights by rules nearer to the middle, or farther from it."""
    model = likelihood.from_weights(weights.load())
    model.prior.scale *= TEMPERATURES[name]
    judged = judge(model, drawings.load(folder, model.config).test)
    return {
        "recognisability": round(judged.recognisability.value, 3),
        "diversity": round(judged.diversity.value, 3),
        "entropy": round(judged.entropy.value, 1),
    }


def main() -> None:
    """Run what is asked for and not done yet."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    everything = [*FACTORS, *TEMPERATURES]
    if unknown := set(options.names) - set(everything):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(everything)}")
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    results = options.out / "results.jsonl"
    lines = results.read_text().splitlines() if results.exists() else []
    done = {json.loads(line)["name"] for line in lines}
    for name in options.names or everything:
        if name in done:
            continue
        picture = options.out / f"{name.replace(' ', '-')}.png"
        try:
            if name in TEMPERATURES:
                row = temper(name, options.data)
            else:
                row = run(name, options.data, picture)
        except DivergedError as error:  # that is a result, too
            row = {"error": str(error)}
        with results.open("a") as file:
            file.write(json.dumps({"name": name, **row}) + "\n")
        print(name, row, flush=True)


if __name__ == "__main__":
    main()
