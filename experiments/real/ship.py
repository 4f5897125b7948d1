"""Choose threshold and finest pixel size of a network on validation tiles, and keep it small.

    python experiments/real/ship.py CHECKPOINT OUT.pt MASSACHUSETTS EPFL

Each candidate is scored on the validation tiles of both sets: F1 over all pixels, and APLS. The
highest mean of the four figures is taken. The table goes to standard output.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from roadex.config.dataset import DatasetConfig, FolderConfig, SplitConfig
from roadex.config.inference import InferenceConfig
from roadex.config.metrics import AplsSettings
from roadex.data.prepare import prepare
from roadex.data.prepared import PreparedDataset
from roadex.engine.evaluation import SplitPrediction, decode_graphs, predict_split, score_graphs
from roadex.engine.inference import Predictor, RescaledPredictor, working_gsd
from roadex.metrics.summary import mean_scores
from roadex.runs.checkpoint import Checkpoint, save_checkpoint
from roadex.runs.load import load_checkpoint

SIZES = (1.0, 0.9, 0.8, 0.7, 0.5)  # metres per pixel
THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)


class Candidate(NamedTuple):
    """A setting with F1 and APLS of each set."""

    finest_gsd: float
    threshold: float
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        """What decides."""
        return sum(self.scores) / len(self.scores)


def validation_tiles(folder: Path, masks: str, lists: str, gsd: float) -> PreparedDataset:
    """The validation split of a folder of tiles."""
    config = FolderConfig(
        images=str(folder / "images"),
        masks=str(folder / masks),
        gsd=gsd,
        splits=SplitConfig(lists=lists),
    )
    return prepare(config, 5, print, needed=("validation",))


def predictions(
    checkpoint: Checkpoint, dataset: PreparedDataset
) -> Iterator[tuple[float, SplitPrediction]]:
    """What the network says at each pixel size; sizes that show a set alike are done once."""
    settings = InferenceConfig()
    plain = Predictor(
        checkpoint.build(), torch.device("cpu"), checkpoint.mean, checkpoint.std, settings
    )
    done: dict[float, SplitPrediction] = {}
    for finest in SIZES:
        seen = working_gsd(dataset.gsd, checkpoint.config.dataset.gsd, finest)
        if seen not in done:
            predictor = RescaledPredictor(plain, dataset.gsd / seen)
            done[seen] = predict_split(predictor, dataset, "validation")
        yield finest, done[seen]


def scores(checkpoint: Checkpoint, dataset: PreparedDataset) -> dict[tuple[float, float], tuple]:
    """F1 and APLS by finest pixel size and threshold."""
    found = {}
    for finest, prediction in predictions(checkpoint, dataset):
        for threshold in THRESHOLDS:
            graphs = decode_graphs(prediction, threshold, checkpoint.config.graph)
            apls = mean_scores(score_graphs(graphs, AplsSettings()))["apls"]
            f1 = prediction.curve.confusion(threshold).f1
            found[finest, threshold] = (f1, apls)
    return found


def elsewhere(dataset: DatasetConfig) -> DatasetConfig:
    """The settings of a dataset without the folders of this machine."""
    splits = replace(dataset.splits, lists=dataset.splits.lists and "DIR/lists")
    dataset = replace(dataset, splits=splits, cache=DatasetConfig.cache)
    if isinstance(dataset, FolderConfig):
        return replace(dataset, images="DIR/images", masks="DIR/masks")
    return dataset


def ship(checkpoint: Checkpoint, best: Candidate, path: Path) -> None:
    """Write the network with its choices, all but batch norms' variances in half precision."""
    trained = checkpoint.config
    inference = replace(trained.trainer.inference, finest_gsd=best.finest_gsd)
    config = replace(
        trained,
        dataset=elsewhere(trained.dataset),
        datasets={name: elsewhere(other) for name, other in trained.datasets.items()},
        trainer=replace(trained.trainer, inference=inference),
    )
    weights = {
        name: value.half() if value.is_floating_point() and "running_var" not in name else value
        for name, value in checkpoint.weights.items()
    }
    save_checkpoint(
        path, replace(checkpoint, weights=weights, config=config, threshold=best.threshold)
    )


def main() -> None:
    """Score all candidates, print them, and write the best."""
    source, out, massachusetts, epfl = map(Path, sys.argv[1:])
    checkpoint = load_checkpoint(str(source))
    sets = [
        validation_tiles(massachusetts, "masks", str(massachusetts / "lists"), 1.0),
        validation_tiles(epfl, "groundtruth", "epfl", 0.25),
    ]
    parts = [scores(checkpoint, dataset) for dataset in sets]
    candidates = [Candidate(*key, parts[0][key] + parts[1][key]) for key in parts[0]]
    print("| finest m | threshold | MA F1 | MA APLS | EPFL F1 | EPFL APLS | mean |")
    print("|---|---|---|---|---|---|---|")
    for each in candidates:
        figures = " | ".join(f"{value:.3f}" for value in (*each.scores, each.mean))
        print(f"| {each.finest_gsd} | {each.threshold} | {figures} |")
    best = max(candidates, key=lambda each: each.mean)
    print(f"\nChosen: finest pixel {best.finest_gsd} m, threshold {best.threshold}.")
    ship(checkpoint, best, out)


if __name__ == "__main__":
    main()
