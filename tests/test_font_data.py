"""A folder of fonts is a data set: each character a class, each font a drawing of it."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import COMMAND, one_line, scribble
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont
from safetensors.torch import load_file
from ufoLib2 import Font

from vce_models.config import ModelConfig
from vce_models.datasets import typefaces
from vce_models.errors import DataError
from vce_models.fonts.source import read_font

CONFIG = ModelConfig()
LETTERS = "ABDHInosé"
SHORT = ("--size", 12, "--recipe", "paper", "--threads", 1, "--device", "cpu")


def strokes(pen, letter, width):
    """Two bars that lie otherwise in every letter, as wide as the typeface makes them."""
    rng = np.random.default_rng(ord(letter))
    for _ in range(2):
        x, y = rng.integers(0, 500, 2)
        across, up = rng.permutation([int(rng.integers(200, 400)), 90])
        corners = [(x, y), (x, y + up), (x + across, y + up), (x + across, y)]
        places = [(round(width * left), int(bottom)) for left, bottom in corners]
        pen.moveTo(places[0])
        for place in places[1:]:
            pen.lineTo(place)
        pen.closePath()


def typeface(path, letters=LETTERS, width=1.0):
    """A font in the form that its name says."""
    if path.suffix == ".ufo":
        font = Font()
        font.info.familyName, font.info.styleName, font.info.unitsPerEm = "T", "Regular", 1000
        font.info.ascender, font.info.descender = 800, -200
        for letter in letters:
            glyph = font.newGlyph(f"g{ord(letter)}")
            glyph.unicodes, glyph.width = [ord(letter)], 600
            strokes(glyph.getPen(), letter, width)
        font.save(path)
        return path
    otf = path.suffix == ".otf"
    builder = FontBuilder(1000, isTTF=not otf)
    names = {letter: f"g{ord(letter)}" for letter in letters}
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap({ord(letter): name for letter, name in names.items()})
    glyphs = {}
    for letter, name in {" ": ".notdef", **names}.items():
        pen = T2CharStringPen(600, None) if otf else TTGlyphPen(None)
        strokes(pen, letter, width)
        glyphs[name] = pen.getCharString() if otf else pen.glyph()
    if otf:
        builder.setupCFF("T", {}, glyphs, {})
    else:
        builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "T", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    if path.suffix == ".ttc":
        collection = TTCollection()
        collection.fonts = [builder.font]
        collection.save(path)
    else:
        builder.font.flavor = path.suffix[1:] if path.suffix.startswith(".woff") else None
        builder.font.save(path)
    return path


@pytest.fixture
def fonts(tmp_path):
    """Four typefaces, each wider than the one before."""
    folder = tmp_path / "fonts"
    folder.mkdir()
    for number, name in enumerate(("a.ttf", "b.otf", "c.woff2", "d.ufo")):
        typeface(folder / name, width=0.6 + 0.4 * number)
    return folder


def characters(part):
    return "".join(chr(int(name.rpartition("/uni")[2], 16)) for name in part.names)


def test_a_font_draws_each_character_as_converting_sees_it(fonts):
    split = typefaces.load(fonts, CONFIG)
    assert characters(split.train) == "ABHo"
    assert characters(split.test) == "DIns"
    for part in split.train, split.test:
        assert part.starts.tolist() == [0, 4, 8, 12, 16]
        for c, letter in enumerate(characters(part)):
            for number, path in enumerate(sorted(fonts.iterdir())):
                framed, _ = read_font(path).read(ord(letter), CONFIG)
                found = part.images[part.starts[c] + number]
                np.testing.assert_allclose(found / 255, framed.condition, atol=1 / 500)
    assert split.train.images[0].astype(int).sum() != split.train.images[3].astype(int).sum()


def test_every_form_of_font_is_read_in_folders_too(tmp_path):
    folder = tmp_path / "fonts"
    (folder / "more/deep").mkdir(parents=True)
    forms = ("a.ttf", "b.otf", "more/c.woff", "more/d.woff2", "more/deep/e.ttc", "f.ufo")
    for name in forms:
        typeface(folder / name)
    (folder / "licence.txt").write_text("OFL")
    (folder / "._a.ttf").write_bytes(b"resource fork")
    assert [str(path.relative_to(folder)) for path in typefaces.find(folder)] == sorted(forms)
    train = typefaces.load(folder, CONFIG).train
    drawings = train.images.reshape(len(train), len(forms), 28, 28).astype(int)
    assert np.abs(drawings - drawings[:, :1]).max() <= 12  # a packed font is the font


def test_which_characters_test_does_not_depend_on_the_others(fonts):
    assert characters(typefaces.load(fonts, CONFIG, chars="A,D,n").test) == "Dn"
    assert characters(typefaces.load(fonts, CONFIG, chars="latin").test) == "DIns"
    everything = typefaces.load(fonts, CONFIG, chars="all")
    assert characters(everything.train) == "ABHoé"
    for letter in map(chr, range(0x21, 0x500)):
        assert typefaces.held_back(ord(letter)) == typefaces.held_back(ord(letter.lower()[0]))


def test_a_character_that_one_font_draws_is_left_out(fonts):
    typeface(fonts / "e.ttf", letters="ADKx")
    typeface(fonts / "f.ttf", letters="αβ")
    split = typefaces.load(fonts, CONFIG, chars="latin")
    assert characters(split.train) == "ABHo"
    assert np.diff(split.train.starts).tolist() == [5, 4, 4, 4]
    assert characters(split.test) == "DIns"


def test_an_alphabet_is_what_the_same_fonts_draw(fonts):
    typeface(fonts / "e.ttf", letters="ADH")
    train = typefaces.load(fonts, CONFIG).train
    alphabets = {c: name.split("/")[0] for c, name in zip("ABHo", train.names, strict=True)}
    assert alphabets["A"] == alphabets["H"] != alphabets["B"] == alphabets["o"]


def test_drawings_to_train_on_may_be_larger_and_binary(fonts):
    split = typefaces.load(fonts, ModelConfig(resize="subsample"), magnification=2)
    assert split.train.images.shape == (16, 56, 56)
    assert split.test.images.shape == (16, 28, 28)
    assert set(np.unique(split.test.images)) == {0, 255}


def test_fonts_are_rendered_once_until_an_outline_changes(fonts, tmp_path, monkeypatch):
    monkeypatch.setenv("VCE_CACHE", str(tmp_path / "cache"))
    seen: list[list[tuple[int, int]]] = [[], [], []]

    def load(number):
        count = seen[number].append
        return typefaces.load(fonts, CONFIG, progress=lambda done, total: count((done, total)))

    first, second = load(0), load(1)
    assert seen[0] == [(i, 16) for i in range(1, 17)] * 2
    assert not seen[1]
    for one, other in ((first.train, second.train), (first.test, second.test)):
        np.testing.assert_array_equal(one.images, other.images)
    typeface(fonts / "a.ttf", width=2.5)
    assert not np.array_equal(load(2).train.images, first.train.images)
    assert seen[2]


def broken(folder):
    typeface(folder / "a.ttf")
    whole = typeface(folder / "b.ttf").read_bytes()
    (folder / "b.ttf").write_bytes(whole[: len(whole) // 2])


def broken_glyph(folder):
    typeface(folder / "a.ttf")
    with TTFont(typeface(folder / "b.ttf")) as font:
        data, place = bytearray((folder / "b.ttf").read_bytes()), font.reader.tables["glyf"]
        start = place.offset + font["loca"][font.getGlyphID("g65")]
    data[start + 10 : start + 14] = b"\xff" * 4  # where its contours end
    (folder / "b.ttf").write_bytes(data)


def one_font(folder):
    typeface(folder / "a.ttf")


def nothing_shared(folder):
    typeface(folder / "a.ttf", letters="ABD")
    typeface(folder / "b.ttf", letters="HIn")


def images_beside(folder):
    typeface(folder / "a.ttf")
    scribble(0, 0).save(folder / "preview.png")


def two(letters):
    def make(folder):
        for name in ("a.ttf", "b.ttf"):
            typeface(folder / name, letters)

    return make


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (one_font, "fonts has no character that two fonts draw, of 1 in all"),
        (nothing_shared, "fonts has no character that two fonts draw, of 2 in all"),
        (broken, "b.ttf is not a font, or damaged"),
        (broken_glyph, "'A' (U+0041) of fonts/b.ttf is damaged"),
        (images_beside, "fonts holds fonts and images, a.ttf and preview.png"),
        (two("αβγδ"), "no font of fonts draws any of latin,digits,punctuation"),
        (two("ABC"), "fonts has no character to test that two fonts draw"),
        (two("DIN"), "fonts has no character to train on that two fonts draw"),
    ],
)
def test_fonts_that_are_no_use_are_refused_with_the_reason(make, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("fonts").mkdir()
    make(Path("fonts"))
    with pytest.raises(DataError, match=re.escape(words)):
        typefaces.load(Path("fonts"), CONFIG)


def test_the_command_says_why_fonts_are_no_use(vce, fonts, tree, tmp_path):
    def refused(words, *options, status=7):
        one_line(vce("train", *options, "--steps", 3, *SHORT, status=status), words)

    refused("draws any of runic,U+00DF", "--data", "fonts", "--chars", "runic,U+00DF")
    refused("'runes'", "--data", "fonts", "--chars", "runes", status=2)
    for path in sorted(fonts.iterdir())[2:]:
        path.rename(tmp_path / path.name)
    (fonts / "b.otf").write_bytes((fonts / "b.otf").read_bytes()[:600])
    refused("fonts/b.otf is not a font, or damaged", "--data", "fonts")
    (fonts / "b.otf").unlink()
    refused("fonts has no character that two fonts draw, of 1 in all", "--data", "fonts")
    (fonts / "a.ttf").unlink()
    refused("fonts holds no images", "--data", "fonts")
    refused("has no characters to choose", "--data", tree, "--chars", "latin", status=2)
    refused("nowhere does not exist", "--data", "nowhere", "--chars", "latin")
    assert not (tmp_path / "runs").exists()


def test_what_fonts_teach_is_measured_and_converts(vce, fonts, tmp_path):
    vce("train", "--data", "fonts", "--out", "run", "--steps", 6, *SHORT)
    given = ("--weights", "run/weights.safetensors")
    done = vce("eval", *given, "--data", "fonts", "--chars", "A-I,n,o", "--json")
    figures = json.loads(done.stdout)
    assert (figures["characters"], figures["pairs"]) == (3, 9)
    assert figures["transfer"]["trials"]
    vce("convert", "fonts/a.ttf", "--text", "AD", *given, "-n", 2, "-o", "out.npz")
    assert np.load(tmp_path / "out.npz")["images"].shape[:2] == (2, 2)
    vce("critics", "--data", "fonts", "--chars", "latin", "--steps", 2, "-o", "c.safetensors")


def test_training_on_fonts_goes_on_with_the_characters_it_had(vce, fonts, tmp_path):
    chosen = ("--data", "fonts", "--chars", "A,B,D,I,o", "--steps", 40, *SHORT)
    command = [COMMAND, "train", *chosen, "--out", "stopped"]
    with subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, cwd=tmp_path) as process:
        while not (tmp_path / "stopped/metrics.jsonl").exists() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.stderr
        process.stderr.read()
    assert process.returncode == 130
    one_line(
        vce("train", "--resume", "stopped", "--chars", "latin", status=2), "--chars cannot change"
    )
    vce("train", "--resume", "stopped", "--threads", 1, "--device", "cpu")
    vce("train", *chosen, "--out", "whole")
    resumed, whole = (
        load_file(tmp_path / run / "weights.safetensors") for run in ("stopped", "whole")
    )
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    settings = tmp_path / "whole/config.json"
    settings.write_text(settings.read_text().replace('"A,B,D,I,o"', "[1]"))
    one_line(vce("train", "--resume", "whole", status=2), "holds no run to resume")


def test_a_pipe_among_fonts_is_left_out(fonts):
    os.mkfifo(fonts / "z.ttf")
    assert len(typefaces.find(fonts)) == 4
