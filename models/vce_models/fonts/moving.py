"""A font and rules to a family: every glyph's outline, moved by every hand."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vce_models.fonts import crossings, fitting, hands, parts, scripts, spacing
from vce_models.fonts.family import Family, MasterGlyph, Places
from vce_models.fonts.outline import Contour, contours

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

Progress = Callable[[int, int], None]

WEAKER, TRIES = 0.6, 5
"""What is left of a glyph's own at each try to keep its outline from crossing itself."""

REACHING = 0.6
"""Share of the small letters that reach their neighbours, from which on they are joined."""

CHUNK = 16
"""Glyphs that a process moves at a time."""


@dataclass(frozen=True, eq=False)
class _Task:
    """A glyph to move: its outline, its advance, and whether it has to meet its neighbours."""

    name: str
    contours: list[Contour]
    advance: int
    joined: bool


@dataclass(frozen=True, eq=False)
class _Moved:
    """Where a glyph's map, shifted for its spacing, puts places: `MasterGlyph.move`."""

    maps: hands.Maps
    shift: NDArray[np.float64]

    def __call__(self, places: Places) -> Places:
        moved = np.concatenate((places[None], self.maps(places)))
        moved[..., 0] += self.shift[:, None]
        return moved


@dataclass(frozen=True, eq=False)
class _Straight:
    """`MasterGlyph.move` of a glyph that its hands' linear maps alone move."""

    linear: Places

    def __call__(self, places: Places) -> Places:
        return np.asarray(places @ self.linear.transpose(0, 2, 1))


@dataclass(frozen=True)
class Notes:
    """What had to be weakened: names of glyphs, and how often.

    Attributes:
        crossed: Glyphs whose outline crossed itself in a hand.
        unlike: Glyphs that a hand made more like another of the font.
    """

    crossed: tuple[str, ...]
    unlike: tuple[str, ...]


def family(
    data: bytes,
    rules: hands.Rules,
    own: float = hands.OWN,
    *,
    alike: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Family:
    """Move every glyph of a font by every rule, as hands.

    Args:
        data: The font, one instance, with outlines.
        rules: The hands.
        own: The share of its own that a glyph keeps beyond its hand.
        alike: Whether all rules are drawings of one hand, of the size and slant of their mean.
        jobs: Processes at work.
        progress: Called with glyphs done, and all.
    """
    from fontTools.ttLib import TTFont

    with TTFont(io.BytesIO(data), recalcTimestamp=False) as font:
        em = float(font["head"].unitsPerEm)
        outlines = _outlines(font)
        named = font.getBestCmap() or {}
        points = scripts.base_points(named, outlines)
        made_of = _parts(font, outlines, points)
        advances = {name: font["hmtx"][name][0] for name in outlines}
    size = rules.weights.config.size
    sources = (hands.source(outlines[named[p]], size, em) for p in scripts.alphabet(named))
    alphabet = [rules.maps(source) for source in sources if source]
    count = len(rules.rules)
    linear = hands.hand(alphabet) if alphabet else np.tile(np.eye(2), (count, 1, 1))
    linear = np.broadcast_to(linear.mean(0), linear.shape) if alike else linear
    masters = np.concatenate((np.eye(2)[None], linear))
    joins = _joining(outlines, advances, named, points)
    tasks = [
        _Task(name, contours, advances[name], joins(name))
        for name, contours in outlines.items()
        if contours and name not in made_of and name != ".notdef"
    ]
    glyphs: dict[str, MasterGlyph] = {}
    total = len(tasks)
    for moved in _run(_Work(rules, masters, own, em, _lines(outlines, named)), tasks, jobs):
        glyphs.update(moved)
        if progress:
            progress(len(glyphs), total)
    for name, made in made_of.items():
        glyphs[name] = _assembled(made, glyphs, advances, name, masters)
    wide = masters[:, 0, 0]
    for name in outlines.keys() - glyphs.keys() - {".notdef"}:
        blank = np.rint(wide * advances[name]).astype(np.int64)
        glyphs[name] = MasterGlyph((), blank, _Straight(masters))
    glyphs = _even(glyphs, advances, named)
    return Family(data, glyphs, count, wide, masters[:, 1, 1])


def _outlines(font: TTFont) -> dict[str, list[Contour]]:
    """Every glyph's contours, components taken apart, in the order of glyphs."""
    glyphs, reverse = font.getGlyphSet(), "glyf" in font
    return {name: contours(glyphs, name, reverse=reverse) for name in font.getGlyphOrder()}


def _parts(
    font: TTFont, outlines: dict[str, list[Contour]], points: dict[str, int]
) -> dict[str, list[parts.Part]]:
    """What composite glyphs are made of, simple glyphs only, bases before marks."""
    named, table = font.getBestCmap() or {}, font.get("glyf")
    direct: dict[str, list[parts.Part]] = {}
    for name, outline in outlines.items():
        found = None
        if table is not None and table[name].isComposite():
            found = parts.components(table[name])
        elif outline and points.get(name) in named:
            found = parts.taken_apart(points[name], outline, named, outlines)
        if found and all(outlines[part.name] for part in found):
            direct[name] = found

    def simple(name: str, x: float, y: float, depth: int) -> Iterator[parts.Part]:
        if name not in direct or depth > 8:
            yield parts.Part(name, x, y)
            return
        for part in direct[name]:
            yield from simple(part.name, x + part.x, y + part.y, depth + 1)

    return {name: list(simple(name, 0.0, 0.0, 0)) for name in direct}


def _lines(outlines: dict[str, list[Contour]], named: dict[int, str]) -> tuple[float, ...]:
    """Heights at which letters stand or end: the baseline, and the tops of x and of H."""
    tops = []
    for letter in "xH":
        contours = outlines.get(named.get(ord(letter), ""))
        if contours:
            tops.append(float(max(c[:, 1].max() for k in contours for piece in k for c in piece)))
    return (0.0, *tops)


def _joining(
    outlines: dict[str, list[Contour]],
    advances: dict[str, int],
    named: dict[int, str],
    points: dict[str, int],
) -> Callable[[str], bool]:
    """Which glyphs meet their neighbours edge to edge, by name.

    All do in a font of joined handwriting, where most small letters reach beyond their widths;
    else those of some scripts, and in a font of such a script those of no known character.
    """
    reach = []
    for point in scripts.SMALL:
        if (name := named.get(point)) and outlines[name]:
            ends = np.concatenate([c for k in outlines[name] for piece in k for c in piece])
            reach.append(ends[:, 0].max() >= advances[name])
    connected = len(reach) >= scripts.ENOUGH and float(np.mean(reach)) > REACHING
    unknown = any(map(scripts.is_joined, named))

    def joins(name: str) -> bool:
        known = scripts.joins(points[name]) if name in points else unknown
        return connected or known

    return joins


@dataclass(frozen=True, eq=False)
class _Work:
    """What moves one glyph after the other, the same for all."""

    rules: hands.Rules
    masters: Places
    own: float
    em: float
    lines: tuple[float, ...]

    def __call__(self, tasks: Sequence[_Task]) -> list[tuple[str, MasterGlyph]]:
        return [(task.name, glyph) for task in tasks if (glyph := self.move(task))]

    def move(self, task: _Task) -> MasterGlyph | None:
        """One glyph; None where its outline has no length."""
        source = hands.source(task.contours, self.rules.weights.config.size, self.em)
        if source is None:
            blank = np.rint(self.masters[:, 0, 0] * task.advance).astype(np.int64)
            return MasterGlyph((), blank, _Straight(self.masters))
        maps = hands.in_hand(
            self.rules.maps(source), self.masters[1:], 0.0 if task.joined else self.own
        )
        maps, contours = _uncrossed(maps, self.em, () if task.joined else self.lines)
        if task.joined:
            shift = np.zeros(len(self.masters))
            advances = np.rint(self.masters[:, 0, 0] * task.advance).astype(np.int64)
        else:
            polygons = crossings.flatten(contours)
            starts = np.concatenate(polygons, 1)
            ends = np.concatenate([np.roll(polygon, -1, 1) for polygon in polygons], 1)
            shift, advances = spacing.space(starts, ends, task.advance, self.masters, self.em)
        moved = tuple(
            tuple(part + np.stack((shift, 0 * shift), -1)[:, None] for part in contour)
            for contour in contours
        )
        return MasterGlyph(moved, advances, _Moved(maps, shift))


def _uncrossed(
    maps: hands.Maps, em: float, lines: tuple[float, ...]
) -> tuple[hands.Maps, tuple[tuple[Places, ...], ...]]:
    """Fit the moved outline, with as much of the glyph's own as does not make it cross itself."""
    source = maps.source
    for left in range(TRIES, -1, -1):
        outline = hands.outline(maps, lines)
        fitted = fitting.fit(
            source.samples, np.concatenate((source.samples.places[None], outline)), em
        )
        times = crossings.count(crossings.flatten(fitted))
        worse = times[1:] > times[0]
        if not worse.any():
            break
        share = maps.share.copy()
        share[worse] *= WEAKER if left > 1 else 0
        maps = replace(maps, share=share)
    return maps, fitted


def _run(work: _Work, tasks: list[_Task], jobs: int) -> Iterator[list[tuple[str, MasterGlyph]]]:
    chunks = [tasks[at : at + CHUNK] for at in range(0, len(tasks), CHUNK)]
    if jobs == 1 or len(chunks) == 1:
        yield from map(work, chunks)
        return
    with ProcessPoolExecutor(jobs, initializer=_begin, initargs=(work,)) as pool:
        yield from pool.map(_chunk, chunks)


_process: list[_Work] = []
"""What a process of the pool has to do; it is sent once, and not with every chunk."""


def _begin(work: _Work) -> None:
    _process.append(work)


def _chunk(tasks: list[_Task]) -> list[tuple[str, MasterGlyph]]:
    return _process[0](tasks)


def _assembled(
    made: list[parts.Part],
    glyphs: dict[str, MasterGlyph],
    advances: dict[str, int],
    name: str,
    masters: Places,
) -> MasterGlyph:
    """A glyph of the very glyphs that it is made of, marks where their base has moved."""
    base, contours = glyphs[made[0].name], []
    for part in made:
        glyph = glyphs[part.name]
        by = np.array([part.x, part.y])
        offset = masters @ by
        if part is not made[0] and (meets := _meeting(base, made[0], glyph, part)) is not None:
            offset = base.move(meets - [made[0].x, made[0].y])[:, 0] - glyph.move(meets - by)[:, 0]
            offset += masters @ [made[0].x, made[0].y]
        contours += [
            tuple(curve + offset[:, None] for curve in contour) for contour in glyph.contours
        ]
    more = masters[:, 0, 0] * (advances[name] - advances[made[0].name])
    wide = np.maximum(base.advances + np.rint(more).astype(np.int64), 0)
    return MasterGlyph(tuple(contours), wide, base.move)


def _meeting(
    base: MasterGlyph, at: parts.Part, glyph: MasterGlyph, part: parts.Part
) -> Places | None:
    """The place of the base nearest to a mark, (1, 2); None where they stand side by side."""
    low, high = _bounds(base, at)
    first, last = _bounds(glyph, part)
    if last[0] <= low[0] or first[0] >= high[0]:
        return None
    return np.clip((first + last) / 2, low, high)[None]


def _bounds(glyph: MasterGlyph, at: parts.Part) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lower left and upper right corner of a part's ink in the source."""
    ends = np.concatenate([curve[0] for contour in glyph.contours for curve in contour])
    by = np.array([at.x, at.y])
    return ends.min(0) + by, ends.max(0) + by


def _even(
    glyphs: dict[str, MasterGlyph], advances: dict[str, int], named: dict[int, str]
) -> dict[str, MasterGlyph]:
    """Widths that are equal in the source stay equal: those of monospaced fonts, and of figures."""
    figures = [named[point] for point in range(0x30, 0x3A) if point in named]
    letters = [named[point] for point in scripts.LATIN if point in named]
    for group in (letters, figures):
        widths = {advances[name] for name in group if name in glyphs}
        if len(group) < scripts.ENOUGH or len(widths) != 1:
            continue
        (width,) = widths
        mean = np.rint(np.mean([glyphs[name].advances for name in group], axis=0)).astype(np.int64)
        mean[0] = width
        alike = [n for n in glyphs if advances[n] == width] if group is letters else group
        glyphs |= {name: _widened(glyphs[name], mean) for name in alike}
        if group is letters:  # a monospaced font: wider glyphs are so many cells wide
            for name in glyphs:
                if advances[name] % width == 0 and advances[name] > width:
                    glyphs[name] = _widened(glyphs[name], mean * (advances[name] // width))
    return glyphs


def _widened(glyph: MasterGlyph, advances: NDArray[np.int64]) -> MasterGlyph:
    """A glyph of another width, its ink in the middle of the difference."""
    shift = (advances - glyph.advances) / 2
    by = np.stack((shift, 0 * shift), -1)[:, None]
    contours = tuple(tuple(curve + by for curve in contour) for contour in glyph.contours)

    def move(places: Places) -> Places:
        return np.asarray(glyph.move(places) + by)

    return MasterGlyph(contours, advances, move)
