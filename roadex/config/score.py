"""Schema of the command `python -m roadex.score`."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

from roadex.config.limits import bounded, choice
from roadex.config.metrics import AplsSettings, MetricSettings, TopoSettings

DEFAULTS = MetricSettings()


@dataclass
class ScoreConfig:
    """What is scored, by which metrics, and what is written."""

    # Files of road networks or masks, or two folders whose files are paired by stem.
    truth: str = MISSING
    proposal: str = MISSING
    # NAME.json keeps the scores of a pair; a folder keeps scores.json and tiles.csv.
    out: str | None = None
    # A folder for maps, links and routes that say where the loss comes from.
    diagnose: str | None = None
    metrics: list[str] = field(
        default_factory=lambda: ["apls", "topo", "length", "junctions", "paths", "topology"]
    )
    # travel_time adds APLS_time (`apls_time`): APLS of travel times.
    weight: str = choice("length", "length", "travel_time")
    # Metres per pixel of inputs in pixels; null: from the files.
    gsd: float | None = bounded(None, above=0)
    # A value of a mask above this is road, or one of `road_values`; null for both: as the values of
    # each mask say, where they leave no doubt.
    road_above: float | None = None
    road_values: list[int] | None = None
    # How GeoJSON in degrees is read: cosmiq as the reference APLS program reads it (edge lengths on
    # a sphere), which auto takes for presets that reproduce that program.
    reader: str = choice("auto", "auto", "plain", "cosmiq")
    # Processes for folders; 0 takes one per core.
    workers: int = bounded(0, least=0)
    apls: AplsSettings = field(default_factory=AplsSettings)
    topo: TopoSettings = field(default_factory=TopoSettings)
    # Metres within which a road of the other network counts as found.
    buffer: float = bounded(DEFAULTS.buffer, above=0)
    # Metres within which junctions match.
    junction_reach: float = bounded(DEFAULTS.junction_reach, above=0)
    # Share by which a route's length may be off.
    path_tolerance: float = bounded(DEFAULTS.path_tolerance, above=0, most=1)
    # The grid and road width, in metres, of the masks that mask metrics draw of networks.
    raster_gsd: float = bounded(DEFAULTS.raster_gsd, above=0)
    road_width: float = bounded(DEFAULTS.road_width, above=0)

    def metric_names(self) -> list[str]:
        """The metrics to compute; with weight=travel_time APLS_time follows APLS."""
        names = list(self.metrics)
        if self.weight == "travel_time" and "apls_time" not in names:
            names.insert(names.index("apls") + 1 if "apls" in names else len(names), "apls_time")
        return names

    def metric_settings(self) -> MetricSettings:
        """The settings of the metrics alone."""
        return MetricSettings(
            self.apls,
            self.topo,
            self.buffer,
            self.junction_reach,
            self.path_tolerance,
            self.raster_gsd,
            self.road_width,
        )
