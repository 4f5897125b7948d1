"""The report of a folder of runs: tables, figures and the page, and what is said beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from roadex.comparison.comparison import Comparison, compare, title
from roadex.comparison.figures import draw_figures
from roadex.comparison.panels import tile_panels
from roadex.comparison.rows import mixtures, rows_of
from roadex.comparison.statistics import CONFIDENCE
from roadex.comparison.summary import check_place, write_summary
from roadex.comparison.tables import (
    UNKNOWN,
    city_table,
    difference_table,
    score_table,
    tile_table,
    write_tables,
)
from roadex.config.report import ReportConfig
from roadex.plots.html import file_uri, write_page
from roadex.runs.reading import Found, Run, find_runs


@dataclass(frozen=True)
class Report:
    """What was written, and the faults of the runs that were left out."""

    page: Path
    comparison: Comparison
    faults: list[str]


def write_report(config: ReportConfig) -> Report:
    """Read the runs and write table.md, table.csv, table.tex, figures and index.html.

    Raises:
        RoadexError: no finished run, runs that may not be compared, an unusable output folder, or a
            summary without a place for the report.
    """
    out, heading = Path(config.out), config.title or Path(config.runs).resolve().name
    if config.summary is not None:
        check_place(Path(config.summary), heading)
    found = find_runs(config.runs)
    rows = rows_of(found.finished, config.mixed, config.by)
    comparison = compare(rows, config.scores, config.baseline)
    tiles = tile_panels(comparison, config.tiles, config.imagery)
    notes = [*_notes(found, comparison), f"{BEST} {COSTS}"]
    write_tables(comparison, notes, out)
    figures = draw_figures(comparison, out)
    write_page(
        out / "index.html",
        "report.html",
        title=heading,
        notes=notes,
        warnings=[*mixtures(found.finished), *(f"Left out: {fault}" for fault in found.faults)],
        scores=score_table(comparison),
        baseline=comparison.baselines and comparison.baselines.label,
        differences=difference_table(comparison),
        by_tile=tile_table(comparison),
        by_city=city_table(comparison),
        figures={caption: file_uri(path) for caption, path in figures.items()},
        tiles=tiles,
        runs=_run_table(comparison, Path(config.runs)),
    )
    if config.summary is not None:
        short = compare(rows, config.summary_scores, config.baseline)
        write_summary(short, [*_notes(found, short), BEST], Path(config.summary), heading)
    return Report(out / "index.html", comparison, found.faults)


BEST = "Bold is the best mean of a column, with all that look the same."
COSTS = (
    "GMACs are multiply-accumulates at 512 x 512; images/s is the speed of training on the machine "
    "of these runs."
)


def _notes(found: Found, comparison: Comparison) -> list[str]:
    """What is needed to read the figures."""
    runs = found.finished
    splits = sorted({str(run.metrics["split_hash"]) for run in runs})
    apart = "seed" if all(len(run.repeat) == 1 for run in runs) else "seed and their fold"
    notes = [
        f"{len(runs)} runs finished and read, {len(found.unfinished)} unfinished, "
        f"{len(found.faults)} left out as unusable.",
        f"Test split {', '.join(splits)}; thresholds from "
        f"{', '.join(sorted({str(run.metrics.get('threshold_from')) for run in runs}))}; "
        f"code {', '.join(sorted({run.version for run in runs}))}.",
        f"± is the sample standard deviation over the runs of a row, which differ in their {apart} "
        "alone.",
    ]
    changed = sum(bool(run.environment.get("uncommitted_changes")) for run in runs)
    if changed:
        notes.append(f"{changed} of the runs were made from code with uncommitted changes.")
    if comparison.baselines is not None:
        notes.append(
            f"Differences to {comparison.baselines.label} are paired by {apart}; in brackets the "
            f"{CONFIDENCE:.0%} percentile bootstrap interval over the pairs, which is too narrow "
            "where the pairs are few."
        )
    if any(line.by_tile for line in comparison.lines):
        notes.append(
            "Tile by tile: the mean over the tiles that every run of both rows scores, each the "
            "mean of a row's runs; its bootstrap interval over the tiles, and p of a two-sided "
            "sign-flip permutation test, not corrected for the number of comparisons. Pixel scores "
            "are of single tiles there, and pooled over all pixels elsewhere."
        )
    return notes


def _run_table(comparison: Comparison, root: Path) -> list[list[str]]:
    """Head and a row for each run."""
    runs = [(line.row.name, run) for line in comparison.lines for run in line.row.runs]
    table = pd.DataFrame(
        {
            "run": [str(run.folder.relative_to(root)) for _, run in runs],
            "setting": [name for name, _ in runs],
            "seed": [str(run.seed) for _, run in runs],
            "fold": [", ".join(map(str, run.repeat[1:])) or UNKNOWN for _, run in runs],
            "threshold": [f"{run.fact('threshold'):.3f}" for _, run in runs],
            "best epoch": [f"{run.fact('best_epoch'):.0f}" for _, run in runs],
            **{title(key): [_score(run, key) for _, run in runs] for key in ("f1", "iou", "apls")},
            "code": [run.version for _, run in runs],
        }
    )
    return [list(table.columns), *table.to_numpy().tolist()]


def _score(run: Run, key: str) -> str:
    return f"{run.scores[key]:.4f}" if key in run.scores else UNKNOWN
