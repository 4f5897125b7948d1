"""Schema of the command `python -m roadex.report`."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

from roadex.config.limits import bounded
from roadex.config.tracking import TrackingConfig


@dataclass
class ReportConfig:
    """Which runs are compared, by which scores, and what is shown of them."""

    # A folder; every run folder below it is read.
    runs: str = MISSING
    out: str = MISSING
    # The row with which the others are compared: its name, or a value or part of it that no
    # other row has. If several rows have the given value of a setting, each row is compared with
    # the one that has the value and otherwise the same name.
    baseline: str | None = None
    # The settings that name the rows, by=[experiment]; empty: all in which they differ.
    by: list[str] = field(default_factory=list)
    # The page's heading; null takes the name of the folder.
    title: str | None = None
    # Test scores in table.md, table.tex, the page and the figures; table.csv has all of them.
    scores: list[str] = field(
        default_factory=lambda: [
            "f1",
            "iou",
            "relaxed_f1",
            "connectivity_iou",
            "apls",
            "topo/f1",
            "length/quality",
            "junctions/f1",
            "class_macro_f1",
            "speed_within_10_kph",
        ]
    )
    # Tiles on the page, of those that every row's run kept.
    tiles: int = bounded(4, least=0)
    # Whether images may be on the page: some licences forbid sharing them.
    imagery: bool = True
    # A Markdown file for several reports: a short table, of summary_scores alone, is written
    # between its lines `<!-- report TITLE -->` and `<!-- end of report -->`.
    summary: str | None = None
    summary_scores: list[str] = field(default_factory=lambda: ["f1", "apls"])
    # Allow runs of different splits, metric settings or code versions in one report.
    mixed: bool = False
    # tracking.mode=online|offline keeps the tables and all files in Weights & Biases, too.
    tracking: TrackingConfig = field(default_factory=lambda: TrackingConfig(mode="disabled"))
