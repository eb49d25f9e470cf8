"""Omniglot's official archives are downloaded (Lake, Salakhutdinov and Tenenbaum 2015)."""

from __future__ import annotations

import os
from pathlib import Path

from vce_models.datasets.drawings import find_half
from vce_models.errors import DataError
from vce_models.progress import Progress

OFFICIAL = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python"
"""Where Omniglot's authors keep its archives."""

MD5 = {
    "images_background.zip": "68d2efa1b9178cc56df9314c21c6e718",
    "images_evaluation.zip": "6b91aef0f799c5bb55b94e3f2daec811",
}


class _Bar:
    """A progress bar as pooch wants it, which calls a plain function."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self.done, self.total = progress, 0, 0

    def update(self, count: int) -> None:
        self.done += count
        self.progress(self.done, max(self.total, self.done))

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        """Do nothing: whoever gave the callback closes what it draws."""


def fetch(
    folder: Path,
    *,
    base_url: str | None = None,
    checksums: dict[str, str] = MD5,
    progress: Progress | None = None,
) -> None:
    """Download the official Omniglot archives that `folder` lacks.

    Args:
        folder: Made when missing.
        base_url: Where the archives lie; the official repository, or `VCE_OMNIGLOT_URL`.
        checksums: MD5 of each archive.
        progress: Called with (bytes read, bytes in all) of the archive under way.

    Raises:
        DataError: The server, the connection or the checksum failed; nothing is left.
    """
    import pooch
    import requests  # pooch brings it

    pooch.get_logger().setLevel("ERROR")
    base_url = base_url or os.environ.get("VCE_OMNIGLOT_URL") or OFFICIAL
    for name, checksum in checksums.items():
        if (folder / name).exists() or find_half((folder, folder / "omniglot-py"), Path(name).stem):
            continue
        url = f"{base_url}/{name}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            pooch.retrieve(
                url,
                known_hash=f"md5:{checksum}",
                path=folder,
                fname=name,
                downloader=pooch.HTTPDownloader(
                    progressbar=_Bar(progress) if progress else False, timeout=30
                ),
            )
        except requests.RequestException as error:
            raise DataError(f"cannot download {url}: {error}", hint="try again later") from error
        except ValueError as error:  # pooch's word for a wrong checksum
            raise DataError(
                f"{url} is not the file it should be: its MD5 is not {checksum}",
                hint="nothing was kept; try again, or fetch the archive by hand",
            ) from error
        except OSError as error:
            raise DataError(f"cannot write {folder / name}: {error}") from error
