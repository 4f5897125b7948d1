"""The loss of the pair head, on vertices found as in prediction and labelled by the true roads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from roadex.config.labels import IGNORE
from roadex.graph.paths.segments import TrueRoads, true_pairs
from roadex.graph.paths.vertices import Bools, Ints, Vertices, candidate_pairs, find_vertices
from roadex.models.contract import EVIDENCE, Logits
from roadex.models.pair_head import PairHead, cells, strength

_MOST = 400  # vertices of a crop: an untrained model sees road everywhere
_WAYS = 3.0  # how far roads are followed, as a multiple of the reach of pairs


@dataclass(frozen=True)
class _Question:
    """The pairs of one crop and their labels."""

    vertices: Vertices
    pairs: Ints
    joined: Bools


def pair_loss(head: PairHead, logits: Logits, roads: Tensor, mask: Tensor, gsd: float) -> Tensor:
    """The cross entropy of each crop's pairs, (B,); 0 where there are none.

    Vertices are found in the model's output, not in the labels, so that training and prediction
    see the same. No gradient flows to the probabilities; only the evidence learns from this loss.

    Args:
        logits: as the model gives them.
        roads: (B, M, 6) true roads in pixels, as in roadex/graph/paths/segments.py, then NaN.
        mask: (B, H, W) uint8, 255 ignored.
        gsd: metres per pixel.
    """
    maps, cell = _cells(head, logits, gsd)
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
    answers = head(
        maps[asked],
        cell,
        [torch.from_numpy(each.vertices.points).float().to(device) for each in chosen],
        [torch.from_numpy(each.vertices.kinds).to(device) for each in chosen],
        [torch.from_numpy(each.pairs).to(device) for each in chosen],
    )
    counts = [len(each.pairs) for each in chosen]
    wanted = torch.from_numpy(np.concatenate([each.joined for each in chosen])).to(answers)
    each_pair = functional.binary_cross_entropy_with_logits(answers, wanted, reduction="none")
    means = torch.stack([part.mean() for part in each_pair.split(counts)])
    return losses.index_put((torch.tensor(asked, device=device),), means)


def _cells(head: PairHead, logits: Logits, gsd: float) -> tuple[Tensor, tuple[float, float]]:
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
