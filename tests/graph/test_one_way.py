"""One-way streets: read from every kind of file, kept, obeyed by routes and told to osmnx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from roadex import read_network, write_network
from roadex.errors import RoadexError
from roadex.graph.attributes import direction_of
from roadex.graph.network import add_road, empty_network, merge_degree_two, oriented
from roadex.graph.osm import to_osmnx
from roadex.graph.places import cut_road
from roadex.graph.routing import shortest_route

# A block of 0.001 degrees; tags of its four sides, drawn 1-2, 2-3, 3-4, 4-1.
CORNERS = {1: (14.0, 50.0), 2: (14.001, 50.0), 3: (14.001, 50.001), 4: (14.0, 50.001)}


def block(tmp_path, *tags: dict[str, str]) -> nx.MultiGraph:
    nodes = "".join(f'<node id="{n}" lon="{x}" lat="{y}"/>' for n, (x, y) in CORNERS.items())
    ways = ""
    for number, own in enumerate(tags, start=1):
        both = {"highway": "residential", "name": f"Road {number}", **own}
        text = "".join(f'<tag k="{k}" v="{v}"/>' for k, v in both.items())
        ways += f'<way id="{number}"><nd ref="{number}"/><nd ref="{number % 4 + 1}"/>{text}</way>'
    path = tmp_path / "block.osm"
    path.write_text(f'<?xml version="1.0"?><osm version="0.6">{nodes}{ways}</osm>')
    return read_network(path, keep_apart=("name",))


def directions(graph: nx.MultiGraph) -> dict[str, tuple[float, float] | None]:
    """By name where one-way roads run, as signs of east and north; None for other roads."""
    found = {}
    for *_, data in graph.edges(data=True):
        run = np.sign(np.round(data["geometry"][-1] - data["geometry"][0], -1)).tolist()
        found[data["name"]] = tuple(run) if data.get("oneway") is True else None
    return found


@pytest.mark.parametrize(
    ("tags", "direction"),
    [
        ({"oneway": "yes"}, 1), ({"oneway": True}, 1), ({"oneway": 1.0}, 1), ({"oneway": "-1"}, -1),
        ({"oneway": "reverse"}, -1), ({"oneway": "no"}, 0), ({"oneway": "False"}, 0), ({}, 0),
        ({"oneway": None}, 0), ({"oneway": "reversible"}, 0), ({"oneway": "sometimes"}, None),
        ({"oneway": [True, False]}, None), ({"oneway": "F"}, None),
        ({"oneway": "F", "fclass": "residential"}, 1), ({"oneway": "T", "fclass": "primary"}, -1),
        ({"oneway": "B", "fclass": "primary"}, 0),
    ],
)  # fmt: skip
def test_tags_as_files_have_them(tags, direction):
    assert direction_of(tags) == direction


def test_tags_of_openstreetmap_and_what_they_imply(tmp_path):
    graph = block(
        tmp_path, {"oneway": "-1"}, {"junction": "roundabout"}, {"highway": "motorway"},
        {"highway": "motorway", "oneway": "no"},
    )  # fmt: skip
    assert directions(graph) == {
        "Road 1": (-1.0, 0.0), "Road 2": (0.0, 1.0), "Road 3": (-1.0, 0.0), "Road 4": None
    }  # fmt: skip


def test_what_is_not_understood_leads_both_ways_and_is_counted(tmp_path):
    graph = block(tmp_path, {"oneway": "yes"}, {"oneway": "perhaps"}, {}, {})
    assert directions(graph)["Road 2"] is None
    assert any("oneway=perhaps" in reason for reason in graph.graph["dropped"])


def test_routes_obey_them_unless_told_otherwise(tmp_path):
    graph = block(tmp_path, {"oneway": "yes"}, {}, {}, {})
    (south,) = (data["geometry"] for *_, data in graph.edges(data=True) if data["name"] == "Road 1")
    start, end = (tuple(south[0] + share * (south[-1] - south[0])) for share in (0.25, 0.75))
    there, back = (shortest_route(graph, *ends, 1.0) for ends in ((start, end), (end, start)))
    length = float(np.hypot(*(south[-1] - south[0])))
    assert there.length_m == pytest.approx(length / 2, rel=1e-3)
    assert back.length_m > 3 * length
    walked = shortest_route(graph, end, start, 1.0, one_way=False)
    assert walked.length_m == pytest.approx(there.length_m)


def test_no_route_leads_into_a_street_that_only_leads_out(tmp_path):
    graph = empty_network("EPSG:32633")
    add_road(graph, "a", "b", [(0, 0), (100, 0)], oneway=True)
    assert shortest_route(graph, (0, 0), (100, 0), 1.0).length_m == pytest.approx(100)
    with pytest.raises(RoadexError, match="no road leads"):
        shortest_route(graph, (100, 0), (0, 0), 1.0)


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".graphml", ".parquet", ".fgb"])
def test_files_keep_them(tmp_path, suffix):
    graph = block(tmp_path, {"oneway": "yes"}, {"oneway": "-1"}, {"oneway": "no"}, {})
    write_network(graph, tmp_path / f"again{suffix}")
    again = read_network(tmp_path / f"again{suffix}", keep_apart=("name",))
    assert directions(again) == directions(graph)


def test_osmnx_gets_an_edge_for_each_direction(tmp_path):
    graph = block(tmp_path, {"oneway": "yes"}, {"oneway": "-1"}, {}, {})
    streets = to_osmnx(graph)
    named = [(data["name"], data["oneway"]) for *_, data in streets.edges(data=True)]
    assert sorted(named) == [
        ("Road 1", True), ("Road 2", True),
        ("Road 3", False), ("Road 3", False), ("Road 4", False), ("Road 4", False),
    ]  # fmt: skip
    for u, v, data in streets.edges(data=True):
        ends = np.array(data["geometry"].coords)[[0, -1]]
        assert ends.tolist() == [[streets.nodes[n]["x"], streets.nodes[n]["y"]] for n in (u, v)]
    osmnx = pytest.importorskip("osmnx")
    osmnx.save_graphml(streets, tmp_path / "streets.graphml")
    again = read_network(tmp_path / "streets.graphml")
    assert directions(again) == directions(graph)


def chain(*runs: int) -> nx.MultiGraph:
    """Roads of 10 m in a row to the east: 1 one-way east, -1 one-way west, 0 both ways."""
    graph = empty_network("EPSG:32633")
    for number, run in enumerate(runs):
        line = [(10.0 * number, 0.0), (10.0 * number + 10, 0.0)]
        ends = [number, number + 1]
        add_road(graph, *(ends[::-1] if run < 0 else ends), line[::-1] if run < 0 else line,
                 **({"oneway": True} if run else {}))  # fmt: skip
    return graph


@pytest.mark.parametrize(
    ("runs", "lengths"),
    [((1, 1, 1), [30]), ((-1, -1), [20]), ((1, 0), [10, 10]), ((1, -1), [10, 10]), ((0, 0), [20])],
)
def test_roads_are_merged_where_traffic_goes_on(runs, lengths):
    merged = merge_degree_two(chain(*runs))
    assert [data["length"] for *_, data in merged.edges(data=True)] == lengths
    for *_, data in merged.edges(data=True):
        if data.get("oneway"):
            eastward = data["geometry"][-1, 0] > data["geometry"][0, 0]
            assert eastward == (runs[int(data["geometry"][:, 0].min()) // 10] > 0)


@pytest.mark.parametrize("run", [1, -1])
def test_the_parts_of_a_cut_road_keep_it(run):
    graph = chain(run)
    cut_road(graph, (0, 1, 0), {4.0: "middle"})
    assert graph.number_of_edges() == 2
    for u, v, key, data in graph.edges(keys=True, data=True):
        line = oriented(graph, u, v, key)
        assert len(line) == 2 and data["oneway"] is True
        assert np.sign(data["geometry"][-1, 0] - data["geometry"][0, 0]) == run


def test_a_street_drawn_once_for_each_direction_leads_both_ways(tmp_path):
    import geopandas
    import shapely

    line = shapely.LineString([(500000, 5e6), (500100, 5e6), (500200, 5e6)])
    table = geopandas.GeoDataFrame(
        {"oneway": [True, True]}, geometry=[line, line.reverse()], crs="EPSG:32633"
    )
    table.to_file(tmp_path / "both.gpkg", layer="roads")
    (data,) = (data for *_, data in read_network(tmp_path / "both.gpkg").edges(data=True))
    assert data["length"] == pytest.approx(200) and not data.get("oneway")
