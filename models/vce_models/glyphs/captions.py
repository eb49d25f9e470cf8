"""Find a font of this system for a caption, one that has its character."""

from __future__ import annotations

from functools import cache

from PIL import ImageFont

NOWHERE = "\U0010fffe"
"""A character that no font has; a font shows for it what it shows for all that it lacks."""

# Files in which systems keep their fonts: of many scripts, and of Chinese, Japanese and Korean.
PLAIN = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "Arial Unicode.ttf",
    "arial.ttf",
    "segoeui.ttf",
    "seguisym.ttf",
    "FreeSans.otf",
    "FreeSans.ttf",
    "NotoSansSymbols2-Regular.ttf",
)
HAN = (
    "NotoSansCJK-Regular.ttc",
    "PingFang.ttc",
    "msyh.ttc",
    "msgothic.ttc",
    "malgun.ttf",
    "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf",
)


@cache
def font_for(character: str, size: int) -> ImageFont.FreeTypeFont | None:
    """Find a font of this system that has a character, at a size in pixels; None if none has.

    Letters of the Latin alphabet come from the font in Pillow itself, and look the same
    everywhere.
    """
    own = ImageFont.load_default(size)
    if isinstance(own, ImageFont.FreeTypeFont) and _has(own, character):
        return own
    for name in (*PLAIN, *_of_script(character), *HAN):
        font = _opened(name, size)
        if font is not None and _has(font, character):
            return font
    return None


def _of_script(character: str) -> tuple[str, ...]:
    from fontTools import unicodedata

    script = unicodedata.script_name(unicodedata.script(character)).replace("_", "")
    return (f"NotoSans{script}-Regular.ttf", f"NotoSerif{script}-Regular.ttf")


@cache
def _opened(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(name, size, layout_engine=ImageFont.Layout.BASIC)
    except OSError:  # this system lacks it
        return None


def _has(font: ImageFont.FreeTypeFont, character: str) -> bool:
    rendered, lacking = font.getmask(character), font.getmask(NOWHERE)
    if rendered.getbbox() is None:
        return False
    return (rendered.size, bytes(rendered)) != (lacking.size, bytes(lacking))
