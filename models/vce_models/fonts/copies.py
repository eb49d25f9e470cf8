"""What a font's tables say about a glyph holds for its other alternates, too.

Classes of GDEF, kerning of pairs and classes, shifts of single glyphs, anchors of bases,
ligatures and joins, contexts of positioning by class and by coverage, carets and the old
`kern` table are extended. A context that names its glyphs one by one takes other alternates
in the place of its first glyph only.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, TypeVar

from fontTools.ttLib import TTFont

from vce_models.fonts import kerning
from vce_models.fonts.anchors import Attachment, put

Added = Mapping[str, tuple[str, int]]
"""For each new glyph, in glyph order: the glyph that it is an alternate of, and its master."""

PAIRS = 10_000
"""Pairs in a subtable of `kern` at most, since its length is a number of 16 bits."""

T = TypeVar("T")


def extend(font: TTFont, added: Added, attached: Sequence[Attachment]) -> None:
    """Say about new glyphs what the font says about those they are alternates of.

    Args:
        font: It has the new glyphs already, after all others.
        added: The new glyphs.
        attached: The font's anchors and carets, which have other places on the new glyphs.
    """
    places = {id(table): places for _, table, places in attached}

    def moved(table: Any, master: int) -> Any:
        if table is None:
            return None
        other = copy.copy(table)
        put(other, places[id(table)][master])
        return other

    if "GDEF" in font:
        _extend_definitions(font["GDEF"].table, added, moved)
    if "GPOS" in font and font["GPOS"].table.LookupList:
        order = font.getReverseGlyphMap()
        for lookup in font["GPOS"].table.LookupList.Lookup:
            for subtable in lookup.SubTable:
                _extend(getattr(subtable, "ExtSubTable", subtable), added, moved, order)
    if "kern" in font and not kerning.in_gpos(font):
        _extend_kern(font["kern"], added)


def _extend_definitions(table: Any, added: Added, moved: Any) -> None:
    for definitions in (table.GlyphClassDef, getattr(table, "MarkAttachClassDef", None)):
        if definitions:
            _classify(definitions, added)
    carets = getattr(table, "LigCaretList", None)
    if carets and carets.Coverage:

        def ligature(record: Any, master: int) -> Any:
            other = copy.copy(record)
            other.CaretValue = [moved(caret, master) for caret in record.CaretValue]
            return other

        carets.LigGlyph += _cover(carets.Coverage, added, carets.LigGlyph, ligature)


def _extend(subtable: Any, added: Added, moved: Any, order: Mapping[str, int]) -> None:
    """Extend one subtable of GPOS."""
    kind, form = type(subtable).__name__, getattr(subtable, "Format", 1)
    match kind, form:
        case "SinglePos", 1:
            _cover(subtable.Coverage, added)
        case "SinglePos", 2:
            subtable.Value += _cover(subtable.Coverage, added, subtable.Value)
        case "PairPos", 1:
            for pairs in subtable.PairSet:
                _pair(pairs, added, order)
            subtable.PairSet += _cover(subtable.Coverage, added, subtable.PairSet)
        case "PairPos", 2:
            _cover(subtable.Coverage, added)
            _classify(subtable.ClassDef1, added)
            _classify(subtable.ClassDef2, added)
        case "CursivePos", _:

            def joined(record: Any, master: int) -> Any:
                other = copy.copy(record)
                other.EntryAnchor = moved(record.EntryAnchor, master)
                other.ExitAnchor = moved(record.ExitAnchor, master)
                return other

            records = subtable.EntryExitRecord
            records += _cover(subtable.Coverage, added, records, joined)
        case "MarkBasePos", _:

            def based(record: Any, master: int) -> Any:
                other = copy.copy(record)
                other.BaseAnchor = [moved(anchor, master) for anchor in record.BaseAnchor]
                return other

            records = subtable.BaseArray.BaseRecord
            records += _cover(subtable.BaseCoverage, added, records, based)
        case "MarkLigPos", _:

            def tied(record: Any, master: int) -> Any:
                other = copy.copy(record)
                other.ComponentRecord = []
                for component in record.ComponentRecord:
                    part = copy.copy(component)
                    part.LigatureAnchor = [moved(a, master) for a in component.LigatureAnchor]
                    other.ComponentRecord.append(part)
                return other

            records = subtable.LigatureArray.LigatureAttach
            records += _cover(subtable.LigatureCoverage, added, records, tied)
        case (("ContextPos" | "ChainContextPos"), _):
            _extend_context(subtable, added)


def _extend_context(subtable: Any, added: Added) -> None:
    if subtable.Format == 1:
        attribute = "PosRuleSet" if hasattr(subtable, "PosRuleSet") else "ChainPosRuleSet"
        rules = getattr(subtable, attribute)
        rules += _cover(subtable.Coverage, added, rules)
    elif subtable.Format == 2:
        _cover(subtable.Coverage, added)
        for part in ("ClassDef", "BacktrackClassDef", "InputClassDef", "LookAheadClassDef"):
            if getattr(subtable, part, None):
                _classify(getattr(subtable, part), added)
    else:
        for part in ("Coverage", "BacktrackCoverage", "InputCoverage", "LookAheadCoverage"):
            for coverage in getattr(subtable, part, None) or ():
                _cover(coverage, added)


def _same(record: T, _: int) -> T:
    return record


def _cover(coverage: Any, added: Added, records: Sequence[T] = (), remade: Any = _same) -> list[T]:
    """Cover each new glyph whose model is covered, and return their records in glyph order."""
    index = {glyph: number for number, glyph in enumerate(coverage.glyphs)}
    covered = [(new, *model) for new, model in added.items() if model[0] in index]
    coverage.glyphs += [new for new, *_ in covered]
    return [remade(records[index[glyph]], master) for _, glyph, master in covered if records]


def _classify(definitions: Any, added: Added) -> None:
    classes = definitions.classDefs
    classes |= {new: classes[glyph] for new, (glyph, _) in added.items() if glyph in classes}


def _pair(pairs: Any, added: Added, order: Mapping[str, int]) -> None:
    """Kern all alternates of the second glyphs of a set of pairs."""
    known = {record.SecondGlyph: record for record in pairs.PairValueRecord}
    for new, (glyph, _) in added.items():
        if glyph in known:
            record = copy.copy(known[glyph])
            record.SecondGlyph = new
            pairs.PairValueRecord.append(record)
    pairs.PairValueRecord.sort(key=lambda record: order[record.SecondGlyph])


def _extend_kern(kern: Any, added: Added) -> None:
    """Kern all alternates of both glyphs of every pair of the old table."""
    alternates: dict[str, list[str]] = {}
    for new, (glyph, _) in added.items():
        alternates.setdefault(glyph, [glyph]).append(new)
    tables = []
    for table in kern.kernTables:
        if not hasattr(table, "kernTable"):  # a format that is kept as it came
            tables.append(table)
            continue
        pairs = list(_kerned(table.kernTable, alternates))
        for start in range(0, len(pairs), PAIRS):
            part = copy.copy(table)
            part.kernTable = dict(pairs[start : start + PAIRS])
            tables.append(part)
    kern.kernTables = tables


def _kerned(
    pairs: Mapping[tuple[str, str], int], alternates: Mapping[str, Sequence[str]]
) -> Iterable[tuple[tuple[str, str], int]]:
    for (left, right), value in pairs.items():
        both = product(alternates.get(left, [left]), alternates.get(right, [right]))
        yield from ((pair, value) for pair in both)
