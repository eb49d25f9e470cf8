import numpy as np
import pytest
import torch

from vce_models.config import MAGNIFICATION, ModelConfig
from vce_models.datasets import drawings
from vce_models.datasets.episodes import Episodes
from vce_models.training.augmentation import Warp, dihedral

CPU = torch.device("cpu")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module", params=["box", "subsample"])
def warped(request, tree):
    """A warp, and drawings of two sizes."""
    config = ModelConfig(resize=request.param)
    small, large = (drawings.load(tree, config, magnification=n).train for n in (1, MAGNIFICATION))
    pairs = [Episodes(drawings, CPU).sample(60, 1, seeded()) for drawings in (small, large)]
    return Warp(28, request.param, CPU), *pairs


def test_dihedral_moves_both_drawings_of_a_pair_alike():
    x = torch.arange(16.0).view(1, 1, 4, 4).expand(400, -1, -1, -1)
    moved, same = dihedral(x, x, torch.Generator().manual_seed(0))
    assert torch.equal(moved, same)
    assert len({tuple(image.flatten().tolist()) for image in moved}) == 8


def test_unmoved_drawings_are_those_of_the_data_set(warped):
    warp, small, large = warped
    for reduced, drawing in zip(map(warp.unmoved, large), small, strict=True):
        # 105 pixels come to 112 first, so a box is not quite the same box
        torch.testing.assert_close(
            reduced, drawing, atol=0.0 if not warp.averages else 0.35, rtol=0
        )
        assert (reduced - drawing).abs().mean() < 0.006


def test_a_warp_moves_both_drawings_of_a_pair_alike_but_for_half_a_pixel(warped):
    warp, _, (x, _) = warped
    moved, same = warp(x, x, seeded())
    other, _ = warp(x, x, seeded(1))
    assert moved.shape == (60, 1, 28, 28)
    blurred = [torch.nn.functional.avg_pool2d(drawing, 4) for drawing in (moved, same, other)]
    alike, different = ((blurred[0] - drawing).abs().mean() for drawing in blurred[1:])
    assert not torch.equal(moved, same)
    assert alike < 0.6 * different


def test_a_warp_keeps_ink_and_grey_levels(warped):
    warp, (small, _), (x, q) = warped
    moved, _ = warp(x, q, seeded())
    assert moved.mean().item() == pytest.approx(small.mean().item(), rel=0.1)
    assert 0 <= moved.min() <= moved.max() <= 1
    if not warp.averages:
        assert set(np.unique(moved)) == {0, 1}


def test_a_warp_is_smooth(warped):
    warp, *_ = warped
    field = warp._field(200, seeded())
    step = field.shape[3] / 28
    slopes = torch.cat([slope.flatten() for slope in torch.gradient(field, dim=(2, 3))]) * step
    assert slopes.abs().quantile(0.999) < 1  # it does not fold
    assert 1 < field.std() < 4
