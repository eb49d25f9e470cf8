"""The command that trains the paper's rows, measures them and fills in their table."""

import json
import shutil
import subprocess
import sys

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


def test_what_was_not_measured_is_left_out():
    row = {"name": "VAE", **BY, "box": LIKELIHOODS}
    text = paper.tables([row])
    assert "| VAE | grey, BOX | 68.75 | 90.0 | 20.0 | 110.0 | 105.2 (1.3) | 43.8 |" in text
    assert "NLL by 1,000 importance samples on 1 target a character" in text
    for other in ("IntroVAE", "BILINEAR", "recognisability"):
        assert other not in text


def test_a_row_that_collapsed_says_so():
    row = {"name": "IntroVAE", **BY, "box": LIKELIHOODS, "error": "collapsed", "measured at": 500}
    assert "- IntroVAE: collapsed; measured at step 500." in paper.tables([row])


def test_the_tables_are_put_into_the_page_and_replaced_there(tmp_path):
    page = shutil.copy(ROOT / "docs/results.md", tmp_path / "results.md")
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
    page = shutil.copy(ROOT / "docs/results.md", tmp_path / "results.md")
    command = [sys.executable, ROOT / "benchmarks/paper.py", "--data", tree, "--out", "out"]
    command += ["--networks", "compact", "--steps", 4, "--threads", 1, "--importance-samples", 1]
    command += ["--targets", 1, "--write", page, "--only"]

    def run(*rows):
        words = [str(word) for word in (*command, *rows)]
        subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
        return paper.lines(tmp_path / "out/results.jsonl")

    (row,) = run("VAE, no condition")
    assert {"box", "bilinear", "subsample"} < row.keys()
    assert row["subsample"]["floor"] == 0 < row["box"]["floor"] < row["bilinear"]["floor"]
    assert not (tmp_path / "out/common").exists()
    rows = run("VAE, no condition", "LMVAE, sigma 0")
    assert [row["name"] for row in rows] == ["VAE, no condition", "LMVAE, sigma 0"]
    assert (tmp_path / "out/common/checkpoint.safetensors").exists()
    table = page.read_text().partition(paper.BEGIN)[2].partition(paper.END)[0]
    assert "| LMVAE, sigma 0 | binary | 62.8 |" in table
    assert (tmp_path / "out/fig5.png").exists()
