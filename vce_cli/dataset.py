"""--data and --download: the drawings that train and eval read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vce_cli import report

if TYPE_CHECKING:
    from vce_models.config import ModelConfig
    from vce_models.datasets.drawings import Split


def read(folder: Path, config: ModelConfig, *, download: bool, enlarged: int = 1) -> Split:
    """Fetch Omniglot where it was asked for and is missing; read, with progress."""
    from vce_models.datasets.drawings import load

    if download:
        from vce_models.datasets.download import fetch

        with report.progress("downloading") as advance:
            fetch(folder, progress=advance)
    with report.progress("reading drawings") as advance:
        return load(folder, config, enlarged=enlarged, progress=advance)
