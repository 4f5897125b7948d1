"""The pictures of a diagnosis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from roadex.files import atomic_write
from roadex.metrics.diagnosis.diagnosis import (
    BROKEN,
    DETOUR,
    DISPLACED_POINTS,
    FALSE,
    FALSE_JUNCTION,
    MISSING,
    SHORT_CUT,
    Diagnosis,
    Route,
)
from roadex.metrics.roads import Floats

NUMBERED = 12
COLOURS = {
    MISSING: "#d62728",
    BROKEN: "#ff7f0e",
    DETOUR: "#e6b800",
    FALSE: "#7b3fb8",
    FALSE_JUNCTION: "#c2459c",
    SHORT_CUT: "#8c6bb1",
    DISPLACED_POINTS: "#17a2a2",
}
TRUTH, PROPOSAL, ROUTE, PALE = "#9aa5b1", "#1f4e79", "#d62728", "#b9c9da"


def draw_causes(result: Diagnosis, path: Path, y_down: bool) -> None:
    """A map of both networks with the causes of the loss, coloured by kind, wider by cost."""
    figure = Figure(figsize=(11, 7.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[2.1, 1])
    _base(left, result, y_down, TRUTH, PROPOSAL)
    top = max((cause.share for cause in result.causes), default=1.0)
    for cause in reversed(result.causes):
        width = 2.0 + 6.0 * np.sqrt(cause.share / top)
        _lines(left, cause.lines, COLOURS[cause.kind], width, alpha=0.75, zorder=4)
    for number, cause in enumerate(result.causes[:NUMBERED], start=1):
        _label(left, cause.centre, str(number), COLOURS[cause.kind])
    left.set_title(
        f"APLS {result.value:.3f}   truth to proposal {result.truth_to_proposal:.3f}   "
        f"proposal to truth {result.proposal_to_truth:.3f}",
        fontsize=11,
    )
    _legend(left, result)
    _ranking(right, result)
    _save(figure, path)


def draw_routes(result: Diagnosis, path: Path, y_down: bool) -> None:
    """The worst routes, each in a small map of its own."""
    figure = Figure(figsize=(12, 5.6), layout="constrained")
    panels = figure.subplots(2, 5).ravel()
    for panel in panels:
        panel.axis("off")
    for panel, letter, route in zip(panels, "ABCDEFGHIJ", result.routes, strict=False):
        _base(panel, result, y_down, PALE, "#6f87a0", thin=True)
        _lines(panel, [route.line], ROUTE if route.of_truth else COLOURS[FALSE], 2.6, zorder=4)
        ends = route.line[[0, -1]]
        panel.scatter(*ends.T, s=26, color="black", zorder=5)
        panel.set_title(_caption(letter, route), fontsize=8.5)
    if not result.routes:
        panels[0].set_title("no route has a cost", fontsize=8.5)
    _save(figure, path)


def _caption(letter: str, route: Route) -> str:
    whose, others = ("truth", "proposal") if route.of_truth else ("proposal", "truth")
    other = f"{route.other:.0f} m" if np.isfinite(route.other) else "no way"
    return f"{letter}  {whose}: {route.own:.0f} m\n{others}: {other}, cost {route.cost:.2f}"


def _base(
    axes: Axes, result: Diagnosis, y_down: bool, truth: str, proposal: str, thin: bool = False
) -> None:
    """Both networks: the truth broad and pale, the proposal thin and dark on top."""
    _lines(axes, result.truth.lines, truth, 2.0 if thin else 4.5, zorder=1)
    _lines(axes, result.proposal.lines, proposal, 0.7 if thin else 1.3, zorder=3)
    axes.autoscale()
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.04)
    if y_down:
        axes.invert_yaxis()
    axes.axis("off")


def _lines(
    axes: Axes, lines: list[Floats], colour: str, width: float, alpha: float = 1, zorder: int = 2
) -> None:
    axes.add_collection(
        LineCollection(
            lines, colors=colour, linewidths=width, alpha=alpha, zorder=zorder, capstyle="round"
        )
    )


def _label(axes: Axes, spot: Floats, text: str, colour: str) -> None:
    box = {"boxstyle": "circle,pad=0.25", "facecolor": "white", "edgecolor": colour}
    x, y = spot.tolist()
    axes.text(x, y, text, fontsize=8, ha="center", va="center", zorder=6, bbox=box)


def _legend(axes: Axes, result: Diagnosis) -> None:
    shares = result.shares()
    entries = [
        Line2D([], [], color=TRUTH, linewidth=4.5, label="truth"),
        Line2D([], [], color=PROPOSAL, linewidth=1.3, label="proposal"),
    ]
    entries += [
        Line2D([], [], color=colour, linewidth=5, alpha=0.75, label=f"{kind} ({shares[kind]:.0%})")
        for kind, colour in COLOURS.items()
        if shares[kind] > 0
    ]
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "ncols": 4}
    axes.legend(handles=entries, fontsize=8.5, **place)


def _ranking(axes: Axes, result: Diagnosis) -> None:
    """Bars of the most expensive causes."""
    axes.set_title("share of the loss", fontsize=11)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xticks([])
    shown = result.causes[:NUMBERED]
    rest = sum(cause.share for cause in result.causes[NUMBERED:])
    bars = [(f"{n}", c.share, COLOURS[c.kind], f"{c.kind}, {c.length:.0f} m")
            for n, c in enumerate(shown, start=1)]  # fmt: skip
    if rest > 0:
        bars.append(("rest", rest, TRUTH, f"{len(result.causes) - NUMBERED} smaller ones"))
    if result.unexplained > 0.0005:
        bars.append(("?", result.unexplained, "#d9d9d9", "routes without a bad segment"))
    for row, (_, share, colour, text) in enumerate(bars):
        axes.barh(row, share, color=colour, alpha=0.8, height=0.42)
        axes.text(0, row - 0.27, f"{share:.1%}  {text}", fontsize=8.5, va="bottom")
    axes.set_yticks(range(len(bars)), [bar[0] for bar in bars])
    axes.set_ylim(max(len(bars), 1) - 0.4, -0.75)


def _save(figure: Figure, path: Path) -> None:
    """Write a PNG with few colours, at a third of the size."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    with atomic_write(path) as temporary:
        image.quantize(128).save(temporary, optimize=True)
