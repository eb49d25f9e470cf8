"""`vce convert` is measured beside PyTorch, which it saves, and beside its bare arithmetic.

python benchmarks/convert.py [--quick] [PART ...]

Parts are `start`, `rate`, `stream`, `products` and `cuda`; without one it runs all, some four
minutes on one core. The two that are compared take turns, so that a machine that slows down slows
both. Figures are medians over rounds, and ratios are medians of ratios. Whole processes are
measured from outside: seconds are the processor's, user and system, and memory is the peak.
Targets stand in brackets. Both have one thread, unless OMP_NUM_THREADS gives PyTorch more.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy loads
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from vce_models import convert, rules, weights
from vce_models.rendering import forward
from vce_models.shapes import HIDDEN, READOUT

VCE = str(Path(sys.executable).with_name("vce"))
COUNTS = (1, 10, 100, 1000, 10_000)
"""How many conversions, or glyphs, a process makes in each measurement."""

PROGRAM = """
import sys
import numpy
from vce_models import rules, weights
how, count = sys.argv[1], int(sys.argv[2])
model = weights.load()
if how == "NumPy":
    from functools import partial
    from vce_models.convert import renderer
    renderer = partial(renderer, model)
else:
    from vce_models.evaluation.likelihood import renderers
    renderer = renderers(model, how)
q = numpy.random.default_rng(0).random((model.config.size,) * 2, numpy.float32)
renderer(q)(rules.sample(count, model.config, 1))
"""
"""A program that converts as often as told, by NumPy or by PyTorch on a device, writing nothing."""


class Process:
    """A finished process: seconds on the processor, seconds by the clock, peak MiB."""

    def __init__(self, *command: object) -> None:
        begun = time.perf_counter()
        with subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command[0]} failed with {process.returncode}")
        self.clock = time.perf_counter() - begun
        self.seconds = usage.ru_utime + usage.ru_stime
        self.memory = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def python(program: str, *arguments: object) -> Process:
    """Run a program in a fresh interpreter."""
    return Process(sys.executable, "-c", program, *arguments)


def scribble(path: Path, seed: int = 1) -> None:
    """Write a glyph of four strokes, black on white."""
    image = Image.new("L", (105, 105), 255)
    points = np.random.default_rng(seed).integers(20, 85, (5, 2)).tolist()
    ImageDraw.Draw(image).line([tuple(point) for point in points], fill=0, width=4)
    image.save(path)


def start(folder: Path, quick: bool) -> None:
    """Measure sixteen styles of one glyph, and the help, as processes."""
    scribble(folder / "a.png")
    convert16 = (VCE, "convert", folder / "a.png", "-n", 16, "--seed", 1, "-q")
    rounds = [
        (
            Process(*convert16, "-o", folder / "x.png"),
            python("import torch"),
            Process(VCE, "--help"),
            python("pass"),
        )
        for _ in range(3 if quick else 9)
    ]
    ours, torch, shown, bare = zip(*rounds, strict=True)
    ratio = median(a.seconds / b.seconds for a, b in zip(ours, torch, strict=True))
    peak = median(a.memory / b.memory for a, b in zip(ours, torch, strict=True))
    more = median(a.seconds - b.seconds for a, b in zip(shown, bare, strict=True))
    print(f"16 styles: {seconds(ours)}; import torch: {seconds(torch)}; ratio {ratio:.3f} (0.25)")
    print(f"16 styles: {memory(ours)}; import torch: {memory(torch)}; ratio {peak:.3f} (0.4)")
    print(f"--help: {seconds(shown)}; python -c pass: {seconds(bare)}; {more:.3f} s more (0.2)")


def rate(folder: Path, quick: bool) -> None:
    """Measure conversions a second, and how many PyTorch needs to overtake in all."""
    compare("cpu", COUNTS[:4] if quick else COUNTS, 3 if quick else 5)


def cuda(folder: Path, quick: bool) -> None:
    """Measure the same with PyTorch on CUDA."""
    if not Path("/dev/nvidia0").exists():
        print("cuda: there is none here")
        return
    compare("cuda", COUNTS[:4] if quick else COUNTS, 3 if quick else 5)


def compare(device: str, counts: tuple[int, ...], rounds: int) -> None:
    """Measure both by the clock; a line through the medians gives start, rate and crossover."""
    totals = {}
    for count in counts:
        few = rounds if count < 10_000 else 1
        runs = [
            (python(PROGRAM, "NumPy", count), python(PROGRAM, device, count)) for _ in range(few)
        ]
        totals[count] = [median(run.clock for run in way) for way in zip(*runs, strict=True)]
        ours, theirs = (f"{total:.2f} s, {count / total:.0f}/s" for total in totals[count])
        print(f"{count} conversions, start and all: NumPy {ours}; torch on {device} {theirs}")
    first, last = counts[0], counts[-1]
    each = [(b - a) / (last - first) for a, b in zip(totals[first], totals[last], strict=True)]
    print(f"warm: NumPy {1 / each[0]:.0f}/s; torch on {device} {1 / each[1]:.0f}/s")
    behind = totals[first][1] - totals[first][0]
    if each[1] < each[0]:
        at = first + behind / (each[0] - each[1])
        print(f"torch on {device} overtakes in total at {at:.0f} conversions")
    else:
        print(f"torch on {device} never overtakes: it takes longer to start and for each")


def stream(folder: Path, quick: bool) -> None:
    """Convert more and more glyphs of a folder to a file each: memory grows by names alone."""
    source = folder / "glyphs"
    source.mkdir()
    there = 0
    for count in COUNTS[2:4] if quick else COUNTS[2:]:
        for number in range(there, count):
            scribble(source / f"{number:05}.png", number)
        there = count
        out = folder / f"out{count}"
        run = Process(VCE, "convert", source, "-n", 1, "--seed", 1, "-q", "-o", f"{out}/")
        written = sum(1 for _ in out.iterdir())
        print(f"{written} glyphs to as many files: {run.memory:.0f} MiB, {run.seconds:.1f} s")


def products(folder: Path, quick: bool) -> None:
    """Measure the forward pass beside its matrix products alone."""
    model = weights.load()
    config, count = model.config, 16 * forward.BATCH
    if config.wiring != "deformation":
        raise SystemExit(f"products knows the wiring deformation, not {config.wiring}")
    q = np.random.default_rng(0).random((config.size, config.size), np.float32)
    r = rules.sample(count, config, 1)
    split, whole = (bare(model, count, rows) for rows in (True, False))
    ways = (lambda: convert.convert(model, q, r)), split, whole
    for way in ways:
        way()
    runs = [[timed(way) for way in ways] for _ in range(7 if quick else 31)]
    ours, made, whole_made = (median(way) / count * 1e6 for way in zip(*runs, strict=True))
    against = [median(run[0] / run[i] for run in runs) for i in (1, 2)]
    print(
        f"NumPy forward: {ours:.0f} µs a conversion; its products alone {made:.0f} µs, ratio "
        f"{against[0]:.2f}; with one product a convolution {whole_made:.0f} µs, ratio "
        f"{against[1]:.2f} (1.5)"
    )


def bare(model: weights.Weights, count: int, rows: bool) -> Callable[[], None]:
    """Make a function that does the products of `count` conversions of one glyph, and no more.

    A 3x3 convolution is one product; if `rows`, it is one product for each row of its kernel.
    """
    config, batch = model.config, forward.BATCH
    pixels, channels = (config.size // config.unshuffle) ** 2, config.channels
    size, points = config.size, 2 * config.control**2
    three = [(pixels, 3 * channels, channels)] * 3 if rows else [(pixels, 9 * channels, channels)]
    latent = config.latent_size
    shapes = [
        *three * (2 * config.blocks - 1),
        (pixels, channels, READOUT),
        (latent, latent, 1),
        (HIDDEN, latent, 1),
        (2 * config.blocks * channels, HIDDEN, 1),
        (points, latent, 1),
        (points, READOUT * pixels, 1),
        *[(config.control, config.control, size)] * 4,  # field and slopes, x and y
        *[(size, config.control, size)] * 6,
    ]
    fold = config.unshuffle**2
    rng = np.random.default_rng(0)

    @cache  # products of one shape share operands, as warm in the cache as they can be
    def operands(shape: tuple[int, int, int], stacked: int) -> list[np.ndarray]:
        height, inner, width = shape
        sides = ((stacked, height, inner), (inner, width), (stacked, height, width))
        if width == 1:  # a layer of the network: its matrix is shared, the vectors stacked
            sides = ((height, inner), (stacked, inner, width), sides[2])
        return [rng.random(side, np.float32) for side in sides]

    every = [operands(shape, batch) for shape in shapes]
    once = [operands(shape, 1) for shape in three]  # the first convolution knows no rule
    stem = operands((pixels, 25 * 3 * fold, channels), 1)

    def run() -> None:
        np.matmul(stem[0], stem[1], out=stem[2])
        for _ in range(count // batch):
            for a, b, out in (*once, *every):
                np.matmul(a, b, out=out)

    return run


def timed(work: Callable[[], object]) -> float:
    """Measure the seconds of this process on the processor."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def median(values: object) -> float:
    """Return the median of numbers."""
    return statistics.median(values)  # type: ignore[type-var,arg-type]


def seconds(runs: tuple[Process, ...]) -> str:
    """Write the median seconds on the processor."""
    return f"{median(run.seconds for run in runs):.3f} s"


def memory(runs: tuple[Process, ...]) -> str:
    """Write the median peak of memory."""
    return f"{median(run.memory for run in runs):.0f} MiB"


PARTS = {part.__name__: part for part in (start, rate, stream, products, cuda)}


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller counts")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for name in options.parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            PARTS[name](Path(folder), options.quick)


if __name__ == "__main__":
    main()
