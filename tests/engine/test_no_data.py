"""Where a Massachusetts tile has no data nothing is learned, and nothing is scored."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from roadex.config.dataset import MassachusettsConfig
from roadex.config.labels import IGNORE
from roadex.config.loss import LossConfig
from roadex.data.prepare import prepare
from roadex.engine.evaluation import SplitPrediction, decode_graphs, pixel_scores, relaxed_scores
from roadex.graph import DecodingSettings
from roadex.graph.network import total_length
from roadex.losses.multitask import multitask_loss
from roadex.rasters.pictures import write_image

SIZE, WHITE = 96, 32  # pixels a side, columns without data


@pytest.fixture
def dataset(tmp_path):
    """Three tiles with a street across; the survey ends within it, and the map goes on."""
    rng = np.random.default_rng(0)
    for split in ("train", "valid", "test"):
        image = rng.integers(60, 200, (SIZE, SIZE, 3)).astype(np.uint8)
        image[:, :WHITE] = 255
        label = np.zeros((SIZE, SIZE), np.uint8)
        cv2.line(label, (0, 48), (SIZE, 48), 255, 8)
        write_image(tmp_path / split / "sat" / f"{split}.tiff", image)
        write_image(tmp_path / split / "map" / f"{split}.tif", label)
    config = MassachusettsConfig(raw=str(tmp_path), cache=str(tmp_path / "cache"), workers=1)
    return prepare(config, classes=5)


def test_no_data_has_no_part_in_the_loss(dataset):
    tile = dataset.tile("train")
    mask, connectivity = (torch.tensor(a[None]) for a in (tile.mask, tile.connectivity))
    assert (mask[..., :WHITE] == IGNORE).all() and set(mask[..., WHITE:].unique().tolist()) == {
        0,
        1,
    }
    logits = {
        task: [torch.randn(1, k, side, side, requires_grad=True) for side in (SIZE // 4, SIZE)]
        for task, k in (("segmentation", 2), ("connectivity", 5))
    }
    total, _ = multitask_loss(logits, mask, connectivity, LossConfig(cross_entropy=0.5))
    total.backward()
    for maps in logits.values():
        for logit, white in zip(maps, (WHITE // 4, WHITE), strict=True):
            assert not logit.grad[..., :white].any(), "nothing is learned there"
            assert (logit.grad[..., white:].abs().amax(dim=1) > 0).all()


def test_no_data_has_no_part_in_the_scores(dataset):
    """A model that is right where there are data, and calls all or nothing road where not."""
    truth = dataset.tile("test").mask == 1
    scores = []
    for claim in (0.0, 0.99):
        road = np.where(truth, 0.9, 0.1).astype(np.float32)
        road[:, :WHITE] = claim
        connectivity = np.zeros((5, SIZE, SIZE), np.float32)
        connectivity[2, truth] = 1
        connectivity[3, :, :WHITE] = claim
        prediction = SplitPrediction(dataset)
        prediction.add("test", {"segmentation": np.stack([1 - road, road]),
                                "connectivity": connectivity})  # fmt: skip
        graphs = decode_graphs(prediction, 0.5, DecodingSettings())
        assert total_length(graphs[0].proposal) == pytest.approx(SIZE - WHITE, abs=6), (
            "its skeleton is a little shorter"
        )
        scores.append({**pixel_scores(prediction, 0.5), **relaxed_scores(prediction, 0.5)})
    assert scores[0] == scores[1]
    assert scores[0]["f1"] == 1 and scores[0]["relaxed_f1"] == 1
    assert np.isfinite(scores[0]["connectivity_iou"])
