"""Named training runs. Each says its command, its time and what to expect of it."""

from __future__ import annotations

from vce_models.config import ModelConfig, TrainConfig

DEFAULT = "compact"
"""The name of the recipe that is taken by default."""

RECIPES: dict[str, TrainConfig] = {
    # vce train --data omniglot/
    # 48 minutes on one core with AVX-512 and bfloat16. Negative ELBO 112 on grey BOX images,
    # recognisability 0.99 at 1.03 of people's diversity: vce_models/pretrained/README.md.
    # The rule moves the condition's ink, at half resolution. 32 pairs a step, each of another
    # character: at equal pairs that taught more than 4 episodes of 19.
    "compact": TrainConfig(
        model=ModelConfig(blocks=4, activation="silu", wiring="deformation", unshuffle=2),
        pretrain_steps=0,
        vae_steps=36_000,
        lmvae_steps=0,
        objective="vae",
        episodes=32,
        support=1,
        augmentation="dihedral",
        learning_rate=1.2e-3,
        warmup_steps=300,
        clip_norm=200.0,
        schedule="cosine",
        kl_weight=0.02,
        kl_span=0.3,
        alignment_weight=2.0,
        precision="bfloat16",
    ),
    # vce train --data omniglot/ --recipe likelihood
    # Two and a quarter hours on one such core. On GMN's binary images, one shot, negative ELBO 92.9
    # and NLL 79.7 nats by 1,000 samples; before the last phase 91.2 and 82.4. A convertor that
    # makes pixels anew, and as many characters as can be made of Omniglot's by deforming them. It
    # converts into other characters: docs/results.md.
    "likelihood": TrainConfig(
        model=ModelConfig(
            resize="subsample", blocks=4, activation="silu", wiring="modulation", unshuffle=2
        ),
        pretrain_steps=0,
        vae_steps=90_000,
        lmvae_steps=20_000,
        objective="iwae",
        episodes=32,
        support=1,
        augmentation="warp",
        learning_rate=2.5e-3,
        lmvae_learning_rate=1e-3,
        warmup_steps=300,
        clip_norm=200.0,
        schedule="cosine",
        precision="bfloat16",
    ),
    # vce train --data omniglot/ --recipe paper
    # The paper's run: 600,000 steps of one episode of 19 pairs at 28x28. The authors took
    # half a day on a GTX 1070 Ti. It was not trained to its end here; docs/results.md says
    # how far these networks have come.
    "paper": TrainConfig(precision="bfloat16"),
}
