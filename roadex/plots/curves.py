"""Learning curves of a run, and the picture of a learning-rate range test."""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from roadex.files import atomic_write

LOSSES = ("loss/total", "loss/segmentation/full", "loss/connectivity/full")
SCORES = (
    "validation/f1",
    "validation/iou",
    "validation/apls",
    "validation/connectivity_iou",
    "validation/class_macro_f1",
)


def draw_curves(history: Path, path: Path) -> None:
    """Draw the losses (logarithmic) and the validation scores of history.csv over the epochs."""
    with history.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    _lines(left, rows, LOSSES)
    left.set(xlabel="epoch", ylabel="training loss", yscale="log")
    _lines(right, rows, SCORES)
    right.set(xlabel="epoch", ylabel="validation score", ylim=(0, 1))
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=90)
    plt.close(figure)


def _lines(axes: Axes, rows: list[dict[str, str]], columns: tuple[str, ...]) -> None:
    for column in columns:
        points = [(int(row["epoch"]), float(row[column])) for row in rows if row.get(column)]
        if points:
            axes.plot(*zip(*points, strict=True), label=column.split("/", 1)[1], marker=".")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8)


matplotlib.use("Agg")


def draw_lr_curve(rates: list[float], losses: list[float], suggested: float, path: Path) -> None:
    """Draw smoothed losses over learning rates (logarithmic), with a mark at the suggested one."""
    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    axes.plot(rates, losses)
    axes.axvline(suggested, color="tab:red", linestyle="--", label=f"suggested {suggested:.1e}")
    low, high = min(losses), losses[0]
    margin = 0.5 * max(high - low, 1e-6)
    axes.set(xlabel="learning rate", ylabel="training loss, smoothed", xscale="log")
    axes.set_ylim(low - margin, high + 2 * margin)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=90)
    plt.close(figure)
