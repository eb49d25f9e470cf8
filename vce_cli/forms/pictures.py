"""Forms of single conversions: pictures, outlines and arrays."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from vce_cli.forms.form import Group, Per, Rendered, Style
from vce_models.errors import OutputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from vce_models.arrays import Array
    from vce_models.listing import Converted, Glyph

MAX_PIXELS = 2**27
"""Most pixels of a sheet, of all frames of a walk, or of a cell; each takes ten bytes of memory."""

CELL, GAP = 100.0, 4.0
"""Side of a cell of an .svg, and the space between two cells, in the units of the file."""


class Picture(Rendered):
    """Pixels: one conversion, a contact sheet, or the frames of a walk.

    Attributes:
        longest: Longest side of a picture in this form, in pixels; None means no limit.
        moving: Whether it can show a walk as an animation.
    """

    longest: ClassVar[int | None] = None
    moving: ClassVar[bool] = False

    def check(
        self, per: Per, fields: set[str], glyphs: list[Glyph], numbers: list[int], side: int
    ) -> None:
        """Raise OutputError if a picture would have more than `MAX_PIXELS`."""
        rules = len(numbers)
        cells = {"run": len(glyphs) * (rules + 1), "glyph": rules + 1}.get(per, 1)
        if cells * side**2 > MAX_PIXELS:
            raise OutputError(
                f"{cells} cells of {side}x{side} pixels are too many for one picture",
                hint="use a smaller --scale, or one file each: -o '{char}-{rule:02d}.png'",
            )

    def check_sides(self, per: Per, glyphs: int, rules: int, style: Style) -> None:
        """Raise OutputError if a side of a picture would be longer than the form allows."""
        from vce_models.glyphs import sheets

        if not self.longest:
            return
        rows = glyphs if per == "run" else 1
        if per == "conversion":
            width = height = style.side
        elif style.walk and self.moving:
            width, height = sheets.grid_size(rows, style.columns, style.side, False)
        else:
            columns = _sheet_columns(rows, rules, style)
            width, height = sheets.grid_size(rules + 1, columns, style.side, style.labels)
            height *= rows
        self._check_side(width, height)

    def _check_side(self, width: int, height: int) -> None:
        if self.longest and max(width, height) > self.longest:
            raise OutputError(
                f"{width}x{height} pixels are too many for {self.called}",
                hint="use .png, or a smaller --scale",
            )

    def points(self, scale: int, size: int) -> int:
        """Return one point for each pixel of the picture."""
        return scale

    def render(self, conversion: Array, side: int) -> Any:
        """Render a picture, black on white."""
        from vce_models.glyphs import sheets

        return sheets.render_cell(conversion, side)

    def encode(self, group: Group, style: Style, file: Path) -> None:
        """Write the conversion, the sheet or the animation.

        Raises:
            OutputError: A side is longer than the form allows.
        """
        frames = self._frames(group, style)
        self._check_side(*frames[0].size)
        first, last = group.numbers[0], group.numbers[-1]
        number = str(first) if first == last else f"{first}-{last}"
        text = {**style.metadata, "vce:rule": number} if style.metadata else {}
        self.save(frames, file, text)

    @abstractmethod
    def save(self, frames: list[Image], file: Path, text: Mapping[str, str]) -> None:
        """Write one frame or several, and the texts where the form can hold them."""

    def _frames(self, group: Group, style: Style) -> list[Image]:
        from vce_models.glyphs import sheets

        if group.per == "conversion":
            return list(group.rows[0].conversions)
        if style.walk and self.moving:
            return sheets.render_frames([row.conversions for row in group.rows], style.columns)
        return [_sheet(group.rows, group.numbers, style)]


class Png(Picture):
    """A picture that says how it was made."""

    suffix = "png"

    def save(self, frames: list[Image], file: Path, text: Mapping[str, str]) -> None:
        """Write the one frame with its metadata."""
        from vce_models.glyphs import sheets

        sheets.write_png(frames[0], file, text)


class Webp(Picture):
    """A lossless picture, or an animation."""

    suffix, longest, moving = "webp", 16383, True

    def save(self, frames: list[Image], file: Path, text: Mapping[str, str]) -> None:
        """Write the frames; the form keeps no metadata."""
        from vce_models.glyphs import sheets

        sheets.write_webp(frames, file)


class Gif(Picture):
    """An animation."""

    suffix, longest, moving, still = "gif", 65535, True, False
    least = "glyph"

    def save(self, frames: list[Image], file: Path, text: Mapping[str, str]) -> None:
        """Write the frames; the form keeps no metadata."""
        from vce_models.glyphs import sheets

        sheets.write_gif(frames, file)


class Svg(Rendered):
    """Rows of glyphs as paths."""

    suffix, text, fonts, outlined = "svg", True, True, True

    def points(self, scale: int, size: int) -> int:
        """Return one point for each pixel of the fine drawing that the pen follows."""
        from vce_models.glyphs.images import finest

        return finest(size)

    def render(self, conversion: Array, side: int) -> Any:
        """Trace outlines, whose unit is the canvas's side; the side of pictures has no effect."""
        from vce_models.fonts.tracing import trace

        return trace(conversion)

    def encode(self, group: Group, style: Style, file: Path) -> None:
        """Write one document, with a column for each rule."""
        from vce_models.fonts.tracing import svg

        cells = [[*row.conversions] for row in group.rows]
        file.write_text(svg(cells, CELL, GAP), encoding="utf-8")


class Npz(Rendered):
    """Arrays for programs: the whole run in one file."""

    suffix, least = "npz", "run"

    def points(self, scale: int, size: int) -> int:
        """Return 1, as arrays have the size of the model's images."""
        return 1

    def render(self, conversion: Array, side: int) -> Any:
        """Return the conversion as it is."""
        return conversion

    def encode(self, group: Group, style: Style, file: Path) -> None:
        """Write the arrays."""
        from vce_models.glyphs import npz

        images = [[*row.conversions] for row in group.rows]
        conditions = [row.drawing.condition for row in group.rows]
        names = [row.glyph.name for row in group.rows]
        npz.write(file, images, conditions, names, group.rules, group.numbers)


def _sheet(rows: list[Converted], numbers: list[int], style: Style) -> Image:
    """Make a sheet with a row for each glyph and a column for each rule; one glyph fills rows."""
    from vce_models.glyphs import sheets

    columns = _sheet_columns(len(rows), len(numbers), style)
    return sheets.stack(
        [
            sheets.render_grid(
                [sheets.render_cell(row.drawing.detail, style.side), *row.conversions],
                columns,
                [_caption(row.glyph), *map(str, numbers)] if style.labels else (),
            )
            for row in rows
        ]
    )


def _sheet_columns(rows: int, rules: int, style: Style) -> int | None:
    return style.columns or (rules + 1 if rows > 1 else None)


def _caption(glyph: Glyph) -> str:
    """Return a glyph's caption: its character, where the font of captions surely has it."""
    point = glyph.codepoint or 0
    return chr(point) if 0x20 < point < 0x7F else glyph.name
