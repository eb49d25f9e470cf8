"""Deformations are calmed: level strokes stay level, and upright ones upright."""

from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib import get_data_path

from vce_models import rules, weights
from vce_models.convert import convert
from vce_models.rendering import calming, forward, splines

SIZE, CONTROL, HANDS = 28, 9, 16
WEIGHTS = splines.cubic(SIZE, CONTROL)


@pytest.fixture(scope="module")
def shipped():
    return weights.load()


def bar(angle, at=14.0, width=1.2):
    """A bar through (14, at), (28, 28), turned by degrees."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along, across = (x - 14) * cosine + (y - at) * sine, (y - at) * cosine - (x - 14) * sine
    inside = np.clip(width - np.abs(across) + 0.5, 0, 1) * np.clip(9.5 - np.abs(along), 0, 1)
    return inside.astype(np.float32)


def fields(model, q, calm):
    """Displacements at every pixel, (hands, 2, 28, 28)."""
    points = forward.Fields(model, calm=calm)(q, rules.sample(HANDS, model.config, 3))
    return WEIGHTS @ points @ WEIGHTS.T


def tilts(model, q, calm):
    """How much a field tilts a level bar in the middle, and an upright one, by hands: sines."""
    field = fields(model, q, calm)
    down, right = field[:, 1, 14, 6:22], field[:, 0, 6:22, 14]
    return tuple(np.abs(np.diff(part, axis=1)).max(1) for part in (down, right))


def test_level_strokes_stay_level_and_upright_ones_upright(shipped):
    q = np.maximum(bar(0), bar(90))
    before, after = (np.mean(tilts(shipped, q, calm), axis=1) for calm in (False, True))
    assert before.min() > 0.1
    assert after.max() < 1e-5


def test_strokes_still_move_and_change_their_lengths(shipped):
    q = np.maximum(bar(0, 7.0), bar(0, 21.0))
    before, after = (fields(shipped, q, calm) for calm in (False, True))
    for row in (7, 21):  # up and down, at either bar
        moved, calm = before[:, 1, row, 14], after[:, 1, row, 14]
        assert np.corrcoef(moved, calm)[0, 1] > 0.7
        assert 0.7 < calm.std() / moved.std() < 1.3
    lengths, calm = (f[:, 0, [7, 21], 22] - f[:, 0, [7, 21], 6] for f in (before, after))
    np.testing.assert_allclose(calm.mean(1), calming.GROWN * lengths.mean(1), atol=0.6)


def test_what_has_no_ink_does_not_count(shipped):
    q = np.maximum(bar(0, 7.0), bar(0, 8.0))
    points = forward.Fields(shipped, calm=False)(q, rules.sample(2, shipped.config, 3))
    changed = points.copy()
    changed[:, 0, 6:] += 5  # far below the bars
    calm, again = (calmed(part, q) for part in (points, changed))
    np.testing.assert_allclose(calm, again, atol=1e-3)


def test_a_glyph_without_ink_has_the_means_of_all_rows_and_columns():
    ink = calming.ink(np.zeros((SIZE, SIZE), np.float32), CONTROL)
    np.testing.assert_allclose(ink.counts, [WEIGHTS.mean(0)] * 2, atol=1e-5)


def test_the_first_of_many_are_those_alone():
    points = np.random.default_rng(0).standard_normal((16, 2, CONTROL, CONTROL), np.float32)
    assert np.array_equal(calmed(points[:4], bar(0)), calmed(points, bar(0))[:4])


def test_ink_is_neither_torn_wide_apart_nor_pressed_together():
    """Whatever the field; what is no more than that is only made larger."""
    q = np.maximum(bar(0), bar(90))
    points = np.random.default_rng(0).normal(0, 4, (200, 2, CONTROL, CONTROL)).astype(np.float32)
    calm, weak = calmed(points, q), calmed(points / 20, q)
    places, slopes = np.arange(SIZE) + 0.5, np.gradient(WEIGHTS, axis=0)
    shown = []
    for line in (calm[:, 0, 0], calm[:, 1, :, 0]):
        read = places + line @ WEIGHTS.T
        shown.append((1 + line @ slopes.T)[(read > 6) & (read < 22)])
    least, most = calming.SHOWN
    assert np.quantile(np.concatenate(shown), [0.002, 0.998]) == pytest.approx([least, most], 0.2)
    assert np.concatenate(shown).min() > 0
    ink = calming.ink(q, CONTROL)
    expected = calming.GROWN * (ink.counts[0, :, None] * points[:, 0] / 20).sum(1)
    np.testing.assert_allclose(weak[:, 0, 0], expected + ink.away(SIZE)[0], atol=1e-5)


def test_a_glyph_that_lies_off_the_middle_is_drawn_half_the_way_there():
    still = np.zeros((1, 2, CONTROL, CONTROL), np.float32)
    for at in (8, 14, 18):
        right, down = calmed(still, bar(0, float(at)))[0]
        assert right == pytest.approx((14 - SIZE * calming.MIDDLE[0]) / 2, abs=1e-5)
        assert down == pytest.approx((at - SIZE * calming.MIDDLE[1]) / 2, abs=1e-5)


def test_pytorch_calms_as_numpy_does():
    torch = pytest.importorskip("torch")
    from vce_models.networks import deformation

    q = np.maximum(bar(0), bar(90))
    ink = calming.ink(q, CONTROL)
    parts = (ink.counts, ink.extents, ink.away(SIZE), *calming.along(SIZE, CONTROL))
    known = [torch.from_numpy(part) for part in parts]
    for size in (0.1, 1, 4):
        points = np.random.default_rng(0).normal(0, size, (40, 2, CONTROL, CONTROL))
        given = points.astype(np.float32)
        again = deformation.calmed(torch.from_numpy(given), *known)
        np.testing.assert_allclose(again, calmed(given, q), atol=1e-5)


def calmed(points, q):
    return calming.calmed(points, calming.ink(q, CONTROL), SIZE)


def test_conversions_are_calm_unless_asked_otherwise(shipped):
    q, r = bar(0), rules.sample(HANDS, shipped.config, 3)
    calm, free = (convert(shipped, q, r, scale=4, calm=calm) for calm in (True, False))

    def slants(images):
        """How far the bar's middle is lower at its right than at its left, in pixels."""
        line = np.arange(images.shape[1]) / 4
        found = []
        for image in images:
            ink = image.sum(0)
            (columns,) = np.nonzero(ink > 0.9 * np.median(ink[ink > 1]))
            centres = (image * line[:, None]).sum(0)[columns] / ink[columns]
            found.append(np.polyfit(columns / 4, centres, 1)[0])
        return np.abs(found)

    assert slants(calm).max() < 0.02 < 0.05 < np.mean(slants(free))


def test_rules_read_off_a_pair_turn_strokes_also_after_they_were_saved(vce, tmp_path):
    for name, angle in (("level", 0), ("turned", 20)):
        save(tmp_path / f"{name}.png", bar(angle))
    vce(
        *("convert", "level.png", "--like", "level.png", "turned.png"),
        *("--save-rules", "r.safetensors", "-o", "a.npz"),
    )
    vce("convert", "level.png", "--rules", "r.safetensors", "-o", "b.npz")
    first, again = (np.load(tmp_path / f"{name}.npz")["images"] for name in "ab")
    assert np.array_equal(first, again)
    assert not rules.load(tmp_path / "r.safetensors", weights.load().config)[2]
    calm = convert(weights.load(), bar(0), np.load(tmp_path / "a.npz")["rules"])
    assert turn(first[0, 0]) > turn(calm[0]) + 0.05


def test_strokes_may_slant_where_that_is_asked_for(vce, tmp_path):
    save(tmp_path / "a.png", bar(0))
    given = ("convert", "a.png", "-n", 8, "--seed", 3)
    vce(*given, "-o", "calm.npz")
    vce(*given, "--no-calm", "--save-rules", "r.safetensors", "-o", "free.npz")
    vce("convert", "a.png", "--rules", "r.safetensors", "-o", "again.npz")
    vce("convert", "a.png", "--rules", "r.safetensors", "--calm", "-o", "calmed.npz")
    calm, free, again, calmed = (
        np.load(tmp_path / f"{name}.npz")["images"][0]
        for name in ("calm", "free", "again", "calmed")
    )
    assert max(abs(turn(image)) for image in calm) < 0.02
    assert max(abs(turn(image)) for image in free) > 0.05
    assert np.array_equal(free, again)
    assert np.array_equal(calm, calmed)


def test_stems_of_a_font_stay_upright_if_it_is_to_be_calm(vce, tmp_path):
    font = Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf")
    given = ("convert", font, "-n", 2, "--seed", 7, "--chars", "a-z")
    vce(*given, "--calm", "-o", "calm.ttf")
    vce(*given, "-o", "free.ttf")
    calm, free = (
        [lean(tmp_path / f"{name}-0{hand}.ttf") for hand in (1, 2)] for name in ("calm", "free")
    )
    assert max(calm) < 1 < 5 < max(free)


def lean(path):
    """How many degrees the l of a font leans, which its source has as a rectangle."""
    font = TTFont(path)
    coordinates = np.array(font["glyf"][font.getBestCmap()[ord("l")]].coordinates)
    x, y = coordinates.T
    top, bottom = x[y > y.max() - 40].mean(), x[y < y.min() + 40].mean()
    return abs(np.degrees(np.arctan2(top - bottom, np.ptp(y))))


def turn(image):
    """The slope of an image's ink, downwards to the right."""
    y, x = np.mgrid[: len(image), : len(image)]
    return np.polyfit(x.ravel(), y.ravel(), 1, w=np.sqrt(image.ravel()))[0]


def save(path, q):
    from PIL import Image

    grey = Image.fromarray((255 * (1 - q)).round().astype(np.uint8))
    grey.resize((224, 224), Image.Resampling.BICUBIC).save(path)
