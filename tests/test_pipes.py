"""Pipes, terminals, devices and signals: what scripts rely on."""

import os
import pty
import signal
import stat
import subprocess
import sys
import time

import pytest
from conftest import names, scribble, shell, start

ONE = ("-n", 1, "--seed", 1)


@pytest.fixture(autouse=True)
def glyphs(tmp_path):
    for character, name in enumerate("abc"):
        scribble(character, 0).save(tmp_path / f"{name}.png")


def test_a_pipe_in_and_a_pipe_out(tmp_path, vce):
    done = shell(
        "cat a.png | vce convert - -n 1 --seed 1 -o - --format png --no-metadata", tmp_path
    )
    assert done.stderr == b""
    vce("convert", "a.png", *ONE, "-o", "file.png", "--no-metadata")
    assert done.stdout == (tmp_path / "file.png").read_bytes()


def test_a_pipe_gets_a_png_where_nothing_says_more(tmp_path):
    script = "vce convert a.png -n 1 --seed 1 {} -o -"
    plain, named = (
        shell(script.format(option), tmp_path).stdout for option in ("", "--format png")
    )
    assert plain == named
    assert plain.startswith(b"\x89PNG")


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


def test_process_substitution_works_both_ways(tmp_path):
    script = "vce convert <(cat a.png) -n 1 -q -o >(cat > x.svg) --format svg; sleep 0.5; cat x.svg"
    assert shell(script, tmp_path).stdout.startswith(b"<svg")


def test_a_fifo_whose_reader_has_gone_is_141(tmp_path):
    script = "vce convert a.png -n 1 -q -o >(true) --format svg"
    done = shell(script, tmp_path)
    assert (done.returncode, done.stderr) == (141, b"")


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
        ("vce convert a.png -o gone.png --json >&-", 5, b"standard output is closed"),
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
import vce_models.rendering.forward
inner = vce_models.rendering.forward._trunk
def noisy(*arguments):
    print("from Python")
    os.write(1, b"from C\\n")
    return inner(*arguments)
vce_models.rendering.forward._trunk = noisy
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
    with start(tmp_path, "convert", "a.png", "-n", 9999, "-o", "out.png") as process:
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
