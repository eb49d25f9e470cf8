"""Inputs that somebody made to do harm, and inputs that are broken in every way there is."""

import contextlib
import io
import json
import os
import re
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import soak
from conftest import COMMAND, names, scribble, shell
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import save, save_file

import vce_cli
import vce_models
from vce_models import cards, rules, weights
from vce_models.config import ModelConfig
from vce_models.datasets.drawings import load
from vce_models.errors import DataError, InputError, WeightsError
from vce_models.glyphs import decoding, images

CONFIG = ModelConfig()
HALVES = ("images_background", "images_evaluation")
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "PPM", "TIFF", "WEBP", "AVIF", "JPEG2000")
MEGABYTES = 300
"""Memory that refusing may take."""


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, kind=0, between=b""):
    """A white or empty picture of eight bits, grey or (6) with transparency."""
    packer, row = zlib.compressobj(9), b"\0" + b"\xff" * (width * (4 if kind == 6 else 1))
    packed = b"".join([packer.compress(row) for _ in range(height)]) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + between
    return start + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def encoded(form, image=None, **options):
    file = io.BytesIO()
    (image or scribble(1, 0, 40)).save(file, form, **options)
    return file.getvalue()


MEASURED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""
"""A small process between: a child is said to have taken what its parent had when it forked."""


def run(folder, *arguments, **options):
    """Exit status, lines of standard error, and the most memory that was taken, in MB."""
    command = [sys.executable, "-S", "-c", MEASURED, COMMAND, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60, **options
    )
    return done.returncode, done.stderr.splitlines(), int(done.stdout) / 1024


def scans(count, image, **options):
    """A JPEG with its last scan as many times more."""
    data = encoded("JPEG", image, **options)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + data[-2:]


def sequential(side, scans, frame=0xC0):
    """A JPEG that is not progressive, with a scan for each colour, all of them again and again.

    Its frame may say that it is coded arithmetically (0xC9): decoders read any bits as that.
    """
    data = encoded("JPEG", Image.new("L", (side, side), 255), quality=30)
    start, scan = data.index(b"\xff\xc0"), data.rindex(b"\xff\xda")
    size = struct.unpack_from(">H", data, start + 2)[0]
    header = bytes([0xFF, frame]) + struct.pack(">HBHHB", 17, 8, side, side, 3)
    header += b"".join(bytes([colour, 0x11, 0]) for colour in (1, 2, 3))
    begins = [b"\xff\xda\0\x08\x01%c\0\0\x3f\0" % colour for colour in (1, 2, 3)]
    body = b"".join(begins[i % 3] + data[scan + 10 : -2] for i in range(scans))
    return data[:start] + header + data[start + 2 + size : scan] + body + data[-2:]


def strips(count):
    """A TIFF of as many strips, all of them the same."""
    tags = {256: 200, 257: 200, 258: 8, 259: 1, 262: 1, 273: 200, 277: 1, 278: 1, 279: 200}
    entries = b"".join(
        struct.pack("<HHLL", tag, 4, count if tag in (273, 279) else 1, value)
        for tag, value in tags.items()
    )
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(200 + 4 * count)


BOMBS = {
    "pixels": lambda: png(13_000, 13_000, 6),
    "a line": lambda: png(1, 65_500),
    "pixels of a WebP": lambda: encoded("WEBP", Image.new("L", (16_383, 6_000))),
    "pixels of a progressive JPEG": lambda: encoded(
        "JPEG", Image.new("RGB", (9_000, 9_000)), progressive=True, quality=10
    ),
    "chunks": lambda: png(9, 9, between=chunk(b"teSt", b"") * 1_000_000),
    "segments": lambda: b"\xff\xd8" + b"\xff\xfe\0\2" * 10_000_000,
    "scans": lambda: scans(2000, Image.new("L", (3_000, 3_000), 255), progressive=True),
    "scans of a sequential JPEG": lambda: sequential(2_000, 300),
    "scans of an arithmetic JPEG": lambda: sequential(2_000, 300, 0xC9),
    "colours of a sequential JPEG": lambda: sequential(5_400, 3),
    "strips": lambda: strips(900_000),
    "comments": lambda: (
        b"GIF89a\x0a\0\x0a\0\x80\0\0\0\0\0\xff\xff\xff!\xfe" + (b"\xff" + b"a" * 255) * 200_000
    ),
    "one long comment": lambda: b"P5 #" + b"a" * 60_000_000,
    "digits": lambda: b"P2 6000 6000 255\n" + b"1 " * 30_000_000,
    "boxes": lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\x08abcd" * 7_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_that_asks_for_much_is_3(tmp_path, name):
    (tmp_path / "bomb.png").write_bytes(BOMBS[name]())
    (tmp_path / "x.png").write_bytes(b"old")
    status, said, memory = run(tmp_path, "convert", "bomb.png", "-n", 1, "-q", "-o", "x.png")
    assert (status, said[0][:15]) == (3, "error: bomb.png"), said
    assert memory < MEGABYTES
    assert names(tmp_path) == ["bomb.png", "x.png"]
    assert (tmp_path / "x.png").read_bytes() == b"old"


@pytest.mark.parametrize("frame", [0xC0, 0xC9])
def test_a_sequential_jpeg_of_several_scans_takes_little(frame, tmp_path):
    """libjpeg keeps all numbers of such an image until its last scan, as of a progressive one."""
    (tmp_path / "a.jpg").write_bytes(sequential(4_800, decoding.MAX_SCANS - 1, frame))
    begun = time.process_time()
    with contextlib.suppress(InputError):
        decoding.decode((tmp_path / "a.jpg").read_bytes(), "it")
    assert time.process_time() - begun < 3
    status, said, memory = run(tmp_path, "convert", "a.jpg", "-n", 1, "-q", "-o", "x.png")
    assert status in (0, 3), said
    assert memory < MEGABYTES
    small = decoding.decode(sequential(200, 3), "it")
    assert small.getpixel((9, 9)) == (255, 121, 255)  # full brightness and full colours


@pytest.mark.parametrize("source", ["-", "pipe", "/dev/zero"])
def test_what_has_no_end_is_3(tmp_path, source):
    os.mkfifo(tmp_path / "pipe")
    target = "> pipe & " if source == "pipe" else "| "
    script = f"cat /dev/zero {target} vce convert {source} -n 1 -o x.png"
    done = shell(script, tmp_path)
    assert done.returncode == 3
    assert b"more than 64 MB" in done.stderr
    assert b"Traceback" not in done.stderr


def test_no_other_program_is_started(tmp_path):
    """An EPS would be drawn by Ghostscript, whatever its name is."""
    script = "#!/bin/sh\ntouch STARTED\nexit 1\n"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gs").write_text(script)
    (tmp_path / "bin/gs").chmod(0o755)
    (tmp_path / "named.png").write_bytes(encoded("EPS", scribble(1, 0)))
    path = f"{tmp_path}/bin:{os.environ['PATH']}"
    status, said, _ = run(
        tmp_path, "convert", "named.png", "-o", "x.png", env={**os.environ, "PATH": path}
    )
    assert (status, said[0]) == (3, "error: named.png is not an image")
    assert not (tmp_path / "STARTED").exists()


@pytest.mark.parametrize("form", ["TGA", "PCX", "DDS", "ICO", "SGI", "SPIDER", "MSP"])
def test_other_formats_of_pillow_are_not_read(form):
    image = scribble(1, 0, 32).convert("1" if form == "MSP" else "F" if form == "SPIDER" else "RGB")
    with pytest.raises(InputError, match="is not an image"):
        decoding.decode(encoded(form, image), "it")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_read_whatever_its_name_says(form):
    decoded = decoding.decode(encoded(form), "it")
    assert decoded.size == (40, 40)
    assert np.asarray(decoding.reduced(decoded, 1024)).min() < 100


edits = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=8)


def mutated(data, edits, length):
    changed = bytearray(data)
    for place, value in edits:
        changed[place % len(changed)] = value
    return bytes(changed[: max(1, length % len(changed))] if length else changed)


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits=edits, length=st.one_of(st.just(0), st.integers(1, 4000)))
def test_a_damaged_image_is_an_input_error_or_is_read(form, edits, length):
    try:
        images.read_glyph(io.BytesIO(mutated(encoded(form), edits, length)), "it", CONFIG)
    except InputError as error:
        said = str(error)
    else:
        said = "it is read"
    assert re.fullmatch("it .+", said)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits=edits, length=st.one_of(st.just(0), st.integers(1, 4000)))
def test_damaged_rules_and_weights_are_errors_or_are_read(tmp_path_factory, edits, length):
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    rules.save(path, rules.sample(3, CONFIG, 0), "0" * 64)
    path.write_bytes(mutated(path.read_bytes(), edits, length))
    with contextlib.suppress(InputError):
        rules.load(path, CONFIG)
    path.write_bytes(mutated(cards.find().read_bytes()[:4000], edits, length))
    with pytest.raises(WeightsError):
        weights.load(path)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4))
def test_a_damaged_archive_is_a_data_error_or_is_read(tmp_path_factory, edits):
    folder = tmp_path_factory.getbasetemp() / "archives"
    folder.mkdir(exist_ok=True)
    for half in HALVES:
        with zipfile.ZipFile(folder / f"{half}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for character in "ab":
                for hand in range(2):
                    archive.writestr(f"{half}/{character}/{hand}.png", encoded("PNG"))
    path = folder / f"{HALVES[0]}.zip"
    path.write_bytes(mutated(path.read_bytes(), edits, 0))
    with contextlib.suppress(DataError):
        assert len(load(folder, CONFIG).test) == 2


@pytest.mark.parametrize("kind", [*soak.FONTS, "page"])
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_a_damaged_font_or_page_is_an_error_of_ours_or_is_read(kind, seed):
    soak.worker(kind, seed, 2)


def test_errors_have_one_line():
    assert str(InputError("one\ntwo\r\nthree")) == "one two three"


def archives(folder, bad, compression=zipfile.ZIP_DEFLATED):
    """Two halves of a data set, whose first drawing is `bad`."""
    for half in HALVES:
        with zipfile.ZipFile(folder / f"{half}.zip", "w", compression) as archive:
            for character in "ab":
                for hand in range(2):
                    data = bad if (character, hand) == ("a", 0) else encoded("PNG")
                    archive.writestr(f"{half}/x/{character}/{hand}.png", data)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: archives(folder, png(13_000, 13_000, 6)), "too large: 13000x13000"),
        (lambda folder: archives(folder, png(1, 65_500)), "1x65500 pixels"),
        (lambda folder: archives(folder, encoded("AVIF")[:-40]), "a/0.png is damaged"),
        (lambda folder: archives(folder, bytes(2**27)), "more than 64 MB"),
        (lambda folder: archives(folder, b"x", zipfile.ZIP_BZIP2), "packed by method 12"),
    ],
)
def test_an_entry_of_an_archive_is_read_as_guardedly_as_a_file(tmp_path, make, words):
    make(tmp_path)
    with pytest.raises(DataError, match=words):
        load(tmp_path, CONFIG)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_holds_a_name_twice_is_refused(tmp_path):
    archives(tmp_path, encoded("PNG"))
    with zipfile.ZipFile(tmp_path / "images_background.zip", "a") as archive:
        archive.writestr("images_background/x/b/1.png", encoded("PNG"))
    with pytest.raises(DataError, match=r"b/1\.png twice"):
        load(tmp_path, CONFIG)


@pytest.mark.parametrize(("at", "value"), [(6, b"\x63"), (46, b"\xff")])
def test_an_archive_of_an_unknown_version_or_with_an_unreadable_name_is_named(tmp_path, at, value):
    archives(tmp_path, encoded("PNG"))
    path = tmp_path / "images_background.zip"
    data = path.read_bytes()
    entry = data.index(b"PK\x01\x02") + at
    data = data[:entry] + value + data[entry + 1 :]
    if at == 46:  # the name is said to be UTF-8
        flags = data.index(b"PK\x01\x02") + 8
        data = data[:flags] + struct.pack("<H", 0x800) + data[flags + 2 :]
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"images_background.zip is not a readable archive"):
        load(tmp_path, CONFIG)


@pytest.mark.parametrize("command", ["train", "eval", "critics"])
def test_data_that_are_unusable_are_refused_before_pytorch_is_loaded(tmp_path, command):
    archives(tmp_path, b"no picture")
    (tmp_path / "torch.py").write_text("raise SystemExit('PyTorch was loaded')")
    output = ("-o", "critics.safetensors") if command == "critics" else ()
    done = subprocess.run(
        [COMMAND, command, "--data", ".", *output],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 7
    assert "PyTorch was loaded" not in done.stderr
    assert names(tmp_path) == ["images_background.zip", "images_evaluation.zip", "torch.py"]


DEEP = "[" * 100_000 + "]" * 100_000


def test_json_nested_without_end_is_damage(tmp_path):
    path = tmp_path / "deep.safetensors"
    save_file({"z": rules.sample(1, CONFIG, 0)}, path, {rules.FORMAT: DEEP})
    with pytest.raises(InputError, match="or damaged"):
        rules.load(path, CONFIG)
    save_file({"z": rules.sample(1, CONFIG, 0)}, path, {weights.FORMAT: DEEP})
    with pytest.raises(WeightsError, match="is not JSON"):
        weights.load(path)


def test_numbers_too_large_for_a_float_are_out_of_range(tmp_path):
    path = tmp_path / "large.safetensors"
    settings = json.dumps(json.loads(CONFIG.to_json()) | {"size": 10**400})
    save_file({"z": rules.sample(1, CONFIG, 0)}, path, {weights.FORMAT: settings})
    with pytest.raises(WeightsError, match="size is 1000"):
        weights.load(path)


@pytest.mark.parametrize("kind", ["F8_E4M3", "F8_E5M2", "F4", "BF16", "C64", "NEW"])
def test_numbers_that_numpy_does_not_know_are_named(tmp_path, kind):
    data = save({"z": rules.sample(1, CONFIG, 0)}, {rules.FORMAT: '{"weights": ""}'})
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    header["z"] |= {"dtype": kind, "data_offsets": [0, 56 * (1 if kind != "C64" else 8)]}
    text = json.dumps(header).encode()
    (tmp_path / "r").write_bytes(struct.pack("<Q", len(text)) + text + bytes(500))
    with pytest.raises(InputError, match=r"r (holds|is no rules file, or damaged)"):
        rules.load(tmp_path / "r", CONFIG)


def test_a_million_rules_are_too_many(tmp_path):
    path = tmp_path / "r.safetensors"
    save_file({"z": np.zeros((10**6, 28, 2), np.float32)}, path, {rules.FORMAT: '{"weights": ""}'})
    scribble(1, 0).save(tmp_path / "a.png")
    status, said, memory = run(tmp_path, "convert", "a.png", "--rules", path, "-o", "x.png")
    assert (status, memory < MEGABYTES) == (3, True)
    assert "holds 1000000 rules" in said[0]


LONG = "r" * 300


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--rules", f"{LONG}:3"), 3),
        (("--weights", f"{LONG}.safetensors"), 4),
        (("--like", LONG, "a.png"), 3),
        (("--save-rules", LONG), 5),
    ],
)
def test_a_name_too_long_for_the_system_is_an_error_of_its_kind(tmp_path, arguments, status):
    scribble(1, 0).save(tmp_path / "a.png")
    found, said, _ = run(tmp_path, "convert", "a.png", "-q", "-o", "x.png", *arguments)
    assert found == status
    assert said[0].startswith("error: ")


def test_a_pipe_in_a_folder_is_left_out_and_said(tmp_path):
    (tmp_path / "in").mkdir()
    os.mkfifo(tmp_path / "in/a.png")
    scribble(1, 0).save(tmp_path / "in/b.gif")
    (tmp_path / "in/notes.txt").write_text("no image")
    status, said, _ = run(tmp_path, "convert", "in", "-n", 1, "--seed", 1, "-o", "x.png")
    assert (status, said) == (
        0,
        ["warning: in: a.png and 1 more left out, which cannot be read as an image"],
    )


def test_links_to_themselves_are_errors(tmp_path):
    scribble(1, 0).save(tmp_path / "a.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    assert run(tmp_path, "convert", "a.png", "-n", 1, "-o", "loop.png")[0] == 5
    assert run(tmp_path, "convert", "loop.png", "-n", 1, "-o", "x.png")[0] == 3
    assert (tmp_path / "loop.png").is_symlink()


def test_names_do_not_command_the_terminal(tmp_path):
    for name in ("e\x1b[31mvil.png", "up\u202egnp.png", "two\nlines.png"):
        (tmp_path / name).write_text("no image")
        status, said, _ = run(tmp_path, "convert", name, "-n", 1, "-o", "x.png")
        assert status == 3
        assert all(line.isprintable() for line in said), said


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("vce convert nowhere.png -o x.png 2>/dev/full", 3),
        ("vce convert a.png -n 1 -o x.png 2>/dev/full", 0),
        ("vce --version >/dev/full", 5),
        ("vce --help >/dev/full", 5),
        ("vce convert --help >/dev/full 2>/dev/full", 5),
    ],
)
def test_full_devices_change_no_exit_status(tmp_path, script, status):
    scribble(1, 0).save(tmp_path / "a.png")
    done = shell(script, tmp_path)
    assert done.returncode == status
    assert b"Traceback" not in done.stderr


def test_decoders_print_nothing_themselves(tmp_path):
    palette = scribble(1, 0).quantize(4)
    palette.save(tmp_path / "warns.png", transparency=bytes([255, 254, 255, 255]))
    status, said, _ = run(tmp_path, "convert", "warns.png", "-q", "-n", 1, "-o", "x.png")
    assert (status, said) == (0, [])
    data = bytearray(encoded("TIFF", scribble(1, 0, 200).convert("1"), compression="group4"))
    data[8:200] = bytes(192)
    (tmp_path / "talks.tif").write_bytes(data)
    status, said, _ = run(tmp_path, "convert", "talks.tif", "-q", "-n", 1, "-o", "x.png")
    assert len([line for line in said if not line.startswith("hint: ")]) == (status != 0), said


CODE = r"\b(pickle|allow_pickle|marshal|torch\.load)\b|(?<!\.)\b(eval|exec)\("


def test_nothing_unpickles_or_evaluates():
    packages = (vce_cli.__path__, vce_models.__path__)
    sources = [path for (folder,) in packages for path in Path(folder).rglob("*.py")]
    assert len(sources) > 50
    for path in sources:
        assert not re.search(CODE, path.read_text()), path
