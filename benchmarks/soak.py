"""The promises of docs/reliability.md are tried at random: damaged inputs, faults, kills, load.

    ./soak [ROUNDS [SEED]]
    ./soak load FILES CONVERSIONS

prints how many of each were tried, and how many went wrong; `load` converts so many files in one
command and so often in one process, and prints the memory that this takes. A crash is a traceback,
a signal, or more than a minute. A loss is an output that is neither the old one nor a whole new
one, a run that a kill changed, or a file that is left over. The exit status is 1 if there is any
of these.
"""

from __future__ import annotations

import io
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

VCE = str(Path(sys.executable).with_name("vce"))
FORMS = ("PNG", "JPEG", "GIF", "BMP", "PPM", "TIFF", "WEBP", "JPEG2000")
FONTS = ("ttf", "otf", "woff", "woff2", "ufo", "svg")
KINDS = (*FORMS, *FONTS, "rules", "weights", "page")
DOCUMENTED = {0, 2, 3, 4, 5, 6, 7, 130, 141, 143}
LIMIT = 60
"""Seconds that a command on small inputs may take."""

REFUSING = (
    "import socket\ndef refuse(*_, **__): raise OSError('no network')\nsocket.socket = refuse"
)


class Soak:
    """The counts of a soak, and its folder."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.counts: Counter[str] = Counter()

    def wrong(self, kind: str, what: str) -> None:
        """Count a crash or a loss, and say it."""
        self.counts[kind] += 1
        print(f"{kind}: {what}", flush=True)

    def vce(self, *arguments: object, **options: object) -> subprocess.CompletedProcess[bytes]:
        """Run the command, and count it if it crashes."""
        command, options = [VCE, *map(str, arguments)], {"cwd": self.folder, **options}
        done = subprocess.run(command, capture_output=True, check=False, timeout=600, **options)  # type: ignore[call-overload]
        if done.returncode not in DOCUMENTED or b"Traceback" in done.stderr:
            self.wrong("crashes", f"{arguments}: {done.returncode} {done.stderr[-300:]!r}")
        return done  # type: ignore[no-any-return]


def drawing(character: int, hand: int = 0, side: int = 60) -> Image.Image:
    """Render a scribble, black on white."""
    numbers = np.random.default_rng((character, 0)).uniform(0.15, 0.85, (5, 2))
    points = (numbers + np.random.default_rng((character, hand)).normal(0, 0.03, (5, 2))) * side
    image = Image.new("L", (side, side), 255)
    line = [tuple(point) for point in points.tolist()]
    ImageDraw.Draw(image).line(line, fill=0, width=max(2, side // 25))
    return image


# Damaged inputs are read in processes of their own, as a decoder may bring a process down.


def inputs(soak: Soak) -> None:
    """Damage every kind of file, and read it."""
    for kind in KINDS:
        tried, seed = 12 if kind in FONTS else 60, soak.random.randrange(2**32)
        command = [sys.executable, __file__, "--worker", kind, str(seed), str(tried)]
        done = subprocess.run(command, cwd=soak.folder, capture_output=True, text=True, check=False)
        soak.counts["damaged inputs"] += tried
        if done.returncode:
            soak.wrong("crashes", f"{kind}, seed {seed}: {done.returncode} {done.stderr[-300:]}")


def worker(kind: str, seed: int, tried: int) -> None:
    """Read damaged files of a kind; any error that is not ours ends the process."""
    from vce_models.errors import VCEError

    number = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path, read = prepared(kind, Path(folder))
        for _ in range(tried):
            spoilt = Path(folder, f"spoilt{path.suffix}")
            damage(path, spoilt, number)
            signal.alarm(LIMIT)
            try:
                read(spoilt)
            except VCEError as error:
                if "\n" in str(error):
                    sys.exit(f"an error of several lines: {error}")
            signal.alarm(0)


def damage(path: Path, spoilt: Path, number: random.Random) -> None:
    """Copy a file, or a folder with one of its files, with some bytes changed or its end cut."""
    if path.is_dir():
        shutil.rmtree(spoilt, ignore_errors=True)
        shutil.copytree(path, spoilt)
        spoilt = path = number.choice([file for file in spoilt.rglob("*") if file.is_file()])
    data = bytearray(path.read_bytes())
    for _ in range(number.randrange(1, 9)):
        reach = len(data) if number.random() < 0.5 else min(len(data), 300)
        data[number.randrange(reach)] = number.choice((0, 1, 127, 255, number.randrange(256)))
    if number.random() < 0.2:
        del data[number.randrange(1, len(data)) :]
    spoilt.write_bytes(data)


def prepared(kind: str, folder: Path) -> tuple[Path, Callable[[Path], object]]:
    """Write a file of a kind; return it with the function that reads it."""
    from vce_models import rules, weights
    from vce_models.config import ModelConfig
    from vce_models.glyphs import images

    config, path = ModelConfig(), folder / f"whole.{kind.lower()}"
    if kind in FORMS:
        drawing(1).save(path, kind)
        return path, lambda file: images.read_glyph(file, "it", config)
    if kind == "rules":
        rules.save(path, rules.sample(3, config, 0), "0" * 64)
        return path, lambda file: rules.load(file, config)
    if kind == "weights":
        weights.save(path, weights.load())
        return path, weights.load
    if kind == "page":
        from vce_models.glyphs import scan, template

        (page,) = template.paginate(template.choose("Hxg", None), "a4")
        sheet = template.render(page).convert("L").reduce(3)
        path = path.with_suffix(".bmp")  # a .bmp with changed bytes is another picture, no error
        sheet.save(path)
        return path, scan.read
    if kind == "svg":
        from vce_models.fonts import svg

        path.write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
            '<path transform="scale(2)" d="M1 1L4 1C4 4 2 3 1 4Z"/><circle r="1"/></svg>'
        )
        return path, svg.read
    return font(path, kind), read_font


def font(path: Path, kind: str) -> Path:
    """Write a small font of a kind."""
    from vce_models.fonts import building
    from vce_models.fonts.family import Places

    square: Places = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    sides = [[np.stack(side)] for side in zip(square, np.roll(square, -1, 0), strict=True)]
    made = building.Drawing([sides], building.FRAMED)
    data = building.font({65: made, 66: made}, "Soaked")
    if kind == "ufo":
        from ufoLib2 import Font

        ufo = Font()
        ufo.info.unitsPerEm = 1000
        glyph = ufo.newGlyph("A")
        glyph.unicode, glyph.width = 65, 500
        pen = glyph.getPen()
        for at, place in enumerate(((0, 0), (0, 700), (400, 0))):
            (pen.lineTo if at else pen.moveTo)(place)
        pen.closePath()
        ufo.features.text = "feature kern { pos A A -20; } kern;"
        ufo.save(path)
        return path
    from fontTools.ttLib import TTFont

    with TTFont(io.BytesIO(data)) as opened:
        if kind == "ttf":
            from fontTools.pens.cu2quPen import Cu2QuPen
            from fontTools.pens.ttGlyphPen import TTGlyphPen
            from fontTools.ttLib import newTable

            glyphs = {}
            for name in opened.getGlyphOrder():
                pen = TTGlyphPen(None)
                opened.getGlyphSet()[name].draw(Cu2QuPen(pen, 1.0, reverse_direction=True))
                glyphs[name] = pen.glyph()
            opened["glyf"], opened["loca"] = newTable("glyf"), newTable("loca")
            opened["glyf"].glyphs, opened["glyf"].glyphOrder = glyphs, opened.getGlyphOrder()
            opened["maxp"].tableVersion = 0x10000
            for key in ("Zones", "TwilightPoints", "Storage", "FunctionDefs", "InstructionDefs"):
                setattr(opened["maxp"], f"max{key}", 0)
            for key in ("StackElements", "SizeOfInstructions", "ComponentElements"):
                setattr(opened["maxp"], f"max{key}", 0)
            del opened["CFF "]
            opened.sfntVersion = "\0\1\0\0"
        opened.flavor = kind if kind.startswith("woff") else None
        opened.save(path)
    return path


def read_font(path: Path) -> None:
    """Read a font, a character of it, and all of it."""
    from vce_models.config import ModelConfig
    from vce_models.fonts.source import read_font as read

    source = read(path)
    for point in source.characters(chars="all"):
        source.read(point, ModelConfig())
    source.cut(None)


# After faults and kills there is the whole old output, or the whole new one.


def whole(path: Path) -> bool:
    """Whether a picture can be decoded to its end."""
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError):
        return False
    return True


def faults(soak: Soak) -> None:
    """Convert where files must not grow or be opened, or the folder is full or locked."""
    folder = soak.folder / "faults"
    folder.mkdir()
    drawing(1).save(folder / "a.png")
    out = folder / "out.png"
    for fault in ("size", "files", "device", "stderr", "folder") * 2:
        out.write_bytes(b"old")
        limit = soak.random.randrange(1, 20_000 if fault == "size" else 12)
        kind = resource.RLIMIT_FSIZE if fault == "size" else resource.RLIMIT_NOFILE

        def begin(kind: int = kind, limit: int = limit, fault: str = fault) -> None:
            if fault in ("size", "files"):
                resource.setrlimit(kind, (limit, limit))

        target = {"device": "/dev/full", "folder": "nowhere/out.png"}.get(fault, "out.png")
        command = [VCE, "convert", "a.png", "-n", "4", "--seed", "1", "-o", target]
        command += ["--format", "png"] if fault == "device" else []
        with Path("/dev/full").open("wb") as full:
            errors = full if fault == "stderr" else subprocess.PIPE
            done = subprocess.run(
                command, cwd=folder, stderr=errors, preexec_fn=begin, check=False, timeout=600
            )
        soak.counts["faults"] += 1
        # With so few open files, Python itself may not start.
        if fault != "files" and (
            done.returncode not in DOCUMENTED or b"Traceback" in (done.stderr or b"")
        ):
            soak.wrong("crashes", f"{fault} {limit}: {done.returncode} {done.stderr!r}")
        if out.read_bytes() != b"old" and not whole(out):
            soak.wrong("losses", f"{fault} {limit}: the output is neither old nor new")
        if left := [path.name for path in folder.iterdir() if path.name.startswith(".")]:
            soak.wrong("losses", f"{fault} {limit} left {left}")


def kills(soak: Soak) -> None:
    """Kill conversions while they write, at any moment."""
    folder = soak.folder / "kills"
    folder.mkdir()
    drawing(1).save(folder / "a.png")
    (folder / "out").mkdir()
    command = [VCE, "convert", "a.png", "-n", "60", "--seed", "1", "-q", "-o", "out/"]
    begun = time.monotonic()
    subprocess.run(command, cwd=folder, check=True)
    took = time.monotonic() - begun
    wanted = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    for _ in range(10):
        for name in soak.random.sample(sorted(wanted), 30):
            (folder / "out" / name).write_bytes(b"old")
        with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE) as process:
            time.sleep(soak.random.uniform(0.3, 1.0) * took)
            process.send_signal(soak.random.choice((signal.SIGKILL, signal.SIGTERM)))
            said = process.communicate()[1]
        soak.counts["kills of convert"] += 1
        if said:
            soak.wrong("crashes", f"a killed conversion said {said[-300:]!r}")
        for name, whole in wanted.items():
            path = folder / "out" / name
            if path.exists() and path.read_bytes() not in (b"old", whole):
                soak.wrong("losses", f"a kill left {name} neither old nor new")
    subprocess.run(command, cwd=folder, check=True)
    for path in (folder / "out").iterdir():
        if path.name not in wanted:
            soak.wrong("losses", f"{path.name} of a killed conversion is there after the next one")


def trainings(soak: Soak) -> None:
    """Kill a training again and again, resume it, and compare its weights with a whole one's."""
    tree(soak.folder / "drawings")
    settings = ("--data", "drawings", "--steps", 12, "--size", 12, "--recipe", "paper")
    settings = (*settings, "--threads", 1, "--device", "cpu", "--seed", 3)
    begun = time.monotonic()
    if soak.vce("train", "--out", "straight", *settings).returncode:
        soak.wrong("crashes", "a training did not end")
        return
    took, command = time.monotonic() - begun, ["train", "--out", "killed", *settings]
    for _ in range(3):
        with subprocess.Popen(
            [VCE, *map(str, command)], cwd=soak.folder, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(soak.random.uniform(0.2, 1.1) * took)
            process.kill()
        soak.counts["kills of train"] += 1
        if (soak.folder / "killed/config.json").exists():
            # Other numbers of threads add up in another order.
            command = ["train", "--resume", "killed", "--threads", 1, "--device", "cpu"]
    soak.vce(*command)
    straight, killed = (soak.folder / run / "weights.safetensors" for run in ("straight", "killed"))
    if not killed.exists() or killed.read_bytes() != straight.read_bytes():
        soak.wrong("losses", "a killed and resumed training has other weights")


def tree(folder: Path) -> None:
    """Write a data set of six characters, each drawn by four hands."""
    for character in range(6):
        (folder / f"{character}").mkdir(parents=True)
        for hand in range(4):
            drawing(character, hand).save(folder / f"{character}" / f"{hand}.png")


# vce runs under load, and in odd places.


def load(soak: Soak) -> None:
    """Run eight conversions, and read a data set in two processes for the first time, at once."""
    drawing(2).save(soak.folder / "a.png")
    tree(soak.folder / "drawings")
    arguments = [VCE, "convert", "a.png", "-n", "8", "--seed", "5", "-q", "-o"]
    subprocess.run([*arguments, "alone.png"], cwd=soak.folder, check=True)
    script = (
        "import sys\nfrom pathlib import Path\nfrom vce_models.config import ModelConfig\n"
        "from vce_models.datasets.drawings import load\n"
        "sys.stdout.buffer.write(load(Path('drawings'), ModelConfig()).train.images.tobytes())"
    )
    fresh = {**os.environ, "VCE_CACHE": str(soak.folder / "cache")}
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", script], cwd=soak.folder, env=fresh, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    converting = [
        subprocess.Popen([*arguments, f"{i}.png"], cwd=soak.folder, env=fresh) for i in range(8)
    ]
    read = [process.communicate()[0] for process in readers]
    statuses = [process.wait() for process in (*converting, *readers)]
    soak.counts["processes at once"] += len(statuses)
    alone = (soak.folder / "alone.png").read_bytes()
    same = all((soak.folder / f"{i}.png").read_bytes() == alone for i in range(8))
    if any(statuses) or not same or read[0] != read[1] or not read[0]:
        soak.wrong("losses", f"together, processes differ from one alone: {statuses}")


MEASURED = "import resource, subprocess, sys; s = subprocess.run(sys.argv[1:]).returncode; \
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(s)"


def memory(soak: Soak) -> None:
    """Convert many files, and by many rules: a tenth of them takes as much memory."""
    many = soak.folder / "many"
    many.mkdir()
    for i in range(200):
        drawing(i).save(many / f"{i:05}.png")
    taken = {}
    for inputs, rules in ((20, 1), (200, 1), (1, 100), (1, 1000)):
        files = [f"many/{i:05}.png" for i in range(inputs)]
        command = [VCE, "convert", *files, "-n", str(rules), "--seed", "1", "-q", "-o", "pieces/"]
        measured = [sys.executable, "-S", "-c", MEASURED, *command]
        done = subprocess.run(measured, cwd=soak.folder, capture_output=True, text=True, check=True)
        taken[inputs, rules] = int(done.stdout) / 1024
        soak.counts["conversions in one process"] += inputs * rules
        shutil.rmtree(soak.folder / "pieces")
    for few, most in (((20, 1), (200, 1)), ((1, 100), (1, 1000))):
        if taken[most] > taken[few] + 15:
            soak.wrong("losses", f"{most} take {taken[most]:.0f} MB, {few} {taken[few]:.0f}")


CONVERTING = """
import resource, sys, time
import numpy
from vce_models import rules, weights
from vce_models.convert import renderer
model, done, begun = weights.load(), 0, time.monotonic()
drawing = numpy.random.default_rng(0).random((model.config.size,) * 2, numpy.float32)
render = renderer(model, drawing)
for most in map(int, sys.argv[1:]):
    while done < most:
        render(rules.sample(min(1000, most - done), model.config, done))
        done += min(1000, most - done)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{done:8} conversions {memory:6.0f} MB {time.monotonic() - begun:6.0f} s", flush=True)
"""


def growing(most: int, first: int) -> list[int]:
    """Ten times as many again and again, up to a number."""
    return [*(first * 10**i for i in range(9) if first * 10**i < most), most]


def flat(files: int, conversions: int) -> None:
    """Convert so many files in one command, and by so many rules in one process."""
    with tempfile.TemporaryDirectory() as folder:
        for count in growing(files, 100):
            inputs = Path(folder, f"{count}")
            inputs.mkdir()
            for i in range(count):
                drawing(i % 100).save(inputs / f"{i:05}.png")
            command = [VCE, "convert", inputs, "-n", "1", "--seed", "1", "-q", "-o", "pieces/"]
            measured, begun = [sys.executable, "-S", "-c", MEASURED, *command], time.monotonic()
            done = subprocess.run(measured, cwd=folder, stdout=subprocess.PIPE, check=True)
            written, took = len(list(Path(folder, "pieces").iterdir())), time.monotonic() - begun
            print(f"{written:8} files       {int(done.stdout) / 1024:6.0f} MB {took:6.0f} s")
            shutil.rmtree(Path(folder, "pieces"))
    counts = map(str, growing(conversions, 10_000))
    subprocess.run([sys.executable, "-c", CONVERTING, *counts], check=True)


def places(soak: Soak) -> None:
    """Run without network or home, in the C locale, with names that are no text, beside traps."""
    folder = soak.folder / "places"
    (folder / "home").mkdir(parents=True)
    (folder / "home").chmod(0o500)
    (folder / "refusing").mkdir()
    (folder / "refusing/sitecustomize.py").write_text(REFUSING)
    for trap in ("torch", "numpy", "PIL", "fontTools"):
        (folder / f"{trap}.py").write_text("raise SystemExit('the wrong one')")
    odd = os.fsdecode(b"odd\xff.png")
    drawing(3).save(folder / "a.png")
    shutil.copy(folder / "a.png", folder / odd)
    path = os.pathsep.join(filter(None, (str(folder / "refusing"), os.environ.get("PYTHONPATH"))))
    bare = {name: value for name, value in os.environ.items() if name != "HOME"}
    arguments = ("-n", "1", "--seed", "1", "-q", "-o")
    here = ("-I", "-m", "vce_cli") if "PYTHONPATH" not in os.environ else ("-m", "vce_cli")
    tries: list[tuple[list[str], dict[str, str]]] = [
        ([VCE, "convert", "a.png", *arguments, "x.png"], bare),
        ([VCE, "convert", "a.png", *arguments, "x.png"], {**bare, "HOME": str(folder / "home")}),
        ([VCE, "convert", "a.png", *arguments, "x.png"], {**bare, "LC_ALL": "C"}),
        ([VCE, "convert", odd, *arguments, "x.png"], {**bare, "LC_ALL": "C"}),
        ([VCE, "convert", odd, "--labels", *arguments, f"x{odd}"], dict(os.environ)),
        ([VCE, "convert", "a.png", *arguments, "x.png"], {**bare, "PYTHONPATH": path}),
        ([VCE, "convert", "a.png", *arguments, "x.svg"], {**bare, "PYTHONPATH": path}),
        ([sys.executable, *here, "--version"], dict(os.environ)),
    ]
    for command, environment in tries:
        where = soak.folder if command[0] != VCE else folder
        done = subprocess.run(
            command, cwd=where, env=environment, capture_output=True, check=False, timeout=600
        )
        soak.counts["odd places"] += 1
        if done.returncode or done.stderr:
            soak.wrong("crashes", f"{command[1:]}: {done.returncode} {done.stderr[-300:]!r}")


def main() -> None:
    """Try everything, so many times."""
    if sys.argv[1:2] == ["--worker"]:
        worker(sys.argv[2], *map(int, sys.argv[3:]))
        return
    if sys.argv[1:2] == ["load"]:
        flat(*map(int, sys.argv[2:]))
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**31)
    print(f"seed {seed}", flush=True)
    total: Counter[str] = Counter({"crashes": 0, "losses": 0})
    for number in range(rounds):
        for part in (inputs, faults, kills, trainings, load, memory, places):
            with tempfile.TemporaryDirectory() as folder:
                soak = Soak(Path(folder), seed + number)
                part(soak)
            total.update(soak.counts)
    for name, count in sorted(total.items(), key=lambda one: one[0] in ("crashes", "losses")):
        print(f"{count:7} {name}")
    sys.exit(bool(total["crashes"] or total["losses"]))


if __name__ == "__main__":
    main()
