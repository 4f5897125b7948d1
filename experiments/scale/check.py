"""The arithmetic of simulate.py held against runs of one and two workers on this machine.

python experiments/scale/check.py [side=16384] [block_px=4096]

What is compared are processor seconds of all processes, which a busy machine does not distort.
Dask and the start of a worker, which the arithmetic leaves out, are taken from a tiny image.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

from simulate import Work

from roadex.benchmarks.large_image import Settings, measured

HERE = Path(__file__).parent
TINY = 1024


def main() -> None:
    """Run and print a table."""
    options = dict(argument.split("=") for argument in sys.argv[1:])
    side, block_px = int(options.get("side", 16384)), int(options.get("block_px", 4096))
    rates = json.loads((HERE / "rates.json").read_text())
    work = Work(rates, mosaic_px=side, block_px=block_px, network_px_s=math.inf)
    print("| workers | arithmetic, s | measured, s | ratio |\n|---|---|---|---|")
    for workers in (1, 2):
        settings = Settings(block_px=block_px, cluster="local", workers=workers)
        start = measured(TINY, replace(settings, block_px=1024))["processor_seconds"]
        found = measured(side, settings)
        roads_km2 = found["roads"] / found["area_km2"]
        wanted = replace(work, roads_km2=roads_km2)
        blocks_s = wanted.predict_s + wanted.draw_s + wanted.store_s
        expected = start + wanted.blocks * blocks_s + wanted.join_s
        seen = found["processor_seconds"]
        print(f"| {workers} | {expected:.1f} | {seen:.1f} | {expected / seen:.2f} |", flush=True)


if __name__ == "__main__":
    main()
