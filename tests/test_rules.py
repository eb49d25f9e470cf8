"""Rules: saved, chosen, read off a pair, scaled, walked."""

import numpy as np
import pytest
from conftest import scribble
from safetensors.numpy import save_file

from vce_models import rules, weights
from vce_models.config import ModelConfig
from vce_models.convert import convert, encode
from vce_models.errors import InputError
from vce_models.glyphs.images import read_glyph

CONFIG = ModelConfig()


@pytest.fixture(autouse=True)
def glyphs(tmp_path):
    for character, name in enumerate("ab"):
        scribble(character, 0).save(tmp_path / f"{name}.png")
    scribble(0, 3).save(tmp_path / "a-again.png")


def array(tmp_path, name="x.npz"):
    return np.load(tmp_path / name)


def test_fewer_rules_are_the_first_of_more():
    assert np.array_equal(rules.sample(4, CONFIG, 7), rules.sample(16, CONFIG, 7)[:4])


def test_saved_rules_give_the_same_conversions_on_every_glyph(vce, tmp_path):
    given = ("a.png", "b.png")
    kept = ("-n", 5, "--seed", 3, "--save-rules", "r.safetensors")
    vce("convert", *given, *kept, "-o", "x.npz")
    vce("convert", *given, "--rules", "r.safetensors", "-o", "y.npz")
    whole = array(tmp_path)["images"]
    assert np.array_equal(array(tmp_path, "y.npz")["images"], whole)
    vce("convert", *given, "--rules", "r.safetensors:3", "-o", "3.npz")
    vce("convert", *given, "--rules", "r.safetensors:2-4", "-o", "2-4.npz")
    assert np.array_equal(array(tmp_path, "3.npz")["images"], whole[:, 2:3])
    assert np.array_equal(array(tmp_path, "2-4.npz")["images"], whole[:, 1:4])
    vce("convert", "a.png", "--rules", "r.safetensors:3", "-o", "out/")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a-03.png"]


def test_the_same_rules_are_the_same_file(vce, tmp_path):
    for name in ("r", "s"):
        vce("convert", "a.png", "--seed", 3, "--save-rules", f"{name}.safetensors", "-o", "x.png")
    r, s = ((tmp_path / f"{name}.safetensors").read_bytes() for name in ("r", "s"))
    assert r == s


def test_rules_of_other_weights_are_a_warning_and_of_another_shape_an_error(vce, tmp_path):
    rules.save(tmp_path / "other.safetensors", rules.sample(2, CONFIG, 0), "0" * 64)
    done = vce("convert", "a.png", "--rules", "other.safetensors", "-o", "x.png")
    assert "warning: other.safetensors was made for other weights" in done.stderr
    small = rules.sample(2, ModelConfig(size=20), 0)
    rules.save(tmp_path / "small.safetensors", small, "0" * 64)
    (tmp_path / "text.safetensors").write_text("no rules")
    save_file({"z": small}, tmp_path / "bare.safetensors")
    for given, status, words in [
        ("small.safetensors", 3, "small.safetensors holds F32 (2, 20, 2)"),
        ("text.safetensors", 3, "text.safetensors is no rules file, or damaged"),
        ("bare.safetensors", 3, "bare.safetensors holds no rules"),
        ("gone.safetensors:2", 3, "gone.safetensors does not exist"),
        ("other.safetensors:3", 2, "there is no rule 3\n"),
        ("other.safetensors:3-9", 2, "there is no rule 3-9"),
        ("other.safetensors:2-1", 2, "there is no rule 2-1"),
        ("other.safetensors:0", 2, "there is no rule 0"),
    ]:
        done = vce("convert", "a.png", "--rules", given, "-o", "y.png", status=status)
        assert words in done.stderr
    assert not (tmp_path / "y.png").exists()


def test_rules_that_are_not_numbers_are_an_error(tmp_path):
    rules.save(tmp_path / "r", np.full((1, 28, 2), np.nan, np.float32), "")
    with pytest.raises(InputError, match="not numbers"):
        rules.load(tmp_path / "r", CONFIG)


def test_a_colon_may_be_part_of_a_name(tmp_path):
    (tmp_path / "r:3").touch()
    assert rules.split_selection(f"{tmp_path}/r:3") == (tmp_path / "r:3", None)
    assert rules.split_selection(f"{tmp_path}/r:3:4") == (tmp_path / "r:3", (4, 4))
    assert rules.split_selection("s:2-5")[1] == (2, 5)


def test_like_reads_the_rule_that_makes_one_drawing_the_other(vce, tmp_path):
    """It redraws the first nearer to the second than sampled rules do, and than no rule."""
    files = []
    for _ in range(2):
        vce("convert", "a.png", "--like", "a.png", "a-again.png", "-o", "x.npz")
        files.append((tmp_path / "x.npz").read_bytes())
    assert files[0] == files[1]
    made, model = array(tmp_path), weights.load()
    (q, detail), (x, _) = (
        read_glyph(tmp_path / f"{n}.png", n, model.config) for n in ("a", "a-again")
    )
    # The library rounds by the threads that NumPy has here.
    np.testing.assert_allclose(made["rules"], encode(model, x, q), atol=1e-4)
    others = np.concatenate([rules.sample(9, CONFIG, 0), np.zeros((1, 28, 2), np.float32)])
    distances = ((convert(model, q, others, detail) - x) ** 2).sum((1, 2))
    assert ((made["images"][0, 0] - x) ** 2).sum() < distances.min()


def test_strength_leads_from_the_glyph_through_the_rule_and_beyond(vce, tmp_path):
    images, given = {}, ("a.png", "-n", 2, "--seed", 1)
    for strength in (0, 0.5, 1, 1.5):
        vce("convert", *given, "--strength", strength, "-o", "x.npz")
        images[strength] = array(tmp_path)["images"][0]
    vce("convert", *given, "-o", "x.npz")
    assert np.array_equal(images[1], array(tmp_path)["images"][0])
    assert np.array_equal(images[0][0], images[0][1])  # the glyph's own rule, whatever the seed
    condition = array(tmp_path)["conditions"][0]
    away = [((images[s] - condition) ** 2).sum((1, 2)).mean() for s in (0, 0.5, 1, 1.5)]
    assert away == sorted(away)


def test_a_walk_passes_through_its_rules_at_their_lengths():
    z = rules.sample(3, CONFIG, 4)
    walked = rules.walk(z, 12)
    assert walked.shape == (36, 28, 2)
    np.testing.assert_allclose(walked[::12], z, atol=1e-6)
    lengths = np.linalg.norm(walked.reshape(36, -1), axis=1)
    ends = np.linalg.norm(z.reshape(3, -1), axis=1)
    assert ends.min() - 1e-5 <= lengths.min()
    assert lengths.max() <= ends.max() + 1e-5


def test_a_walk_turns_evenly():
    flat = rules.walk(rules.sample(2, CONFIG, 4), 8).reshape(16, -1)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    angles = np.arccos(np.clip((flat * np.roll(flat, -1, axis=0)).sum(1), -1, 1))
    np.testing.assert_allclose(angles, angles[0], rtol=1e-3)


def test_equal_rules_are_a_walk_on_the_spot():
    z = np.repeat(rules.sample(1, CONFIG, 4), 2, axis=0)
    np.testing.assert_allclose(rules.walk(z, 5), np.repeat(z[:1], 10, axis=0), atol=1e-6)


def test_a_rule_that_leaves_nothing_is_said(vce, tmp_path):
    scribble(1, 0).save(tmp_path / "a.png")
    far = 100 * rules.sample(1, CONFIG, 0)
    rules.save(tmp_path / "far.safetensors", far, weights.fingerprint(weights.load()))
    done = vce("convert", "a.png", "--rules", "far.safetensors", "-o", "x.npz")
    assert array(tmp_path)["images"].max() < 0.5
    assert done.stderr == "warning: a.png: rule 1 leaves nothing of it; give less --strength\n"
