"""Networks made block by block, compared with those of the whole image."""

from __future__ import annotations

import random
from dataclasses import replace

import cv2
import networkx as nx
import numpy as np
import pytest

from roadex.config.graph import SPURS_BY_WIDTH, DecodingSettings, GapSettings
from roadex.graph import probabilities_to_graph
from roadex.graph.blocks import BlockRoads, Lattice, decode_block, halo_px
from roadex.graph.joining import joined
from roadex.graph.network import total_length
from roadex.metrics import apls

PIXEL = (1.0, 1.0)
SIDE = 400


def town(side: int = 1300, seed: int = 0) -> np.ndarray:
    """Probabilities of crooked streets of several widths, with breaks and noise, in 1/256."""
    rng = np.random.default_rng(seed)
    chances = np.zeros((side, side), np.float32)
    for _ in range(60):
        start = rng.uniform(0, side, 2)
        steps = np.cumsum(rng.normal(0, 0.12, 30)) + rng.uniform(0, 2 * np.pi)
        turns = np.column_stack([np.cos(steps), np.sin(steps)]) * rng.uniform(10, 40)
        line = (start + np.cumsum(turns, axis=0)).round().astype(np.int32)
        cv2.polylines(chances, [line[:, None]], False, 1.0, int(rng.integers(3, 13)))
    noise = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), 4)
    found = cv2.GaussianBlur(chances, (0, 0), 1.5) * 0.95 + 0.9 * noise
    return (found.clip(0, 0.999) * 256).astype(np.uint8)


def in_blocks(
    road: np.ndarray, settings: DecodingSettings, ways: np.ndarray | None = None, side: int = SIDE
) -> tuple[list[BlockRoads], nx.MultiGraph]:
    lattice = Lattice(road.shape, side)
    blocks = lattice.blocks()
    random.Random(1).shuffle(blocks)
    found = {
        block: decode_block(road, ways, 0.5, PIXEL, settings, lattice, block) for block in blocks
    }
    parts = [found[block] for block in sorted(found)]
    table, undecided = joined(parts, road.shape, PIXEL, settings)
    graph = table.graph()
    graph.graph["undecided"] = undecided
    return parts, graph


def degrees(graph: nx.MultiGraph) -> dict[tuple[int, int], int]:
    """Degree of each node by its place, to half a metre."""
    return {
        (round(2 * data["x"]), round(2 * data["y"])): graph.degree(node)
        for node, data in graph.nodes(data=True)
    }


@pytest.mark.parametrize("settings", [SPURS_BY_WIDTH, replace(SPURS_BY_WIDTH, min_network_m=60.0)])
def test_blocks_give_the_network_of_the_whole(settings):
    road = town()
    whole = probabilities_to_graph(road, None, 0.5, PIXEL, settings)
    _, graph = in_blocks(road, settings)
    assert total_length(graph) == pytest.approx(total_length(whole), rel=1e-3)
    assert graph.graph["undecided"] == 0
    missed = set(degrees(whole).items()) ^ set(degrees(graph).items())
    assert len(missed) <= 0.001 * len(whole)
    assert apls(whole, graph).value >= 0.999
    assert graph.number_of_edges() == pytest.approx(whole.number_of_edges(), abs=3)


def test_gaps_are_closed_across_blocks():
    """A street whose only gap lies on the line between two blocks."""
    road = np.zeros((500, 900), np.uint8)
    road[246:254] = 250
    road[:, 390:410] = 0
    ways = np.zeros((5, *road.shape), np.uint8)
    ways[2] = road
    ways[2, 246:254] = 250
    settings = replace(SPURS_BY_WIDTH, gaps=GapSettings(reach_m=40.0))
    whole = probabilities_to_graph(road, ways, 0.5, PIXEL, settings)
    _, graph = in_blocks(road, settings, ways)
    assert whole.number_of_edges() == graph.number_of_edges() == 1
    assert total_length(graph) == pytest.approx(total_length(whole), rel=1e-3)
    ((*_, data),) = graph.edges(data=True)
    ((*_, bridged),) = whole.edges(data="bridged")
    assert data["bridged"] == pytest.approx(bridged, abs=0.01)


def test_a_change_in_one_place_renames_nothing_elsewhere():
    road = town()
    before, first = in_blocks(road, SPURS_BY_WIDTH)
    road[:200, :200] = 0
    after, second = in_blocks(road, SPURS_BY_WIDTH)
    far = {node for node, data in first.nodes(data=True) if min(data["x"], data["y"]) > 700}
    assert far and far <= set(second)
    assert all(
        a.points.tobytes() == b.points.tobytes() for a, b in zip(before[5:], after[5:], strict=True)
    )


def test_blocks_survive_their_file(tmp_path):
    (part, *_), _ = in_blocks(town(700), SPURS_BY_WIDTH)
    part.save(tmp_path / "block.npz")
    again = BlockRoads.load(tmp_path / "block.npz")
    assert all(np.array_equal(getattr(part, n), getattr(again, n), True) for n in part.__dict__)


def test_a_lattice_covers_an_image_once():
    lattice = Lattice((1050, 333), 400)
    counted = np.zeros(lattice.shape, int)
    for block in lattice.blocks():
        counted[lattice.window(block)] += 1
    assert (counted == 1).all() and lattice.counts == (3, 1)
    assert lattice.window((0, 0), halo_px(SPURS_BY_WIDTH, PIXEL)) == (slice(0, 656), slice(0, 333))
