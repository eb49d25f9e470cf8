"""The layout tables of a font, written as feature code that font editors and compilers read.

All lookups of GSUB and GPOS are written in their order, with their flags; features are written
for the scripts and languages that have them; and so are the classes and carets of GDEF. A
lookup that others call is written once more before them, since feature code asks for that. The
old `kern` table becomes a feature where GPOS has no kerning. `feature_rules.legal_names` renames
the glyphs whose names the language cannot hold. Device tables, the parameters of `size`, and
languages that turn every feature off are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from fontTools.ttLib import TTFont

from vce_models.fonts import kerning
from vce_models.fonts.feature_rules import Rules, rule_sets

REQUIRED, NO_FEATURE = " required", 0xFFFF

FLAGS = {1: "RightToLeft", 2: "IgnoreBaseGlyphs", 4: "IgnoreLigatures", 8: "IgnoreMarks"}
FILTERED = 0x10

OF_ALL_SCRIPTS = ("aalt",)
"""Features that are the same for all scripts."""


def feature_code(font: TTFont) -> str:
    """Write the layout tables of a font as feature code (the language of `features.fea`)."""
    code = _Code(font)
    rules = [line for tag in ("GSUB", "GPOS") for line in code.table(tag)]
    rules += code.old_kerning()
    definitions = list(code.definitions())
    systems = [f"languagesystem {script} {language};" for script, language in code.systems()]
    return "\n".join([*systems, *code.rules.classes(), *code.rules.marks, *rules, *definitions, ""])


class _Code:
    """Writes the tables of one font."""

    def __init__(self, font: TTFont) -> None:
        self.font = font
        self.rules = Rules(font.getGlyphOrder())

    def systems(self) -> list[tuple[str, str]]:
        """List all pairs of script and language, the default first."""
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
        """Write all lookups of a table, then all of its features."""
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
                blocks = [self.rules.blocks.get(f"{tag}{number}", []) for number in sorted(own)]
                uses = [f"  lookup {name};" for names in blocks for name in names]
                if feature in OF_ALL_SCRIPTS:
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
        """Write the names of a stylistic set, or of a character's variants."""
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
        """Write the blocks of one lookup: mostly one, and none where it has no rules."""
        parts = [getattr(subtable, "ExtSubTable", subtable) for subtable in lookup.SubTable or ()]
        names: list[str] = []
        for body in self.rules.bodies(tag, parts, f"{tag}{number}{kind}"):
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
        self.rules.blocks[f"{tag}{number}{kind}"] = names

    def _flag(self, lookup: Any) -> str:
        words = [word for bit, word in FLAGS.items() if lookup.LookupFlag & bit]
        definitions: Any = self.font["GDEF"].table if "GDEF" in self.font else None
        attached = lookup.LookupFlag >> 8
        if attached:
            classes = getattr(definitions, "MarkAttachClassDef", None)
            members = self.rules.class_members(classes)[attached]
            # Marks of every other class are passed over, so all marks where the class is empty.
            filtered = FLAGS[8]
            if members:
                filtered = f"MarkAttachmentType {self.rules.bracketed(members)}"
            words += [filtered] if filtered not in words else []
        if lookup.LookupFlag & FILTERED and getattr(definitions, "MarkGlyphSetsDef", None):
            coverage = definitions.MarkGlyphSetsDef.Coverage[lookup.MarkFilteringSet]
            if coverage and coverage.glyphs:
                words.append(f"UseMarkFilteringSet {self.rules.bracketed(coverage.glyphs)}")
        return " ".join(words)

    def definitions(self) -> Iterator[str]:
        """Write the classes of glyphs, and the carets in ligatures."""
        table = self.font["GDEF"].table if "GDEF" in self.font else None
        lines = []
        if table and table.GlyphClassDef:
            members = self.rules.class_members(table.GlyphClassDef)
            kinds = [self.rules.bracketed(members[c]) if members[c] else "" for c in (1, 2, 3, 4)]
            lines.append(f"  GlyphClassDef {', '.join(kinds)};")
        carets = getattr(table, "LigCaretList", None)
        if carets and carets.Coverage:
            for glyph, record in zip(carets.Coverage.glyphs, carets.LigGlyph, strict=False):
                places = [str(caret.Coordinate) for caret in record.CaretValue]
                if places:
                    lines.append(
                        f"  LigatureCaretByPos {self.rules.spell(glyph)} {' '.join(places)};"
                    )
        if lines:
            yield from ("table GDEF {", *lines, "} GDEF;")

    def old_kerning(self) -> Iterator[str]:
        """Write the kerning of a font that has none in GPOS."""
        if "kern" not in self.font or kerning.in_gpos(self.font):
            return
        pairs: Counter[tuple[str, str]] = Counter()
        for table in self.font["kern"].kernTables:
            # Other bits mean vertical kerning, least values, kerning across the line.
            level = not table.coverage & 0xE0 if table.apple else table.coverage & 7 == 1
            if level and hasattr(table, "kernTable"):
                pairs.update(table.kernTable)
        if pairs:
            yield "feature kern {"
            for (left, right), value in pairs.items():
                yield f"  pos {self.rules.spell(left)} {self.rules.spell(right)} {value};"
            yield "} kern;"


def _calls(lookup: Any) -> list[int]:
    """List the lookups that the contexts of one lookup call."""
    found = []
    for subtable in lookup.SubTable or ():
        part = getattr(subtable, "ExtSubTable", subtable)
        kind = type(part).__name__
        if "Context" not in kind:
            continue
        records = "SubstLookupRecord" if "Subst" in kind else "PosLookupRecord"
        rules = [part] if part.Format == 3 else [r for rules in rule_sets(part) for r in rules]
        found += [r.LookupListIndex for rule in rules for r in getattr(rule, records) or ()]
    return found
