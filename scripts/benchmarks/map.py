"""How smooth the map page stays: time from frame to frame with many roads and with few."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import numpy as np

from roadex.benchmarks._settings import parse_settings
from roadex.config.limits import bounded
from roadex.graph.network import add_road, empty_network
from roadex.plots.map_page import write_map_page
from scripts.benchmarks._chromium import Page, chromium

_SPACING_M = 100.0
_OVERVIEW_PX = 2048
# Zoom in, then drag, a step a frame: milliseconds between frames, and of drawing the roads anew
# (reading a pixel back waits for what has only been queued).
_MOVE = """(async () => {
  const {drawing, view} = roadMap;
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  view.showAll();
  drawing.drawRoads();
  await frame();
  for (let i = 0; i < FRAMES; i++) {
    if (i < FRAMES / 2) view.zoom(1.03, 600 + i, 400);
    else view.pan(9, 5);
    drawing.ask(true);
    const started = performance.now();
    await frame();
    times.push(performance.now() - started);
  }
  view.showAll();
  const started = performance.now();
  drawing.drawRoads();
  drawing.roads.getContext("2d").getImageData(0, 0, 1, 1);
  return [times, performance.now() - started];
})()"""


@dataclass
class Settings:
    """The benchmark's settings."""

    roads: int = bounded(20_000, least=1)
    # What they are compared with.
    few: int = bounded(200, least=1)
    frames: int = bounded(120, least=1)


def main(overrides: list[str]) -> None:
    """Frames of a moving map in headless Chromium, without a graphics processor.

    The ratio is that of the median frames; a redrawing happens once, when the hand rests.

    Settings: roads=20000, few=200, frames=120.
    """
    settings = parse_settings(Settings, overrides)
    print(f"{'roads':>8}{'median ms':>12}{'95 % ms':>10}{'worst ms':>10}{'redrawing ms':>14}")
    medians = []
    with tempfile.TemporaryDirectory() as folder, chromium() as page:
        for count in (settings.few, settings.roads):
            times, redrawing = measure(page, count, settings.frames, Path(folder))
            middle, high, worst = np.percentile(times, [50, 95, 100])
            medians.append(middle)
            print(f"{count:8}{middle:12.1f}{high:10.1f}{worst:10.1f}{redrawing:14.1f}")
    print(f"many over few: {medians[1] / medians[0]:.2f}")


def measure(page: Page, roads: int, frames: int, folder: Path) -> tuple[list[float], float]:
    """Milliseconds of each frame of a movement, and of one drawing of all roads."""
    town = winding_town(roads)
    side = (int(np.sqrt(roads / 2)) + 2) * _SPACING_M
    image = np.random.default_rng(0).integers(0, 160, (_OVERVIEW_PX, _OVERVIEW_PX, 3), np.uint8)
    write_map_page(folder / "map.html", town, image, (side, side))
    page.open(folder / "map.html")
    times, redrawing = page.run(_MOVE.replace("FRAMES", str(frames)))
    return times, redrawing


def winding_town(roads: int) -> nx.MultiGraph:
    """A square town of winding streets of 12 points each, the doubtful ones in the north."""
    side = int(np.sqrt(roads / 2)) + 2
    bend = 0.1 * np.sin(np.linspace(0, np.pi, 12))
    street = np.stack([np.linspace(0, 1, 12), bend], axis=1) * _SPACING_M
    graph = empty_network()
    ways = [(i, j, turned) for j in range(side - 1) for i in range(side - 1) for turned in (0, 1)]
    for i, j, turned in ways[:roads]:
        line = np.array([i, j]) * _SPACING_M + (street[:, ::-1] if turned else street)
        end = (i, j + 1) if turned else (i + 1, j)
        add_road(graph, (i, j), end, line, width_m=6.0, mean_probability=j / side)
    return graph
