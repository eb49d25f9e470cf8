"""Colour fonts lay glyphs on each other, and these have to go on fitting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

_PAINTS = ("Paint", "SourcePaint", "BackdropPaint")


def layered(font: TTFont) -> set[str]:
    """List the glyphs of `COLR`: those that have layers, and the layers."""
    if "COLR" not in font:
        return set()
    colours = font["COLR"]
    if not colours.version:
        layers = (layer.name for each in colours.ColorLayers.values() for layer in each)
        return {*colours.ColorLayers, *layers}
    found: set[str] = set()
    table = colours.table
    if plain := table.BaseGlyphRecordArray:
        found.update(record.BaseGlyph for record in plain.BaseGlyphRecord)
        found.update(record.LayerGlyph for record in table.LayerRecordArray.LayerRecord)
    for record in table.BaseGlyphList.BaseGlyphPaintRecord if table.BaseGlyphList else ():
        found.add(record.BaseGlyph)
        found.update(_glyphs(record.Paint))
    for paint in table.LayerList.Paint if table.LayerList else ():
        found.update(_glyphs(paint))
    return found


def _glyphs(paint: Any) -> Iterator[str]:
    """Yield the glyphs that a paint names; paints of the list of layers are not followed."""
    waiting = [paint]
    while waiting:
        paint = waiting.pop()
        if isinstance(glyph := getattr(paint, "Glyph", None), str):
            yield glyph
        waiting += [inner for name in _PAINTS if (inner := getattr(paint, name, None))]
