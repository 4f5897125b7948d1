"""A comparison as Markdown, LaTeX and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from roadex.comparison.comparison import Comparison, Line, title
from roadex.comparison.statistics import Difference, Spread
from roadex.files import write_table, write_text
from roadex.runs.reading import is_known

UNKNOWN = "–"
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "±": r"$\pm$", "–": "--", "−": "$-$",
}  # fmt: skip


def score_table(comparison: Comparison) -> list[list[str]]:
    """Head and rows: mean and deviation of each score, and what the network costs."""
    scores = [title(score) for score in comparison.scores]
    head = ["setting", "runs", *scores, "tiles scored", "parameters", "GMACs", "images/s"]
    return [head, *(_score_cells(line, comparison.scores) for line in comparison.lines)]


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


def difference_table(comparison: Comparison) -> list[list[str]]:
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
    """Write table.md, table.tex and table.csv."""
    tables = [score_table(comparison)]
    if comparison.baselines is not None:
        tables.append(difference_table(comparison))
    captions = ["", *([f"Against {comparison.baselines.label}:"] if comparison.baselines else [])]
    parts = [
        part for caption, table in zip(captions, tables, strict=True)
        for part in (caption, markdown(table)) if part
    ]  # fmt: skip
    write_text(folder / "table.md", "\n\n".join([*parts, *notes]) + "\n")
    comments = "".join(f"% {note}\n" for note in notes)
    write_text(folder / "table.tex", comments + "\n".join(_latex(table) for table in tables))
    write_table(folder / "table.csv", [_record(line) for line in comparison.lines])


def markdown(table: list[list[str]]) -> str:
    """A Markdown table of a head and rows, its numbers to the right."""
    head, *rows = [[cell.replace("|", "\\|") for cell in row] for row in table]
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def _latex(table: list[list[str]]) -> str:
    """A tabular of the booktabs package."""
    head, *rows = [" & ".join(map(_escaped, cells)) + r" \\" for cells in table]
    columns = "l" + "r" * (len(table[0]) - 1)
    lines = [r"\toprule", head, r"\midrule", *rows, r"\bottomrule"]
    return "\n".join([rf"\begin{{tabular}}{{{columns}}}", *lines, r"\end{tabular}", ""])


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text)


def _record(line: Line) -> dict[str, Any]:
    """All there is of a row, in plain numbers; what is not known stays empty."""
    record: dict[str, Any] = {
        "setting": line.row.name,
        "runs": len(line.row.runs),
        "seeds": " ".join(map(str, line.row.seeds)),
        "parameters": line.parameters,
        "macs_512": line.macs,
        "images_per_s": line.images_per_s,
    }
    for score, found in line.spreads.items():
        record |= {
            f"{score}/mean": found.mean,
            f"{score}/sd": found.deviation,
            f"{score}/runs": found.count,
            f"{score}/n_scored": found.scored,
            f"{score}/n_total": found.total,
        }
    for score, gap in line.differences.items():
        record |= {
            f"{score}/difference": gap.mean,
            f"{score}/low": gap.low,
            f"{score}/high": gap.high,
            f"{score}/pairs": gap.pairs,
        }
    return {key: "" if value is None or value != value else value for key, value in record.items()}
