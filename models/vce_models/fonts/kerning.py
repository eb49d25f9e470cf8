"""Kerning is found in GPOS, and in the table `kern` of older fonts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont


def in_gpos(font: TTFont) -> bool:
    """Say whether GPOS has kerning; if so, few programs read the table `kern`."""
    features = font["GPOS"].table.FeatureList if "GPOS" in font else None
    return any(record.FeatureTag == "kern" for record in getattr(features, "FeatureRecord", ()))


def drop_unnamed(font: TTFont) -> None:
    """Remove pairs from the table `kern` whose glyphs no character is mapped to.

    Programs that read this table alone never set such glyphs. All pairs stay in a font whose
    GPOS has no kerning.
    """
    if "kern" not in font or not in_gpos(font):
        return
    named = set((font.getBestCmap() or {}).values())
    kept = []
    for table in font["kern"].kernTables:
        if pairs := getattr(table, "kernTable", None):
            table.kernTable = {pair: by for pair, by in pairs.items() if named.issuperset(pair)}
        if getattr(table, "kernTable", True):  # a table of an unknown format stays as it is
            kept.append(table)
    font["kern"].kernTables = kept
    if not kept:
        del font["kern"]
