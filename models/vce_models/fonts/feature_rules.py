"""The rules of lookups, written line by line as feature code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from fontTools.feaLib.ast import asFea

INLINE = 6
"""Glyphs of a class that is written out at most; a larger class gets a name."""


_LEGAL = re.compile(r"[A-Za-z_.][A-Za-z0-9_.-]{0,62}")


def legal_names(order: Sequence[str]) -> dict[str, str]:
    """Give glyphs names that feature code can hold: their own, or a number that is free."""
    taken = set(filter(_LEGAL.fullmatch, order))
    numbered = (f"glyph.{number}" for number in count())
    free = (name for name in numbered if name not in taken)
    return {name: name if name in taken else next(free) for name in order}


class Rules:
    """Writes subtables of GSUB and GPOS, and remembers the names that they use.

    Attributes:
        named: Classes of glyphs with their names.
        marks: The definitions of classes of marks.
        blocks: For each lookup the names of the blocks in which it was written. The key is its
            table and number, `GSUB7`; for the copy that others call it is `GSUB7called`.
    """

    def __init__(self, order: Sequence[str]) -> None:
        self._order = order
        self._place = {name: place for place, name in enumerate(order)}
        self._legal = legal_names(order)
        self.named: dict[tuple[str, ...], str] = {}
        self.marks: list[str] = []
        self.blocks: dict[str, list[str]] = {}

    def spell(self, name: str) -> str:
        """Write a glyph's name so that it is not taken for a word of the language."""
        return str(asFea(self._legal[name]))

    def row(self, names: Iterable[str]) -> str:
        """Write several names, one after the other."""
        return " ".join(map(self.spell, names))

    def glyphs(self, names: Iterable[str]) -> str:
        """Write one glyph, or a class of glyphs."""
        found = tuple(sorted(set(names), key=self._place.__getitem__))
        return self.spell(found[0]) if len(found) == 1 else self.listed(found)

    def listed(self, names: Sequence[str]) -> str:
        """Write a class in the order that is given."""
        if len(names) <= INLINE:
            return f"[{self.row(names)}]"
        return "@" + self.named.setdefault(tuple(names), f"glyphs{len(self.named) + 1}")

    def classes(self) -> list[str]:
        """Write the definitions of all classes that got a name."""
        return [f"@{name} = [{self.row(names)}];" for names, name in self.named.items()]

    def class_members(self, definitions: Any) -> dict[int, list[str]]:
        """List the glyphs of each class; glyphs that are in no other are in class 0."""
        members: dict[int, list[str]] = defaultdict(list)
        classes = definitions.classDefs if definitions else {}
        for name in self._order:
            members[classes.get(name, 0)].append(name)
        return members

    def bracketed(self, names: Iterable[str]) -> str:
        """Write a class, even of one glyph, in brackets or by its name."""
        text = self.glyphs(names)
        return text if text[0] in "[@" else f"[{text}]"

    def bodies(self, tag: str, parts: list[Any], name: str) -> list[list[str]]:
        """Write the rules of a lookup, as one block or as several that are applied in turn."""
        if not parts:
            return []
        kind = type(parts[0]).__name__
        if kind in ("MarkBasePos", "MarkLigPos", "MarkMarkPos"):
            return self._mark_bodies(kind, parts, name)
        if kind == "PairPos":
            lines = [line for part in parts if part.Format == 1 for line in self._pairs(part)]
            classes = [list(self._pairs(part)) for part in parts if part.Format == 2]
            for number, body in enumerate(filter(None, classes)):
                # A break may stand between two subtables only, and not before the first.
                lines += ["subtable;"] * bool(number) + body
            return [lines]
        writers = {
            "SingleSubst": self._singles,
            "MultipleSubst": self._multiples,
            "AlternateSubst": self._alternates,
            "LigatureSubst": self._ligatures,
            "ReverseChainSingleSubst": self._reversed,
            "SinglePos": self._shifts,
            "CursivePos": self._cursives,
        }
        if kind in writers:
            return [[line for part in parts for line in writers[kind](part)]]
        verb = "sub" if tag == "GSUB" else "pos"
        return [[line for part in parts for line in self._contexts(tag, verb, part)]]

    # Substitutions

    def _singles(self, part: Any) -> Iterator[str]:
        for glyph, other in part.mapping.items():
            yield f"sub {self.spell(glyph)} by {self.spell(other)};"

    def _multiples(self, part: Any) -> Iterator[str]:
        for glyph, others in part.mapping.items():
            yield f"sub {self.spell(glyph)} by {self.row(others) or 'NULL'};"

    def _alternates(self, part: Any) -> Iterator[str]:
        for glyph, others in part.alternates.items():
            yield f"sub {self.spell(glyph)} from [{self.row(others)}];"

    def _ligatures(self, part: Any) -> Iterator[str]:
        for first, ligatures in part.ligatures.items():
            for ligature in ligatures:
                whole = self.row((first, *ligature.Component))
                yield f"sub {whole} by {self.spell(ligature.LigGlyph)};"

    def _reversed(self, part: Any) -> Iterator[str]:
        before = [self.glyphs(c.glyphs) for c in reversed(part.BacktrackCoverage)]
        after = [self.glyphs(c.glyphs) for c in part.LookAheadCoverage]
        for glyph, other in zip(part.Coverage.glyphs, part.Substitute, strict=False):
            yield (
                " ".join(
                    ["rsub", *before, f"{self.spell(glyph)}'", *after, "by", self.spell(other)]
                )
                + ";"
            )

    # Contexts

    def _contexts(self, tag: str, verb: str, part: Any) -> Iterator[str]:
        for before, inside, after, records in self._matched(part):
            if not all((*before, *inside, *after)):
                continue  # a class without glyphs, which nothing matches
            calls: dict[int, list[str]] = defaultdict(list)
            for record in records:
                named = self.blocks.get(f"{tag}{record.LookupListIndex}called", [])
                calls[record.SequenceIndex] += [f"lookup {name}" for name in named]
            words = [self.glyphs(names) for names in before]
            for place, names in enumerate(inside):
                words += [f"{self.glyphs(names)}'", *calls[place]]
            words += [self.glyphs(names) for names in after]
            ignored = "" if any(calls.values()) else "ignore "
            yield f"{ignored}{verb} {' '.join(words)};"

    def _matched(
        self, part: Any
    ) -> Iterator[tuple[list[Any], list[Any], list[Any], Sequence[Any]]]:
        """List each rule's glyphs before, inside and after, in reading order, and its calls."""
        records = "SubstLookupRecord" if "Subst" in type(part).__name__ else "PosLookupRecord"
        chained = type(part).__name__.startswith("Chain")
        if part.Format == 3:
            inside = part.InputCoverage if chained else part.Coverage
            sides = (part.BacktrackCoverage, part.LookAheadCoverage) if chained else ((), ())
            before, after = ([c.glyphs for c in side] for side in sides)
            within = [c.glyphs for c in inside]
            yield before[::-1], within, after, getattr(part, records) or ()
            return
        back: dict[Any, list[str]]
        middle: dict[Any, list[str]]
        ahead: dict[Any, list[str]]
        if part.Format == 1:
            firsts = [[glyph] for glyph in part.Coverage.glyphs]
            middle = back = ahead = {name: [name] for name in self._order}
        else:
            middle = self.class_members(part.InputClassDef if chained else part.ClassDef)
            back = self.class_members(part.BacktrackClassDef) if chained else {}
            ahead = self.class_members(part.LookAheadClassDef) if chained else {}
            covered = set(part.Coverage.glyphs)
            count = max(middle, default=0) + 1
            firsts = [[g for g in middle.get(c, ()) if g in covered] for c in range(count)]
        for first, rules in zip(firsts, rule_sets(part), strict=False):
            for rule in rules:
                inputs = getattr(rule, "Input", None) or getattr(rule, "Class", None) or []
                lists = (
                    [back.get(key, []) for key in getattr(rule, "Backtrack", None) or ()],
                    [middle.get(key, []) for key in inputs],
                    [ahead.get(key, []) for key in getattr(rule, "LookAhead", None) or ()],
                )
                found = getattr(rule, records) or ()
                yield lists[0][::-1], [first, *lists[1]], lists[2], found

    # Positions

    def _shifts(self, part: Any) -> Iterator[str]:
        values = [part.Value] * len(part.Coverage.glyphs) if part.Format == 1 else part.Value
        for glyph, value in zip(part.Coverage.glyphs, values, strict=False):
            yield f"pos {self.spell(glyph)} {_value(value)};"

    def _pairs(self, part: Any) -> Iterator[str]:
        if part.Format == 1:
            for first, pairs in zip(part.Coverage.glyphs, part.PairSet, strict=False):
                for record in pairs.PairValueRecord:
                    yield _pair(
                        self.spell(first), record.Value1, self.spell(record.SecondGlyph), record
                    )
            return
        covered = set(part.Coverage.glyphs)
        firsts, seconds = self.class_members(part.ClassDef1), self.class_members(part.ClassDef2)
        for first, row in enumerate(part.Class1Record):
            left = [glyph for glyph in firsts.get(first, ()) if glyph in covered]
            cells = [
                (record, seconds[second])
                for second, record in enumerate(row.Class2Record)
                if seconds.get(second)
            ]
            told = [cell for cell in cells if _shifting(cell[0])]
            # Later subtables never see a pair that this one has, even where it shifts nothing.
            for record, right in (told or cells[-1:]) if left else ():
                yield _pair(self.bracketed(left), record.Value1, self.bracketed(right), record)

    def _cursives(self, part: Any) -> Iterator[str]:
        for glyph, record in zip(part.Coverage.glyphs, part.EntryExitRecord, strict=False):
            entry, leave = _anchor(record.EntryAnchor), _anchor(record.ExitAnchor)
            yield f"pos cursive {self.spell(glyph)} {entry} {leave};"

    def _mark_bodies(self, kind: str, parts: list[Any], name: str) -> list[list[str]]:
        """Write the marks of all subtables in one block, if each mark is in one subtable only.

        Otherwise each subtable has a block. The first subtable that fits decides in the font, so
        its block comes last.
        """
        coverages = [
            part.Mark1Coverage if kind == "MarkMarkPos" else part.MarkCoverage for part in parts
        ]
        marks = [glyph for coverage in coverages for glyph in coverage.glyphs]
        if len(marks) == len(set(marks)):
            return [list(self._mark_rules(kind, parts, name))]
        numbered = list(enumerate(parts))
        return [list(self._mark_rules(kind, [p], f"{name}_{n}")) for n, p in numbered[::-1]]

    def _mark_rules(self, kind: str, parts: list[Any], name: str) -> Iterator[str]:
        """Define the classes of marks, and say where each goes on every glyph."""
        places: dict[str, list[list[str]]] = {}
        for number, part in enumerate(parts):
            first = kind == "MarkMarkPos"
            coverage = part.Mark1Coverage if first else part.MarkCoverage
            records = (part.Mark1Array if first else part.MarkArray).MarkRecord
            known = set()
            for glyph, record in zip(coverage.glyphs, records, strict=False):
                group = f"@{name}_{number}_{record.Class}"
                known.add(group)
                anchor = _anchor(record.MarkAnchor)
                self.marks.append(f"markClass {self.spell(glyph)} {anchor} {group};")
            for glyph, components in _attached(kind, part):
                told = places.setdefault(glyph, [[] for _ in components])
                for texts, anchors in zip(told, components, strict=False):
                    texts += [
                        f"{_anchor(anchor)} mark @{name}_{number}_{c}"
                        for c, anchor in enumerate(anchors)
                        if anchor and f"@{name}_{number}_{c}" in known
                    ]
        word = {"MarkBasePos": "base", "MarkLigPos": "ligature", "MarkMarkPos": "mark"}[kind]
        for glyph, components in places.items():
            if any(components):
                parts_told = [" ".join(texts) or "<anchor NULL>" for texts in components]
                yield f"pos {word} {self.spell(glyph)} {' ligComponent '.join(parts_told)};"


def rule_sets(part: Any) -> list[list[Any]]:
    """Return the rules of a context, grouped by their first glyph or class."""
    kind = type(part).__name__
    word = "Sub" if "Subst" in kind else "Pos"
    name = ("Chain" if kind.startswith("Chain") else "") + word
    name += "Rule" if part.Format == 1 else "ClassRule"
    sets = getattr(part, name.replace("Rule", "") + ("RuleSet" if part.Format == 1 else "Set"))
    return [getattr(rules, name) if rules else [] for rules in sets]


def _attached(kind: str, part: Any) -> Iterator[tuple[str, list[list[Any]]]]:
    """List the glyphs that carry marks, with each component's anchors by class of mark."""
    if kind == "MarkBasePos":
        bases = part.BaseArray.BaseRecord
        for glyph, base in zip(part.BaseCoverage.glyphs, bases, strict=False):
            yield glyph, [base.BaseAnchor]
    elif kind == "MarkMarkPos":
        marks = part.Mark2Array.Mark2Record
        for glyph, mark in zip(part.Mark2Coverage.glyphs, marks, strict=False):
            yield glyph, [mark.Mark2Anchor]
    else:
        ligatures = part.LigatureArray.LigatureAttach
        for glyph, ligature in zip(part.LigatureCoverage.glyphs, ligatures, strict=False):
            yield glyph, [component.LigatureAnchor for component in ligature.ComponentRecord]


def _anchor(anchor: Any) -> str:
    return f"<anchor {anchor.XCoordinate} {anchor.YCoordinate}>" if anchor else "<anchor NULL>"


def _numbers(value: Any) -> list[int]:
    parts = ("XPlacement", "YPlacement", "XAdvance", "YAdvance")
    return [getattr(value, part, 0) or 0 for part in parts]


def _value(value: Any) -> str:
    x, y, wide, high = _numbers(value)
    return str(wide) if not (x or y or high) else f"<{x} {y} {wide} {high}>"


def _shifting(record: Any) -> bool:
    return any(_numbers(record.Value1)) or any(_numbers(getattr(record, "Value2", None)))


def _pair(left: str, value: Any, right: str, record: Any) -> str:
    second = getattr(record, "Value2", None)
    if second and any(_numbers(second)):
        return f"pos {left} {_value(value)} {right} {_value(second)};"
    return f"pos {left} {right} {_value(value)};"
