"""Points that whole coordinates put on the wrong side are moved by a unit."""

import numpy as np
import pytest
from test_crossings import BOW_TIE, SQUARE, UPRIGHT, two

from vce_models.fonts import crossings, nudging

OPEN = ((0, 0), (100, 0), (100, 40), (50, 9), (0, 40))
EM = 1000.0


def undone(contours):
    crossed = crossings.more(contours, UPRIGHT, EM)
    assert len(crossed[0])
    made, left = nudging.nudged(contours, crossed, UPRIGHT, EM)
    apart = [np.abs(a - b).max() for a, b in zip(made[0], contours[0], strict=True)]
    return made, len(left[0]), max(apart)


@pytest.mark.parametrize("low", [0, -1])
def test_a_node_that_lies_on_a_line_or_a_unit_beyond_is_moved_back(low):
    made, left, apart = undone(two([OPEN], [(*OPEN[:3], (50, low), OPEN[4])]))
    assert left == 0
    assert apart <= nudging.MOST
    for segment, source in zip(made[0], two([OPEN], [OPEN])[0], strict=True):
        np.testing.assert_array_equal(segment[0], source[0])


def test_outlines_that_cross_by_more_are_left_as_they_are():
    _, left, apart = undone(two([SQUARE], [BOW_TIE]))
    assert left
    assert apart == 0


def test_handles_that_rounding_exchanged_are_moved():
    """Two curves end in one sharp corner, one beneath the other."""
    upper = np.array([(0, 40), (60, 40), (150, 9), (300, 0)], float)
    lower = np.array([(300, 0), (150, 8), (60, 0), (0, 0)], float)
    side = np.array([(0, 0), (0, 40)], float)
    worse = lower.copy()
    worse[1] = (150, 10)
    assert crossings.count(((upper[None], lower[None], side[None]),)).tolist() == [0]
    hand = tuple(np.stack(pair) for pair in ((upper, upper), (lower, worse), (side, side)))
    made, left, apart = undone((hand,))
    assert left == 0
    assert 0 < apart <= nudging.MOST
    assert all(segment.shape == other.shape for segment, other in zip(made[0], hand, strict=True))
