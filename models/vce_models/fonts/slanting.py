"""Carets lean as a font's hand does, and so does the angle that an italic font tells of itself.

Where a hand's slant is hardly seen, both stay what they are in the source. A font that is no italic
says nothing of an angle, however its hand leans: programs, FontBakery among them, take every font
with an angle for the italic of some upright one. Flags of italic styles are the source's.
"""

from __future__ import annotations

import math

from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables import otTables
from fontTools.varLib.models import VariationModel
from fontTools.varLib.varStore import OnlineVarStoreBuilder

from vce_models.fonts.family import Family

SEEN = 1.0
"""A hand that leans by less than this beyond its source, in degrees, is as upright as that."""


def lean(font: TTFont, family: Family, master: int) -> None:
    """Set the caret's slope, and an italic's angle, in an opened copy of the source.

    Args:
        font: The copy.
        family: The source and its hands.
        master: Which of them the font shows. If one hand leans, carets rise by an em in all fonts
            of the family, so that what lies between two of them leans as far between.
    """
    post, hhea = font["post"], font["hhea"]
    source = math.tan(math.radians(-post.italicAngle))
    angle = post.italicAngle
    if angle and _leans(family, master, source):
        angle = round(-math.degrees(math.atan(_slope(family, master, source))), 2)
    if any(_leans(family, other, source) for other in range(family.hands + 1)):
        runs = _runs(font, family)
        hhea.caretSlopeRise, hhea.caretSlopeRun = font["head"].unitsPerEm, runs[master]
    post.italicAngle = angle


def vary(font: TTFont, family: Family, axes: list[str]) -> None:
    """Let the caret's slope vary, one axis to each hand, in an opened copy of the source.

    Args:
        font: The copy; `lean` has not been called for it yet. An italic angle cannot vary.
        family: The source and its hands.
        axes: The tags of the hands' axes.
    """
    runs = _runs(font, family)
    lean(font, family, 0)
    if len(set(runs)) == 1:
        return
    builder = OnlineVarStoreBuilder(axes)
    builder.setModel(VariationModel([{}, *({axis: 1.0} for axis in axes)]))
    record = otTables.MetricsValueRecord()
    record.ValueTag, record.VarIdx = CARET_RUN, builder.storeMasters(runs)[1]
    table = otTables.MVAR()
    table.Version, table.Reserved, table.ValueRecordSize = 0x00010000, 0, 8
    table.VarStore, table.ValueRecord, table.ValueRecordCount = builder.finish(), [record], 1
    font["MVAR"] = newTable("MVAR")
    font["MVAR"].table = table


CARET_RUN = "hcrn"
"""What `MVAR` calls how far a caret goes to the right."""


def _slope(family: Family, master: int, source: float) -> float:
    """Find how far to the right a master goes for each unit upwards, where its source goes so."""
    (a, b), (c, d) = family.linear[master]
    return float((a * source + b) / (c * source + d))


def _leans(family: Family, master: int, source: float) -> bool:
    by = math.atan(_slope(family, master, source)) - math.atan(source)
    return abs(math.degrees(by)) >= SEEN


def _runs(font: TTFont, family: Family) -> list[int]:
    """List how far carets go to the right in every master, where they rise by an em."""
    hhea, em = font["hhea"], font["head"].unitsPerEm
    source = math.tan(math.radians(-font["post"].italicAngle))
    caret = hhea.caretSlopeRun / hhea.caretSlopeRise if hhea.caretSlopeRise else source
    return [
        round(em * (_slope(family, master, caret) if _leans(family, master, source) else caret))
        for master in range(family.hands + 1)
    ]
