"""Settings of the graph metrics, as plain typed fields that a configuration schema can use."""

from __future__ import annotations

from dataclasses import dataclass, field

from roadex.errors import RoadexError


@dataclass(unsafe_hash=True)  # not frozen: a frozen schema would refuse every override
class AplsSettings:
    """How APLS is computed. Lengths in metres.

    State them with every score: the presets give one real pair 0.756, 0.721 and 0.786.

    Attributes:
        algorithm: `cosmiq` (Van Etten et al. 2018, the Python program) or `sat2graph` (the Go
            program that the graph-extraction papers use).
        delta: cosmiq: longest spacing of the control points along an edge; 0 for nodes only.
        curved_eps: cosmiq: an edge whose length differs from its bounding-box diagonal by less than
            this share gets no control points of its own; -1 gives every edge its points.
        snap: control points farther than this from the other network are missing there.
        min_path: shorter routes are not scored; null takes the algorithm's own (cosmiq 0.001,
            sat2graph 100, on small tiles 30).
        renaming: cosmiq: a control point that lands on a node of the other network takes it over,
            and the one that had it counts as missing: a side effect of the reference's bookkeeping.
        merge_degree_two: pass roads through nodes of degree 2 first, which makes the score
            independent of how roads are cut into edges.
        sample: cosmiq: score only this many control points, drawn with `seed`; 0 scores all.
        seed: seed of the sample.
        spacenet: sat2graph: the constants for small tiles (352 m wide instead of 2048 m).
        interval: sat2graph: longest spacing of control points in steps of 2 m; null takes 25, on
            small tiles 15 (SAM-Road's copy of the program: 10).
        tile_origin: sat2graph: lower corner [x, y] of the tile whose margin holds no control
            points; null takes [0, 0] where the truth lies in a tile there, else puts the truth
            150 m (small tiles 40 m) inside.
    """

    algorithm: str = "cosmiq"
    delta: float = 50.0
    curved_eps: float = -1.0
    snap: float = 4.0
    min_path: float | None = None
    renaming: bool = True
    merge_degree_two: bool = False
    sample: int = 0
    seed: int = 0
    spacenet: bool = False
    interval: int | None = None
    tile_origin: list[float] | None = None

    def __post_init__(self) -> None:
        if self.algorithm not in ("cosmiq", "sat2graph"):
            raise RoadexError(f"apls.algorithm={self.algorithm}: choose cosmiq or sat2graph")
        for name in ("delta", "snap", "min_path", "sample", "interval"):
            if (getattr(self, name) or 0) < 0:
                raise RoadexError(f"apls.{name}={getattr(self, name)}: must not be negative")
        if self.tile_origin is not None and len(self.tile_origin) != 2:
            raise RoadexError(f"apls.tile_origin={self.tile_origin}: give [x, y] in metres")

    @property
    def route_minimum(self) -> float:
        """Shortest route that is scored, in metres."""
        if self.min_path is not None:
            return self.min_path
        if self.algorithm == "cosmiq":
            return 0.001
        return 30.0 if self.spacenet else 100.0


@dataclass(unsafe_hash=True)  # not frozen: a frozen schema would refuse every override
class TopoSettings:
    """TOPO in Sat2Graph's flavour. Lengths in metres; the defaults are its degrees x 111,111 m.

    Attributes:
        radius: how far the walk from a starting point goes (0.0015 degrees in the papers on small
            tiles, 0.003 degrees = 333 m on 2 km tiles).
        spacing: distance between the samples of a walk.
        match: samples match within this distance.
        start_spacing: distance between starting points along a road.
        start_match: a starting point pairs with a proposal within this distance.
        straight_twice: a road of a single straight piece has its starting points twice, since the
            reference walks it from both ends: a side effect that depends on how roads are drawn.
        thin: of the starts this near to each other along the proposal the best is kept.
    """

    radius: float = 0.0015 * 111_111
    spacing: float = 0.00005 * 111_111
    match: float = 0.0001 * 111_111
    start_spacing: float = 0.0005 * 111_111
    start_match: float = 0.0001 * 111_111
    thin: float = 0.0002 * 111_111
    straight_twice: bool = True


PRESETS: dict[str, AplsSettings] = {
    "cosmiq": AplsSettings(),
    "cosmiq_function": AplsSettings(curved_eps=0.012, min_path=10.0),
    "sat2graph": AplsSettings(algorithm="sat2graph", snap=10.0),
    "strict": AplsSettings(renaming=False),
}


@dataclass(unsafe_hash=True)  # not frozen: a frozen schema would refuse every override
class MetricSettings:
    """The settings of every graph metric together, as the training loop and the commands use them.

    Attributes:
        buffer: a road within this many metres of the other network's counts as found, in the length
            metrics and on skeletons.
        junction_reach: junctions match within this many metres.
        path_tolerance: a route whose length is off by more than this share is too long or short.
        raster_gsd: metres per pixel of the masks that the mask metrics draw of networks.
        road_width: width in metres of the roads in these masks.
    """

    apls: AplsSettings = field(default_factory=AplsSettings)
    topo: TopoSettings = field(default_factory=TopoSettings)
    buffer: float = 4.0
    junction_reach: float = 10.0
    path_tolerance: float = 0.05
    raster_gsd: float = 1.0
    road_width: float = 6.0
