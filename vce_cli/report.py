"""Progress and errors are shown on standard error, and tables on standard output."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vce_models.errors import OutputError

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn
    from rich.table import Table

    from vce_models.config import TrainConfig
    from vce_models.evaluation.likelihood import Evaluation
    from vce_models.evaluation.quality import Interval, Quality
    from vce_models.evaluation.transfer import Transfer
    from vce_models.evaluation.turing import Told
    from vce_models.progress import Progress
    from vce_models.training.trainer import Report

BAR_SECONDS = 2.0
"""Seconds before a progress bar appears."""

LOG_SECONDS = 10.0
"""Seconds between two lines of a log."""


def error(message: str, hint: str | None = None) -> None:
    """Print `error: ...` and, where there is one, `hint: ...`."""
    say(f"error: {message}")
    if hint:
        say(f"hint: {hint}")


def say(message: str) -> None:
    """Print one line on stderr, if it can be written; nothing in it moves the cursor."""
    if sys.stderr is None:  # closed
        return
    try:
        sys.stderr.write(f"{plain(' '.join(message.split()))}\n")
        sys.stderr.flush()
    except OSError:  # nobody reads it, or its device is full, and there is nowhere left to say so
        sys.stderr = None


def plain(text: str) -> str:
    """Escape characters that a terminal would obey, as names come from anywhere."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )


def on_terminal() -> bool:
    """Say whether somebody watches standard error."""
    return sys.stderr is not None and sys.stderr.isatty()


def out(text: str) -> None:
    """Write the result on stdout; if its reader has gone, exit as programs in pipes do."""
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        drop()
        sys.exit(141)
    except OSError as error:
        drop()
        raise OutputError(f"cannot write standard output: {error.strerror}") from error


def drop() -> None:
    """Discard what stdout still holds: Python flushes it once more at exit, and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def known(figures: Any) -> Any:
    """Return figures for JSON, with None in the place of those that are no numbers."""
    if isinstance(figures, dict):
        return {name: known(figure) for name, figure in figures.items()}
    return None if isinstance(figures, float) and not math.isfinite(figures) else figures


@contextmanager
def progress(description: str, *, quiet: bool = False) -> Iterator[Progress]:
    """Yield a function that is told how far a work is, and shows a bar with the time left.

    The bar is shown on a terminal only, and only if the work takes longer than `BAR_SECONDS`.
    The time left supposes that the rest goes as fast as all that is done.
    """
    if quiet or not on_terminal():
        yield lambda done, total: None
        return
    begun, bar = time.monotonic(), None

    def advance(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            if time.monotonic() - begun < BAR_SECONDS:
                return
            # The time left is told to this bar, which goes away at the end.
            bar = _bar("{task.fields[left]}", transient=True)
            bar.add_task(description, total=total, completed=done, left="")
            bar.start()
        took = time.monotonic() - begun
        left = f"{lasting(took * (total - done) / done)} left" if 0 < done < total else ""
        bar.update(bar.task_ids[0], completed=done, total=total, left=left)

    try:
        yield advance
    finally:
        if bar is not None:
            bar.stop()


def _bar(last: str | ProgressColumn, *, transient: bool) -> Bar:
    """Make a bar on standard error.

    Args:
        last: The column after description, bar and count.
        transient: Whether it goes away at the end.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), last)
    return Progress(*columns, console=Console(stderr=True), transient=transient)


@contextmanager
def training(config: TrainConfig) -> Iterator[Callable[[Report, float], None]]:
    """Yield a function that shows a report: on a terminal by a bar, elsewhere by lines of a log.

    Its arguments are the report, and how many pairs a second were trained.
    """
    begun, shown, first = time.monotonic(), 0.0, -1

    def line(result: Report, speed: float) -> None:
        nonlocal shown
        if time.monotonic() - shown > LOG_SECONDS or result.step == config.steps:
            shown = time.monotonic()
            terms = _terms(config, result, speed)
            say(f"step {result.step}/{config.steps} {terms} {left(result)} left")

    def left(result: Report) -> str:
        nonlocal first, begun
        if first < 0:
            first, begun = result.step, time.monotonic()
            return "?"
        pace = (time.monotonic() - begun) / max(1, result.step - first)
        seconds = round(pace * (config.steps - result.step))
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"

    if not on_terminal():
        yield line
        return
    from rich.progress import TimeRemainingColumn

    with _bar(TimeRemainingColumn(), transient=False) as bar:
        task = bar.add_task("training", total=config.steps)

        def live(result: Report, speed: float) -> None:
            bar.update(task, completed=result.step, description=_terms(config, result, speed))

        yield live


def lasting(seconds: float) -> str:
    """Write a duration as people say it: `40 s`, `12 min`, `3.5 h`, `38 h`, `4 days`."""
    for unit, length, most in (("s", 1, 90), ("min", 60, 90), ("h", 3600, 72)):
        if round(amount := seconds / length) < most:
            few = unit == "h" and amount < 9.95
            return f"{amount:.1f} {unit}" if few else f"{max(1, round(amount))} {unit}"
    return f"{round(seconds / 86400)} days"


def counted(number: int, noun: str) -> str:
    """Write a number of things: `1 core`, `2 cores`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _terms(config: TrainConfig, result: Report, speed: float) -> str:
    terms = result.terms
    return (
        f"{config.called(result.phase)}: reconstruction {terms['reconstruction']:.1f} "
        f"KL {terms['kl']:.1f} converted {terms['kl_converted']:.1f} nats, {speed:.0f} images/s"
    )


def tables(
    likelihood: Evaluation,
    quality: Quality | None = None,
    transfer: Transfer | None = None,
    told: Told | None = None,
) -> None:
    """Print the figures of an evaluation on stdout."""
    from rich.console import Console

    console = Console()
    with console.capture() as captured:
        console.print(_likelihoods(likelihood))
        if judged := _judgements(quality, transfer, told):
            console.print(_intervals(judged))
    out(captured.get())


def cards(found: dict[str, dict[str, Any]], default: str) -> None:
    """Print a table for each set of weights on stdout: what its file and its card say."""
    from rich.console import Console

    console = Console()
    with console.capture() as captured:
        for name, facts in found.items():
            console.print(_card(f"{name}, the default" if name == default else name, facts))
    out(captured.get())


def _card(title: str, facts: dict[str, Any]) -> Table:
    from rich.table import Table

    figures = [f"{name} {figure:g}" for name, figure in facts["figures"].items()]
    size = f"{facts['size']}x{facts['size']} {facts['resize']}"
    rows = {
        "for": facts["purpose"],
        "recipe": facts["recipe"],
        "made by": facts["command"],
        "networks": f"wiring {facts['wiring']}, {size}, {facts['bytes'] / 1e6:.1f} MB",
        "data": facts["data"],
        "trained": f"{facts['length']}; {facts['time']}",
        "figures": f"{', '.join(figures)}; by {facts['measured']}",
        "licence": facts["licence"],
        "fingerprint": facts["fingerprint"],
    }
    table = Table(title)
    table.add_column("", overflow="fold")
    for row in rows.items():
        table.add_row(*row)
    return table


def _likelihoods(result: Evaluation) -> Table:
    from rich.table import Table

    grey = "binarised" if result.binarised else "as resized"
    caption = (
        f"{result.pairs} pairs of {result.characters} characters, {result.size}x{result.size} "
        f"{result.resize}, {grey}; {result.importance_samples} importance samples, "
        f"seed {result.seed}"
    )
    rows = {
        "reconstruction": result.reconstruction,
        "KL": result.kl,
        "negative ELBO": result.nelbo,
        "NLL, importance weighted": result.nll,
        "entropy floor of the targets": result.floor,
    }
    table = Table("likelihood", caption=caption, caption_justify="left")
    table.add_column("nats an image", justify="right")
    table.add_column("standard error", justify="right")
    for name, figure in rows.items():
        table.add_row(name, _shown(figure.mean, 2), _shown(figure.standard_error, 2))
    return table


def _judgements(
    quality: Quality | None, transfer: Transfer | None, told: Told | None
) -> dict[str, Interval]:
    rows = {}
    if quality:
        rows[f"recognisability, {quality.ways}-way"] = quality.recognisability
        rows["diversity / people's"] = quality.diversity
        rows["entropy, nats an image"] = quality.entropy
    if transfer:
        rows["rule transfer"] = transfer.transferred
        rows["the same by random rules"] = transfer.random
        rows["the same by the pair's own rule"] = transfer.own
    if told:
        rows["told from people by ink"] = told.ink
        rows["told from people by lines"] = told.lines
    return rows


def _intervals(rows: dict[str, Interval]) -> Table:
    from rich.table import Table

    table = Table("conversions")
    table.add_column("value", justify="right")
    table.add_column("95% interval", justify="right")
    for name, figure in rows.items():
        low, high = _shown(figure.low, 3), _shown(figure.high, 3)
        table.add_row(
            name, _shown(figure.value, 3), "-" if "-" in (low, high) else f"{low} to {high}"
        )
    return table


def _shown(figure: float, digits: int) -> str:
    return f"{figure:.{digits}f}" if math.isfinite(figure) else "-"
