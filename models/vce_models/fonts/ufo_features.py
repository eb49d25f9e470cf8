"""Feature code of a UFO is read and counted before it is compiled.

A few lines can ask for much: a class of classes that doubles thirty times, a ligature of forty
classes, a table of all first by all second classes of pairs. fontTools' parser makes the classes,
its compiler the rest, without end; so the classes are counted while they are parsed, and what the
statements stand for is counted before anything is made of them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fontTools.feaLib import ast
from fontTools.feaLib.builder import addOpenTypeFeatures
from fontTools.feaLib.lexer import Lexer
from fontTools.feaLib.parser import Parser
from ufo2ft.featureCompiler import FeatureCompiler

MAX_COMBINED = 200_000
"""Sequences of glyphs that classes in ligatures and pairs stand for, at most."""

MAX_DEFINED = 1_000_000
"""Glyphs of all classes that the code writes out, at most."""

MAX_LISTED = 4_000_000
"""Glyphs of all classes together, wherever a statement names them, at most."""

MAX_CELLS = 500_000
"""Pairs of two classes, or marks on bases, for which the tables have room, at most."""

MAX_LOOKUPS = 4_000
"""Lookups that have names, at most: the compiler passes over all of them for each."""

MAX_USES = 100_000
"""Lookups that the features of all languages name together, at most."""

MARKS = 16
"""Marks of a class that count as one glyph: the compiler is fast with them."""


class Compiler(FeatureCompiler):  # type: ignore[misc]
    """ufo2ft's compiler of feature code, which refuses code that stands for too much.

    `ufo2ft.compileOTF` takes it as `featureCompilerClass`. Unlike its base, it reads no features
    in the form of Monotype's tables, and leaves no temporary file where a rule is wrong.
    """

    def setupFeatures(self) -> None:  # noqa: N802
        """Add what ufo2ft's writers make of kerning and anchors to the features of the UFO.

        Raises:
            ValueError: The features stand for too much.
            FeatureLibError: They are no feature code.
        """
        check(self._parsed(self.ufo.features.text or "").statements)
        super().setupFeatures()

    def buildTables(self) -> None:  # noqa: N802
        """Compile the features, with what was added to them.

        Raises:
            ValueError, FeatureLibError: As `setupFeatures`.
        """
        tree = self._parsed(self.features or "")
        check(tree.statements)
        if tree.statements:
            addOpenTypeFeatures(self.ttFont, tree)

    def _parsed(self, code: str) -> Any:
        return _Parser(code, set(self.ttFont.getGlyphOrder()), self.ufo.path).parse()


def included(code: str) -> list[str]:
    """List the files that feature code includes.

    Raises:
        FeatureLibError: It is no feature code.
    """
    return [token for kind, token, _ in Lexer(code, None) if kind is Lexer.FILENAME]


class _Parser(Parser):  # type: ignore[misc]
    """fontTools' parser, which stops where classes list too many glyphs."""

    def __init__(self, code: str, glyphs: set[str], path: str | None) -> None:
        listed = _Sum(MAX_DEFINED, "glyphs")

        class Class(ast.GlyphClass):  # type: ignore[misc]
            """A class that counts its glyphs before it lists them."""

            def append(self, glyph: str) -> None:
                listed.add(1)
                super().append(glyph)

            def add_range(self, start: str, end: str, glyphs: list[str]) -> None:
                listed.add(len(glyphs))
                super().add_range(start, end, glyphs)

            def add_cid_range(self, start: int, end: int, glyphs: list[str]) -> None:
                listed.add(len(glyphs))
                super().add_cid_range(start, end, glyphs)

            def add_class(self, gc: Any) -> None:
                listed.add(len(gc.glyphSet()))
                super().add_class(gc)

        self.ast = SimpleNamespace(**vars(ast) | {"GlyphClass": Class})
        file, beside = StringIO(code), None
        if path is not None:
            beside, file.name = Path(path).parent, str(Path(path, "features.fea"))
        super().__init__(file, glyphs, includeDir=beside)

    def make_cid_range_(self, location: Any, start: int, limit: int) -> Any:
        """List the glyphs of a range by number, which may not be longer than a font."""
        if limit - start > 0xFFFF:
            raise ValueError("its features name more glyphs than a font has")
        return super().make_cid_range_(location, start, limit)


class _Sum:
    """A number that may not grow too large."""

    def __init__(self, most: int, what: str) -> None:
        self.left, self.what = most, what

    def add(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise ValueError(f"its features stand for too many {self.what}")


def check(statements: list[Any]) -> None:
    """Refuse feature code that stands for too much.

    Args:
        statements: fontTools' syntax trees of what the code says.

    Raises:
        ValueError: It does.
    """
    blocks = [statements, *_nested(statements)]
    combined, listed = _Sum(MAX_COMBINED, "sequences of glyphs"), _Sum(MAX_LISTED, "glyphs")
    cells = _Sum(MAX_CELLS, "pairs of classes")
    for block in blocks:
        for statement in block:
            combined.add(_combined(statement))
            listed.add(_listed(statement))
        cells.add(_cells(block))
    named = Counter(type(statement) for block in blocks for statement in block)
    if named[ast.LookupBlock] > MAX_LOOKUPS:
        raise ValueError(f"its features have {named[ast.LookupBlock]} lookups")
    _check_uses(statements)


def _nested(statements: list[Any]) -> Iterator[list[Any]]:
    for statement in statements:
        if isinstance(statement, ast.Block):
            yield statement.statements
            yield from _nested(statement.statements)


def _combined(statement: Any) -> int:
    """Count the sequences of glyphs that the compiler lists for a statement."""
    if isinstance(statement, ast.LigatureSubstStatement):
        return math.prod(map(_size, statement.glyphs))
    if isinstance(statement, ast.PairPosStatement) and statement.enumerated:
        return _size(statement.glyphs1) * _size(statement.glyphs2)
    return 0


def _listed(statement: Any) -> int:
    """Count the glyphs of all classes of a statement."""
    if isinstance(statement, ast.MarkClassDefinition):
        return _size(statement.glyphs)
    own = _size(vars(statement).values()) if not isinstance(statement, ast.Block) else 0
    if isinstance(statement, ast.MultipleSubstStatement):  # its glyphs become sequences each
        own += _size(statement.glyph) * len(statement.replacement)
    return own


def _size(value: Any) -> int:
    """Count the glyphs of a class, or of the classes in a list."""
    if isinstance(value, ast.MarkClass):
        return len(value.glyphs) // MARKS
    if hasattr(value, "glyphSet"):
        return len(value.glyphSet())
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return sum(map(_size, value))
    return 0


def _cells(block: list[Any]) -> int:
    """Count the pairs of classes, and of bases and marks, that the tables of a block have."""
    first, second = set[tuple[str, ...]](), set[tuple[str, ...]]()
    bases, marks, total = set[tuple[str, int]](), set[str](), 0
    for statement in block:
        if isinstance(statement, ast.PairPosStatement) and not statement.enumerated:
            classes = statement.glyphs1, statement.glyphs2
            if not all(isinstance(glyphs, ast.GlyphName) for glyphs in classes):
                first.add(tuple(sorted(classes[0].glyphSet())))
                second.add(tuple(sorted(classes[1].glyphSet())))
        elif isinstance(statement, ast.SubtableStatement):
            total += len(first) * len(second)
            first, second = set(), set()
        elif isinstance(statement, _MARKED):
            for place, marked in enumerate(_parts(statement)):
                bases.update((glyph, place) for glyph in _bases(statement))
                marks.update(mark.name for _, mark in marked)
    return total + len(first) * len(second) + len(bases) * len(marks)


_MARKED = ast.MarkBasePosStatement, ast.MarkLigPosStatement, ast.MarkMarkPosStatement


def _parts(statement: Any) -> list[Any]:
    """List the marks of each part of a ligature; what is no ligature has one part."""
    ligature = isinstance(statement, ast.MarkLigPosStatement)
    return [part or [] for part in statement.marks] if ligature else [statement.marks]


def _bases(statement: Any) -> tuple[str, ...]:
    names = ("base", "ligatures", "baseMarks")
    found: tuple[str, ...] = getattr(statement, names[_MARKED.index(type(statement))]).glyphSet()
    return found


def _check_uses(statements: list[Any]) -> None:
    """Check how many lookups the features name, each of them for each language."""
    systems = sum(isinstance(s, ast.LanguageSystemStatement) for s in statements) or 1
    uses, listed, named = 0, Counter[str](), list[str]()
    for feature in statements:
        if isinstance(feature, ast.FeatureBlock):
            blocks = [feature.statements, *_nested(feature.statements)]
            listed[feature.name] += sum(_listed(s) for block in blocks for s in block)
            named += [s.featureName for s in feature.statements if _refers(s)]
            uses += _uses(feature.statements, systems)
    if uses > MAX_USES:
        raise ValueError("its features name too many lookups, for too many languages")
    _Sum(MAX_LISTED, "glyphs").add(sum(listed[name] for name in named))


def _refers(statement: Any) -> bool:
    return isinstance(statement, ast.FeatureReferenceStatement)


def _uses(statements: list[Any], systems: int) -> int:
    """Count how often a feature names a lookup, for all languages.

    What comes before the first script or language is named for all systems, and once more for
    each language that includes it. A lookup without a name begins where the kind of rule changes.
    """
    everywhere, uses, languages, before = 1, systems, 0, type(None)
    for statement in statements:
        kind, lookup = type(statement), isinstance(statement, _LOOKUPS)
        if isinstance(statement, ast.ScriptStatement | ast.LanguageStatement):
            languages += 1
            uses += everywhere
        elif lookup or kind is not before:
            everywhere += not languages
            uses += 1 if languages else systems
        before = kind
    return uses


_LOOKUPS = ast.LookupReferenceStatement, ast.LookupBlock
