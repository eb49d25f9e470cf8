"""How often outlines cross themselves, and each other."""

import numpy as np
import pytest
from shapes import circle

from vce_models.fonts import crossings

SQUARE = ((0, 0), (100, 0), (100, 100), (0, 100))
BOW_TIE = ((0, 0), (100, 100), (100, 0), (0, 100))


def masters(*polygons):
    """Outlines of lines in one master."""
    return tuple(
        tuple(
            np.array([[here, there]], float)
            for here, there in zip(polygon, polygon[1:] + polygon[:1], strict=True)
        )
        for polygon in polygons
    )


def ring(x, y):
    return tuple(curve[None] for piece in circle(x, y, 100) for curve in piece)


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
    (square,), (bow_tie,) = masters(SQUARE), masters(BOW_TIE)
    both = tuple(np.concatenate(lines) for lines in zip(square, bow_tie, strict=True))
    assert crossings.count((both,)).tolist() == [0, 1]


def test_nodes_that_meet_are_counted():
    assert crossings.count(masters(SQUARE, shifted(SQUARE, 100, 100))).tolist() == [1]


def test_curves_are_looked_at_in_pieces():
    (polygon,) = crossings.flatten((ring(0, 0),))
    assert polygon.shape == (1, 4 * crossings.FLAT, 2)
    np.testing.assert_allclose(np.linalg.norm(polygon, axis=-1), 100, rtol=1e-3)
    assert crossings.count((ring(0, 0),)).tolist() == [0]
    assert crossings.count((ring(0, 0), ring(60, 20))).tolist() == [2]


def test_a_loop_in_one_curve_is_seen():
    loop = np.array([(0, 0), (300, 200), (-200, 200), (100, 0)], float)[None]
    back = np.array([(100, 0), (0, 0)], float)[None]
    assert crossings.count(((loop, back),)).tolist() == [1]
