"""Fonts whose letters take turns between several alternates."""

import dataclasses
import itertools
import random

import numpy as np
import ots
import pytest
from families import FEATURES, HANDS, LETTERS, SOURCES, TEXTS, family_of, little
from fontTools.ttLib import newTable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0
from test_hand_fonts import opened, saved, shaped, words

from vce_models.errors import ConfigError
from vce_models.fonts.alternates import alternates
from vce_models.fonts.editing import edited

THREE = HANDS[:3]


def made(source, hands=THREE, flavour="ttf"):
    return alternates(family_of(source, hands), name="Hand", flavour=flavour)


def numbered(data):
    """The letter and the number of its alternate, by glyph, as the font offers them."""
    lookups = opened(data)["GSUB"].table.LookupList.Lookup
    (choice,) = (
        lookup.SubTable[0].ExtSubTable
        for lookup in lookups[-6:]
        if lookup.LookupType == 7 and lookup.SubTable[0].ExtensionLookupType == 3
    )
    found = {letter: (letter, 0) for letter in choice.alternates}
    for letter, others in choice.alternates.items():
        found |= {other: (letter, number) for number, other in enumerate(others, 1)}
    return found


def turns(data, text, **more):
    """The letter and the number of its alternate, for each glyph of a text."""
    known = numbered(data)
    return [known.get(name, (name, 0)) for name in words(data, text, **more)]


def repeats(shown, count):
    """Alternates that come again within four glyphs, though others were not used there."""
    found = []
    for place, (letter, number) in enumerate(shown):
        window = shown[max(0, place - 4) : place]
        occurrences = [other for name, other in window if name == letter]
        if number in occurrences[-(count - 1) :]:
            found.append((place, letter))
    return [entry for entry in found if entry[1] != "space"]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_no_alternate_comes_again_within_four_letters(count):
    data = made(little(features=""), HANDS[:count])
    words_of = random.Random(count)
    letters = [letter for letter in LETTERS if letter in "aefhiklnop"]
    for size in (2, 4, 10):
        text = "".join(words_of.choice([*letters[:size], " "]) for _ in range(400))
        shown = turns(data, text)
        assert not repeats(shown, count)
        assert {number for letter, number in shown if letter == letters[0]} == set(range(count))


@pytest.mark.parametrize("name", ["little", "Lato", "DejaVu Sans", "EB Garamond", "Cantarell"])
def test_words_vary(name):
    data = made(SOURCES[name]())
    shown = turns(data, "Mississippi", features={"liga": False, "dlig": False})
    for letter in "isp":
        numbers = [number for other, number in shown if other == letter]
        assert all(a != b for a, b in itertools.pairwise(numbers))
        assert len(set(numbers)) == min(3, len(numbers))
    the = turns(data, "the the the ")
    assert len({tuple(the[place : place + 4]) for place in (0, 4, 8)}) == 3


def test_the_first_alternate_is_the_glyph_and_the_others_lie_beside_it():
    data = made(little(), flavour="otf")
    font = opened(data)
    for number in range(3):
        alone = opened(edited(family_of(little(), THREE), number + 1, name="H", flavour="otf"))
        for letter in ("a", "M", "one", "period", "eacute"):
            name = f"{letter}.alt{number}" if number else letter
            one, two = (
                f["CFF "].cff.topDictIndex[0].CharStrings[glyph]
                for f, glyph in ((font, name), (alone, letter))
            )
            one.decompile()
            two.decompile()
            shown = [
                [item for item in charstring.program if isinstance(item, str)]
                for charstring in (one, two)
            ]
            assert shown[0] == shown[1]
            assert font["hmtx"][name] == alone["hmtx"][letter]


def test_all_alternates_of_a_pair_are_kerned():
    data = made(little())
    font = opened(data)
    pairs = {"AV": -80, "Ta": -60, "Te": -40, "Vo": -40, "ox": -12, "qy": -12}
    for pair, kerning in pairs.items():
        seen = set()
        for first, second in itertools.product(range(3), repeat=2):
            chosen = {"calt": False, "salt": [(0, 1, first), (1, 2, second)]}
            (one, advance, *_), (two, *_) = shaped(data, pair, features=chosen)
            assert advance - font["hmtx"][one][0] == kerning
            seen.add((one, two))
        assert len(seen) == 9


def test_single_shifts_hold_for_all_alternates():
    data = made(little())
    font = opened(data)
    for name, advance, *_ in shaped(data, "1a1a1"):
        if name.startswith("one"):
            assert advance == font["hmtx"][name][0] + 10


def test_marks_go_with_each_alternate():
    data = made(little())
    for text, base, at in (("a\u0301", "a", (250, 520)), ("i\u0301", "i", (120, 560))):
        run = shaped(data, text * 3)
        for (name, advance, *_), (_, _, x, y) in zip(run[::2], run[1::2], strict=True):
            number = number_of(name)
            anchor = np.floor(HANDS[number](base, [at])[0] + 0.5)
            mark = np.floor(HANDS[0]("acutecomb", [(150, 520)])[0] + 0.5)
            assert (x + advance, y) == tuple(anchor - mark)
        assert {number_of(name) for name, *_ in run[::2]} == {0, 1, 2}


def number_of(name):
    return int(name.partition(".alt")[2] or 0)


def test_joins_hold_for_all_alternates():
    data = made(little())
    run = shaped(data, "nnnn")
    for (one, advance, _, low), (two, _, _, high) in itertools.pairwise(run):
        leaves = HANDS[number_of(one)]("n", [(480, 10)])[0]
        enters = HANDS[number_of(two)]("n", [(20, 0)])[0]
        assert high - low == pytest.approx(leaves[1] - enters[1], abs=1)
        assert one == run[0][0] or advance == pytest.approx(leaves[0] - enters[0], abs=1)


def test_features_of_the_source_go_on_working():
    data = made(little())
    assert words(data, "fi")[0] == "f_i"
    assert words(data, "é") == ["e", "acutecomb"]
    assert words(data, "a", features={"smcp": True}) == ["a.sc"]
    assert words(data, "i", script="latn", language="tr") == ["i.dotless"]
    assert words(data, "At") == ["A", "t.wide"]
    for language in ("tr", "en"):
        shown = turns(data, "aaa", script="latn", language=language)
        assert shown == [("a", 0), ("a", 1), ("a", 2)]
        assert words(data, "At", script="latn", language=language) == ["A", "t.wide"]
    assert turns(data, "aaa", script="grek") == [("a", 0), ("a", 1), ("a", 2)]


def test_features_come_in_the_order_of_their_tags():
    table = opened(made(little()))["GSUB"].table
    tags = [record.FeatureTag for record in table.FeatureList.FeatureRecord]
    assert tags == sorted(tags)
    lookups = len(opened(little())["GSUB"].table.LookupList.Lookup)
    own = [r for r in table.FeatureList.FeatureRecord if r.FeatureTag == "calt"]
    assert all(max(record.Feature.LookupListIndex) > lookups for record in own)


def test_a_feature_that_a_language_requires_stays_the_required_one():
    font = opened(little())
    scripts = font["GSUB"].table.ScriptList.ScriptRecord
    records = font["GSUB"].table.FeatureList.FeatureRecord
    small = next(i for i, record in enumerate(records) if record.FeatureTag == "smcp")
    for record in scripts:
        record.Script.DefaultLangSys.ReqFeatureIndex = small
    assert words(made(saved(font)), "a") == ["a.sc"]


def test_a_font_without_features_gets_them():
    data = made(little(features=""))
    assert len(set(turns(data, "aaa"))) == 3
    scripts = [r.ScriptTag for r in opened(data)["GSUB"].table.ScriptList.ScriptRecord]
    assert scripts == ["DFLT", "latn"]


def test_alternates_can_be_turned_off_and_chosen():
    data = made(little())
    assert turns(data, "aaa", features={"calt": False}) == [("a", 0)] * 3
    for number in (1, 2):
        off = {"calt": False, "salt": number}
        assert turns(data, "aaa", features=off) == [("a", number)] * 3


def test_the_old_table_of_kerning_holds_for_all_alternates():
    font = opened(little(features=""))
    font["kern"] = newTable("kern")
    font["kern"].version, table = 0, KernTable_format_0()
    table.coverage, table.kernTable = 1, {("A", "V"): -90, ("V", "A"): -70}
    font["kern"].kernTables = [table]
    data = made(saved(font))
    widths = opened(data)["hmtx"]
    run = shaped(data, "AVAVAV")
    assert len({name for name, *_ in run}) == 6
    kerned = sum(advance - widths[name][0] for name, advance, *_ in run)
    assert kerned == 3 * -90 + 2 * -70


@pytest.mark.parametrize("flavour", ["ttf", "otf", "woff2"])
@pytest.mark.parametrize("name", SOURCES)
def test_every_source_passes_the_sanitizer_and_shapes(name, flavour, tmp_path):
    source = SOURCES[name]()
    data = made(source, flavour=flavour)
    (tmp_path / "font").write_bytes(data)
    ots.sanitize(tmp_path / "font", tmp_path / "clean", check=True, capture_output=True)
    if flavour != "woff2":
        text = TEXTS.get(name, "AV Ta fi Te 1234")
        assert [glyph for glyph, _ in turns(data, text)] == words(source, text)


def test_the_same_source_gives_the_same_bytes():
    assert made(little()) == made(little())


def test_names_of_alternates_do_not_clash_with_the_sources():
    font = opened(little(features=""))
    order = [name.replace("a.sc", "a.alt1") for name in font.getGlyphOrder()]
    font = opened(little(features=""))
    font.setGlyphOrder(order)
    assert font["post"].formatType == 2  # read, and so written anew
    after = opened(made(saved(font))).getGlyphOrder()
    assert len(after) == len(set(after))
    assert {"a.alt1", "a.valt1", "a.valt2"} <= set(after)


def test_marks_take_no_turns():
    order = opened(made(little(features=FEATURES))).getGlyphOrder()
    assert not [name for name in order if name.startswith("acutecomb.")]


def test_more_glyphs_than_a_font_holds_are_refused():
    family = dataclasses.replace(family_of(little()), hands=4000)
    with pytest.raises(ConfigError, match="4000 drawings of 2"):
        alternates(family, name="Hand", flavour="ttf")
