"""Fields that move outlines: derivative, inverse, and how they are kept from folding."""

import numpy as np
import pytest

from vce_models.fonts import field
from vce_models.rendering import splines

SIZE, CONTROL = 28, 10


def smooth(rules, far, seed=0):
    """Random fields whose control points lie `far` pixels off, a little smoothed."""
    points = np.random.default_rng(seed).normal(0, far, (rules, 2, CONTROL, CONTROL))
    for axis in (2, 3):
        points = (np.roll(points, 1, axis) + 2 * points + np.roll(points, -1, axis)) / 4
    return points


def within(count, low=0.5, high=SIZE - 0.5, seed=1):
    return np.random.default_rng(seed).uniform(low, high, (count, 2))


def folding():
    """A field that draws all towards an upright line in the middle, and folds there."""
    line = np.arange(CONTROL) - (CONTROL - 1) / 2
    y, x = np.meshgrid(line, line, indexing="ij")
    near = np.exp(-(x**2 + y**2) / 3)
    return 8 * np.stack((-x * near, 0 * y))[None]


def test_derivatives_are_the_finite_differences():
    points, places = smooth(3, 1.5), np.stack([within(40, seed=i) for i in range(3)])
    _, slopes = field.displace(points, places, SIZE)
    for variable in (0, 1):
        step = np.zeros(2)
        step[variable] = 1e-5
        ahead, behind = (field.displace(points, places + s, SIZE)[0] for s in (step, -step))
        np.testing.assert_allclose((ahead - behind) / 2e-5, slopes[..., variable], atol=1e-6)


def test_displacements_are_those_of_the_pen():
    points = smooth(2, 1.5)
    weights = splines.cubic(SIZE, CONTROL).astype(float)
    centres = np.arange(SIZE) + 0.5
    y, x = np.meshgrid(centres, centres, indexing="ij")
    places = np.stack((x, y), -1).reshape(1, -1, 2).repeat(2, 0)
    value, _ = field.displace(points, places, SIZE)
    penned = np.moveaxis(weights @ points @ weights.T, 1, 3)
    np.testing.assert_allclose(value.reshape(2, SIZE, SIZE, 2), penned, atol=1e-5)


def test_beyond_the_frame_a_field_is_as_at_its_edge():
    points = smooth(1, 1.5)
    outside = np.array([[[-3.0, 9.0], [31.0, 9.0], [12.0, -1.0], [40.0, 40.0]]])
    value, slopes = field.displace(points, outside, SIZE)
    edge, _ = field.displace(points, np.clip(outside, 0, SIZE), SIZE)
    np.testing.assert_allclose(value, edge)
    assert slopes[0, 0, :, 0].tolist() == slopes[0, 1, :, 0].tolist() == [0, 0]
    assert not slopes[0, 3].any()


@pytest.mark.parametrize("seed", range(4))
def test_the_inverse_solves_for_where_the_field_sends_a_place(seed):
    points, places = smooth(4, 1.2, seed), within(80, seed=seed)
    p, derivative, folds = field.invert(points, places, SIZE)
    assert not folds.any()
    value, _ = field.displace(points, p, SIZE)
    assert np.abs(places - p - value).max() < 1e-6
    ahead, *_ = field.invert(points, places + np.array([1e-4, 0]), SIZE)
    np.testing.assert_allclose((ahead - p) / 1e-4, derivative[..., 0], atol=2e-3)


def test_a_field_that_does_not_fold_is_left_as_it_is():
    points, places = smooth(3, 1.2), within(60)
    kept, p, derivative = field.unfold(points, places, SIZE)
    assert np.array_equal(kept, points)
    inverse, slopes, _ = field.invert(points, places, SIZE)
    assert np.array_equal(p, inverse)
    assert np.array_equal(derivative, slopes)


def test_a_field_that_folds_is_weakened_until_it_does_not():
    places = within(120, 9, 19)
    points = np.concatenate((smooth(1, 1.2), folding()))
    before = points.copy()
    assert field.invert(points, places, SIZE)[2].tolist() == [False, True]
    kept, p, _ = field.unfold(points, places, SIZE)
    assert np.array_equal(points, before)
    assert np.array_equal(kept[0], points[0])
    assert not field.invert(kept, places, SIZE)[2].any()
    value, slope = field.displace(kept, p, SIZE)
    assert np.abs(places - p - value).max() < 1e-3
    assert field.determinant(np.eye(2) + slope).min() >= field.LEAST
    assert 0 < np.linalg.norm(kept[1]) < np.linalg.norm(points[1])


def test_a_field_is_weakened_no_more_than_need_be():
    places, points = within(120, 9, 19), folding()
    kept, *_ = field.unfold(points, places, SIZE)
    stronger = kept + (points - kept) * 0.15
    assert field.invert(stronger, places, SIZE)[2].all()


def test_an_affine_field_is_no_fold_to_weaken():
    line = np.arange(CONTROL) - (CONTROL - 1) / 2
    y, x = np.meshgrid(line, line, indexing="ij")
    points = np.stack((-1.2 * x + 0.5 * y, 0.8 * y + 2))[None]
    kept, p, derivative = field.unfold(points, within(30, 6, 22), SIZE)
    assert np.array_equal(kept, points)
    np.testing.assert_allclose(derivative[0], derivative[0, :1].repeat(30, 0), atol=1e-9)
    assert p.shape == (1, 30, 2)
