"""The rule by which alternates of a letter take turns, as a lookup of GSUB.

A letter that also stands at most `REACH` glyphs back takes the alternate after the one that it
had there. Any other letter takes the alternate after its neighbour's; across a space, the one
after that. So an alternate comes again within the reach only where a letter stands there more
often than it has alternates. Marks are passed over.

The lookup comes after all of the source's, so that ligatures, localised forms and all else
are found as before. Each letter has a subtable in which its alternates are classes, and all
other glyphs are class 0. In the last subtable a class is all letters' alternates of one number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fontTools.otlLib.builder import buildCoverage
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables import otTables
from fontTools.unicodedata import ot_tags_from_script, script

REACH = 4
"""How many glyphs back a letter looks for itself."""

IGNORE_MARKS = 8
SINGLE, ALTERNATE, CHAINED, EXTENSION = 1, 3, 6, 7
"""Types of lookups in GSUB."""

Alternates = Mapping[str, Sequence[str]]
"""The glyphs of all alternates of each letter, the letter first; all letters have as many."""


def add(font: TTFont, alternates: Alternates, spaces: Sequence[str]) -> None:
    """Let letters take turns (`calt`), and offer their alternates for choice (`salt`).

    Args:
        font: It has all the glyphs; its GSUB is extended, or made.
        alternates: The letters that take turns.
        spaces: Glyphs of spaces.
    """
    if "GSUB" not in font or not font["GSUB"].table.FeatureList:
        font["GSUB"] = _empty(font)
    table = font["GSUB"].table
    if not table.LookupList:
        table.LookupList = otTables.LookupList()
        table.LookupList.Lookup = []
    lookups = table.LookupList.Lookup
    order = font.getReverseGlyphMap()
    letters = sorted(alternates, key=order.__getitem__)
    count = len(alternates[letters[0]])
    choice = len(lookups)
    lookups.append(_lookup(ALTERNATE, [_choice(alternates)]))
    # The rule does not apply to an alternate that the user chose, as its glyph is no letter.
    turns = {number: choice + number for number in range(1, count)}
    for number in turns:
        lookups.append(_lookup(SINGLE, [_single({a: alternates[a][number] for a in letters})]))
    occurrences = _rules(
        [
            ([0] * (back - 1) + [number + 1], (number + 1) % count)
            for back in range(1, REACH + 1)
            for number in range(count)
        ],
        turns,
    )
    neighbours = _rules(
        [([number + 1], (number + 1) % count) for number in range(count)]
        + [([count + 1, number + 1], (number + 2) % count) for number in range(count)],
        turns,
    )
    subtables = [
        _chained(
            [letter],
            {glyph: number for number, glyph in enumerate(alternates[letter], 1)},
            occurrences,
            order,
        )
        for letter in letters
    ]
    numbered = {
        glyph: number for glyphs in alternates.values() for number, glyph in enumerate(glyphs, 1)
    }
    gaps = dict.fromkeys(spaces, count + 1)
    subtables.append(_chained(letters, numbered | gaps, neighbours, order))
    lookups.append(_lookup(CHAINED, subtables))
    _register(table, "calt", [len(lookups) - 1])
    _register(table, "salt", [choice])
    _sort_features(table)


def _single(mapping: dict[str, str]) -> Any:
    subtable = otTables.SingleSubst()
    subtable.mapping = mapping
    return subtable


def _choice(alternates: Alternates) -> Any:
    subtable = otTables.AlternateSubst()
    subtable.alternates = {letter: list(glyphs[1:]) for letter, glyphs in alternates.items()}
    return subtable


def _rules(rules: Iterable[tuple[list[int], int]], turns: Mapping[int, int]) -> Any:
    """Make a set of rules, each of the classes before, the nearest first, and an alternate."""
    rule_set = otTables.ChainSubClassSet()
    rule_set.ChainSubClassRule = []
    for before, alternate in rules:
        rule = otTables.ChainSubClassRule()
        rule.Backtrack, rule.Input, rule.LookAhead, rule.SubstLookupRecord = before, [], [], []
        if alternate:  # the first alternate stands there already
            record = otTables.SubstLookupRecord()
            record.SequenceIndex, record.LookupListIndex = 0, turns[alternate]
            rule.SubstLookupRecord.append(record)
        rule_set.ChainSubClassRule.append(rule)
    return rule_set


def _chained(
    letters: Sequence[str], before: dict[str, int], rules: Any, order: Mapping[str, int]
) -> Any:
    subtable = otTables.ChainContextSubst()
    subtable.Format = 2
    subtable.Coverage = buildCoverage(letters, order)
    subtable.BacktrackClassDef = _classes(before)
    subtable.InputClassDef = _classes(dict.fromkeys(letters, 1))
    subtable.LookAheadClassDef = _classes({})
    subtable.ChainSubClassSet = [None, rules]
    return subtable


def _classes(classes: dict[str, int]) -> Any:
    table = otTables.ClassDef()
    table.classDefs = classes
    return table


def _lookup(kind: int, subtables: list[Any]) -> Any:
    """Make a lookup whose subtables may lie anywhere, as there may be thousands."""
    lookup = otTables.Lookup()
    lookup.LookupType, lookup.LookupFlag, lookup.SubTable = EXTENSION, IGNORE_MARKS, []
    for subtable in subtables:
        extension = otTables.ExtensionSubst()
        extension.Format, extension.ExtensionLookupType = 1, kind
        extension.ExtSubTable = subtable
        subtable.LookupType = kind
        lookup.SubTable.append(extension)
    return lookup


def _empty(font: TTFont) -> Any:
    """Make a GSUB without rules, for all the scripts of the font's characters."""
    tags = {tag for point in font.getBestCmap() for tag in ot_tags_from_script(script(point))}
    made = newTable("GSUB")
    table = made.table = otTables.GSUB()
    table.Version = 0x00010000
    table.ScriptList, table.FeatureList = otTables.ScriptList(), otTables.FeatureList()
    table.LookupList = None
    table.FeatureList.FeatureRecord = []
    table.ScriptList.ScriptRecord = [_script(tag) for tag in sorted(tags | {"DFLT"})]
    return made


def _script(tag: str) -> Any:
    record = otTables.ScriptRecord()
    record.ScriptTag, record.Script = tag, otTables.Script()
    record.Script.DefaultLangSys, record.Script.LangSysRecord = _language([]), []
    return record


def _language(features: list[int]) -> Any:
    language = otTables.LangSys()
    language.LookupOrder, language.ReqFeatureIndex = None, 0xFFFF
    language.FeatureIndex = features
    return language


def _register(table: Any, tag: str, lookups: list[int]) -> None:
    """Let a feature apply more lookups, in every script and language."""
    records = table.FeatureList.FeatureRecord
    features = [record.Feature for record in records if record.FeatureTag == tag]
    features += [
        substitution.Feature
        for substitution in _substitutions(table)
        if records[substitution.FeatureIndex].FeatureTag == tag
    ]
    for feature in features:
        feature.LookupListIndex = sorted({*feature.LookupListIndex, *lookups})
    _complete(table.ScriptList)
    lacking = [
        language
        for language in _languages(table)
        if all(records[index].FeatureTag != tag for index in language.FeatureIndex)
    ]
    if lacking:
        record = otTables.FeatureRecord()
        record.FeatureTag, record.Feature = tag, otTables.Feature()
        record.Feature.FeatureParams, record.Feature.LookupListIndex = None, lookups
        records.append(record)
        for language in lacking:
            language.FeatureIndex.append(len(records) - 1)


def _complete(scripts: Any) -> None:
    """Give every script a default language, and other scripts what Latin has, or nothing."""
    for record in scripts.ScriptRecord:
        if record.Script.DefaultLangSys is None:
            record.Script.DefaultLangSys = _language([])
    tags = {record.ScriptTag: record.Script for record in scripts.ScriptRecord}
    if "DFLT" not in tags:
        default = _script("DFLT")
        if "latn" in tags:  # where programs look if they find no other
            latin = tags["latn"].DefaultLangSys
            default.Script.DefaultLangSys = _language(list(latin.FeatureIndex))
            default.Script.DefaultLangSys.ReqFeatureIndex = latin.ReqFeatureIndex
        scripts.ScriptRecord.insert(0, default)  # capitals come first


def _languages(table: Any) -> list[Any]:
    return [
        language
        for record in table.ScriptList.ScriptRecord
        for language in (
            record.Script.DefaultLangSys,
            *(other.LangSys for other in record.Script.LangSysRecord),
        )
        if language
    ]


def _substitutions(table: Any) -> list[Any]:
    """List the features that replace others at some places on the axes."""
    variations = getattr(table, "FeatureVariations", None)
    return [
        substitution
        for record in (variations.FeatureVariationRecord if variations else ())
        for substitution in record.FeatureTableSubstitution.SubstitutionRecord
    ]


def _sort_features(table: Any) -> None:
    """Sort features by tag, as the format asks, and renumber them wherever they are used."""
    records = table.FeatureList.FeatureRecord
    order = sorted(range(len(records)), key=lambda index: (records[index].FeatureTag, index))
    table.FeatureList.FeatureRecord = [records[index] for index in order]
    renumbered = {old: new for new, old in enumerate(order)}
    for language in _languages(table):
        language.FeatureIndex = sorted(renumbered[index] for index in language.FeatureIndex)
        if language.ReqFeatureIndex != 0xFFFF:
            language.ReqFeatureIndex = renumbered[language.ReqFeatureIndex]
    for substitution in _substitutions(table):
        substitution.FeatureIndex = renumbered[substitution.FeatureIndex]
