"""`vce convert` makes fonts: it moves one source by all hands at once."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vce_cli import report
from vce_cli.extras import require_fonts
from vce_cli.forms.fonts import FontForm, Made, Proof
from vce_cli.journal import Journal
from vce_cli.options import ALTERNATING, Options
from vce_cli.outputs import Target
from vce_cli.streams import Output
from vce_cli.writers import Hands, opened
from vce_models.errors import ConfigError, InputError

if TYPE_CHECKING:
    from vce_models.config import ModelConfig
    from vce_models.fonts.family import Family
    from vce_models.fonts.outline import Letter
    from vce_models.fonts.source import SourceFont
    from vce_models.listing import Glyph, Reading
    from vce_models.weights import Weights

UNTITLED = "vce"
"""The family name of fonts that have no other."""

SAMPLE = "The quick brown fox jumps over the lazy dog."
"""The text with which a proof opens."""

TAKING_TURNS = 3
"""How many hands take turns in a proof, at most."""


def source_of(inputs: list[str], reading: Reading) -> SourceFont | None:
    """Read the one font that is given; return None where images are given.

    Raises:
        ConfigError: Several fonts are given, or a font and images.
        InputError: The font cannot be read.
    """
    from vce_models import listing

    fonts = [Path(name) for name in inputs if listing.is_font(Path(name))]
    if not fonts:
        return None
    if len(inputs) > 1:
        raise ConfigError(
            f"a font is made of one font or of images, and {len(inputs)} inputs are given",
            hint=f"give {fonts[0]} alone",
        )
    require_fonts("reading a font")
    from vce_models.fonts.source import read_font

    return read_font(fonts[0], reading.location)


def write(
    source: SourceFont | None,
    found: list[Glyph],
    hands: Hands,
    model: Weights,
    options: Options,
    target: Target,
    journal: Journal,
    out: Output,
) -> Iterator[Path]:
    """Move a font, or a font made of images, and write what -o asks for.

    Args:
        source: The font; None for images.
        found: The glyphs of images.
        hands: The rules.
        model: The weights.
        options: The options of the command.
        target: Where results go.
        journal: Where messages go.
        out: Standard output.

    Yields:
        Each path, once it is written.
    """
    assert isinstance(target.form, FontForm)
    if model.config.wiring != "deformation":
        raise ConfigError(
            "these weights render every pixel anew, and a font's outlines have to be moved",
            hint="use weights of the wiring deformation",
        )
    from vce_models.fonts.alternates import takes_turns

    data, points = _source(source, found, model.config, options, journal)
    if data is None:
        return
    # A font that is not cut has its letters with it.
    letters = source.alphabet() if source and data is not source.data else None
    alike = options.alternates is not None
    family = _family(data, letters, hands, model, options, options.towards, alike, journal)
    if alike and not takes_turns(family):
        raise ConfigError(
            "all drawings of each letter would be alike",
            hint="joined letters do not vary by themselves: leave out --alternates",
        )
    proof = None
    if target.form.proves:
        proof = _proof(data, letters, points, hands, model, options, journal)
    together = bool(options.variable or options.alternates or target.form.least == "run")
    numbers = hands.numbers[:1] if together else hands.numbers
    reserved = _reserved(target.path("", numbers[0]), options.family, data, journal)
    with report.progress("writing", quiet=options.quiet) as advance:
        for hand, number in enumerate(numbers, start=1):
            path = target.path("", number)
            called = options.family or (UNTITLED if reserved else None)
            name = _name(path, called, number if len(numbers) > 1 else None)
            made = Made(family, name, None if together else hand, alike, proof)
            with opened(path, target, out) as file:
                target.form.encode(made, file)
            advance(hand, len(numbers))
            yield path


def _reserved(path: Path, family: str | None, data: bytes, journal: Journal) -> bool:
    """Say whether a name contains one that the licence reserves; warn if it does."""
    from io import BytesIO

    from fontTools.ttLib import TTFont

    from vce_models.fonts.naming import reserved_names

    name = _name(path, family, None)
    with TTFont(BytesIO(data), lazy=True) as font:
        kept = [word for word in reserved_names(font) if word.lower() in name.lower()]
    if kept:
        instead = "choose another" if family else f"the family is {UNTITLED}, or what --family says"
        journal.warn(f"the source's licence reserves the name {kept[0]}: {instead}")
    return bool(kept)


def _name(path: Path, family: str | None, number: int | None) -> str:
    """Name a font: by --family and its number, or else by its file."""
    if family is None:
        return UNTITLED if str(path) == "-" else path.stem
    return family if number is None else f"{family} {number}"


def _source(
    source: SourceFont | None,
    found: list[Glyph],
    config: ModelConfig,
    options: Options,
    journal: Journal,
) -> tuple[bytes | None, list[int]]:
    """Return the bytes of the font to move, and its characters; None if no image can be read."""
    if source is not None:
        chosen = options.text is not None or options.chars is not None
        points = source.characters(options.text, options.chars) if chosen else None
        journal.detail(f"read {source.file}")
        return source.cut(points), points or sorted(source.named)
    from vce_models.fonts import building, unplaced
    from vce_models.listing import codepoint, read_drawing

    made = []
    for glyph in found:
        try:
            made.append(read_drawing(glyph, codepoint(glyph), config))
            journal.beside(glyph.source, list(made[-1].unusual))
        except (ConfigError, InputError) as error:  # its name says no character; its content
            journal.fail(glyph.source, error)
            continue
        journal.detail(f"read {glyph.source}")
    if not made:
        return None, []
    drawings = unplaced.placed(made)
    return building.font(drawings, "drawings"), sorted(drawings)


def _family(
    data: bytes,
    letters: Mapping[int, Letter] | None,
    hands: Hands,
    model: Weights,
    options: Options,
    strength: float,
    alike: bool,
    journal: Journal,
) -> Family:
    """Move a font by all hands; say the seed, and which glyphs are moved less than asked for."""
    from vce_models.fonts import moving
    from vce_models.fonts.hands import Rules

    if hands.seed is not None and options.seed is None:
        journal.say(f"seed {hands.seed}")
    jobs = options.jobs or len(os.sched_getaffinity(0))
    with report.progress("moving outlines", quiet=options.quiet) as advance:
        family = moving.family(
            data,
            Rules(model, hands.rules, strength, bool(hands.calm)),
            1.0 if alike and options.liveliness is None else options.own,
            letters=letters,
            alike=alike,
            jobs=jobs,
            progress=advance,
        )
    for name, hand, why in family.weakened:
        journal.detail(f"{name} is moved less in hand {hand}: it would {why}")
    if family.weakened:
        counted = Counter(why for _, _, why in family.weakened)
        times = ", ".join(f"{number} would {why}" for why, number in counted.items())
        journal.detail(f"of {len(family.glyphs) * family.hands} glyphs of hands {times}")
    return family


def _proof(
    data: bytes,
    letters: Mapping[int, Letter] | None,
    points: list[int],
    hands: Hands,
    model: Weights,
    options: Options,
    journal: Journal,
) -> Proof:
    """Collect what a proof shows beside its family: alternates, a text, the command."""
    count = max(2, min(TAKING_TURNS, len(hands.rules)))
    rules = hands.rules[:count]
    turning = replace(hands, rules=rules, numbers=hands.numbers[:count], seed=None)
    family = _family(data, letters, turning, model, options, ALTERNATING, True, journal)
    text = "".join(c for c in options.text or SAMPLE if c.isspace() or ord(c) in points)
    if 2 * len(text.replace(" ", "")) < len(SAMPLE) and not options.text:
        text = "".join(map(chr, points[:40]))
    command = shlex.join(["vce", *sys.argv[1:]])
    if hands.seed is not None and options.seed is None:
        command += f" --seed {hands.seed}"
    return Proof(family, tuple(points), text, command)
