"""The command that trains the paper's rows, measures them and fills in their table."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import paper
import pytest
from conftest import ROOT

from vce_models.recipes import RECIPES

LIKELIHOODS = {
    "reconstruction": 90.0,
    "kl": 20.0,
    "nelbo": 110.0,
    "nll": 105.25,
    "floor": 43.8,
    "nll_error": 1.3,
}
BY = {"importance_samples": 1000, "targets": 1}
VAE = {"name": "VAE", "images": "box", **BY, **LIKELIHOODS}


def test_what_was_not_measured_is_left_out():
    text = paper.tables([VAE], **BY)
    assert "| VAE | grey, BOX | 68.75 | 90.0 | 20.0 | 110.0 | 105.2 (1.3) | 43.8 |" in text
    assert "NLL by 1,000 importance samples on 1 target a character" in text
    for other in ("IntroVAE", "BILINEAR", "recognisability"):
        assert other not in text


def test_a_row_that_collapsed_says_so():
    rows = [VAE, {"name": "IntroVAE", "error": "collapsed", "step": 500}]
    assert "- IntroVAE: collapsed; measured at step 500." in paper.tables(rows, **BY)
    assert paper.tables(rows[1:], **BY) == ""


def test_the_last_measurement_counts_and_others_are_left_out():
    other = {**VAE, "importance_samples": 10, "nll": 111.0}
    text = paper.tables([VAE, {**VAE, "nll": 103.0}, other], **BY)
    assert "| 103.0 (1.3) |" in text
    assert "105.2" not in text
    assert "111.0" not in text


def test_the_tables_are_put_into_the_page_and_replaced_there(tmp_path):
    page = Path(shutil.copy(ROOT / "docs/results.md", tmp_path / "results.md"))
    before, _, rest = page.read_text().partition(paper.BEGIN)
    after = rest.partition(paper.END)[2]
    for text in ("first", "second"):
        paper.write(page, text)
        assert page.read_text() == f"{before}{paper.BEGIN}\n\n{text}\n{paper.END}{after}"
    page.write_text("nothing")
    with pytest.raises(SystemExit):
        paper.write(page, "text")


def test_the_checkpoint_that_is_kept_is_of_these_settings():
    begun = json.loads((ROOT / "benchmarks/table/common/config.json").read_text())["train"]
    config = paper.TrainConfig.from_dict(begun)
    assert config == paper.NETWORKS["paper"]
    assert config.model == RECIPES["paper"].model


def test_rows_are_trained_one_by_one_and_measured(tree, tmp_path):
    page = Path(shutil.copy(ROOT / "docs/results.md", tmp_path / "results.md"))
    command = [sys.executable, ROOT / "benchmarks/paper.py", "--data", tree, "--out", "out"]
    command += ["--networks", "compact", "--steps", 4, "--threads", 1, "--importance-samples", 1]
    command += ["--targets", 1, "--write", page, "--only"]

    def run(*rows):
        words = [str(word) for word in (*command, *rows)]
        subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
        return paper.lines(tmp_path / "out/results.jsonl")

    rows = {row.get("images"): row for row in run("VAE, no condition")}
    assert rows.keys() >= {"box", "bilinear", "subsample"}
    assert rows["subsample"]["floor"] == 0 < rows["box"]["floor"] < rows["bilinear"]["floor"]
    own = json.loads((tmp_path / "out/VAE-no-condition/config.json").read_text())["train"]
    begun = json.loads((tmp_path / "out/common/config.json").read_text())["train"]
    assert not own["model"]["condition"]
    assert begun["model"]["condition"]
    assert own["lmvae_steps"] == paper.LONGER * begun["lmvae_steps"]
    again = run("VAE, no condition", "LMVAE, sigma 0")
    images = [row["images"] for row in again if "images" in row]
    assert images == 2 * ["box", "bilinear", "subsample"]
    table = page.read_text().partition(paper.BEGIN)[2].partition(paper.END)[0]
    assert "| LMVAE, sigma 0 | binary | 62.8 |" in table
    assert (tmp_path / "out/fig5.png").exists()
    trained = tmp_path / "out/LMVAE-sigma-0/weights.safetensors"
    before = trained.stat().st_mtime_ns
    (trained.parent / "checkpoint.safetensors").unlink()
    run("LMVAE, sigma 0")  # the weights of a run that is over are enough
    assert trained.stat().st_mtime_ns == before
