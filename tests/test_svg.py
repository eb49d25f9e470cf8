"""Outlines moved by rules, against the pen's pictures of the same rules."""

import re
import string
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import scribble
from fontTools.pens.boundsPen import ControlBoundsPen
from fontTools.svgLib.path import parse_path
from matplotlib import get_data_path

from vce_models import rules, weights
from vce_models.convert import convert
from vce_models.fonts import crossings, paths, raster, tracing
from vce_models.fonts.source import read_font
from vce_models.glyphs import images

FONT = Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf")
RULES, SIDE = 2, 224


@pytest.fixture(scope="module")
def sampled():
    model = weights.load()
    return model, rules.sample(RULES, model.config, 7)


def polygons(contours, side=SIDE):
    """Moved contours as polygons, in pixels, y down."""
    found, t = [], np.linspace(0, 1, 13)[1:, None]
    for contour in contours:
        places, here = [np.array([contour.start])], np.array(contour.start)
        for segment in contour.segments:
            if len(segment) == 1:
                places.append(np.array(segment))
            else:
                a, b, c = map(np.array, segment)
                s = 1 - t
                places.append(here * s**3 + 3 * a * t * s**2 + 3 * b * t**2 * s + c * t**3)
            here = np.array(segment[-1])
        found.append(np.concatenate(places) * side)
    return found


def overlap(a, b):
    return (a & b).sum() / (a | b).sum()


def overlaps(model, r, drawing, outline):
    """How far the moved outline and the pen's picture agree, for each rule."""
    moved = paths.moved(model, r, 1.0, drawing.condition, outline)
    penned = convert(model, drawing.condition, r, drawing.detail, SIDE // model.config.size)
    return [
        overlap(raster.fill(polygons(contours), SIDE, 4) >= 0.5, image >= 0.5)
        for (contours, _), image in zip(moved, penned, strict=True)
    ]


def of_font(font, character, config):
    drawing, at = font.read(ord(character), config)
    return drawing, (font.contours(ord(character)), at)


def test_moved_letters_and_digits_are_what_the_pen_draws(sampled):
    model, r = sampled
    font = read_font(FONT)
    found = {
        character: overlaps(model, r, *of_font(font, character, model.config))
        for character in string.ascii_letters + string.digits
    }
    assert np.mean(list(found.values())) >= 0.85
    assert min(map(min, found.values())) >= 0.6


def test_moved_drawings_are_what_the_pen_draws(sampled):
    model, r = sampled
    found = []
    for character in range(4):
        ink = 1 - np.asarray(scribble(character, 0, 315), np.float32) / 255
        drawing = images.frame(ink, "it", model.config)
        outline = tracing.contours(drawing.detail), paths.CANVAS
        found += overlaps(model, r, drawing, outline)
    assert np.mean(found) >= 0.8
    assert min(found) >= 0.5


def test_paths_close_where_they_began(sampled):
    model, r = sampled
    drawing, outline = of_font(read_font(FONT), "&", model.config)
    for contours, _ in paths.moved(model, r, 1.0, drawing.condition, outline):
        assert len(contours) == len(outline[0])
        for contour in contours:
            assert contour.segments[-1][-1] == pytest.approx(contour.start, abs=1e-9)


def test_outsides_run_clockwise_on_the_screen(sampled):
    model, r = sampled
    drawing, outline = of_font(read_font(FONT), "o", model.config)
    for contours, _ in paths.moved(model, r, 1.0, drawing.condition, outline):
        assert sorted(np.sign([contour.area for contour in contours])) == [-1, 1]


def test_a_glyph_without_ink_has_no_contours(sampled):
    model, r = sampled
    blank = np.zeros((model.config.size,) * 2, np.float32)
    assert list(paths.moved(model, r, 1.0, blank, ([], paths.CANVAS))) == [((), False)] * 2


def test_strength_takes_an_outline_farther(sampled):
    model, r = sampled
    drawing, outline = of_font(read_font(FONT), "k", model.config)
    apart = []
    for strength in (0.0, 0.5, 1.0):
        (one, _), (other, _) = paths.moved(model, r, strength, drawing.condition, outline)
        pictures = [raster.fill(polygons(c), SIDE, 4) >= 0.5 for c in (one, other)]
        apart.append(1 - overlap(*pictures))
    assert apart[0] == pytest.approx(0, abs=1e-3)
    assert apart[0] < apart[1] < apart[2]


def test_a_letters_outline_takes_the_points_that_it_needs(sampled):
    model, r = sampled
    font = read_font(FONT)
    for character, most in (("l", 16), ("E", 60), ("o", 30), ("g", 110)):
        drawing, outline = of_font(font, character, model.config)
        for contours, _ in paths.moved(model, r, 1.0, drawing.condition, outline):
            assert sum(len(c.segments) for c in contours) <= most, character


def test_the_command_writes_a_path_for_each_outline(vce, tmp_path):
    vce("convert", FONT, "--text", "go", "-n", 2, "--seed", 7, "-o", "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    paths = [path.attrib["d"] for path in root]
    assert len(paths) == 4
    assert [path.count("Z") for path in paths] == [2, 2, 2, 2]
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    for path in paths:
        pen = ControlBoundsPen(None)
        parse_path(path, pen)
        left, top, right, bottom = pen.bounds
        assert -10 < left < right < width + 10
        assert -10 < top < bottom < height + 10


def test_a_drawing_is_a_path_too_and_the_same_each_time(vce, tmp_path):
    scribble(1, 0).save(tmp_path / "a.png")
    for name in ("one", "two"):
        vce("convert", "a.png", "-n", 1, "--seed", 7, "-o", f"{name}.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    (path,) = ElementTree.parse(tmp_path / "one.svg").getroot()
    assert 20 < len(re.findall(r"[LC]", path.get("d"))) < 200


def test_a_rule_that_would_make_a_stem_cross_itself_is_weakened():
    model = weights.load()
    r = rules.sample(1, model.config, 1)  # it bends a thin stem into a loop
    drawing, outline = of_font(read_font(FONT), "I", model.config)
    ((contours, weaker),) = paths.moved(model, r, 1.0, drawing.condition, outline, calm=False)
    assert weaker
    polygon = polygons(contours)[0][:-1]  # which ends where it begins
    edges = [segment[None] for segment in np.stack((polygon, np.roll(polygon, -1, 0)), 1) * 10]
    assert crossings.count((tuple(edges),)).tolist() == [0]
