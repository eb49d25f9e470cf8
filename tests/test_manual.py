"""The manual page, which the wheel installs, says what the help says."""

import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
from conftest import ROOT
from typer.main import get_command

from vce_cli.app import app

PAGE = ROOT / "docs/vce.1"
WHOLE: Any = get_command(app)
COMMANDS = WHOLE.commands


def plain(text):
    """Text without line breaks, markup and escapes."""
    text = re.sub(r"^\.(B|I|SS|TP|PP|br|nf|fi)\b ?|\\f[BIR]|\\&", "", text, flags=re.MULTILINE)
    return " ".join(text.replace(r"\-", "-").split())


def section(name):
    return plain(PAGE.read_text().split(f".SS vce {name}\n")[1].split(".SS ")[0])


@pytest.mark.parametrize("name", COMMANDS)
def test_the_manual_has_every_option_with_its_help(name):
    told = section(name)
    assert plain(COMMANDS[name].help) in told
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "option":
            assert ", ".join((*parameter.opts, *parameter.secondary_opts)) in told
        assert plain(parameter.help or "") in told


def test_the_manual_is_what_the_help_makes():
    """Otherwise `python docs/manual.py > docs/vce.1` makes it anew."""
    script = [sys.executable, ROOT / "docs/manual.py"]
    made = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    assert made == PAGE.read_text()


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_the_manual_is_set_without_a_warning():
    command = ["groff", "-man", "-Tutf8", "-ww", PAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "Redraw characters" in done.stdout
