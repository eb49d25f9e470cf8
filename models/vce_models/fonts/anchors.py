"""Anchors of marks and of joins, and carets, go where the ink of their glyphs goes.

Anchors of GPOS in all its lookups (marks to bases, ligatures and marks, cursive joins,
extensions of these) and the carets of ligatures in GDEF are places on a glyph. A source may
state a place by the number of a point. The new font states it by coordinates, since its points
have other numbers. Device tables are removed: they shift places of hinted glyphs at some sizes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables import otTables
from fontTools.varLib.builder import buildVarDevTable
from fontTools.varLib.models import VariationModel
from fontTools.varLib.varStore import OnlineVarStoreBuilder

from vce_models.arrays import Integers
from vce_models.fonts.family import Family


class Attachment(NamedTuple):
    """An anchor or a caret on a glyph.

    Attributes:
        glyph: The name of the glyph.
        table: fontTools' `Anchor` or `CaretValue`.
        places: Where it is in every master, (masters, 2), whole font units. A caret stands
            on the baseline, so only its x counts.
    """

    glyph: str
    table: Any
    places: Integers


def attachments(font: TTFont, family: Family) -> list[Attachment]:
    """List all anchors and carets of an opened copy of the source, and where they go."""
    listed = _listed(font)
    return [
        Attachment(glyph, table, places)
        for (glyph, table), places in zip(listed, _places(family), strict=True)
    ]


def put(table: Any, place: Integers) -> None:
    """Set an anchor's or a caret's place to (x, y), by coordinates alone."""
    x, y = place.tolist()
    if isinstance(table, otTables.CaretValue):
        table.__dict__ = {"Format": 1, "Coordinate": x}
    else:
        table.__dict__ = {"Format": 1, "XCoordinate": x, "YCoordinate": y}


def move(font: TTFont, family: Family, master: int) -> None:
    """Move all anchors and carets of an opened copy of the source to those of one master."""
    for _, table, places in attachments(font, family):
        put(table, places[master])


def vary(font: TTFont, family: Family, axes: list[str]) -> None:
    """Let all anchors and carets vary, one axis to each hand, from those of the source."""
    builder = OnlineVarStoreBuilder(axes)
    builder.setModel(VariationModel([{}, *({axis: 1.0} for axis in axes)]))

    def device(values: Integers) -> Any:
        if (values == values[0]).all():
            return None
        return buildVarDevTable(builder.storeMasters(values.tolist())[1])

    for _, table, places in attachments(font, family):
        put(table, places[0])
        across, up = device(places[:, 0]), device(places[:, 1])
        if isinstance(table, otTables.CaretValue):
            if across:
                table.Format, table.DeviceTable = 3, across
        elif across or up:
            table.Format, table.XDeviceTable, table.YDeviceTable = 3, across, up
    store = builder.finish()
    if not store.VarData:
        return
    _keep_variations(font, store)
    renumbered = store.optimize()
    font["GDEF"].table.remap_device_varidxes(renumbered)
    if "GPOS" in font:
        font["GPOS"].table.remap_device_varidxes(renumbered)


@lru_cache(maxsize=1)  # the fonts of one family are written one after the other
def _places(family: Family) -> list[Integers]:
    """Find where every anchor and caret of the source goes, in the order of `_listed`."""
    font = TTFont(BytesIO(family.source))
    listed = _listed(font)
    sources = np.array([_place(font, *item) for item in listed], float).reshape(-1, 2)
    moved = np.repeat(sources[:, None], family.hands + 1, axis=1)
    of_glyph: dict[str, list[int]] = defaultdict(list)
    for index, (glyph, _) in enumerate(listed):
        of_glyph[glyph].append(index)
    for glyph, indices in of_glyph.items():
        if glyph in family.glyphs:
            masters = family.glyphs[glyph].move(sources[indices])
            moved[indices, 1:] = np.moveaxis(masters, 0, 1)[:, 1:]
    return list(np.floor(moved + 0.5).astype(np.int64))


def _place(font: TTFont, glyph: str, table: Any) -> tuple[float, float]:
    if not isinstance(table, otTables.CaretValue):
        return table.XCoordinate, table.YCoordinate
    if table.Format == 2:
        if "glyf" not in font:
            return font["hmtx"][glyph][0] / 2, 0  # only TrueType's points have numbers
        points, *_ = font["glyf"][glyph].getCoordinates(font["glyf"])
        return points[min(table.CaretValuePoint, len(points) - 1)][0], 0
    return table.Coordinate, 0


def _listed(font: TTFont) -> list[tuple[str, Any]]:
    """List all anchors and carets with their glyphs, in the order of the tables."""
    found = []
    if "GPOS" in font and font["GPOS"].table.LookupList:
        for lookup in font["GPOS"].table.LookupList.Lookup:
            for subtable in lookup.SubTable:
                found += list(_anchors(getattr(subtable, "ExtSubTable", subtable)))
    carets = getattr(font["GDEF"].table, "LigCaretList", None) if "GDEF" in font else None
    if carets and carets.Coverage:
        for glyph, ligature in zip(carets.Coverage.glyphs, carets.LigGlyph, strict=False):
            found += [(glyph, caret) for caret in ligature.CaretValue]
    return [(glyph, table) for glyph, table in found if table]


def _anchors(subtable: Any) -> Iterator[tuple[str, Any]]:
    """List the anchors of one subtable of GPOS, with None where an array has a gap."""
    match subtable:
        case otTables.MarkBasePos():
            yield from _marks(subtable.MarkCoverage, subtable.MarkArray)
            records = zip(subtable.BaseCoverage.glyphs, subtable.BaseArray.BaseRecord, strict=False)
            yield from ((glyph, anchor) for glyph, base in records for anchor in base.BaseAnchor)
        case otTables.MarkMarkPos():
            yield from _marks(subtable.Mark1Coverage, subtable.Mark1Array)
            marks = subtable.Mark2Array.Mark2Record
            records = zip(subtable.Mark2Coverage.glyphs, marks, strict=False)
            yield from ((glyph, anchor) for glyph, mark in records for anchor in mark.Mark2Anchor)
        case otTables.MarkLigPos():
            yield from _marks(subtable.MarkCoverage, subtable.MarkArray)
            ligatures = subtable.LigatureArray.LigatureAttach
            for glyph, ligature in zip(subtable.LigatureCoverage.glyphs, ligatures, strict=False):
                for component in ligature.ComponentRecord:
                    yield from ((glyph, anchor) for anchor in component.LigatureAnchor)
        case otTables.CursivePos():
            records = zip(subtable.Coverage.glyphs, subtable.EntryExitRecord, strict=False)
            for glyph, record in records:
                yield from ((glyph, record.EntryAnchor), (glyph, record.ExitAnchor))


def _marks(coverage: Any, array: Any) -> Iterator[tuple[str, Any]]:
    for glyph, record in zip(coverage.glyphs, array.MarkRecord, strict=False):
        yield glyph, record.MarkAnchor


def _keep_variations(font: TTFont, store: Any) -> None:
    """Put a store of variations into GDEF, where GPOS looks for it."""
    if "GDEF" not in font:
        font["GDEF"] = newTable("GDEF")
        table = font["GDEF"].table = otTables.GDEF()
        for part in ("GlyphClassDef", "AttachList", "LigCaretList", "MarkAttachClassDef"):
            setattr(table, part, None)
    table = font["GDEF"].table
    if not hasattr(table, "MarkGlyphSetsDef"):
        table.MarkGlyphSetsDef = None
    table.Version, table.VarStore = 0x00010003, store
