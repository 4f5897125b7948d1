"""A comparison as Markdown, LaTeX and CSV."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import Any

import pandas as pd

from roadex.comparison.comparison import CITY, LOWER, NEITHER, Comparison, Line, title
from roadex.comparison.statistics import Difference, Spread, TileDifference, spread
from roadex.files import write_text
from roadex.runs.reading import is_known

UNKNOWN = "–"
BOLD = "**"  # around a cell, as in Markdown
Table = list[list[str]]
# What table.csv calls the figures of a Spread, a Difference and a TileDifference.
SPREAD = ("mean", "sd", "runs", "n_scored", "n_total")
DIFFERENCE = ("difference", "low", "high", "pairs")
BY_TILE = ("tile_mean", "tile_low", "tile_high", "tile_p", "tile_tiles")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "±": r"$\pm$", "–": "--", "−": "$-$",
}  # fmt: skip


def score_table(comparison: Comparison) -> Table:
    """Head and rows: mean and deviation of each score, the best bold, and what a network costs."""
    scores = [title(score) for score in comparison.scores]
    head = ["setting", "runs", *scores, "tiles scored", "parameters", "GMACs", "images/s"]
    rows = [_score_cells(line, comparison.scores) for line in comparison.lines]
    for column, score in enumerate(comparison.scores, start=2):
        means = [line.spreads[score].mean for line in comparison.lines]
        embolden(rows, column, means, score)
    return [head, *rows]


def embolden(rows: Table, column: int, means: list[float], score: str) -> None:
    """Make the best cells of a column bold, all that look alike; none where all do."""
    known = pd.Series(means).round(3)
    if score in NEITHER or known.nunique() < 2:
        return
    best = known.min() if score in LOWER else known.max()
    for place in known.index[known == best]:
        rows[place][column] = f"{BOLD}{rows[place][column]}{BOLD}"


def plain(table: Table) -> Table:
    """The same without bold cells, for what has no such thing."""
    return [[_text(cell)[0] for cell in row] for row in table]


def _text(cell: str) -> tuple[str, bool]:
    """A cell's text, and whether it is bold."""
    bold = len(cell) > 4 and cell.startswith(BOLD) and cell.endswith(BOLD)
    return (cell[2:-2], True) if bold else (cell, False)


def city_table(comparison: Comparison) -> Table:
    """Head and rows: the scores of each city's tiles, the best of a city bold.

    Empty where the tiles are of one place.
    """
    lines, names = comparison.lines, {n for row in comparison.lines for n in _city_scores(row)}
    scores = [score for score in comparison.scores if score in names]
    rows: Table = []
    for city in comparison.cities if scores else []:
        keys = [f"{CITY}{city}/{score}" for score in scores]
        found = [[spread(line.row, key) for key in keys] for line in lines]
        cells = [
            [city, line.row.name, _tiles_of(line, city), *map(spread_text, own)]
            for line, own in zip(lines, found, strict=True)
        ]
        for column, score in enumerate(scores):
            embolden(cells, 3 + column, [own[column].mean for own in found], score)
        rows += cells
    return [["city", "setting", "tiles", *map(title, scores)], *rows] if rows else []


def _city_scores(line: Line) -> set[str]:
    """The scores that a row's runs have of cities."""
    names = (name for run in line.row.runs for name in run.scores if name.startswith(CITY))
    return {name.split("/", 2)[2] for name in names}


def _tiles_of(line: Line, city: str) -> str:
    counts = {run.scores.get(f"{CITY}{city}/apls/n_total") for run in line.row.runs} - {None}
    return "–".join(f"{count:.0f}" for count in sorted(filter(None, counts))) or UNKNOWN


def tile_table(comparison: Comparison) -> Table:
    """Head and rows: differences over single tiles to the baseline; empty where none are known."""
    lines = [line for line in comparison.lines if line.by_tile]
    scores = [score for score in comparison.scores if any(score in line.by_tile for line in lines)]
    if not scores:
        return []
    rows = []
    for line in lines:
        found = [line.by_tile.get(score) for score in scores]
        tiles = _span([one.tiles for one in found if one])
        rows.append([line.row.name, tiles, *(tile_text(one) if one else UNKNOWN for one in found)])
    return [["setting", "tiles", *map(title, scores)], *rows]


def tile_text(found: TileDifference) -> str:
    """`+mean [low, high] p = 0.012`, the mean alone of one tile."""
    if found.tiles < 2:
        return _signed(found.mean)
    p = "p < 0.001" if found.p < 0.001 else f"p = {found.p:.3f}"
    return f"{_signed(found.mean)} [{_signed(found.low)}, {_signed(found.high)}] {p}"


def _score_cells(line: Line, scores: list[str]) -> list[str]:
    return [
        line.row.name,
        str(len(line.row.runs)),
        *(spread_text(line.spreads[score]) for score in scores),
        line.tiles(scores),
        count_text(line.parameters),
        f"{line.macs / 1e9:.2f}" if is_known(line.macs) else UNKNOWN,
        f"{line.images_per_s:.1f}" if is_known(line.images_per_s) else UNKNOWN,
    ]


def count_text(count: float) -> str:
    """A whole number with its thousands apart."""
    return f"{count:,.0f}" if is_known(count) else UNKNOWN


def difference_table(comparison: Comparison) -> Table:
    """Head and rows: differences to the baseline, with the interval and the pairs."""
    head = ["setting", "pairs", *(title(score) for score in comparison.scores)]
    rows = [
        [
            line.row.name,
            _span([line.differences[score].pairs for score in comparison.scores]),
            *(difference_text(line.differences[score]) for score in comparison.scores),
        ]
        for line in comparison.measured
    ]
    return [head, *rows]


def spread_text(found: Spread) -> str:
    """`mean ± deviation`, or the mean alone of a single run."""
    if not is_known(found.mean):
        return UNKNOWN
    return f"{found.mean:.3f} ± {found.deviation:.3f}" if found.count > 1 else f"{found.mean:.3f}"


def difference_text(found: Difference) -> str:
    """`+mean [low, high]`, without the interval for a single pair."""
    if not is_known(found.mean):
        return UNKNOWN
    interval = f" [{_signed(found.low)}, {_signed(found.high)}]" if found.pairs > 1 else ""
    return _signed(found.mean) + interval


def _span(counts: list[int]) -> str:
    """The pairs behind a row's differences; scores that no pair has do not count."""
    low, high = min(filter(None, counts), default=0), max(counts)
    return str(low) if low == high else f"{low}–{high}"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def write_tables(comparison: Comparison, notes: list[str], folder: Path) -> None:
    """Write table.md, table.tex and table.csv; tiles.tex and cities.tex where there are such."""
    captioned = {"": score_table(comparison)}
    label = comparison.baselines.label if comparison.baselines else ""
    if label:
        captioned[f"Against {label}:"] = difference_table(comparison)
    captioned[f"Tile by tile against {label}:"] = tile_table(comparison)
    captioned["By city:"] = city_table(comparison)
    tables = {caption: table for caption, table in captioned.items() if table}
    parts = [
        part for caption, table in tables.items() for part in (caption, markdown(table)) if part
    ]
    write_text(folder / "table.md", "\n\n".join([*parts, *notes]) + "\n")
    comments = "".join(f"% {note}\n" for note in notes)
    *main, by_tile, by_city = captioned.values()
    for name, shown in {"table": main, "tiles": [by_tile], "cities": [by_city]}.items():
        if any(shown):
            write_text(folder / f"{name}.tex", comments + "\n".join(map(_latex, shown)))
    # As objects: whole numbers stay whole where other rows have none.
    figures = pd.DataFrame([_record(line) for line in comparison.lines], dtype=object)
    write_text(folder / "table.csv", figures.to_csv(index=False))


def markdown(table: list[list[str]]) -> str:
    """A Markdown table of a head and rows, its numbers to the right."""
    head, *rows = [[cell.replace("|", "\\|") for cell in row] for row in table]
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def _latex(table: list[list[str]]) -> str:
    """A tabular of the booktabs package."""
    head, *rows = [" & ".join(map(_latex_cell, cells)) + r" \\" for cells in table]
    columns = "l" + "r" * (len(table[0]) - 1)
    lines = [r"\toprule", head, r"\midrule", *rows, r"\bottomrule"]
    return "\n".join([rf"\begin{{tabular}}{{{columns}}}", *lines, r"\end{tabular}", ""])


def _latex_cell(cell: str) -> str:
    text, bold = _text(cell)
    return rf"\textbf{{{_escaped(text)}}}" if bold else _escaped(text)


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)


def _record(line: Line) -> dict[str, Any]:
    """All there is of a row, in plain numbers."""
    record: dict[str, Any] = {
        "setting": line.row.name,
        "runs": len(line.row.runs),
        "seeds": " ".join(map(str, line.row.seeds)),
        "parameters": line.parameters,
        "macs_512": line.macs,
        "images_per_s": line.images_per_s,
    }
    kinds = ((line.spreads, SPREAD), (line.differences, DIFFERENCE), (line.by_tile, BY_TILE))
    for found, names in kinds:
        for score, figures in found.items():
            values = astuple(figures)
            record |= {f"{score}/{name}": v for name, v in zip(names, values, strict=True)}
    return record
