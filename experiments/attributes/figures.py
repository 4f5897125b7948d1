"""The figures of this study.

Usage: python experiments/attributes/figures.py RUN SCORED...

confusion.png has the test confusions of the folders SCORED (of runs, or of `roadex.evaluate`)
together, in km of true road; roads.png four test tiles with the true roads and those that the model
of RUN draws, by class.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import networkx as nx
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from PIL import Image

import roadex
from roadex.data.prepare import prepare
from roadex.graph.attribute_labels import CLASSES, VALUES
from roadex.runs.load import load_checkpoint

HERE = Path(__file__).parent
_COLOURS = ("#f0e442", "#e69f00", "#cc79a7", "#56b4e9", "#ffffff", "#009e73", "#b07d3c")
COLOURS = dict(zip(CLASSES, _COLOURS, strict=True))
TILES = 4


def main(run: str, scored: list[str]) -> None:
    """Write both pictures beside this file."""
    metrics = [json.loads((Path(folder) / "metrics.json").read_text()) for folder in scored]
    draw_confusions([each["confusion"] for each in metrics])
    draw_roads(run)


def draw_confusions(found: list[dict[str, dict[str, list]]]) -> None:
    """Row = truth, column = prediction; values that the truth lacks are left out."""
    figure, axes = plt.subplots(1, len(VALUES), figsize=(17, 5), layout="constrained")
    for axis, (name, values) in zip(axes, VALUES.items(), strict=True):
        km = sum(np.array(each[name]["metres"]) for each in found) / 1000
        shown = np.flatnonzero(km.sum(axis=1) + km.sum(axis=0))
        km = km[np.ix_(shown, shown)]
        share = km / np.maximum(km.sum(axis=1, keepdims=True), 1e-9)
        axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for (row, column), value in np.ndenumerate(km):
            tone = "white" if share[row, column] > 0.5 else "black"
            axis.text(column, row, f"{value:.1f}", ha="center", va="center", color=tone, fontsize=8)
        names = [values[index] for index in shown]
        axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axis.set_yticks(range(len(names)), names)
        axis.set(title=name, xlabel="predicted", ylabel="true, km")
    figure.savefig(HERE / "confusion.png", dpi=70)


def draw_roads(run: str) -> None:
    """The test tiles with the most classes, in the order of their names."""
    checkpoint = load_checkpoint(run)
    dataset = prepare(checkpoint.config.dataset, 5, attributes=True)
    truths = {name: dataset.tagged(name) for name in dataset.splits["test"]}
    chosen = sorted(sorted(truths, key=lambda name: -len(classes_of(truths[name])))[:TILES])
    model = roadex.load(run)
    figure, axes = plt.subplots(2, TILES, figsize=(4 * TILES, 8.6), layout="constrained")
    for name, (above, below) in zip(chosen, axes.T, strict=True):
        image = np.array(dataset.tile(name).image)
        predicted = model.predict(image, gsd=dataset.gsd).frame
        for axis, roads, title in ((above, truths[name], "true"), (below, predicted, "predicted")):
            draw(axis, image, roads, dataset.gsd)
            axis.set_title(f"{name}, {title}")
    lines = [Line2D([], [], color=colour, lw=4, label=name) for name, colour in COLOURS.items()]
    figure.legend(handles=lines, loc="outside lower center", ncols=len(lines), facecolor="#808080")
    figure.savefig(HERE / "roads.png", dpi=60)
    with Image.open(HERE / "roads.png") as picture:
        picture.convert("RGB").quantize(96).save(HERE / "roads.png", optimize=True)


def classes_of(roads: nx.MultiGraph) -> set[str]:
    """The classes of a tile's roads."""
    return {data["highway"] for *_, data in roads.edges(data=True)}


def draw(axis: Axes, image: np.ndarray, roads: nx.MultiGraph, gsd: float) -> None:
    """Roads by class over a darkened image, the more important ones over others."""
    axis.imshow(image // 2)
    ranks = {name: rank for rank, name in enumerate(reversed(CLASSES))}
    for *_, data in sorted(roads.edges(data=True), key=lambda road: ranks[road[2]["highway"]]):
        line = data["geometry"] / gsd
        axis.plot(*line.T, color=COLOURS[data["highway"]], lw=2.5, solid_capstyle="round")
    axis.set(xlim=(0, image.shape[1]), ylim=(image.shape[0], 0), xticks=[], yticks=[])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
