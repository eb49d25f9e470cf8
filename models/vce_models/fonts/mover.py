"""One glyph of a font is moved by every hand, with its width and its anchors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vce_models.arrays import Integers
from vce_models.fonts import crossings, evenness, hands, joints, nodes, nudging, spacing
from vce_models.fonts.corrections import Numbers
from vce_models.fonts.family import MasterGlyph, Places, Weakened
from vce_models.fonts.outline import Contour
from vce_models.fonts.uncrossing import uncrossed


@dataclass(frozen=True, eq=False)
class Task:
    """A glyph to move.

    Attributes:
        name: The glyph's name.
        contours: Its outline, in font units.
        advance: Its advance width, in font units.
        joined: Whether it meets its neighbours edge to edge.
        tile: Whether it does so on all sides, or lies on another in colours, so that only its
            hands' linear maps move it.
        share: How much of its own it may keep in each hand, (hands,); None means all.
    """

    name: str
    contours: list[Contour]
    advance: int
    joined: bool
    tile: bool = False
    share: Numbers | None = None


CROSSES, CONFUSED = "cross itself", "be nearer to another glyph"
"""What a glyph would do if it kept more of its own."""


@dataclass(frozen=True, eq=False)
class Mover:
    """Moves the glyphs of a font one by one.

    Attributes:
        rules: The hands' rules.
        masters: Linear maps of the source and of every hand, (masters, 2, 2).
        own: The share of its own that a glyph keeps, beside its hand's linear map.
        em: Font units of the em.
        norm: What the font's letters have in common.
        joints: Where those that are joined meet.
    """

    rules: hands.Rules
    masters: Places
    own: float
    em: float
    norm: evenness.Norm
    joints: tuple[joints.Joint, ...] = ()

    def __call__(self, task: Task) -> tuple[MasterGlyph, list[Weakened]]:
        """Move one glyph, and say where it had to be weakened."""
        source = None if task.tile else self.rules.source(task.contours, self.em)
        if source is None:  # it is no letter, or too fine to be bent
            return self._straight(task), []
        if task.joined:
            held = joints.hold(source.samples, task.contours, task.advance, self.joints, self.em)
            source = replace(source, held=held)
        maps = hands.in_hand(
            self.rules.maps(source), self.masters[1:], 0.0 if task.joined else self.own
        )
        if task.share is not None:
            maps = replace(maps, share=maps.share * task.share)
        allowed = maps.share
        maps, contours = uncrossed(maps, self.em, None if task.joined else self.norm)
        (crossed,) = np.nonzero(maps.share < allowed)
        shift, advances = self._spaced(task, contours)
        moved = _shifted(contours, shift)
        weakened = [Weakened(task.name, int(hand) + 1, CROSSES) for hand in crossed]
        return MasterGlyph(moved, advances, _Moved(maps, shift)), weakened

    def blank(self, advance: int) -> MasterGlyph:
        """Make a glyph without ink."""
        return MasterGlyph((), self._widened(advance), Straight(self.masters))

    def _straight(self, task: Task) -> MasterGlyph:
        """Move a glyph by its hands' linear maps alone."""
        contours = tuple(
            tuple(curve @ self.masters.transpose(0, 2, 1) for piece in contour for curve in piece)
            for contour in task.contours
        )
        contours = nodes.settle(contours)
        if len(contours) and sum(map(len, contours)) < hands.DETAILED:
            crossed = crossings.more(contours, self.masters[1:], self.em)
            contours, _ = nudging.nudged(contours, crossed, self.masters[1:], self.em)
        return MasterGlyph(contours, self._widened(task.advance), Straight(self.masters))

    def _spaced(
        self, task: Task, contours: tuple[tuple[Places, ...], ...]
    ) -> tuple[Numbers, Integers]:
        """Find what to add to every x, and the advances, (masters,) each."""
        if task.joined:
            return np.zeros(len(self.masters)), self._widened(task.advance)
        polygons = crossings.flatten(contours)
        starts = np.concatenate(polygons, axis=1)
        ends = np.concatenate([np.roll(polygon, -1, axis=1) for polygon in polygons], axis=1)
        return spacing.space(starts, ends, task.advance, self.masters, self.em)

    def _widened(self, advance: int) -> Integers:
        return np.rint(self.masters[:, 0, 0] * advance).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Straight:
    """The `MasterGlyph.move` of a glyph that linear maps, (masters, 2, 2), move alone."""

    linear: Places

    def __call__(self, places: Places) -> Places:
        """Move places, (n, 2), to every master, (masters, n, 2)."""
        return np.asarray(places @ self.linear.transpose(0, 2, 1))


@dataclass(frozen=True, eq=False)
class _Moved:
    """The `MasterGlyph.move` of a glyph that its maps move and its spacing shifts."""

    maps: hands.Maps
    shift: Numbers

    def __call__(self, places: Places) -> Places:
        moved = np.concatenate((places[None], self.maps(places)))
        moved[..., 0] += self.shift[:, None]
        return moved


def _shifted(
    contours: tuple[tuple[Places, ...], ...], shift: Numbers
) -> tuple[tuple[Places, ...], ...]:
    by = np.stack((shift, np.zeros_like(shift)), -1)[:, None]
    return tuple(tuple(curve + by for curve in contour) for contour in contours)
