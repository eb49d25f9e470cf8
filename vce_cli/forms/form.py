"""What all forms of results have in common, and what goes into one file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from vce_cli.extras import require_fonts

if TYPE_CHECKING:
    from vce_models.arrays import Array
    from vce_models.listing import Converted, Glyph

Per = Literal["conversion", "glyph", "rule", "run"]
"""What one file holds: a conversion, a glyph by all rules, all glyphs by a rule, or everything."""


@dataclass(frozen=True)
class Style:
    """How results look, and what they say about themselves.

    Attributes:
        columns: How many cells stand in a row of a sheet; None leaves that to the sheet.
        side: Side of a picture's cell, in pixels.
        labels: Whether names and rule numbers stand on sheets.
        walk: Whether rules are the frames of a walk.
        metadata: The texts of a PNG by keyword; the rule's number is added.
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
    rows: list[Converted]
    rules: Array
    numbers: list[int]
    name: str


class Form:
    """What must be known about a form before any work begins.

    Attributes:
        suffix: The suffix of its files, without the dot.
        least: The least that one of its files holds.
        still: Whether it can show something that does not move.
        folder: Whether a result is a folder, or has folders beside it, so that no stream can
            carry it.
        names_folder: Whether a folder with that suffix is itself a result, rather than a folder
            for results.
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
        """How messages call a result."""
        return f"a .{self.suffix}"

    def require(self) -> None:
        """Raise ExtraError if a library that this form needs is not installed."""
        if self.fonts:
            require_fonts(self.called)

    def check(
        self, per: Per, fields: set[str], glyphs: list[Glyph], numbers: list[int], side: int
    ) -> None:
        """Raise, before any work, if results of this form would fail.

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
        outlined: Whether it is made of outlines, so that rules that move ink can move these.
    """

    outlined: ClassVar[bool] = False

    @abstractmethod
    def points(self, scale: int, size: int) -> int:
        """Return how many points of a conversion it needs for each of `size` pixels of a side."""

    @abstractmethod
    def render(self, conversion: Array, side: int) -> Any:
        """Turn a conversion into what `encode` takes, as a picture of `side` pixels or outlines."""

    @abstractmethod
    def encode(self, group: Group, style: Style, file: Path) -> None:
        """Write one file, or one folder, in place."""
