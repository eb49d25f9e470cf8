"""The options of `vce convert`: one frozen dataclass, which is also its help page."""

from __future__ import annotations

import inspect
import math
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from vce_cli import completion
from vce_cli.completion import WEIGHTS
from vce_cli.extras import DEVICES, check_device, either
from vce_cli.forms import FORMS
from vce_cli.streams import STDIN
from vce_models.errors import ConfigError

if TYPE_CHECKING:
    from vce_models.glyphs import letters, photos

T = TypeVar("T")

INPUT, RULES, OUTPUT, FONTS, RUNNING = "Input", "Rules", "Output", "Fonts", "Running"
"""The panels of the help page."""

DEFAULT_RULES = 16
"""How many rules are sampled by default."""

SCALE = 4
"""Pixels of a picture for each of the model's, along a side, by default."""

LIVELINESS = 0.6
"""The share of its own that a letter of a font keeps, by default."""

ALTERNATING = 0.5
"""How far alternates go towards their rules, by default."""

FRAMES = 12
"""Steps that a walk takes from one rule to the next."""

# The suffixes of all forms, as in a sentence.
SUFFIXES = either([f".{suffix}" for suffix in FORMS])

HELP = (
    "Redraw characters in many styles, without training and without PyTorch.\n\n"
    "Every glyph is redrawn by the same rules, so that an alphabet comes in one hand: in a "
    "sheet, rows are glyphs and columns are rules. Rules are sampled, read from a file, or read "
    "off a pair of drawings. The suffix of -o picks the form of the result."
)

EPILOG = """
[bold]Examples[/]

\b
One drawing in sixteen styles, and a folder of drawings in four:
  vce convert a.png -o styles.png
  vce convert glyphs/ -n 4 --labels -o styles.png

\b
One font in, four fonts in new hands out:
  vce convert DejaVuSans.ttf --chars latin -n 4 -o hand.ttf

\b
One variable font, letters that take turns, and a page to choose from:
  vce convert DejaVuSans.ttf -n 4 --variable -o hands.ttf
  vce convert DejaVuSans.ttf --alternates 3 -o turns.ttf
  vce convert DejaVuSans.ttf -n 4 -o proof.html

\b
Keep the rules, and use the third on another letter:
  vce convert a.png --seed 7 --save-rules hands.safetensors -o a-styles.png
  vce convert b.png --rules hands.safetensors:3 -o b.svg

\b
Do to a.png what was done from one drawing to the other, half as much:
  vce convert a.png --like from.png to.png --strength 0.5 -o out.png

\b
A file for each conversion, a sheet for each glyph, a walk between rules, a pipe:
  vce convert glyphs/ -n 4 -o 'styles/{char}-{rule:02d}.png'
  vce convert glyphs/ -n 4 -o 'sheets/{char}.png'
  vce convert a.png -n 3 --walk -o walk.gif
  cat a.png | vce convert - -n 1 -o - --format svg > a.svg

[bold]Exit status[/]

\b
0 done                  1 a bug           2 wrong usage
3 no readable glyph     4 bad weights     5 the output cannot be written
6 some of a batch failed, and the rest is written
130, 143 stopped        141 the reader of the output has gone
"""


class Polarity(StrEnum):
    """Which pixels of an image are its ink."""

    AUTO = "auto"
    DARK = "dark"
    LIGHT = "light"


class Crop(StrEnum):
    """Which ink of an image is the glyph."""

    WHOLE = "whole"
    LARGEST = "largest"


def _option(panel: str, *names: str, **settings: Any) -> Any:
    """Make a Typer option that stands in a panel of the help page."""
    return typer.Option(*names, rich_help_panel=panel, **settings)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of one call of `vce convert`."""

    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Images, scans of templates, SVG, folders of images, a font, a UFO, or - for an "
            "image on standard input.",
            show_default=False,
        ),
    ]
    text: Annotated[
        str | None,
        _option(
            INPUT,
            "--text",
            metavar="TEXT",
            help="The characters that are taken from a font: --text Handgloves.",
        ),
    ] = None
    chars: Annotated[
        str | None,
        _option(
            INPUT,
            metavar="SET",
            help="The characters by name or code point: latin, digits, U+0041, a-z, or all.",
        ),
    ] = None
    ink: Annotated[
        Polarity,
        _option(INPUT, help="Which pixels are ink; auto takes those that differ from the border."),
    ] = Polarity.AUTO
    fit: Annotated[
        bool,
        _option(
            INPUT,
            "--fit/--no-fit",
            help="Frame the glyph of an image as the training data is, or take the image as it is.",
        ),
    ] = True

    crop: Annotated[
        Crop,
        _option(
            INPUT,
            help="Which ink of an image is the glyph: whole takes all of it; largest takes the "
            "largest mark and what stands over or under it, without specks and other letters.",
        ),
    ] = Crop.WHOLE

    location: Annotated[
        str | None,
        _option(
            INPUT,
            metavar="AXES",
            help="Where on its axes to take a variable font: wght=600,wdth=80; other axes stay at "
            "their defaults.",
        ),
    ] = None

    number: Annotated[
        int | None,
        _option(
            RULES,
            "-n",
            "--number",
            min=1,
            max=100_000,
            metavar="N",
            help=f"How many rules are sampled; {DEFAULT_RULES} by default.",
        ),
    ] = None
    seed: Annotated[
        int | None,
        _option(
            RULES,
            min=0,
            metavar="N",
            help="The seed of the rules; without one, a seed is chosen and printed.",
        ),
    ] = None
    rules: Annotated[
        str | None,
        _option(
            RULES, metavar="FILE[:3|:2-5]", help="Take saved rules: all of them, or those numbers."
        ),
    ] = None
    save_rules: Annotated[
        Path | None, _option(RULES, metavar="FILE", help="Save the rules to this .safetensors.")
    ] = None
    like: Annotated[
        tuple[Path, Path] | None,
        _option(
            RULES,
            metavar="FROM TO",
            help="Take the rule that redraws the image FROM as the image TO.",
        ),
    ] = None
    strength: Annotated[
        float | None,
        _option(
            RULES,
            min=0.0,
            max=10.0,
            metavar="X",
            help="How far a glyph goes towards the rule: 0 is its closest redrawing (by the rule "
            "that the model reads off the glyph itself), 1 is the rule, and more goes beyond; "
            f"1 by default, {ALTERNATING} with --alternates.",
        ),
    ] = None
    calm: Annotated[
        bool | None,
        _option(
            RULES,
            "--calm/--no-calm",
            help="Keep level strokes level and upright ones upright, as people do, or let rules "
            "slant and bend them. Sampled rules keep them in pictures and SVG, and not in fonts; "
            "rules of a file do as they did when it was saved; --like does not.",
        ),
    ] = None
    walk: Annotated[
        bool,
        _option(
            RULES,
            "--walk",
            help=f"Go from rule to rule and back to the first, in {FRAMES} steps each.",
        ),
    ] = False

    output: Annotated[
        str,
        _option(
            OUTPUT,
            "-o",
            "--output",
            metavar="OUT",
            help=f"A file whose suffix picks the form ({SUFFIXES}), a folder, a pattern with "
            "{char} and {rule} for many files, or - for standard output.",
        ),
    ]
    form: Annotated[
        str | None,
        _option(
            OUTPUT,
            "--format",
            metavar="FORM",
            help=f"The form where no suffix says it: {either(list(FORMS))}.",
        ),
    ] = None
    columns: Annotated[
        int | None,
        _option(OUTPUT, min=1, metavar="N", help="How many cells stand in a row of a sheet."),
    ] = None
    scale: Annotated[
        int | None,
        _option(
            OUTPUT,
            min=1,
            max=64,
            metavar="N",
            help="How many pixels a picture has for each of the model's, along a side; by "
            "default 4.",
        ),
    ] = None
    labels: Annotated[
        bool, _option(OUTPUT, "--labels", help="Write names and rule numbers on sheets.")
    ] = False
    no_metadata: Annotated[
        bool,
        _option(OUTPUT, "--no-metadata", help="Leave version, weights, seed and rule out of PNGs."),
    ] = False
    no_clobber: Annotated[
        bool, _option(OUTPUT, "--no-clobber", help="Refuse to replace existing files.")
    ] = False

    variable: Annotated[
        bool,
        _option(FONTS, "--variable", help="Make one font with an axis for each hand, 0 to 100."),
    ] = False
    alternates: Annotated[
        int | None,
        _option(
            FONTS,
            min=2,
            max=20,
            metavar="K",
            help="Make one font with K drawings of each letter, which take turns.",
        ),
    ] = None
    family: Annotated[
        str | None,
        _option(
            FONTS, metavar="NAME", help="The name of the fonts; by default, the name of the file."
        ),
    ] = None
    liveliness: Annotated[
        float | None,
        _option(
            FONTS,
            min=0.0,
            max=2.0,
            metavar="X",
            help="How much a letter keeps of what its rule does to it alone: at 0 the hand moves "
            "all letters alike, at 1 each letter has the whole effect of its rule, too; "
            f"{LIVELINESS} by default, 1 with --alternates.",
        ),
    ] = None
    jobs: Annotated[
        int | None,
        _option(
            FONTS,
            min=1,
            metavar="N",
            help="How many processes work on a font; by default, one for each core.",
        ),
    ] = None

    weights: Annotated[
        str | None,
        _option(RUNNING, metavar="NAME|FILE", help=WEIGHTS, autocompletion=completion.weights),
    ] = None
    device: Annotated[
        str,
        _option(
            RUNNING,
            "--device",
            metavar="DEVICE",
            help=f"The device to convert on: {either(DEVICES)}; auto takes CUDA for large jobs.",
        ),
    ] = "auto"
    as_json: Annotated[
        bool,
        _option(
            RUNNING,
            "--json",
            help="Print what was read, written and failed as JSON on standard output.",
        ),
    ] = False
    quiet: Annotated[bool, _option(RUNNING, "-q", "--quiet", help="Print nothing but errors.")] = (
        False
    )
    verbose: Annotated[bool, _option(RUNNING, "-v", "--verbose", help="Print each step.")] = False

    @property
    def magnification(self) -> int:
        """The value of --scale, or its default."""
        return SCALE if self.scale is None else self.scale

    @property
    def towards(self) -> float:
        """The value of --strength, or its default."""
        if self.strength is not None:
            return self.strength
        return ALTERNATING if self.alternates else 1.0

    @property
    def own(self) -> float:
        """The value of --liveliness, or its default."""
        if self.liveliness is not None:
            return self.liveliness
        return 1.0 if self.alternates else LIVELINESS

    @property
    def polarity(self) -> photos.Polarity:
        """The value of --ink, as the core takes it."""
        return self.ink.value

    @property
    def cropped(self) -> letters.Crop:
        """The value of --crop, as the core takes it."""
        return self.crop.value

    def __post_init__(self) -> None:
        inputs = (("an input", path) for path in self.inputs)
        for called, path in (("-o", self.output), ("--rules", self.rules), *inputs):
            if path == "":  # as a variable of a script may be; for Path it is this folder
                raise ConfigError(f"{called} is empty", hint="name a file, or . for this folder")
        self._exclude("--rules", self.rules, like=self.like)
        source = "--rules" if self.rules else "--like"
        self._exclude(source, self.rules or self.like, number=self.number, seed=self.seed)
        self._exclude("--alternates", self.alternates, number=self.number)
        self._exclude("--alternates", self.alternates, variable=self.variable or None)
        self._exclude("-q", self.quiet, verbose=self.verbose or None)
        if self.walk and (self.like or self.number == 1):
            raise ConfigError("--walk has one rule, and nowhere to go", hint="use -n 2 or more")
        for name, value in (("--strength", self.towards), ("--liveliness", self.own)):
            if math.isnan(value):
                raise ConfigError(f"{name} is no number", hint="use 1")
        check_device(self.device)
        if sum(name in STDIN for name in self.inputs) > 1:
            raise ConfigError("standard input can be read once", hint="give one -")

    def _exclude(self, option: str, value: object, **others: object) -> None:
        """Raise ConfigError if an option has a value, and one of others is not None."""
        clash = [name for name, other in others.items() if other is not None]
        if value and clash:
            raise ConfigError(f"{option} and --{clash[0]} exclude each other", hint="choose one")


def taking(options: Callable[..., T], run: Callable[[T], None]) -> Callable[..., None]:
    """Make a Typer command whose parameters are the fields of a dataclass."""

    def command(**values: Any) -> None:
        try:
            run(options(**values))
        except BrokenPipeError:  # Typer would exit with status 1
            sys.exit(141)

    command.__signature__ = inspect.signature(options, eval_str=True)  # type: ignore[attr-defined]
    command.__annotations__ = typing.get_type_hints(options, include_extras=True)
    return command
