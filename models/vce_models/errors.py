"""What can go wrong, as one tree.

VCEError
├── InputError      an image that cannot be read, or holds no glyph
├── WeightsError    weights that are missing, damaged or of another kind
├── OutputError     a result that cannot be written
├── DataError       a data set that is missing, damaged or unusable
├── ConfigError     settings that contradict each other or are out of range
├── BatchError      some glyphs of a batch that could not be converted
├── DivergedError   a training run that stopped making sense
└── ExtraError      a command that needs an optional dependency
"""

from __future__ import annotations


class VCEError(Exception):
    """Anything this project reports to its user, in one line.

    Args:
        message: What is wrong, naming the file and the value found.
        hint: What to do about it, where there is something to say.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(" ".join(message.splitlines()))
        self.hint = hint


class InputError(VCEError):
    """An image that cannot be read, or holds no glyph."""


class WeightsError(VCEError):
    """Weights that are missing, damaged or of another kind."""


class OutputError(VCEError):
    """A result that cannot be written."""


class DataError(VCEError):
    """A data set that is missing, damaged or unusable."""


class ConfigError(VCEError):
    """Settings that contradict each other or are out of range."""


class BatchError(VCEError):
    """Some glyphs of a batch that could not be converted; the others were."""


class DivergedError(VCEError):
    """A training run that stopped making sense."""


class ExtraError(VCEError):
    """A command that needs an optional dependency."""
