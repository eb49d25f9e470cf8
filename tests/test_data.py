import hashlib
import os
import shutil
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from conftest import scribble
from PIL import Image
from safetensors.numpy import save_file

from vce_models.config import ModelConfig
from vce_models.datasets.download import fetch
from vce_models.datasets.drawings import load
from vce_models.errors import DataError
from vce_models.glyphs import decoding

CONFIG = ModelConfig()
SUBSAMPLE = ModelConfig(resize="subsample")
HALVES = ("images_background", "images_evaluation")


@pytest.fixture
def archives(tree, tmp_path):
    """The drawn tree in the two official archives."""
    folder = tmp_path / "archives"
    folder.mkdir()
    for alphabet, half in enumerate(HALVES):
        with zipfile.ZipFile(folder / f"{half}.zip", "w") as archive:
            for path in sorted(tree.glob(f"alphabet{alphabet}/*/*.png")):
                archive.write(path, f"{half}/{path.relative_to(tree)}")
    return folder


def same(a, b):
    return a.names == b.names and all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in ("images", "starts")
    )


def test_archives_trees_and_torchvisions_folder_hold_the_same(archives, tmp_path):
    split = load(archives, CONFIG)
    assert split.train.names == tuple(f"alphabet0/character{n:02}" for n in range(0, 10, 2))
    assert split.test.names == tuple(f"alphabet1/character{n:02}" for n in range(1, 10, 2))
    unpacked = tmp_path / "unpacked"
    for half in HALVES:
        shutil.unpack_archive(archives / f"{half}.zip", unpacked)
    torchvision = tmp_path / "root"
    shutil.copytree(unpacked, torchvision / "omniglot-py")
    for other in (load(unpacked, CONFIG), load(torchvision, CONFIG)):
        assert same(split.train, other.train)
        assert same(split.test, other.test)


def test_a_tree_of_ones_own_holds_back_a_seeded_fifth(tree):
    split = load(tree, CONFIG, seed=1)
    assert (len(split.train), len(split.test)) == (8, 2)
    assert not set(split.train.names) & set(split.test.names)
    assert same(split.test, load(tree, CONFIG, seed=1).test)
    assert any(load(tree, CONFIG, seed=seed).test.names != split.test.names for seed in range(5))


def test_ink_is_one_and_the_drawing_keeps_its_place(tree):
    test = load(tree, CONFIG).test
    name = test.names[0]
    expected = 255 - np.asarray(Image.open(tree / name / "0.png"), float)
    found = test.images[0].astype(float)
    assert found.sum() * (105 / 28) ** 2 == pytest.approx(expected.sum(), rel=0.02)
    rows = [np.average(np.arange(len(x)) + 0.5, weights=x.sum(1)) for x in (found, expected)]
    assert rows[0] / 28 == pytest.approx(rows[1] / 105, abs=0.01)


def test_subsample_takes_the_pixels_of_the_binary_images(tmp_path):
    rng = np.random.default_rng(0)
    drawings = rng.random((2, 105, 105)) < 0.05  # ink
    for character, drawing in zip("ab", drawings, strict=True):
        (tmp_path / character).mkdir()
        for hand in range(2):
            image = Image.fromarray(~drawing)
            assert image.mode == "1"
            image.save(tmp_path / character / f"{hand}.png")
    split = load(tmp_path, SUBSAMPLE)
    places = np.floor(3.75 * np.arange(28)).astype(int)
    for part in (split.train, split.test):
        expected = drawings["ab".index(part.names[0])][np.ix_(places, places)]
        assert np.array_equal(part.images[0] / 255, expected)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tiff", "pgm"])
def test_every_format_is_read(tmp_path, suffix):
    for character in range(2):
        (tmp_path / str(character)).mkdir()
        for hand in range(2):
            scribble(character, hand).save(tmp_path / str(character) / f"{hand}.{suffix}")
    assert len(load(tmp_path, CONFIG).train.images) == 2


def test_drawings_are_decoded_once(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("VCE_CACHE", str(tmp_path))
    first, second = [], []
    load(tree, CONFIG, progress=lambda done, total: first.append((done, total)))
    split = load(tree, CONFIG, progress=lambda done, total: second.append(done))
    assert first[-1] == (60, 60)
    assert not second
    (cached,) = tmp_path.iterdir()
    cached.write_bytes(b"damaged")
    assert same(load(tree, CONFIG).train, split.train)


def test_the_cache_follows_the_content(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("VCE_CACHE", str(tmp_path / "cache"))
    copy = shutil.copytree(tree, tmp_path / "copy")
    before = load(copy, CONFIG)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    load(tree, CONFIG)  # the same content elsewhere
    assert len(list((tmp_path / "cache").iterdir())) == 1
    scribble(77, 0).save(copy / before.train.names[0] / "0.png")
    assert not same(load(copy, CONFIG).train, before.train)


def test_runs_that_start_together_share_the_cache(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("VCE_CACHE", str(tmp_path))
    with ThreadPoolExecutor(8) as pool:
        splits = list(pool.map(lambda _: load(tree, CONFIG), range(8)))
    assert all(same(split.train, splits[0].train) for split in splits)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_cache_that_is_no_file_is_not_waited_for(tree, tmp_path, monkeypatch, make):
    monkeypatch.setenv("VCE_CACHE", str(tmp_path))
    whole = load(tree, CONFIG)
    (cached,) = tmp_path.iterdir()
    cached.unlink()
    make(cached)
    assert np.array_equal(load(tree, CONFIG).train.images, whole.train.images)


def test_a_cache_that_cannot_be_written_costs_only_time(tree, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VCE_CACHE", str(tmp_path / "file"))
    assert len(load(tree, CONFIG).train) == 8


def test_unusable_folders_are_named(tree, archives, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    lonely = shutil.copytree(tree, tmp_path / "lonely")
    for hand in range(1, 6):
        (lonely / f"alphabet0/character04/{hand}.png").unlink()
    broken = shutil.copytree(tree, tmp_path / "broken")
    (broken / "alphabet1/character03/2.png").write_bytes(b"no image")
    cut = shutil.copytree(archives, tmp_path / "cut")
    whole = (cut / "images_evaluation.zip").read_bytes()
    (cut / "images_evaluation.zip").write_bytes(whole[: len(whole) // 2])
    half = shutil.copytree(archives, tmp_path / "half")
    (half / "images_evaluation.zip").unlink()
    for folder, words in {
        tmp_path / "nowhere": "nowhere does not exist",
        tree / "alphabet0/character00/0.png": "0.png is not a folder",
        empty: "empty holds no images",
        lonely: "lonely: alphabet0/character04 holds one image",
        broken: "alphabet1/character03/2.png is not an image",
        cut: "images_evaluation.zip is not a readable archive",
        half: "half has no images_evaluation.zip",
        tree / "alphabet0/character00": "has one character",
    }.items():
        with pytest.raises(DataError, match=words):
            load(folder, CONFIG)


class _Server(BaseHTTPRequestHandler):
    """Serves `files`; a name in `cut` loses its second half."""

    files: dict[str, bytes]
    cut: set[str]

    def do_GET(self):
        content = self.files.get(self.path[1:])
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.path[1:] in self.cut else content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(archives):
    _Server.files = {path.name: path.read_bytes() for path in archives.iterdir()}
    _Server.cut = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture
def checksums(server):
    return {name: hashlib.md5(content).hexdigest() for name, content in _Server.files.items()}


def test_download_fetches_what_is_missing(server, checksums, archives, tmp_path):
    seen = []
    new = tmp_path / "new"
    fetch(new, base_url=server, checksums=checksums, progress=lambda *at: seen.append(at))
    assert {path.name: path.read_bytes() for path in new.iterdir()} == _Server.files
    assert seen[-1][0] == seen[-1][1] > 0
    assert same(load(new, CONFIG).test, load(archives, CONFIG).test)
    _Server.files = {}  # nothing is asked for a second time
    fetch(new, base_url=server, checksums=checksums)


def test_a_wrong_checksum_leaves_nothing(server, checksums, tmp_path):
    wrong = dict.fromkeys(checksums, "0" * 32)
    with pytest.raises(DataError, match=r"images_\w+.zip is not the file it should be"):
        fetch(tmp_path / "new", base_url=server, checksums=wrong)
    assert not list((tmp_path / "new").iterdir())


def test_a_broken_connection_leaves_nothing_half_written(server, checksums, tmp_path):
    last = list(checksums)[-1]
    _Server.cut = {last}
    with pytest.raises(DataError, match=f"cannot download .*{last}"):
        fetch(tmp_path / "new", base_url=server, checksums=checksums)
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(checksums) - {last}


def test_a_missing_file_and_a_missing_server_are_errors(server, checksums, tmp_path):
    _Server.files = {}
    with pytest.raises(DataError, match=r"cannot download .* 404"):
        fetch(tmp_path, base_url=server, checksums=checksums)
    with pytest.raises(DataError, match="cannot download"):
        fetch(tmp_path, base_url="http://127.0.0.1:9", checksums=checksums)
    assert not list(tmp_path.glob("*.zip*"))


def test_omniglot_is_whole(omniglot):
    split = load(omniglot, CONFIG)
    assert (len(split.train), len(split.test)) == (964, 659)
    assert (len(split.train.images), len(split.test.images)) == (19_280, 13_180)
    grey = split.test.images / 255
    both = np.stack((grey, 1 - grey)).clip(1e-12, 1)
    floor = -(grey * np.log(both[0]) + (1 - grey) * np.log(both[1])).sum((1, 2)).mean()
    assert floor == pytest.approx(43.76, abs=0.02)  # of Pillow's BOX, measured elsewhere


def test_hidden_files_are_no_drawings(tree, tmp_path):
    copy = shutil.copytree(tree, tmp_path / "copy")
    (copy / "alphabet0/character00/._0.png").write_bytes(b"resource fork")
    (copy / "notes.txt").write_text("mine")
    assert same(load(copy, CONFIG).train, load(tree, CONFIG).train)


def test_archives_may_have_a_folder_around_all_or_none(archives, tmp_path):
    whole = load(archives, CONFIG)
    for top in ("{half}/", "", "mine/"):
        folder = tmp_path / f"top{len(top)}"
        folder.mkdir()
        for half in HALVES:
            with (
                zipfile.ZipFile(archives / f"{half}.zip") as old,
                zipfile.ZipFile(folder / f"{half}.zip", "w") as new,
            ):
                for name in old.namelist():
                    new.writestr(name.replace(f"{half}/", top.format(half=half)), old.read(name))
        assert same(load(folder, CONFIG).train, whole.train)
        assert same(load(folder, CONFIG).test, whole.test)


def test_what_macos_adds_to_archives_is_no_drawing(archives):
    whole = load(archives, CONFIG)
    with zipfile.ZipFile(archives / "images_background.zip", "a") as archive:
        for name in archive.namelist():
            folder, _, file = name.rpartition("/")
            archive.writestr(f"__MACOSX/{folder}/._{file}", bytes(16))
    assert same(load(archives, CONFIG).train, whole.train)


@pytest.mark.parametrize("tensor", [np.zeros((48, 28, 28), np.int64), np.zeros(3, np.uint8)])
def test_what_lies_in_the_cache_and_does_not_fit_is_made_anew(tree, tmp_path, monkeypatch, tensor):
    monkeypatch.setenv("VCE_CACHE", str(tmp_path))
    split = load(tree, CONFIG)
    (cached,) = tmp_path.iterdir()
    save_file({"images": tensor}, cached)
    assert same(load(tree, CONFIG).train, split.train)


def test_a_pipe_among_drawings_is_left_out(tree, tmp_path):
    copy = shutil.copytree(tree, tmp_path / "copy")
    os.mkfifo(copy / "alphabet0/character00/9.png")
    assert same(load(copy, CONFIG).train, load(tree, CONFIG).train)


def test_names_that_are_no_utf_8_are_read(tree, tmp_path):
    copy = shutil.copytree(tree, tmp_path / "copy")
    os.rename(os.fsencode(copy / "alphabet0"), os.fsencode(copy) + b"/\xff")  # noqa: PTH104
    assert len(load(copy, CONFIG).train) == 8


def test_a_file_of_absurd_length_is_refused(tree, tmp_path):
    copy = shutil.copytree(tree, tmp_path / "copy")
    with (copy / "alphabet0/character00/0.png").open("r+b") as file:
        file.truncate(decoding.MAX_BYTES + 1)
    with pytest.raises(DataError, match="more than 64 MB"):
        load(copy, CONFIG)
