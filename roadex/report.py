"""The command `python -m roadex.report`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from roadex.command.frame import command
from roadex.config.report import ReportConfig
from roadex.config.schemas import to_plain
from roadex.errors import RoadexError
from roadex.tracking import track_report

if TYPE_CHECKING:
    from roadex.comparison.assembly import Report

log = logging.getLogger(__name__)


@command("report")
def main(config: ReportConfig) -> None:
    """Set finished runs side by side: mean and deviation over seeds, differences, figures, a page.

    Reads every run folder below `runs`; runs whose settings differ only in the seed are one
    row. Writes OUT/index.html, which needs no other file, OUT/table.md, table.tex and table.csv,
    and the figures. Runs of different splits, metric settings or code versions are refused unless
    mixed=true.

    Examples:
      python -m roadex.report runs=multirun/global_aware out=DIR
      python -m roadex.report runs=multirun/global_aware out=DIR baseline=none
      python -m roadex.report runs=runs/spacenet out=DIR imagery=false scores=[f1,apls] tiles=8
    """
    from roadex.comparison.assembly import (
        write_report,  # matplotlib takes a second, --help should not
    )

    report = write_report(config)
    _track(config, report)
    log.info("%d rows; page in %s", len(report.comparison.lines), report.page)
    if report.faults:
        raise RoadexError(
            f"{len(report.faults)} of the runs left out of the report: {'; '.join(report.faults)}"
        )


def _track(config: ReportConfig, report: Report) -> None:
    """Upload the tables and files to Weights & Biases, if asked for."""
    from roadex.comparison.tables import difference_table, plain, score_table

    name = config.title or Path(config.runs).resolve().name
    tables = {"scores": plain(score_table(report.comparison))}
    if report.comparison.measured:
        tables["differences"] = difference_table(report.comparison)
    settings = {**to_plain(config), "name": name}
    track_report(config.tracking, settings, report.page.parent, tables)


if __name__ == "__main__":
    main()
