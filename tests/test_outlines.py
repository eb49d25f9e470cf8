import itertools
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import scribble
from PIL import Image, ImageDraw

from vce_models import rules, weights
from vce_models.config import ModelConfig
from vce_models.convert import convert
from vce_models.fonts.tracing import SPECK, Contour, solid, svg, trace
from vce_models.glyphs import images

CONFIG = ModelConfig()


def read(image):
    return images.frame(1 - np.asarray(image, np.float32) / 255, "a drawing", CONFIG).detail


def ring():
    image = Image.new("L", (315, 315), 255)
    ImageDraw.Draw(image).ellipse((60, 60, 252, 252), outline=0, width=36)
    return read(image)


@pytest.fixture(scope="module")
def drawings():
    return [read(scribble(character, 0, 315)) for character in range(12)]


@pytest.fixture(scope="module")
def conversions(drawings):
    model = weights.load()
    shapes = [*drawings[:6], ring()]
    conditions = [detail.reshape(28, 8, 28, 8).mean((1, 3)) for detail in shapes]
    r = rules.sample(2, CONFIG, 5)
    drawn = [convert(model, *pair, 8) for pair in zip(conditions, itertools.repeat(r), shapes)]
    return list(np.concatenate(drawn))


def flatten(contour):
    """The contour as a polygon, (N, 2)."""
    points, here = [contour.start], np.array(contour.start)
    t = np.linspace(0, 1, 9)[1:, None]
    for segment in contour.segments:
        if len(segment) == 1:
            points.append(segment[0])
        else:
            a, b, c = map(np.array, segment)
            points += (
                here * (1 - t) ** 3 + 3 * a * t * (1 - t) ** 2 + 3 * b * t**2 * (1 - t) + c * t**3
            ).tolist()
        here = np.array(segment[-1])
    return np.array(points)


def winding(contours, side):
    """How often the contours wind around the centre of each pixel, (side, side)."""
    steps = np.zeros((side, side + 1), int)
    for contour in contours:
        points = flatten(contour) * side - 0.5
        for (x, y), (u, v) in itertools.pairwise(points):
            low, high = sorted((y, v))
            rows = np.arange(max(0, np.ceil(low)), min(side, np.ceil(high)), dtype=int)
            if len(rows):
                crossed = np.ceil(x + (rows - y) / (v - y) * (u - x)).astype(int)
                steps[rows, np.clip(crossed, 0, side)] += 1 if y > v else -1
    return np.cumsum(steps, axis=1)[:, :side]


def overlap(a, b):
    return (a & b).sum() / (a | b).sum()


def large(mask, side):
    return np.kron(mask, np.ones((side // len(mask),) * 2, bool))


def test_outlines_fill_what_they_trace(drawings, conversions):
    """But for the steps of pixels, which the drawings have at their edges."""
    found = []
    for image in (*drawings, *conversions):
        ink = solid(image)
        side = 2 * len(ink)
        found.append(overlap(winding(trace(image), side) > 0, large(ink, side)))
    assert np.mean(found) > 0.95
    assert min(found) > 0.93


def test_a_smooth_edge_has_few_nodes_and_no_steps():
    y, x = np.mgrid[:224, :224] + 0.5
    disc = np.clip(70.5 - np.hypot(x - 112, y - 112), 0, 1).astype(np.float32)
    (contour,) = trace(disc)
    assert len(contour.segments) <= 8
    away = np.hypot(*(flatten(contour) * 224 - 112).T)
    assert np.abs(away - 70).max() < 0.3


def test_corners_are_sharp_and_sides_between_them_lines():
    square = np.zeros((224, 224), np.float32)
    square[60:160, 50:180] = 1
    (contour,) = trace(square)
    assert [len(segment) for segment in contour.segments] == [1, 1, 1, 1]
    corners = np.array([segment[-1] for segment in contour.segments]) * 224
    wanted = {(50, 60), (180, 60), (180, 160), (50, 160)}
    assert {tuple(np.rint(corner).astype(int).tolist()) for corner in corners} == wanted
    assert np.abs(corners - np.rint(corners)).max() < 0.3


def test_outsides_run_clockwise_and_holes_the_other_way():
    outside, hole = trace(ring())
    assert outside.area > 0 > hole.area
    assert set(np.unique(winding((outside, hole), 448))) == {0, 1}


def test_filling_by_nonzero_winding_and_by_even_and_odd_are_the_same(drawings, conversions):
    for image in (*drawings, *conversions):
        times = winding(trace(image), 448)
        assert np.mean((times != 0) != (times % 2 == 1)) < 1e-3


def test_paths_close_and_stay_on_the_canvas(drawings, conversions):
    to_the_edge = np.zeros((28, 28), np.float32)
    to_the_edge[:, 10:14] = to_the_edge[3:7] = 1
    for image in (*drawings, *conversions, to_the_edge):
        for contour in trace(image):
            assert contour.segments[-1][-1] == contour.start
            points = flatten(contour)
            assert points.min() > -0.001
            assert points.max() < 1.001


def test_a_contour_takes_some_sixty_points_and_never_many_more(conversions):
    counts = [len(c.segments) for image in conversions for c in trace(image)]
    assert np.median(counts) <= 70
    assert max(counts) <= 150


def test_specks_of_ink_and_of_paper_are_left_out():
    image = np.zeros((28, 28), np.float32)
    image[2, 2] = 0.6
    image[8:20, 8:20] = 1
    image[14, 14] = 0.45
    parted = solid(image)
    assert parted[44:66, 44:66].any()
    assert not parted[308:330, 308:330].all()
    (square,) = trace(image)
    assert square.area > SPECK


def test_area_is_that_of_the_ink():
    assert sum(c.area for c in trace(ring())) == pytest.approx(solid(ring()).mean(), rel=0.02)
    circle = 0.5522847
    quarters = (
        ((1, circle), (circle, 1), (0, 1)),
        ((-circle, 1), (-1, circle), (-1, 0)),
        ((-1, -circle), (-circle, -1), (0, -1)),
        ((circle, -1), (1, -circle), (1, 0)),
    )
    assert Contour((1, 0), quarters).area == pytest.approx(np.pi, rel=1e-3)


def test_blank_paper_and_haze_have_no_outlines():
    assert trace(np.zeros((28, 28), np.float32)) == ()
    assert trace(np.full((28, 28), 0.49, np.float32)) == ()


def test_what_is_likelier_than_not_is_ink():
    noise = np.random.default_rng(0).random((28, 28), np.float32)
    enlarged = np.asarray(Image.fromarray(noise).resize((616, 616), Image.Resampling.BICUBIC))
    assert np.array_equal(solid(noise), enlarged >= 0.5)


def test_other_sizes_are_traced_too():
    for size in (8, 32, 512):
        image = np.zeros((size, size), np.float32)
        image[size // 4 : -size // 4, size // 4 : -size // 4] = 1
        (square,) = trace(image)
        assert square.area == pytest.approx(0.25, rel=0.03)


def test_svg_has_a_path_for_each_glyph_in_its_cell(drawings):
    cells = [[trace(drawings[0]), ()], [trace(drawings[1]), trace(ring())]]
    document = svg(cells, 100, 10)
    root = ElementTree.fromstring(document)
    assert root.get("viewBox") == "0 0 230 230"
    paths = [path.get("d") for path in root]
    assert len(paths) == 3
    for path, (left, top) in zip(paths, ((10, 10), (10, 120), (120, 120)), strict=True):
        x, y = np.array(re.findall(r"-?[\d.]+", path), np.float64).reshape(-1, 2).T
        assert left <= x.min() < x.max() <= left + 100
        assert top <= y.min() < y.max() <= top + 100


def test_svg_is_short_and_the_same_each_time(drawings):
    document = svg([[trace(image) for image in drawings]], 112, 8)
    assert document == svg([[trace(image) for image in drawings]], 112, 8)
    assert not re.search(r"\.\d{3}|\.0\b|e-", document)
    assert len(document) / len(drawings) < 5000
    assert svg([], 112, 8).startswith("<svg")


def test_nothing_optional_loads_with_the_modules():
    loads = "import sys, vce_models.fonts.tracing, vce_models.fonts.paths; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    assert not {"contourpy", "fontTools", "ufoLib2"} & set(done.stdout.split())
