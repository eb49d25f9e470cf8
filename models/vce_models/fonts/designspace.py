"""A family as a designspace: the source and every hand as UFO, an axis for each hand.

Compilers of fonts build the variable font and the single ones from it, and editors of fonts
open all masters together.
"""

from __future__ import annotations

from pathlib import Path

from fontTools.designspaceLib import (
    AxisDescriptor,
    AxisLabelDescriptor,
    DesignSpaceDocument,
    InstanceDescriptor,
    SourceDescriptor,
)

from vce_models.fonts.family import Family
from vce_models.fonts.naming import postscript_name
from vce_models.fonts.ufo import master_ufo
from vce_models.fonts.variable import WHOLE, axis_tag


def write_designspace(path: Path, family: Family, *, name: str) -> list[Path]:
    """Write a designspace, and beside it the UFO of every master.

    Args:
        path: The file. Its folder exists, and holds no UFO with a name of those to be written.
        family: The source and its hands, 1 to 999.
        name: The family name of the new fonts; their style is the source's.

    Returns:
        All that was written: the file, the UFO of the source, and those of the hands. Their
        names are the file's with `-source`, `-1`, `-2` and so on.

    Raises:
        OSError: A file cannot be written.
    """
    document = DesignSpaceDocument()
    tags = [axis_tag(hand) for hand in range(1, family.hands + 1)]
    called = [f"Hand {hand}" for hand in range(1, family.hands + 1)]
    for tag, axis in zip(tags, called, strict=True):
        document.addAxis(_axis(tag, axis))
    written = [path]
    for master, style in enumerate(["Source", *called]):
        ufo = master_ufo(family, master, name=name)
        suffix = str(master) if master else "source"
        written.append(path.with_name(f"{path.stem}-{suffix}.ufo"))
        ufo.save(written[-1])
        location = {axis: float(WHOLE * (axis == style)) for axis in called}
        source = SourceDescriptor(filename=written[-1].name, name=style, designLocation=location)
        own_family, own = str(ufo.info.familyName), str(ufo.info.styleName)
        source.familyName, source.styleName = own_family, style
        if not master:
            source.copyInfo = source.copyFeatures = True
        document.addSource(source)
        styled = own if not master else style if own == "Regular" else f"{own} {style}"
        instance = InstanceDescriptor(name=style, designLocation=location)
        instance.familyName, instance.styleName = own_family, styled
        instance.postScriptFontName = postscript_name(own_family, styled)
        document.addInstance(instance)
    document.write(path)
    return written


def _axis(tag: str, name: str) -> AxisDescriptor:
    labels = [
        AxisLabelDescriptor(name="Source", userValue=0, elidable=True),
        AxisLabelDescriptor(name=name, userValue=WHOLE),
    ]
    return AxisDescriptor(
        tag=tag, name=name, minimum=0, default=0, maximum=WHOLE, axisLabels=labels
    )
