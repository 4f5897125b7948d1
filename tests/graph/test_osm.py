"""Our networks in osmnx: routed on, measured and plotted by it."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from roadex.graph.network import add_road, empty_network, total_length
from roadex.graph.osm import to_osmnx
from tests.support.networks import grid

osmnx = pytest.importorskip("osmnx")


@pytest.fixture
def town() -> nx.MultiGraph:
    graph = grid(3)
    graph.graph["crs"] = "EPSG:32611"
    ends = list(graph)[:2]
    start, end = ([graph.nodes[n]["x"], graph.nodes[n]["y"]] for n in ends)
    add_road(graph, *ends, [start, [start[0], start[1] - 40], end], highway="service")
    return graph


def test_osmnx_takes_it_apart_and_finds_every_road_in_both_directions(town):
    streets = to_osmnx(town)
    nodes, edges = osmnx.convert.graph_to_gdfs(streets)
    assert len(nodes) == len(town) and len(edges) == 2 * town.number_of_edges()
    assert edges.crs == "EPSG:32611" and set(nodes.street_count) >= {2, 3, 4}
    assert edges.length.sum() / 2 == pytest.approx(total_length(town))
    np.testing.assert_allclose(edges.geometry.length, edges["length"])
    for (u, v, _), line in edges.geometry.items():
        assert line.coords[0] == (nodes.x[u], nodes.y[u])
        assert line.coords[-1] == (nodes.x[v], nodes.y[v])
    assert (edges.highway == "service").sum() == 2
    assert osmnx.stats.basic_stats(streets)["street_length_total"] == pytest.approx(
        total_length(town)
    )


def test_osmnx_routes_as_we_do(town):
    streets, names = to_osmnx(town), list(town)
    far = names[-1]
    route = osmnx.routing.shortest_path(streets, 0, len(names) - 1, weight="length")
    length = osmnx.routing.route_to_gdf(streets, route)["length"].sum()
    assert length == pytest.approx(nx.shortest_path_length(town, names[0], far, weight="length"))


def test_it_can_be_saved_and_an_empty_one_too(town, tmp_path):
    osmnx.io.save_graphml(to_osmnx(town), tmp_path / "town.graphml")
    again = osmnx.io.load_graphml(tmp_path / "town.graphml")
    assert again.number_of_edges() == 2 * town.number_of_edges()
    assert len(to_osmnx(empty_network("EPSG:32611"))) == 0


def test_osmnx_finds_the_fastest_way_with_its_own_columns(town):
    streets = to_osmnx(town)
    assert {data["highway"] for *_, data in streets.edges(data=True)} == {"road", "service"}
    edges = osmnx.convert.graph_to_gdfs(streets, nodes=False)
    seconds = edges["length"] / (edges["speed_kph"] / 3.6)
    np.testing.assert_allclose(edges["travel_time"], seconds)
    route = osmnx.routing.shortest_path(streets, 0, 8, weight="travel_time")
    total = osmnx.routing.route_to_gdf(streets, route, weight="travel_time")["travel_time"].sum()
    assert total == pytest.approx(400 / (20 * 0.44704))
    again = osmnx.routing.add_edge_travel_times(streets.copy())
    known = nx.get_edge_attributes(streets, "travel_time")
    assert nx.get_edge_attributes(again, "travel_time") == pytest.approx(known)
