"""Curves through moved outlines: the same in every master, near enough, exact in the first."""

from pathlib import Path

import numpy as np
import pytest
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import get_data_path
from shapes import box, circle, polygon

from vce_models.fonts import fitting, outline
from vce_models.fonts.source import read_font

EM = 1000.0
FONT = Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf")
SHAPES = {
    "box": [box(100, 0, 200, 700)],
    "ring": [circle(300, 300, 280), circle(300, 300, 200, hole=True)],
    "L": [polygon((0, 0), (500, 0), (500, 90), (90, 90), (90, 700), (0, 700))],
}


def affine(places):
    return places @ np.array([[1.1, 0.05], [0.2, 0.9]]) + (30, -20)


def wavy(places):
    x, y = places[..., 0], places[..., 1]
    return np.stack((1.1 * x + 35 * np.sin(y / 190), 0.95 * y + 30 * np.sin(x / 150)), -1)


def letters():
    font = read_font(FONT)
    scale = EM / font.em
    return {
        character: [
            [[curve * scale for curve in piece] for piece in contour]
            for contour in font.contours(ord(character))
        ]
        for character in "aSg&k"
    }


def sampled(contours):
    samples = outline.sample(contours, 35.0)
    assert samples is not None
    return samples


@pytest.fixture(scope="module", params=[*SHAPES, *"aSg&k"])
def fitted(request):
    """Samples, their places in three masters, and the curves through them."""
    contours = SHAPES.get(request.param) or letters()[request.param]
    samples = sampled(contours)
    masters = np.stack((samples.places, affine(samples.places), wavy(samples.places)))
    return samples, masters, fitting.fit(samples, masters, EM)


def dense(curve):
    return outline.evaluate(curve, np.linspace(0, 1, 200))


def test_every_master_has_the_same_segments(fitted):
    samples, masters, contours = fitted
    assert len(contours) == len(samples.contours)
    for contour in contours:
        assert contour
        for segment in contour:
            assert segment.shape in ((len(masters), 2, 2), (len(masters), 4, 2))


def test_ends_meet(fitted):
    _, _, contours = fitted
    for contour in contours:
        for segment, after in zip(contour, (*contour[1:], contour[0]), strict=True):
            np.testing.assert_allclose(segment[:, -1], after[:, 0], atol=1e-9)


def test_curves_stay_near_what_they_go_through(fitted):
    _, masters, contours = fitted
    for master, places in enumerate(masters):
        curve = np.concatenate([dense(segment[master]) for c in contours for segment in c])
        far = [np.linalg.norm(curve - place, axis=1).min() for place in places]
        assert max(far) < fitting.TOLERANCE * EM + 1.0  # dense points are some units apart


def test_straight_lines_stay_lines_under_an_affine_map():
    for shape in ("box", "L"):
        samples = sampled(SHAPES[shape])
        masters = np.stack((samples.places, affine(samples.places)))
        (contour,) = fitting.fit(samples, masters, EM)
        assert len(contour) == len(SHAPES[shape][0])
        assert {segment.shape[1] for segment in contour} == {2}
        corners = np.array([piece[0][0] for piece in SHAPES[shape][0]])
        np.testing.assert_allclose([segment[1][0] for segment in contour], affine(corners))


def test_a_line_that_bends_in_one_master_is_a_curve_in_all():
    samples = sampled(SHAPES["box"])
    masters = np.stack((samples.places, affine(samples.places), wavy(samples.places)))
    (contour,) = fitting.fit(samples, masters, EM)
    assert 4 in {segment.shape[1] for segment in contour}
    upright = [s[0] for s in contour if s.shape[1] == 4]
    for curve in upright:  # in the source they are straight all the same
        chord = curve[3] - curve[0]
        offset = curve[1:3] - curve[0]
        assert np.abs(chord[0] * offset[:, 1] - chord[1] * offset[:, 0]).max() < 1e-6 * EM**2


def test_the_sources_own_cubics_are_kept():
    samples = sampled(SHAPES["ring"])
    masters = np.stack((samples.places, samples.places * (1.2, 0.9)))
    contours = fitting.fit(samples, masters, EM)
    for fitted, own in zip(contours, SHAPES["ring"], strict=True):
        assert len(fitted) == 4
        for segment, (curve,) in zip(fitted, own, strict=True):
            np.testing.assert_allclose(segment[0], curve, atol=1e-9)


def test_where_they_are_divided_the_parts_are_theirs_to_a_fraction_of_a_unit():
    samples = sampled(SHAPES["ring"])
    masters = np.stack((samples.places, affine(samples.places)))
    for fitted, own in zip(fitting.fit(samples, masters, EM), SHAPES["ring"], strict=True):
        dots = [outline.evaluate(curve, np.linspace(0, 1, 8000)) for (curve,) in own]
        fine = np.concatenate(dots)
        for segment in fitted:
            for place in dense(segment[0])[::20]:
                assert np.linalg.norm(fine - place, axis=1).min() < 0.2


def test_a_long_turn_is_divided_on_the_curve_itself():
    half = np.array([(300, 0), (300, 400), (-300, 400), (-300, 0)], float)
    contour = [[half], [np.array([(-300, 0), (300, 0)], float)]]
    samples = sampled([contour])
    (fitted,) = fitting.fit(samples, np.stack((samples.places, affine(samples.places))), EM)
    cubics = [segment[0] for segment in fitted if segment.shape[1] == 4]
    assert len(cubics) == 2
    curve = dense(half)
    for cubic in cubics:
        fine = outline.evaluate(half, np.linspace(0, 1, 4000))
        far = [np.linalg.norm(fine - place, axis=1).min() for place in dense(cubic)[::20]]
        assert max(far) < 0.5
    assert curve[:, 1].max() == pytest.approx(
        max(dense(cubic)[:, 1].max() for cubic in cubics), abs=0.1
    )


def test_corners_stay_corners_and_smooth_joints_stay_smooth(fitted):
    samples, masters, contours = fitted
    sharp = {tuple(np.round(place, 6)) for place in samples.places[samples.corners]}
    for contour in contours:
        for segment, after in zip(contour, (*contour[1:], contour[0]), strict=True):
            here = tuple(np.round(segment[0, -1], 6))
            if here in sharp or 2 in (segment.shape[1], after.shape[1]):
                continue
            for master in range(1, len(masters)):
                into = segment[master, -1] - segment[master, -2]
                out = after[master, 1] - after[master, 0]
                cosine = into @ out / np.linalg.norm(into) / np.linalg.norm(out)
                assert cosine > np.cos(np.radians(8))


def test_quadratics_between_two_points_are_one_piece():
    """As TrueType fonts write what was a cubic."""
    pen = TTGlyphPen(None)
    quadratic = Cu2QuPen(pen, 1.0, reverse_direction=False)
    ring = SHAPES["ring"][0]
    quadratic.moveTo(tuple(ring[0][0][0]))
    for (curve,) in ring:
        quadratic.curveTo(*map(tuple, curve[1:]))
    quadratic.closePath()
    collected = outline.pen()
    pen.glyph().draw(collected, None)
    (contour,) = collected.contours
    assert len([piece for piece in contour if len(piece) > 1]) >= 4 - 1
    samples = sampled([contour])
    (fitted,) = fitting.fit(samples, samples.places[None], EM)
    assert len(fitted) <= 6


def test_what_has_no_length_is_not_sampled():
    assert outline.sample([], 35.0) is None
    assert outline.sample([[[np.zeros((2, 2))]], [[np.ones((4, 2))]]], 35.0) is None
