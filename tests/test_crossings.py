"""How often outlines cross themselves, and each other."""

import numpy as np
import pytest
from shapes import circle

from vce_models.fonts import crossings

SQUARE = ((0, 0), (100, 0), (100, 100), (0, 100))
BOW_TIE = ((0, 0), (100, 100), (100, 0), (0, 100))


def masters(*polygons):
    return [np.array(polygon, float)[None] for polygon in polygons]


def shifted(polygon, x, y):
    return tuple((a + x, b + y) for a, b in polygon)


@pytest.mark.parametrize(
    ("polygons", "times"),
    [
        ([SQUARE], 0),
        ([BOW_TIE], 1),
        ([SQUARE, shifted(SQUARE, 50, 30)], 2),
        ([SQUARE, shifted(SQUARE, 300, 0)], 0),
        ([SQUARE, shifted(BOW_TIE, 300, 0)], 1),
        ([SQUARE, ((20, 20), (20, 80), (80, 80), (80, 20))], 0),
    ],
)
def test_crossings_are_counted(polygons, times):
    assert crossings.count(masters(*polygons)).tolist() == [times]


def test_each_master_is_counted_by_itself():
    both = np.array([SQUARE, BOW_TIE], float)
    assert crossings.count([both]).tolist() == [0, 1]


def test_curves_are_looked_at_in_pieces():
    ring = tuple(tuple(curve[None] for curve in piece) for piece in circle(0, 0, 100))
    flat = crossings.flatten(tuple(tuple(part) for part in [sum(ring, ())]))
    assert [polygon.shape for polygon in flat] == [(1, 4 * crossings.FLAT, 2)]
    np.testing.assert_allclose(np.linalg.norm(flat[0], axis=-1), 100, rtol=1e-3)
    assert crossings.count(flat).tolist() == [0]
    other = [flat[0] + [60.0, 20.0]]
    assert crossings.count([*flat, *other]).tolist() == [2]


def test_a_loop_in_one_curve_is_seen():
    loop = np.array([(0, 0), (300, 200), (-200, 200), (100, 0)], float)[None]
    back = np.array([(100, 0), (0, 0)], float)[None]
    assert crossings.count(crossings.flatten(((loop, back),))).tolist() == [1]
