"""Everything a report says in figures: a line for each row, ready to be written down."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from roadex.comparison.baselines import Baselines, find_baselines
from roadex.comparison.rows import Row
from roadex.comparison.statistics import (
    Difference,
    Spread,
    TileDifference,
    difference,
    spread,
    tile_difference,
    tile_means,
)
from roadex.errors import RoadexError

# Names of columns; any other score is called as in metrics.json.
TITLES = {
    "f1": "F1",
    "iou": "IoU",
    "relaxed_f1": "relaxed F1",
    "relaxed_iou": "relaxed IoU",
    "connectivity_iou": "connectivity IoU",
    "apls": "APLS",
    "topo/f1": "TOPO F1",
    "length/quality": "length quality",
    "junctions/f1": "junction F1",
    "class_macro_f1": "class macro F1",
    "surface_macro_f1": "surface macro F1",
    "lanes_macro_f1": "lanes macro F1",
    "speed_error_kph": "speed error (km/h)",
    "speed_within_10_kph": "speed within 10 km/h",
}


# Scores of which less is better, and those of which neither is.
LOWER = {"false_connections", "speed_error_kph"}
NEITHER = {"connections", "slack_breakeven_threshold"}
CITY = "city/"


@dataclass(frozen=True)
class Line:
    """A row in figures.

    Attributes:
        spreads, differences: by score; no differences for the baseline itself or without one.
        by_tile: differences over single tiles, of the scores that both rows' runs have of tiles.
        parameters, macs: of the network; multiply-accumulates at 512 x 512.
        images_per_s: in training, the median over the runs' median epochs.
    """

    row: Row
    spreads: dict[str, Spread]
    differences: dict[str, Difference]
    parameters: float
    macs: float
    images_per_s: float
    by_tile: dict[str, TileDifference] = field(default_factory=dict)

    def tiles(self, scores: list[str]) -> str:
        """Tiles scored of all, apart for each score where they are not the same."""
        counts = {
            title(score): f"{found.scored} of {found.total}"
            for score, found in ((score, self.spreads[score]) for score in scores)
            if found.scored is not None
        }
        if len(set(counts.values())) <= 1:
            return next(iter(counts.values()), "all")
        return ", ".join(f"{name} {count}" for name, count in counts.items())


@dataclass(frozen=True)
class Comparison:
    """All rows, in these scores, against these baselines."""

    lines: list[Line]
    scores: list[str]
    baselines: Baselines | None

    @property
    def cities(self) -> list[str]:
        """The cities that test tiles are of, where the dataset tells them."""
        names = {name for line in self.lines for run in line.row.runs for name in run.scores}
        return sorted({name.split("/")[1] for name in names if name.startswith(CITY)})

    @property
    def measured(self) -> list[Line]:
        """The lines that have differences to a baseline."""
        return [line for line in self.lines if line.differences]


def compare(rows: list[Row], scores: list[str], baseline: str | None) -> Comparison:
    """Put rows into figures, baselines first; `scores` that no run has are left out.

    Raises:
        RoadexError: no run has any of the scores, or the baseline is not one row.
    """
    known = available(rows)
    shown = [score for score in scores if score in known]
    if not shown:
        raise RoadexError(f"scores={scores}: no run has any; there are {', '.join(known)}")
    bases = find_baselines(rows, baseline)
    ordered = bases.first(rows) if bases else rows
    measured = bases.of if bases else {}
    lines = [_line(row, known, measured.get(row.name)) for row in ordered]
    return Comparison(lines, shown, bases)


def available(rows: list[Row]) -> list[str]:
    """The names of all scores that some run has, without the counts of tiles."""
    names = dict.fromkeys(name for row in rows for run in row.runs for name in run.scores)
    return [
        name
        for name in names
        if not name.endswith(("/n_scored", "/n_total", "tiles")) and not name.startswith(CITY)
    ]


def _line(row: Row, scores: list[str], baseline: Row | None) -> Line:
    costs = pd.DataFrame(
        [(run.fact("parameters"), run.fact("macs_512"), run.images_per_s) for run in row.runs]
    )
    parameters, macs, images_per_s = costs.median()
    return Line(
        row,
        {score: spread(row, score) for score in scores},
        {score: difference(row, baseline, score) for score in scores} if baseline else {},
        parameters,
        macs,
        images_per_s,
        _by_tile(row, baseline, scores) if baseline else {},
    )


def _by_tile(row: Row, baseline: Row, scores: list[str]) -> dict[str, TileDifference]:
    own, other = ([run.tiles for run in each.runs] for each in (row, baseline))
    found = {
        score: tile_difference(tile_means(own, score), tile_means(other, score)) for score in scores
    }
    return {score: difference for score, difference in found.items() if difference.tiles}


def title(score: str) -> str:
    """What a column of this score is called."""
    return TITLES.get(score, score.replace("/", " ").replace("_", " "))
