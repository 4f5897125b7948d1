"""Which pairs of vertices a road joins, classified by what lies along the way between them.

A pair's token comes from the model's maps along and beside the straight way, the worst place
included, and at its two vertices. Then the pairs that share a vertex attend to each other, so that
the likeliest of several competing pairs wins, and the predicted connectivity says in how many
directions the road leaves the vertex. To classify pairs of vertices comes from Hetang et al. 2024
(SAM-Road), to do it by the whole way from MaGRoad (2025).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from roadex.config.model import PairHeadConfig
from roadex.graph.paths.vertices import (
    Floats,
    Ints,
    Strength,
    Vertices,
    candidate_pairs,
    find_vertices,
)

Cell = tuple[float, float]

# The parts that only a model with `paths` has.
PAIR_PARTS = ("evidence", "pair_head")
_CELL_M = 1.0  # maps are averaged to cells of about this size
_BLURS_M = (2.0, 5.0)  # standard deviations of the smoothing of the probability of road
_BESIDE_M = (-4.0, 0.0, 4.0)  # the maps are read on the way and at these distances to its sides
_FAR_M = 40.0  # lengths are given in this unit
_KINDS = 4  # of vertices
_ROAD, _SMOOTH = 3, slice(1, 3)  # channels: the road and its smoothed ones; then the classes


@dataclass(frozen=True)
class PairQuery:
    """Pairs of vertices of some images, and the cells that they are classified by.

    Attributes:
        maps: (B, C, h, w) as `cells` gives them.
        cell: their size.
        points: of each image (n, 2), x, y in metres.
        kinds: of each image (n,).
        pairs: of each image (m, 2), indices of points.
    """

    maps: Tensor
    cell: Cell
    points: list[Tensor]
    kinds: list[Tensor]
    pairs: list[Tensor]

    def flipped(self) -> PairQuery:
        """The same pairs from their other ends."""
        return replace(self, pairs=[pair.flip(1) for pair in self.pairs])

    def joined(self) -> Tensor:
        """(M, 2) the pairs of all images, as indices of the points of all images."""
        counts = torch.tensor([0, *(len(p) for p in self.points[:-1])]).cumsum(0).tolist()
        return torch.cat([q + first for q, first in zip(self.pairs, counts, strict=True)])


def cells(
    road: Tensor, connectivity: Tensor | None, evidence: Tensor | None, pixel: Cell
) -> tuple[Tensor, Cell]:
    """The head's view of images: (B, C, h, w) of cells about a metre wide, and their size.

    Args:
        road: (B, H, W) the probability of road.
        connectivity: (B, K, H, W) that of each number of directions; None without that task.
        evidence: (B, E, H, W) from 0 to 1, the features for pairs; None without.
        pixel: metres per pixel along x and y.
    """
    factors = pixels_of_a_cell(pixel)
    cell = pixel[0] * factors[0], pixel[1] * factors[1]
    coarse = _averaged(road[:, None], factors)
    parts = [coarse, *(_smoothed(coarse, deviation, cell) for deviation in _BLURS_M)]
    if connectivity is not None:
        parts.append(_averaged(connectivity[:, 1:], factors))
    if evidence is not None:
        parts.append(_averaged(evidence, factors))
    return torch.cat(parts, dim=1), cell


def pixels_of_a_cell(pixel: Cell) -> tuple[int, int]:
    """How many pixels of that size become one cell, along x and y."""
    return max(1, round(_CELL_M / pixel[0])), max(1, round(_CELL_M / pixel[1]))


def strength(maps: Tensor, classes: int, cell: Cell) -> Strength:
    """Cells (C, h, w) as vertices are found in them; `classes` of connectivity, 0 without."""
    arrays = maps.detach().float().cpu().numpy()
    nothing = np.zeros(arrays.shape[1:], np.float32)
    ends = arrays[_ROAD] if classes else nothing
    junctions = arrays[_ROAD + 2 : _ROAD + classes - 1].sum(axis=0) if classes else nothing
    return Strength(arrays[_SMOOTH].mean(axis=0), ends, junctions, cell)


def _averaged(maps: Tensor, factors: tuple[int, int]) -> Tensor:
    if factors == (1, 1):
        return maps
    bottom, right = (-maps.shape[-2]) % factors[1], (-maps.shape[-1]) % factors[0]
    padded = functional.pad(maps, (0, right, 0, bottom), mode="replicate")
    return functional.avg_pool2d(padded, (factors[1], factors[0]))


def _smoothed(maps: Tensor, deviation_m: float, cell: Cell) -> Tensor:
    """Maps (B, 1, h, w) smoothed by a Gaussian; the image's border is repeated."""
    kernels = [_kernel(deviation_m / size) for size in cell]
    if maps.device.type == "cpu" and not maps.requires_grad:
        # Twenty times as fast as a convolution of one channel.
        across, down = kernels
        edge = cv2.BORDER_REPLICATE
        planes = [
            cv2.sepFilter2D(plane, -1, across, down, borderType=edge)
            for plane in maps[:, 0].numpy()
        ]
        return torch.from_numpy(np.stack(planes))[:, None]
    for axis, kernel in zip((3, 2), kernels, strict=True):
        weights = torch.from_numpy(kernel).to(maps)
        reach = len(kernel) // 2
        pad = (reach, reach, 0, 0) if axis == 3 else (0, 0, reach, reach)
        shape = [1, 1, 1, 1]
        shape[axis] = len(kernel)
        padded = functional.pad(maps, pad, mode="replicate")
        maps = functional.conv2d(padded, weights.view(shape))
    return maps


def _kernel(deviation: float) -> NDArray[np.float32]:
    """A Gaussian whose deviation is in cells."""
    reach = max(1, round(2.5 * deviation))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    return np.asarray(weights / weights.sum(), np.float32)


def read_at(maps: Tensor, points: Tensor, cell: Cell) -> Tensor:
    """Bilinear values (C, ...) of maps (C, h, w) at points (..., 2), x, y in metres."""
    size = points.new_tensor([maps.shape[-1] * cell[0], maps.shape[-2] * cell[1]])
    grid = (2 * points / size - 1).view(1, -1, 1, 2).to(maps.dtype)
    values = functional.grid_sample(maps[None], grid, padding_mode="border", align_corners=False)
    return values.view(len(maps), *points.shape[:-1])


class Incidence:
    """Each pair from both of its vertices: number 2 i + s is pair i from its end s.

    Attributes:
        at, slot: (2 m,) the vertex, and the place of the pair among that vertex's pairs.
        taken: (n, A) which places of a vertex hold a pair.
        turns: (n, A, A, 2) the cosine of the angle between two pairs, and of its double.
    """

    def __init__(self, points: Tensor, pairs: Tensor) -> None:
        self.at = pairs.flatten()
        degree = torch.bincount(self.at, minlength=len(points))
        order = self.at.argsort(stable=True)
        number = torch.arange(len(order), device=pairs.device)
        self.slot = torch.empty_like(self.at)
        self.slot[order] = number - (degree.cumsum(0) - degree)[self.at[order]]
        most = max(int(degree.max()) if len(degree) else 0, 1)
        # A vertex without pairs attends to nothing, which would give NaN.
        self.taken = torch.arange(most, device=pairs.device) < degree[:, None].clamp(min=1)
        away = functional.normalize(points[pairs.flip(1).flatten()] - points[self.at], dim=1)
        directions = points.new_zeros((len(points), most, 2))
        directions[self.at, self.slot] = away
        cosine = directions @ directions.transpose(1, 2)
        self.turns = torch.stack([cosine, 2 * cosine**2 - 1], dim=-1)


class PairAttention(nn.Module):
    """The pairs that share a vertex attend to each other, by the angle between them."""

    def __init__(self, width: int, heads: int, features: int) -> None:
        super().__init__()
        self.heads = heads
        self.at_vertex = nn.Linear(features, width)
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.bias = nn.Linear(2, heads)
        self.out = nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, tokens: Tensor, vertices: Tensor, seen: Incidence) -> Tensor:
        """Tokens (m, D) of pairs and features (n, F) of vertices to tokens of the same shape."""
        directed = tokens.repeat_interleave(2, dim=0) + self.at_vertex(vertices)[seen.at]
        normal = self.norm(directed)
        slots = normal.new_zeros((*seen.taken.shape, normal.shape[-1]))
        slots[seen.at, seen.slot] = normal
        q, k, v = self.qkv(slots).view(*seen.taken.shape, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        bias = self.bias(seen.turns).permute(0, 3, 1, 2)
        bias = bias.masked_fill(~seen.taken[:, None, None, :], float("-inf")).to(q.dtype)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        seen_by = self.out(mixed.transpose(1, 2).flatten(2))[seen.at, seen.slot]
        tokens = tokens + seen_by.view(-1, 2, seen_by.shape[-1]).mean(dim=1)
        result: Tensor = tokens + self.feed(tokens)
        return result


class PairHead(nn.Module):
    """Logits that a road joins two vertices, from the cells of images."""

    point_maps = 0  # of the evidence, that vertices are found in

    def __init__(self, config: PairHeadConfig, classes: int) -> None:
        """`classes` of connectivity, 0 without that task."""
        super().__init__()
        self.config = config
        self.classes = classes
        channels = _ROAD + max(classes - 1, 0) + config.evidence
        features, width = channels + _KINDS, config.width
        self.way = nn.Sequential(
            nn.Conv1d(len(_BESIDE_M) * channels, width, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv1d(width, width, 3, padding=1),
            nn.ReLU(inplace=True),
        )
        self.token = nn.Sequential(
            nn.Linear(3 * width + 2 * features + 2, 2 * width),
            nn.ReLU(inplace=True),
            nn.Linear(2 * width, width),
        )
        layers = config.layers if config.see_others else 0
        self.attention = nn.ModuleList(
            PairAttention(width, config.heads, features) for _ in range(layers)
        )
        # Named as in the checkpoints that there are.
        self.judge = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 1))

    def strength(self, maps: Tensor, cell: Cell) -> Strength:
        """Cells (C, h, w) as vertices are found in them."""
        return strength(maps, self.classes, cell)

    def find(self, found: Strength) -> Vertices:
        """The vertices of an image."""
        return find_vertices(found, self.config.vertices)

    def candidates(self, points: Floats) -> Ints:
        """Indices (m, 2), the smaller first, of vertices that a road may join."""
        return candidate_pairs(points, self.config.vertices)

    def both(self, query: PairQuery) -> Tensor:
        """As `forward`, each logit the mean over the two directions of its pair."""
        result: Tensor = (self(query) + self(query.flipped())) / 2
        return result

    def forward(self, query: PairQuery) -> Tensor:
        """Logits (M,) of the pairs of all images, one image after another."""
        points, cell = query.points, query.cell
        seen = self._as_seen(query.maps)
        vertices = torch.cat(
            [
                torch.cat([read_at(m, p, cell).T, functional.one_hot(k, _KINDS).to(m.dtype)], dim=1)
                for m, p, k in zip(seen, points, query.kinds, strict=True)
            ]
        )
        every = zip(seen, points, query.pairs, strict=True)
        way = self.way(torch.cat([self._along(m, p[q], cell) for m, p, q in every]))
        joined = query.joined()
        places = torch.cat(points).to(way.dtype)
        ends = places[joined]
        length = (ends[:, 0] - ends[:, 1]).norm(dim=1, keepdim=True) / _FAR_M
        along = [way.mean(dim=2), way.amax(dim=2), way.amin(dim=2), vertices[joined].flatten(1)]
        tokens = self.token(torch.cat([*along, length, length**2], dim=1))
        if len(self.attention):
            incidence = Incidence(places, joined)
            for layer in self.attention:
                tokens = layer(tokens, vertices, incidence)
        result: Tensor = self.judge(tokens)[:, 0]
        return result

    def _along(self, maps: Tensor, ends: Tensor, cell: Cell) -> Tensor:
        """(m, 3 C, k): the cells along the way between ends (m, 2, 2), and beside it."""
        step = ends[:, 1] - ends[:, 0]
        unit = functional.normalize(step, dim=1)
        across = torch.stack([-unit[:, 1], unit[:, 0]], dim=1)
        count = self.config.samples if self.config.see_way else 2
        shares = torch.linspace(0, 1, count, device=maps.device, dtype=ends.dtype)
        way = ends[:, None, 0] + shares[:, None] * step[:, None]
        lanes = torch.stack([way + offset * across[:, None] for offset in _BESIDE_M])
        return read_at(maps, lanes, cell).permute(2, 1, 0, 3).flatten(1, 2)

    def _as_seen(self, maps: Tensor) -> Tensor:
        """The cells, with 0 for the connectivity if the head must not see it."""
        if self.config.see_connectivity or not self.classes:
            return maps
        blind = torch.ones(maps.shape[1], device=maps.device, dtype=maps.dtype)
        blind[_ROAD : _ROAD + self.classes - 1] = 0
        return maps * blind[:, None, None]
