"""Small SVG files that ask for much, or whose numbers make no sense."""

import random

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from test_hostile import MEGABYTES, run

BEGINS = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">'
TRIANGLE = '<path d="M0 0L{far} 0 {far} {far}Z"/>'


def drawn(folder, body, box="0 0 100 100"):
    (folder / "a.svg").write_text(f"{BEGINS.format(box=box)}{body}</svg>")


def line(points):
    number = random.Random(5)
    places = (f"{number.uniform(0, 100):.2f} {number.uniform(0, 100):.2f}" for _ in range(points))
    return f'<path d="M{" L".join(places)}Z"/>'


def placed(path):
    """The points of the one letter of a font."""
    with TTFont(path) as font:
        return np.array(font["glyf"][font.getBestCmap()[ord("a")]].coordinates)


def outcome(folder, target):
    return run(folder, "convert", "a.svg", "-n", 1, "-q", "--seed", 1, "-o", target)


@pytest.mark.parametrize("target", ["x.png", "x.svg", "x.ttf"])
@pytest.mark.parametrize(
    "body",
    [
        '<path d="M5 5' + "A3 3 0 1 0 9 9A3 3 0 1 0 5 5" * 50_000 + 'Z"/>',
        '<polygon points="' + "1,1 9,9 1,9 " * 200_000 + '"/>',
        '<rect width="9" height="9"/>' * 50_000,
    ],
    ids=["arcs", "points", "shapes"],
)
def test_a_drawing_of_too_many_curves_is_3(tmp_path, body, target):
    drawn(tmp_path, body)
    status, said, memory = outcome(tmp_path, target)
    assert (status, said) == (3, ["error: a.svg is damaged: it has more than 5,000 curves"])
    assert memory < MEGABYTES


@pytest.mark.parametrize("target", ["x.png", "x.svg", "x.ttf"])
@pytest.mark.parametrize(
    ("far", "box"),
    [
        ("1e308", "0 0 100 100"),
        ("1e-300", "0 0 100 100"),
        ("9", "0 0 1e300 1e-300"),
        ("1e12", "0 0 1e12 1e12"),
    ],
)
def test_shapes_and_canvas_of_senseless_sizes_are_3(tmp_path, far, box, target):
    drawn(tmp_path, TRIANGLE.format(far=far), box)
    status, said, _ = outcome(tmp_path, target)
    assert status == 3, said
    assert said[0] == "error: a.svg has shapes or a canvas too large or too small to be drawn"


def test_a_canvas_without_numbers_is_none(tmp_path):
    (tmp_path / "b").mkdir()
    for folder, box in ((tmp_path, "0 0 9 9"), (tmp_path / "b", "nan nan inf inf")):
        drawn(folder, TRIANGLE.format(far=9), box)
        assert outcome(folder, "x.ttf")[:2] == (0, [])
    one, other = (placed(folder / "x.ttf") for folder in (tmp_path, tmp_path / "b"))
    assert np.array_equal(one, other)


def test_an_outline_too_fine_to_be_bent_is_an_error_as_svg_and_only_slanted_in_a_font(tmp_path):
    drawn(tmp_path, line(300))
    status, said, memory = outcome(tmp_path, "x.svg")
    assert (status, said[0]) == (3, "error: a.svg: its outline is too fine to be moved")
    assert memory < MEGABYTES
    status, said, memory = outcome(tmp_path, "x.ttf")
    assert (status, said, memory < MEGABYTES) == (0, [], True)
    assert len(placed(tmp_path / "x.ttf")) == 300


def test_a_glyph_that_is_too_fine_does_not_stop_the_others(tmp_path):
    drawn(tmp_path, line(300))
    (tmp_path / "b.svg").write_text(f"{BEGINS.format(box='0 0 9 9')}{TRIANGLE.format(far=9)}</svg>")
    status, said, _ = run(tmp_path, "convert", "a.svg", "b.svg", "-n", 1, "-q", "-o", "x.svg")
    assert (status, said[0]) == (6, "error: a.svg: its outline is too fine to be moved")
    assert (tmp_path / "x.svg").read_text().count("<path") == 1


def test_a_document_type_is_left_alone_and_entities_are_refused(tmp_path):
    drawn(tmp_path, TRIANGLE.format(far=90))
    body = (tmp_path / "a.svg").read_text()
    public = '"-//W3C//DTD SVG 20010904//EN" "http://www.w3.org/TR/2001/SVG.dtd"'
    (tmp_path / "a.svg").write_text(f"<!DOCTYPE svg PUBLIC {public}>{body}")
    assert outcome(tmp_path, "x.svg")[0] == 0
    (tmp_path / "a.svg").write_text(f'<!DOCTYPE svg [<!ENTITY a "b">]>{body}')
    status, said, *_ = outcome(tmp_path, "x.svg")
    assert (status, "defines entities" in said[0]) == (3, True)
