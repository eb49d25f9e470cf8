"""`vce template`: pages of boxes to write characters in, which `vce convert` reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from vce_cli import report
from vce_cli.extras import either, require_fonts
from vce_cli.streams import STDOUT
from vce_models import characters
from vce_models.config import PAPERS
from vce_models.errors import ConfigError, OutputError

FORMS = ("pdf", "png")

HELP = (
    "Print pages of boxes to write characters in by hand.\n\n"
    "Write on them with a dark pen, scan or photograph them, and give the pictures to "
    "vce convert: every character that was written is a glyph. Boxes may stay empty."
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of one call of `vce template`."""

    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="The file to write: a .pdf of all pages, or a numbered .png of each.",
        ),
    ]
    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            metavar="TEXT",
            help="The characters to write: --text Handgloves.",
            show_default=False,
        ),
    ] = None
    chars: Annotated[
        str | None,
        typer.Option(
            metavar="SET",
            help="The characters by name or code point: latin, digits, U+0041, a-z; "
            f"{characters.DEFAULT} by default.",
            show_default=False,
        ),
    ] = None
    paper: Annotated[
        str,
        typer.Option("--paper", metavar="PAPER", help=f"The paper to print on: {either(PAPERS)}."),
    ] = PAPERS[0]
    no_clobber: Annotated[
        bool, typer.Option("--no-clobber", help="Refuse to replace a file that is there.")
    ] = False
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but errors.")] = False


def template(options: Options) -> None:
    """Choose characters, distribute them over pages, and write the pages."""
    form = Path(options.output).suffix.lower()[1:]
    if form not in FORMS or options.output in STDOUT:
        raise ConfigError(
            f"cannot write {options.output}", hint=f"its suffix may be {either(FORMS)}"
        )
    require_fonts("vce template")
    from vce_models.glyphs import template

    pages = template.paginate(template.choose(options.text, options.chars), options.paper)
    path = Path(options.output)
    files = {path: pages}
    if form == "png" and len(pages) > 1:
        files = {path.with_stem(f"{path.stem}-{page.number:02}"): [page] for page in pages}
    for path in files if options.no_clobber else ():
        if path.exists():
            raise OutputError(f"{path} is there already", hint="leave out --no-clobber")
    with report.progress("rendering pages", quiet=options.quiet) as advance:
        for path, held in files.items():
            template.write(held, path, form, clobber=not options.no_clobber, progress=advance)
    if not options.quiet and report.on_terminal():
        boxes = report.counted(sum(len(page.characters) for page in pages), "character")
        what = f"{boxes} on {report.counted(len(pages), 'page')}"
        report.say(f"wrote {' and '.join(map(str, files))}, {what}")
