"""Conversions are grouped into files, and the files are written one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vce_cli.forms.form import Group, Rendered, Style
from vce_cli.outputs import Target
from vce_cli.streams import Output
from vce_models.errors import OutputError
from vce_models.files import replacing, scratch
from vce_models.folders import beside

if TYPE_CHECKING:
    from vce_models.arrays import Array
    from vce_models.listing import Converted


@dataclass(frozen=True)
class Hands:
    """The rules of a run.

    Attributes:
        rules: (N, size, latent_per_row).
        numbers: How messages, captions and files number them, N of them.
        seed: The seed that they were sampled by; None where they were not.
        calm: Whether level and upright strokes stay so (`rendering.calming`); None where the form
            of the results decides.
    """

    rules: Array
    numbers: list[int]
    seed: int | None = None
    calm: bool | None = None


def write(
    rendered: Iterable[Converted], hands: Hands, target: Target, style: Style, out: Output
) -> Iterator[Path]:
    """Write results as they come, or all at the end where one file holds all glyphs.

    Args:
        rendered: Glyphs with their conversions, rendered for the target's form.
        hands: The rules by which they were converted.
        target: Where results go.
        style: How they look.
        out: Standard output.

    Yields:
        Each path, once it is written.
    """
    form = target.form
    assert isinstance(form, Rendered)
    for rows in _together(rendered, target):
        for part, rules, numbers in _parts(rows, hands, target):
            path = target.path(part[0].glyph.name, numbers[0])
            name = "vce" if str(path) == "-" else path.stem
            group = Group(target.per, part, rules, numbers, name)
            with opened(path, target, out) as file:
                form.encode(group, style, file)
            yield path


def _together(rendered: Iterable[Converted], target: Target) -> Iterator[list[Converted]]:
    """Yield rows in groups that must be complete before a file of them can be written."""
    if target.per == "conversion":
        yield from ([row] for row in rendered)
        return
    whole = (replace(row, conversions=list(row.conversions)) for row in rendered)
    if target.per == "glyph":
        yield from ([row] for row in whole)
    elif everything := list(whole):
        yield everything


def _parts(
    rows: list[Converted], hands: Hands, target: Target
) -> Iterator[tuple[list[Converted], Array, list[int]]]:
    """Divide a group into the rows, rules and numbers of each file."""
    if target.per in ("run", "glyph"):
        yield rows, hands.rules, hands.numbers
        return
    columns = zip(*(row.conversions for row in rows), strict=True)
    for i, (number, column) in enumerate(zip(hands.numbers, columns, strict=True)):
        cut = [replace(row, conversions=[one]) for row, one in zip(rows, column, strict=True)]
        yield cut, hands.rules[i : i + 1], [number]


@contextmanager
def opened(path: Path, target: Target, out: Output) -> Iterator[Path]:
    """Yield a path for one result, which is whole at the end, or is not there."""
    if target.pattern == "-":
        with scratch() as file:
            yield file
            out.write(file.read_bytes())
        return
    if target.makes_folders:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {path.parent}: {error.strerror}") from error
    if target.form.folder:
        with beside(path, clobber=target.clobber) as file:
            yield file
        return
    with replacing(path, clobber=target.clobber) as file:
        yield file
