"""Plots of a search for settings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from roadex.files import atomic_write


def draw_history(scores: Sequence[float], path: Path) -> None:
    """The score of each finished trial, in their order, and the best so far."""
    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    numbers = range(1, len(scores) + 1)
    axes.plot(numbers, scores, "o", color="0.6", label="trial")
    axes.step(numbers, list(accumulate(scores, max)), where="post", label="best so far")
    axes.set(xlabel="finished trials", ylabel="best validation score")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)


def draw_importance(shares: dict[str, float], path: Path) -> None:
    """A bar for each setting, the most important one on top; no file where nothing is known."""
    if not shares:
        return
    ordered = sorted(shares.items(), key=lambda pair: pair[1])
    figure, axes = plt.subplots(figsize=(6, 1.2 + 0.4 * len(ordered)), layout="constrained")
    bars = axes.barh([name for name, _ in ordered], [share for _, share in ordered])
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set(xlabel="importance (PED-ANOVA)", xlim=(0, 1.1))
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)
