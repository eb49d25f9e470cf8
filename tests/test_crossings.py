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


UPRIGHT = np.eye(2)[None]


def two(before, after):
    """Outlines of a source and of one hand."""
    return tuple(
        tuple(np.concatenate(pair) for pair in zip(*contours, strict=True))
        for contours in zip(masters(*before), masters(*after), strict=True)
    )


def places(contours):
    (found,) = crossings.more(contours, UPRIGHT, 1000.0)
    return found.tolist()


def test_a_line_that_ends_on_another_crosses_it():
    folded = ((0, 0), (10, 0), (10, 60), (7, 0), (4, 60), (3, 0), (0, 60))
    assert crossings.count(masters(folded)).tolist() == [2]


def test_a_hand_may_cross_itself_as_often_as_its_source():
    assert places(two([BOW_TIE], [BOW_TIE])) == []
    assert places(two([SQUARE], [SQUARE])) == []
    assert places(two([SQUARE], [BOW_TIE])) != []


def test_whole_coordinates_are_looked_at():
    thin = ((0, 0), (100, 0), (100, 40), (50, 0.4), (0, 40))
    thinner = ((0, 0), (100, 0.6), (100, 40), (50, 0.4), (0, 40))
    assert crossings.count(masters(thinner)).tolist() == [0]
    assert places(two([((0, 0), (100, 0), (100, 40), (50, 9), (0, 40))], [thin])) != []


def test_contours_that_overlap_in_the_source_may_overlap_more_often():
    bars = [SQUARE, shifted(SQUARE, 50, 30)]
    comb = ((50, 30), (150, 30), (150, 130), (50, 130))
    poked = ((50, 30), (150, 30), (150, 130), (-20, 60))
    assert places(two(bars, [SQUARE, comb])) == places(two(bars, [SQUARE, poked])) == []
    assert places(two([SQUARE, shifted(SQUARE, 300, 0)], bars)) != []


def test_a_loop_of_the_source_may_grow_no_more_than_its_hand():
    small = ((0, 0), (300, 0), (300, 100), (100, 100), (100, -20), (80, -20), (80, 100), (0, 100))
    large = ((0, 0), (300, 0), (300, 100), (100, 100), (100, -60), (80, -60), (80, 100), (0, 100))
    assert places(two([small], [small])) == []
    assert places(two([small], [large])) != []
    assert crossings.more(two([small], [large]), 2 * UPRIGHT, 1000.0)[0].tolist() == []
