"""What scripts rely on: exit codes, clean streams, whole files, refusals before any work."""

import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import COMMAND, draw
from PIL import Image

from vce_models.config import ModelConfig
from vce_models.weights import Weights, parameter_shapes, save

ONE = ("-n", 1, "--seed", 1)


@pytest.fixture(autouse=True)
def glyphs(tmp_path):
    for character, name in enumerate("abc"):
        draw(character, 0).save(tmp_path / f"{name}.png")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def start(tmp_path, *arguments, **options):
    options = {"stderr": subprocess.PIPE, "cwd": tmp_path, **options}
    return subprocess.Popen([COMMAND, *map(str, arguments)], **options)


def shell(script, tmp_path):
    environment = {**os.environ, "PATH": f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=False
    )


def test_a_pipe_in_and_a_pipe_out(tmp_path, vce):
    done = shell(
        "cat a.png | vce convert - -n 1 --seed 1 -o - --format png --no-metadata", tmp_path
    )
    assert done.stderr == b""
    vce("convert", "a.png", *ONE, "-o", "file.png", "--no-metadata")
    assert done.stdout == (tmp_path / "file.png").read_bytes()


def test_dev_stdout_is_standard_output_and_dev_null_stays(tmp_path):
    script = "vce convert /dev/stdin -n 1 --seed 1 -o {} --format svg < a.png"
    piped, named = (shell(script.format(name), tmp_path).stdout for name in ("-", "/dev/stdout"))
    assert piped == named
    assert piped.startswith(b"<svg")
    assert shell(script.format("/dev/null"), tmp_path).returncode == 0
    assert not os.path.isfile("/dev/null")  # noqa: PTH113
    appended = shell(f"echo first > log; {script.format('/dev/stdout')} >> log; cat log", tmp_path)
    assert appended.stdout == b"first\n" + piped


def test_a_closed_pipe_is_141(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    with start(
        tmp_path, "convert", "a.png", *ONE, "-o", "-", "--format", "png", stdout=writer
    ) as p:
        os.close(writer)
        assert p.stderr.read() == b""
    assert p.returncode == 141


def test_a_fifo_is_written_to_and_stays(tmp_path, vce):
    os.mkfifo(tmp_path / "pipe.svg")
    with start(tmp_path, "convert", "a.png", *ONE, "-o", "pipe.svg") as process:
        assert (tmp_path / "pipe.svg").read_bytes().startswith(b"<svg")
    assert process.returncode == 0
    assert stat.S_ISFIFO((tmp_path / "pipe.svg").stat().st_mode)


def test_closed_streams_are_errors_only_where_they_are_used(tmp_path):
    for script, status, words in [
        ("vce convert a.png -n 1 --seed 1 -o x.png <&- >&-", 0, b""),
        ("vce convert a.png -n 1 --seed 1 -o y.png <&- >&- 2>&-", 0, b""),
        ("vce convert nowhere.png -o y.png <&- >&- 2>&-", 3, b""),
        ("vce convert - -o z.png <&-", 3, b"standard input is closed"),
        ("vce convert a.png --seed 1 -o - --format png >&-", 5, b"standard output is closed"),
        ("vce convert - -o z.png < /dev/null", 3, b"standard input is not an image"),
        ("vce convert a.png -n 1 -q -o - --format png > /dev/full", 5, b"No space left"),
        ("vce convert a.png -n 1 -q -o /dev/full --format png", 5, b"No space left"),
    ]:
        done = shell(script, tmp_path)
        assert (done.returncode, done.stdout) == (status, b""), done.stderr
        assert words in done.stderr
        assert b"Traceback" not in done.stderr
    assert (tmp_path / "x.png").read_bytes() == (tmp_path / "y.png").read_bytes()


def test_a_terminal_gets_no_binary_and_is_not_waited_for(tmp_path):
    master, terminal = pty.openpty()
    for arguments, words in [
        (("a.png", *ONE, "-o", "-", "--format", "png"), b"standard output is a terminal"),
        (("-", *ONE, "-o", "x.png"), b"standard input is a terminal"),
        ((), b"Missing"),
    ]:
        with start(tmp_path, "convert", *arguments, stdin=terminal, stdout=terminal) as process:
            assert words in process.stderr.read()
        assert process.returncode == 2
    os.close(terminal)
    os.close(master)


def test_a_terminal_is_told_where_the_file_is_and_shows_no_bar_in_short_work(tmp_path):
    master, terminal = pty.openpty()
    with start(tmp_path, "convert", "a.png", *ONE, "-o", "x.png", stderr=terminal) as process:
        os.close(terminal)
    assert process.returncode == 0
    assert os.read(master, 1000).split() == [b"wrote", b"x.png"]
    os.close(master)


def test_a_terminal_sees_progress_after_two_seconds(tmp_path):
    master, terminal = pty.openpty()
    arguments = ("convert", "a.png", "-n", 9999, "--seed", 1, "-o", "x.npz")
    begun, seen = time.monotonic(), b""
    with start(tmp_path, *arguments, stderr=terminal) as process:
        os.close(terminal)
        while b"converting" not in seen:
            seen += os.read(master, 4096)
        waited = time.monotonic() - begun
        process.send_signal(signal.SIGTERM)
    os.close(master)
    assert process.returncode == 143
    assert waited > 2


def test_stdout_holds_the_result_alone_even_where_a_library_prints(tmp_path):
    program = """
import os, sys
sys.argv = ["vce", "convert", "a.png", "-n", "1", "--seed", "1", "-o", "-", "--format", "svg"]
import vce_models.convert
inner = vce_models.convert._trunk
def noisy(*arguments):
    print("from Python")
    os.write(1, b"from C\\n")
    return inner(*arguments)
vce_models.convert._trunk = noisy
from vce_cli.app import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout.startswith(b"<svg")
    assert done.stdout.endswith(b"</svg>\n")
    assert b"from Python" in done.stderr
    assert b"from C" in done.stderr


def test_a_bug_is_1(tmp_path):
    program = """
import sys, vce_models.weights
sys.argv = ["vce", "convert", "a.png", "-o", "x.png"]
vce_models.weights.load = None
from vce_cli.app import main
main()
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"TypeError" in done.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_says_so_and_leaves_nothing_half_written(tmp_path, number, status):
    (tmp_path / "out.png").write_bytes(b"old")
    with start(tmp_path, "convert", "a.png", "-n", 9999, "-v", "-o", "out.png") as process:
        assert process.stderr.readline().startswith(b"seed")  # the work has begun
        process.send_signal(number)
        assert b"Traceback" not in process.stderr.read()
    assert process.returncode == status
    assert names(tmp_path) == [
        "a.png",
        "b.png",
        "c.png",
        "out.png",
    ]
    assert (tmp_path / "out.png").read_bytes() == b"old"


def test_some_of_a_batch_failed_is_6_and_the_rest_is_written(tmp_path, vce):
    (tmp_path / "b.png").write_text("no image")
    done = vce("convert", "a.png", "b.png", "c.png", "gone", *ONE, "-o", "out/", "--json", status=6)
    assert names(tmp_path / "out") == ["a-01.png", "c-01.png"]
    assert done.stderr.splitlines()[-1] == "error: 2 of 4 failed; the rest is written"
    failures = json.loads(done.stdout)["failures"]
    assert [failure["input"] for failure in failures] == ["b.png", "gone"]
    vce("convert", ".", *ONE, "-o", "sheet.png", status=6)
    assert (tmp_path / "sheet.png").exists()


def test_all_of_a_batch_failed_is_3_and_nothing_is_written(tmp_path, vce):
    (tmp_path / "empty").mkdir()
    done = vce("convert", "x.png", "y.png", "empty", *ONE, "-o", "out.png", status=3)
    for words in ("x.png does not", "y.png does not", "empty holds no images", "none of the 3"):
        assert words in done.stderr
    assert not (tmp_path / "out.png").exists()


def test_a_link_stays_and_what_it_names_is_replaced(tmp_path, vce):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/x.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to("real/x.png")
    vce("convert", "a.png", *ONE, "-o", "link.png")
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real/x.png").read_bytes().startswith(b"\x89PNG")


def test_the_umask_is_respected(tmp_path):
    for umask, mode in (("022", 0o644), ("077", 0o600)):
        assert shell(f"umask {umask}; vce convert a.png -n 1 -o x.png", tmp_path).returncode == 0
        assert stat.S_IMODE((tmp_path / "x.png").stat().st_mode) == mode


def test_what_speaks_against_a_run_is_said_before_any_work(tmp_path, vce):
    (tmp_path / "old.png").write_bytes(b"old")
    (tmp_path / "two").mkdir()
    draw(4, 0).save(tmp_path / "two/a.png")
    (tmp_path / "link.png").symlink_to("a.png")
    for arguments, status, words in [
        (("a.png", "-o", "a.png"), 2, "a.png is an input"),
        (("a.png", "-o", "link.png"), 2, "link.png is an input"),
        (("a.png", "-o", "{char}.png", "-n", 1), 2, "a.png is an input"),
        (("a.png", "two/a.png", "-o", "out/"), 2, "two results would be out/a-01.png"),
        (("a.png", "b.png", "-o", "o/{rule}.png"), 2, "two results would be o/1.png"),
        (("a.png", "-o", "x.png", "--save-rules", "x.png"), 2, "two results would be x.png"),
        (("a.png", "-o", "old.png", "--no-clobber"), 5, "old.png is there already"),
        (("a.png", "-o", "{name}.png"), 2, "{name}.png is no pattern"),
        (("a.png", "-o", "{char.png"), 2, "is no pattern"),
        (("a.png", "-o", "x.jpg"), 2, "cannot write x.jpg"),
        (("a.png", "-o", "-"), 2, "nothing says what to write to standard output"),
        (("a.png", "-o", "x", "--format", "bmp"), 2, "--format is 'bmp'"),
        (("a.png", "-o", "x.gif"), 2, "a .gif shows a walk"),
        (("a.png", "-o", "-", "--format", "png", "--json"), 2, "both want standard output"),
        (("-", "-", "-o", "x.png"), 2, "standard input can be read once"),
        (("a.png", "-o", "x.png", "--text", "ab"), 2, "a.png is no font"),
        (("a.png", "-o", "x.png", "--walk", "-n", 1), 2, "nowhere to go"),
        (("a.png", "-o", "x.png", "--rules", "r", "-n", 1), 2, "exclude each other"),
        (("a.png", "-o", "x.png", "--ink", "grey"), 2, "grey"),
    ]:
        done = vce("convert", *arguments, status=status)
        assert words in done.stderr
        assert done.stdout == ""
    assert (tmp_path / "old.png").read_bytes() == b"old"
    assert not {"x.png", "out", "o"} & set(names(tmp_path))


def test_quiet_prints_errors_only(tmp_path, vce):
    (tmp_path / "text.png").write_text("no image")
    bold = Image.new("L", (80, 80), 255)
    bold.paste(0, (10, 10, 70, 70))
    bold.save(tmp_path / "bold.png")
    done = vce("convert", "bold.png", "a.png", "-n", 1, "-o", "x.png")
    assert "seed" in done.stderr
    assert "warning: bold.png: strokes of" in done.stderr
    assert vce("convert", "bold.png", "-n", 1, "-o", "x.png", "-q").stderr == ""
    assert "error: text.png" in vce("convert", "text.png", "-o", "x.png", "-q", status=3).stderr
    assert "wrote x.png" in vce("convert", "a.png", "-n", 1, "-o", "x.png", "-v").stderr


def test_files_of_their_own_need_constant_memory(tmp_path):
    """Of 200 glyphs, conversions alone would be 40 MB."""
    config = ModelConfig(size=96, channels=2, blocks=1, wiring="modulation", unshuffle=2)
    shapes = parameter_shapes(config)
    tensors = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    save(tmp_path / "w.safetensors", Weights(config, tensors))
    peaks = []
    for count in (10, 200):
        folder = tmp_path / str(count)
        folder.mkdir()
        for i in range(count):
            (folder / f"{i}.png").symlink_to(tmp_path / "a.png")
        arguments = (
            folder,
            "-n",
            6,
            "--weights",
            "w.safetensors",
            "--scale",
            1,
            "-o",
            "out/",
            "-q",
        )
        with start(tmp_path, "convert", *arguments) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
        assert status == 0
        peaks.append(usage.ru_maxrss / 1024)
    assert peaks[1] - peaks[0] < 10, peaks
