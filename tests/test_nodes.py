"""Nodes in whole font units, none of which meets its neighbour."""

import numpy as np
import pytest

from vce_models.fonts import nodes


def closed(*places):
    """A contour of lines in one master."""
    return tuple(
        np.array([[here, there]], float)
        for here, there in zip(places, places[1:] + places[:1], strict=True)
    )


def begins(contour):
    return [tuple(segment[0, 0]) for segment in contour]


def test_nodes_become_whole_and_segments_still_join():
    (contour,) = nodes.settle((closed((0.4, 0.2), (99.7, 0.5), (50.2, 80.5)),))
    assert begins(contour) == [(0, 0), (100, 1), (50, 81)]
    for here, there in zip(contour, contour[1:] + contour[:1], strict=True):
        assert tuple(here[0, -1]) == tuple(there[0, 0])


def test_handles_go_with_their_nodes():
    curve = np.array([(0.4, 0.0), (10.0, 20.0), (30.0, 40.0), (60.7, 50.0)])[None]
    back = np.array([(60.7, 50.0), (0.4, 0.0)])[None]
    ((settled, _),) = nodes.settle(((curve, back),))
    np.testing.assert_allclose(settled[0], [(0, 0), (9.6, 20), (30.3, 40), (61, 50)])


@pytest.mark.parametrize(
    "near",
    [
        ((0.0, 0.0), (100.0, 0.0), (100.3, 0.1), (50.0, 80.0)),
        ((0.0, 0.0), (100.0, 0.0), (50.0, 80.0), (50.1, 80.4)),
        ((0.0, 0.0), (100.0, 0.0), (50.0, 80.0), (0.2, 0.3)),
        ((0.0, 0.0), (0.1, 0.0), (0.2, 0.0), (0.4, 0.1), (50.0, 80.0)),
    ],
)
def test_neighbours_that_would_meet_stay_apart(near):
    (contour,) = nodes.settle((closed(*near),))
    assert len(set(begins(contour))) == len(near)
    assert max(np.abs(np.array(begins(contour)) - near).max(0)) <= len(near) - 1


def test_neighbours_in_one_place_stay_together():
    (contour,) = nodes.settle((closed((0.0, 0.0), (0.0, 0.0), (100.0, 0.0), (50.0, 80.0)),))
    assert begins(contour)[0] == begins(contour)[1] == (0, 0)


def test_tiny_cubics_become_lines_in_all_masters():
    tiny = np.array([(0, 0), (0.2, 1.1), (0.9, 1.9), (2, 2)], float)
    rest = np.array([(2, 2), (60, 10), (60, 90), (0, 0)], float)
    segments = [np.stack((curve, curve)) for curve in (tiny, rest)]
    ((settled, other),) = nodes.settle((tuple(segments),))
    assert settled.shape == (2, 2, 2)
    assert other.shape == (2, 4, 2)
    segments[0][1] *= 2  # in one master it is no longer tiny
    ((settled, _),) = nodes.settle((tuple(segments),))
    assert settled.shape == (2, 4, 2)
