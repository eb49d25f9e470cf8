import math

import numpy as np
import pytest
import torch

from vce_models.config import ModelConfig
from vce_models.datasets.drawings import Characters, load
from vce_models.datasets.episodes import Episodes
from vce_models.errors import WeightsError
from vce_models.evaluation import critics, quality
from vce_models.evaluation.critics import HOLE, QUERIES, SIZE, TEMPERATURE


@pytest.fixture(scope="module")
def characters(tree):
    return load(tree, ModelConfig()).train


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_an_episode_has_no_character_twice(generator):
    """Each character is a grey of its own, which no turn changes."""
    greys = np.repeat(np.arange(5, 50, 5, dtype=np.uint8), 6)
    images = np.tile(greys[:, None, None], (1, SIZE, SIZE))
    episodes = Episodes(
        Characters(images, np.arange(0, 55, 6), tuple("abcdefghi")), torch.device("cpu")
    )
    for _ in range(20):
        drawn = critics.sample(episodes, 8, generator)
        seen = (drawn[:, 0, 0, 0] * 255).round().tolist()
        assert len(set(seen[:8])) == 8
        assert seen[8:] == [grey for grey in seen[:8] for _ in range(QUERIES)]


def test_an_episode_turns_a_character_as_its_exemplar(generator):
    images = np.zeros((3 * 6, SIZE, SIZE), np.uint8)
    images[:, :4, :9] = 255
    episodes = Episodes(Characters(images, np.arange(0, 19, 6), tuple("abc")), torch.device("cpu"))
    turns = set()
    for _ in range(10):
        drawn = critics.sample(episodes, 3, generator)
        for way in range(3):
            queries = drawn[3 + QUERIES * way :][:QUERIES]
            assert (queries == drawn[way]).all()
            turns.add(drawn[way].numpy().tobytes())
    assert len(turns) == 4


def test_the_recogniser_learns_by_distance_to_exemplars(generator):
    features = torch.randn(3 * (1 + 2), 5, generator=generator)
    exemplars, queries = features[:3], features[3:]
    chances = []
    for i, query in enumerate(queries):
        near = [math.exp(-float((query - exemplar).square().sum())) for exemplar in exemplars]
        chances.append(near[i // 2] / sum(near))
    found = float(critics.prototypical(features, 3))
    assert found == pytest.approx(-np.log(chances).mean(), rel=1e-5)


def test_the_contrastive_network_learns_to_find_a_views_partner(generator):
    views = torch.nn.functional.normalize(torch.randn(2 * 4, 6, generator=generator), dim=1)
    chances = []
    for i, view in enumerate(views):
        others = {j: float(view @ views[j]) for j in range(8) if j != i}
        alike = {j: math.exp(cosine / TEMPERATURE) for j, cosine in others.items()}
        chances.append(alike[(i + 4) % 8] / sum(alike.values()))
    assert float(critics.nt_xent(views)) == pytest.approx(-np.log(chances).mean(), rel=1e-5)


def test_critics_see_black_and_white(characters):
    images = quality.exemplars(characters)
    black = (images >= 0.5).astype(np.float32)
    shipped = critics.load()
    for network in (shipped.recogniser, shipped.contrastive):
        assert torch.equal(critics.embed(network, images), critics.embed(network, black))


def test_jitter_of_no_strength_moves_nothing_and_more_moves_more(characters, generator):
    images = torch.from_numpy(quality.exemplars(characters))[:, None].repeat(10, 1, 1, 1)
    moved = [
        float((critics.jitter(images, strength, generator) - images).abs().mean())
        for strength in (0.0, 0.5, 1.0, 2.0)
    ]
    assert moved[0] < 1e-5
    assert sorted(moved) == moved


def test_a_square_is_wiped_out_of_every_view_and_anywhere(generator):
    views = critics.wiped(torch.ones(2000, 1, SIZE, SIZE), generator)
    assert ((1 - views).sum((1, 2, 3)) == HOLE**2).all()
    assert (views.amin(0) == 0).all()


@pytest.mark.parametrize("has", [True, False])
def test_training_rounds_only_where_the_processor_multiplies_bfloat16(characters, monkeypatch, has):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": has}, raising=False)
    seen = set()

    def note(module, inputs, output):
        if isinstance(module, torch.nn.Conv2d):
            seen.add(output.dtype)

    handle = torch.nn.modules.module.register_module_forward_hook(note)
    try:
        critics.train(characters, steps=1)
    finally:
        handle.remove()
    assert seen == {torch.bfloat16 if has else torch.float32}


def test_critics_are_trained_from_a_seed(characters, tmp_path):
    first, second = (critics.train(characters, steps=2, seed=1) for _ in range(2))
    for name in ("a", "b"):
        critics.save(tmp_path / name, first if name == "a" else second)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    again = critics.load(tmp_path / "a")
    images = quality.exemplars(characters)
    assert torch.equal(
        critics.embed(again.recogniser, images), critics.embed(first.recogniser, images)
    )


def test_other_files_are_no_critics(tmp_path):
    for content in (b"", b"no weights"):
        (tmp_path / "x.safetensors").write_bytes(content)
        with pytest.raises(WeightsError, match=r"x\.safetensors is damaged"):
            critics.load(tmp_path / "x.safetensors")
