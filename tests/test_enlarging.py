"""Images of convertors that render every pixel, enlarged."""

import numpy as np
import pytest

from vce_models.rendering.enlarging import enlarged

SIZE = 28


def line(value=1.0, width=1):
    image = np.zeros((SIZE, SIZE), np.float32)
    image[4:24, 10 : 10 + width] = value
    return image


def at(image, scale):
    (picture,) = enlarged(image[None], scale * SIZE)
    assert picture.shape == (scale * SIZE, scale * SIZE)
    assert picture.dtype == np.float32
    assert 0 <= picture.min() <= picture.max() <= 1
    return picture


def noise():
    return np.random.default_rng(0).random((SIZE, SIZE), np.float32)


def test_at_its_own_size_an_image_stays_as_it_is():
    image = noise()[None]
    assert enlarged(image, SIZE) is image


@pytest.mark.parametrize("scale", [2, 4, 8, 16])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_lines_keep_their_width(scale, width):
    picture = at(line(width=width), scale)[8 * scale : 20 * scale]
    np.testing.assert_allclose(picture.sum(1) / scale, width, atol=0.15)


@pytest.mark.parametrize("scale", [4, 8, 16])
def test_edges_are_narrower_than_half_a_pixel_and_have_no_halo(scale):
    row = at(line(width=3), scale)[14 * scale]
    middle = int(11.5 * scale)
    left, right = row[: middle + 1], row[middle:]
    for edge in (left, right[::-1]):
        assert ((edge > 0.1) & (edge < 0.9)).sum() <= scale / 2
        assert np.all(np.diff(edge) >= -0.001)


def test_single_pixels_on_a_diagonal_are_one_line():
    along = np.diagonal(at(np.eye(SIZE, dtype=np.float32), 8))
    assert along.min() > 0.6


def test_paper_and_ink_are_treated_alike():
    np.testing.assert_allclose(at(1 - noise(), 4), 1 - at(noise(), 4), atol=1e-5)


def test_doubt_stays_grey():
    for value in (0.3, 0.5, 0.7):
        picture = at(np.full((SIZE, SIZE), value, np.float32), 4)
        assert np.ptp(picture) < 1e-5
        assert 0.1 < picture.mean() < 0.9


def test_twice_as_large_is_the_same_picture():
    image = np.clip(line(width=2) + 0.6 * np.eye(SIZE, dtype=np.float32), 0, 1)
    coarse, fine = at(image, 4), at(image, 8)
    means = fine.reshape(4 * SIZE, 2, 4 * SIZE, 2).mean((1, 3))
    assert np.abs(means - coarse).mean() < 0.003
