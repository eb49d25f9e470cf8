"""A font becomes a family: every glyph's outline is moved by every hand."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vce_models.errors import InputError
from vce_models.fonts import (
    colours,
    crossings,
    evenness,
    hands,
    joints,
    likeness,
    parts,
    scripts,
    spacing,
)
from vce_models.fonts.corrections import Numbers
from vce_models.fonts.family import Family, MasterGlyph, Places, Weakened
from vce_models.fonts.mover import CONFUSED, Mover, Task
from vce_models.fonts.outline import Contour, Letter, contours
from vce_models.fonts.source import LIMIT

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

Progress = Callable[[int, int], None]

Moved = tuple[str, MasterGlyph, list[Weakened]]

LESS, ROUNDS = 0.5, 4
"""A glyph that is nearer to another keeps this share of its own at each of so many rounds."""

REACHING = 0.6
"""In joined handwriting more than this share of the small letters reach their neighbours."""

CHUNK = 16
"""Glyphs that a process moves at a time."""


def family(
    data: bytes,
    rules: hands.Rules,
    own: float = hands.OWN,
    *,
    letters: Mapping[int, Letter] | None = None,
    alike: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Family:
    """Move every glyph of a font by every rule, as hands.

    Args:
        data: The font, one instance, with outlines.
        rules: The hands.
        own: The share of its own that a glyph keeps, beside its hand's linear map.
        letters: The letters from which hands are computed, by code point: `SourceFont.alphabet`
            of a font that `data` was cut from; by default, those of `data` itself.
        alike: Whether all rules take the mean of their linear maps, as alternates of one hand.
        jobs: How many processes work.
        progress: Called with (glyphs done, glyphs in all).

    Raises:
        InputError: A moved glyph would be too large for a font's file.
    """
    from fontTools.ttLib import TTFont

    with TTFont(io.BytesIO(data), recalcTimestamp=False) as font:
        em = float(font["head"].unitsPerEm)
        outlines = _outlines(font)
        named = font.getBestCmap() or {}
        points = scripts.base_points(font)
        made_of = parts.find(font, outlines, points)
        advances = {name: font["hmtx"][name][0] for name in outlines}
        layered = colours.layered(font)
        fixed = "post" in font and bool(font["post"].isFixedPitch)
    if letters is None:
        names = {point: named[point] for point in scripts.alphabet(named)}
        letters = {point: Letter(outlines[n], advances[n]) for point, n in names.items()}
    sources = (rules.source(letter.contours, em) for letter in letters.values())
    alphabet = [source for source in sources if source]
    masters = _masters(rules, alphabet, alike)
    slant = evenness.slant(letter.samples for letter in alphabet)
    joins = _joining(outlines, advances, named, points, _is_connected(letters, slant))
    tasks = {
        name: Task(
            name,
            outline,
            advances[name],
            joins(name),
            name in layered or scripts.is_tile(points.get(name)),
        )
        for name, outline in outlines.items()
        if outline
    }
    alone = {name: task for name, task in tasks.items() if name not in made_of}
    norm = evenness.Norm(_lines(letters), slant)
    meeting = joints.find(
        ((t.contours, t.advance) for t in tasks.values() if t.joined and not t.tile), em
    )
    mover = Mover(rules, masters, own, em, norm, meeting)
    glyphs: dict[str, MasterGlyph] = {}
    weakened: list[Weakened] = []
    ready = _ready(list(alone), made_of)
    done = len(outlines) - sum(ready)  # those without ink
    for (name, glyph, notes), more in zip(
        _run(mover, list(alone.values()), jobs), ready, strict=True
    ):
        glyphs[name] = glyph
        weakened += notes
        done += more
        if progress:
            progress(done, len(outlines))
    compared = sorted({named[point] for point in named} & glyphs.keys())
    weakened += _told_apart(mover, tasks, glyphs, compared)
    for name, made in made_of.items():
        glyph = parts.assemble(made, glyphs, advances, name, masters)
        fine = sum(map(len, glyph.contours)) >= hands.DETAILED
        accented = scripts.is_accented(points.get(name))
        if (
            not fine
            and not accented
            and any(map(len, crossings.more(glyph.contours, masters[1:], em)))
        ):
            glyph, notes = mover(tasks[name])
            weakened += notes
        glyphs[name] = glyph
    for name in outlines.keys() - glyphs.keys():
        glyphs[name] = mover.blank(advances[name])
    glyphs = spacing.even(glyphs, advances, points, fixed=fixed)
    _check_reach(glyphs)
    return Family(data, glyphs, len(masters) - 1, masters, tuple(sorted(weakened)))


def _check_reach(glyphs: Mapping[str, MasterGlyph]) -> None:
    """Raise InputError if a glyph lies where no font's file can say it."""
    for name, glyph in glyphs.items():
        curves = [curve for contour in glyph.contours for curve in contour]
        reach = max((float(np.abs(curve).max()) for curve in curves), default=0.0)
        if reach > LIMIT or glyph.advances.max() > 2 * LIMIT:
            raise InputError(
                f"{name} would be too large for a font's file", hint="name other characters"
            )


def _ready(alone: Sequence[str], made_of: Mapping[str, Sequence[parts.Part]]) -> list[int]:
    """Count how many glyphs each moved one makes ready, with those that it is the last part of."""
    order = {name: at for at, name in enumerate(alone)}
    ready = [1] * len(alone)
    for made in made_of.values():
        ready[max(order[part.name] for part in made)] += 1
    return ready


def _outlines(font: TTFont) -> dict[str, list[Contour]]:
    """Read every glyph's contours, in the order of glyphs; components are taken apart."""
    glyphs, reverse = font.getGlyphSet(), "glyf" in font
    return {name: contours(glyphs, name, reverse=reverse) for name in font.getGlyphOrder()}


def _masters(rules: hands.Rules, alphabet: Sequence[hands.Source], alike: bool) -> Places:
    """Find the linear maps of the source and of every hand, (masters, 2, 2)."""
    affine = [rules.maps(source).affine[0] for source in alphabet]
    linear = np.tile(np.eye(2), (len(rules.rules), 1, 1))
    linear = hands.hand(np.stack(affine)) if affine else linear
    if alike:
        linear = np.broadcast_to(linear.mean(axis=0), linear.shape)
    return np.concatenate((np.eye(2)[None], linear))


def _lines(letters: Mapping[int, Letter]) -> tuple[float, ...]:
    """List the heights at which letters stand or end: the baseline, the tops of x and of H."""
    tops = []
    for letter in map(letters.get, map(ord, "xH")):
        if letter and letter.contours:
            curves = [curve for contour in letter.contours for piece in contour for curve in piece]
            tops.append(max(float(curve[:, 1].max()) for curve in curves))
    return (0.0, *tops)


def _is_connected(letters: Mapping[int, Letter], slant: float) -> bool:
    """Say whether a font is joined handwriting, whose small letters mostly reach their neighbours.

    A letter that only leans over its width does not: it reaches there upright, or on either side.

    Args:
        letters: The font's letters.
        slant: How far their stems go to the right for each unit upwards.
    """
    reach = []
    for letter in (letters[point] for point in scripts.SMALL if point in letters):
        if letter.contours:
            curves = [c for contour in letter.contours for piece in contour for c in piece]
            x, y = np.concatenate(curves).T
            either = x.min() <= 0 and x.max() >= letter.advance
            reach.append(either or (x - slant * y).max() >= letter.advance)
    return len(reach) >= scripts.ENOUGH and float(np.mean(reach)) > REACHING


def _joining(
    outlines: Mapping[str, list[Contour]],
    advances: Mapping[str, int],
    named: Mapping[int, str],
    points: Mapping[str, int],
    connected: bool,
) -> Callable[[str], bool]:
    """Make a function that says, by name, which glyphs meet their neighbours edge to edge.

    In a font of joined handwriting, which is `connected`, all glyphs do. In other fonts the
    letters of some scripts do, and the glyphs of no known character in a font of such a script;
    and so do glyphs that are cut off straight at their edges, such as pieces of an arrow and the
    underscore.
    """
    unknown = any(map(scripts.is_joined, named))

    def joins(name: str) -> bool:
        if name == ".notdef":  # a box, and no letter of any hand
            return True
        point = points.get(name)
        if connected or (unknown if point is None else scripts.joins(point)):
            return True
        if point is not None and unicodedata.category(chr(point))[0] in "LN":
            return False  # letters and figures may end at their edges by chance
        piece = point is None or named.get(point) != name
        return _abuts(outlines[name], advances[name], piece=piece)

    return joins


def _abuts(outline: Sequence[Contour], advance: int, *, piece: bool) -> bool:
    """Say whether a glyph is cut off upright at the edges of its width, or beyond, to meet others.

    Args:
        outline: Its contours.
        advance: Its advance width.
        piece: Whether one such edge is enough, since the glyph may be a piece of something.
    """
    if advance <= 0:
        return False
    lines = [curve for contour in outline for part in contour for curve in part]
    upright = [float(x) for (x, y), *_, (end, top) in lines if abs(end - x) < 1 <= abs(top - y)]
    left, right = any(x <= 0 for x in upright), any(x >= advance for x in upright)
    return left or right if piece else left and right


def _run(mover: Mover, tasks: Sequence[Task], jobs: int) -> Iterator[Moved]:
    """Move glyphs, in several processes where there are many."""
    chunks = [tasks[at : at + CHUNK] for at in range(0, len(tasks), CHUNK)]
    if jobs == 1 or len(chunks) == 1:
        for task in tasks:
            yield (task.name, *mover(task))
        return
    with ProcessPoolExecutor(jobs, initializer=_begin, initargs=(mover,)) as pool:
        for moved in pool.map(_move, chunks):
            yield from moved


_movers: list[Mover] = []
"""The mover of a process of the pool. It is sent once, and not with every chunk."""


def _begin(mover: Mover) -> None:
    _movers.append(mover)


def _move(tasks: Sequence[Task]) -> list[Moved]:
    (mover,) = _movers
    return [(task.name, *mover(task)) for task in tasks]


def _told_apart(
    mover: Mover,
    tasks: Mapping[str, Task],
    glyphs: dict[str, MasterGlyph],
    compared: Sequence[str],
) -> list[Weakened]:
    """Move glyphs that are nearer to another of the font again, with less of their own."""
    shares: dict[str, Numbers] = {}
    doubtful: Collection[str] = frozenset(compared)
    for left in reversed(range(ROUNDS)):
        found = likeness.confused(glyphs, compared, doubtful, mover.masters, mover.em)
        if not found:
            break
        doubtful = found
        for name, wrong in found.items():
            share = shares.setdefault(name, np.ones(len(wrong)))
            share[wrong] *= LESS if left else 0
            glyphs[name], _ = mover(replace(tasks[name], share=share))
    return [
        Weakened(name, int(hand) + 1, CONFUSED)
        for name, share in shares.items()
        for hand in np.flatnonzero(share < 1)
    ]
