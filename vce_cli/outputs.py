"""Where results go: what -o and --format mean, and what speaks against it before any work."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Literal

from vce_cli.extras import require_fonts
from vce_cli.options import Ink, Options
from vce_cli.streams import STDOUT, Output
from vce_models.errors import ConfigError, OutputError

if TYPE_CHECKING:
    from vce_models.glyphs.listing import Glyph

PICTURES = ("png", "webp", "gif")
FONTS = ("ttf", "ufo")
FORMS = (*PICTURES, "svg", *FONTS, "npz")

MAX_PIXELS = 2**27
"""Of a sheet, of all frames of a walk, or of a cell, held in memory at ten bytes each at most."""

Per = Literal["run", "rule", "glyph", "conversion"]


@dataclass(frozen=True)
class Target:
    """The files of one run.

    Attributes:
        pattern: A path, which may have the fields {char} and {rule}; `-` is standard output.
        form: One of `FORMS`.
        per: What one file holds: all, a rule, a glyph, or one conversion.
        makes_folders: The folders on the way are made where they are missing.
        clobber: Files that are there are replaced.
    """

    pattern: str
    form: str
    per: Per
    makes_folders: bool
    clobber: bool = True

    def path(self, char: str, rule: int) -> Path:
        """The file for a glyph and a rule."""
        fields = self.per != "run"
        return Path(self.pattern.format(char=char, rule=rule) if fields else self.pattern)

    def paths(self, names: Iterable[str], numbers: Sequence[int]) -> Iterator[Path]:
        """Every file that a run will write, if nothing fails."""
        if self.pattern == "-":
            return
        once = [""] if self.per in ("run", "rule") else names
        rules = numbers if self.per in ("rule", "conversion") else numbers[:1]
        for name in once:
            for number in rules:
                yield self.path(name, number)


def choose(options: Options, rules: int) -> Target:
    """Read -o and --format; `rules` is how many there are.

    Raises:
        ConfigError: The form is unknown, or the pattern, or the two do not fit.
        ExtraError: The form needs an optional dependency.
    """
    output, form = options.output, options.form
    if form is not None and form not in FORMS:
        raise ConfigError(f"--format is {form!r}", hint=f"use {', '.join(FORMS)}")
    if output in STDOUT:
        return _checked(Target("-", form or _formless("standard output"), "run", False), options)
    path = Path(output)
    if output.endswith(os.sep) or (_is_folder(path) and path.suffix.lower() != ".ufo"):
        form = form or "png"
        name = f"{{rule:02d}}.{form}" if form in FONTS else f"{{char}}-{{rule:02d}}.{form}"
        output = f"{_literal(output).rstrip(os.sep)}/{name}"
    form = form or path.suffix.lower()[1:] or _formless(output)
    if form not in FORMS:
        raise ConfigError(f"cannot write {output}", hint=f"its suffix may be {', '.join(FORMS)}")
    fields = _fields(output)
    if form in FONTS and rules > 1 and "rule" not in fields:
        numbered = f"{_literal(str(path.with_suffix('')))}-{{rule:02d}}{path.suffix}"
        target = Target(numbered, form, "rule", False)
    elif not fields:
        target = Target(output, form, "run", False)
    elif form in FONTS:
        target = Target(output, form, "rule", True)
    elif "rule" in fields and not (options.walk and form == "gif"):
        target = Target(output, form, "conversion", True)
    else:
        target = Target(output, form, "glyph", True)
    return _checked(target, options)


def check(
    target: Target,
    options: Options,
    glyphs: list[Glyph],
    numbers: list[int],
    size: int,
    out: Output,
) -> None:
    """Find what would go wrong at the end before the work begins.

    Args:
        target: Where results go.
        options: Say what the inputs are, and what must not be replaced.
        glyphs: All that were found.
        numbers: Of the rules.
        size: Pixels a side of the model's images.
        out: Standard output.

    Raises:
        ConfigError: Two results would be one file, a result would replace an input, a
            glyph has no place in a font, or nothing is read by --ink or --no-fit.
        OutputError: A folder is missing, a file is there and --no-clobber given, a sheet
            would be too large, or standard output is closed.
    """
    if target.pattern == "-" or options.as_json:
        out.require(binary=target.pattern == "-" and target.form != "svg")
    _check_reading(options, glyphs)
    if target.form in FONTS:
        _check_font(target, glyphs, numbers)
    if target.form in PICTURES:
        _check_pixels(target, len(glyphs), len(numbers), size * options.scale)
    inputs = set(map(_identity, _input_files(options, glyphs)))
    seen: set[str] = set()
    extra = [options.save_rules] if options.save_rules else []
    for path in (*extra, *target.paths([glyph.name for glyph in glyphs], numbers)):
        if str(path) in seen:
            raise ConfigError(
                f"two results would be {path}", hint="use {char} and {rule} in -o, and other names"
            )
        seen.add(str(path))
        identity = _identity(path)
        if identity and identity in inputs:
            raise ConfigError(f"{path} is an input", hint="name another output")
        made = target.makes_folders and path != options.save_rules
        if not made and not _is_folder(path.parent):
            raise OutputError(f"cannot write {path}: there is no folder {path.parent}")
        if options.no_clobber and (identity or _is_folder(path)):
            raise OutputError(f"{path} is there already", hint="leave out --no-clobber")


def _checked(target: Target, options: Options) -> Target:
    if target.form == "svg" or target.form in FONTS:
        require_fonts(f"a .{target.form}")
    if target.form == "gif" and not options.walk:
        raise ConfigError("a .gif shows a walk", hint="add --walk")
    if target.form == "ufo" and target.pattern == "-":
        raise ConfigError("a .ufo is a folder, not a stream", hint="use --format ttf")
    if target.form == "npz" and target.per != "run":
        raise ConfigError("an .npz holds all glyphs and rules", hint="name one file after -o")
    if target.pattern == "-" and options.as_json:
        raise ConfigError("the result and --json both want standard output", hint="use -o FILE")
    return replace(target, clobber=not options.no_clobber)


def _literal(text: str) -> str:
    """A pattern in which braces stand for themselves."""
    return text.replace("{", "{{").replace("}", "}}")


def _fields(pattern: str) -> set[str]:
    try:
        parsed = list(Formatter().parse(pattern))
        pattern.format(char="a", rule=1)
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"{pattern} is no pattern: {error}", hint="its fields are {char} and {rule:02d}"
        ) from error
    return {name for _, name, _, _ in parsed if name is not None}


def _formless(output: str) -> str:
    named = output == "standard output" or os.path.lexists(output)
    folder = "" if named else f", or name a folder: {output}/"
    raise ConfigError(f"nothing says what to write to {output}", hint=f"add --format png{folder}")


def _check_reading(options: Options, glyphs: list[Glyph]) -> None:
    if options.like or not glyphs or any(glyph.font is None for glyph in glyphs):
        return
    if options.ink != Ink.AUTO or not options.fit:
        option = "--no-fit" if options.ink == Ink.AUTO else "--ink"
        raise ConfigError(
            f"{option} says how images are read, and there are none", hint="leave it out"
        )


def _check_font(target: Target, glyphs: list[Glyph], numbers: list[int]) -> None:
    from vce_models.glyphs.listing import codepoint

    if target.per == "run" and len(numbers) > 1:
        raise ConfigError("a font holds one rule", hint="use -n 1")
    if "char" in _fields(target.pattern):
        raise ConfigError("a font holds all glyphs", hint="use {rule} alone in -o")
    seen: dict[int, str] = {}
    for glyph in glyphs:
        other = seen.setdefault(number := codepoint(glyph), glyph.source)
        if other != glyph.source:
            raise ConfigError(f"{other} and {glyph.source} are both U+{number:04X}")


def _check_pixels(target: Target, glyphs: int, rules: int, side: int) -> None:
    cells = {"run": glyphs * (rules + 1), "glyph": rules + 1}.get(target.per, 1)
    if cells * side**2 > MAX_PIXELS:
        raise OutputError(
            f"{cells} cells of {side}x{side} pixels are too many for one picture",
            hint="use a smaller --scale, or one file each: -o '{char}-{rule:02d}.png'",
        )


def _input_files(options: Options, glyphs: list[Glyph]) -> list[Path]:
    from vce_models.rules import split_selection

    files = [Path(name) for name in options.inputs]
    files.extend(Path(glyph.source) for glyph in glyphs if glyph.font is None)
    files.extend(options.like or ())
    files.extend([options.weights] if options.weights else [])
    return files + ([split_selection(options.rules)[0]] if options.rules else [])


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # too long a name, or a folder on the way that may not be entered
        return False


def _identity(path: Path) -> tuple[int, int] | None:
    """What two names of one regular file have in common."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if path.is_file() else None
