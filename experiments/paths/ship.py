"""Choose among heads for one network, and the chance that roads need, on validation tiles.

    python experiments/paths/ship.py BASE.pt OUT.pt MASSACHUSETTS EPFL HEAD.pt...

BASE is the network that comes with the project, whose threshold and pixel size stay; each HEAD
was trained on it by experiment=real_paths. The highest mean APLS of the validation tiles of both
sets is taken. The table goes to standard output, and the network with its head to OUT.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from roadex.config.dataset import FolderConfig, SplitConfig
from roadex.config.graph import DecodingSettings, PathSettings
from roadex.config.inference import InferenceConfig
from roadex.config.metrics import AplsSettings
from roadex.data.prepare import prepare
from roadex.data.prepared import PreparedDataset
from roadex.engine.evaluation import decode_graphs, predict_split, score_graphs
from roadex.engine.inference import Predictor, at_pixels, working_gsd
from roadex.engine.pair_classifier import PairClassifier
from roadex.metrics.summary import mean_scores
from roadex.models.pair_head import PAIR_PARTS
from roadex.runs.checkpoint import Checkpoint, save_checkpoint
from roadex.runs.load import load_checkpoint

CHANCES = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4)


def validation_tiles(folder: Path, masks: str, lists: str, gsd: float) -> PreparedDataset:
    """The validation split of a folder of tiles."""
    config = FolderConfig(
        images=str(folder / "images"),
        masks=str(folder / masks),
        gsd=gsd,
        splits=SplitConfig(lists=lists),
    )
    return prepare(config, 5, print, needed=("validation",))


def with_head(base: Checkpoint, head: Checkpoint) -> Checkpoint:
    """The base with the parts of the head."""
    parts = {k: v.half() for k, v in head.weights.items() if k.split(".")[0] in PAIR_PARTS}
    model = replace(base.config.model, paths=True, pair_head=head.config.model.pair_head)
    weights = {k: v for k, v in base.weights.items() if k.split(".")[0] not in PAIR_PARTS}
    return replace(base, weights={**weights, **parts}, config=replace(base.config, model=model))


def scores(checkpoint: Checkpoint, dataset: PreparedDataset) -> list[float]:
    """APLS at each chance."""
    settings = checkpoint.config.trainer.inference
    model, device = checkpoint.build(), torch.device("cpu")
    plain = Predictor(model, device, checkpoint.mean, checkpoint.std, InferenceConfig())
    seen = working_gsd(dataset.gsd, checkpoint.config.dataset.gsd, settings.finest_gsd)
    classifier = PairClassifier.of(model, device)
    predictor = at_pixels(plain, dataset.gsd, seen)
    prediction = predict_split(predictor, dataset, "validation", classifier=classifier)
    found = []
    for chance in CHANCES:
        decoding = DecodingSettings(paths=PathSettings(chance=chance))
        graphs = decode_graphs(prediction, checkpoint.threshold, decoding)
        found.append(mean_scores(score_graphs(graphs, AplsSettings()))["apls"])
    return found


def packed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors in one piece of memory for each type, which takes less room in a file."""
    result = dict(weights)
    for kind in {value.dtype for value in weights.values()}:
        own = {name: value for name, value in weights.items() if value.dtype == kind}
        whole = torch.cat([value.flatten() for value in own.values()])
        parts = whole.split([value.numel() for value in own.values()])
        for (name, value), part in zip(own.items(), parts, strict=True):
            result[name] = part.view(value.shape)
    return {name: result[name] for name in weights}


def main() -> None:
    """Score all heads, print them, and write the best."""
    base, out, massachusetts, epfl, *heads = map(Path, sys.argv[1:])
    network = load_checkpoint(base)
    sets = [
        validation_tiles(massachusetts, "masks", str(massachusetts / "lists"), 1.0),
        validation_tiles(epfl, "groundtruth", "epfl", 0.25),
    ]
    print("| head of seed | chance | MA APLS | EPFL APLS | mean |\n|---|---|---|---|---|")
    best: tuple[float, float, Checkpoint] | None = None
    for path in heads:
        head = load_checkpoint(path)
        candidate = with_head(network, head)
        pairs = zip(CHANCES, *(scores(candidate, dataset) for dataset in sets), strict=True)
        for chance, *found in pairs:
            mean = sum(found) / len(found)
            figures = " | ".join(f"{value:.3f}" for value in (*found, mean))
            print(f"| {head.config.seed} | {chance} | {figures} |", flush=True)
            if best is None or mean > best[0]:
                best = mean, chance, candidate
    assert best is not None
    save_checkpoint(out, replace(best[2], chance=best[1], weights=packed(best[2].weights)))


if __name__ == "__main__":
    main()
