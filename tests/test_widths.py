"""Strokes keep their width, whatever a map does to the places around them."""

import numpy as np
import pytest
from shapes import box, circle, polygon

from vce_models.fonts import widths
from vce_models.fonts.outline import sample

WIDTH = 2.2
"""How wide the strokes are, in pixels."""

SHAPES = {
    "stem": [polygon((12, 4), (12 + WIDTH, 4), (12 + WIDTH, 24), (12, 24))],
    "ring": [circle(14, 14, 8), circle(14, 14, 8 - WIDTH, hole=True)],
    "L": [
        polygon(
            *((8, 4), (20, 4), (20, 4 + WIDTH)),
            *((8 + WIDTH, 4 + WIDTH), (8 + WIDTH, 24), (8, 24)),
        )
    ],
}


def affine(places):
    matrix = np.array([[1.35, 0.2], [0.05, 0.75]])
    return places @ matrix.T + 1, np.broadcast_to(matrix, (len(places), 2, 2))


def smooth(places):
    x, y = places.T
    moved = np.stack((1.2 * x + 1.2 * np.sin(y / 6), 0.85 * y + np.sin(x / 5)), -1)
    slopes = np.empty((len(places), 2, 2))
    slopes[:, 0] = np.stack((np.full_like(x, 1.2), 0.2 * np.cos(y / 6)), -1)
    slopes[:, 1] = np.stack((0.2 * np.cos(x / 5), np.full_like(x, 0.85)), -1)
    return moved, slopes


MAPS = {"affine": affine, "smooth": smooth}


def thicknesses(samples, places):
    """From every sample along its inward normal to the facing wall; what is wide is no stroke."""
    before, after = places[samples.preceding], places[samples.following]
    along = after - before
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    inward = np.stack((-along[:, 1], along[:, 0]), -1)
    start, step = places, places[samples.following] - places
    found = []
    for place, ray in zip(places, inward, strict=True):
        cross = ray[0] * step[:, 1] - ray[1] * step[:, 0]
        offset = start - place
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = (offset[:, 0] * step[:, 1] - offset[:, 1] * step[:, 0]) / cross
            share = (offset[:, 0] * ray[1] - offset[:, 1] * ray[0]) / cross
        met = reach[(share >= 0) & (share <= 1) & (reach > 0.3)]
        if len(met) and met.min() < 1.8 * WIDTH:
            found.append(met.min())
    return np.array(found)


@pytest.fixture(params=[(shape, way) for shape in SHAPES for way in MAPS], ids="-".join)
def case(request):
    """Samples, their chords, and what a map makes of both."""
    shape, way = request.param
    samples = sample(SHAPES[shape], 1.0)
    assert samples is not None
    across = widths.chords(samples, samples.places)
    moved, slopes = MAPS[way](samples.places)
    return samples, across, moved[None], slopes[None]


def test_chords_lie_across_the_strokes(case):
    samples, across, *_ = case
    assert np.average(across.lengths, weights=across.weights) == pytest.approx(WIDTH, rel=0.02)
    assert np.median(thicknesses(samples, samples.places)) == pytest.approx(WIDTH, rel=0.01)


def test_strokes_keep_their_width(case):
    samples, across, moved, slopes = case
    kept = moved + widths.keep(samples, across, samples.places, moved, slopes)
    assert widths.error(across, kept, slopes)[0] < 0.03
    found = thicknesses(samples, kept[0])
    assert np.median(found) == pytest.approx(WIDTH, rel=0.03)
    assert np.mean(np.abs(found / WIDTH - 1) < 0.06) > 0.8


def test_without_it_they_do_not(case):
    samples, across, moved, slopes = case
    assert widths.error(across, moved, slopes)[0] > 0.08
    found = thicknesses(samples, moved[0])
    assert np.mean(np.abs(found / WIDTH - 1) < 0.06) < 0.5


def test_the_middles_of_strokes_stay_where_the_map_puts_them(case):
    samples, across, moved, slopes = case
    correction = widths.keep(samples, across, samples.places, moved, slopes)[0]
    knots = correction[::2][across.feet] * across.shares[..., None]
    middles = np.linalg.norm(knots.sum(1), axis=1) / 2
    assert np.average(middles, weights=across.weights) < 0.15


def test_what_is_not_stretched_is_not_corrected(case):
    samples, across, *_ = case
    still = np.broadcast_to(np.eye(2), (1, len(samples.places), 2, 2))
    found = widths.keep(samples, across, samples.places, samples.places[None], still)
    assert np.abs(found).max() < 0.02


@pytest.mark.parametrize("turned", [False, True])
def test_a_contour_may_run_either_way_round(turned):
    left, right = (22 + WIDTH, 22) if turned else (22, 22 + WIDTH)
    ring = [circle(10, 14, 8), circle(10, 14, 8 - WIDTH, hole=True)]
    samples = sample([*ring, box(left, 4, right, 24)], 1.0)
    assert samples is not None
    across = widths.chords(samples, samples.places)
    assert across is not None
    assert across.lengths == pytest.approx(WIDTH, rel=0.1)
    assert (samples.places[2 * across.feet[:, 0], 0] > 21).any()


def test_a_stem_among_hairlines_keeps_its_width():
    """Most of the outline of this E is hairlines, a fifth as wide as the stem."""
    thin, right = WIDTH / 5, 8 + WIDTH
    steps: list[tuple[float, float]] = [(22.0, 4.0)]
    for arm in (4, 14 - thin / 2, 24 - thin):
        steps += [(22, arm), (22, arm + thin), (right, arm + thin), (right, arm + 10 - thin / 2)]
    samples = sample([polygon(*steps[:-2], (22, 24), (8, 24), (8, 4))], 1.0)
    assert samples is not None
    across = widths.chords(samples, samples.places)
    assert across is not None
    moved, slopes = smooth(samples.places)
    kept = moved + widths.keep(samples, across, samples.places, moved[None], slopes[None])[0]
    x, y = samples.places.T
    between = (np.abs(y - 9) < 3) | (np.abs(y - 19) < 3)
    left, right = (kept[between & (np.abs(x - at) < 0.01)] for at in (8, right))
    assert len(left) == len(right) > 5
    apart = np.linalg.norm(left[:, None] - right, axis=2).min(1)
    assert apart == pytest.approx(WIDTH, rel=0.05)


def test_a_filled_shape_has_no_strokes():
    samples = sample([polygon((4, 4), (24, 4), (24, 24), (4, 24))], 1.0)
    assert samples is not None
    assert widths.chords(samples, samples.places) is None
