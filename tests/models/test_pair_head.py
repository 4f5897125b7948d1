"""The head that classifies pairs: on every model, from the maps, with the other pairs in sight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from roadex.config.model import PairHeadConfig
from roadex.graph.network import add_road, empty_network
from roadex.graph.paths.segments import segments_of
from roadex.graph.raster import draw_roads
from roadex.losses.pairs import pair_loss
from roadex.models.contract import EVIDENCE
from roadex.models.pair_head import PAIR_PARTS, PairHead, PairQuery, cells
from roadex.models.registry import MODELS
from tests.support.zoo import tiny

SMALL = PairHeadConfig(width=16, heads=2, samples=9, evidence=4)


def question(count: int = 6) -> tuple[torch.Tensor, ...]:
    points = torch.rand(count, 2, generator=torch.Generator().manual_seed(0)) * 60
    pairs = torch.tensor([[0, 1], [1, 2], [2, 3], [0, 3], [1, 3]])
    return points, torch.zeros(count, dtype=torch.int64), pairs


def answers(head: PairHead, maps: torch.Tensor, points, kinds, pairs) -> torch.Tensor:
    return head(PairQuery(maps, (1.0, 1.0), [points], [kinds], [pairs]))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_takes_the_head(name):
    """Its maps stay what they are, and the evidence learns from the pairs."""
    torch.manual_seed(0)
    model = tiny(name, paths=True, pair_head=SMALL)
    plain = {k for k in model.state_dict() if k.split(".")[0] not in PAIR_PARTS}
    assert plain == set(tiny(name).state_dict())
    logits = model(torch.randn(2, 3, 70, 90))
    assert len(logits[EVIDENCE]) == 1 and logits[EVIDENCE][0].shape == (2, 4, 70, 90)
    rows = torch.full((2, 1, 6), float("nan"), dtype=torch.float64)
    rows[:, 0] = torch.tensor([0.0, 35.0, 90.0, 35.0, 0.0, 1.0])
    losses = pair_loss(
        model.pair_head, logits, rows, torch.zeros(2, 70, 90, dtype=torch.uint8), 1.0
    )
    assert losses.shape == (2,) and losses.isfinite().all()
    losses.sum().backward()
    moved = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert moved >= {"evidence", "pair_head"}
    backbone = [
        p.grad for n, p in model.named_parameters() if n.startswith(("backbone", "encoder"))
    ]
    assert any(grad is not None for grad in backbone), "evidence reaches down to the trunk"


def test_the_head_learns_which_pairs_a_road_joins():
    """From the maps alone it distinguishes pairs along a road from those across."""
    torch.manual_seed(0)
    graph = empty_network()
    add_road(graph, 0, 1, [(0.0, 30.0), (96.0, 40.0)])
    add_road(graph, 2, 3, [(0.0, 60.0), (96.0, 66.0)])
    mask = torch.from_numpy(draw_roads(graph, (96, 96), 1.0, 7.0))
    road = torch.where(mask, 4.0, -4.0)
    logits = {"segmentation": [torch.stack([-road, road])[None]]}
    head = PairHead(replace(SMALL, evidence=0), 0)
    rows = torch.from_numpy(segments_of(graph, 1.0))[None]
    known = torch.zeros(1, 96, 96, dtype=torch.uint8)
    optimizer = torch.optim.Adam(head.parameters(), 5e-3)
    first = None
    for _ in range(60):
        loss = pair_loss(head, logits, rows, known, 1.0).mean()
        first = first or float(loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss) < 0.1 < 0.4 < first


def test_pairs_see_those_that_share_a_vertex_and_no_others():
    torch.manual_seed(0)
    head = PairHead(SMALL, 5).eval()
    maps = torch.rand(1, 3 + 4 + 4, 64, 64)
    points, kinds, pairs = question()
    more = torch.cat([pairs, torch.tensor([[4, 5]])])
    alone, beside = (answers(head, maps, points, kinds, each) for each in (pairs, more))
    torch.testing.assert_close(alone, beside[:-1], atol=1e-5, rtol=0)
    touching = torch.cat([pairs, torch.tensor([[3, 5]])])
    changed = answers(head, maps, points, kinds, touching)[:-1]
    assert (changed - alone).abs().max() > 1e-4
    blind = PairHead(replace(SMALL, see_others=False), 5).eval()
    told = answers(blind, maps, points, kinds, pairs)
    torch.testing.assert_close(told, answers(blind, maps, points, kinds, touching)[:-1])


def test_several_images_are_answered_as_each_alone():
    torch.manual_seed(0)
    head = PairHead(SMALL, 5).eval()
    maps = torch.rand(2, 11, 64, 64)
    points, kinds, pairs = question()
    asked = [points, points[:4]], [kinds, kinds[:4]], [pairs, pairs]
    both = head(PairQuery(maps, (1.0, 1.0), *asked))
    alone = [answers(head, maps[:1], points, kinds, pairs)]
    alone.append(answers(head, maps[1:], points[:4], kinds[:4], pairs))
    torch.testing.assert_close(both, torch.cat(alone), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("setting", "channels"), [("see_connectivity", range(3, 7)), ("see_way", None)]
)
def test_ablations_see_less(setting, channels):
    """Inputs that an ablated head must not see do not change its answers."""
    torch.manual_seed(0)
    maps = torch.rand(1, 11, 64, 64)
    other = maps.clone()
    points, kinds, pairs = question()
    if channels is None:
        other[:, :, 20:40, 20:40] += 1.0
        points = torch.tensor([[5.0, 5.0], [58.0, 58.0], [5.0, 58.0], [58.0, 5.0]])
        kinds, pairs = kinds[:4], torch.tensor([[0, 1], [2, 3]])
    else:
        other[:, list(channels)] += 1.0
    for sees in (True, False):
        head = PairHead(replace(SMALL, **{setting: sees}), 5).eval()
        same = torch.equal(
            answers(head, maps, points, kinds, pairs), answers(head, other, points, kinds, pairs)
        )
        assert same is not sees


def test_cells_are_metres_whatever_the_pixels():
    """A road of one width gives the same cells at a quarter of a metre and at a metre."""
    graph = empty_network()
    add_road(graph, 0, 1, [(0.0, 30.0), (64.0, 34.0)])
    found = []
    for gsd in (0.25, 0.5, 1.0):
        side = round(64 / gsd)
        road = torch.from_numpy(draw_roads(graph, (side, side), gsd, 8.0)).float()[None]
        maps, cell = cells(road, None, None, (gsd, gsd))
        assert cell == (1.0, 1.0) and maps.shape == (1, 3, 64, 64)
        found.append(maps)
    for maps in found[:-1]:
        assert (maps[:, 1:] - found[-1][:, 1:]).abs().max() < 0.12
    assert np.isclose(float(found[0][0, 2].max()), float(found[2][0, 2].max()), atol=0.03)


def test_smoothing_is_the_same_with_and_without_a_gradient():
    """One way is OpenCV's, the other PyTorch's."""
    road = torch.rand(2, 50, 70, generator=torch.Generator().manual_seed(0))
    fast, _ = cells(road, None, None, (0.5, 1.0))
    slow, _ = cells(road.clone().requires_grad_(), None, None, (0.5, 1.0))
    torch.testing.assert_close(fast, slow.detach(), atol=1e-5, rtol=0)
