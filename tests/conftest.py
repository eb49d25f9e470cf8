import math
import os
import re
import subprocess
import sys
from pathlib import Path

# Tests share their processors, where threads that wait for each other are many times slower.
os.environ["OMP_NUM_THREADS"] = "1"  # before PyTorch loads

import numpy as np
import pytest
from blocks import build
from PIL import Image, ImageDraw

from vce_models.fonts import source

ROOT = Path(__file__).parent.parent
COMMAND = Path(sys.executable).with_name("vce")


def scribble(character, hand, side=105):
    """Black strokes on white: `character` chooses them, `hand` how they are drawn."""
    stroke, wobble = np.random.default_rng(character), np.random.default_rng((character, hand))
    points = stroke.uniform(0.2, 0.8, (5, 2)) + wobble.normal(0, 0.03, (5, 2))
    turn = wobble.normal(0, 0.1)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    points = ((points - 0.5) @ rotation + 0.5) * side
    image = Image.new("L", (side, side), 255)
    line = [tuple(point) for point in points.tolist()]
    ImageDraw.Draw(image).line(line, fill=0, width=max(1, side // 25))
    return image


def start(folder, *arguments, **options):
    """The installed command, started in a folder."""
    options = {"stderr": subprocess.PIPE, "cwd": folder, **options}
    return subprocess.Popen([COMMAND, *map(str, arguments)], **options)


def shell(script, folder):
    """A line of bash with the installed command on its path."""
    environment = {**os.environ, "PATH": f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, check=False
    )


def one_line(done, words):
    """Stdout stays empty; stderr is one error and at most one hint."""
    assert done.stdout == ""
    assert re.fullmatch(r"error: [^\n]+\n(hint: [^\n]+\n)?", done.stderr), done.stderr
    assert words in done.stderr


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """Ten characters in two alphabets, each drawn by six hands."""
    root = tmp_path_factory.mktemp("tree")
    for character in range(10):
        folder = root / f"alphabet{character % 2}" / f"character{character:02}"
        folder.mkdir(parents=True)
        for hand in range(6):
            scribble(character, hand).save(folder / f"{hand}.png")
    return root


@pytest.fixture(scope="session")
def omniglot():
    """The real data set, where it is there."""
    places = (os.environ.get("VCE_OMNIGLOT"), ROOT / "omniglot", ROOT.parent / "shared/omniglot")
    for place in filter(None, places):
        if (Path(place) / "images_background.zip").exists():
            return Path(place)
    pytest.skip("Omniglot is not here: set VCE_OMNIGLOT, or vce train --data omniglot/ --download")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Tests keep out of the user's cache."""
    os.environ["VCE_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def vce(tmp_path):
    """Run the installed command in `tmp_path`."""

    def run(*arguments, status=0, **options):
        command = [COMMAND, *map(str, arguments)]
        options = {"capture_output": True, "text": True, "timeout": 300, **options}
        done = subprocess.run(command, cwd=tmp_path, check=False, **options)
        assert done.returncode == status, done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def blocks(tmp_path_factory):
    """The font of rectangles, read."""
    return source.read_font(build(tmp_path_factory.mktemp("fonts") / "blocks.ttf"))
