"""The README's commands and the examples do what they say."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import COMMAND, ROOT, draw
from matplotlib import get_data_path
from PIL import Image

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]
INSTALLS = [line for line in COMMANDS if "pip install" in line]
"""These two are run by .ci/run."""


def shell(command, folder):
    path = os.pathsep.join((str(COMMAND.parent), os.environ["PATH"]))
    return subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )


def test_every_command_runs(tree, tmp_path):
    """In order, in one folder; trainings are made short and the test characters few."""
    draw(1, 0).save(tmp_path / "letter.png")
    (tmp_path / "glyphs").mkdir()
    for character, name in enumerate("ab"):
        draw(character, 0).save(tmp_path / f"glyphs/{name}.png")
    shutil.copy(Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf"), tmp_path)
    for name in ("omniglot", "letters"):
        shutil.copytree(tree, tmp_path / name)
    for command in COMMANDS:
        if command in INSTALLS:
            continue
        short = re.search("train --data|critics", command) is not None
        shell(command + (" --steps 6" if short else ""), tmp_path)
    made = {path.name for path in tmp_path.iterdir() if path.is_file()}
    given = {"letter.png", "DejaVuSans.ttf"}
    sheets = {f"{name}.png" for name in ("styles", "alphabet", "handgloves", "hands", "third")}
    sheets |= {"like.png", "mine.png", "conversions.png"}
    fonts = {"hand-01.ttf", "hand-02.ttf"}
    rest = {"walk.gif", "letter.svg", "hands.safetensors", "figures.json", "critics.safetensors"}
    assert made == given | sheets | fonts | rest
    assert len(list((tmp_path / "styles").iterdir())) == 2 * 4


def test_ci_runs_the_commands_that_install():
    first, second = INSTALLS
    assert first.endswith("-n 16 -o styles.png")
    assert second.endswith("./check")
    ci = (ROOT / ".ci/run").read_text()
    assert r"'-n 16 -o styles\.png$'" in ci
    assert r"'\./check$'" in ci


def test_every_linked_file_is_there():
    for page in ROOT.glob("*.md"):
        for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            assert link.startswith("https://") or (page.parent / link).exists(), link


def test_the_library_use_is_the_example():
    assert (ROOT / "examples/library.py").read_text().split('"""\n\n', 1)[1] in README


@pytest.fixture
def examples(tmp_path):
    return shutil.copytree(ROOT / "examples", tmp_path / "examples")


def test_the_pipeline_draws_the_pictures_shown(examples):
    shutil.rmtree(examples / "styles")
    shell("sh pipeline.sh", examples)
    shown = sorted((ROOT / "examples/styles").glob("*.png"))
    assert [path.stem for path in shown] == ["ampersand", "key", "rune", "sail"]
    for path in shown:
        with Image.open(path) as there, Image.open(examples / "styles" / path.name) as here:
            difference = np.abs(np.asarray(there, np.int16) - np.asarray(here, np.int16))
        assert difference.max() <= 2  # machines round differently


def test_the_library_example_runs(examples):
    lines = shell("python library.py", examples).stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == ["ampersand", "key", "rune", "sail"]
