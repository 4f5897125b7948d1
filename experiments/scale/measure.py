"""What each step of a mosaic costs on this machine, one thread, in processor seconds.

python experiments/scale/measure.py [OUT=experiments/scale/rates.json]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from roadex.benchmarks.large_image import _stand_in, write_town
from roadex.config.graph import SPURS_BY_WIDTH
from roadex.config.inference import InferenceConfig
from roadex.geo.grid import Georeference
from roadex.graph.blocks import BlockRoads, Lattice, decode_block
from roadex.graph.formats import write_table
from roadex.graph.joining import joined
from roadex.graph.road_table import RoadTable
from roadex.prediction import block_scan
from roadex.prediction.crew import Alone
from roadex.prediction.geotiff import write_probability
from roadex.prediction.memory import return_freed_memory
from roadex.prediction.overview import small_probability
from roadex.prediction.pipeline import ReadingOptions, load_model, open_view
from roadex.prediction.place import placed_table
from roadex.prediction.scene import open_scene
from roadex.prediction.store import open_store

SIDE, BLOCK, WINDOW = 8192, 4096, 1024
PIXEL = (0.5, 0.5)
GRID = Georeference("EPSG:32632", (5e5, 5e6), (0.5, -0.5), (SIDE, SIDE))


def spent(work: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    """The mean processor seconds of a few calls, and what the last gave.

    Before each of them freed memory is given back, as workers do after each block: to get it again
    is a good part of what a block costs.
    """
    total = 0.0
    for _ in range(repeats):
        return_freed_memory()
        started = time.process_time()
        result = work()
        total += time.process_time() - started
    return total / repeats, result


def measured(folder: Path) -> dict[str, float]:
    """Seconds for each pixel or road, and bytes."""
    town = folder / "town.vrt"
    write_town(town, SIDE)
    model = _stand_in()
    side = round(BLOCK / 896)
    with open_scene(town) as scene:
        view, _ = open_view(scene, model, ReadingOptions())
        store = open_store(folder / "store", view.shape, 0, scene.masked, {})
        found: dict[str, float] = {}

        def predict() -> Any:
            return block_scan._predicted(view, model.predictor, (side, 0), side, store)

        seconds, (values, _) = spent(predict)
        pixels = values[0].size
        # Reading, a stand-in model, blending and levels, for each pixel of the block's windows.
        found["blend_s_px"] = seconds / ((side + 1) * side * WINDOW**2)
        packed = folder / "block.npz"
        seconds, _ = spent(lambda: np.savez_compressed(packed, values=values, valid=np.zeros(0)))
        found["pack_s_px"] = seconds / pixels
        place = slice(0, values.shape[1]), slice(0, values.shape[2])

        def keep() -> None:
            with np.load(packed) as content:
                store.write(place[0], content["values"], None, place[1])

        found["store_s_px"] = spent(keep)[0] / pixels
        block_scan.scan_blocks(view, model.predictor, store, Alone(), BLOCK)
    found["network_s_px"] = network_seconds()
    tif = folder / "probability.tif"
    written = spent(lambda: write_probability(tif, store, store.shape, GRID))[0]
    shrunk = spent(lambda: small_probability(store, 2048))[0]
    found["files_s_px"] = (written + shrunk) / SIDE**2
    lattice = Lattice(store.shape, BLOCK)
    blocks = lattice.blocks()
    drawn = [spent(lambda block=block: roads_of(store, lattice, block), 1) for block in blocks]
    found["draw_s_px"] = sum(seconds for seconds, _ in drawn) / SIDE**2
    parts = [roads for _, roads in drawn]
    return {**found, **of_roads(parts, folder)}


def roads_of(store: Any, lattice: Lattice, block: tuple[int, int]) -> BlockRoads:
    return decode_block(store.road, None, 0.5, PIXEL, SPURS_BY_WIDTH, lattice, block)


def of_roads(parts: list[BlockRoads], folder: Path) -> dict[str, float]:
    """Seconds for each road to join it, and to write it to GeoPackage and GeoParquet."""
    seconds, (table, _) = spent(lambda: joined(parts, (SIDE, SIDE), PIXEL, SPURS_BY_WIDTH))
    many = repeated(placed_table(table, GRID, PIXEL), 50)
    writing = sum(
        spent(lambda kind=kind: write_table(many, folder / f"roads{kind}"))[0]
        for kind in (".gpkg", ".parquet")
    )
    return {"join_s_road": seconds / len(table), "write_s_road": writing / len(many)}


def repeated(table: RoadTable, count: int) -> RoadTable:
    """A network repeated several times, since a file has a cost of its own."""
    nodes, points = len(table.names), len(table.points)
    shifts = [np.array([i * SIDE * PIXEL[0], 0.0]) for i in range(count)]
    offsets = [table.offsets[:-1] + i * points for i in range(count)]
    return replace(
        table,
        names=np.concatenate([table.names + (i << 48) for i in range(count)]),
        places=np.concatenate([table.places + shift for shift in shifts]),
        ends=np.concatenate([table.ends + i * nodes for i in range(count)]),
        points=np.concatenate([table.points + shift for shift in shifts]),
        offsets=np.concatenate([*offsets, [count * points]]),
        lengths=np.tile(table.lengths, count),
        values=np.tile(table.values, (count, 1)),
    )


def network_seconds() -> float:
    """Seconds for each pixel in the model that comes with roadex."""
    predictor = load_model(None, "cpu", InferenceConfig(WINDOW, 128)).predictor
    image = np.random.default_rng(0).integers(0, 255, (WINDOW, WINDOW, 3), np.uint8)
    return spent(lambda: predictor.window(image), 3)[0] / WINDOW**2


def main() -> None:
    """Measure and write."""
    torch.set_num_threads(1)
    out = Path(dict(a.split("=") for a in sys.argv[1:]).get("OUT", "experiments/scale/rates.json"))
    with tempfile.TemporaryDirectory() as folder:
        rates = measured(Path(folder))
    out.write_text(json.dumps({k: float(f"{v:.4g}") for k, v in rates.items()}, indent=2) + "\n")
    print(out.read_text())


if __name__ == "__main__":
    main()
