"""The short table of a report in a Markdown file that tells of several, such as a README."""

from __future__ import annotations

import re
from pathlib import Path

from roadex.comparison.comparison import Comparison, Line, title
from roadex.comparison.tables import (
    UNKNOWN,
    count_text,
    difference_text,
    embolden,
    markdown,
    spread_text,
)
from roadex.errors import RoadexError
from roadex.files import write_text


def check_place(path: Path, name: str) -> None:
    """See that a file has a place for a report.

    Raises:
        RoadexError: there is no such file, or not one place of this name in it.
    """
    _parts(path, name)


def write_summary(comparison: Comparison, notes: list[str], path: Path, name: str) -> None:
    """Put the table between the lines `<!-- report NAME -->` and `<!-- end of report -->`.

    All else in the file stays. Raises as `check_place`.
    """
    before, after = _parts(path, name)
    table = "\n\n".join([markdown(summary_table(comparison)), *notes])
    write_text(path, f"{before}\n{table}\n{after}")


def summary_table(comparison: Comparison) -> list[list[str]]:
    """Head and rows: the scores, the best bold, and their differences to a baseline if any."""
    scores, compared = comparison.scores, comparison.baselines is not None
    heads = [
        head
        for score in scores
        for head in (title(score), *([f"{title(score)} difference"] if compared else []))
    ]
    rows = [_cells(line, scores, compared) for line in comparison.lines]
    for place, score in enumerate(scores):
        column = 2 + place * (2 if compared else 1)
        embolden(rows, column, [line.spreads[score].mean for line in comparison.lines], score)
    return [["setting", "runs", *heads, "parameters"], *rows]


def _cells(line: Line, scores: list[str], compared: bool) -> list[str]:
    cells = [line.row.name, str(len(line.row.runs))]
    for score in scores:
        cells.append(spread_text(line.spreads[score]))
        if compared:
            gap = line.differences.get(score)
            cells.append(difference_text(gap) if gap else UNKNOWN)
    return [*cells, count_text(line.parameters)]


def _parts(path: Path, name: str) -> tuple[str, str]:
    """The text up to the opening line and from the closing one, both lines included."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RoadexError(f"summary={path}: cannot be read; name a Markdown file") from error
    opening = f"<!-- report {name} -->\n"
    place = re.compile(f"({re.escape(opening)}).*?(<!-- end of report -->)", re.DOTALL)
    found = list(place.finditer(text))
    if len(found) != 1:
        raise RoadexError(
            f"summary={path}: write '{opening.strip()}' and '<!-- end of report -->' on two lines "
            f"of it, once ({len(found)} there)"
        )
    return text[: found[0].end(1)], text[found[0].start(2) :]
