"""A UFO's files are checked before anything trusts them.

A UFO is a folder of XML files and feature code. A small one can ask for much by entities, by
glyphs that are made of glyphs, and by files that include files, inside or outside the folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vce_models.fonts import ufo_features
from vce_models.fonts.sfnt import oversized
from vce_models.fonts.xml_files import check_xml, is_xml
from vce_models.glyphs.decoding import contents

if TYPE_CHECKING:
    from ufoLib2 import Font

MAX_BYTES = 1 << 26
"""Bytes of all files of a UFO together, at most."""

MAX_FILES = 70_000
"""Files of a UFO at most: one for each glyph that a font may have, and some more."""

MAX_GLYPH = 1 << 22
"""Bytes of a file of a glyph at most."""

MAX_INCLUDED = 32
"""Files that feature code may include; those include no others."""

OTHERS = ("features.fea", "data", "images")
"""What of a UFO is no XML."""

UFO2FT = "com.github.googlei18n.ufo2ft"
"""What the keys of ufo2ft begin with, in the lib of a UFO and among its data."""

LOADED = {"featureWriters": "module", "filters": "namespace"}
"""By key of the lib: the field of each entry that names a module of Python to load."""


def check(folder: Path) -> None:
    """Refuse a UFO that asks for much more than its size allows, or for files outside its place.

    Raises:
        ValueError: The UFO is refused.
        OSError, InputError: A file cannot be read.
    """
    total = 0
    for count, path in enumerate(_files(folder), start=1):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path.name} is no file")
        total += status.st_size
        if count > MAX_FILES or total > MAX_BYTES:
            raise ValueError("its files are too many, or too large")
        if path.suffix == ".mti":
            raise ValueError(f"{path.name} holds features in a form that is not read")
        if path.relative_to(folder).parts[0] not in OTHERS:
            most = MAX_BYTES if path.suffix == ".plist" else MAX_GLYPH
            data = contents(path, str(path), most)
            # contents.plist may call the file of a glyph as it likes
            if path.suffix in (".plist", ".glif") or is_xml(data):
                check_xml(data, path.name)
    _check_included(folder)


def check_opened(font: Font) -> None:
    """Refuse glyphs that are made of too many others, and forget which modules are to be loaded.

    A UFO may name filters and writers of features by the modules of Python that they are in. Only
    ufo2ft's own are used.

    Raises:
        ValueError: A glyph is made of itself, or of too many others.
    """
    parts = dict[str, list[str]]()
    for layer in font.layers:
        for glyph in layer:
            if glyph.components:
                bases = parts.setdefault(str(glyph.name), [])
                bases.extend(component.baseGlyph for component in glyph.components)
    if (large := oversized(parts)) is not None:
        raise ValueError(f"the glyph {large} is made of itself, or of too many others")
    for key, field in LOADED.items():
        own, key = f"ufo2ft.{key}", f"{UFO2FT}.{key}"
        if key in font.lib:
            kept = [entry for entry in font.lib[key] if _within(entry.get(field, own), own)]
            font.lib[key] = kept


def _within(module: object, package: str) -> bool:
    return isinstance(module, str) and f"{module}.".startswith(f"{package}.")


def _files(folder: Path) -> Iterator[Path]:
    """List all files of a folder and of folders in it; links to other folders are not followed."""
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names)


def _check_included(folder: Path) -> None:
    """Check that feature code includes few files, beside the UFO or in it, which include none."""
    names = _included(folder / "features.fea", MAX_BYTES)
    if len(names) > MAX_INCLUDED:
        raise ValueError(f"its features include {len(names)} files")
    around = folder.resolve().parent
    for name in set(names):
        path = (folder.parent / name).resolve()
        if not path.is_relative_to(around):
            raise ValueError(f"its features include {path}, which lies elsewhere")
        if path.exists() and not path.is_file():
            raise ValueError(f"its features include {path.name}, which is no file")
        if _included(path, MAX_GLYPH):
            raise ValueError(f"its features include {path.name}, which includes others")


def _included(path: Path, most: int) -> list[str]:
    """List the files that feature code includes; none if there is no such code."""
    if not path.is_file():
        return []
    data = contents(path, str(path), most)
    if b"include" not in data:
        return []
    return ufo_features.included(data.decode("utf-8-sig"))
