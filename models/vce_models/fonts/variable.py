"""One variable font holds a whole family: an axis for each hand, with the source at zero.

An axis runs from 0 to 100 in whole numbers, since some programs cut fractions off. With one
axis at 100 and the others at 0, every point, advance width, anchor and caret is where the
font of that hand alone has it. Axes add up: several at 100 go beyond every hand.

Vertical metrics do not vary, since they are the same in all fonts of a family. The x-height, the
height of capitals and the italic angle are the source's; they only describe the outlines.
"""

from __future__ import annotations

import numpy as np
from fontTools.otlLib.builder import buildStatTable
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._f_v_a_r import Axis, NamedInstance
from fontTools.ttLib.tables.TupleVariation import TupleVariation
from fontTools.varLib.hvar import add_HVAR

from vce_models.fonts import anchors, slanting
from vce_models.fonts.editing import finish, opened, saved
from vce_models.fonts.family import Family, MasterGlyph
from vce_models.fonts.naming import (
    POSTSCRIPT,
    PREFIX,
    STYLE,
    TYPOGRAPHIC_STYLE,
    WINDOWS_ENGLISH,
    postscript_name,
    rename,
    style_of,
)
from vce_models.fonts.outline_tables import flag_overlaps, set_outlines
from vce_models.fonts.quadratics import Outline, outlines

WHOLE = 100
"""The place on its axis at which a hand is whole."""

INFERRED = 0.49
"""The shift of a point is left out where its neighbours' imply it within this, in font units, so
that it is the same once it is rounded."""

ELIDABLE = 2
"""The flag of a value that the name of a style leaves out."""


def variable(family: Family, *, name: str) -> bytes:
    """Make a variable TrueType font of all masters.

    Args:
        family: The source and its hands, 1 to 999.
        name: The family name of the new font; its style is the source's.

    Returns:
        The file's bytes, the same ones each time.
    """
    font = opened(family)
    rename(font, name)
    axes = [axis_tag(hand) for hand in range(1, family.hands + 1)]
    slanting.vary(font, family, axes)
    set_outlines(font, family, {glyph: (glyph, 0) for glyph in family.glyphs}, cubic=False)
    finish(font, family, 0)
    anchors.vary(font, family, axes)
    _set_axes(font, axes)
    _vary_outlines(font, family, axes)
    return saved(font)


def axis_tag(hand: int) -> str:
    """Name the axis of a hand, counted from 1: `HND1`, `HN10`, `H100`."""
    return "HND"[: 4 - len(str(hand))] + str(hand)


def _set_axes(font: TTFont, axes: list[str]) -> None:
    """Name the axes and what lies at their ends, in `fvar` and `STAT`."""
    names, style = font["name"], style_of(font)
    family = names.getBestFamilyName()
    prefix = postscript_name(family, style).rpartition("-")[0]
    names.setName(prefix, PREFIX, *WINDOWS_ENGLISH)
    own = TYPOGRAPHIC_STYLE if names.getDebugName(TYPOGRAPHIC_STYLE) else STYLE

    def number(text: str) -> int:
        added: int = names.addMultilingualName({"en": text}, mac=False, minNameID=255)
        return added

    table = font["fvar"] = newTable("fvar")
    table.instances = [_instance(own, POSTSCRIPT, axes, None)]
    stat = []
    for hand, tag in enumerate(axes, 1):
        called = f"Hand {hand}"
        axis = Axis()
        axis.axisTag, axis.axisNameID = tag, number(called)
        axis.minValue, axis.defaultValue, axis.maxValue = 0, 0, WHOLE
        table.axes.append(axis)
        styled = called if style == "Regular" else f"{style} {called}"
        postscript = number(postscript_name(family, styled))
        table.instances.append(_instance(number(styled), postscript, axes, tag))
        values = [{"value": 0, "name": "Source", "flags": ELIDABLE}]
        values.append({"value": WHOLE, "name": called})
        stat.append({"tag": tag, "name": called, "values": values})
    buildStatTable(font, stat, elidedFallbackName=own, macNames=False)


def _instance(name: int, postscript: int, axes: list[str], whole: str | None) -> NamedInstance:
    instance = NamedInstance()
    instance.subfamilyNameID, instance.postscriptNameID = name, postscript
    instance.coordinates = {tag: float(WHOLE * (tag == whole)) for tag in axes}
    return instance


def _vary_outlines(font: TTFont, family: Family, axes: list[str]) -> None:
    quadratic = outlines(family)
    table = font["gvar"] = newTable("gvar")
    table.version, table.reserved, table.variations = 1, 0, {}
    for name in font.getGlyphOrder():
        flag_overlaps(font["glyf"][name])  # a mixture of hands may cross itself
        glyph = family.glyphs.get(name)
        variations = _variations(glyph, quadratic.get(name), axes) if glyph else []
        table.variations[name] = variations
    add_HVAR(font)


def _variations(
    glyph: MasterGlyph, outline: Outline | None, axes: list[str]
) -> list[TupleVariation]:
    """Find how a glyph's points, its advance width among them, shift along each axis."""
    masters = len(glyph.advances)
    phantoms = np.zeros((masters, 4, 2), np.int64)  # left, right, top, bottom of its box
    phantoms[:, 1, 0] = glyph.advances
    places = np.concatenate([outline.places, phantoms], axis=1) if outline else phantoms
    ends = list(outline.ends) if outline else []
    source = [tuple(place) for place in places[0].tolist()]
    made = []
    for master, tag in enumerate(axes, 1):
        shifts = places[master] - places[0]
        if not shifts.any():
            continue
        variation = TupleVariation({tag: (0.0, 1.0, 1.0)}, list(map(tuple, shifts.tolist())))
        variation.optimize(source, ends, tolerance=INFERRED)
        made.append(variation)
    return made
