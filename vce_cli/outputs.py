"""-o and --format say where results go; what would fail at the end is refused at the start."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, NoReturn

from vce_cli.forms import FORMS
from vce_cli.forms.fonts import FontForm
from vce_cli.forms.form import Per, Rendered
from vce_cli.forms.pictures import Picture
from vce_cli.options import Crop, Options, Polarity
from vce_cli.streams import STDOUT, Output
from vce_models import cards
from vce_models.errors import ConfigError, OutputError
from vce_models.files import check_file, check_folder, is_folder

if TYPE_CHECKING:
    from vce_models.listing import Glyph


@dataclass(frozen=True)
class Target:
    """The files of one run.

    Attributes:
        pattern: A path, which may have the fields {char} and {rule}; `-` is standard output.
        form: The form of the files.
        per: What one file holds.
        makes_folders: Whether missing folders on the way are created.
        clobber: Whether existing files are replaced.
    """

    pattern: str
    form: Rendered | FontForm
    per: Per
    makes_folders: bool
    clobber: bool = True

    def path(self, char: str, rule: int) -> Path:
        """Return the file for a glyph and a rule."""
        fields = self.per != "run"
        return Path(self.pattern.format(char=char, rule=rule) if fields else self.pattern)

    def paths(self, names: Iterable[str], numbers: Sequence[int]) -> Iterator[Path]:
        """Yield every file that a run will write, if nothing fails."""
        if self.pattern == "-":
            return
        once = [""] if self.per in ("run", "rule") else names
        rules = numbers if self.per in ("rule", "conversion") else numbers[:1]
        for name in once:
            for number in rules:
                yield self.path(name, number)


def choose(options: Options, rules: int) -> Target:
    """Read what -o and --format ask for, given the number of rules.

    Raises:
        ConfigError: The form or the pattern is unknown, or they do not fit each other.
        ExtraError: The form needs an optional dependency.
    """
    named, output = None, options.output
    if options.form is not None:
        named = _form(options.form, f"--format is {options.form!r}", "use")
    if output in STDOUT:
        return _checked(Target("-", named or FORMS["png"], "run", False), options, rules)
    path = Path(output)
    suffix = path.suffix.lower()[1:]
    if output.endswith(os.sep) or (is_folder(path) and not _names_folder(suffix)):
        form = named or FORMS["png"]
        name = "{rule:02d}" if form.least == "rule" else "{char}-{rule:02d}"
        output = f"{_literal(output).rstrip(os.sep)}/{name}.{form.suffix}"
    else:
        if named and FORMS.get(suffix, named) is not named:
            raise ConfigError(f"{output} says .{suffix}, and --format {options.form}")
        form = named or _form(
            suffix or _formless(output), f"cannot write {output}", "its suffix may be"
        )
    files = 1 if options.variable or options.alternates else rules
    return _checked(_target(output, form, _fields(output), files), options, rules)


def _target(output: str, form: Rendered | FontForm, fields: set[str], rules: int) -> Target:
    """Return the target that the fields of a path ask for, as far as the form can be divided."""
    if form.least == "rule" and rules > 1 and not fields:
        path = Path(output)
        numbered = f"{_literal(str(path.with_suffix('')))}-{{rule:02d}}{path.suffix}"
        return Target(numbered, form, "rule", False)
    if not fields:
        return Target(output, form, "run", False)
    if form.least == "rule":
        return Target(output, form, "rule", True)
    alone = "rule" in fields and form.least != "glyph"
    return Target(output, form, "conversion" if alone else "glyph", True)


def check(
    target: Target,
    options: Options,
    glyphs: list[Glyph],
    numbers: list[int],
    size: int,
    out: Output,
) -> None:
    """Find what would go wrong at the end, before the work begins.

    Args:
        target: Where results go.
        options: The options of the command, which name the inputs.
        glyphs: All glyphs that were found.
        numbers: The numbers of the rules.
        size: Pixels a side of the model's images.
        out: Standard output.

    Raises:
        ConfigError: Two results would have one name, a result would replace an input, a glyph
            has no place in a font, or --ink or --no-fit has no effect.
        OutputError: A folder is missing, a file exists and --no-clobber is given, a sheet would
            be too large, or standard output is closed.
    """
    if target.pattern == "-" or options.as_json:
        out.require(binary=target.pattern == "-" and not target.form.text)
    _check_reading(options, glyphs)
    side = size * options.magnification
    target.form.check(target.per, _fields(target.pattern), glyphs, numbers, side)
    inputs = set(map(_identity, _input_files(options, glyphs)))
    seen: set[str] = set()
    extra = [options.save_rules] if options.save_rules else []
    for path in extra:
        check_file(path)
    for path in (*extra, *target.paths([glyph.name for glyph in glyphs], numbers)):
        if str(path) in seen:
            raise ConfigError(
                f"two results would be {path}", hint="use {char} and {rule} in -o, and other names"
            )
        seen.add(str(path))
        identity = _identity(path)
        if identity and identity in inputs:
            raise ConfigError(f"{path} is an input", hint="name another output")
        if not target.makes_folders:
            check_folder(path)
        if options.no_clobber and (identity or is_folder(path)):
            raise OutputError(f"{path} is there already", hint="leave out --no-clobber")


def _checked(target: Target, options: Options, rules: int) -> Target:
    """Return the target, with --no-clobber, if its form can hold what is asked for.

    Raises:
        ConfigError: It cannot.
        ExtraError: The form needs an optional dependency.
    """
    form = target.form
    several = rules > 1 and not options.variable and not options.alternates
    form.require()
    if options.variable and not (isinstance(form, FontForm) and form.varies):
        raise ConfigError(f"{form.called} has no axes", hint="use --variable with -o hands.ttf")
    if options.alternates and not (isinstance(form, FontForm) and form.least == "rule"):
        raise ConfigError(f"{form.called} has no alternates", hint="use -o hand.ttf")
    for option, value in (("--family", options.family), ("--liveliness", options.liveliness)):
        if value is not None and not isinstance(form, FontForm):
            raise ConfigError(
                f"{option} is for fonts, and {form.called} is none", hint="leave it out"
            )
    shown = (("--scale", options.scale, "pictures"), ("--columns", options.columns, "sheets"))
    for option, given, kind in (*shown, ("--labels", options.labels, "sheets")):
        if given and not isinstance(form, Picture):
            raise ConfigError(
                f"{option} is for {kind}, and {form.called} is none", hint="leave it out"
            )
    if several and target.per == "run" and form.least == "rule":
        raise ConfigError("a font holds one hand", hint="use -n 1, or --variable")
    if not form.still and not options.walk:
        raise ConfigError(f"{form.called} shows a walk", hint="add --walk")
    if form.folder and target.pattern == "-":
        raise ConfigError(f"{form.called} is a folder, not a stream", hint="use --format ttf")
    if form.least == "run" and target.per != "run":
        raise ConfigError(
            f"{form.called} holds all glyphs and rules", hint="name one file after -o"
        )
    if target.pattern == "-" and options.as_json:
        raise ConfigError("the result and --json both want standard output", hint="use -o FILE")
    return replace(target, clobber=not options.no_clobber)


def _form(name: str, wrong: str, hint: str) -> Rendered | FontForm:
    """Return a form by its suffix; errors say what is wrong, and begin their hint with `hint`."""
    if name not in FORMS:
        raise ConfigError(wrong, hint=f"{hint} {', '.join(FORMS)}")
    return FORMS[name]


def _names_folder(suffix: str) -> bool:
    return suffix in FORMS and FORMS[suffix].names_folder


def _literal(text: str) -> str:
    """Make a pattern in which braces stand for themselves."""
    return text.replace("{", "{{").replace("}", "}}")


def _fields(pattern: str) -> set[str]:
    """Return the names of the fields of a pattern.

    Raises:
        ConfigError: It cannot be filled in with `char` and `rule`.
    """
    try:
        parsed = list(Formatter().parse(pattern))
        pattern.format(char="a", rule=1)
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"{pattern} is no pattern: {error}", hint="its fields are {char} and {rule:02d}"
        ) from error
    return {name for _, name, _, _ in parsed if name is not None}


def _formless(output: str) -> NoReturn:
    """Raise ConfigError, since neither a suffix nor --format says what to write."""
    folder = "" if os.path.lexists(output) else f", or name a folder: {output}/"
    raise ConfigError(f"nothing says what to write to {output}", hint=f"add --format png{folder}")


def _check_reading(options: Options, glyphs: list[Glyph]) -> None:
    """Raise ConfigError if an option says how images are read, and there are none."""
    if options.like or not glyphs or any(glyph.font is None for glyph in glyphs):
        return
    asked = {
        "--ink": options.ink != Polarity.AUTO,
        "--no-fit": not options.fit,
        "--crop": options.crop != Crop.WHOLE,
    }
    if option := next((option for option, given in asked.items() if given), None):
        raise ConfigError(
            f"{option} says how images are read, and there are none", hint="leave it out"
        )


def _input_files(options: Options, glyphs: list[Glyph]) -> list[Path]:
    """List all files that a run reads."""
    from vce_models.rules import split_selection

    files = [Path(name) for name in options.inputs]
    files.extend(Path(glyph.source) for glyph in glyphs if glyph.font is None)
    files.extend(options.like or ())
    files.append(cards.find(options.weights))
    return files + ([split_selection(options.rules)[0]] if options.rules else [])


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what all names of one regular file have in common."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if path.is_file() else None
