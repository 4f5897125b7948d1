"""F1 of each network on the validation tiles, the test tiles with a motorway, and the others.

Usage: python experiments/rivals_epfl/by_tile.py RUNS OUT.md

RUNS is a folder of runs on EPFL's tiles; those that differ in their seed alone are one row. Each
checkpoint's own threshold, pixels pooled over the tiles of a group and seed, then mean and sample
standard deviation over the seeds.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from statistics import mean, stdev

import torch

from roadex.config.inference import InferenceConfig
from roadex.data.prepare import prepare
from roadex.engine.evaluation import predict_split, tile_confusion
from roadex.engine.inference import Predictor
from roadex.files import atomic_write
from roadex.metrics.pixel import Confusion
from roadex.runs.load import load_checkpoint

MOTORWAYS = ("satImage_072", "satImage_073")
GROUPS = ("10 validation tiles", "8 test tiles without motorway", "2 test tiles with motorway")
COLUMNS = (*GROUPS, "all 10 test tiles")
HEAD = [f"| | {' | '.join(COLUMNS)} |", f"|---|{'---|' * len(COLUMNS)}"]


def main(runs: Path, out: Path) -> None:
    """Write the table and print it."""
    scores: dict[str, list[list[float]]] = defaultdict(list)
    for checkpoint in sorted(runs.glob("*/seed-*/checkpoints/last.pt")):
        name, row = score(checkpoint)
        scores[name].append(row)
        print(name, [round(value, 3) for value in row], flush=True)
    lines = [[name, *map(spread, zip(*rows, strict=True))] for name, rows in scores.items()]
    table = "\n".join([*HEAD, *(f"| {' | '.join(line)} |" for line in lines)]) + "\n"
    with atomic_write(out) as temporary:
        temporary.write_text(table)
    print(table)


def score(path: Path) -> tuple[str, list[float]]:
    """The name of a run and its F1 in each column."""
    checkpoint = load_checkpoint(path)
    dataset = prepare(checkpoint.config.dataset, checkpoint.config.model.connectivity_classes)
    network = Predictor(
        checkpoint.build(),
        torch.device("cpu"),
        checkpoint.mean,
        checkpoint.std,
        InferenceConfig(),
        checkpoint.config.trainer.precision,
    )
    counts = [Confusion(), Confusion(), Confusion()]
    for split in ("validation", "test"):
        prediction = predict_split(network, dataset, split)
        for tile in dataset.splits[split]:
            group = 0 if split == "validation" else 1 + (tile in MOTORWAYS)
            counts[group] += tile_confusion(prediction, tile, checkpoint.threshold)
    name = path.parents[2].name.removeprefix("experiment-study_").partition("-")[0]
    return name, [group.f1 for group in (*counts, counts[1] + counts[2])]


def spread(values: tuple[float, ...]) -> str:
    """Mean and deviation over the seeds."""
    return f"{mean(values):.3f} ± {stdev(values):.3f}" if len(values) > 1 else f"{values[0]:.3f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
