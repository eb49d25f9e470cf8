"""Build the wheel, look inside, and convert with it where nothing else is installed."""

import json
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
MEGABYTE = 2**20


def build(folder):
    """The wheel, by way of the source distribution, as an index would have it."""
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", folder, ROOT],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def look_inside(wheel):
    with zipfile.ZipFile(wheel) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    top = {name.split("/")[0] for name in sizes if ".dist-info/" not in name}
    data = next(name for name in top if name.endswith(".data"))
    assert top == {"vce_cli", "vce_models", data}, top
    assert f"{data}/data/share/man/man1/vce.1" in sizes
    for path in (ROOT / "models/vce_models/pretrained").glob("*.toml"):
        card = f"vce_models/pretrained/{path.name}"
        weights = card.replace(".toml", ".safetensors")
        assert sizes[card]
        assert 0 < sizes[weights] < 8 * MEGABYTE, (weights, sizes[weights])
    assert wheel.stat().st_size < 10 * MEGABYTE, wheel.stat().st_size
    assert 0 < sizes["vce_models/pretrained/critics.safetensors"] < MEGABYTE
    assert "vce_models/pretrained/README.md" in sizes
    for kind in ("html", "css", "js"):
        assert f"vce_models/fonts/proof.{kind}" in sizes
    assert "vce_cli/py.typed" in sizes
    assert "vce_models/py.typed" in sizes


def use(wheel, folder):
    """Convert in a new environment; what needs PyTorch says so in one line."""
    venv.create(folder / "env", with_pip=True)
    programs = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    pip = [programs / "pip", "install", "--quiet", "-c", ROOT / "constraints.txt"]
    subprocess.run([*pip, wheel], check=True)

    def vce(*arguments):
        command = [programs / "vce", *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    glyph = ROOT / "examples/glyphs/ampersand.png"
    done = vce("convert", glyph, "-n", "16", "-o", "out.png")
    assert done.returncode == 0, done.stderr
    assert (folder / "out.png").read_bytes().startswith(b"\x89PNG")
    for name in json.loads(vce("weights", "--json").stdout):
        done = vce("convert", glyph, "--weights", name, "-n", "1", "-o", f"{name}.png")
        assert done.returncode == 0, done.stderr
    done = vce("convert", glyph, "-o", "out.svg")
    assert done.returncode == 2, done
    assert "pip install 'vce-cli[fonts]'" in done.stderr, done.stderr
    for command in ("train", "eval"):
        done = vce(command, "--data", folder)
        assert done.returncode == 2, done
        assert "pip install 'vce-cli[torch]'" in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        built = build(Path(place))
        look_inside(built)
        use(built, Path(place))
        print(f"{built.name}: whole, and converts alone")
