"""One hand is one hand: its letters stand on one line, lean alike, and are of one size."""

from pathlib import Path

import letterforms
import numpy as np
import pytest
from blocks import LETTERS
from matplotlib import get_data_path
from shapes import box

from vce_models import rules, weights
from vce_models.fonts import evenness, field, hands, moving, outline
from vce_models.fonts.editing import edited
from vce_models.fonts.source import read_font

FONT = Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf")
HANDS = (1, 2)
LATO = Path("/usr/share/fonts/truetype/lato/Lato-Regular.ttf")
SIZE = 28


@pytest.fixture(scope="module")
def sampled():
    model = weights.load()
    return hands.Rules(model, rules.sample(len(HANDS), model.config, 7))


@pytest.fixture(scope="module")
def of_blocks(blocks, sampled):
    return moving.family(blocks.data, sampled)


@pytest.fixture
def measured(tmp_path):
    """How even the letters of each hand of a font are."""

    def measure(path, family):
        source, found = letterforms.read_source(path), []
        for hand in HANDS:
            (tmp_path / "hand.ttf").write_bytes(edited(family, hand, name="H", flavour="ttf"))
            found.append(letterforms.compare(source, letterforms.read(tmp_path / "hand.ttf")))
        return found

    return measure


def ends(glyph, master):
    places = np.concatenate([c[master, [0, -1]] for contour in glyph.contours for c in contour])
    return places.min(0), places.max(0)


@pytest.mark.parametrize("path", [FONT, LATO], ids=lambda path: path.stem)
def test_letters_of_a_hand_stand_on_the_baseline_and_lean_alike(path, sampled, measured):
    if not path.exists():
        pytest.skip(f"{path.stem} is not here: apt install fonts-lato")
    font = read_font(path)
    data = font.cut(font.characters("HIadhikmnorux"))
    for even in measured(path, moving.family(data, sampled)):
        assert even.baseline < 8  # thousandths of an em
        assert even.slant < 1.5  # degrees


def test_letters_of_a_font_of_rectangles_stand_on_the_baseline(blocks, of_blocks):
    for hand in HANDS:
        feet = [ends(of_blocks.glyphs[blocks.named[ord(c)]], hand)[0][1] for c in "AHlo"]
        assert np.std(feet) < 8
        assert abs(np.mean(feet)) < 12


def test_without_liveliness_every_place_goes_where_the_hand_sends_it(blocks, sampled):
    family = moving.family(blocks.data, sampled, own=0.0)
    places = np.array([(60.0, 0), (140, 700), (400, 300)])
    linear = []
    for letter in LETTERS:
        moved = family.glyphs[blocks.named[ord(letter)]].move(places)
        sides = moved[:, 1:] - moved[:, :1]
        linear.append(np.linalg.solve((places[1:] - places[0])[None], sides))
        origin = moved[:, 0] - (places[0] @ linear[-1])
        assert np.abs(origin[:, 1]).max() < 1e-6  # shifted across at most
    assert np.ptp(linear, axis=0).max() < 1e-9
    assert np.allclose(linear[0][0], np.eye(2))
    assert not np.allclose(linear[0][1], linear[0][2])


def test_without_liveliness_letters_are_even(sampled, measured):
    font = read_font(FONT)
    family = moving.family(font.cut(font.characters("HIahimnoux")), sampled, own=0.0)
    for even in measured(FONT, family):
        assert max(even.baseline, even.xheight) < 3
        assert even.slant < 0.5


def test_more_liveliness_is_more_of_the_letters_own(blocks, sampled):
    data = blocks.cut(blocks.characters("Ao"))
    lively = [moving.family(data, sampled, own=own) for own in (0.0, 0.1, 0.3)]
    for letter in "Ao":
        name = blocks.named[ord(letter)]
        calm, some, more = (
            family.glyphs[name].move(np.array([(60.0, 0), (140, 700)])) for family in lively
        )
        near, far = (np.abs(moved[1:] - calm[1:]).max() for moved in (some, more))
        assert 0 < near < far


def test_rotation_is_taken_out_of_a_hand():
    rng = np.random.default_rng(3)
    turned = np.array([[0.95, -0.3], [0.25, 1.05]]) + rng.normal(0, 0.05, (12, 2, 2, 2))
    linear = hands.hand(turned)
    assert linear.shape == (2, 2, 2)
    np.testing.assert_allclose(linear[:, 1, 0], 0, atol=1e-12)
    mean = turned.mean(0)
    np.testing.assert_allclose(field.determinant(linear), field.determinant(mean))
    np.testing.assert_allclose(linear[:, 0, 0], np.linalg.norm(mean[:, :, 0], axis=1))


def test_a_turn_of_all_letters_alone_is_no_hand_at_all():
    cosine, sine = np.cos(0.2), np.sin(0.2)
    turn = np.array([[[cosine, -sine], [sine, cosine]]])
    (linear,) = hands.hand(np.stack([turn] * 3))
    np.testing.assert_allclose(linear, np.eye(2), atol=1e-12)


def test_a_full_stop_is_scaled_as_letters_are_and_not_wrung(blocks, of_blocks):
    stop = of_blocks.glyphs[blocks.named[ord(".")]]
    for hand in HANDS:
        low, high = ends(stop, hand)
        assert high[1] - low[1] == pytest.approx(100 * of_blocks.linear[hand, 1, 1], rel=0.2)
        assert abs(low[1]) < 15
        assert len(stop.contours[0]) == 4
        corners = np.array([segment[hand, 0] for segment in stop.contours[0]])
        # Two sides that were parallel are, within ten degrees.
        sides = np.roll(corners, -1, 0) - corners
        angles = np.degrees(np.arctan2(sides[:, 1], sides[:, 0]))
        assert np.abs((angles[:2] - angles[2:]) % 180 - 90).min() > 80


def test_a_small_glyph_keeps_less_of_its_own(blocks, sampled):
    letter, stop = (
        hands.in_hand(sampled.maps(hands.source(blocks.contours(ord(c)), SIZE, 1000.0)), linear)
        for c in "A."
        for linear in [np.tile(np.eye(2), (2, 1, 1))]
    )
    assert letter.share.max() == pytest.approx(hands.OWN)
    assert (stop.share <= hands.OWN * 0.1 / hands.LETTER + 1e-9).all()
    assert (stop.share > 0).all()
    assert stop.source.extent == pytest.approx(0.1)


def test_what_would_be_bent_too_sharply_is_bent_less(blocks, sampled):
    maps = sampled.maps(hands.source(blocks.contours(ord("A")), SIZE, 1000.0))
    kept = hands.in_hand(maps, np.tile(np.eye(2), (2, 1, 1)), own=2.0)
    bent = kept.share[:, None] * np.linalg.norm(kept.slopes, ord=2, axis=(2, 3))
    assert bent.max() <= hands.BENT + 1e-6


def test_places_of_a_glyph_go_where_its_outline_goes(blocks, sampled):
    source = hands.source(blocks.contours(ord("A")), SIZE, 1000.0)
    assert source is not None
    linear = np.array([[[1.1, 0.1], [0, 0.9]], [[0.9, 0], [0, 1.1]]])
    maps = hands.in_hand(sampled.maps(source), linear)
    places, derivative = maps.outline()
    _, single, times = np.unique(source.samples.places, True, return_counts=True, axis=0)
    single = single[times == 1]  # where two contours touch, each goes its own way
    assert len(single) > 100
    moved = maps(source.samples.places[single])
    np.testing.assert_allclose(moved, places[:, single], atol=0.05)
    assert (field.determinant(derivative) > 0).all()
    beyond = maps(np.array([[5000.0, 300]])) - maps(np.array([[400.0, 300]]))
    np.testing.assert_allclose(beyond[:, 0], linear @ [4600, 0], atol=1e-6)


def test_what_has_no_ink_has_no_maps():
    assert hands.source([], SIZE, 1000.0) is None
    assert hands.source([[[np.zeros((2, 2))]]], SIZE, 1000.0) is None


@pytest.fixture
def stem():
    """A stem that stands on a line at 24 pixels, y down, and how letters of its hand do."""
    samples = outline.sample([box(12, 4, 14, 24)], 1.0)
    even = evenness.Even(
        np.eye(2)[None],
        np.array([0.0, -1.0]),
        np.array([24.0, 4.0]),
        np.array([[24.0, 4.0]]),
        near=0.5,
    )
    return samples, even


def test_what_stands_and_leans_as_its_hand_does_stays(stem):
    samples, even = stem
    moved = samples.places[None]
    assert np.abs(evenness.correct(samples, samples.places, moved, even)).max() < 1e-6


def test_what_hangs_is_lifted_towards_the_line(stem):
    samples, even = stem
    moved = samples.places[None] + np.array([0, 1.0])
    after = moved + evenness.correct(samples, samples.places, moved, even)
    foot = after[0][samples.places[:, 1] == 24][:, 1].mean()
    assert 24 < foot < 24.6
    assert np.abs(after[0, :, 0] - samples.places[:, 0]).max() < 0.1


def test_what_leans_is_made_to_lean_less(stem):
    samples, even = stem
    shear = np.array([[1.0, 0.0], [0.1, 1.0]])
    moved = (samples.places @ shear)[None]
    after = moved + evenness.correct(samples, samples.places, moved, even)

    def lean(places):
        wall = np.isclose(samples.places[:, 0], 12) & (np.abs(samples.places[:, 1] - 14) < 6)
        return np.polyfit(places[0][wall][:, 1], places[0][wall][:, 0], 1)[0]

    assert lean(moved) == pytest.approx(0.1)
    assert 0 < lean(after) < 0.06
