"""Forms of a whole family: fonts, and the page that shows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from vce_cli.forms.form import Form, Per
from vce_models.errors import ConfigError

if TYPE_CHECKING:
    from vce_models.fonts.editing import Flavour
    from vce_models.fonts.family import Family
    from vce_models.listing import Glyph


@dataclass(frozen=True, eq=False)
class Made:
    """What goes into one font file.

    Attributes:
        family: The source and its hands.
        name: The family name of the font.
        hand: Which hand, counted from 1; None where the file holds all hands.
        alternates: Whether all hands are alternates in one font, which take turns.
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
        characters: The code points to show, in order.
        sample: The text with which it opens.
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
        proves: Whether it needs a `Proof`, too.
    """

    least: ClassVar[Per] = "rule"
    fonts = True
    varies: ClassVar[bool] = False
    proves: ClassVar[bool] = False

    def check(
        self, per: Per, fields: set[str], glyphs: list[Glyph], numbers: list[int], side: int
    ) -> None:
        """Raise ConfigError if a font would hold two glyphs of one character, or none at all.

        An image whose name says no character fails when it is read, if there are others.
        """
        from vce_models.listing import codepoint

        if "char" in fields:
            raise ConfigError("a font holds all glyphs", hint="use {rule} alone in -o")
        seen: dict[int, str] = {}
        unknown: list[ConfigError] = []
        for glyph in glyphs:
            if glyph.font is None:
                try:
                    number = codepoint(glyph)
                except ConfigError as error:
                    unknown.append(error)
                    continue
                if (other := seen.setdefault(number, glyph.source)) != glyph.source:
                    raise ConfigError(
                        f"{other} and {glyph.source} are both U+{number:04X}",
                        hint="leave one of them out, or give it another name",
                    )
        if unknown and not seen:
            raise unknown[0]

    def encode(self, made: Made, file: Path) -> None:
        """Write one file, or one folder, in place."""
        file.write_bytes(self.data(made))

    def data(self, made: Made) -> bytes:
        """Return the bytes of one file."""
        raise NotImplementedError


class Ttf(FontForm):
    """A font of quadratic curves."""

    suffix, varies = "ttf", True

    def data(self, made: Made) -> bytes:
        """Make a font of one hand, of hands that take turns, or of all hands as axes."""
        return _font(made, "ttf")


class Otf(FontForm):
    """A font of cubic curves."""

    suffix = "otf"

    def data(self, made: Made) -> bytes:
        """Make a font of one hand, or of hands that take turns."""
        return _font(made, "otf")


class Woff2(FontForm):
    """A packed font, as browsers load it."""

    suffix, varies = "woff2", True

    def data(self, made: Made) -> bytes:
        """Make the font, and pack it."""
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
    """A folder that font editors open, with one hand."""

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
    """A page from which to choose a hand; its fonts lie in it."""

    suffix, text, varies, proves = "html", True, True, True
    least = "run"

    def data(self, made: Made) -> bytes:
        """Make the page with a variable font, a font of each hand, and one that takes turns."""
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
