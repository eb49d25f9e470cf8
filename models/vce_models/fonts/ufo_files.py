"""A UFO's files are checked before anything trusts them.

A UFO is a folder of XML files and feature code. A small one can ask for much by entities, by
glyphs that are made of glyphs, and by files that include files, inside or outside the folder.
"""

from __future__ import annotations

import itertools
import math
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from vce_models.fonts.sfnt import oversized
from vce_models.glyphs.decoding import contents

MAX_BYTES = 1 << 26
"""Bytes of all files of a UFO together, at most."""

MAX_FILES = 70_000
"""Files of a UFO at most: one for each glyph that a font may have, and some more."""

MAX_GLYPH = 1 << 22
"""Bytes of a file of a glyph at most."""

MAX_INCLUDED = 32
"""Files that feature code may include; those include no others."""

MAX_COMBINED = 200_000
"""Sequences of glyphs that classes in ligatures and pairs of feature code stand for, at most."""

_NAME = re.compile(rb"""<glyph\b[^>]*?\bname\s*=\s*["']([^"']*)["']""")
_PART = re.compile(rb"""<component\b[^>]*?\bbase\s*=\s*["']([^"']*)["']""")
_INCLUDED = re.compile(rb"\binclude\s*\(([^)]*)\)")


def check(folder: Path) -> None:
    """Refuse a UFO that asks for much more than its size allows, or for files outside its place.

    Raises:
        ValueError: The UFO is refused.
        OSError, InputError: A file cannot be read.
    """
    total, parts = 0, dict[bytes, list[bytes]]()
    for count, path in enumerate(_files(folder), start=1):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path.name} is no file")
        total += status.st_size
        if count > MAX_FILES or total > MAX_BYTES:
            raise ValueError("its files are too many, or too large")
        if path.suffix in (".plist", ".glif"):
            data = contents(path, str(path), MAX_GLYPH if path.suffix == ".glif" else MAX_BYTES)
            if b"<!ENTITY" in data:
                raise ValueError(f"{path.name} defines entities, which are not read")
            if path.suffix == ".glif" and (name := _NAME.search(data)):
                parts.setdefault(name[1], []).extend(_PART.findall(data))
    if (large := oversized(parts)) is not None:
        called = large.decode("utf-8", "replace")
        raise ValueError(f"the glyph {called} is made of itself, or of too many others")
    _check_included(folder)


@contextmanager
def limited() -> Iterator[None]:
    """Stop the compiler of feature code, as long as the context is open, at far too many sequences.

    A ligature of forty classes of ten glyphs stands for more sequences than can be listed.

    Raises:
        ValueError: Classes stand for more than `MAX_COMBINED` sequences.
    """
    from fontTools.feaLib import ast, builder

    combined = 0

    def product(*classes: Iterable[object]) -> Iterator[tuple[object, ...]]:
        nonlocal combined
        listed = [tuple(glyphs) for glyphs in classes]
        combined += math.prod(map(len, listed))
        if combined > MAX_COMBINED:
            raise ValueError("its features stand for too many sequences of glyphs")
        return itertools.product(*listed)

    for module in (ast, builder):
        module.itertools = SimpleNamespace(**vars(itertools) | {"product": product})
    try:
        yield
    finally:
        for module in (ast, builder):
            module.itertools = itertools


def _files(folder: Path) -> Iterator[Path]:
    """List all files of a folder and of folders in it; links to other folders are not followed."""
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names)


def _check_included(folder: Path) -> None:
    """Check that feature code includes few files, beside the UFO or in it, which include none."""
    features = folder / "features.fea"
    if not features.exists():
        return
    names = _INCLUDED.findall(contents(features, str(features), MAX_BYTES))
    if len(names) > MAX_INCLUDED:
        raise ValueError(f"its features include {len(names)} files")
    around = folder.resolve().parent
    for name in set(names):
        path = (folder.parent / os.fsdecode(name.strip())).resolve()
        if not path.is_relative_to(around):
            raise ValueError(f"its features include {path}, which lies elsewhere")
        if path.is_file() and _INCLUDED.search(contents(path, str(path), MAX_GLYPH)):
            raise ValueError(f"its features include {path.name}, which includes others")
