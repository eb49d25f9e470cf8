"""Many inputs, many outputs: what fails, what is refused before any work, what is left alone."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import names, scribble, shell, start
from matplotlib import get_data_path
from PIL import Image

from vce_models.config import ModelConfig
from vce_models.errors import OutputError
from vce_models.files import replacing
from vce_models.weights import Weights, parameter_shapes, save

ONE = ("-n", 1, "--seed", 1)
FONT = Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf")


@pytest.fixture(autouse=True)
def glyphs(tmp_path):
    for character, name in enumerate("abc"):
        scribble(character, 0).save(tmp_path / f"{name}.png")


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


def test_a_folder_of_fonts_says_which_to_name(tmp_path, vce):
    (tmp_path / "fonts").mkdir()
    for name in ("b.otf", "a.ttf"):
        (tmp_path / "fonts" / name).touch()
    done = vce("convert", "fonts", *ONE, "-o", "out.png", status=3)
    assert done.stderr.endswith("hint: name the font: fonts/a.ttf\n")


def test_a_link_stays_and_what_it_names_is_replaced(tmp_path, vce):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/x.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to("real/x.png")
    vce("convert", "a.png", *ONE, "-o", "link.png")
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real/x.png").read_bytes().startswith(b"\x89PNG")


def test_the_umask_is_respected(tmp_path):
    for name, umask, mode in (("x", "022", 0o644), ("y", "077", 0o600), ("x", "077", 0o644)):
        script = f"umask {umask}; vce convert a.png -n 1 -o {name}.png"
        assert shell(script, tmp_path).returncode == 0
        assert stat.S_IMODE((tmp_path / f"{name}.png").stat().st_mode) == mode


def test_what_speaks_against_a_run_is_said_before_any_work(tmp_path, vce):
    (tmp_path / "old.png").write_bytes(b"old")
    (tmp_path / "two").mkdir()
    scribble(4, 0).save(tmp_path / "two/a.png")
    (tmp_path / "link.png").symlink_to("a.png")
    for arguments, status, words in [
        (("a.png", "-o", "a.png"), 2, "a.png is an input"),
        (("a.png", "-o", "link.png"), 2, "link.png is an input"),
        (("a.png", "-o", "{char}.png", "-n", 1), 2, "a.png is an input"),
        (("a.png", "two/a.png", "-o", "out/"), 2, "two results would be out/a-01.png"),
        (("a.png", "b.png", "-o", "o/{rule}.png"), 2, "two results would be o/1.png"),
        (("a.png", "-o", "x.png", "--save-rules", "x.png"), 2, "two results would be x.png"),
        (("a.png", "-n", 9999, "--scale", 64, "-o", "x.png"), 5, "10000 cells of 1792x1792 pixels"),
        (
            ("a.png", "--strength", "nan", "-o", "x.png"),
            2,
            "--strength is no number",
        ),
        (("a.png", "-o", "gone/x.png"), 5, "there is no folder gone"),
        (("a.png", "-o", "out/", "--save-rules", "gone/r"), 5, "there is no folder gone"),
        (("a.png", "-o", "old.png", "--no-clobber"), 5, "old.png is there already"),
        (("a.png", "-o", "{name}.png"), 2, "{name}.png is no pattern"),
        (("a.png", "-o", "{char.png"), 2, "is no pattern"),
        (("a.png", "-q", "-n", 1, "-o", "b.png/{char}.png"), 5, "cannot make b.png"),
        (("a.png", "-q", "-n", 1, "-o", f"{'x' * 300}.png"), 5, "File name too long"),
        (("x" * 300, "-o", "x.png"), 3, "File name too long"),
        (("a.png", "-o", "x.jpg"), 2, "cannot write x.jpg"),
        (("a.png", "-n", 500, "--columns", 1, "-o", "x.webp"), 5, "120x58120 pixels are too many"),
        (("a.png", "b.png", "-n", 150, "-o", "x.webp"), 5, "17520x240 pixels are too many"),
        (("a.png", "-o", "styles"), 2, "or name a folder: styles/"),
        (("a.png", "-o", "x", "--format", "bmp"), 2, "--format is 'bmp'"),
        (("a.png", "-o", "x.png", "--format", "svg"), 2, "x.png says .png, and --format svg"),
        (("a.png", "-o", "x.gif"), 2, "a .gif shows a walk"),
        (("a.png", "-o", "-", "--format", "png", "--json"), 2, "both want standard output"),
        (("-", "-", "-o", "x.png"), 2, "standard input can be read once"),
        (("a.png", "-o", "x.png", "--text", "ab"), 2, "a.png is no font"),
        (("a.png", "-o", "x.png", "--location", "wght=600"), 2, "a.png is no font"),
        (("a.png", "-o", "x.png", "--family", "Hand"), 2, "--family is for fonts"),
        (("a.png", "-o", "x.svg", "--liveliness", 1), 2, "--liveliness is for fonts"),
        (("a.png", "-o", "x.ttf", "--labels"), 2, "--labels is for sheets"),
        (("a.png", "-o", "x.ttf", "--scale", 8), 2, "--scale is for pictures"),
        (("a.png", "-o", "x.svg", "--columns", 2), 2, "--columns is for sheets"),
        (("a.png", "-o", "x.png", "--save-rules", "two"), 5, "two: it is a folder"),
        (("a.png", "-o", ""), 2, "-o is empty"),
        (("", "-o", "x.png"), 2, "an input is empty"),
        (("a.png", "-o", "x.png", "--rules", ""), 2, "--rules is empty"),
        (("a.png", "-o", "x.png", "--walk", "-n", 1), 2, "nowhere to go"),
        (("a.png", "-o", "x.png", "--rules", "r", "-n", 1), 2, "exclude each other"),
        (("a.png", "-o", "x.png", "--ink", "grey"), 2, "grey"),
        ((FONT, "-o", "x.png", "--ink", "dark"), 2, "--ink says how images are read"),
        ((FONT, "-o", "x.png", "--no-fit"), 2, "--no-fit says how images are read"),
    ]:
        done = vce("convert", *arguments, status=status)
        assert words in done.stderr
        assert done.stdout == ""
    assert (tmp_path / "old.png").read_bytes() == b"old"
    assert not {"x.png", "out", "o", "gone"} & set(names(tmp_path))


def test_an_option_of_images_holds_where_there_is_one(vce):
    given = ("-n", 1, "-q", "--ink", "dark", "-o", "x.png")
    vce("convert", "a.png", FONT, "--no-fit", *given)
    vce("convert", FONT, "--text", "a", "--like", "a.png", "b.png", *given[2:])


def test_no_clobber_holds_to_the_last_moment(tmp_path):
    """A file that another writes meanwhile stays."""

    def write(name, other):
        with replacing(tmp_path / name, clobber=False) as file:
            file.write_bytes(b"new")
            (tmp_path / other).write_bytes(b"another's")

    with pytest.raises(OutputError, match="x is there already"):
        write("x", "x")
    assert not [name for name in names(tmp_path) if name.endswith(".tmp")]
    assert (tmp_path / "x").read_bytes() == b"another's"
    write("y", "z")
    assert (tmp_path / "y").read_bytes() == b"new"


def test_what_is_being_replaced_can_be_replaced_inside(tmp_path):
    """As a writer of fonts does, which is used alone, too."""
    with replacing(tmp_path / "x") as outer, replacing(outer) as inner:
        inner.write_bytes(b"new")
    assert (tmp_path / "x").read_bytes() == b"new"
    assert names(tmp_path) == ["a.png", "b.png", "c.png", "x"]


@pytest.mark.parametrize("unnamed", [True, False])
def test_what_a_killed_process_left_goes_with_the_next(tmp_path, unnamed):
    """Nothing, where files may have no name."""
    program = f"""
import os, sys
from vce_models import files
files._can_name_descriptors = lambda: {unnamed}
with files.replacing(files.Path("x")) as file:
    file.write_bytes(b"new")
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)
    assert len(names(tmp_path)) == (3 if unnamed else 4)
    with replacing(tmp_path / "y") as file:
        file.write_bytes(b"new")
    assert names(tmp_path) == ["a.png", "b.png", "c.png", "y"]


def test_what_another_process_is_writing_stays(tmp_path):
    program = """
import sys
from vce_models import files
files._can_name_descriptors = lambda: False
with files.replacing(files.Path("x")) as file:
    print("open", flush=True)
    sys.stdin.read()
    file.write_bytes(b"new")
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        with replacing(tmp_path / "y") as file:
            file.write_bytes(b"another")
        process.stdin.close()
    assert process.returncode == 0
    assert names(tmp_path) == ["a.png", "b.png", "c.png", "x", "y"]


def test_a_name_as_long_as_the_system_allows_is_written(tmp_path):
    name = "y" * (os.pathconf(tmp_path, "PC_NAME_MAX") - 4) + ".svg"
    for mode in (None, 0o640):
        with replacing(tmp_path / name) as file:
            file.write_bytes(b"new")
        if mode:
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode
        (tmp_path / name).chmod(0o640)


STOPPED = """
import sys
from vce_models import files

def trace(frame, event, argument):
    global steps
    steps -= frame.f_code.co_filename in (files.__file__, "<string>")
    if steps == 0:
        sys.settrace(None)
        sys.exit(130)
    return trace

steps = int(sys.argv[1])
sys.settrace(trace)
with files.replacing(files.Path("x")) as file:
    file.write_bytes(b"new")
"""


def test_a_run_stopped_at_any_step_leaves_no_half_file(tmp_path):
    (tmp_path / "x").write_bytes(b"old")
    for step in range(2, 200):
        python = [sys.executable, "-c", STOPPED, str(step)]
        status = subprocess.run(python, cwd=tmp_path, check=False).returncode
        assert (tmp_path / "x").read_bytes() in (b"old", b"new"), (step, status)
        assert names(tmp_path) == ["a.png", "b.png", "c.png", "x"]
        if status == 0:
            break
    assert status == 0
    assert (tmp_path / "x").read_bytes() == b"new"


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


def test_more_rules_than_are_drawn_at_a_time_give_the_same_files(tmp_path, vce):
    for count in (3, 90):
        vce("convert", "a.png", "-n", count, "--seed", 1, "-o", f"{count}/")
    assert len(list((tmp_path / "90").iterdir())) == 90
    for few in (tmp_path / "3").iterdir():
        assert few.read_bytes() == (tmp_path / "90" / few.name).read_bytes()


def test_files_of_their_own_need_constant_memory(tmp_path):
    """The conversions of 200 glyphs alone would be 40 MB."""
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
