"""Layout tables as feature code, compiled again."""

from io import BytesIO

import pytest
from families import FEATURES, FONTS, TEXTS, installed, little
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.ttLib import newTable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0
from test_hand_fonts import opened, saved, shaped

from vce_models.fonts.feature_code import feature_code
from vce_models.fonts.feature_rules import legal_names

MIXED = (
    "AV Ta fi Te é o\u0323 fi\u0301 a\u0300\u0301 nk At",
    "Toy a1/2 (HM)",
    "i\u0301 i\u0300\u0323",
)


def again(source):
    """The font with its layout tables compiled from its feature code."""
    font = opened(source)
    code = feature_code(font)
    for tag in ("GSUB", "GPOS", "GDEF", "kern"):
        if tag in font:
            del font[tag]
    addOpenTypeFeaturesFromString(font, code)
    return saved(font)


def same(source, text, **more):
    return shaped(again(source), text, **more) == shaped(source, text, **more)


@pytest.mark.parametrize("text", MIXED)
def test_rules_survive(text):
    assert same(little(), text)
    assert same(little(cubic=True), text)
    for language in ("tr", "en"):
        assert same(little(), text, script="latn", language=language)
    for feature in ("smcp", "liga", "kern", "mark", "calt"):
        for value in (True, False):
            assert same(little(), text, features={feature: value})


@pytest.mark.parametrize("name", FONTS)
def test_rules_of_real_fonts_survive(name):
    source = installed(name, TEXTS.get(name))
    for text in (TEXTS.get(name, "Ågefiklnost éAV"), "Te fi 1234, (AV."):
        assert same(source, text)
    for feature in ("smcp", "onum", "salt", "dlig", "case", "frac", "aalt"):
        assert same(source, "fiTe 1234", features={feature: True})


CONTEXTS = """
lookup over { sub a by a.sc; } over;
lookup up { pos x <0 30 0 0>; } up;
@few = [a e o];
feature calt {
  lookupflag IgnoreMarks;
  ignore sub A a' V;
  sub A a' lookup over V @few;
  sub [T V] a' lookup over e' @few;
} calt;
feature rclt { rsub h [i x]' k by i.dotless; } rclt;
feature ccmp { sub eacute by e acutecomb; } ccmp;
feature ss01 { featureNames { name "Wide \\00e9"; }; sub t by t.wide; } ss01;
feature salt { sub x from [a.sc t.wide]; } salt;
feature aalt { feature ss01; } aalt;
feature kern {
  pos @few @few -7;
  subtable;
  pos [a x] [x y] -9;
  pos n <1 2 3 4> k <5 6 7 8>;
} kern;
feature cpsp { pos [A V] <5 0 10 0>; } cpsp;
feature dist { pos n x' lookup up y; } dist;
markClass [acutecomb gravecomb] <anchor 150 520> @top;
markClass dotbelowcomb <anchor 150 -60> @low;
lookup filtered {
  lookupflag UseMarkFilteringSet [acutecomb];
  pos base [a e] <anchor 200 500> mark @top;
} filtered;
lookup attached {
  lookupflag MarkAttachmentType [dotbelowcomb];
  pos base [a e o] <anchor 100 0> mark @low;
} attached;
feature mark { lookup filtered; lookup attached; } mark;
"""


@pytest.mark.parametrize(
    "text",
    [
        "AaV AaVa Tae Vaeo aaa exx",
        "hik hxk hixk x nk AV nxy",
        "a\u0301\u0323 e\u0323\u0301 a\u0300 o\u0323",
        "é t axy",
    ],
)
def test_contexts_classes_and_flags_survive(text):
    source = little(features=CONTEXTS)
    for feature in (None, "ss01", "salt", "cpsp", "aalt"):
        for language in ("en", "tr"):
            chosen = {feature: True} if feature else {}
            assert same(source, text, features=chosen, language=language)


def test_names_of_features_survive():
    source = again(little(features=CONTEXTS))
    font = opened(source)
    records = font["GSUB"].table.FeatureList.FeatureRecord
    (parameters,) = (r.Feature.FeatureParams for r in records if r.FeatureTag == "ss01")
    assert font["name"].getDebugName(parameters.UINameID) == "Wide é"


def test_carets_and_classes_survive():
    before, after = opened(little()), opened(again(little()))
    one, two = (font["GDEF"].table for font in (before, after))
    assert one.GlyphClassDef.classDefs == two.GlyphClassDef.classDefs
    carets = [t.LigCaretList.LigGlyph[0].CaretValue[0].Coordinate for t in (one, two)]
    assert carets == [260, 260]


def test_kerning_of_the_old_table_becomes_a_feature():
    font = opened(little(features=""))
    font["kern"] = newTable("kern")
    font["kern"].version, table = 0, KernTable_format_0()
    table.coverage, table.kernTable = 1, {("A", "V"): -90, ("V", "A"): -70}
    font["kern"].kernTables = [table]
    for coverage, pairs in ((1, {("A", "V"): 30}), (0, {("V", "A"): -500}), (5, {("V", "A"): 99})):
        more = KernTable_format_0()
        more.coverage, more.kernTable = coverage, pairs  # along the line, down, and across
        font["kern"].kernTables.append(more)
    source = saved(font)
    assert "pos A V -60;" in feature_code(opened(source))
    first, second = (shaped(data, "AVA") for data in (source, again(source)))
    assert sum(at[1] for at in first) == sum(at[1] for at in second)


def test_names_that_are_words_of_the_language_are_told_apart():
    font = opened(little(features=FEATURES))
    order = [{"a.sc": "mark", "t.wide": "sub"}.get(n, n) for n in font.getGlyphOrder()]
    font = opened(little(features=FEATURES))
    font.setGlyphOrder(order)
    assert font["post"].formatType == 2  # read, and so written anew
    source = saved(font)
    assert shaped(again(source), "At", features={"smcp": True})[1][0] == "sub"


def test_numbers_that_stand_for_names_are_free():
    names = legal_names([".notdef", "glyph.1", "1bad", "2bad", "a"])
    assert list(names.values()) == [".notdef", "glyph.1", "glyph.0", "glyph.2", "a"]


def test_a_font_without_rules_has_almost_no_code():
    font = opened(little(features=""))
    assert feature_code(font) == "languagesystem DFLT dflt;\n"
    assert BytesIO(saved(font)).read(4) == b"\0\1\0\0"
