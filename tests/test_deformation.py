import numpy as np
import pytest
import torch
from conftest import scribble

from vce_models.config import ModelConfig
from vce_models.glyphs import images
from vce_models.networks.deformation import Deformation, moved, penned
from vce_models.rendering import pen, splines

CONFIG = ModelConfig(wiring="deformation", unshuffle=2, blocks=2, channels=8)


@pytest.fixture(scope="module")
def q():
    glyphs = [
        images.frame(1 - np.asarray(scribble(i, 0), np.float32) / 255, "it", CONFIG).condition
        for i in (1, 2)
    ]
    return torch.from_numpy(np.stack(glyphs))[:, None]


def field(x, y, count=56):
    """The same displacement of both drawings everywhere, or one per point read."""
    full = torch.ones(2, count, count)
    return torch.stack((x * full, y * full), dim=1)


def test_control_points_of_a_straight_line_give_the_line():
    weights = splines.cubic(56, 9)
    assert weights.sum(1) == pytest.approx(1)
    line = weights @ np.arange(9, dtype=np.float32)
    assert np.diff(line) == pytest.approx(6 / 56, abs=1e-5)


def test_without_displacement_the_ink_is_the_condition(q):
    same = moved(q, field(0, 0))
    assert (same - q).abs().mean() < 0.02
    assert ((same > 0.5) == (q > 0.5)).float().mean() > 0.99


def test_without_displacement_the_pen_draws_the_condition(q):
    same = penned(measured(q[0, 0]), field(0, 0, 28)[:1], 28)
    assert (same - q[:1]).abs().mean() < 0.02
    assert ((same > 0.5) == (q[:1] > 0.5)).float().mean() > 0.98


def test_without_displacement_the_pen_draws_every_detail():
    drawing = images.frame(1 - np.asarray(scribble(1, 0, 400), np.float32) / 255, "it", CONFIG)
    detail = torch.from_numpy(drawing.detail)
    same = penned(measured(detail), field(0, 0, 224)[:1], 28)[0, 0]
    ink, drawn = detail > 0.5, same > 0.5
    assert (ink & drawn).sum() > 0.95 * (ink | drawn).sum()
    assert ((same > 0.05) & (same < 0.95)).float().mean() < 0.05


@pytest.mark.parametrize("width", [0.6, 0.8, 1.2, 2.0])
@pytest.mark.parametrize(("grown", "error"), [(1.0, 0.09), (2.2, 0.33)])
def test_a_pen_keeps_its_width_to_a_fraction_of_a_pixel(width, grown, error):
    place = ((torch.arange(224) + 0.5) / 8 - 14) * (1 / grown - 1)
    for angle in (0.0, 0.4):
        line = measured(band(width, angle, 8))
        drawn = penned(line, field(place, place[:, None], 224)[:1], 28)
        assert across(drawn, angle, 8) == pytest.approx(width, abs=error)


@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_a_hairline_is_drawn_with_the_thinnest_pen(angle):
    drawn = penned(measured(band(0.1, angle, 8)), field(0, 0, 224)[:1], 28)
    assert 2 * pen.THIN < across(drawn, angle, 8) + 0.1 < 2 * pen.THIN + 0.4


@pytest.mark.parametrize("draws", ["ink", "pen"])
def test_a_displacement_to_the_right_and_down_reads_from_there(q, draws):
    def drawn(x, y):
        if draws == "ink":
            return moved(q, field(x, y))
        return penned(measured(q[0, 0]), field(x, y, 28), 28)

    expected = torch.zeros_like(q)
    expected[..., :-2, :-3] = drawn(0, 0)[..., 2:, 3:]
    torch.testing.assert_close(drawn(3, 2), expected, atol=1e-4, rtol=0)


def test_far_from_the_frame_there_is_no_ink(q):
    assert moved(q, field(100, 0)).max() == 0
    assert penned(measured(q[0, 0]), field(100, 0, 28), 28).max() == 0


def measured(drawing):
    return torch.from_numpy(pen.measure(drawing.numpy(), 28))


def band(width, angle, detail=1):
    """Ink of a straight band through the middle, averaged over pixels or parts of them."""
    count = 28 * detail
    line = (np.arange(10 * count) + 0.5) / 10 / detail - 14
    distance = line * np.cos(angle) + line[:, None] * np.sin(angle)
    ink = (np.abs(distance) < width / 2).astype(np.float32)
    return torch.from_numpy(ink.reshape(count, 10, count, 10).mean((1, 3)))


def across(drawing, angle, detail=1):
    """Width of a band at its middle rows, measured across it."""
    middle = drawing[0, 0, 8 * detail : 20 * detail]
    return float(middle.sum() / 12 / detail**2) * np.cos(angle)


@pytest.mark.parametrize("angle", [0.0, 0.4])
@pytest.mark.parametrize("width", [1.17, 2.0])
@pytest.mark.parametrize("scale", [0.6, 1.0, 1.7])
def test_a_pen_keeps_its_width_where_the_drawing_grows_or_shrinks(scale, width, angle):
    place = (torch.arange(28) - 13.5) * (1 / scale - 1)
    line = measured(band(width, angle, 8))
    same, grown = (penned(line, field(x, x.mT, 28)[:1], 28) for x in (0 * place[None], place[None]))
    assert across(same, angle) == pytest.approx(width, abs=0.15)
    assert across(grown, angle) == pytest.approx(across(same, angle), rel=0.25)


def test_a_pen_keeps_its_width_where_the_drawing_grows_one_way():
    place = (torch.arange(28) - 13.5) * (1 / 1.8 - 1)
    for x, y in ((place, 0), (0, place[:, None])):
        grown = penned(measured(band(1.17, 0.0, 8)), field(x, y, 28)[:1], 28)
        assert across(grown, 0.0) == pytest.approx(1.17, rel=0.25)


@pytest.mark.parametrize("width", [1.2, 3.0])
@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_the_ends_of_a_line_are_as_wide_as_its_middle(width, angle):
    """Also where it is enlarged across, and along its length it is not."""
    rows = (torch.arange(224) + 0.5) / 8 - 14
    within = (rows[:, None] * np.cos(angle) - rows * np.sin(angle)).abs() < 7
    place = rows * (1 / 2 - 1)
    drawn = penned(measured(band(width, angle, 8) * within), field(place, 0, 224)[:1], 28)[0, 0]
    widths = drawn.sum(1)[drawn.sum(1) > 0] / 8 * np.cos(np.arctan(2 * np.tan(angle)))
    ends = round(8 * width * np.sin(angle)) + 3  # rows where a slanted end has a part of its width
    middle = widths[len(widths) // 2 - 16 : len(widths) // 2 + 16].mean()
    assert widths[ends:-ends].max() < middle + 0.2
    assert widths[ends:-ends].min() > middle - 0.2


def test_a_hairline_beside_a_stem_is_not_broken():
    """Where it is enlarged it keeps its own width, and not the stem's."""
    drawing = torch.zeros(224, 224)
    drawing[40:184, 60:84] = 1.0
    drawing[109:114, 84:180] = 1.0
    place = ((torch.arange(224) + 0.5) / 8 - 14) * (1 / 2.2 - 1)
    grown = penned(measured(drawing), field(0, place[:, None], 224)[:1], 28)[0, 0]
    widths = (grown[80:140, 90:170] > 0.5).sum(0) / 8
    assert widths.min() > 0.4
    assert widths[25:].max() < 0.9  # 0.6 there


def test_what_shrinks_beyond_measure_leaves_no_haze():
    place = (torch.arange(28) - 13.5) * (1 / 0.1 - 1)
    drawn = penned(measured(band(2.0, 0.0)), field(place, place[:, None], 28)[:1], 28)[0, 0]
    assert drawn[:10].max() == 0
    assert drawn[:, :10].max() == 0


def test_what_is_wider_than_a_line_grows():
    place = (torch.arange(28) - 13.5) * (1 / 1.5 - 1)
    grown = penned(measured(band(10.0, 0.0)), field(place, place[:, None], 28)[:1], 28)
    assert across(grown, 0.0) == pytest.approx(15 - 2 * pen.RADIUS * 0.5, abs=0.3)


def test_beyond_the_frame_there_is_no_ink_however_the_drawing_shrinks():
    square = torch.zeros(28, 28)
    square[8:20, 0:4] = 1.0
    place = (torch.arange(28) - 13.5) * (1 / 0.35 - 1)
    shrunk = penned(measured(square), field(place, place[:, None], 28)[:1], 28)
    assert shrunk[..., :8].max() == 0
    assert shrunk[..., 8:11].max() > 0.9


@pytest.mark.parametrize("ink", [0.0, 1.0])
def test_paper_stays_paper_and_ink_ink(ink):
    drawn = penned(measured(torch.full((28, 28), ink)), field(0, 0, 28)[:1], 28)
    assert torch.equal(drawn, torch.full((1, 1, 28, 28), ink))


def test_a_rule_moves_every_condition_and_none_alike(q):
    torch.manual_seed(0)
    convertor = Deformation(CONFIG)
    z = torch.randn(2, 28, 2, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        one, other = (
            convertor.field(rules, q, convertor.points) for rules in (z[:1].expand(2, -1, -1), z)
        )
    assert one.abs().mean() > 0.1
    assert not torch.equal(one[0], one[1])  # what the trunk adds depends on the condition
    assert (one[1] - other[1]).abs().mean() > 0.1


def test_the_observation_sees_the_ink_alone(q):
    torch.manual_seed(0)
    convertor = Deformation(CONFIG)
    with torch.inference_mode():
        ink, logits = convertor(torch.zeros(2, 28, 2), q)
        torch.testing.assert_close(convertor.observation(ink), logits)
    assert 0 <= ink.min() <= ink.max() <= 1
