"""The forms of results, one small object for each suffix that -o may have.

A new form is a new entry of `FORMS`. `Form` is what has to be known before any work begins;
`Rendered` adds what a form does with conversions that come one by one. A form that takes the
glyphs and all rules at once is another child of `Form`. This module loads no NumPy: what makes
a result is imported where it is made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from vce_cli.extras import require_fonts
from vce_models.errors import ConfigError, OutputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from vce_models.arrays import Array
    from vce_models.fonts.editing import Flavour
    from vce_models.fonts.family import Family
    from vce_models.listing import Glyph, Redrawn

Per = Literal["conversion", "glyph", "rule", "run"]
"""What one file holds: one conversion, a glyph by all rules, all glyphs by a rule, everything."""

MAX_PIXELS = 2**27
"""Pixels of a sheet, of all frames of a walk, or of a cell; each takes ten bytes at most."""

CELL, GAP = 100.0, 4.0
"""Side of a cell of an .svg, and the space between two, in its units."""


@dataclass(frozen=True)
class Style:
    """How results look, and what they say of themselves.

    Attributes:
        columns: How many cells stand in a row of a sheet; None leaves that to the sheet.
        side: Side of a picture's cell, in pixels.
        labels: Whether names and rule numbers stand on sheets.
        walk: Whether rules are the frames of a walk.
        metadata: What a PNG says, by keyword; the rule's number is added.
    """

    columns: int | None
    side: int
    labels: bool
    walk: bool
    metadata: Mapping[str, str]


@dataclass(frozen=True)
class Group:
    """What goes into one file.

    Attributes:
        per: Which part of the run this is.
        rows: Glyphs, each with one rendered conversion for each rule.
        rules: (N, size, latent_per_row), as they were before --strength.
        numbers: The numbers of the rules.
        name: The name of a font.
    """

    per: Per
    rows: list[Redrawn]
    rules: Array
    numbers: list[int]
    name: str


class Form:
    """What has to be known of a form before any work begins.

    Attributes:
        suffix: The suffix of its files, without the dot.
        least: The least that one of its files holds.
        still: Whether it can show something that does not move.
        folder: Whether a result is a folder, or has some beside it: no stream can carry that.
        names_folder: Whether a folder of that suffix is itself a result, and none for results.
        text: Whether a terminal can show it.
        fonts: Whether it needs the extra `fonts`.
    """

    suffix: ClassVar[str]
    least: ClassVar[Per] = "conversion"
    still: ClassVar[bool] = True
    folder: ClassVar[bool] = False
    names_folder: ClassVar[bool] = False
    text: ClassVar[bool] = False
    fonts: ClassVar[bool] = False

    @property
    def called(self) -> str:
        """What messages call a result."""
        return f"a .{self.suffix}"

    def require(self) -> None:
        """Raise ExtraError where what this form needs is not installed."""
        if self.fonts:
            require_fonts(self.called)

    def check(
        self, per: Per, fields: set[str], glyphs: list[Glyph], numbers: list[int], side: int
    ) -> None:
        """Raise before any work where results of this form would fail.

        Args:
            per: What one file holds.
            fields: The fields of the pattern of paths.
            glyphs: All glyphs of the run.
            numbers: The numbers of the rules.
            side: Side of a picture's cell, in pixels.

        Raises:
            ConfigError: The form cannot hold these glyphs and rules.
            OutputError: A result would be too large.
        """


class Rendered(Form, ABC):
    """A form that is made of conversions, each rendered by itself.

    Attributes:
        outlined: Whether it is made of outlines, which rules that move ink move themselves.
    """

    outlined: ClassVar[bool] = False

    @abstractmethod
    def points(self, scale: int, size: int) -> int:
        """How many points of a conversion it shows for each of `size` pixels, along a side."""

    @abstractmethod
    def render(self, conversion: Array, side: int) -> Any:
        """Bring a conversion to what `encode` takes: a picture `side` pixels wide, outlines, ..."""

    @abstractmethod
    def encode(self, group: Group, style: Style, file: Path) -> None:
        """Write one file, or one folder, in place."""


class Picture(Rendered):
    """Pixels: one conversion, a contact sheet, or the frames of a walk.

    Attributes:
        longest: Longest side of a picture in this form, in pixels; None where it has no limit.
        moving: Whether it can show a walk as an animation.
    """

    longest: ClassVar[int | None] = None
    moving: ClassVar[bool] = False

    def check(
        self, per: Per, fields: set[str], glyphs: list[Glyph], numbers: list[int], side: int
    ) -> None:
        """Raise OutputError where a picture would have more than `MAX_PIXELS`."""
        rules = len(numbers)
        cells = {"run": len(glyphs) * (rules + 1), "glyph": rules + 1}.get(per, 1)
        if cells * side**2 > MAX_PIXELS:
            raise OutputError(
                f"{cells} cells of {side}x{side} pixels are too many for one picture",
                hint="use a smaller --scale, or one file each: -o '{char}-{rule:02d}.png'",
            )

    def check_sides(self, per: Per, glyphs: int, rules: int, style: Style) -> None:
        """Raise OutputError where a side of a picture would be longer than the form allows."""
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
        """One for each pixel of the picture."""
        return scale

    def render(self, conversion: Array, side: int) -> Any:
        """A picture, black on white."""
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
        """Write frames, one or several, and what the picture says of itself if it can."""

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
        """One for each pixel of the drawing that the pen follows."""
        from vce_models.glyphs.images import finest

        return finest(size)

    def render(self, conversion: Array, side: int) -> Any:
        """Outlines, whose unit is the canvas; the side of pictures changes nothing."""
        from vce_models.fonts.tracing import trace

        return trace(conversion)

    def encode(self, group: Group, style: Style, file: Path) -> None:
        """Write one document; columns are rules."""
        from vce_models.fonts.tracing import svg

        cells = [[*row.conversions] for row in group.rows]
        file.write_text(svg(cells, CELL, GAP), encoding="utf-8")


@dataclass(frozen=True, eq=False)
class Made:
    """What goes into one font file.

    Attributes:
        family: The source and its hands.
        name: The family name of the font.
        hand: Which hand, from 1; None where the file holds all.
        alternates: Whether all hands are drawings of one font, in turn.
        proof: What a proof shows beside the family.
    """

    family: Family
    name: str
    hand: int | None
    alternates: bool = False
    proof: Proof | None = None


@dataclass(frozen=True, eq=False)
class Proof:
    """What a proof shows beside the family.

    Attributes:
        alternates: The family whose hands take turns.
        characters: Code points, in order.
        sample: The text that it opens with.
        command: The command line that makes it again.
    """

    alternates: Family
    characters: tuple[int, ...]
    sample: str
    command: str


class FontForm(Form):
    """A form that is made of a whole family: a font and its hands.

    Attributes:
        varies: Whether one file can hold all hands as axes.
        proves: Whether it wants a `Proof` as well, to show the hands by.
    """

    least: ClassVar[Per] = "rule"
    fonts = True
    varies: ClassVar[bool] = False
    proves: ClassVar[bool] = False

    def check(
        self, per: Per, fields: set[str], glyphs: list[Glyph], numbers: list[int], side: int
    ) -> None:
        """Raise ConfigError where a font would hold two glyphs of a character."""
        from vce_models.listing import codepoint

        if "char" in fields:
            raise ConfigError("a font holds all glyphs", hint="use {rule} alone in -o")
        seen: dict[int, str] = {}
        for glyph in glyphs:
            if glyph.font is None:
                other = seen.setdefault(number := codepoint(glyph), glyph.source)
                if other != glyph.source:
                    raise ConfigError(f"{other} and {glyph.source} are both U+{number:04X}")

    def encode(self, made: Made, file: Path) -> None:
        """Write one file, or one folder, in place."""
        file.write_bytes(self.data(made))

    def data(self, made: Made) -> bytes:
        """The bytes of one file."""
        raise NotImplementedError


class Ttf(FontForm):
    """A font of quadratic curves."""

    suffix, varies = "ttf", True

    def data(self, made: Made) -> bytes:
        """One hand, hands in turn, or all hands as axes."""
        return _font(made, "ttf")


class Otf(FontForm):
    """A font of cubic curves."""

    suffix = "otf"

    def data(self, made: Made) -> bytes:
        """One hand, or hands in turn."""
        return _font(made, "otf")


class Woff2(FontForm):
    """A packed font, as browsers load it."""

    suffix, varies = "woff2", True

    def data(self, made: Made) -> bytes:
        """As the font that is packed."""
        return _font(made, "woff2")


def _font(made: Made, flavour: Flavour) -> bytes:
    from vce_models.fonts.alternates import alternates
    from vce_models.fonts.editing import edited, pack
    from vce_models.fonts.variable import variable

    if made.alternates:
        return alternates(made.family, name=made.name, flavour=flavour)
    if made.hand:
        return edited(made.family, made.hand, name=made.name, flavour=flavour)
    data = variable(made.family, name=made.name)
    return pack(data) if flavour == "woff2" else data


class Ufo(FontForm):
    """A folder that font editors open: one hand."""

    suffix, folder, names_folder = "ufo", True, True

    def encode(self, made: Made, file: Path) -> None:
        """Write the folder."""
        from vce_models.fonts.ufo import master_ufo

        master_ufo(made.family, made.hand or 1, name=made.name).save(file)


class Designspace(FontForm):
    """The source and every hand as UFO, and the file that relates them."""

    suffix, folder = "designspace", True
    least = "run"

    def encode(self, made: Made, file: Path) -> None:
        """Write the file, and the folders beside it."""
        from vce_models.fonts.designspace import write_designspace

        write_designspace(file, made.family, name=made.name)


class Html(FontForm):
    """A page to choose a hand from, its fonts inside."""

    suffix, text, varies, proves = "html", True, True, True
    least = "run"

    def data(self, made: Made) -> bytes:
        """The page, with a variable font, a font of each hand, and one whose hands take turns."""
        from vce_models.fonts import proof
        from vce_models.fonts.variable import axis_tag

        assert made.proof is not None
        hands = range(1, made.family.hands + 1)
        numbered = [f"{made.name} {hand}" for hand in hands]
        singles = (
            proof.SingleFont(f"{name}.ttf", _font(Made(made.family, name, hand), "ttf"))
            for hand, name in zip(hands, numbered, strict=True)
        )
        shown = proof.ProofFonts(
            family=made.name,
            variable=_font(Made(made.family, made.name, None), "woff2"),
            axes=tuple(proof.Axis(axis_tag(hand), f"Hand {hand}") for hand in hands),
            characters=made.proof.characters,
            sample=made.proof.sample,
            command=made.proof.command,
            alternates=_font(Made(made.proof.alternates, made.name, None, True), "woff2"),
            singles=tuple(singles),
        )
        return proof.page(shown).encode()


class Npz(Rendered):
    """Arrays for programs: the whole run in one file."""

    suffix, least = "npz", "run"

    def points(self, scale: int, size: int) -> int:
        """One: arrays have the size of the model's images."""
        return 1

    def render(self, conversion: Array, side: int) -> Any:
        """The conversion as it is."""
        return conversion

    def encode(self, group: Group, style: Style, file: Path) -> None:
        """Write the arrays."""
        from vce_models.glyphs import npz

        images = [[*row.conversions] for row in group.rows]
        conditions = [row.drawing.condition for row in group.rows]
        names = [row.glyph.name for row in group.rows]
        npz.write(file, images, conditions, names, group.rules, group.numbers)


_ALL = (Png(), Webp(), Gif(), Svg(), Ttf(), Otf(), Woff2(), Ufo(), Designspace(), Html(), Npz())

FORMS: dict[str, Rendered | FontForm] = {form.suffix: form for form in _ALL}
"""Every form by its suffix."""


def _sheet(rows: list[Redrawn], numbers: list[int], style: Style) -> Image:
    """Rows are glyphs, columns are rules; one glyph alone fills rows of its own."""
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
    """A character by itself where the font of captions is sure to have it."""
    point = glyph.codepoint or 0
    return chr(point) if 0x20 < point < 0x7F else glyph.name
