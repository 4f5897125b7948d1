"""Score the steps of graph=connectivity one by one on the tiles of a split.

Usage: python experiments/decoding/ablation.py CHECKPOINT OUT.csv [dataset.KEY=VALUE ...]

The network predicts the test tiles once; every row decodes these probabilities at the threshold of
the checkpoint. Differences to the first row are paired by tile, with a bootstrap interval of 95 %.
`split=validation` scores the validation tiles instead.
"""

from __future__ import annotations

import csv
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from roadex.config.metrics import AplsSettings
from roadex.config.schemas import SCHEMAS
from roadex.data.prepare import prepare
from roadex.engine.device import pick_device
from roadex.engine.evaluation import (
    SplitPrediction,
    connection_scores,
    decode_graphs,
    predict_split,
    score_graphs,
)
from roadex.engine.inference import Predictor
from roadex.graph import DecodingSettings, GapSettings
from roadex.metrics.summary import mean_scores
from roadex.runs.load import load_checkpoint

GAPS = GapSettings(reach_m=30.0)
FULL = DecodingSettings(spur_half_widths=1.5, bridge_junction=0.3, gaps=GAPS)
BLIND = replace(GAPS, dead_end=1.0)
STEPS = {
    "the mask's recipe": DecodingSettings(),
    "spurs by width": DecodingSettings(spur_half_widths=1.5),
    "bridges": DecodingSettings(bridge_junction=0.3),
    "gaps": DecodingSettings(gaps=GAPS),
    "spurs and bridges": replace(FULL, gaps=GapSettings()),
    "spurs and gaps": replace(FULL, bridge_junction=0.0),
    "all (graph=connectivity)": FULL,
    "all, dead ends not asked for": replace(FULL, gaps=BLIND),
    "all, gaps that cost up to 20": replace(FULL, gaps=replace(GAPS, max_cost=20.0)),
}
SCORES = ("apls", "apls/truth_to_proposal", "apls/proposal_to_truth")
TOPO = ("topo/precision", "topo/recall", "topo/f1")
RESAMPLES = 10_000


def main(checkpoint_path: str, out: Path, overrides: list[str]) -> None:
    """Write the table and print it."""
    split = next((o.partition("=")[2] for o in overrides if o.startswith("split=")), "test")
    prediction, threshold = _predict(checkpoint_path, split, overrides)
    rows: list[dict[str, Any]] = []
    first: np.ndarray | None = None
    for name, settings in STEPS.items():
        row, apls = _row(prediction, threshold, settings)
        first = apls if first is None else first
        rows.append({"decoding": name, **row, **_difference(apls - first)})
        print(rows[-1], flush=True)
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _predict(path: str, split: str, overrides: list[str]) -> tuple[SplitPrediction, float]:
    checkpoint = load_checkpoint(path)
    data = OmegaConf.structured(checkpoint.config.dataset)
    chosen = [o.removeprefix("dataset.") for o in overrides if o.startswith("dataset.")]
    merged = OmegaConf.to_object(OmegaConf.merge(data, OmegaConf.from_dotlist(chosen)))
    assert isinstance(merged, SCHEMAS[f"dataset/{merged.kind}"])
    dataset = prepare(merged, checkpoint.config.model.connectivity_classes, logging.info)
    device = pick_device("auto")
    predictor = Predictor(
        checkpoint.build().to(device),
        device,
        checkpoint.mean,
        checkpoint.std,
        checkpoint.config.trainer.inference,
    )
    return predict_split(predictor, dataset, split, with_directions=True), checkpoint.threshold


def _row(
    prediction: SplitPrediction, threshold: float, settings: DecodingSettings
) -> tuple[dict[str, Any], np.ndarray]:
    """Mean scores of one decoding, and the APLS of each tile."""
    graphs = decode_graphs(prediction, threshold, settings)
    results = score_graphs(graphs, AplsSettings(), ("apls", "topo"))
    means = mean_scores(results)
    row = {key: round(means[key], 4) for key in (*SCORES, *TOPO)}
    counts = {"n_scored": means["apls/n_scored"], "n_total": means["apls/n_total"]}
    found = connection_scores(graphs)
    gaps = {key: found.get(key, 0) for key in ("connections", "false_connections")}
    apls = np.array([result.scores["apls"] for result in results])
    return {**row, **counts, **gaps}, apls


def _difference(paired: np.ndarray) -> dict[str, float]:
    """Mean of differences and its bootstrap interval."""
    scored = paired[~np.isnan(paired)]
    drawn = np.random.default_rng(0).integers(0, len(scored), (RESAMPLES, len(scored)))
    low, high = np.percentile(scored[drawn].mean(axis=1), (2.5, 97.5))
    values = {"apls_difference": scored.mean(), "low": low, "high": high}
    return {key: round(float(value), 4) for key, value in values.items()}


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
