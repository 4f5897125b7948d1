"""Graphs made of classified pairs against those of the mask, tile by tile, with intervals.

    python experiments/paths/paired.py RUNS
    python experiments/paths/paired.py FIRST/graphs.csv SECOND/graphs.csv [TILES]
    python experiments/paths/paired.py links OUT...

RUNS/VARIANT/seed=N/SET-auto/graphs.csv are the scores of `roadex.evaluate` of each head on a set of
test tiles, RUNS/full/seed=N/SET-mask/graphs.csv those of the mask. A gain is the mean over tiles of
the mean over seeds; its interval a bootstrap over the tiles, p of a sign-flip test, both those of
`roadex.report`. The table goes to standard output.

With two tables of scores: the rows of the second against the first, over the tiles whose names
begin with TILES if it is given. With `links`: the false connections in folders that
`roadex.evaluate` wrote, as the diagnosis of `roadex.score` counts them, beside what was found.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from roadex.comparison.statistics import tile_difference, tile_means
from roadex.graph.formats import read_network
from roadex.metrics import PRESETS
from roadex.metrics.diagnosis.diagnosis import FALSE, FALSE_JUNCTION, SHORT_CUT, diagnose
from roadex.runs.reading import read_tiles

Tables = list[pd.DataFrame]  # the tiles of each seed
KEYS = ("apls", "topo/f1")
RECALLS = ("length/completeness", "topo/recall")


def read(runs: Path, pattern: str) -> Tables:
    """The scores of every seed that was evaluated."""
    return [read_tiles(path) for path in sorted(runs.glob(pattern))]


def row(name: str, variant: str, key: str, first: Tables, second: Tables) -> str:
    """One row: the second against the first, over the tiles that all seeds of both score."""
    before, after = tile_means(first, key), tile_means(second, key)
    tiles = before.index.intersection(after.index)
    means = [table.loc[tiles, key].mean() for table in second]
    spread = f" ± {np.std(means, ddof=1):.3f}" if len(means) > 1 else ""
    gain = tile_difference(after, before)
    figures = f"{before[tiles].mean():.3f} | {np.mean(means):.3f}{spread} | {len(means)}"
    interval = f"{gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
    return f"| {name} | {variant} | {key} | {figures} | {interval} | {gain.p:.3f} | {gain.tiles} |"


def links(out: Path) -> str:
    """One row: the false connections of all tiles, their metres, and the mean recalls."""
    found = [
        cause
        for path in sorted((out / "truth").glob("*.geojson"))
        for cause in diagnose(
            read_network(path), read_network(out / "graphs" / path.name), PRESETS["cosmiq"]
        ).causes
        if cause.kind in (FALSE, FALSE_JUNCTION, SHORT_CUT)
    ]
    counts = [sum(cause.kind == kind for cause in found) for kind in (FALSE, FALSE_JUNCTION)]
    tiles = read_tiles(out / "graphs.csv")
    recalls = " | ".join(f"{tiles[key].mean():.3f}" for key in RECALLS)
    metres = sum(cause.length for cause in found)
    short = len(found) - sum(counts)
    return f"| {out.name} | {counts[0]} | {counts[1]} | {short} | {metres:.0f} | {recalls} |"


def main() -> None:
    """Print the rows of every set, variant and score, or of two tables, or of connections."""
    if sys.argv[1] == "links":
        print("\n".join(links(Path(folder)) for folder in sys.argv[2:]))
        return
    if len(sys.argv) > 2:
        begin = sys.argv[3] if len(sys.argv) > 3 else ""
        tables = [read_tiles(Path(path)) for path in sys.argv[1:3]]
        first, second = (table[table.index.str.startswith(begin)] for table in tables)
        for key in KEYS:
            print(row(begin or "all", "second", key, [first], [second]))
        return
    runs = Path(sys.argv[1])
    sets = sorted({path.name.removesuffix("-mask") for path in runs.glob("full/seed=*/*-mask")})
    variants = sorted(path.name for path in runs.iterdir() if path.is_dir())
    print("| tiles | head | score | mask | pairs | seeds | gain, 95 % | p | n |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in sets:
        for variant in variants:
            mask = read(runs, f"full/seed=*/{name}-mask/graphs.csv")
            pairs = read(runs, f"{variant}/seed=*/{name}-auto/graphs.csv")
            for key in KEYS if mask and pairs else ():
                print(row(name, variant, key, mask, pairs))


if __name__ == "__main__":
    main()
