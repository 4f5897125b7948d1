"""Tiles that a run keeps, read back."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from roadex.errors import RoadexError
from roadex.graph.network import empty_network, straight_network, total_length
from roadex.plots.tiles import LONGEST_PX, KeptTile, keep_tile, kept_names, read_tile


def tile(height: int, width: int, graph: nx.MultiGraph) -> KeptTile:
    truth = np.zeros((height, width), bool)
    truth[height // 4 : height // 2] = True
    image = np.full((height, width, 3), (10, 100, 200), np.uint8)
    return KeptTile(image, truth, ~truth, graph, empty_network(), 0.5, {"apls": 0.25})


def test_comes_back_as_it_was(tmp_path):
    graph = straight_network([(0, 12.5), (30, 12.5)], [(0, 1)])
    keep_tile(tmp_path / "tiles" / "a", tile(60, 80, graph))
    assert kept_names(tmp_path) == ["a"]
    back = read_tile(tmp_path, "a")
    assert back.gsd == 0.5 and back.scores == {"apls": 0.25}
    assert np.array_equal(back.truth, tile(60, 80, graph).truth)
    assert np.array_equal(back.proposal, ~back.truth)
    assert total_length(back.truth_graph) == 30 and back.proposal_graph.number_of_edges() == 0
    assert np.abs(back.image.astype(int) - (10, 100, 200)).max() <= 6


def test_a_large_tile_is_kept_small_with_its_pixels_grown(tmp_path):
    keep_tile(tmp_path / "tiles" / "a", tile(2048, 1024, empty_network()))
    back = read_tile(tmp_path, "a")
    assert back.truth.shape == (LONGEST_PX, 512) and back.gsd == 1.0
    assert back.truth.mean() == pytest.approx(0.25)


def test_a_damaged_tile_is_named(tmp_path):
    keep_tile(tmp_path / "tiles" / "a", tile(20, 20, empty_network()))
    (tmp_path / "tiles" / "a" / "tile.json").write_text("{")
    with pytest.raises(RoadexError, match=r"tile\.json cannot be read"):
        read_tile(tmp_path, "a")
