"""What a command loads, seen from outside: start-up time is what people wait for."""

import json
import os
import pkgutil
import subprocess
import sys

import pytest
from conftest import scribble

import vce_models

LOADED = "import json, sys; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"


def loaded(arguments, tmp_path):
    program = f"""
import contextlib, os, sys
sys.argv = ["vce", *{arguments!r}]
from vce_cli.app import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(sys.stderr):
    main()
{LOADED}
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["convert", "--help"], ["train", "--help"], ["template", "--help"]]
)
def test_help_loads_neither_torch_nor_numpy(arguments, tmp_path):
    assert not loaded(arguments, tmp_path) & {"torch", "numpy", "PIL", "safetensors"}


def test_convert_loads_no_torch(tmp_path):
    scribble(1, 0).save(tmp_path / "glyph.png")
    modules = loaded(["convert", "glyph.png", "-o", "out.png", "-n", "16"], tmp_path)
    assert (tmp_path / "out.png").exists()
    assert "numpy" in modules
    assert not modules & {"torch", "matplotlib", "pooch", "platformdirs", "requests", "rich"}
    assert not modules & FONTS


FONTS = {"contourpy", "fontTools", "ufoLib2"}


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["glyph.png", "-o", "out.npz"], set()),
        (["glyph.png", "--like", "glyph.png", "glyph.png", "-o", "out/"], set()),
        (["glyph.png", "-o", "out.svg", "-n", "1"], {"contourpy", "fontTools"}),
    ],
)
def test_a_form_loads_what_it_needs(arguments, needed, tmp_path):
    scribble(1, 0).save(tmp_path / "glyph.png")
    modules = loaded(["convert", *arguments], tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert "torch" not in modules
    assert modules & FONTS == needed


def imported(modules):
    """What is loaded once these modules are."""
    program = f"""
import importlib
for name in {modules!r}:
    importlib.import_module(name)
{LOADED}
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


CORE = [module.name for module in pkgutil.walk_packages(vce_models.__path__, "vce_models.")]
PACKAGES = sorted({name.split(".")[1] for name in CORE if name.count(".") == 2})
WITH_TORCH = ("networks", "evaluation", "training", "datasets.episodes")


def test_the_core_imports_no_command_line():
    assert {f"vce_models.{name}" for name in ("fonts.source", "training.trainer")} < set(CORE)
    assert not imported(CORE) & {"vce_cli", "typer", "rich"}


def test_only_what_trains_and_evaluates_loads_torch():
    needs = tuple(f"vce_models.{name}" for name in WITH_TORCH)
    light = [name for name in CORE if not name.startswith(needs)]
    assert "numpy" in (modules := imported(light))
    assert not modules & {"torch", "matplotlib"}
    fonts = imported([name for name in light if not name.startswith("vce_models.fonts.")])
    assert not fonts & FONTS


def test_a_package_loads_nothing_by_itself():
    assert PACKAGES
    modules = imported([f"vce_models.{name}" for name in PACKAGES])
    assert not modules & {"numpy", "torch", "PIL", "safetensors", *FONTS}


@pytest.mark.parametrize("told", [None, "2"])
def test_convert_runs_numpy_on_one_thread_unless_told_otherwise(told, tmp_path):
    scribble(1, 0).save(tmp_path / "glyph.png")
    program = """
import builtins, os, sys
sys.argv = ["vce", "convert", "glyph.png", "-n", "1", "-q", "-o", "out.png"]
inner = builtins.__import__
def watched(name, *rest, **more):
    if name == "numpy" and name not in sys.modules:
        print(os.environ.get("OPENBLAS_NUM_THREADS"), file=sys.stderr)
    return inner(name, *rest, **more)
builtins.__import__ = watched
from vce_cli.app import main
main()
"""
    environment = {key: os.environ[key] for key in os.environ if key != "OPENBLAS_NUM_THREADS"}
    environment |= {"OPENBLAS_NUM_THREADS": told} if told else {}
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=True
    )
    assert done.stderr.split() == [told or "1"]
