"""Letters of joined scripts go on meeting where they met: no nick, no gap."""

from pathlib import Path

import numpy as np
import pytest
from families import FONTS
from matplotlib import get_data_path
from shapes import polygon

from vce_models import rules, weights
from vce_models.fonts import hands, joints, moving, scripts
from vce_models.fonts.outline import Letter, sample
from vce_models.fonts.source import read_font

DEJAVU = Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf")
HANDS = 3


def cuts(path, text, low, high):
    """Where cuts of a font at two heights lie in the source and in hands.

    Returns:
        For cuts at the left of letters, and at their right: lower and upper end of each, its x
        from the letter's edge, (cuts, masters, 2, 2).
    """
    font, model = read_font(path), weights.load()
    sampled = hands.Rules(model, rules.sample(HANDS, model.config, 7))
    family = moving.family(font.cut(font.characters(text)), sampled)
    found: tuple[list, list] = [], []
    for glyph in family.glyphs.values():
        middle = glyph.advances[0] / 2
        for segment in (segment for contour in glyph.contours for segment in contour):
            (x, y), (end, top) = segment[0, 0], segment[0, -1]
            if abs(end - x) < 1 and sorted((y, top)) == [low, high]:
                line = segment[:, [0, -1]] if y < top else segment[:, [-1, 0]]
                edge = np.where(x > middle, glyph.advances, 0)
                found[int(x > middle)].append(line - np.stack((edge, 0 * edge), -1)[:, None])
    return [np.stack(side) for side in found]


def agree(left, right):
    """Cuts lie at the same places in all letters, and the letters overlap as they did."""
    for side in (left, right):
        assert len(side) >= 3
        assert np.ptp(side, axis=0).max() <= 2  # whole units, and widths are rounded, too
    np.testing.assert_allclose(left[:, :, :, 1].mean(0), right[:, :, :, 1].mean(0), atol=1)
    overlaps = right[..., 0].mean(0) - left[..., 0].mean(0)
    assert (overlaps > 0.5 * overlaps[0]).all()


def test_arabic_letters_are_cut_off_alike_in_a_hand():
    left, right = cuts(DEJAVU, "بسم", 0, 184)
    agree(left, right)
    heights = left[0, :, 1, 1] - left[0, :, 0, 1]
    np.testing.assert_allclose(heights, 184, atol=1)  # the line is as thick as it was


def test_a_headline_goes_on_from_letter_to_letter():
    path = Path(FONTS["Devanagari"])
    if not path.exists():
        pytest.skip(f"{path} is not here: apt install fonts-noto-core")
    agree(*cuts(path, "कमन", 551, 622))


def test_one_linear_map_moves_all_tiles():
    font, model = read_font(DEJAVU), weights.load()
    sampled = hands.Rules(model, rules.sample(HANDS, model.config, 7))
    family = moving.family(font.cut(font.characters("─┐└┼▌█")), sampled)
    tiles = [glyph.contours for name, glyph in family.glyphs.items() if name != ".notdef"]
    nodes = [segment[:, 0] for contours in tiles for contour in contours for segment in contour]
    source, *moved = np.stack(nodes, axis=1)
    for places in moved:
        linear = np.linalg.lstsq(source, places, rcond=None)[0]
        assert np.abs(source @ linear - places).max() < 1


@pytest.mark.parametrize("reach", [0, 12])
def test_a_letter_alone_is_held_where_it_is_cut_off_or_reaches_over_its_width(reach):
    """Its ends are straight, or round and beyond the edges; others may be in no text with it."""
    ends = []
    for advance in (400, 700):
        line = [(0, 0), (advance, 0), (advance + reach, 30), (advance + reach, 60), (advance, 90)]
        body = [(advance / 2, 90), (advance / 2, 600), (advance / 2 - 90, 600)]
        outline = [
            polygon(*line, *body, (advance / 2 - 90, 90), (0, 90), (-reach, 60), (-reach, 30))
        ]
        assert not joints.find([(outline, advance)], 1000)
        samples = sample(outline, 36.0)
        assert samples is not None
        held = joints.hold(samples, outline, advance, (), 1000)
        assert held is not None
        moved = held.moved(np.array([[[1.3, 0.2], [0.0, 0.6]]]))[0]
        assert np.ptp(moved[:, 1]) == pytest.approx(90)
        for edge in (0, advance):
            near = np.abs(held.places[:, 0] - edge) < 20
            assert {0, 90} <= set(held.places[near, 1])
            heights = held.places[near, 1]
            ends.append({y: x - 1.3 * edge for y, (x, _) in zip(heights, moved[near], strict=True)})
    assert ends[0] == pytest.approx(ends[2])
    assert ends[1] == pytest.approx(ends[3])


@pytest.mark.parametrize("slant", [0.0, 0.2, 0.6])
def test_letters_that_lean_over_their_width_are_not_joined(slant):
    def leaning(left, right, height):
        feet = np.array([(left, 0), (right, 0), (right, height), (left, height)], float)
        return polygon(*(feet + feet[:, 1:] * (slant, 0)))

    def connected(*contours):
        letters = dict.fromkeys(scripts.SMALL, Letter([*contours], 500))
        return moving._is_connected(letters, slant)

    stem, entry, leaving = leaning(60, 440, 700), leaning(-10, 60, 40), leaning(440, 505, 60)
    assert not connected(stem)
    assert connected(stem, leaving)
    assert connected(stem, entry, leaving)
