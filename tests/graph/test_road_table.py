"""A network as arrays is the network."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from roadex.config.graph import SPURS_BY_WIDTH
from roadex.graph.blocks import Lattice, decode_block
from roadex.graph.formats import geopackage, read_network, write_network, write_table
from roadex.graph.joining import joined
from roadex.graph.road_table import RoadTable
from tests.graph.test_blocks import PIXEL, SIDE, town


@pytest.fixture(scope="module")
def table() -> RoadTable:
    """A town with two pairs of parallel roads."""
    road = town(800, seed=1)
    lattice = Lattice(road.shape, SIDE)
    parts = [
        decode_block(road, None, 0.5, PIXEL, SPURS_BY_WIDTH, lattice, block)
        for block in lattice.blocks()
    ]
    return joined(parts, road.shape, PIXEL, SPURS_BY_WIDTH)[0]


def test_it_counts_what_networkx_counts(table):
    graph = table.graph()
    assert table.components()[0] == nx.number_connected_components(graph) > 1
    names = table.names.tolist()
    assert dict(zip(names, table.degrees().tolist(), strict=True)) == dict(graph.degree)
    edges = zip(table.ends.tolist(), table.keys.tolist(), strict=True)
    assert {(names[u], names[v], key) for (u, v), key in edges} == set(graph.edges)


def test_a_part_of_it_is_that_of_the_graph(table):
    nodes = table.places[:, 0] < 400
    part, graph = table.kept(nodes).graph(), table.graph()
    graph.remove_nodes_from(table.names[~nodes].tolist())
    assert nx.utils.graphs_equal(plain(part), plain(graph)) and part.number_of_edges() > 10


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".fgb"])
def test_files_of_it_are_those_of_the_graph(table, tmp_path, monkeypatch, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    monkeypatch.setattr(geopackage, "_ROWS_AT_ONCE", 50)
    own = replace(table, crs="EPSG:32632")
    write_table(own, tmp_path / f"table{suffix}")
    write_network(own.graph(), tmp_path / f"graph{suffix}")
    one, other = (read_network(tmp_path / f"{name}{suffix}") for name in ("table", "graph"))
    assert nx.utils.graphs_equal(plain(one), plain(other)) and len(one) == len(table.names)


def plain(graph: nx.MultiGraph) -> nx.MultiGraph:
    """Lines as bytes, which compare as a whole, whichever way they lead."""
    copy = nx.MultiGraph()
    copy.add_nodes_from(graph.nodes(data=True))
    for u, v, key, data in graph.edges(keys=True, data=True):
        line = data["geometry"]
        shape = min(line.tobytes(), np.ascontiguousarray(line[::-1]).tobytes())
        copy.add_edge(u, v, key, **{**data, "geometry": shape})
    return copy
