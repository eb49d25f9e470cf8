"""Events of a conversion are told on standard error, and kept for the manifest."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from vce_cli import report
from vce_models.errors import BatchError, InputError, VCEError


class Journal:
    """Tells what happens in one run, and keeps it.

    Args:
        quiet: Whether to print errors only.
        verbose: Whether to print each step, too.
    """

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self.quiet, self.verbose = quiet, verbose
        self.warnings: list[str] = []
        self.failures: list[tuple[str, VCEError]] = []
        self.outputs: list[str] = []
        self._unusual: Counter[str] = Counter()
        self._first: dict[str, tuple[str, str]] = {}

    def say(self, message: str) -> None:
        """Say what a user should know."""
        if not self.quiet:
            report.say(message)

    def detail(self, message: str) -> None:
        """Say what a user wants to know only with -v."""
        if self.verbose:
            report.say(message)

    def warn(self, message: str) -> None:
        """Say what may be wrong without stopping the run."""
        self.warnings.append(message)
        self.say(f"warning: {message}")

    def fail(self, source: str, error: VCEError) -> None:
        """Keep an input that cannot be converted; `raise_failures` prints it."""
        self.failures.append((source, error))

    def unusual(self, source: str, findings: list[str]) -> None:
        """Keep how a glyph is unlike training drawings; `close` prints a line for each kind."""
        for finding in findings:
            kind = finding.split()[0]
            self._unusual[kind] += 1
            self._first.setdefault(kind, (source, finding))

    def beside(self, source: str, findings: list[str]) -> None:
        """Keep what a picture shows beside its glyph; `close` says so, and how to leave it out."""
        self.unusual(source, [f"{found} (--crop largest leaves out more)" for found in findings])

    def left_out(self, folder: str, names: list[str]) -> None:
        """Say which files of a folder cannot be read as images."""
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            self.warn(f"{folder}: {names[0]}{more} left out, which cannot be read as an image")

    def wrote(self, path: Path) -> None:
        """Keep the path of an output that was written."""
        if str(path) != "-":
            self.outputs.append(str(path))
            self.detail(f"wrote {path}")

    def close(self) -> None:
        """Say what was unusual and, on a terminal, where the result is."""
        for kind, (source, finding) in self._first.items():
            more = f" and {self._unusual[kind] - 1} more" if self._unusual[kind] > 1 else ""
            self.warn(f"{source}{more}: {finding}; expect worse conversions")
        if self.outputs and not self.verbose and report.on_terminal():
            first, last = self.outputs[0], self.outputs[-1]
            span = f"{first} to {last}, {len(self.outputs)} files"
            self.say(f"wrote {span if len(self.outputs) > 1 else first}")

    def raise_failures(self, total: int) -> None:
        """End a run in which inputs failed.

        Raises:
            InputError: All inputs failed.
            BatchError: Some inputs failed.
        """
        if not self.failures:
            return
        failed = len(self.failures)
        if failed == total == 1:
            raise self.failures[0][1]
        for _, error in self.failures:
            report.error(str(error), error.hint)
        if failed == total:
            raise InputError(f"none of the {total} inputs could be converted")
        raise BatchError(f"{failed} of {total} failed; the rest is written")

    def manifest(self, **facts: Any) -> bytes:
        """Describe the run as JSON: these facts, then outputs, warnings and failures."""
        failures = [{"input": source, "error": str(error)} for source, error in self.failures]
        events = {
            "outputs": self.outputs,
            "warnings": self.warnings,
            "failures": failures,
        }
        return (json.dumps(facts | events, indent=2) + "\n").encode()
