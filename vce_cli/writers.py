"""One function for each form of result."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vce_cli.outputs import PICTURES, Target
from vce_cli.streams import Output
from vce_models.drawing.pen import Array
from vce_models.errors import OutputError
from vce_models.files import replacing
from vce_models.glyphs import arrays, sheets
from vce_models.glyphs.images import finest
from vce_models.glyphs.listing import Glyph, Redrawn, codepoint

if TYPE_CHECKING:
    from PIL.Image import Image

CELL, GAP = 100.0, 4.0
"""Side of a cell of an .svg, and the space between two, in its units."""


@dataclass(frozen=True)
class Style:
    """How results are drawn, and what they say of themselves.

    Attributes:
        columns: Cells in a row of a sheet.
        side: Of a cell of a picture, in pixels.
        labels: Names and rule numbers on sheets.
        frames: Rules are the frames of a walk.
        rules: (N, size, latent_per_row), as they were before --strength.
        numbers: Their numbers.
        metadata: Of PNGs, by keyword, but for the rule.
    """

    columns: int | None
    side: int
    labels: bool
    frames: bool
    rules: Array
    numbers: list[int]
    metadata: Mapping[str, str]


def points(form: str, scale: int, size: int) -> int:
    """Points that a form can show of a conversion, for each of `size` pixels a side."""
    if form in PICTURES:
        return scale
    return 1 if form == "npz" else finest(size)


def rendered(conversion: Array, form: str, side: int) -> Any:
    """A conversion as a form wants it: a picture of a side, outlines, or as it is."""
    if form in PICTURES:
        return sheets.draw_cell(conversion, side)
    if form == "npz":
        return conversion
    from vce_models.fonts.outlines import trace

    return trace(conversion)


def write(redrawn: Iterable[Redrawn], target: Target, style: Style, out: Output) -> Iterator[Path]:
    """Write results as they come, or all at the end where one file holds all glyphs.

    Args:
        redrawn: Glyphs, their conversions `rendered` for the target's form.
        target: Where to.
        style: How.
        out: Standard output.

    Yields:
        Each path, once it is written.
    """
    if target.per == "conversion":
        groups: Iterable[list[Redrawn]] = ([one] for one in redrawn)
    else:
        whole = (replace(row, conversions=list(row.conversions)) for row in redrawn)
        if target.per == "glyph":
            groups = ([one] for one in whole)
        else:
            groups = [everything] if (everything := list(whole)) else []
    for group in groups:
        for rows, styled in _parts(group, target, style):
            path = target.path(rows[0].glyph.name, styled.numbers[0])
            with _opened(path, target, out) as file:
                _encode(rows, target, styled, file, "vce" if str(path) == "-" else path.stem)
            yield path


def _parts(
    rows: list[Redrawn], target: Target, style: Style
) -> Iterator[tuple[list[Redrawn], Style]]:
    if target.per in ("run", "glyph"):
        yield rows, style
        return
    columns = zip(*(row.conversions for row in rows), strict=True)
    for i, (number, column) in enumerate(zip(style.numbers, columns, strict=True)):
        cut = [replace(row, conversions=[one]) for row, one in zip(rows, column, strict=True)]
        yield cut, replace(style, rules=style.rules[i : i + 1], numbers=[number])


@contextmanager
def _opened(path: Path, target: Target, out: Output) -> Iterator[Path]:
    if target.pattern == "-":
        with tempfile.TemporaryDirectory(prefix="vce-") as folder:
            yield (file := Path(folder) / "result")
            out.write(file.read_bytes())
        return
    if target.makes_folders:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {path.parent}: {error.strerror}") from error
    if target.form == "ufo":  # a folder, written whole by what writes it
        yield path
        return
    with replacing(path, clobber=target.clobber) as file:
        yield file


def _encode(rows: list[Redrawn], target: Target, style: Style, file: Path, family: str) -> None:
    if target.form in PICTURES:
        _write_picture(rows, target, style, file)
    elif target.form == "npz":
        arrays.write(file, rows, style.rules, style.numbers)
    elif target.form == "svg":
        _write_svg(rows, file)
    else:
        _write_font(rows, target.form, file, family)


def _write_picture(rows: list[Redrawn], target: Target, style: Style, file: Path) -> None:
    first, last = style.numbers[0], style.numbers[-1]
    number = str(first) if first == last else f"{first}-{last}"
    text = {**style.metadata, "vce:rule": number} if style.metadata else {}
    if target.per == "conversion":
        frames = list(rows[0].conversions)
    elif style.frames and target.form in ("gif", "webp"):
        frames = sheets.draw_frames([row.conversions for row in rows], style.columns)
    else:
        frames = [_draw_sheet(rows, style)]
    sheets.write(frames, target.form, file, text)


def _draw_sheet(rows: list[Redrawn], style: Style) -> Image:
    """Rows are glyphs, columns are rules; one glyph alone fills rows of its own."""
    columns = style.columns or (len(style.numbers) + 1 if len(rows) > 1 else None)
    numbers = [str(number) for number in style.numbers]
    return sheets.stack(
        [
            sheets.draw_grid(
                [sheets.draw_cell(row.drawing.detail, style.side), *row.conversions],
                columns,
                [_caption(row.glyph), *numbers] if style.labels else (),
            )
            for row in rows
        ]
    )


def _caption(glyph: Glyph) -> str:
    """A character by itself where the font of captions is sure to have it."""
    point = glyph.codepoint or 0
    return chr(point) if 0x20 < point < 0x7F else glyph.name


def _write_svg(rows: list[Redrawn], file: Path) -> None:
    from vce_models.fonts.outlines import svg

    cells = [[*row.conversions] for row in rows]
    file.write_text(svg(cells, CELL, GAP), encoding="utf-8")


def _write_font(rows: list[Redrawn], form: str, file: Path, family: str) -> None:
    from vce_models.fonts import writing

    glyphs = {
        codepoint(row.glyph): (contours, row.placement or writing.DEFAULT_PLACEMENT)
        for row in rows
        for contours in row.conversions
    }
    source = rows[0].glyph.font
    if any(row.glyph.font is not source for row in rows):
        source = None  # of several, none has the measures of all
    save = {"ttf": writing.write_ttf, "ufo": writing.write_ufo}[form]
    save(file, family, glyphs, source)
