"""OpenStreetMap's files as networks: .osm and .osm.pbf, whole and cut short."""

from __future__ import annotations

import base64

import networkx as nx
import pytest

from roadex.errors import RoadexError
from roadex.graph.attributes import TAGS, described, road_attributes, unclear_tags
from roadex.graph.formats import read_network, write_network
from roadex.graph.formats.osm_files import tags_of
from tests.support.osm import TOWN

pytest.importorskip("pyogrio")
TOWN_PBF = (
    "AAAADQoJT1NNSGVhZGVyGDsQLxo3eJxT4vMvzg1OzkjNTdQNM9AzU+JySc0rTvXLT0ktbmIUyMlMyi/OzSzN1TfS"
    "MzLWMwQAX2cOkwAAAAsKB09TTURhdGEYVhBrGlJ4nONi4WLgYhBKFkrkYj/FyAQCWhpcbMyMILYQGwMYSEFpJSit"
    "xcYEpp34Gi68uQFkH9jBxDB/DqOXyP53+05zAHlAtB9MLpjDGATVBQDQbRQkAAAADAoHT1NNRGF0YRj4ARC6Ahry"
    "AXicVc1PToQwFMdxXilQH/MHu9Iak4aVBxiXunDlWk/QGTpQAy0poHIPD+B5jDHGE1ndsf689/viO2CEWWPq5kXN"
    "yDr1OvRaV5i0yuoBqVWdxqz3plN+xnR3Lbu+Qdhh8ahmWd6bUt7cygenqr+dYfJHddCYez2YStvRqBbT2qtn3WJ2"
    "dG78r+wn01bG1hjPocGeJnsYjbPIRu3DSwihd5Ot1N5NI38DIVnOKZCYCpqkGSuRQRGdRTK6OrmjH0CIuGArTgAF"
    "yVcLjT+BinO25gAC1kv6BhJow2EjYLukn3B+ybZhshDklC8w+QJKkl9SLT7E"
)


@pytest.fixture(params=["town.osm", "town.osm.pbf"])
def path(request, tmp_path):
    file = tmp_path / request.param
    content = base64.b64decode(TOWN_PBF) if file.suffix == ".pbf" else TOWN.encode()
    file.write_bytes(content)
    return file


def test_roads_meet_at_nodes_and_keep_their_tags(path):
    network = read_network(path)
    assert network.graph["crs"] == "EPSG:32611"
    assert network.graph["dropped"] == {"way with highway=footway": 1}
    assert sorted(dict(network.degree).values()) == [1, 1, 3, 3]
    roads = {data["osm_id"]: data for *_, data in network.edges(data=True)}
    assert roads["11"]["name"] == 'Say "Hi" => Road'
    known = road_attributes(roads["11"])
    assert (known["highway"], known["lanes"]) == ("primary", 4)
    assert known["speed_kph"] == pytest.approx(45 * 1.609344)
    times = {d["osm_id"]: d["travel_time_s"] for *_, d in described(network).edges(data=True)}
    assert times["12"] == pytest.approx(roads["12"]["length"] / (25 * 0.75 * 0.44704))


def test_the_content_decides_and_not_the_name(tmp_path):
    file = tmp_path / "town.osm"
    file.write_bytes(base64.b64decode(TOWN_PBF))
    assert read_network(file).number_of_edges() == 4


def test_a_node_without_a_number_is_told(tmp_path):
    file = tmp_path / "town.osm"
    file.write_text(TOWN.replace('<nd ref="104"/>', "<nd/>", 1))
    with pytest.raises(RoadexError, match="not a complete OpenStreetMap file"):
        read_network(file)


def test_a_file_cut_short_is_refused_in_one_line(path):
    path.write_bytes(path.read_bytes()[:-150])
    with pytest.raises(RoadexError, match="not a complete OpenStreetMap file") as refused:
        read_network(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7, 0.9])
def test_wherever_a_file_ends_too_early(tmp_path, share):
    file = tmp_path / "town.osm"
    file.write_text(TOWN[: int(share * len(TOWN))])
    with pytest.raises(RoadexError, match=r"town\.osm is not a complete OpenStreetMap file"):
        read_network(file)


def way(refs: str, **tags: str) -> str:
    """The town with one more residential road along nodes."""
    text = "".join(f'<nd ref="{ref}"/>' for ref in refs.split())
    text += "".join(
        f'<tag k="{k}" v="{v}"/>' for k, v in {"highway": "residential", **tags}.items()
    )
    return TOWN.replace("</osm>", f'<way id="77">{text}</way></osm>')


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (way("901 902"), "way with fewer than two nodes in the file"),
        (way("106"), "way with fewer than two nodes in the file"),
        (way(""), "way with fewer than two nodes in the file"),
        (way("101 102 106 101", area="yes"), "area with highway=residential"),
        (way("101 901 106"), "stretch of a way whose nodes the file lacks"),
        (way("901 106 902"), "way with fewer than two nodes in the file"),
    ],
)
def test_a_road_without_geometry_is_counted_and_not_drawn(tmp_path, content, reason):
    file = tmp_path / "town.osm"
    file.write_text(TOWN)
    whole = read_network(file)
    file.write_text(content)
    found = read_network(file)
    assert found.graph["dropped"] == {"way with highway=footway": 1, reason: 1}
    assert sum(nx.get_edge_attributes(found, "length").values()) == pytest.approx(
        sum(nx.get_edge_attributes(whole, "length").values())
    )


def test_a_road_is_cut_where_its_nodes_are_missing(tmp_path):
    file = tmp_path / "town.osm"
    file.write_text(way("901 101 104 902 903 105 106 904"))
    found = read_network(file, keep_apart=("osm_id",))
    assert found.graph["dropped"]["stretch of a way whose nodes the file lacks"] == 3
    pieces = [data["length"] for *_, data in found.edges(data=True) if data["osm_id"] == "77"]
    assert len(pieces) == 1 and 280 < pieces[0] < 290  # 105-106 is a side of the roundabout


@pytest.mark.parametrize(
    "suffix", [".geojson", ".gpkg", ".graphml", ".parquet", ".fgb", ".shp.zip"]
)
def test_files_keep_bridges_and_their_layer(tmp_path, suffix):
    file = tmp_path / "town.osm"
    file.write_text(way("101 104", bridge="yes", layer="1"))
    write_network(read_network(file, keep_apart=TAGS), tmp_path / f"again{suffix}")
    again = read_network(tmp_path / f"again{suffix}", keep_apart=TAGS)
    roads = {data["osm_id"]: data for *_, data in again.edges(data=True)}
    assert (roads["77"]["bridge"], roads["77"]["layer"]) == ("yes", "1")
    assert not roads["11"].get("bridge") and not roads["11"].get("layer")


def test_values_of_tags_that_no_rule_knows_are_counted_and_the_road_stays(tmp_path):
    file = tmp_path / "town.osm"
    strange = {"highway": "hyperlane", "maxspeed": "fast", "lanes": "many", "oneway": "perhaps"}
    file.write_text(way("101 104", **strange))
    network = read_network(file, keep_apart=TAGS)
    assert unclear_tags(network) == {"highway=hyperlane": 1, "maxspeed=fast": 1, "lanes=many": 1}
    assert network.graph["dropped"]["oneway=perhaps, taken for a road of both directions"] == 1
    assert "77" in {data["osm_id"] for *_, data in network.edges(data=True)}


def test_a_road_around_a_park_is_a_road(tmp_path):
    file = tmp_path / "town.osm"
    file.write_text(way("101 104 106 101", landuse="grass"))
    names = [data["osm_id"] for *_, data in read_network(file).edges(data=True)]
    assert "77" in names


def test_a_road_ends_where_its_class_changes_if_that_is_wanted(tmp_path):
    file = tmp_path / "town.osm"
    file.write_text(
        TOWN.replace('<nd ref="102"/> <nd ref="104"/>', '<nd ref="101"/> <nd ref="104"/>')
    )
    through, apart = read_network(file), read_network(file, keep_apart=TAGS)
    assert apart.number_of_nodes() == through.number_of_nodes() + 1
    assert {road_attributes(data)["highway"] for *_, data in apart.edges(data=True)} == {
        "primary", "residential", "tertiary",
    }  # fmt: skip


def test_tags_that_gdal_puts_into_one_column():
    assert tags_of(r'"a"=>"say \"x\" => y","b"=>"back\\slash"') == {
        "a": 'say "x" => y',
        "b": "back\\slash",
    }
    assert tags_of(None) == {}
