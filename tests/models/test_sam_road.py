"""The rival: its points, its labels and what its head sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from roadex.config.backbone import TimmBackboneConfig
from roadex.config.model import PairHeadConfig, SamRoadConfig
from roadex.engine.pair_classifier import PairClassifier
from roadex.errors import RoadexError
from roadex.graph.network import add_road, empty_network
from roadex.graph.paths.segments import drawn_points, segments_of
from roadex.graph.paths.vertices import JUNCTION, Strength, nearest_pairs, suppressed_points
from roadex.graph.raster import draw_roads
from roadex.losses.pairs import pair_loss
from roadex.models.contract import EVIDENCE
from roadex.models.pair_head import PairQuery
from roadex.models.registry import build_model
from roadex.models.sam_road import TopologyHead

CONFIG = SamRoadConfig(width=16)
SMALL = replace(CONFIG.pair_head, width=16, layers=1, heads=2, evidence=5)


def crossing() -> tuple[np.ndarray, np.ndarray]:
    graph = empty_network()
    for index, (x, y) in enumerate([(0.0, 64.0), (128.0, 60.0), (64.0, 0.0), (70.0, 128.0)]):
        add_road(graph, "middle", index, [(64.0, 62.0), (x, y)])
    return segments_of(graph, 1.0), draw_roads(graph, (128, 128), 1.0, 7.0)


def cells_of(road: np.ndarray) -> torch.Tensor:
    """The head's view of a road alone, which is its only feature."""
    maps = torch.zeros(1, 3 + 5, 128, 128)
    maps[0, 0] = maps[0, 4] = torch.from_numpy(road).float()
    maps[0, 3, 62, 64] = 0.9
    return maps


def test_any_transformer_is_an_encoder_for_any_size():
    backbone = TimmBackboneConfig(name="vit_tiny_patch16_224", lora_rank=2)
    model = build_model(replace(CONFIG, pair_head=SMALL), backbone).eval()
    with torch.inference_mode():
        logits = model(torch.randn(1, 3, 50, 90))
    assert logits["segmentation"][0].shape == (1, 2, 50, 90)
    assert logits[EVIDENCE][0].shape == (1, 5, 50, 90)
    learnt = {n for n, p in model.named_parameters() if p.requires_grad and n.startswith("encoder")}
    assert learnt and all("parametrizations" in name for name in learnt)


@pytest.mark.parametrize(
    "name, stride", [("tf_efficientnet_lite0", 16), ("swin_tiny_patch4_window7_224", 32)]
)
def test_encoders_have_the_stride_of_the_publication_where_they_can(name, stride):
    small = replace(CONFIG, pair_head=SMALL)
    model = build_model(small, TimmBackboneConfig(name=name))
    assert model.multiple == stride
    model(torch.randn(1, 3, 64, 64))["segmentation"][0].sum().backward()
    assert not [name for name, value in model.encoder.named_parameters() if value.grad is None]


def test_points_are_apart_and_keypoints_come_first():
    _, road = crossing()
    head = TopologyHead(SMALL)
    found = head.find(head.strength(cells_of(road)[0], (1.0, 1.0)))
    assert found.kinds.tolist().count(JUNCTION) == 1
    np.testing.assert_allclose(found.points[0], (64.5, 62.5))
    gaps = np.hypot(*(found.points[:, None] - found.points).transpose(2, 0, 1))
    assert len(found) > 10 and gaps[~np.eye(len(found), dtype=bool)].min() > 16
    head.thresholds.copy_(torch.tensor([0.95, 0.5]))
    assert JUNCTION not in head.find(head.strength(cells_of(road)[0], (1.0, 1.0))).kinds


def test_points_of_a_part_are_those_of_the_whole():
    random = np.random.default_rng(0)
    road = random.random((120, 300), dtype=np.float32)
    nothing = np.zeros_like(road)
    whole = suppressed_points(Strength(road, nothing, nothing, (1.0, 1.0)), (0.5, 0.9), (4, 4))
    part = Strength(road[:, 100:], nothing[:, 100:], nothing[:, 100:], (1.0, 1.0), (0, 100))
    points = suppressed_points(part, (0.5, 0.9), (4, 4)).points + (100, 0)
    inside = {tuple(p) for p in whole.points if p[0] > 200}
    assert inside == {tuple(p) for p in points if p[0] > 200} and len(inside) > 50


def test_pairs_are_of_the_nearest():
    line = np.column_stack([np.arange(20.0), np.zeros(20)])
    assert nearest_pairs(line, 1.5, 16).tolist() == [[i, i + 1] for i in range(19)]
    counts = np.bincount(nearest_pairs(line, 64.0, 3).flatten())
    assert counts.min() >= 3 and counts.max() < 8
    assert nearest_pairs(line[:1], 64.0, 16).shape == (0, 2)


def test_points_drawn_from_true_roads_lie_on_them():
    rows, road = crossing()
    points, near = drawn_points(rows, (1.0, 1.0), 16.0, np.random.default_rng(1))
    assert 8 < len(points) < 20 and near.sum() == 1 and near[0]
    inner = points[((points > 3) & (points < 125)).all(axis=1)].astype(int)
    assert road[inner[:, 1], inner[:, 0]].mean() > 0.9
    empty, none = drawn_points(rows[:0], (1.0, 1.0), 16.0, np.random.default_rng(1))
    assert empty.shape == (0, 2) and len(none) == 0


def test_answers_are_the_same_from_either_end():
    torch.manual_seed(0)
    head = TopologyHead(SMALL).eval()
    maps = torch.rand(1, 8, 64, 64)
    points = torch.rand(30, 2) * 64
    pairs = torch.from_numpy(head.candidates(points.numpy().astype(float)))
    kinds = torch.zeros(30, dtype=torch.int64)
    query = PairQuery(maps, (1.0, 1.0), [points], [kinds], [pairs])
    there, back = head(query), head(query.flipped())
    torch.testing.assert_close(there, back, atol=1e-5, rtol=0)
    logits, taken = head.directed(query)
    assert taken.any(dim=1).all() and not taken.all()
    assert logits[~taken].eq(0).all()


def test_learns_which_points_a_road_joins():
    torch.manual_seed(0)
    rows, road = crossing()
    head = TopologyHead(SMALL)
    mask = torch.from_numpy(road)
    logits = {
        "segmentation": [torch.stack([~mask, mask])[None] * 8.0],
        EVIDENCE: [torch.stack([mask * 1.0 for _ in range(5)])[None]],
    }
    truth = torch.from_numpy(rows)[None]
    known = torch.zeros(1, 128, 128, dtype=torch.uint8)
    optimizer = torch.optim.Adam(head.parameters(), 3e-3)
    losses = []
    for _ in range(120):
        loss = pair_loss(head, logits, truth, known, 1.0).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.5 * losses[0]
    found = PairClassifier(head, torch.device("cpu")).classified(cells_of(road), (1.0, 1.0))
    lengths = np.hypot(*np.diff(found.vertices.points[found.pairs], axis=1)[:, 0].T)
    near, far = found.chances[lengths < 30], found.chances[lengths > 40]
    assert near.mean() > 2 * far.mean()


def test_keypoints_learn_from_the_connectivity():
    head = TopologyHead(SMALL)
    classes = torch.zeros(1, 32, 32, dtype=torch.uint8)
    classes[0, 4, 4], classes[0, 8, :], classes[0, 20, 20] = 1, 2, 255
    logits = {
        "segmentation": [torch.zeros(1, 2, 32, 32)],
        EVIDENCE: [torch.zeros(1, 5, 32, 32, requires_grad=True)],
    }
    rows = torch.full((1, 1, 6), float("nan"), dtype=torch.float64)
    known = torch.zeros(1, 32, 32, dtype=torch.uint8)
    pair_loss(head, logits, rows, known, 1.0, classes).sum().backward()
    slope = logits[EVIDENCE][0].grad[0, 0]
    assert (slope < 0).nonzero().tolist() == [[4, 4]] and slope[20, 20] == 0


def test_a_head_without_features_is_refused():
    with pytest.raises(RoadexError, match=r"evidence=1: model=sam_road needs 2"):
        TopologyHead(PairHeadConfig(evidence=1))
