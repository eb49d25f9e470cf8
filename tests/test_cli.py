"""The installed command, in subprocesses, on files."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
import torch
from conftest import COMMAND, one_line, scribble
from PIL import Image
from safetensors.torch import load_file

from vce_cli import report
from vce_cli.app import EXIT_CODES
from vce_models import errors
from vce_models.datasets import drawings
from vce_models.training.runs import Run
from vce_models.training.trainer import Trainer

SIZES = ("--episodes", 2, "--steps", 12, "--size", 12)
SHORT = ("--recipe", "paper", *SIZES, "--device", "cpu", "--threads", 1)


@pytest.fixture
def glyph(tmp_path):
    scribble(1, 0).save(tmp_path / "glyph.png")
    return tmp_path / "glyph.png"


def metrics(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def size(path):
    with Image.open(path) as image:
        return image.size


def on_a_terminal(command, stream, **environment):
    """What a command that succeeds writes on a stream that is a terminal."""
    master, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", **environment}
    streams: dict[str, Any] = {stream: terminal}
    with subprocess.Popen(command, env=environment, **streams) as process:
        os.close(terminal)
        seen = b""
        while True:
            try:
                seen += os.read(master, 4096)
            except OSError:  # the terminal has closed
                break
    os.close(master)
    assert process.returncode == 0
    return seen


LONG = """
import time
from vce_cli import report
with report.progress("working") as advance:
    for done in range(1, 41):
        time.sleep(0.1)
        advance(done, 40)
"""


def test_progress_begins_where_the_work_is_and_says_how_long_the_rest_takes():
    seen = on_a_terminal([sys.executable, "-c", LONG], "stderr", COLUMNS="120").decode()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)
    counted = [tuple(map(int, found)) for found in re.findall(r"(\d+)/(\d+)", plain)]
    assert {total for _, total in counted} == {40}
    assert counted == sorted(counted)
    assert counted[0][0] > 10  # nothing is shown for two seconds
    left = [int(seconds) for seconds in re.findall(r"(\d+) s left", plain)]
    assert left == sorted(left, reverse=True)
    assert 1 <= left[0] <= 4


def test_a_shell_completes_commands_and_options(vce):
    for words, at, wanted in (
        ("vce con", 1, "convert"),
        ("vce convert --no", 2, "--no-metadata"),
        ("vce convert --weights like", 3, "likelihood"),
        ("vce eval --weights comp", 3, "compact"),
        ("vce train --recipe pa", 3, "paper"),
    ):
        asked = {"COMP_WORDS": words, "COMP_CWORD": str(at), "_VCE_COMPLETE": "complete_bash"}
        assert wanted in vce(env={**os.environ, **asked}).stdout.split()


def test_train_evaluate_convert(vce, tree, glyph, tmp_path):
    done = vce("train", "--data", tree, "--out", "run", *SHORT)
    assert done.stdout == ""
    assert "step 12/12 lmvae" in done.stderr
    run = tmp_path / "run"
    lines = metrics(run)
    assert lines[-1]["step"] == 12
    assert {line["phase"] for line in lines} == {"pretrain", "vae", "lmvae"}
    terms = {"loss", "reconstruction", "kl", "kl_converted", "regulariser"}
    assert terms | {"learning_rate", "images_per_second"} < lines[0].keys()
    for picture in ("curves.png", "conversions.png"):
        assert size(run / picture) > (100, 100)
    given = ("--weights", run / "weights.safetensors")
    first = vce("eval", *given, "--data", tree, "--json", "--grid", "grid.png")
    second = vce("eval", *given, "--data", tree, "--json")
    assert first.stdout == second.stdout
    assert json.loads(first.stdout)["size"] == 12
    assert size(tmp_path / "grid.png")[0] > 100
    table = vce("eval", *given, "--data", tree)
    assert "entropy floor" in table.stdout
    vce("convert", glyph, *given, "-n", 4, "--scale", 3, "-o", "out.png")
    assert size(tmp_path / "out.png") == (3 * 38 + 2, 2 * 38 + 2)


@pytest.mark.parametrize(
    ("recipe", "steps", "phases"),
    [
        ("compact", 5, "5 vae"),
        ("likelihood", 11, "9 vae + 2 iwae"),
        ("paper", 1200, "20 pretrain + 780 vae + 400 lmvae"),
    ],
)
def test_a_training_says_first_how_long_it_will_take(tree, tmp_path, recipe, steps, phases):
    given = ("--recipe", recipe, "--steps", steps, "--size", 12, "--threads", 1, "--device", "cpu")
    command = [COMMAND, "train", "--data", tree, "--out", "run", *given]
    with subprocess.Popen(
        list(map(str, command)), stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stderr
        line = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.stderr.read()
    lasting = r"about \d+(\.\d)? (s|min|h)"
    assert re.fullmatch(rf"{lasting} on this machine \(1 core\): {re.escape(phases)} steps\n", line)


def test_a_training_that_says_so_trains_as_the_library_does(vce, tree, tmp_path):
    vce("train", "--data", tree, "--out", "run", *SHORT)
    config = Run.open(tmp_path / "run").config
    trainer = Trainer(config, drawings.load(tree, config.model).train)
    while trainer.step < config.steps:
        trainer.advance(1)
    trained = load_file(tmp_path / "run/weights.safetensors")
    for name, value in trainer.model.state_dict().items():
        assert name.startswith("prior") or torch.equal(trained[name], value), name


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (89, "89 s"),
        (90, "2 min"),
        (5000, "83 min"),
        (5400, "1.5 h"),
        (37.9 * 3600, "38 h"),
        (96 * 3600, "4 days"),
    ],
)
def test_a_time_to_come_is_said_as_people_say_it(seconds, words):
    assert report.lasting(seconds) == words


def test_a_signal_during_a_callback_still_ends_the_command():
    script = """if True:
        import signal, time
        from vce_cli import app
        class Callback:
            def __del__(self):
                signal.raise_signal(signal.SIGTERM)
        app.exit_on_signals()
        Callback()
        time.sleep(60)
        print("lived on")
    """
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, "", "")


def test_training_stopped_and_resumed_is_training_straight(vce, tree, tmp_path):
    short = [*map(str, SHORT)]
    short[short.index("12")] = "60"
    command = [COMMAND, "train", "--data", tree, "--out", "stopped", *short]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        while not (tmp_path / "stopped/metrics.jsonl").exists():
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.stderr
        said = process.stderr.read()
    assert process.returncode == 130
    assert "vce train --resume stopped goes on" in said
    (stopped,) = re.findall(r"stopped at step (\d+)", said)
    assert int(stopped) < 60
    vce("train", "--resume", "stopped", "--threads", 1, "--device", "cpu")
    vce("train", "--data", tree, "--out", "whole", *short)
    resumed, whole = (
        load_file(tmp_path / run / "weights.safetensors") for run in ("stopped", "whole")
    )
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    steps = [line["step"] for line in metrics(tmp_path / "stopped")]
    assert steps == sorted(set(steps))


def test_resume_goes_on_with_the_settings_it_had(vce, tree):
    vce("train", "--data", tree, "--out", "run", *SHORT)
    one_line(vce("train", "--resume", "run", "--steps", 9, status=2), "--steps cannot change")
    one_line(vce("train", "--data", tree, "--out", "run", status=2), "already holds a run")
    one_line(vce("train", "--resume", "nowhere", status=2), "holds no run to resume")


def test_a_terminal_sees_progress(tree, tmp_path):
    """On a terminal the display is live: one bar, drawn over."""
    short = [*map(str, SHORT)]
    command = [COMMAND, "train", "--data", tree, "--out", tmp_path / "run", *short]
    seen = on_a_terminal(command, "stderr", COLUMNS="120")
    assert b"12/12" in seen
    assert b"reconstruction" in seen


def test_the_seed_is_printed_when_it_was_drawn(vce, glyph, tmp_path):
    said = vce("convert", glyph, "-n", 2, "-o", "drawn.png").stderr
    (seed,) = re.findall(r"\Aseed (\d+)\n\Z", said)
    assert vce("convert", glyph, "-n", 2, "--seed", seed, "-o", "again.png").stderr == ""
    assert (tmp_path / "drawn.png").read_bytes() == (tmp_path / "again.png").read_bytes()


def test_zero_is_a_seed(vce, glyph, tmp_path):
    for name in ("a.png", "b.png"):
        assert vce("convert", glyph, "-n", 2, "--seed", 0, "-o", name).stderr == ""
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_four_rules_are_the_first_of_sixteen(vce, glyph, tmp_path):
    for n in (4, 16):
        vce("convert", glyph, "-n", n, "--seed", 7, "--columns", 17, "-o", f"{n}.png")
    with Image.open(tmp_path / "4.png") as four, Image.open(tmp_path / "16.png") as sixteen:
        assert sixteen.crop((0, 0, *four.size)).tobytes() == four.tobytes()


def test_bad_input_is_one_line_and_its_exit_code(vce, glyph, tmp_path):
    Image.new("L", (50, 50), 255).save(tmp_path / "blank.png")
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "broken.safetensors").write_text("no weights")
    out = ("-o", "out.png")
    for arguments, status, words in [
        (("nowhere.png", *out), 3, "nowhere.png does not exist"),
        (("blank.png", *out), 3, "blank.png holds no glyph"),
        (("text.png", *out), 3, "text.png is not an image"),
        ((glyph, *out, "--weights", "nowhere"), 2, "no weights are called 'nowhere', only compact"),
        ((glyph, *out, "--weights", "no/where"), 4, "no/where is no weights file"),
        ((glyph, *out, "--weights", "no.safetensors"), 4, "no.safetensors is no weights file"),
        ((glyph, *out, "--weights", "broken.safetensors"), 4, "broken.safetensors is damaged"),
        ((glyph, "--seed", 1, "-o", "nowhere/out.png"), 5, "cannot write nowhere/out.png"),
        ((glyph, "-o", "out.jpg"), 2, "cannot write out.jpg"),
        ((glyph, *out, "--seed", 1, "--device", "tpu"), 2, "--device is 'tpu'"),
    ]:
        one_line(vce("convert", *arguments, status=status), words)
    assert not list(tmp_path.glob("*out*"))
    one_line(vce("eval", "--data", "nowhere", status=7), "nowhere does not exist")
    some = ("--data", ".")  # what cannot be written is said before anything is read
    one_line(vce("eval", *some, "--grid", "gone/x.png", status=5), "there is no folder gone")
    one_line(vce("eval", *some, "--critics", "gone", status=4), "gone is no critics file")
    one_line(vce("critics", *some, "-o", "gone/x", status=5), "there is no folder gone")
    one_line(vce("critics", *some, "-o", tmp_path, status=5), "it is a folder")
    one_line(vce("train", status=2), "no data set is named")
    one_line(vce("train", "--data", tmp_path, "--recipe", "x", status=2), "no recipe is called")
    one_line(vce("train", "--data", tmp_path, "--size", 27, status=2), "size is 27")


def test_a_failed_run_leaves_the_old_output(vce, tmp_path):
    (tmp_path / "out.png").write_bytes(b"old")
    (tmp_path / "text.png").write_text("no image")
    vce("convert", "text.png", "-o", "out.png", status=3)
    assert (tmp_path / "out.png").read_bytes() == b"old"


def test_a_closed_pipe_is_141(tree, tmp_path):
    command = [COMMAND, "eval", "--data", tree, "--json", "--importance-samples", "1"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.returncode == 141
    assert b"Traceback" not in done.stderr


def test_wrong_usage_is_2(vce, glyph):
    for arguments in (("convert",), ("convert", glyph), ("convert", glyph, "-n", 0), ("nothing",)):
        assert vce(*arguments, status=2).stdout == ""
    for measured in (("eval",), ("critics", "-o", "x")):  # PyTorch has no such seed
        assert vce(*measured, "--data", "x", "--seed", 2**63, status=2).stdout == ""


def test_every_error_has_its_exit_code():
    assert set(EXIT_CODES) == set(errors.VCEError.__subclasses__())


def test_version_and_help_are_on_stdout(vce):
    assert re.fullmatch(r"vce \d+\.\d+\.\d+\n", vce("--version").stdout)
    assert "convert" in vce("--help").stdout


def test_two_processes_train_as_one(vce, tree, tmp_path):
    """Same seed and batch: every term agrees but for the rounding of sums."""
    settings = ("--episodes", 2, "--steps", 12, "--size", 12, "--device", "cpu", "--threads", 1)
    torchrun = COMMAND.with_name("torchrun")
    command = [torchrun, "--nproc-per-node", 2, "-m", "vce_cli", "train", "--data", tree]
    command = [str(word) for word in (*command, "--out", "two", *settings)]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    vce("train", "--data", tree, "--out", "one", *settings)
    one, two = metrics(tmp_path / "one"), metrics(tmp_path / "two")
    assert [line["step"] for line in one] == [line["step"] for line in two]
    for alone, shared in zip(one, two, strict=True):
        for term in ("loss", "reconstruction", "kl", "kl_converted", "regulariser"):
            assert shared[term] == pytest.approx(alone[term], rel=1e-3), (alone["step"], term)


def test_a_batch_that_processes_cannot_share_is_one_line(tree, tmp_path):
    command = [COMMAND.with_name("torchrun"), "--nproc-per-node", "2", "-m", "vce_cli", "train"]
    command += ["--data", tree, "--out", "run", "--recipe", "paper", "--steps", "6"]
    done = subprocess.run(
        list(map(str, command)), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "error: 19 pairs a step cannot be shared by 2 processes" in done.stderr


def test_help_is_grouped_and_has_examples(vce):
    page = vce("convert", "--help").stdout
    for words in ("Input", "Rules", "Output", "Running", "Examples", "Exit status"):
        assert words in page
    assert "vce convert DejaVuSans.ttf --chars latin -n 4 -o hand.ttf" in page


def test_no_color_means_no_colour():
    command = [COMMAND, "convert", "--help"]
    coloured = rb"\x1b\[[0-9;]*3[0-7]m"
    assert re.search(coloured, on_a_terminal(command, "stdout"))
    assert not re.search(coloured, on_a_terminal(command, "stdout", NO_COLOR="1"))


def test_evaluation_on_binary_drawings_has_no_floor(vce, tree):
    given = ("--data", tree, "--json", "--importance-samples", "1")
    figures = json.loads(vce("eval", *given, "--resize", "subsample").stdout)
    assert figures["resize"] == "subsample"
    assert figures["floor"]["mean"] == 0
    one_line(vce("eval", *given, "--resize", "nearest", status=2), "resize is 'nearest'")
