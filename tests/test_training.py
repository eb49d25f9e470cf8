import contextlib
import dataclasses
import json
import math
import os
import runpy
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.distributions import Normal
from torch.utils.flop_counter import FlopCounterMode

from vce_models.config import ModelConfig, Objective, TrainConfig
from vce_models.datasets import drawings
from vce_models.datasets.drawings import Characters
from vce_models.datasets.episodes import Episodes
from vce_models.errors import ConfigError, DivergedError, VCEError, WeightsError
from vce_models.glyphs import strokes
from vce_models.networks import losses
from vce_models.recipes import RECIPES
from vce_models.training import checkpoints, curves, optimisers, pace
from vce_models.training.parallel import Processes
from vce_models.training.runs import Run
from vce_models.training.trainer import Trainer

CPUINFO = Path("/proc/cpuinfo")
SMALL = ModelConfig(size=12, channels=8, blocks=2, wiring="modulation", unshuffle=2)
CONFIG = TrainConfig(
    model=SMALL, pretrain_steps=2, vae_steps=3, lmvae_steps=3, support=4, inner_steps=2
)


@pytest.fixture(scope="module")
def characters():
    """Random drawings, no two alike, of four to seven a character."""
    starts = np.cumsum([0, 4, 5, 6, 7])
    images = np.random.default_rng(0).integers(0, 256, (starts[-1], 12, 12), np.uint8)
    return Characters(images, starts, tuple("abcd"))


def run(trainer, steps):
    while trainer.step < steps:
        trainer.advance(min(10, steps - trainer.step))
    return trainer


def state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(before, module):
    return all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_the_condition_is_never_in_its_own_support(characters):
    episodes = Episodes(characters, torch.device("cpu"))
    x, q = episodes.sample(50, 6, torch.Generator().manual_seed(0))
    assert x.shape == q.shape == (300, 1, 12, 12)
    assert not (x == q).flatten(1).all(1).any()


def test_an_episode_is_one_class_and_one_condition(characters):
    episodes = Episodes(characters, torch.device("cpu"))
    known = {image.tobytes(): at for at, image in enumerate(characters.images)}
    classes = np.searchsorted(characters.starts, np.arange(22), side="right") - 1
    x, q = episodes.sample(20, 3, torch.Generator().manual_seed(1))
    numbers = [
        [known[(image.numpy() * 255).round().astype(np.uint8).tobytes()] for image in images]
        for images in (x, q)
    ]
    support, condition = np.array(numbers).reshape(2, 20, 3)
    assert (condition == condition[:, :1]).all()
    assert (classes[support] == classes[condition]).all()
    assert all(len(set(row)) == 3 for row in support.tolist())  # no drawing twice


def test_adversarial_steps_change_one_network_each(characters):
    trainer = Trainer(CONFIG, characters)
    x, q = trainer._sample()
    encoder, convertor = state(trainer.model.encoder), state(trainer.model.convertor)
    trainer._encoder_step(x, q)
    assert same(convertor, trainer.model.convertor)
    assert not same(encoder, trainer.model.encoder)
    encoder = state(trainer.model.encoder)
    trainer._convertor_step(x, q)
    assert same(encoder, trainer.model.encoder)
    assert not same(convertor, trainer.model.convertor)


@pytest.mark.parametrize(
    ("objective", "reg_weight"), [("introvae", 0.0), ("lmvae", 0.15), ("lmvae", 0.0)]
)
def test_adversarial_steps_descend_the_papers_losses(characters, objective, reg_weight):
    """Eqs. 6 and 7, which have drawings by rules of N(0, I) too, and eqs. 11 and 12."""
    config = dataclasses.replace(
        CONFIG, objective=objective, reg_weight=reg_weight, precision="float32", clip_norm=0.0
    )
    trainer = Trainer(config, characters)
    encoder, convertor = trainer.model.encoder, trainer.model.convertor
    x, q = trainer._sample()

    def terms(detached):
        generator = trainer.generator.clone_state()
        mu, logvar = encoder(x, q)
        noise = [torch.randn(mu.shape, generator=generator) for _ in range(2)]
        drawing, logits = convertor(mu + (0.5 * logvar).exp() * noise[0], q)
        generated = [drawing] + [convertor(noise[1], q)[0]] * (objective == "introvae")
        kls = [
            losses.kl_divergence(*encoder(image.detach() if detached else image, q))
            for image in generated
        ]
        regulariser = reg_weight * losses.bernoulli_nll(logits, q)
        reconstruction = (1 - reg_weight) * losses.bernoulli_nll(logits, x)
        return losses.kl_divergence(mu, logvar) + reconstruction + regulariser, kls

    real, kls = terms(detached=True)
    assert all((kl < config.margin).all() for kl in kls)
    loss = real + config.adversarial_weight * sum(config.margin - kl for kl in kls)
    wanted = torch.autograd.grad(loss.mean(), list(encoder.parameters()))
    trainer._encoder_step(x, q)
    for parameter, gradient in zip(encoder.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    real, kls = terms(detached=False)
    loss = real + config.adversarial_weight * sum(kls)
    wanted = torch.autograd.grad(loss.mean(), list(convertor.parameters()))
    trainer._convertor_step(x, q)
    for parameter, gradient in zip(convertor.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


@pytest.mark.parametrize("augmentation", ["none", "dihedral", "warp"])
def test_pairs_are_moved_as_the_config_says(augmentation):
    config = dataclasses.replace(CONFIG, augmentation=augmentation)
    side = config.magnification * SMALL.size
    images = np.random.default_rng(0).integers(0, 256, (12, side, side), np.uint8)
    trainer = Trainer(config, Characters(images, np.array([0, 6, 12]), ("a", "b")))
    x, q = trainer._sample()
    trainer = Trainer(config, Characters(images, np.array([0, 6, 12]), ("a", "b")))
    there = trainer.episodes.sample(config.episodes, config.support, trainer.generator)
    if trainer.warp:
        there = trainer.warp.unmoved(there[0]), trainer.warp.unmoved(there[1])
    unmoved = [torch.equal(one, other) for one, other in zip((x, q), there, strict=True)]
    assert unmoved == [augmentation == "none"] * 2
    # A turned drawing has the pixels of before elsewhere; a warped one has others.
    kept = torch.equal(*(part.flatten(1).sort().values for part in (x, there[0])))
    assert kept == (augmentation != "warp")


def test_reptile_with_step_size_one_gives_the_inner_weights(characters):
    whole = Trainer(dataclasses.replace(CONFIG, meta_step_size=1.0), characters)
    inner = Trainer(CONFIG, characters)
    whole.advance(1)
    x, q = inner._sample()
    for _ in range(CONFIG.inner_steps):
        inner._vae_step(x, q)
    assert same(state(inner.model), whole.model)


def test_reptile_with_step_size_zero_changes_nothing(characters):
    trainer = Trainer(dataclasses.replace(CONFIG, meta_step_size=0.0), characters)
    before = state(trainer.model)
    trainer.advance(2)
    assert same(before, trainer.model)


def test_the_importance_weighted_step_descends_its_bound(characters):
    config = dataclasses.replace(
        CONFIG, objective="iwae", importance_samples=7, precision="float32", clip_norm=0.0
    )
    trainer = Trainer(config, characters)
    encoder, convertor = trainer.model.encoder, trainer.model.convertor
    parameters = [*encoder.parameters(), *convertor.parameters()]
    x, q = trainer._sample()
    generator = trainer.generator.clone_state()
    mu, logvar = encoder(x, q)
    noise = torch.randn((7 * len(mu), *mu.shape[1:]), generator=generator).view(7, *mu.shape)
    weights = []
    for part in noise:
        z = mu + (0.5 * logvar).exp() * part
        nll = losses.bernoulli_nll(convertor(z, q)[1], x)
        prior, posterior = Normal(0.0, 1.0), Normal(mu, (0.5 * logvar).exp())
        weights.append((prior.log_prob(z) - posterior.log_prob(z)).sum((1, 2)) - nll)
    bound = torch.stack(weights).logsumexp(0) - math.log(7)
    wanted = torch.autograd.grad(-bound.mean(), parameters)
    totals = trainer._iwae_step(x, q)
    for parameter, gradient in zip(parameters, wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(totals[0], -bound.mean())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("objective", get_args(Objective))
def test_stopping_at_every_step_changes_no_bit(characters, tmp_path, objective, precision):
    config = dataclasses.replace(CONFIG, objective=objective, precision=precision)
    straight = run(Trainer(config, characters), config.steps)
    path, resumed = tmp_path / "checkpoint.safetensors", Trainer(config, characters)
    for step in range(1, config.steps + 1):
        checkpoints.save(path, run(resumed, step))
        resumed = checkpoints.load(path, characters)
    assert same(state(straight.model), resumed.model)


@pytest.mark.parametrize("wiring", ["edge", "rows", "plane", "modulation", "deformation"])
def test_every_wiring_learns_the_drawings_it_sees(characters, wiring):
    model = dataclasses.replace(SMALL, wiring=wiring)
    config = TrainConfig(
        model=model, pretrain_steps=0, vae_steps=60, lmvae_steps=0, learning_rate=2e-3
    )
    trainer = Trainer(config, characters)
    first = trainer.advance(5).terms["loss"]
    run(trainer, 55)
    assert trainer.advance(5).terms["loss"] < first


def test_the_convertor_uses_the_rule(characters):
    for wiring in ("edge", "rows", "plane", "modulation", "deformation"):
        trainer = Trainer(
            dataclasses.replace(CONFIG, model=dataclasses.replace(SMALL, wiring=wiring)), characters
        )
        z = torch.randn(2, 12, 2, generator=torch.Generator().manual_seed(0))
        q = torch.zeros(2, 1, 12, 12)
        q[..., 3:6, 3:9] = 1
        drawn, _ = trainer.model.convertor(z, q)
        assert not torch.equal(drawn[0], drawn[1])


def test_a_model_without_a_condition_learns_drawings(characters):
    model = dataclasses.replace(SMALL, condition=False)
    config = TrainConfig(
        model=model, pretrain_steps=0, vae_steps=60, lmvae_steps=0, learning_rate=2e-3
    )
    trainer = Trainer(config, characters)
    x, q = trainer._unmoved(8, torch.Generator().manual_seed(0))
    assert torch.equal(trainer.model.encoder(x, q)[0], trainer.model.encoder(x, x)[0])
    first = trainer.advance(5).terms["loss"]
    run(trainer, 55)
    assert trainer.advance(5).terms["loss"] < first


@pytest.mark.parametrize("objective", get_args(Objective))
def test_how_long_a_run_takes_is_found_out_without_a_trace(characters, objective):
    config = dataclasses.replace(CONFIG, objective=objective)
    straight, asked = Trainer(config, characters), Trainer(config, characters)
    for step in range(1, config.steps + 1):
        assert pace.seconds_left(asked) > 0
        assert asked.advance(1) == straight.advance(1)
        assert asked.step == step
    assert same(state(straight.model), asked.model)
    assert pace.seconds_left(asked) == 0


def test_the_time_that_is_told_is_that_of_all_phases(characters, monkeypatch):
    """The clock counts arithmetic, so that other work on the processor changes nothing."""
    steps = {"pretrain_steps": 20, "vae_steps": 60, "lmvae_steps": 60}
    trainer = Trainer(dataclasses.replace(CONFIG, **steps), characters)
    with FlopCounterMode(display=False) as counter:
        with monkeypatch.context() as patched:
            patched.setattr(time, "perf_counter", counter.get_total_flops)
            told = pace.seconds_left(trainer)
        rehearsed = counter.get_total_flops()
        run(trainer, trainer.config.steps)
        assert told <= counter.get_total_flops() - rehearsed <= 1.2 * told  # reports come on top


def test_a_loss_that_is_no_number_stops_the_run(characters):
    trainer = Trainer(CONFIG, characters)
    with torch.no_grad():
        next(trainer.model.convertor.parameters()).fill_(float("nan"))
    with pytest.raises(DivergedError, match="not a number at step 1"):
        trainer.advance(1)


def test_a_collapse_stops_the_run(characters, monkeypatch):
    """Without a margin nothing holds the KL of converted drawings above that of real ones."""
    monkeypatch.setattr("vce_models.training.trainer.COLLAPSED", 30)
    config = dataclasses.replace(
        CONFIG, pretrain_steps=0, vae_steps=1, lmvae_steps=3000, margin=0.0, adversarial_weight=50.0
    )
    trainer = Trainer(config, characters)
    with pytest.raises(DivergedError, match="KL of real drawings stays above"):
        run(trainer, config.steps)


def test_stop_ends_after_the_step_under_way(characters):
    trainer = Trainer(CONFIG, characters)
    assert trainer.advance(2, stop=lambda: True).step == 1


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_a_damaged_checkpoint_is_refused(characters, tmp_path, content):
    path = tmp_path / "checkpoint.safetensors"
    checkpoints.save(path, Trainer(CONFIG, characters))
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    with pytest.raises(WeightsError, match="is not a checkpoint of vce"):
        checkpoints.load(path, characters)


def kept(characters, tmp_path, config=CONFIG, steps=3):
    """A checkpoint, its metadata and its tensors."""
    path = tmp_path / "checkpoint.safetensors"
    checkpoints.save(path, run(Trainer(config, characters), steps))
    with safe_open(path, framework="pt") as file:
        return path, json.loads(file.metadata()[checkpoints.FORMAT]), load_file(path)


def test_a_checkpoint_is_looked_over_before_any_step(characters, tmp_path):
    path, saved, tensors = kept(characters, tmp_path)
    name, moment = "model.convertor.head.bias", "encoder_adam.0.exp_avg_sq"
    for changed, state, words in [
        ({name: tensors[name] * float("nan")}, {}, f"{name} holds values that are not numbers"),
        ({moment: tensors[moment] * float("inf")}, {}, f"{moment} holds values"),
        ({moment: tensors[moment] - 1}, {}, f"{moment} is negative"),
        ({moment: tensors[moment][:1]}, {}, f"{moment} is torch.float32"),
        ({name: None}, {}, f"lacks the tensor {name}"),
        ({"generator": None}, {}, "lacks the tensor generator"),
        ({"generator": tensors["generator"][:16].clone()}, {}, "was begun on cuda"),
        ({"generator": torch.full_like(tensors["generator"], 255)}, {}, "random state is damaged"),
        ({"encoder_adam.9999.step": torch.ones(())}, {}, "unknown tensor encoder_adam.9999.step"),
        ({"encoder_adam.x": torch.ones(())}, {}, "unknown tensor encoder_adam.x"),
        ({key: None for key in tensors if "adam" in key}, {}, "lacks the tensor convertor_adam.0"),
        ({}, {"step": -5}, "step is -5, outside 0 to 8"),
        ({}, {"step": 10**9}, "step is 1000000000"),
        ({}, {"step": 3.0}, "step is 3.0"),
        ({}, {"collapsing": None}, "collapsing is None"),
        ({}, {"config": []}, "is not a checkpoint"),
    ]:
        left = {key: value for key, value in (tensors | changed).items() if value is not None}
        save_file(left, path, {checkpoints.FORMAT: json.dumps(saved | state)})
        with pytest.raises(WeightsError, match=words):
            checkpoints.load(path, characters)
    save_file(tensors, path, {checkpoints.FORMAT: "[" * 100_000})
    with pytest.raises(WeightsError, match="is not a checkpoint"):
        checkpoints.load(path, characters)
    save_file(tensors, path, {checkpoints.FORMAT: json.dumps(saved)})
    assert checkpoints.load(path, characters).step == 3


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits=st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_checkpoint_is_an_error_or_trains(characters, tmp_path_factory, edits):
    path, _, _ = kept(characters, tmp_path_factory.getbasetemp(), steps=1)
    data = bytearray(path.read_bytes())
    for place, value in edits:
        data[place] = value
    path.write_bytes(data)
    with contextlib.suppress(WeightsError):
        assert checkpoints.load(path, characters).step == 1


def test_what_is_wrong_with_the_run_is_no_damage(characters, tmp_path):
    path, _, _ = kept(characters, tmp_path)
    with pytest.raises(ConfigError, match="cannot be shared by 3 processes"):
        checkpoints.load(path, characters, processes=Processes(0, 3))


def test_a_config_that_was_changed_is_named(tmp_path):
    for changed, words in [
        ({"seed": 1}, "seed is 1, and was 0"),
        ({"vae_steps": 4}, "vae_steps is 4, and was 3"),
        ({"model": dataclasses.replace(SMALL, channels=4)}, "model.channels is 4, and was 8"),
    ]:
        other = Run(tmp_path, dataclasses.replace(CONFIG, **changed), tmp_path)
        with pytest.raises(ConfigError, match=words):
            other.check(CONFIG)
    Run(tmp_path, CONFIG, tmp_path).check(CONFIG)


def test_a_run_is_trained_by_one_process_and_free_when_it_is_killed(tmp_path):
    program = """
import os, sys
from pathlib import Path
from vce_models.config import TrainConfig
from vce_models.training.runs import Run
run = Run.create(Path("run"), TrainConfig(), Path("."))
run.checkpoint.touch()
print("begun", flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(ConfigError, match="another process trains in"):
            Run.open(tmp_path / "run").lock()
        process.kill()
    run = Run.open(tmp_path / "run")
    run.lock()
    run.close()


def test_a_run_without_a_checkpoint_is_begun_anew(tmp_path):
    run = Run.create(tmp_path / "run", CONFIG, tmp_path)
    run.close()  # the disk was full
    longer = dataclasses.replace(CONFIG, vae_steps=9)
    again = Run.create(tmp_path / "run", longer, tmp_path)
    assert Run.open(tmp_path / "run").config == longer
    again.weights.touch()
    again.close()
    with pytest.raises(ConfigError, match="already holds a run"):
        Run.create(tmp_path / "run", CONFIG, tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, '{"train": 3, "data": ""}'])
def test_a_damaged_config_is_no_run(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ConfigError):
        Run.open(tmp_path)


def test_an_unknown_setting_is_named_with_its_file(tmp_path):
    (tmp_path / "config.json").write_text('{"train": {"speed": 3}, "data": ""}')
    with pytest.raises(ConfigError, match=r"/config\.json: the config has unknown keys: speed$"):
        Run.open(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "checkpoint.safetensors"])
@pytest.mark.parametrize("kind", ["pipe", "endless"])
def test_what_is_no_file_is_no_run_and_is_not_waited_for(tmp_path, name, kind):
    Run.create(tmp_path / "run", CONFIG, tmp_path).close()
    path = tmp_path / "run" / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(VCEError, match=r"is no file"):
        checkpoints.read(Run.open(tmp_path / "run").checkpoint)


def test_settings_that_are_wrong_are_named_with_their_file(tmp_path):
    (tmp_path / "config.json").write_text('{"train": [], "data": ""}')
    with pytest.raises(ConfigError, match=r"config\.json: the config is not a JSON object"):
        Run.open(tmp_path)


def test_a_report_that_cannot_be_plotted_is_forgotten(tmp_path):
    begun = Run.create(tmp_path / "run", CONFIG, tmp_path)
    row = dict.fromkeys(curves.NUMBERS, 1.0) | {"phase": "vae", "step": 1}
    kept = json.dumps(row)
    lines = ["[" * 100_000, "[]", '{"step": 1}', json.dumps(row | {"kl": "much"}), kept]
    begun.metrics.write_text("\n".join(lines) + "\n")
    begun.trim(3)
    begun.close()
    assert begun.metrics.read_text() == f"{kept}\n"
    curves.plot_curves(begun.metrics, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").exists()


def test_past_the_end_nothing_is_trained(characters):
    trainer = run(Trainer(CONFIG, characters), CONFIG.steps)
    with pytest.raises(ConfigError, match="all 8 steps of the run are taken"):
        trainer.advance(1)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_step_reads_nothing_back(tree, recipe):
    """Not a number, so that CUDA is never waited for, and a step can be captured."""
    config = dataclasses.replace(RECIPES[recipe], support=2, episodes=2).scaled(300)
    characters = drawings.load(tree, config.model, magnification=config.magnification).train
    for step in (0, 100, 299):
        trainer = Trainer(config, characters)
        trainer.step = step
        with FakeTensorMode(allow_non_fake_inputs=True):  # tensors with shapes, but no numbers
            trainer._step()
            with pytest.raises(DataDependentOutputException):
                float(trainer.totals.sum())


@pytest.mark.skipif(not CPUINFO.exists(), reason="no /proc/cpuinfo says what the processor has")
def test_bfloat16_is_for_processors_that_have_it(characters):
    has = any(name in CPUINFO.read_text() for name in ("avx512_bf16", "amx_bf16"))
    for precision, rounds in (("bfloat16", has), ("float32", False)):
        trainer = Trainer(dataclasses.replace(CONFIG, precision=precision), characters)
        h = torch.zeros(1, 2, 12, 12)
        with trainer._autocast():
            assert (trainer.model.encoder.trunk(h).dtype == torch.bfloat16) == rounds


def test_drawings_to_warp_are_larger(characters):
    config = dataclasses.replace(CONFIG, augmentation="warp")
    with pytest.raises(ConfigError, match="drawings of 12 pixels, not 48"):
        Trainer(config, characters)


@pytest.mark.parametrize("wiring", ["edge", "deformation"])
@pytest.mark.parametrize("phase", ["vae", "lmvae"])
def test_a_plain_loop_has_the_same_losses(characters, phase, wiring):
    """The one that benchmarks/train.py runs beside ours."""
    plain = runpy.run_path(str(ROOT / "benchmarks/train.py"))
    model = dataclasses.replace(SMALL, wiring=wiring)
    config = dataclasses.replace(
        CONFIG, model=model, learning_rate=1e-3, kl_weight=3.0, alignment_weight=2.0, clip_norm=50.0
    )
    config = plain["only"](config, phase, 10)
    assert plain["largest_difference"](config, characters, "cpu") < 1e-5


def test_the_gradient_of_each_network_is_clipped(characters):
    def lengths(clip_norm):
        trainer = Trainer(dataclasses.replace(CONFIG, clip_norm=clip_norm), characters)
        trainer._vae_step(*trainer._sample())
        networks = trainer.model.encoder, trainer.model.convertor
        gradients = [[value.grad for value in network.parameters()] for network in networks]
        return [
            float(torch.cat([g.flatten() for g in own if g is not None]).norm())
            for own in gradients
        ]

    free = lengths(0.0)
    assert lengths(min(free) / 2) == pytest.approx([min(free) / 2] * 2, rel=1e-3)


def test_an_outlying_gradient_is_made_the_shorter_for_it():
    wanted = {1.0: 1.0, 50.0: 10.0, 200.0: 10.0, 400.0: 5.0, 1e5: 0.02}
    for length, left in {**wanted, float("inf"): 0.0, float("nan"): 0.0}.items():
        parameter = torch.nn.Parameter(torch.zeros(1))
        parameter.grad = torch.tensor([length])
        optimisers.clip([parameter], 10.0)
        assert parameter.grad.item() == pytest.approx(left, rel=1e-4), length


def test_a_network_far_off_finds_its_way_back():
    parameter = torch.nn.Parameter(torch.tensor([12.0]))
    adam = optimisers.adam(torch.nn.ParameterList([parameter]), 0.05)
    for _ in range(300):
        adam.zero_grad()
        parameter.exp().sum().backward()
        optimisers.clip([parameter], 1.0)  # exp(12) is far beyond 20
        adam.step()
    assert parameter.item() < 2


def test_weights_come_with_the_gaussian_of_their_rules(characters):
    trainer = Trainer(CONFIG, characters)
    weights = trainer.weights().tensors
    assert not np.allclose(weights["prior.scale"], np.eye(24))
    assert np.array_equal(weights["prior.scale"], trainer.weights().tensors["prior.scale"])
    assert torch.equal(trainer.model.prior.scale, torch.eye(24))  # training goes by N(0, I)


def test_weights_come_with_how_their_drawings_lie(characters):
    assert Trainer(CONFIG, characters).weights().framing == strokes.measure(characters.images)


FETCH = """
import time
from pathlib import Path
import torch
from vce_models.training.parallel import Processes
processes = Processes.join("cpu")
def read():
    if not Path("kept").exists():
        time.sleep(0.5)
        with Path("fetched").open("a") as file:
            file.write(f"{processes.rank} ")
        Path("kept").touch()
    return Path("kept").exists()
assert processes.first(read, torch.device("cpu"))
processes.leave()
"""


def test_of_processes_that_train_together_one_fetches_the_data(tmp_path):
    (tmp_path / "fetch.py").write_text(FETCH)
    torchrun = Path(sys.executable).with_name("torchrun")
    command = [torchrun, "--nproc-per-node", "2", "fetch.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "fetched").read_text() == "0 "
