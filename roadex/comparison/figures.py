"""The pictures of a report: scores with their spread, learning curves, score against cost."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from roadex.comparison.comparison import Comparison, Line, title
from roadex.comparison.rows import Row
from roadex.files import atomic_write
from roadex.plots.html import few_colours
from roadex.runs.reading import is_known

# Okabe and Ito's colours and then other dashes, so that no two rows look alike.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("-", "--", ":", "-.")
CURVES = {
    "loss/total": "training loss",
    "validation/f1": "validation F1",
    "validation/apls": "validation APLS",
}
DPI = 150


def draw_figures(comparison: Comparison, folder: Path) -> dict[str, Path]:
    """Draw those figures that the runs have the numbers for; returns their files by caption."""
    figures: dict[str, tuple[str, Callable[[Comparison], Figure | None]]] = {
        "Scores: mean over the runs with one standard deviation, a dot for each run.": (
            "bars",
            _bars,
        ),
        "Learning curves: mean over the runs, shaded from the lowest to the highest.": (
            "curves",
            _curves,
        ),
        "Score against cost: mean with one standard deviation.": ("cost", _cost),
    }
    drawn = {}
    for caption, (name, draw) in figures.items():
        figure = draw(comparison)
        if figure is not None:
            drawn[caption] = folder / f"{name}.png"
            _save(figure, drawn[caption])
            plt.close(figure)
    return drawn


def _save(figure: Figure, path: Path) -> None:
    """A small PNG: pages and repositories hold many."""
    full = io.BytesIO()
    figure.savefig(full, dpi=DPI)
    with atomic_write(path) as temporary:
        temporary.write_bytes(few_colours(Image.open(full), colours=128))


def _style(number: int) -> tuple[str, str]:
    """Colour and dashes of a row."""
    return COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]


def _bars(comparison: Comparison) -> Figure:
    """A panel for each score, a bar for each row."""
    scores, lines = comparison.scores, comparison.lines
    across = min(4, len(scores))
    down = -(-len(scores) // across)
    size = (2.2 + 2.4 * across, down * (0.9 + 0.34 * len(lines)))
    figure, axes = plt.subplots(down, across, figsize=size, layout="constrained", squeeze=False)
    for place, axis in enumerate(axes.flat):
        if place < len(scores):
            _bar_panel(axis, lines, scores[place], names=place % across == 0)
        else:
            axis.set_axis_off()
    return figure


def _bar_panel(axis: Axes, lines: list[Line], score: str, names: bool) -> None:
    spreads = [line.spreads[score] for line in lines]
    heights = np.arange(len(lines))
    means = np.nan_to_num([found.mean for found in spreads])
    deviations = np.nan_to_num([found.deviation for found in spreads])
    colours = [COLOURS[i % len(COLOURS)] for i in range(len(lines))]
    axis.barh(heights, means, color=colours, alpha=0.75, height=0.7)
    axis.errorbar(means, heights, xerr=deviations, fmt="none", ecolor="#222", capsize=3)
    for height, line in enumerate(lines):
        values = [run.scores.get(score, np.nan) for run in line.row.runs]
        axis.plot(values, [height] * len(values), "o", color="#222", markersize=3, alpha=0.7)
    axis.set_yticks(heights, [line.row.name for line in lines] if names else [""] * len(lines))
    axis.invert_yaxis()
    axis.set_xlim(left=0)
    axis.set_title(title(score), fontsize=10)
    axis.grid(axis="x", alpha=0.3)


def _curves(comparison: Comparison) -> Figure:
    """The loss and two validation scores over the epochs."""
    figure, axes = plt.subplots(1, len(CURVES), figsize=(11, 3.6), layout="constrained")
    for axis, (column, name) in zip(axes, CURVES.items(), strict=True):
        for number, line in enumerate(comparison.lines):
            _curve(axis, line.row, column, number)
        axis.set(xlabel="epoch", title=name)
        axis.grid(alpha=0.3)
    axes[0].set_yscale("log")
    handles, labels = axes[0].get_legend_handles_labels()
    # As many names beside each other as fit the width.
    columns = max(1, min(len(labels), 120 // (max(map(len, labels)) + 6)))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)
    return figure


def _curve(axis: Axes, row: Row, column: str, number: int) -> None:
    """Epochs that only some of the runs reached are drawn from those."""
    epochs = pd.DataFrame([epoch for run in row.runs for epoch in run.history])
    values = epochs.reindex(columns=["epoch", column]).dropna().groupby("epoch")[column]
    found = values.agg(["mean", "min", "max"])
    colour, dashes = _style(number)
    alone = "o" if len(found) == 1 else None  # a line of one point is not seen
    line: dict[str, Any] = {"color": colour, "label": row.name, "linewidth": 1.6, "marker": alone}
    axis.plot(found.index, found["mean"], dashes, **line)
    axis.fill_between(found.index, found["min"], found["max"], color=colour, alpha=0.15, lw=0)


def _cost(comparison: Comparison) -> Figure | None:
    """F1 and APLS, or the first scores there are, against multiply-accumulates."""
    lines = [line for line in comparison.lines if is_known(line.macs)]
    if not lines:
        return None
    main = [score for score in ("f1", "apls") if score in comparison.scores]
    scores = main or comparison.scores[:2]
    figure, axes = plt.subplots(
        1, len(scores), figsize=(0.6 + 4.6 * len(scores), 3.6), layout="constrained", squeeze=False
    )
    for axis, score in zip(axes[0], scores, strict=True):
        _cost_panel(axis, lines, score)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False)
    return figure


def _cost_panel(axis: Axes, lines: list[Line], score: str) -> None:
    for number, line in enumerate(lines):
        found = line.spreads[score]
        deviation = found.deviation if is_known(found.deviation) else 0.0
        axis.errorbar(
            line.macs / 1e9,
            found.mean,
            yerr=deviation,
            fmt="osD^v"[number // len(COLOURS) % 5],
            color=_style(number)[0],
            capsize=3,
            label=line.row.name,
        )
    costs = [line.macs for line in lines]
    if max(costs) > 4 * min(costs):
        axis.set_xscale("log")
    elif max(costs) < 1.1 * min(costs):
        axis.set_xlim(0.8 * min(costs) / 1e9, 1.2 * max(costs) / 1e9)
    axis.set(xlabel="GMACs at 512 x 512", ylabel=title(score))
    axis.grid(alpha=0.3)
