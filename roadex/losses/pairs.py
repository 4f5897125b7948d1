"""The loss of the pair head, on vertices found as in prediction and labelled by the true roads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from roadex.config.labels import IGNORE
from roadex.graph.paths.segments import Segments, TrueRoads, drawn_points, true_pairs
from roadex.graph.paths.vertices import (
    Bools,
    Floats,
    Ints,
    Vertices,
    candidate_pairs,
    find_vertices,
)
from roadex.models.contract import EVIDENCE, Logits
from roadex.models.pair_head import Cell, PairHead, PairQuery, cells, strength
from roadex.models.sam_road import Head, TopologyHead

_MOST = 400  # vertices of a crop: an untrained model sees road everywhere
_WAYS = 3.0  # how far roads are followed, as a multiple of the reach of pairs


@dataclass(frozen=True)
class _Question:
    """The pairs of one crop and their labels."""

    vertices: Vertices
    pairs: Ints
    joined: Bools


def pair_loss(
    head: Head,
    logits: Logits,
    roads: Tensor,
    mask: Tensor,
    gsd: float,
    connectivity: Tensor | None = None,
) -> Tensor:
    """The cross entropy of each crop's pairs, (B,); 0 where there are none.

    Vertices are found in the model's output, not in the labels, so that training and prediction
    see the same. No gradient flows to the probabilities; only the evidence learns from this loss.

    Args:
        logits: as the model gives them.
        roads: (B, M, 6) true roads in pixels, as in roadex/graph/paths/segments.py, then NaN.
        mask: (B, H, W) uint8, 255 ignored.
        gsd: metres per pixel.
        connectivity: (B, H, W) uint8 class indices, 255 ignored, from which a model with keypoints
            learns them; the loss has their term then.
    """
    maps, cell = _cells(head, logits, gsd)
    if isinstance(head, TopologyHead):
        losses = _topology_loss(head, maps, cell, roads, mask, gsd)
        if connectivity is None:
            return losses
        return losses + _keypoint_loss(logits[EVIDENCE][-1][:, 0].float(), connectivity)
    questions = [
        _question(head, image, cell, rows, ignored, gsd)
        for image, rows, ignored in zip(
            maps.detach(), roads.cpu().numpy(), mask.eq(IGNORE).cpu().numpy(), strict=True
        )
    ]
    asked = [index for index, each in enumerate(questions) if len(each.pairs)]
    losses = maps.new_zeros(len(questions))
    if not asked:
        return losses + 0.0 * sum(p.sum() for p in head.parameters())
    chosen = [questions[index] for index in asked]
    device = maps.device
    answers = head(_query(maps[asked], cell, chosen))
    counts = [len(each.pairs) for each in chosen]
    wanted = torch.from_numpy(np.concatenate([each.joined for each in chosen])).to(answers)
    each_pair = functional.binary_cross_entropy_with_logits(answers, wanted, reduction="none")
    means = torch.stack([part.mean() for part in each_pair.split(counts)])
    return losses.index_put((torch.tensor(asked, device=device),), means)


def _query(maps: Tensor, cell: Cell, asked: Sequence[_Question]) -> PairQuery:
    """What the head is asked, from the cells (B, C, h, w) of as many crops."""
    device = maps.device
    return PairQuery(
        maps,
        cell,
        [torch.from_numpy(each.vertices.points).float().to(device) for each in asked],
        [torch.from_numpy(each.vertices.kinds).to(device) for each in asked],
        [torch.from_numpy(each.pairs).to(device) for each in asked],
    )


def _cells(head: Head, logits: Logits, gsd: float) -> tuple[Tensor, tuple[float, float]]:
    road = logits["segmentation"][-1].float().softmax(dim=1)[:, 1].detach()
    ways = None
    if head.classes:
        ways = logits["connectivity"][-1].float().softmax(dim=1).detach()
    evidence = logits[EVIDENCE][-1].float().sigmoid() if head.config.evidence else None
    return cells(road, ways, evidence, (gsd, gsd))


def _question(
    head: PairHead,
    maps: Tensor,
    cell: tuple[float, float],
    rows: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    ignored: Bools,
    gsd: float,
) -> _Question:
    settings = head.config.vertices
    vertices = find_vertices(strength(maps, head.classes, cell), settings, _MOST)
    pairs = candidate_pairs(vertices.points, settings)
    known = _known(vertices, ignored, gsd)
    pairs = pairs[known[pairs].all(axis=1)]
    # Either end comes first at random, as in prediction.
    flipped = (pairs.sum(axis=1) % 2 == 1)[:, None]
    pairs = np.where(flipped, pairs[:, ::-1], pairs)
    roads = TrueRoads.of(rows[~np.isnan(rows[:, 0])], (gsd, gsd), _WAYS * settings.reach_m)
    return _Question(vertices, pairs, true_pairs(vertices.points, pairs, roads, settings))


def _known(vertices: Vertices, ignored: Bools, gsd: float) -> Bools:
    """Which vertices lie outside ignored areas."""
    places = np.floor(vertices.points / gsd).astype(np.int64)
    last = np.array(ignored.shape[::-1]) - 1
    columns, rows = places.clip(0, last).T
    known: Bools = ~ignored[rows, columns]
    return known


_OFTEN = 9.0  # as often as others are sources near junctions asked


def _topology_loss(
    head: TopologyHead,
    maps: Tensor,
    cell: tuple[float, float],
    roads: Tensor,
    mask: Tensor,
    gsd: float,
) -> Tensor:
    """That of SAM-Road: points are drawn from the true roads, and every source asks its pairs."""
    ignored = mask.eq(IGNORE).cpu().numpy()
    truths = zip(roads.cpu().numpy(), ignored, strict=True)
    drawn = [_drawn(head, rows[~np.isnan(rows[:, 0])], out, gsd) for rows, out in truths]
    losses = maps.new_zeros(len(drawn))
    asked = [index for index, (each, _) in enumerate(drawn) if len(each.pairs)]
    if not asked:
        return losses + 0.0 * sum(p.sum() for p in head.parameters())
    chosen = [drawn[index] for index in asked]
    query = _query(maps[asked], cell, [each for each, _ in chosen])
    answers, taken = head.directed(query)
    wanted = np.concatenate([each.joined for each, _ in chosen])
    weights = torch.from_numpy(np.concatenate([w[each.pairs] for each, w in chosen])).to(answers)
    truth = torch.from_numpy(wanted).to(answers)[:, None].expand_as(answers)
    each = functional.binary_cross_entropy_with_logits(answers, truth, reduction="none")
    weights = weights * taken
    counts = [len(part) for part in query.pairs]
    parts = zip((each * weights).split(counts), weights.split(counts), strict=True)
    means = torch.stack([value.sum() / weight.sum() for value, weight in parts])
    return losses.index_put((torch.tensor(asked, device=maps.device),), means)


def _drawn(
    head: TopologyHead, rows: Segments, ignored: Bools, gsd: float
) -> tuple[_Question, Floats]:
    """The pairs of a crop by its true roads, and how often each of its points is a source."""
    settings = head.config.vertices
    seed = int(torch.randint(2**31, ()))
    pixel = (gsd, gsd)
    points, near = drawn_points(rows, pixel, settings.spacing_m, np.random.default_rng(seed))
    vertices = Vertices(points, np.zeros(len(points), np.int64))
    pairs = head.candidates(points)
    known = _known(vertices, ignored, gsd)
    pairs = pairs[known[pairs].all(axis=1)]
    truth = TrueRoads.of(rows, pixel, settings.reach_m)
    joined = true_pairs(points, pairs, truth, settings)
    return _Question(vertices, pairs, joined), np.where(near, _OFTEN, 1.0)


def keypoints(connectivity: Tensor) -> Tensor:
    """Where classes of connectivity are those of ends and junctions, ignored pixels too."""
    return connectivity.eq(1) | connectivity.gt(2)


def _keypoint_loss(logits: Tensor, connectivity: Tensor) -> Tensor:
    """The binary cross entropy (B,) of the map of junctions and ends."""
    wanted = keypoints(connectivity).to(logits.dtype)
    known = connectivity.ne(IGNORE).to(logits.dtype)
    each = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return (each * known).sum(dim=(1, 2)) / known.sum(dim=(1, 2)).clamp(min=1)
