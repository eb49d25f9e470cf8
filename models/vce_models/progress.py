"""How far a long work is, as whoever asked for it is told."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""A function that is called with how much is done, and how much there is in all."""
