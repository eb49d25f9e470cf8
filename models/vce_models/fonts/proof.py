"""The proof is one HTML page that shows, mixes and saves the hands of a font, without a network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

LIMIT = 24 * 2**20
"""A page that would have more characters than this leaves the single fonts out."""

MEDIA_TYPES = {".ttf": "font/ttf", ".otf": "font/otf", ".woff": "font/woff", ".woff2": "font/woff2"}
"""The media type of a font, by the suffix of its file."""


@dataclass(frozen=True)
class Axis:
    """One hand of the variable font: 0 is the source, 100 the hand.

    Attributes:
        tag: Four characters, as `HND1`.
        name: How the page calls the hand.
    """

    tag: str
    name: str


@dataclass(frozen=True)
class SingleFont:
    """A font of one hand, to be saved.

    Attributes:
        name: The file's name; its suffix says its format.
        data: The file's bytes.
    """

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class ProofFonts:
    """What a proof shows. Strangers may have written any of the strings.

    Attributes:
        family: The family's name.
        variable: The variable font as WOFF2; at 0 on every axis it is the source.
        axes: Its axes, one for each hand.
        characters: Code points that the font holds, in the order in which the page lists them.
        sample: The text that the page opens with, in one or more lines. Each takes the
            direction of its script.
        command: The command line that makes the page again.
        alternates: A font as WOFF2 whose `calt` varies its letters.
        singles: The font of each hand, in the order of `axes`, or none.
    """

    family: str
    variable: bytes = field(repr=False)
    axes: tuple[Axis, ...]
    characters: tuple[int, ...]
    sample: str
    command: str
    alternates: bytes | None = field(default=None, repr=False)
    singles: tuple[SingleFont, ...] = ()


def page(fonts: ProofFonts, limit: int = LIMIT) -> str:
    """Write the proof of a family as one HTML file that asks for no other.

    Each font lies in it once, in the link that saves it. The page's own policy forbids every
    request and every script but its own.

    Args:
        fonts: What to show.
        limit: Characters that the page may have. Single fonts that would take it beyond this are
            left out, and the page says so.
    """
    whole = _fill(fonts, fonts.singles, "")
    if len(whole) <= limit or not fonts.singles:
        return whole
    omission = (
        f"The single fonts are left out: with them this page would take {_size(len(whole))}. "
        "The variable font holds every hand, at 100 on its axis."
    )
    return _fill(fonts, (), f'<p class="note" id="omission">{omission}</p>')


def _fill(fonts: ProofFonts, singles: tuple[SingleFont, ...], omission: str) -> str:
    here = Path(__file__).parent
    template, style, script = (
        (here / f"proof.{kind}").read_text("utf-8") for kind in ("html", "css", "js")
    )
    return Template(template).substitute(
        family=_escape(fonts.family),
        summary=_escape(_summary(fonts)),
        downloads="\n".join(_downloads(fonts, singles)),
        omission=omission,
        command=_escape(fonts.command),
        data=_data(fonts, bool(singles)),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
    )


def _summary(fonts: ProofFonts) -> str:
    hands, characters = len(fonts.axes), len(fonts.characters)
    return (
        f"{hands} {'hand' if hands == 1 else 'hands'}, "
        f"{characters:,} {'character' if characters == 1 else 'characters'}"
    )


def _downloads(fonts: ProofFonts, singles: tuple[SingleFont, ...]) -> list[str]:
    stem = "".join(c if c.isalnum() else "-" for c in fonts.family).strip("-") or "font"
    variable = SingleFont(f"{stem}-variable.woff2", fonts.variable)
    links = [_link("variable", variable, "variable, an axis for each hand")]
    if fonts.alternates is not None:
        alternates = SingleFont(f"{stem}-alternates.woff2", fonts.alternates)
        links.append(_link("alternates", alternates, "alternates"))
    for number, (axis, single) in enumerate(
        zip(fonts.axes, singles, strict=bool(singles)), start=1
    ):
        links.append(_link(f"single-{number}", single, axis.name))
    return links


def _link(identity: str, font: SingleFont, kind: str) -> str:
    media = MEDIA_TYPES.get(Path(font.name).suffix.lower(), "application/octet-stream")
    data = base64.b64encode(font.data).decode("ascii")
    name = _escape(font.name)
    return (
        f'<li><a id="{identity}" download="{name}" href="data:{media};base64,{data}">{name}</a>'
        f"<span>{_escape(kind)}</span><span>{_size(len(font.data))}</span></li>"
    )


def _data(fonts: ProofFonts, saved: bool) -> str:
    """Write what the script reads, as JSON in which nothing can end the element around it."""
    data = {
        "axes": [{"tag": axis.tag, "name": axis.name} for axis in fonts.axes],
        "characters": fonts.characters,
        "names": [_name(point) for point in fonts.characters],
        "sample": fonts.sample,
        "saved": saved,
    }
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _name(point: int) -> str:
    """Return a character's name in Unicode, or nothing where it only repeats the code point."""
    name = unicodedata.name(chr(point), "")
    return "" if name.endswith(f"-{point:04X}") else name


def _escape(text: str) -> str:
    """Make a string harmless in an element or a quoted attribute; lone surrogates become ?."""
    return html.escape(text.encode("utf-8", "replace").decode("utf-8"), quote=True)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"
