"""Kerning of a font in GPOS, and in the table `kern` of older fonts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont


def in_gpos(font: TTFont) -> bool:
    """Whether GPOS kerns; where it does, the table `kern` is read by few programs."""
    features = font["GPOS"].table.FeatureList if "GPOS" in font else None
    return any(record.FeatureTag == "kern" for record in getattr(features, "FeatureRecord", ()))


def drop_unnamed(font: TTFont) -> None:
    """Take from the table `kern` the pairs of glyphs that no character is mapped to.

    Programs that read this table alone set no such glyphs. Where GPOS does not kern, all
    pairs stay.
    """
    if "kern" not in font or not in_gpos(font):
        return
    named = set((font.getBestCmap() or {}).values())
    kept = []
    for table in font["kern"].kernTables:
        if pairs := getattr(table, "kernTable", None):
            table.kernTable = {pair: by for pair, by in pairs.items() if named.issuperset(pair)}
        if getattr(table, "kernTable", True):  # of a form that is not known here, all stays
            kept.append(table)
    font["kern"].kernTables = kept
    if not kept:
        del font["kern"]
