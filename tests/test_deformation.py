import numpy as np
import pytest
import torch
from conftest import draw

from vce_models import images, splines
from vce_models.config import ModelConfig
from vce_models.deformation import Deformation, drawn

CONFIG = ModelConfig(wiring="deformation", unshuffle=2, blocks=2, channels=8)


@pytest.fixture(scope="module")
def q():
    glyphs = [
        images.frame(1 - np.asarray(draw(i, 0), np.float32) / 255, "it", CONFIG) for i in (1, 2)
    ]
    return torch.from_numpy(np.stack(glyphs))[:, None]


def field(x, y):
    """The same displacement of both drawings everywhere, or one per point read."""
    full = torch.ones(2, 56, 56)
    return torch.stack((x * full, y * full), dim=1)


def test_control_points_of_a_straight_line_give_the_line():
    weights = splines.enlarge(56, 9)
    assert weights.sum(1) == pytest.approx(1)
    line = weights @ np.arange(9, dtype=np.float32)
    assert np.diff(line) == pytest.approx(6 / 56, abs=1e-5)


def test_without_displacement_the_drawing_is_the_condition(q):
    same = drawn(q, field(0, 0))
    assert (same - q).abs().mean() < 0.02
    assert ((same > 0.5) == (q > 0.5)).float().mean() > 0.99


def test_a_displacement_to_the_right_and_down_reads_from_there(q):
    moved = drawn(q, field(3, 2))
    expected = torch.zeros_like(q)
    expected[..., :-2, :-3] = drawn(q, field(0, 0))[..., 2:, 3:]
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=0)


def test_far_from_the_frame_there_is_no_ink(q):
    assert drawn(q, field(100, 0)).max() == 0


@pytest.mark.parametrize("scale", [0.8, 1.25])
def test_a_pen_keeps_its_width_where_the_drawing_shrinks_and_widens_less_than_it_grows(scale):
    """A vertical line; the displacement reads its surroundings `scale` times as large."""
    line = torch.zeros(2, 1, 28, 28)
    line[..., 13] = 1.0
    line[..., 12] = line[..., 14] = 0.085  # 1.17 pixels
    place = (torch.arange(56) + 0.5) / 2 - 14.0
    grown = drawn(line, field(place * (1 / scale - 1), place[:, None] * (1 / scale - 1)))
    width = float(grown[0, 0, 14].sum())
    if scale < 1:
        assert width == pytest.approx(1.17, abs=0.25)
        assert width > scale * 1.17
    else:
        assert width < scale * 1.17 * 1.1


def test_a_rule_moves_every_condition_and_none_alike(q):
    torch.manual_seed(0)
    convertor = Deformation(CONFIG)
    z = torch.randn(2, 28, 2, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        one, other = convertor.field(z[:1].expand(2, -1, -1), q), convertor.field(z, q)
    assert one.abs().mean() > 0.1
    assert not torch.equal(one[0], one[1])  # what the trunk adds depends on the condition
    assert (one[1] - other[1]).abs().mean() > 0.1


def test_the_observation_sees_the_drawing_alone(q):
    torch.manual_seed(0)
    convertor = Deformation(CONFIG)
    with torch.inference_mode():
        drawing, logits = convertor(torch.zeros(2, 28, 2), q)
        torch.testing.assert_close(convertor.observation(drawing), logits)
    assert 0 <= drawing.min() <= drawing.max() <= 1
