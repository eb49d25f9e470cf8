"""`vce convert`: glyphs in, the same glyphs in many hands out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vce_cli import fonts, outputs, report, streams, writers
from vce_cli.extras import require_fonts, require_torch, torch_device, version
from vce_cli.forms.fonts import FontForm
from vce_cli.forms.form import Rendered, Style
from vce_cli.forms.pictures import Picture
from vce_cli.journal import Journal
from vce_cli.options import DEFAULT_RULES, FRAMES, Options
from vce_cli.writers import Hands
from vce_models.errors import InputError

if TYPE_CHECKING:
    from vce_models.arrays import Array
    from vce_models.fonts.placement import Placement
    from vce_models.glyphs.images import Framed
    from vce_models.listing import Converted, Glyph, Reading
    from vce_models.progress import Progress
    from vce_models.weights import Weights

REPAYS = 4096
"""How many conversions repay the start of PyTorch on CUDA, under `--device auto`.

In the 1.6 s that PyTorch takes to import, NumPy renders some 3000 conversions at one point a pixel
(`benchmarks/convert.py`). Every four points a pixel more take as long as one of these.
"""

AT_ONCE = 2**20
"""Points of conversions that are rendered at a time; each takes four bytes of memory."""


def convert(options: Options) -> None:
    """Find glyphs, choose rules, render, write, report."""
    # One thread is enough: on a busy machine more make the small products ten times slower.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    journal = Journal(quiet=options.quiet, verbose=options.verbose)
    with streams.standard_output() as out:
        from vce_models import rules, weights

        model = weights.load(options.weights)
        fingerprint = weights.fingerprint(model)
        reading = _reading(options, model)
        hands = _choose_rules(options, reading, model, fingerprint, journal)
        shown = _walk(hands) if options.walk else hands
        target = outputs.choose(options, len(shown.numbers))
        form = target.form
        if hands.calm is None:
            calm = not isinstance(form, FontForm)
            hands, shown = (replace(each, calm=calm) for each in (hands, shown))
        source = fonts.source_of(options.inputs, reading) if isinstance(form, FontForm) else None
        found = [] if source else _find(options.inputs, reading, journal)
        inputs = max(1, len(found) + len(journal.failures))
        outputs.check(target, options, found, shown.numbers, model.config.size, out)
        what = "a font" if source else f"{len(found)} glyphs"
        journal.detail(f"{what}, {len(shown.numbers)} rules, weights {fingerprint}")
        if isinstance(form, FontForm):
            paths = fonts.write(source, found, shown, model, options, target, journal, out)
        else:
            style = _style(options, hands, model, fingerprint)
            if isinstance(form, Picture):
                form.check_sides(target.per, max(1, len(found)), len(shown.numbers), style)
            rendered = _render(found, shown, model, options, form, journal)
            paths = writers.write(rendered, shown, target, style, out)
        for path in paths:
            journal.wrote(path)
        if options.save_rules and len(journal.failures) < inputs:
            rules.save(options.save_rules, hands.rules, fingerprint, calm=bool(hands.calm))
            journal.wrote(options.save_rules)
        journal.close()
        if options.as_json:
            read = [(glyph.name, glyph.source) for glyph in found]
            if source:
                read = [(source.name, source.file)]
            facts = _facts(options, read, hands, fingerprint)
            out.write(journal.manifest(**facts))
    journal.raise_failures(inputs)


def _reading(options: Options, model: Weights) -> Reading:
    """Say how glyphs are read for a model."""
    from vce_models.framing import OMNIGLOT
    from vce_models.listing import Reading

    return Reading(
        model.config,
        options.polarity,
        options.fit,
        options.text,
        options.chars,
        options.location,
        model.framing or OMNIGLOT,
        options.cropped,
    )


def _style(options: Options, hands: Hands, model: Weights, fingerprint: str) -> Style:
    """Say how results look, and what they say about themselves."""
    return Style(
        columns=options.columns,
        side=options.magnification * model.config.size,
        labels=options.labels,
        walk=options.walk,
        metadata={} if options.no_metadata else _metadata(options, hands, fingerprint),
    )


def _find(inputs: list[str], reading: Reading, journal: Journal) -> list[Glyph]:
    """List the glyphs of all inputs; those that cannot be listed go into the journal."""
    from vce_models import listing

    found = []
    for name in inputs:
        if name in streams.STDIN:
            found.append(listing.from_stream(streams.standard_input(), reading))
            continue
        if listing.is_font(Path(name)) or listing.is_svg(Path(name)):
            require_fonts("reading outlines")
        try:
            found.extend(listing.find(Path(name), reading))
            journal.left_out(name, listing.left_out(Path(name)))
        except InputError as error:
            journal.fail(name, error)
        except OSError as error:  # the name is too long, or a folder must not be entered
            journal.fail(name, InputError(f"{name} cannot be read: {error.strerror}"))
    for glyph in found:
        if glyph.note:
            journal.warn(glyph.note)
    return found


def _choose_rules(
    options: Options, reading: Reading, model: Weights, fingerprint: str, journal: Journal
) -> Hands:
    """Load the rules, read one off a pair, or sample some, as the options say."""
    from vce_models import rules

    if options.rules:
        path, selection = rules.split_selection(options.rules)
        saved, made_for, calm = rules.load(path, model.config)
        if made_for != fingerprint:
            journal.warn(f"{path} was made for other weights; the styles will be others")
        numbers, chosen = rules.select(saved, selection)
        return Hands(chosen, numbers, calm=calm if options.calm is None else options.calm)
    if options.like:
        from vce_models.convert import encode
        from vce_models.listing import read_image

        before, after = (read_image(path, str(path), reading).condition for path in options.like)
        return Hands(encode(model, after, before), [1], calm=bool(options.calm))
    count = options.number or options.alternates or DEFAULT_RULES
    seed = int.from_bytes(os.urandom(4), "big") if options.seed is None else options.seed
    sampled = rules.sample(count, model.config, seed)
    return Hands(sampled, list(range(1, count + 1)), seed, options.calm)


def _walk(hands: Hands) -> Hands:
    """Return the rules of all frames of a walk."""
    from vce_models import rules

    walked = rules.walk(hands.rules, FRAMES)
    return replace(hands, rules=walked, numbers=list(range(1, len(walked) + 1)))


def _render(
    found: list[Glyph],
    hands: Hands,
    model: Weights,
    options: Options,
    form: Rendered,
    journal: Journal,
) -> Iterator[Converted]:
    """Read and convert one glyph after the other, as the writer asks for them."""
    from vce_models.listing import Converted

    size, count = model.config.size, len(hands.rules)
    points, total = form.points(options.magnification, size), count * len(found)
    renderer = _renderer(model, options.device, total * (1 + points**2 / 4))
    at_once = max(1, AT_ONCE // (points * size) ** 2)
    readings = _read(found, journal, partial(_say_seed, hands, options, journal))
    with report.progress("converting", quiet=options.quiet) as advance:
        for i, glyph, drawing, placement in readings:
            _warn(glyph, drawing, model, options, journal)
            if form.outlined and model.config.wiring == "deformation":
                try:
                    moved = _outlines(glyph, drawing, placement, hands, model, options)
                except InputError as error:
                    named = InputError(f"{glyph.source}: {error}", hint=error.hint)
                    journal.fail(glyph.source, named)
                    continue
                conversions = _noted(moved, glyph, hands.numbers, journal)
                conversions = _counted(conversions, i * count, total, advance)
            else:
                rules = _strengthened(hands.rules, model, drawing.condition, options.towards)
                render = renderer(*drawing, points, calm=bool(hands.calm))
                images = _in_parts(render, rules, at_once)
                images = _inked(images, glyph, hands.numbers, journal)
                counted = _counted(images, i * count, total, advance)
                conversions = (
                    form.render(image, options.magnification * size) for image in counted
                )
            yield Converted(glyph, drawing, placement, conversions)


def _outlines(
    glyph: Glyph,
    drawing: Framed,
    placement: Placement | None,
    hands: Hands,
    model: Weights,
    options: Options,
) -> Iterator[tuple[Any, bool]]:
    """Move the glyph's own outline, or one that is traced around its drawing, by every rule.

    Raises:
        InputError: The outline is too fine to be moved.
    """
    from vce_models.fonts import paths, tracing

    if glyph.outline and placement:
        outline = glyph.outline(), placement
    else:
        outline = tracing.contours(drawing.detail), paths.CANVAS
    given = hands.rules, options.towards, drawing.condition, outline
    return paths.moved(model, *given, calm=bool(hands.calm))


def _noted(
    moved: Iterator[tuple[Any, bool]], glyph: Glyph, numbers: list[int], journal: Journal
) -> Iterator[Any]:
    """Yield the contours of a glyph, and note which rules had to be weakened."""
    for number, (contours, weaker) in zip(numbers, moved, strict=True):
        if weaker:
            journal.detail(f"{glyph.source} is moved less by rule {number}: it would cross itself")
        yield contours


def _inked(
    images: Iterator[Array], glyph: Glyph, numbers: list[int], journal: Journal
) -> Iterator[Array]:
    """Yield the conversions of a glyph, and warn of those in which nothing is left of it."""
    for number, image in zip(numbers, images, strict=True):
        if image.max(initial=0) < 0.5:
            journal.warn(
                f"{glyph.source}: rule {number} leaves nothing of it; give less --strength"
            )
        yield image


def _read(
    found: list[Glyph], journal: Journal, begin: Callable[[], None]
) -> Iterator[tuple[int, Glyph, Framed, Placement | None]]:
    """Read glyphs and number them; report those that cannot be read; call `begin` at the first."""
    begun = False
    for i, glyph in enumerate(found):
        try:
            drawing, placement = glyph.read()
        except InputError as error:
            journal.fail(glyph.source, error)
            continue
        journal.detail(f"read {glyph.source}")
        if not begun:
            begin()
            begun = True
        yield i, glyph, drawing, placement


def _say_seed(hands: Hands, options: Options, journal: Journal) -> None:
    """Say which seed was chosen, if the user gave none."""
    if hands.seed is not None and options.seed is None:
        journal.say(f"seed {hands.seed}")


def _warn(
    glyph: Glyph, drawing: Framed, model: Weights, options: Options, journal: Journal
) -> None:
    """Note what a glyph has that no drawing of one character, or no training drawing, has."""
    from vce_models import cards
    from vce_models.framing import OMNIGLOT
    from vce_models.glyphs import letters, strokes

    if glyph.font is None:
        journal.beside(glyph.source, letters.unusual(drawing.detail))
    known = model.framing or (OMNIGLOT if cards.shipped(cards.find(options.weights)) else None)
    if known:
        journal.unusual(glyph.source, strokes.unusual(drawing.condition, known))


def _strengthened(rules: Array, model: Weights, condition: Array, strength: float) -> Array:
    """Apply --strength to the rules, for one glyph."""
    from vce_models.convert import encode
    from vce_models.rules import strengthen

    if strength == 1:
        return rules
    return strengthen(rules, encode(model, condition, condition), strength)


def _in_parts(render: Callable[[Array], Array], rules: Array, at_once: int) -> Iterator[Array]:
    """Yield conversions one by one; several are rendered at a time."""
    for at in range(0, len(rules), at_once):
        yield from render(rules[at : at + at_once])


def _counted(images: Iterator[Any], before: int, total: int, advance: Progress) -> Iterator[Any]:
    """Yield conversions, and report each once it is used."""
    for done, image in enumerate(images, start=before + 1):
        yield image
        advance(done, total)


def _renderer(
    model: Weights, device: str, conversions: float
) -> Callable[..., Callable[[Array], Array]]:
    """Choose what renders conversions: PyTorch on CUDA where so many repay its start, or NumPy.

    Args:
        model: The weights.
        device: The value of --device.
        conversions: How many there are, counted as `REPAYS` is.
    """
    large = conversions >= REPAYS and Path("/dev/nvidia0").exists()
    if device == "cuda" or (device == "auto" and large and _has_torch()):
        require_torch("convert --device cuda")
        where = torch_device(device)
        from vce_models.evaluation.likelihood import renderers

        return renderers(model, where)
    from vce_models.convert import renderer

    return partial(renderer, model)


def _has_torch() -> bool:
    from importlib.util import find_spec

    return find_spec("torch") is not None


def _metadata(options: Options, hands: Hands, fingerprint: str) -> dict[str, str]:
    """Collect the texts of a PNG that say how it was made, by keyword."""
    text = {"Software": f"vce {version()}", "vce:weights": fingerprint}
    if hands.seed is not None:
        text["vce:seed"] = str(hands.seed)
    if not hands.calm:
        text["vce:calm"] = "no"
    return text | ({"vce:strength": f"{options.towards:g}"} if options.towards != 1 else {})


def _facts(
    options: Options, read: list[tuple[str, str]], hands: Hands, fingerprint: str
) -> dict[str, Any]:
    """Collect what the manifest of --json says beside the journal's events.

    Args:
        options: The options of the command.
        read: The name and the source of each input.
        hands: The rules.
        fingerprint: That of the weights.
    """
    return {
        "version": version(),
        "weights": fingerprint,
        "inputs": [{"name": name, "source": source} for name, source in read],
        "rules": {
            "numbers": hands.numbers,
            "seed": hands.seed,
            "file": options.rules,
            "like": [str(path) for path in options.like] if options.like else None,
            "strength": options.towards,
            "calm": hands.calm,
            "walk": options.walk,
        },
    }
