"""The picture of a learning-rate range test."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from roadex.files import atomic_write


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
