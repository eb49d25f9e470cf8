"""`vce convert`: glyphs in, the same glyphs in many hands out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vce_cli import outputs, report, streams
from vce_cli.extras import require_fonts, require_torch, torch_device
from vce_cli.journal import Journal
from vce_cli.options import DEFAULT_RULES, FRAMES, Options
from vce_models.errors import InputError

if TYPE_CHECKING:
    from vce_models.drawing.pen import Array
    from vce_models.glyphs.listing import Glyph, Reading, Redrawn
    from vce_models.weights import Weights

REPAYS = 4096
"""Conversions from which starting PyTorch on CUDA repays itself under `--device auto`.

In the 1.6 s that importing it takes, NumPy makes some 3000 of one point a pixel
(`benchmarks/convert.py`); four more points take as long as one such conversion.
"""


AT_ONCE = 2**20
"""Points of conversions drawn at a time, in memory at four bytes each."""


def convert(options: Options) -> None:
    """Find glyphs, choose rules, redraw, write, report."""
    # One thread: on a busy machine more make the small products ten times slower.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    journal = Journal(quiet=options.quiet, verbose=options.verbose)
    with streams.standard_output() as out:
        from vce_cli import writers
        from vce_models import rules, weights
        from vce_models.glyphs import listing

        model = weights.load(options.weights)
        fingerprint = weights.fingerprint(model)
        reading = listing.Reading(
            model.config, options.polarity, options.fit, options.text, options.chars
        )
        found = _find(options.inputs, reading, journal)
        inputs = len(found) + len(journal.failures)
        hands = _choose_rules(options, reading, model, fingerprint, journal)
        drawn = _walk(hands) if options.walk else hands

        target = outputs.choose(options, len(drawn.numbers))
        outputs.check(target, options, found, drawn.numbers, model.config.size, out)
        journal.detail(f"{len(found)} glyphs, {len(drawn.numbers)} rules, weights {fingerprint}")
        style = writers.Style(
            columns=options.columns,
            side=options.scale * model.config.size,
            labels=options.labels,
            frames=options.walk,
            rules=drawn.rules,
            numbers=drawn.numbers,
            metadata={} if options.no_metadata else _metadata(options, hands, fingerprint),
        )
        redrawn = _redraw(found, drawn, model, options, target.form, journal)
        for path in writers.write(redrawn, target, style, out):
            journal.wrote(path)
        if options.save_rules and len(journal.failures) < inputs:
            rules.save(options.save_rules, hands.rules, fingerprint)
            journal.wrote(options.save_rules)
        journal.close()
        if options.as_json:
            facts = _facts(options, found, hands, fingerprint)
            out.write(journal.manifest(**facts))
    journal.raise_failures(inputs)


@dataclass(frozen=True)
class Hands:
    """The rules of a run, (N, size, latent_per_row), their numbers, and their seed."""

    rules: Array
    numbers: list[int]
    seed: int | None = None


def _find(inputs: list[str], reading: Reading, journal: Journal) -> list[Glyph]:
    from vce_models.glyphs import listing

    found = []
    for name in inputs:
        if name in streams.STDIN:
            found.append(listing.from_stream(streams.standard_input(), reading))
            continue
        if Path(name).suffix.lower() in listing.FONT_SUFFIXES:
            require_fonts("reading a font")
        try:
            found.extend(listing.find(Path(name), reading))
            journal.left_out(name, listing.left_out(Path(name)))
        except InputError as error:
            journal.fail(name, error)
        except OSError as error:  # too long a name, or a folder that may not be entered
            journal.fail(name, InputError(f"{name} cannot be read: {error.strerror}"))
    return found


def _choose_rules(
    options: Options, reading: Reading, model: Weights, fingerprint: str, journal: Journal
) -> Hands:
    from vce_models import rules

    if options.rules:
        path, selection = rules.split_selection(options.rules)
        saved, made_for = rules.load(path, model.config)
        if made_for != fingerprint:
            journal.warn(f"{path} was made for other weights; the styles will be others")
        numbers, chosen = rules.select(saved, selection)
        return Hands(chosen, numbers)
    if options.like:
        from vce_models.convert import encode
        from vce_models.glyphs.images import read_glyph

        before, after = (
            read_glyph(path, str(path), model.config, reading.polarity, reading.fit).condition
            for path in options.like
        )
        return Hands(encode(model, after, before), [1])
    count = options.number or DEFAULT_RULES
    seed = int.from_bytes(os.urandom(4), "big") if options.seed is None else options.seed
    sampled = rules.sample(count, model.config, seed)
    return Hands(sampled, list(range(1, count + 1)), seed)


def _walk(hands: Hands) -> Hands:
    from vce_models import rules

    walked = rules.walk(hands.rules, FRAMES)
    return Hands(walked, list(range(1, len(walked) + 1)), hands.seed)


def _redraw(
    found: list[Glyph], hands: Hands, model: Weights, options: Options, form: str, journal: Journal
) -> Iterator[Redrawn]:
    """Read and convert glyph by glyph, as the writer asks for them."""
    from vce_cli import writers
    from vce_models.convert import encode
    from vce_models.glyphs import marks, strokes
    from vce_models.glyphs.listing import Redrawn
    from vce_models.rules import scale

    size, count = model.config.size, len(hands.rules)
    points, total = writers.points(form, options.scale, size), count * len(found)
    drawer = _drawer(model, options.device, total * (1 + points**2 / 4))
    at_once = max(1, AT_ONCE // (points * size) ** 2)
    unsaid = hands.seed is not None and options.seed is None
    with report.progress("converting", quiet=options.quiet) as advance:

        def conversions(
            redraw: Callable[[Array], Array], rules: Array, before: int
        ) -> Iterator[Any]:
            for at in range(0, count, at_once):
                for ink in redraw(rules[at : at + at_once]):
                    yield writers.rendered(ink, form, options.scale * size)
                advance(before + min(at + at_once, count), total)

        for i, glyph in enumerate(found):
            try:
                drawing, placement = glyph.read()
            except InputError as error:
                journal.fail(glyph.source, error)
                continue
            journal.detail(f"read {glyph.source}")
            if unsaid:
                journal.say(f"seed {hands.seed}")
                unsaid = False
            condition = drawing.condition
            journal.unusual(glyph.source, [] if glyph.font else marks.unusual(drawing.detail))
            if options.weights is None:  # of others nobody knows what they were trained on
                journal.unusual(glyph.source, strokes.unusual(condition))
            rules = hands.rules
            if options.strength != 1:
                rules = scale(rules, encode(model, condition, condition), options.strength)
            redraw = drawer(*drawing, points)
            yield Redrawn(glyph, drawing, placement, conversions(redraw, rules, i * count))


def _drawer(
    model: Weights, device: str, conversions: float
) -> Callable[..., Callable[[Array], Array]]:
    large = conversions >= REPAYS and Path("/dev/nvidia0").exists()
    if device == "cuda" or (device == "auto" and large and _has_torch()):
        require_torch("convert --device cuda")
        where = torch_device(device)
        from vce_models.evaluation.likelihood import converter

        return converter(model, where)
    from vce_models.convert import drawer

    return partial(drawer, model)


def _has_torch() -> bool:
    from importlib.util import find_spec

    return find_spec("torch") is not None


def _metadata(options: Options, hands: Hands, fingerprint: str) -> dict[str, str]:
    text = {"Software": f"vce {_version()}", "vce:weights": fingerprint}
    if hands.seed is not None:
        text["vce:seed"] = str(hands.seed)
    return text | ({"vce:strength": f"{options.strength:g}"} if options.strength != 1 else {})


def _facts(options: Options, found: list[Glyph], hands: Hands, fingerprint: str) -> dict[str, Any]:
    return {
        "version": _version(),
        "weights": fingerprint,
        "inputs": [{"name": glyph.name, "source": glyph.source} for glyph in found],
        "rules": {
            "numbers": hands.numbers,
            "seed": hands.seed,
            "file": options.rules,
            "like": [str(path) for path in options.like] if options.like else None,
            "strength": options.strength,
            "walk": options.walk,
        },
    }


def _version() -> str:
    from importlib.metadata import version

    return version("vce-cli")
