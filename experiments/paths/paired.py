"""Graphs made of classified pairs against those of the mask, tile by tile, with intervals.

    python experiments/paths/paired.py RUNS

RUNS/VARIANT/seed=N/SET-auto/graphs.csv are the scores of `roadex.evaluate` of each head on a set of
test tiles, RUNS/full/seed=N/SET-mask/graphs.csv those of the mask. A gain is the mean over tiles of
the mean over seeds; its interval a bootstrap over the tiles. The table goes to standard output.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

from roadex.comparison.statistics import mean_interval

Scores = dict[str, dict[str, float]]  # by seed, then by tile
KEYS = ("apls", "topo/f1")


def read(runs: Path, pattern: str, key: str) -> Scores:
    """The scores of every seed that was evaluated; tiles that were not scored are left out."""
    found: Scores = {}
    for path in sorted(runs.glob(pattern)):
        with path.open(encoding="utf-8") as file:
            rows = {row["tile"]: float(row[key] or "nan") for row in csv.DictReader(file)}
        found[path.parents[1].name] = {name: v for name, v in rows.items() if not np.isnan(v)}
    return found


def row(name: str, variant: str, key: str, first: Scores, second: Scores) -> str:
    """One row: the second against the first, seed by seed where both have several."""
    tiles = sorted(set.intersection(*(set(s) for s in (*first.values(), *second.values()))))
    before = {t: float(np.mean([s[t] for s in first.values()])) for t in tiles}
    after = {t: float(np.mean([s[t] for s in second.values()])) for t in tiles}
    gains = [after[t] - before[t] for t in tiles]
    means = [float(np.mean([s[t] for t in tiles])) for s in second.values()]
    spread = f" ± {np.std(means, ddof=1):.3f}" if len(means) > 1 else ""
    low, high = mean_interval(np.array(gains))
    figures = f"{np.mean(list(before.values())):.3f} | {np.mean(means):.3f}{spread} | {len(means)}"
    gain = f"{np.mean(gains):+.3f} [{low:+.3f}, {high:+.3f}]"
    return f"| {name} | {variant} | {key} | {figures} | {gain} | {len(tiles)} |"


def main() -> None:
    """Print the rows of every set, variant and score."""
    runs = Path(sys.argv[1])
    sets = sorted({path.name.removesuffix("-mask") for path in runs.glob("full/seed=*/*-mask")})
    variants = sorted(path.name for path in runs.iterdir() if path.is_dir())
    print("| tiles | head | score | mask | pairs | seeds | gain, 95 % | n |")
    print("|---|---|---|---|---|---|---|---|")
    for name in sets:
        for variant in variants:
            for key in KEYS:
                mask = read(runs, f"full/seed=*/{name}-mask/graphs.csv", key)
                pairs = read(runs, f"{variant}/seed=*/{name}-auto/graphs.csv", key)
                if mask and pairs:
                    print(row(name, variant, key, mask, pairs))


if __name__ == "__main__":
    main()
