"""Fonts that `vce convert` makes are measured: how well they are read, how even letters are.

python benchmarks/fonts.py [NAME ...] [--keep FOLDER] [--json FILE]
python benchmarks/fonts.py [NAME ...] --made FOLDER
python benchmarks/fonts.py --source FONT --made FOLDER

Without names it takes eight fonts, all of Debian's packages (`--packages` prints their names),
makes four hands of each by the installed command, and measures every hand beside its source:
words that Tesseract reads on a page of plain text; standard deviations of baseline, x-height,
slant and stem width (`letterforms.py`); points a glyph; bytes; seconds. `--made` measures fonts
that are there already, in FOLDER/NAME as `--keep` leaves them, or in FOLDER for one source.
Targets stand in brackets.
"""

import argparse
import dataclasses
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import letterforms
import reading
from fontTools.pens.recordingPen import DecomposingRecordingPointPen
from fontTools.ttLib import TTFont

VCE = str(Path(sys.executable).with_name("vce"))
CONVERT = ("-n", "4", "--seed", "7", "--chars", "latin,digits,punctuation")
SHARE = Path("/usr/share/fonts")


@dataclass(frozen=True)
class Source:
    """A font file of a Debian package."""

    package: str
    file: str

    @property
    def path(self) -> Path:
        """Return where Debian puts it."""
        return SHARE / self.file


SOURCES = {
    "sans": Source("fonts-dejavu-core", "truetype/dejavu/DejaVuSans.ttf"),
    "serif": Source("fonts-ebgaramond", "opentype/ebgaramond/EBGaramond12-Regular.otf"),
    "mono": Source("fonts-dejavu-core", "truetype/dejavu/DejaVuSansMono.ttf"),
    "bold": Source("fonts-lato", "truetype/lato/Lato-Bold.ttf"),
    "italic": Source("fonts-freefont-otf", "opentype/freefont/FreeSerifItalic.otf"),
    "light": Source("fonts-lato", "truetype/lato/Lato-Light.ttf"),
    "hand": Source("fonts-klee", "truetype/klee/KleeOne-Regular.ttf"),
    "variable": Source("fonts-inter-variable", "truetype/inter-vf/Inter-roman.var.ttf"),
}
"""The fonts to measure: TrueType and CFF, monospaced and proportional, and a variable one."""

TARGETS = {"words": 0.97, "baseline": 8.0, "xheight": 10.0, "slant": 1.2, "stem": 5.0}
"""Least share of words read on average, and greatest deviations in any hand."""

LEAST_WORDS = 0.90
"""Least share of words read in any hand."""


@dataclass(frozen=True)
class Row:
    """What was measured of one font; deviations in thousandths of an em and degrees."""

    name: str
    font: str
    hand: bool
    words: float
    baseline: float
    xheight: float
    slant: float
    stem: float
    points: float
    bytes: int
    seconds: float
    """Processor time for a glyph with ink, in all hands; NaN where they were there already."""


def main() -> None:
    """Make what is missing, measure, print a table, and write JSON if that is asked for."""
    options = parse()
    if options.packages:
        print(*sorted({source.package for source in SOURCES.values()}), "tesseract-ocr")
        return
    if reason := reading.missing():
        raise SystemExit(reason)
    rows: list[Row] = []
    print(HEADER)
    with tempfile.TemporaryDirectory() as temporary:
        for name, source in chosen(options).items():
            if not source.exists():
                print(f"{name}: {source} is not here: apt install {SOURCES[name].package}")
                continue
            seconds = math.nan
            if options.made:
                folder = options.made if options.source else options.made / name
            else:
                folder = (options.keep or Path(temporary)) / name
                seconds = make(source, folder)
            hands = sorted(path for path in folder.iterdir() if path.suffix in (".ttf", ".otf"))
            for row in measure(name, source, hands, seconds):
                print(line(row), flush=True)
                rows.append(row)
    print(*summary(rows), sep="\n")
    if options.json:
        document = {"targets": TARGETS, "least words": LEAST_WORDS, "fonts": list(map(plain, rows))}
        options.json.write_text(json.dumps(document, indent=1) + "\n")


def parse() -> argparse.Namespace:
    """Read the options, and check them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SOURCES))
    parser.add_argument("--source", type=Path, help="a font of your own, with --made")
    parser.add_argument("--made", type=Path, help="hands made before")
    parser.add_argument("--keep", type=Path, help="where hands are left")
    parser.add_argument("--json", type=Path, help="where figures are written")
    parser.add_argument("--packages", action="store_true", help="Debian packages that it needs")
    options = parser.parse_args()
    if unknown := set(options.names) - set(SOURCES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(SOURCES)}")
    if options.source and not options.made:
        parser.error("--source goes with --made")
    return options


def chosen(options: argparse.Namespace) -> dict[str, Path]:
    """List the sources to measure, by name."""
    if options.source:
        return {options.source.stem: options.source}
    names = options.names or list(SOURCES)
    if options.made:
        names = [name for name in names if (options.made / name).is_dir()]
    return {name: SOURCES[name].path for name in names}


def make(source: Path, folder: Path) -> float:
    """Make four hands of a font by the installed command; return its seconds on the processor."""
    folder.mkdir(parents=True, exist_ok=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [VCE, "convert", source, *CONVERT, "-q", "-o", folder / "hand.ttf"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(name: str, source: Path, hands: list[Path], seconds: float) -> Iterable[Row]:
    """Yield the source's row, then one for each hand."""
    written = reading.words(reading.TEXT)
    original = letterforms.read_source(source)
    with tempfile.TemporaryDirectory() as folder:
        for path in (source, *hands):
            found = reading.read(reading.page(path), Path(folder))
            even = letterforms.compare(original, letterforms.read(path))
            count, points = outlines(path)
            yield Row(
                name=name,
                font=path.name,
                hand=path != source,
                words=reading.share(written, found),
                baseline=even.baseline,
                xheight=even.xheight,
                slant=even.slant,
                stem=even.stem,
                points=points,
                bytes=path.stat().st_size,
                seconds=math.nan if path == source else seconds / count,
            )


def outlines(path: Path) -> tuple[int, float]:
    """Count a font's glyphs with ink, and the points of one on average, components included."""
    with TTFont(path) as font:
        glyphs = font.getGlyphSet()
        counts = []
        for name in font.getGlyphOrder():
            pen = DecomposingRecordingPointPen(glyphs)
            glyphs[name].drawPoints(pen)
            counts.append(sum(verb == "addPoint" for verb, *_ in pen.value))
    inked = [count for count in counts if count]
    return len(inked), statistics.mean(inked) if inked else 0.0


HEADER = (
    f"{'':9} {'':24} {'words':>6} {'baseline':>8} {'x-height':>8} {'slant':>6} {'stem':>6} "
    f"{'points':>6} {'kB':>6} {'s/glyph':>7}"
)


def line(row: Row) -> str:
    """Write a row of the table."""
    return (
        f"{row.name:9.9} {row.font:24.24} {row.words:6.3f} {row.baseline:8.1f} {row.xheight:8.1f} "
        f"{row.slant:6.2f} {row.stem:6.1f} {row.points:6.0f} {row.bytes / 1000:6.0f} "
        f"{'' if math.isnan(row.seconds) else f'{row.seconds:7.3f}'}"
    )


def summary(rows: list[Row]) -> list[str]:
    """Write means and worst cases over all hands, beside the targets."""
    hands = [row for row in rows if row.hand]
    if not hands:
        return ["no hands were measured"]
    read = [row.words for row in hands]
    lines = [
        f"words: mean {statistics.mean(read):.3f} ({TARGETS['words']:.2f}), "
        f"least {min(read):.3f} ({LEAST_WORDS:.2f})"
    ]
    for measure, target in TARGETS.items():
        values = [v for row in hands if not math.isnan(v := getattr(row, measure))]
        if measure != "words" and values:
            lines.append(
                f"{measure}: mean {statistics.mean(values):.2f}, worst {max(values):.2f} "
                f"({target:g}); within it {sum(v <= target for v in values)} of {len(values)}"
            )
    return lines


def plain(row: Row) -> dict[str, object]:
    """Return a row for JSON, which has no NaN."""
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in dataclasses.asdict(row).items()
    }


if __name__ == "__main__":
    main()
