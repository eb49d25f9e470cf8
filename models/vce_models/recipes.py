"""Named training runs. Each says its command, its time and what to expect of it."""

from __future__ import annotations

from vce_models.config import ModelConfig, TrainConfig

RECIPES: dict[str, TrainConfig] = {
    # vce train --data omniglot/
    # The paper's run: 600,000 steps of one episode of 19 pairs at 28x28. The authors took
    # half a day on a GTX 1070 Ti. Its wiring hardly trains in short runs.
    "paper": TrainConfig(),
    # vce train --data omniglot/ --recipe compact
    # Half resolution, the rule as modulation, and the condition first: the KL weight falls
    # from 6 to 1. 32 pairs a step, each of another character: at equal pairs that scored
    # 134 nats where 4 episodes of 19 scored 146. No Reptile and no large-margin phase.
    "compact": TrainConfig(
        model=ModelConfig(wiring="modulation", unshuffle=2),
        pretrain_steps=0,
        vae_steps=40_000,
        lmvae_steps=0,
        objective="vae",
        episodes=32,
        support=1,
        learning_rate=1.5e-3,
        schedule="cosine",
        kl_weight=6.0,
        precision="bfloat16",
    ),
}
