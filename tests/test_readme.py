"""The README's commands and the examples do what they say."""

import os
import re
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from conftest import COMMAND, ROOT, scribble
from matplotlib import get_data_path
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from PIL import Image, ImageSequence

from vce_models import weights

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


def shorter(command):
    """What makes a training short, and a whole font one of the specimen's letters."""
    if re.search("train --data|critics", command):
        return " --steps 6"
    if re.search(r"\.ttf .*-o \S+\.(ttf|html)", command) and not re.search(
        "--text|--chars", command
    ):
        return ' --text "Sphinx of black quartz, judge my vow"'
    return ""


def test_every_command_runs(tree, tmp_path):
    """In order, in one folder; trainings are made short, fonts small, and test characters few."""
    scribble(1, 0).save(tmp_path / "letter.png")
    (tmp_path / "glyphs").mkdir()
    for character, name in enumerate("ab"):
        scribble(character, 0).save(tmp_path / f"glyphs/{name}.png")
    shutil.copy(Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf"), tmp_path)
    for path in (ROOT / "examples/pair").iterdir():
        shutil.copy(path, tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for name in ("omniglot", "letters"):
        shutil.copytree(tree, tmp_path / name)
    (tmp_path / "fonts").mkdir()
    for name in ("DejaVuSans", "DejaVuSerif"):
        shutil.copy(Path(get_data_path(), f"fonts/ttf/{name}.ttf"), tmp_path / "fonts")
    given = {path.name for path in tmp_path.iterdir() if path.is_file()}
    for command in COMMANDS:
        if command in INSTALLS:
            continue
        shell(command + shorter(command), tmp_path)
    made = {path.name for path in tmp_path.iterdir() if path.is_file()} - given
    sheets = {f"{name}.png" for name in ("styles", "alphabet", "greek", "hands", "third", "like")}
    sheets |= {"half.png", "others.png", "specimen.png", "mine.png"}
    sheets |= {"conversions.png", "typefaces.png"}
    fonts = {f"{name}-0{hand}.ttf" for name in ("hand", "calm") for hand in (1, 2, 3)}
    fonts |= {"hands.ttf", "turns.ttf", "proof.html"}
    rest = {"walk.gif", "letter.svg", "hands.safetensors", "figures.json", "critics.safetensors"}
    assert made == sheets | fonts | rest
    assert len(list((tmp_path / "styles").iterdir())) == 2 + 2 * 4


def test_ci_runs_the_commands_that_install():
    first, second = INSTALLS
    assert first.endswith("-n 16 -o styles.png")
    assert second.endswith("./check")
    ci = (ROOT / ".ci/run").read_text()
    assert r"'-n 16 -o styles\.png$'" in ci
    assert r"'\./check$'" in ci
    assert "pip install" not in ci
    assert second in (ROOT / "CONTRIBUTING.md").read_text()


def test_the_constraints_name_every_dependency_exactly():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    assert all(str(pin.specifier).startswith("==") for pin in pins)
    named = {canonicalize_name(pin.name) for pin in pins}
    waiting, needed = [Requirement("vce-cli[dev]")], set()
    while waiting:
        wanted = waiting.pop()
        for text in metadata.requires(wanted.name) or ():
            requirement = Requirement(text)
            extras = wanted.extras or {""}
            if requirement.marker and not any(
                requirement.marker.evaluate({"extra": extra}) for extra in extras
            ):
                continue
            name = canonicalize_name(requirement.name)
            if (name, *sorted(requirement.extras)) not in needed:
                needed.add((name, *sorted(requirement.extras)))
                waiting.append(requirement)
    missing = {name for name, *_ in needed} - named - {"vce-cli", "pip"}
    # What PyTorch names for GPUs, on Linux, it names exactly itself.
    missing = {name for name in missing if not name.startswith(("nvidia-", "cuda-", "triton"))}
    assert not missing, [f"{name}=={metadata.version(name)}" for name in sorted(missing)]


def test_the_lowest_versions_are_the_lower_bounds():
    """Otherwise the head of lowest.txt says how to make it anew."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = (ROOT / "lowest.txt").read_text().splitlines()
    pins = {}
    for pin in (Requirement(line) for line in lines if not line.startswith("#")):
        (specifier,) = pin.specifier
        pins[canonicalize_name(pin.name)] = Version(specifier.version)
    for text in (*project["dependencies"], *extras["fonts"], *extras["test"]):
        wanted = Requirement(text)
        bounds = [each.version for each in wanted.specifier if each.operator == ">="]
        assert pins[canonicalize_name(wanted.name)] in wanted.specifier
        assert [Version(bound) for bound in bounds] == [pins[canonicalize_name(wanted.name)]], text


def test_the_picture_of_the_house_names_every_module():
    picture = (ROOT / "CONTRIBUTING.md").read_text()
    for root in ("vce_cli", "models/vce_models"):
        for path in (ROOT / root).rglob("[!_]*.py"):
            assert re.search(rf"\b{path.stem}\b", picture), path


def test_the_version_stands_in_three_places():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert (ROOT / "CHANGELOG.md").read_text().startswith(f"# Changelog\n\n## {version} (")


def test_every_linked_file_is_there():
    for page in (*ROOT.glob("*.md"), ROOT / "examples/README.md"):
        for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            there = (page.parent / link.partition("#")[0]).exists()
            assert link.startswith("https://") or there, link


def test_the_library_use_is_the_example():
    assert (ROOT / "examples/library.py").read_text().split('"""\n\n', 1)[1] in README


(TABLES,) = re.findall(r"```\n(┏.*?)```", README, re.DOTALL)
"""What `vce eval` prints, as the README shows it."""

NUMBER = re.compile(r"\d+(?:\.\d+)?")


def test_the_tables_shown_are_what_eval_prints(omniglot, vce):
    """To a thousandth; machines round differently."""
    printed = vce("eval", "--data", omniglot, "--device", "cpu", timeout=1200).stdout
    words = [NUMBER.sub("#", re.sub(r"[ ━─]+", " ", text)).split() for text in (printed, TABLES)]
    assert words[0] == words[1]
    found, shown = (list(map(float, NUMBER.findall(text))) for text in (printed, TABLES))
    assert found == pytest.approx(shown, rel=1e-3, abs=2e-3)


CARD = ROOT / "models/vce_models/pretrained/README.md"


@pytest.mark.parametrize("page", [CARD, ROOT / "docs/results.md"])
def test_other_pages_have_the_figures_of_the_tables(page):
    rows = [re.split(r"\s*│\s*", line) for line in TABLES.splitlines() if line.startswith("│")]
    figures = {name: row for _, name, *row, _ in rows}
    text = re.sub(r"\s+", " ", page.read_text())
    for name in ("recognisability, 20-way", "diversity / people's"):
        value, interval = figures[name]
        assert f"{value} ({interval})" in text, name
    assert f"{float(figures['entropy, nats an image'][0]):.1f}" in text
    assert figures["NLL, importance weighted"][0] in text
    if page == CARD:
        for name in ("reconstruction", "KL", "negative ELBO", "entropy floor of the targets"):
            assert f"| {name} | {figures[name][0]} (" in text, name
        transferred, interval = figures["rule transfer"]
        assert f"{transferred} ({interval}) of 4,000 trials" in text


SCREEN = "pictures/proof.png"
"""What Chromium shows, where it is installed."""


@pytest.fixture
def examples(tmp_path):
    return shutil.copytree(ROOT / "examples", tmp_path / "examples")


def pictures(folder):
    found = [*folder.glob("styles/*"), *folder.glob("pictures/*")]
    return sorted(str(path.relative_to(folder)) for path in found)


def frames(path):
    with Image.open(path) as image:
        return [np.asarray(f.convert("RGB"), np.int16) for f in ImageSequence.Iterator(image)]


def test_the_pictures_shown_are_of_these_weights():
    """Otherwise `sh examples/pipeline.sh` draws them again."""
    with Image.open(ROOT / "examples/styles/ampersand.png") as sheet:
        assert sheet.info["vce:weights"] == weights.fingerprint(weights.load())


def test_the_pipeline_draws_the_pictures_shown(examples):
    """To the eye, and in size; machines round differently, and a pixel may change sides."""
    shown = pictures(ROOT / "examples")
    if not shutil.which("chromium"):
        shown.remove("pictures/proof.png")
    assert {Path(name).suffix for name in shown} == {".png", ".gif"}
    for folder in ("styles", "pictures"):
        shutil.rmtree(examples / folder)
        (examples / folder).mkdir()
    shell("sh pipeline.sh", examples)
    assert {*pictures(examples), SCREEN} == set(shown)  # a screen may show nothing here
    for name in sorted({*shown} - {SCREEN}):
        there, here = frames(ROOT / "examples" / name), frames(examples / name)
        assert len(there) == len(here)
        for one, other in zip(there, here, strict=True):
            assert one.shape == other.shape
            assert np.abs(one - other).mean() < 1, name


def test_pictures_stand_with_the_commands_that_made_them():
    pipeline = (ROOT / "examples/pipeline.sh").read_text()
    for command in re.findall(r"^vce convert .*$", pipeline, re.MULTILINE):
        command = command.replace('"$font"', "DejaVuSans.ttf").removesuffix(' "$@"')
        assert re.sub(r'pair/|pictures/|"\$made/(\S+)"', r"\1", command) in COMMANDS


def test_the_walk_is_small():
    assert (ROOT / "examples/pictures/walk.gif").stat().st_size < 300_000


def test_the_library_example_runs(examples):
    lines = shell("python library.py", examples).stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == ["ampersand", "key", "rune", "sail"]
