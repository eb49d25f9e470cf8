"""Images that were drawn anew, enlarged."""

import numpy as np
import pytest

from vce_models.drawing.enlarging import FAINT, enlarged

SIZE = 28


def blank():
    return np.zeros((SIZE, SIZE), np.float32)


def line(value=1.0, width=1):
    image = blank()
    image[4:24, 10 : 10 + width] = value
    return image


def widths(picture, scale, value=1.0):
    """Width in pixels of the ink of every row well within the line."""
    return picture[8 * scale : 20 * scale].sum(1) / value / scale


def at(image, scale):
    (picture,) = enlarged(image[None], scale * SIZE)
    assert picture.shape == (scale * SIZE, scale * SIZE)
    assert picture.dtype == np.float32
    assert 0 <= picture.min() <= picture.max() <= 1 + 1e-6
    return picture


def test_at_its_own_size_an_image_stays_as_it_is():
    image = np.random.default_rng(0).random((2, SIZE, SIZE), np.float32)
    assert enlarged(image, SIZE) is image


@pytest.mark.parametrize("scale", [2, 4, 8, 16])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_lines_keep_their_width(scale, width):
    np.testing.assert_allclose(widths(at(line(width=width), scale), scale), width, atol=0.25)


@pytest.mark.parametrize("scale", [4, 8, 16])
def test_an_edge_turns_within_two_points(scale):
    row = at(line(width=3), scale)[14 * scale]
    assert ((row > 0.02) & (row < 0.98)).sum() <= 4


def test_single_pixels_on_a_diagonal_are_one_line_without_steps():
    picture = at(np.eye(SIZE, dtype=np.float32), 8)
    along = np.diagonal(picture)[40:-40]
    assert along.min() > 0.9
    beside = np.diagonal(picture, 12)[40:-40]  # a pixel and a half away, across
    assert beside.max() < 0.02


@pytest.mark.parametrize("value", [0.2, 0.5, 0.9])
def test_what_is_less_likely_is_as_wide_and_less_dark(value):
    sure, unsure = at(line(), 8), at(line(value), 8)
    np.testing.assert_allclose(unsure, value * sure, atol=0.02)
    assert unsure[112, 84] == pytest.approx(value, abs=0.02)


def test_haze_is_left_out():
    assert at(np.full((SIZE, SIZE), 0.9 * FAINT, np.float32), 4).max() == 0


def test_twice_as_large_is_the_same_picture():
    image = line(width=2) + np.eye(SIZE, dtype=np.float32).clip(0, 0.6)
    image = image.clip(0, 1)
    coarse, fine = at(image, 4), at(image, 8)
    means = fine.reshape(4 * SIZE, 2, 4 * SIZE, 2).mean((1, 3))
    assert np.abs(means - coarse).mean() < 0.005
