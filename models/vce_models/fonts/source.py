"""Fonts are read as sources: their characters, what a model sees of these, and their file."""

from __future__ import annotations

import io
import logging
import struct
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vce_models.characters import DEFAULT as DEFAULT_CHARACTERS
from vce_models.characters import called, parse_parts
from vce_models.config import ModelConfig
from vce_models.errors import ConfigError, InputError
from vce_models.fonts import kerning, scripts
from vce_models.fonts.naming import TYPOGRAPHIC_STYLE, WINDOWS_ENGLISH
from vce_models.fonts.placement import Placement
from vce_models.fonts.sfnt import MAX_BYTES, check_tables, limited, unpacked
from vce_models.framing import OMNIGLOT, Framing
from vce_models.glyphs.decoding import contents

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

    from vce_models.fonts.outline import Contour, Letter
    from vce_models.glyphs.images import Framed

ALL = "all"
"""The word of `--chars` for every character that has an outline in the font."""

LIMIT = 32767
"""Greatest coordinate in a font, in font units; the least is its negative."""

OUTLINES = ("glyf", "CFF ", "CFF2")

NUMBERED = ("morx", "mort", "feat", "kerx", "Zapf", "acnt", "fmtx")
"""Apple's tables that name glyphs by number, and that fontTools does not cut with the others."""


@dataclass(frozen=True, eq=False)
class SourceFont:
    """A font that characters are taken from.

    Attributes:
        file: How error messages call it.
        name: Its family name.
        em: Font units of the em.
        named: Names of its glyphs by code point.
        data: The font as an sfnt of one instance.
    """

    file: str
    name: str
    em: int
    named: Mapping[int, str] = field(repr=False)
    data: bytes = field(repr=False)

    def characters(self, text: str | None = None, chars: str | None = None) -> list[int]:
        """List the code points that are asked for, in order, without repeats or blanks.

        Args:
            text: Characters that are all asked for.
            chars: What `parse_characters` reads, or `all`. A name or a range in it asks for
                those of its characters that have an outline in the font; a single character
                asks for itself. Without `text` it is `latin,digits,punctuation` by default.

        Raises:
            ConfigError: `chars` cannot be read.
            InputError: The font lacks what is asked for, or nothing is asked for.
        """
        wanted = [ord(character) for character in unicodedata.normalize("NFC", text or "")]
        if text is None and chars is None:
            chars = DEFAULT_CHARACTERS
        if chars == ALL:
            wanted += self.present(self.named)
        else:
            for points, named in () if chars is None else parse_parts(chars):
                wanted += self.present(points) if named or len(points) > 1 else points
        wanted = [point for point in dict.fromkeys(wanted) if not _blank(point)]
        if lacking := [point for point in wanted if point not in self.named]:
            shown = ", ".join(called(point) for point in lacking[:5])
            more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
            raise InputError(f"{self.file} lacks {shown}{more}")
        if not wanted:
            raise InputError(
                f"{self.file} has nothing of what is asked for",
                hint="name the characters, for example --chars greek,U+00DF",
            )
        return wanted

    def present(self, points: Iterable[int]) -> list[int]:
        """Keep the code points that have an outline in the font, and are no blanks."""
        found = []
        for point in points:
            if point in self.named and not _blank(point):
                try:
                    found += [point] if self.contours(point) else []
                except InputError:  # reading the glyph later says that it is damaged
                    found.append(point)
        return found

    def contours(self, codepoint: int) -> list[Contour]:
        """Read the outline of a character.

        Raises:
            InputError: It is damaged.
        """
        from vce_models.fonts import outline

        with _sound(f"{called(codepoint)} of {self.file}"), limited(len(self.data)):
            return outline.contours(self._glyphs(), self.named[codepoint])

    def alphabet(self) -> dict[int, Letter]:
        """Read the letters from which hands are computed, but for those that are damaged.

        Raises:
            InputError: The font is damaged.
        """
        from fontTools.ttLib import TTFont

        from vce_models.fonts import outline

        letters = {}
        with (
            _sound(self.file),
            limited(len(self.data)),
            TTFont(io.BytesIO(self.data), lazy=True, recalcTimestamp=False) as font,
        ):
            glyphs, reverse = font.getGlyphSet(), "glyf" in font
            for point in scripts.alphabet(self.named):
                with suppress(InputError), _sound(f"{called(point)} of {self.file}"):
                    name = self.named[point]
                    contours = outline.contours(glyphs, name, reverse=reverse)
                    letters[point] = outline.Letter(contours, font["hmtx"][name][0])
        return letters

    def _glyphs(self) -> Any:
        """Return fontTools' glyph set; it is kept, since characters are read one by one."""
        kept = self.__dict__.get("_kept")
        if kept is None:
            from fontTools.ttLib import TTFont

            font = TTFont(io.BytesIO(self.data), lazy=True, recalcTimestamp=False)
            kept = font.getGlyphSet()
            object.__setattr__(self, "_kept", kept)
        return kept

    def read(
        self, codepoint: int, config: ModelConfig, framing: Framing = OMNIGLOT
    ) -> tuple[Framed, Placement]:
        """Render a character as the training's drawings lie, and say where its canvas lies.

        Raises:
            InputError: The character has no outline, or too large a one.
        """
        from vce_models.fonts.raster import framed

        name = f"{called(codepoint)} of {self.file}"
        if (found := framed(self.contours(codepoint), config, framing)) is None:
            raise InputError(f"{name} is blank")
        at = found[1]
        if max(map(abs, (at.x, at.y, at.x + at.side, at.y + at.side))) > LIMIT:
            raise InputError(f"{name} is too large")
        return found

    def cut(self, points: Iterable[int] | None) -> bytes:
        """Cut the font's file to these characters, and to what its features make of them.

        The whole font is read once, so that damage is found here and not while it is moved.

        Args:
            points: Code points; None keeps everything. Spaces are always kept.

        Raises:
            InputError: The font is damaged.
        """
        with _sound(self.file), limited(len(self.data)):
            data = self._cut(points)
        with _sound(self.file), limited(len(data)):
            _read_all(data)
        return data

    def _cut(self, points: Iterable[int] | None) -> bytes:
        if points is None:
            return self.data
        from fontTools.subset import Options, Subsetter
        from fontTools.ttLib import TTFont

        kept = Options(
            layout_features=["*"],
            layout_scripts=["*"],
            name_IDs=["*"],
            name_languages=["*"],
            name_legacy=True,
            legacy_kern=True,
            legacy_cmap=True,
            symbol_cmap=True,
            glyph_names=True,
            notdef_outline=True,
            recommended_glyphs=True,
            passthrough_tables=True,
            hinting=False,
            prune_codepage_ranges=False,
            recalc_timestamp=False,
        )
        with TTFont(io.BytesIO(self.data), recalcTimestamp=False) as font:
            subsetter = Subsetter(kept)
            subsetter.populate(unicodes=[0x20, 0xA0])
            for point in points:
                subsetter.populate(unicodes=[point, *scripts.taken_apart(point)])
            subsetter.subset(font)
            for tag in NUMBERED:
                if tag in font:
                    del font[tag]
            kerning.drop_unnamed(font)
            file = io.BytesIO()
            font.save(file)
        return file.getvalue()


def _blank(point: int) -> bool:
    return unicodedata.category(chr(point)) in ("Zs", "Zl", "Zp", "Cc", "Cf")


def read_font(path: Path, location: str | None = None) -> SourceFont:
    """Read a font: TrueType or OpenType, plain or packed, the first of a collection, or a UFO.

    Args:
        path: The file, or the UFO's folder.
        location: Where on its axes a variable font is taken, as `wght=600,wdth=80`; an axis
            that is not named stands at its default.

    Raises:
        InputError: The file is missing, is no font, is damaged, or maps no Unicode characters.
        ConfigError: The location names no axis of the font.
    """
    from fontTools.ttLib import TTFont

    for logger in ("fontTools", "ufo2ft"):
        logging.getLogger(logger).addHandler(logging.NullHandler())
    with _sound(str(path)):
        data = _compiled(path) if path.is_dir() else unpacked(contents(path, str(path), MAX_BYTES))
    with _sound(str(path)), limited(len(data)):
        with TTFont(io.BytesIO(data), fontNumber=0, lazy=True, recalcTimestamp=False) as font:
            check_tables(font.reader)
            if not any(table in font for table in OUTLINES):
                hint = "give its characters as images, in .png"
                raise InputError(f"{path} holds pictures, not outlines", hint=hint)
            data = _instance(font, data, location, path)
        with TTFont(io.BytesIO(data), lazy=True, recalcTimestamp=False) as font:
            em = font["head"].unitsPerEm
            if not 16 <= em <= 16384:
                raise ValueError(f"{em} units per em")
            named = dict(font.getBestCmap() or {})
            widths = font["hmtx"].metrics
            named = {point: name for point, name in named.items() if name in widths}
            family = font["name"].getBestFamilyName() if "name" in font else None
    if not named:
        raise InputError(f"{path} maps no Unicode characters")
    return SourceFont(str(path), family or path.stem, em, named, data)


@contextmanager
def _sound(name: str) -> Iterator[None]:
    """Turn what fontTools raises on a damaged font into an error that says so."""
    from fontTools.ttLib import TTLibError

    try:
        yield
    except (TTLibError, OSError) as error:
        raise InputError(f"{name} is not a font, or damaged: {error}") from error
    except (
        struct.error,
        zlib.error,
        ValueError,
        LookupError,
        AssertionError,
        TypeError,
        AttributeError,
        ArithmeticError,
        EOFError,
        RuntimeError,
        StopIteration,
        UnboundLocalError,
        MemoryError,
    ) as error:
        said = str(error.args[0] if error.args else "") or repr(error)
        raise InputError(f"{name} is damaged: {said}") from error


def _read_all(data: bytes) -> None:
    """Take every table and every outline of a font apart.

    Raises:
        ValueError: The font has no outlines, or maps characters to glyphs that it lacks.
    """
    from fontTools.pens.recordingPen import RecordingPen
    from fontTools.ttLib import TTFont

    with TTFont(io.BytesIO(data), lazy=False, recalcTimestamp=False) as font:
        font.ensureDecompiled(recurse=True)
        glyphs, recorded = font.getGlyphSet(), RecordingPen()
        for name in font.getGlyphOrder():
            glyphs[name].draw(recorded)
            font["hmtx"][name]
        if not recorded.value:
            raise ValueError("it draws nothing")
        named = {name for table in font["cmap"].tables for name in table.cmap.values()}
        if lacking := sorted(named - set(font.getGlyphOrder())):
            raise ValueError(f"its map names {lacking[0]}, which it lacks")


def _compiled(path: Path) -> bytes:
    """Compile a UFO as an OpenType font with its kerning and features."""
    from fontTools.feaLib.error import FeatureLibError
    from fontTools.ufoLib.errors import UFOLibError
    from ufo2ft import compileOTF
    from ufo2ft.errors import Error
    from ufoLib2 import Font

    from vce_models.fonts import ufo_features, ufo_files

    options = {"featureCompilerClass": ufo_features.Compiler}
    try:
        ufo_files.check(path)
        ufo = Font.open(path, lazy=False)
        ufo_files.check_opened(ufo)
        font = compileOTF(ufo, optimizeCFF=0, removeOverlaps=False, **options)
    except (UFOLibError, Error, FeatureLibError, SyntaxError) as error:
        raise InputError(f"{path} is no UFO that can be read: {error}") from error
    file = io.BytesIO()
    font.save(file)
    return file.getvalue()


def _instance(font: TTFont, data: bytes, location: str | None, path: Path) -> bytes:
    """Return a font as one sfnt, without axes."""
    if "fvar" not in font:
        if location:
            raise ConfigError(f"{path} has no axes", hint="leave out --location")
        if font.flavor is None and data[:4] != b"ttcf":
            return data
    else:
        from fontTools.ttLib import TTFont
        from fontTools.varLib.instancer import OverlapMode, instantiateVariableFont

        axes: dict[str, float | None] = {axis.axisTag: None for axis in font["fvar"].axes}
        places = _places(location or "", font, path)

        def instance(*, named: bool) -> TTFont:
            eager = TTFont(io.BytesIO(data), fontNumber=0, recalcTimestamp=False)
            overlap = OverlapMode.KEEP_AND_SET_FLAGS
            return instantiateVariableFont(
                eager, axes | places, inplace=True, overlap=overlap, updateFontNames=named
            )

        try:
            font = instance(named=bool(location))
        except ValueError:  # STAT has no name for the place
            style = _style(font, places)
            font = instance(named=False)
            if style:
                font["name"].setName(style, TYPOGRAPHIC_STYLE, *WINDOWS_ENGLISH)
    font.flavor = None
    file = io.BytesIO()
    font.save(file)
    return file.getvalue()


def _style(font: TTFont, places: dict[str, float]) -> str:
    """Call a place on the axes as a named instance does, or `wght650`; empty at the default."""
    defaults = {axis.axisTag: axis.defaultValue for axis in font["fvar"].axes}
    if all(place == defaults[tag] for tag, place in places.items()):
        return ""
    for instance in font["fvar"].instances:
        if instance.coordinates == defaults | places:
            name = font["name"].getDebugName(instance.subfamilyNameID)
            if name:
                return str(name)
    words = [f"{tag.strip()}{place:g}" for tag, place in places.items() if place != defaults[tag]]
    italic = ["Italic"] if font["OS/2"].fsSelection & 1 else []
    return " ".join([*words, *italic])


def _places(location: str, font: TTFont, path: Path) -> dict[str, float]:
    """Read a location, as `wght=600,wdth=80`: a place on each axis, within its limits."""
    axes = {axis.axisTag: axis for axis in font["fvar"].axes}
    hint = (
        f"its axes: {', '.join(f'{t} {a.minValue:g} to {a.maxValue:g}' for t, a in axes.items())}"
    )
    found = {}
    for part in filter(None, location.split(",")):
        tag, _, value = part.partition("=")
        tag = next((axis for axis in axes if axis.strip().lower() == tag.strip().lower()), "")
        try:
            place = float(value)
        except ValueError:
            place = float("nan")
        if not tag or not axes[tag].minValue <= place <= axes[tag].maxValue:
            raise ConfigError(f"{part} is no place in {path}", hint=hint)
        found[tag] = place
    return found
