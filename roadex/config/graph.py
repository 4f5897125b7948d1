"""Settings of the way from a road mask to a road graph."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


def _switchable(default: float) -> Any:
    """A length, area or ratio that cannot be negative and whose zero switches its step off."""
    return field(default=default, metadata={"least": 0.0})


@dataclass(unsafe_hash=True)  # not frozen: a frozen schema would refuse every override
class GraphSettings:
    """Lengths in metres and areas in square metres, so that they hold at any pixel size.

    The first four defaults are the method's pixel counts at its 0.3 m per pixel: 300 px, 300 px,
    20 px and 2 px. Zero switches a step off.
    """

    # Islands of road, and holes in roads, smaller than this are noise.
    min_area_m2: float = _switchable(27.0)
    min_hole_m2: float = _switchable(27.0)
    # A dead end shorter than this is a bump of the mask's outline, not a road.
    min_spur_m: float = _switchable(6.0)
    # The largest deviation that simplifying a line may cause; never more than 0.8 pixels.
    simplify_m: float = _switchable(0.6)
    # A road that ends this near the border, its mask reaching the border, is drawn on to it.
    border_m: float = _switchable(15.0)
    # Junctions nearer to each other than this many half-widths of their road are one junction.
    junction_merge: float = _switchable(1.5)
    # Wider than twice this is no road but a car park or a square: no road is drawn through it.
    max_half_width_m: float = _switchable(25.0)


@dataclass(unsafe_hash=True)
class GapSettings:
    """Which missing pieces of road are drawn: see roadex/graph/gaps.py."""

    # How far an end looks for its continuation. 0 leaves all gaps open.
    reach_m: float = _switchable(0.0)
    # Half the opening of the sector, around the road's direction, in which it looks.
    half_angle_deg: float = field(default=50.0, metadata={"above": 0.0, "most": 90.0})
    # What a gap may cost. A metre costs -ln(probability of road there), so 4 m at 37 %,
    # or 1.7 m at 10 %, cost 4.
    max_cost: float = _switchable(8.0)
    # No probability counts as less than this, so that shade or a tree is no wall.
    least_probability: float = field(default=0.05, metadata={"above": 0.0, "most": 1.0})
    # An end whose probability of being a dead end, compared with any place on a road, exceeds
    # this, stays an end.
    dead_end: float = field(default=0.5, metadata={"least": 0.0, "most": 1.0})
    # What it costs to end on a through road instead of another end opposite, where the model sees
    # no junction. So a road under a bridge finds its other half.
    tee_cost: float = _switchable(4.0)
    # The longest path, as a multiple of the straight line.
    winding: float = field(default=1.3, metadata={"least": 1.0})
    # Two places that roads already join by less than this multiple of the gap are not joined.
    detour: float = _switchable(4.0)


@dataclass(unsafe_hash=True)
class VertexSettings:
    """Vertices, and the pairs of them that are classified: see roadex/graph/paths.

    They belong to the model: vertices are found later as they were found in its training.
    """

    # The least distance between vertices.
    spacing_m: float = field(default=8.0, metadata={"above": 0.0})
    # Vertices farther apart than this are no pair: the longest gap that can be closed.
    reach_m: float = field(default=40.0, metadata={"above": 0.0})
    # No vertex where the smoothed probability of road is lower.
    least_road: float = field(default=0.03, metadata={"above": 0.0, "most": 1.0})
    # A vertex lies on a true road that is nearer than this.
    snap_m: float = field(default=6.0, metadata={"above": 0.0})
    # The longest road that joins a pair, as a multiple of the straight line.
    winding: float = field(default=1.3, metadata={"least": 1.0})


@dataclass(unsafe_hash=True)
class PathSettings:
    """How classified pairs of vertices become roads: see roadex/graph/paths/network.py."""

    # A road between two others needs this mean probability of its pairs; null: validation's.
    chance: float | None = field(default=None, metadata={"above": 0.0, "most": 1.0})
    # A dead end needs this multiple of it.
    dead_end: float = field(default=1.5, metadata={"least": 1.0})


@dataclass(unsafe_hash=True)
class DecodingSettings(GraphSettings):
    """How probabilities become a graph: from the mask, and from what else the model predicts.

    The defaults use the mask alone; conf/graph/connectivity.yaml uses the connectivity too.
    """

    # A dead end must lead this many half-widths out of the road at its foot before its length
    # counts: the bumps of a wide road's outline are no side roads.
    spur_half_widths: float = _switchable(0.0)
    # A component with fewer metres of road in all, away from the border, is left out.
    min_network_m: float = _switchable(0.0)
    gaps: GapSettings = field(default_factory=GapSettings)
    # A crossing whose probability of being a junction, compared with any place on a road, is below
    # this, is a bridge.
    bridge_junction: float = field(default=0.0, metadata={"least": 0.0, "most": 1.0})
    # A junction moves to the middle of the one that the model predicts, at most this far.
    junction_shift_m: float = _switchable(0.0)
    # How maps become roads: by the mask or by classified pairs of vertices; auto takes the pairs
    # where the model classifies them.
    decoder: str = field(default="auto", metadata={"options": ("auto", "mask", "paths")})
    paths: PathSettings = field(default_factory=PathSettings)


def with_chance(settings: DecodingSettings, chance: float | None) -> DecodingSettings:
    """The settings with the chance chosen in validation, unless they set one."""
    if settings.paths.chance is not None:
        return settings
    return replace(settings, paths=replace(settings.paths, chance=chance))


# The default of predict; conf/graph/spurs_by_width.yaml.
SPURS_BY_WIDTH = DecodingSettings(spur_half_widths=1.5)


def needs_connectivity(settings: GraphSettings) -> bool:
    """Whether a decoding asks for more than the probability of road."""
    if not isinstance(settings, DecodingSettings):
        return False
    return bool(settings.gaps.reach_m or settings.bridge_junction or settings.junction_shift_m)
