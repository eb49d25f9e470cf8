"""Contours to test with: polygons and circles, as a pen of outlines collects them."""

import numpy as np

ARC = 0.5522847498
"""Arms of the cubics that go around a circle in four, as shares of its radius."""


def polygon(*corners):
    """A closed polygon of lines."""
    ends = np.array(corners, float)
    return [[np.stack(side)] for side in zip(ends, np.roll(ends, -1, 0), strict=True)]


def box(left, bottom, right, top):
    """A rectangle; it runs round the other way where left and right change places."""
    return polygon((left, bottom), (right, bottom), (right, top), (left, top))


def circle(x, y, radius, *, hole=False):
    """Four cubics around a place."""
    quarter = np.array([(1, 0), (1, ARC), (ARC, 1), (0, 1)], float)
    turn = np.array([(0, 1), (-1, 0)], float)
    pieces = []
    for _ in range(4):
        pieces.append([quarter * radius + (x, y)])
        quarter = quarter @ turn
    return [[piece[0][::-1]] for piece in reversed(pieces)] if hole else pieces


def area(polygons):
    """The area that closed polygons enclose, signed, by the shoelace."""
    total = 0.0
    for places in polygons:
        x, y = np.asarray(places).T
        total += float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
    return total
