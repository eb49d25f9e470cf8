"""The layout tables of a font, written as feature code that font editors and compilers read.

All lookups of GSUB and GPOS are written, with their flags, in their order, and features for
the scripts and languages that have them; so are the classes and carets of GDEF. A lookup
that others call is written once more before them, as feature code wants it. What only
`kern` says becomes a feature. Left out are device tables, the parameters of `size`, and a
language that turns everything off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fontTools.feaLib.ast import asFea
from fontTools.ttLib import TTFont

INLINE = 6
"""Larger classes of glyphs get a name."""

REQUIRED, NO_FEATURE = " required", 0xFFFF

FLAGS = {1: "RightToLeft", 2: "IgnoreBaseGlyphs", 4: "IgnoreLigatures", 8: "IgnoreMarks"}
FILTERED = 0x10

SEPARATE_SCRIPTS = ("aalt",)
"""Features that are for all scripts alike."""


def feature_code(font: TTFont) -> str:
    """Write the layout tables of a font as feature code (the language of `features.fea`)."""
    code = _Code(font)
    rules = [line for tag in ("GSUB", "GPOS") for line in code.table(tag)]
    rules += code.old_kerning()
    definitions = list(code.definitions())
    systems = [f"languagesystem {script} {language};" for script, language in code.systems()]
    return "\n".join([*systems, *code.classes(), *code.marks, *rules, *definitions, ""])


class _Code:
    """What is written so far: names of classes, of marks and of lookups."""

    def __init__(self, font: TTFont) -> None:
        self.font = font
        self.order = font.getGlyphOrder()
        self.place = font.getReverseGlyphMap()
        self.named: dict[tuple[str, ...], str] = {}
        self.marks: list[str] = []
        self.blocks: dict[str, list[str]] = {}  # the names of a lookup's blocks

    # Glyphs and classes of glyphs

    def glyphs(self, names: Iterable[str]) -> str:
        """One glyph, or a class of them."""
        found = tuple(sorted(set(names), key=self.place.__getitem__))
        return asFea(found[0]) if len(found) == 1 else self.listed(found)

    def listed(self, names: Sequence[str]) -> str:
        """A class in the order that is given."""
        if len(names) <= INLINE:
            return f"[{' '.join(map(asFea, names))}]"
        return "@" + self.named.setdefault(tuple(names), f"glyphs{len(self.named) + 1}")

    def classes(self) -> list[str]:
        return [f"@{name} = [{' '.join(map(asFea, names))}];" for names, name in self.named.items()]

    def class_members(self, definitions: Any) -> dict[int, list[str]]:
        """The glyphs of each class; all that are in no other are in class 0."""
        members: dict[int, list[str]] = defaultdict(list)
        classes = definitions.classDefs if definitions else {}
        for name in self.order:
            members[classes.get(name, 0)].append(name)
        return members

    # Tables, features and lookups

    def systems(self) -> list[tuple[str, str]]:
        """All pairs of script and language, the default first."""
        found = {("DFLT", "dflt")}
        for tag in ("GSUB", "GPOS"):
            if tag in self.font and self.font[tag].table.ScriptList:
                found |= {(script, language) for script, language, _ in self._languages(tag)}
        return sorted(found, key=lambda s: (s[0] != "DFLT", s[0], s[1] != "dflt", s[1]))

    def _languages(self, tag: str) -> Iterator[tuple[str, str, Any]]:
        for record in self.font[tag].table.ScriptList.ScriptRecord:
            if record.Script.DefaultLangSys:
                yield record.ScriptTag, "dflt", record.Script.DefaultLangSys
            for other in record.Script.LangSysRecord:
                yield record.ScriptTag, other.LangSysTag, other.LangSys

    def table(self, tag: str) -> Iterator[str]:
        """All lookups of a table, then all of its features."""
        if tag not in self.font:
            return
        table = self.font[tag].table
        if not (table.LookupList and table.FeatureList and table.ScriptList):
            return
        lookups = table.LookupList.Lookup
        called: dict[int, None] = {}
        for number in range(len(lookups)):
            self._call(tag, lookups, number, called, ())
        for number in called:
            yield from self.lookup(tag, number, lookups[number], "called")
        used = {n for r in table.FeatureList.FeatureRecord for n in r.Feature.LookupListIndex}
        for number in sorted(used):
            if number < len(lookups):
                yield from self.lookup(tag, number, lookups[number], "")
        yield from self._features(tag, table.FeatureList.FeatureRecord)

    def _call(
        self,
        tag: str,
        lookups: Sequence[Any],
        number: int,
        called: dict[int, None],
        callers: tuple[int, ...],
    ) -> None:
        """Collect the lookups that one calls, each after those it calls itself."""
        for other in _calls(lookups[number]):
            if other < len(lookups) and other not in called and other not in callers:
                self._call(tag, lookups, other, called, (*callers, number))
                called[other] = None

    def _features(self, tag: str, records: Sequence[Any]) -> Iterator[str]:
        tags = dict.fromkeys(record.FeatureTag for record in records)
        for feature in tags:
            if feature == "size":
                continue
            lines: list[str] = []
            for script, language, system in self._languages(tag):
                indices = [i for i in system.FeatureIndex if records[i].FeatureTag == feature]
                required = system.ReqFeatureIndex
                needed = required != NO_FEATURE and records[required].FeatureTag == feature
                indices += [required] * needed
                own = {n for i in indices for n in records[i].Feature.LookupListIndex}
                names = [name for n in sorted(own) for name in self.blocks.get(f"{tag}{n}", [])]
                uses = [f"  lookup {name};" for name in names]
                if feature in SEPARATE_SCRIPTS:
                    lines += [use for use in uses if use not in lines]
                elif uses:
                    lines.append(f"  script {script};")
                    flags = "" if language == "dflt" else " exclude_dflt"
                    lines.append(f"  language {language}{flags}{REQUIRED * needed};")
                    lines += uses
            if lines:
                first = next(r.Feature for r in records if r.FeatureTag == feature)
                yield f"feature {feature} {{"
                yield from self._parameters(feature, first.FeatureParams)
                yield from lines
                yield f"}} {feature};"

    def _parameters(self, feature: str, parameters: Any) -> Iterator[str]:
        """How a stylistic set or a character's variants are called."""
        number = getattr(parameters, "UINameID", getattr(parameters, "FeatUILabelNameID", 0))
        label = self.font["name"].getName(number, 3, 1, 0x409) if number else None
        if label is None:
            return
        escaped = "".join(
            c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\{ord(c):04x}"
            for c in label.toUnicode()
            if ord(c) <= 0xFFFF
        )
        if feature.startswith("ss"):
            yield f'  featureNames {{ name "{escaped}"; }};'
        elif feature.startswith("cv"):
            yield f'  cvParameters {{ FeatUILabelNameID {{ name "{escaped}"; }}; }};'

    def lookup(self, tag: str, number: int, lookup: Any, kind: str) -> Iterator[str]:
        """The blocks of one lookup: mostly one, none where it has no rules."""
        parts = [getattr(subtable, "ExtSubTable", subtable) for subtable in lookup.SubTable or ()]
        names: list[str] = []
        for body in self._bodies(tag, parts, f"{tag}{number}{kind}"):
            if not body:
                continue
            name = f"{tag}_{number}{kind and '_' + kind}" + f"_{len(names)}" * bool(names)
            names.append(name)
            yield f"lookup {name} {{"
            flag = self._flag(lookup)
            if flag:
                yield f"  lookupflag {flag};"
            yield from (f"  {line}" for line in body)
            yield f"}} {name};"
        self.blocks[f"{tag}{number}{kind}"] = names

    def _flag(self, lookup: Any) -> str:
        words = [word for bit, word in FLAGS.items() if lookup.LookupFlag & bit]
        definitions: Any = self.font["GDEF"].table if "GDEF" in self.font else None
        attached = lookup.LookupFlag >> 8
        if attached:
            classes = getattr(definitions, "MarkAttachClassDef", None)
            members = self.class_members(classes)[attached]
            # Marks of any other class are passed over: all, where there is no such class.
            filtered = f"MarkAttachmentType {self._bracketed(members)}" if members else FLAGS[8]
            words += [filtered] if filtered not in words else []
        if lookup.LookupFlag & FILTERED and getattr(definitions, "MarkGlyphSetsDef", None):
            coverage = definitions.MarkGlyphSetsDef.Coverage[lookup.MarkFilteringSet]
            if coverage and coverage.glyphs:
                words.append(f"UseMarkFilteringSet {self._bracketed(coverage.glyphs)}")
        return " ".join(words)

    def _bracketed(self, names: Iterable[str]) -> str:
        text = self.glyphs(names)
        return text if text[0] in "[@" else f"[{text}]"

    def _bodies(self, tag: str, parts: list[Any], name: str) -> list[list[str]]:
        """The rules of a lookup, as one block or as several that are applied in turn."""
        if not parts:
            return []
        kind = type(parts[0]).__name__
        if kind in ("MarkBasePos", "MarkLigPos", "MarkMarkPos"):
            return self._mark_bodies(kind, parts, name)
        if kind == "PairPos":
            lines = [line for part in parts if part.Format == 1 for line in self._pairs(part)]
            classes = [list(self._pairs(part)) for part in parts if part.Format == 2]
            for number, body in enumerate(filter(None, classes)):
                # A break before the first would tear that one apart.
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
            yield f"sub {asFea(glyph)} by {asFea(other)};"

    def _multiples(self, part: Any) -> Iterator[str]:
        for glyph, others in part.mapping.items():
            yield f"sub {asFea(glyph)} by {' '.join(map(asFea, others)) or 'NULL'};"

    def _alternates(self, part: Any) -> Iterator[str]:
        for glyph, others in part.alternates.items():
            yield f"sub {asFea(glyph)} from [{' '.join(map(asFea, others))}];"

    def _ligatures(self, part: Any) -> Iterator[str]:
        for first, ligatures in part.ligatures.items():
            for ligature in ligatures:
                whole = " ".join(map(asFea, (first, *ligature.Component)))
                yield f"sub {whole} by {asFea(ligature.LigGlyph)};"

    def _reversed(self, part: Any) -> Iterator[str]:
        before = [self.glyphs(c.glyphs) for c in reversed(part.BacktrackCoverage)]
        after = [self.glyphs(c.glyphs) for c in part.LookAheadCoverage]
        for glyph, other in zip(part.Coverage.glyphs, part.Substitute, strict=False):
            yield " ".join(["rsub", *before, f"{asFea(glyph)}'", *after, "by", asFea(other)]) + ";"

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
        """Glyphs before, inside and after of each rule, in the order of reading, and calls."""
        records = "SubstLookupRecord" if "Subst" in type(part).__name__ else "PosLookupRecord"
        chained = type(part).__name__.startswith("Chain")
        if part.Format == 3:
            inside = part.InputCoverage if chained else part.Coverage
            sides = (part.BacktrackCoverage, part.LookAheadCoverage) if chained else ((), ())
            before, after = ([c.glyphs for c in side] for side in sides)
            within = [c.glyphs for c in inside]
            yield before[::-1], within, after, getattr(part, records) or ()
            return
        spelled = part.Format == 1
        if spelled:
            firsts = [[glyph] for glyph in part.Coverage.glyphs]
            middle = back = ahead = {name: [name] for name in self.order}
        else:
            middle = self.class_members(part.InputClassDef if chained else part.ClassDef)
            back = self.class_members(part.BacktrackClassDef) if chained else {}
            ahead = self.class_members(part.LookAheadClassDef) if chained else {}
            covered = set(part.Coverage.glyphs)
            count = max(middle, default=0) + 1
            firsts = [[g for g in middle.get(c, ()) if g in covered] for c in range(count)]
        for first, rules in zip(firsts, _rule_sets(part), strict=False):
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
            yield f"pos {asFea(glyph)} {_value(value)};"

    def _pairs(self, part: Any) -> Iterator[str]:
        if part.Format == 1:
            for first, pairs in zip(part.Coverage.glyphs, part.PairSet, strict=False):
                for record in pairs.PairValueRecord:
                    yield _pair(asFea(first), record.Value1, asFea(record.SecondGlyph), record)
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
            # A pair in this subtable is in no later one, even where nothing is shifted.
            for record, right in (told or cells[-1:]) if left else ():
                yield _pair(self._bracketed(left), record.Value1, self._bracketed(right), record)

    def _cursives(self, part: Any) -> Iterator[str]:
        for glyph, record in zip(part.Coverage.glyphs, part.EntryExitRecord, strict=False):
            entry, leave = _anchor(record.EntryAnchor), _anchor(record.ExitAnchor)
            yield f"pos cursive {asFea(glyph)} {entry} {leave};"

    def _mark_bodies(self, kind: str, parts: list[Any], name: str) -> list[list[str]]:
        """Marks of all subtables in one block, if each is in one subtable only.

        Else a block for each: the first that fits decides, so it is applied last.
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
        """Define the classes of marks, and tell where each goes on every glyph."""
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
                self.marks.append(f"markClass {asFea(glyph)} {anchor} {group};")
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
                yield f"pos {word} {asFea(glyph)} {' ligComponent '.join(parts_told)};"

    # Other tables

    def definitions(self) -> Iterator[str]:
        """The classes of glyphs, and the carets in ligatures."""
        table = self.font["GDEF"].table if "GDEF" in self.font else None
        lines = []
        if table and table.GlyphClassDef:
            members = self.class_members(table.GlyphClassDef)
            kinds = [self._bracketed(members[c]) if members[c] else "" for c in (1, 2, 3, 4)]
            lines.append(f"  GlyphClassDef {', '.join(kinds)};")
        carets = getattr(table, "LigCaretList", None)
        if carets and carets.Coverage:
            for glyph, record in zip(carets.Coverage.glyphs, carets.LigGlyph, strict=False):
                places = [str(caret.Coordinate) for caret in record.CaretValue]
                if places:
                    lines.append(f"  LigatureCaretByPos {asFea(glyph)} {' '.join(places)};")
        if lines:
            yield from ("table GDEF {", *lines, "} GDEF;")

    def old_kerning(self) -> Iterator[str]:
        """The kerning of a font that has none in GPOS."""
        gpos = self.font["GPOS"].table if "GPOS" in self.font else None
        features = gpos.FeatureList.FeatureRecord if gpos and gpos.FeatureList else ()
        if "kern" not in self.font or any(r.FeatureTag == "kern" for r in features):
            return
        pairs = {
            pair: value
            for table in self.font["kern"].kernTables
            for pair, value in getattr(table, "kernTable", {}).items()
        }
        if pairs:
            yield "feature kern {"
            for (left, right), value in pairs.items():
                yield f"  pos {asFea(left)} {asFea(right)} {value};"
            yield "} kern;"


def _calls(lookup: Any) -> list[int]:
    """The lookups that the contexts of one call."""
    found = []
    for subtable in lookup.SubTable or ():
        part = getattr(subtable, "ExtSubTable", subtable)
        kind = type(part).__name__
        if "Context" not in kind:
            continue
        records = "SubstLookupRecord" if "Subst" in kind else "PosLookupRecord"
        rules = [part] if part.Format == 3 else [r for rules in _rule_sets(part) for r in rules]
        found += [r.LookupListIndex for rule in rules for r in getattr(rule, records) or ()]
    return found


def _rule_sets(part: Any) -> list[list[Any]]:
    """The rules of a context by its first glyph or class."""
    kind = type(part).__name__
    word = "Sub" if "Subst" in kind else "Pos"
    name = ("Chain" if kind.startswith("Chain") else "") + word
    name += "Rule" if part.Format == 1 else "ClassRule"
    sets = getattr(part, name.replace("Rule", "") + ("RuleSet" if part.Format == 1 else "Set"))
    return [getattr(rules, name) if rules else [] for rules in sets]


def _attached(kind: str, part: Any) -> Iterator[tuple[str, list[list[Any]]]]:
    """The glyphs that carry marks, with the anchors of each component, by class of mark."""
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
