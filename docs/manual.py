"""Write the manual page of the command line from its own help.

python docs/manual.py > docs/vce.1
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

from typer.main import get_command

from vce_cli.app import app

VALUES = {"int": "N", "flo": "X", "pat": "PATH", "str": "TEXT", "tex": "TEXT"}
"""What stands for the value of an option, by the first letters of its type's name."""


def page() -> str:
    """Return the page in the language of man(7), all commands and their options in it."""
    whole: Any = get_command(app)
    lines = [
        '.TH VCE 1 "" "vce" "User Commands"',
        ".SH NAME",
        r"vce \- turn one drawing of a character into the character in many hands",
        ".SH SYNOPSIS",
        *(rf".B vce {name}" + "\n[OPTION]...\n.br" for name in whole.commands),
        ".SH DESCRIPTION",
        *_prose(whole.help),
        ".SH OPTIONS",
        *_options(whole),
        ".SH COMMANDS",
    ]
    for name, command in whole.commands.items():
        lines += [f".SS vce {name}", *_prose(command.help), *_options(command)]
        lines += _literal(command.epilog or "")
    return "\n".join(lines) + "\n"


def _options(command: Any) -> list[str]:
    lines, panel = [], None
    for parameter in command.params:
        if parameter.name in ("install_completion", "show_completion"):
            continue
        if (now := getattr(parameter, "rich_help_panel", None)) != panel:
            panel = now
            lines += [".PP", f".I {panel}"]
        said = f"{parameter.help or ''} {_default(parameter)}"
        lines += [".TP", _heading(parameter), *_prose(said)]
    return lines


def _heading(parameter: Any) -> str:
    """Name an argument, or an option with all its spellings and its value."""
    if parameter.param_type_name == "argument":
        return f".B {_escaped(parameter.metavar)}"
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    if parameter.is_flag:
        return f".B {_escaped(names)}"
    choices = getattr(parameter.type, "choices", None)
    value = parameter.metavar or VALUES.get(parameter.type.name[:3])
    if choices:
        value = "|".join(str(getattr(choice, "value", choice)) for choice in choices)
    return rf"\fB{_escaped(names)}\fR \fI{_escaped(value)}\fR"


def _default(parameter: Any) -> str:
    """Say what an option is where it is left out, unless it is a switch or nothing."""
    default = getattr(parameter.default, "value", parameter.default)
    if getattr(parameter, "is_flag", False) or not isinstance(default, str | int | float | Path):
        return ""
    return f"It is {default} by default."


def _prose(text: str) -> list[str]:
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text))
    lines = [_escaped(" ".join(paragraph.split())) for paragraph in paragraphs]
    return [line for each in lines for line in (each, ".PP")][:-1]


def _literal(epilog: str) -> list[str]:
    """Examples and tables as they stand in the help, line by line."""
    lines = []
    for paragraph in filter(None, re.split(r"\n\s*\n", epilog.strip("\n"))):
        if title := re.fullmatch(r"\[bold\](.*)\[/\]", paragraph):
            lines += [".PP", f".B {title[1]}"]
        else:
            block = paragraph.replace("\b\n", "")
            lines += [".PP", ".nf", *map(_escaped, block.splitlines()), ".fi"]
    return lines


def _escaped(text: str) -> str:
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    sys.stdout.write(page())
