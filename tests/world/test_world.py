"""The synthetic world: the same bytes everywhere, and a truth that is exact."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.morphology import skeletonize

from roadex.errors import RoadexError
from roadex.world import SyntheticTile, WorldSettings, make_tile

SMALL = WorldSettings(size_px=192, gsd=0.8)


@pytest.fixture(scope="module")
def tiles() -> list[SyntheticTile]:
    return [make_tile(WorldSettings(size_px=256, gsd=1.0), 3, index) for index in range(16)]


@pytest.fixture(scope="module")
def bridge_tiles() -> list[SyntheticTile]:
    motorways = replace(SMALL, motorway_share=1.0, size_px=320)
    return [make_tile(motorways, 5, index) for index in range(5)]


def digest(tile: SyntheticTile) -> str:
    state = hashlib.sha256(tile.image.tobytes() + tile.mask.tobytes())
    for u, v, data in tile.graph.edges(data=True):
        state.update(f"{u} {v} {data['road_class']} {data['width_m']!r}".encode())
        state.update(data["geometry"].tobytes())
    return state.hexdigest()


def line(data: dict) -> shapely.LineString:
    return shapely.LineString(data["geometry"])


def surface(graph: nx.MultiGraph, least_m: float = 0.0) -> shapely.Geometry:
    """The ground roads cover by the graph alone, at least `least_m` to each side."""
    shapes = [
        line(data).buffer(max(least_m, data["width_m"] / 2)) for *_, data in graph.edges(data=True)
    ]
    shapes += [
        shapely.Point(data["x"], data["y"]).buffer(data["turning_radius_m"])
        for _, data in graph.nodes(data=True)
        if "turning_radius_m" in data
    ]
    return shapely.union_all(shapes)


def pixel_centres(tile: SyntheticTile) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.indices(tile.mask.shape)
    return (columns + 0.5) * tile.gsd, (rows + 0.5) * tile.gsd


def test_same_bytes_in_another_process() -> None:
    code = (
        "from tests.world.test_world import SMALL, digest\n"
        "from roadex.world import make_tile\n"
        "print(digest(make_tile(SMALL, 7, 2)))"
    )
    made_there = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert made_there.stdout.strip() == digest(make_tile(SMALL, 7, 2))


def test_tiles_do_not_depend_on_what_was_made_before() -> None:
    np.random.seed(1)  # noqa: NPY002 - the global state must not matter
    alone = digest(make_tile(SMALL, 7, 3))
    make_tile(SMALL, 7, 4)
    assert digest(make_tile(SMALL, 7, 3)) == alone
    assert digest(make_tile(SMALL, 8, 3)) != alone


def test_no_torch_is_needed() -> None:
    code = "import sys, roadex.world; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "wrong", [{"size_px": 8}, {"gsd": 0.0}, {"railway_share": 1.5}, {"tree_cover": -1.0}]
)
def test_settings_out_of_range_are_refused_by_name(wrong: dict) -> None:
    with pytest.raises(RoadexError, match=next(iter(wrong))):
        make_tile(replace(SMALL, **wrong), 0, 0)


def test_a_world_needs_a_landscape() -> None:
    none = dict.fromkeys(
        ("grid_weight", "organic_weight", "rural_weight", "industrial_weight"), 0.0
    )
    with pytest.raises(RoadexError, match="grid_weight"):
        make_tile(replace(SMALL, **none), 0, 0)


def test_negative_seeds_are_refused() -> None:
    with pytest.raises(RoadexError, match="seed=-1"):
        make_tile(SMALL, -1, 0)


def test_shapes_and_types(tiles: list[SyntheticTile]) -> None:
    for tile in tiles:
        assert tile.image.shape == (256, 256, 3)
        assert tile.image.dtype == np.uint8
        assert tile.mask.shape == (256, 256)
        assert tile.mask.dtype == bool
        assert tile.graph.graph["crs"] is None


@settings(max_examples=15, deadline=None)
@given(
    side=st.sampled_from([64, 81, 120]),
    gsd=st.sampled_from([0.1, 0.5, 2.0]),
    density=st.sampled_from([0.0, 1.0, 3.0]),
    shares=st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=4, max_size=4),
    seed=st.integers(0, 1000),
)
def test_any_legal_settings_make_a_tile(
    side: int, gsd: float, density: float, shares: list[float], seed: int
) -> None:
    dead_end, motorway, railway, river = shares
    world = WorldSettings(
        size_px=side,
        gsd=gsd,
        junction_density=density,
        dead_end_share=dead_end,
        motorway_share=motorway,
        railway_share=railway,
        river_share=river,
    )
    tile = make_tile(world, seed, 0)
    assert tile.image.shape == (side, side, 3)
    assert tile.mask.shape == (side, side)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), side=st.sampled_from([96, 160, 251]))
def test_graph_keeps_the_contract(seed: int, side: int) -> None:
    tile = make_tile(WorldSettings(size_px=side, gsd=0.9), seed, 0)
    side_m = side * 0.9
    for u, v, data in tile.graph.edges(data=True):
        geometry = data["geometry"]
        ends = {tuple(geometry[0]), tuple(geometry[-1])}
        nodes = {(tile.graph.nodes[n]["x"], tile.graph.nodes[n]["y"]) for n in (u, v)}
        assert ends == nodes
        assert geometry.dtype == np.float64
        assert data["length"] == pytest.approx(line(data).length)
        assert geometry.min() >= 0
        assert geometry.max() <= side_m
        assert data["width_m"] > 2


def test_roads_run_from_end_or_junction_to_end_or_junction(tiles: list[SyntheticTile]) -> None:
    for tile in tiles:
        loops = {u for u, v in tile.graph.edges() if u == v}
        passed = [n for n, degree in tile.graph.degree() if degree == 2 and n not in loops]
        assert not passed


def test_roads_that_the_border_cuts_end_on_it(tiles: list[SyntheticTile]) -> None:
    on_border = 0
    for tile in tiles:
        for node, data in tile.graph.nodes(data=True):
            away = min(data["x"], data["y"], 256 - data["x"], 256 - data["y"])
            on_border += away == 0 and tile.graph.degree(node) == 1
            if 0 < away < 0.5:
                assert tile.graph.degree(node) >= 3, "an end stops short of the border"
    assert on_border > 4 * len(tiles)


def test_lines_meet_in_nodes_or_cross_on_bridges(tiles: list[SyntheticTile]) -> None:
    """Roads of one layer share only their end nodes."""
    for tile in tiles:
        edges = [(set(edge[:2]), edge[2]) for edge in tile.graph.edges(data=True)]
        tree = shapely.STRtree([line(data) for _, data in edges])
        for a, b in tree.query(tree.geometries, "crosses").T:
            assert edges[a][1]["layer"] != edges[b][1]["layer"]


def test_bridges_connect_nothing(bridge_tiles: list[SyntheticTile]) -> None:
    crossings = 0
    for tile in bridge_tiles:
        above = [e for e in tile.graph.edges(data=True) if e[2]["layer"] == 1]
        below = [e for e in tile.graph.edges(data=True) if e[2]["layer"] == 0]
        assert above, "a motorway was asked for"
        assert all(data["road_class"] == "motorway" for *_, data in above)
        assert not {n for e in above for n in e[:2]} & {n for e in below for n in e[:2]}
        crossings += sum(line(a[2]).crosses(line(b[2])) for a in above for b in below)
    assert crossings > 0


def test_mask_drawn_from_the_graph_is_the_mask(
    tiles: list[SyntheticTile], bridge_tiles: list[SyntheticTile]
) -> None:
    for tile in tiles + bridge_tiles:
        drawn = shapely.contains_xy(surface(tile.graph), *pixel_centres(tile))
        overlap = (drawn & tile.mask).sum() / (drawn | tile.mask).sum()
        assert overlap > 0.9


def test_skeleton_of_the_mask_runs_along_the_graph() -> None:
    """Away from junctions, ends and other roads the two agree within two metres."""
    checked = 0
    for index in range(5):
        tile = make_tile(WorldSettings(size_px=400, gsd=0.5, roundabout_share=0.0), 11, index)
        skeleton = skeletonize(tile.mask)
        xs, ys = (axis[skeleton] for axis in pixel_centres(tile))
        lines = shapely.union_all([line(data) for *_, data in tile.graph.edges(data=True)])
        ends = [(data["x"], data["y"]) for _, data in tile.graph.nodes(data=True)]
        near = shapely.union_all([shapely.Point(end).buffer(16) for end in ends])
        plain = ~shapely.contains_xy(near, xs, ys)
        points = shapely.points(xs[plain], ys[plain])
        away = shapely.distance(points, lines)
        assert np.mean(away > 2.0) < 0.02
        truth = shapely.points(shapely.get_coordinates(shapely.segmentize(lines, 2.0)))
        truth = truth[~shapely.contains(near, truth)]
        seen = shapely.MultiPoint(np.column_stack([xs, ys]))
        assert np.mean(shapely.distance(truth, seen) > 2.0) < 0.02
        checked += len(points) + len(truth)
    assert checked > 1000


def test_the_same_world_at_another_pixel_size_has_the_same_roads() -> None:
    fine, coarse = (
        make_tile(WorldSettings(size_px=side, gsd=153.6 / side), 4, 1) for side in (256, 128)
    )
    assert nx.utils.graphs_equal(nx.Graph(fine.graph.edges()), nx.Graph(coarse.graph.edges()))
    shares = fine.mask.reshape(128, 2, 128, 2).mean(axis=(1, 3))
    clear = (shares == 0) | (shares == 1)
    assert np.array_equal(coarse.mask[clear], shares[clear] == 1)


def test_roads_cover_a_sane_share(tiles: list[SyntheticTile]) -> None:
    shares = [tile.mask.mean() for tile in tiles]
    assert all(0.005 < share < 0.5 for share in shares)
    assert 0.08 < np.mean(shares) < 0.3


def test_roads_look_unlike_their_surroundings_but_not_by_brightness_alone(
    tiles: list[SyntheticTile],
) -> None:
    """The usual asphalt is neither always darker nor always brighter than the rest."""
    gaps = [tile.image[tile.mask].mean() - tile.image[~tile.mask].mean() for tile in tiles]
    assert min(gaps) < -3
    assert max(gaps) > 3


def test_every_feature_occurs(
    tiles: list[SyntheticTile], bridge_tiles: list[SyntheticTile]
) -> None:
    some = tiles + bridge_tiles
    counts = {name: sum(tile.contents[name] for tile in some) for name in some[0].contents}
    assert not [name for name, count in counts.items() if count == 0]
    classes = {data["road_class"] for tile in some for *_, data in tile.graph.edges(data=True)}
    assert classes == {"motorway", "arterial", "collector", "residential", "service", "track"}
    degrees = {degree for tile in some for _, degree in tile.graph.degree()}
    assert {1, 3, 4} <= degrees
    circles = [
        n for tile in some for n in tile.graph.nodes if "turning_radius_m" in tile.graph.nodes[n]
    ]
    assert circles


def test_knobs_turn_things_off() -> None:
    bare = replace(
        SMALL,
        tree_cover=0.0,
        building_density=0.0,
        car_park_density=0.0,
        roundabout_share=0.0,
        river_share=0.0,
        pond_share=0.0,
        railway_share=0.0,
    )
    for index in range(4):
        contents = make_tile(bare, 1, index).contents
        names = ("trees", "buildings", "car_parks", "roundabouts", "water_px", "railways")
        assert {contents[name] for name in names} == {0}


def test_pictures_are_neither_flat_nor_clipped(tiles: list[SyntheticTile]) -> None:
    for tile in tiles:
        assert tile.image.std() > 12
        assert np.mean((tile.image == 0) | (tile.image == 255)) < 0.2


def test_trees_hide_roads_without_changing_the_truth() -> None:
    open_world, leafy = (make_tile(replace(SMALL, tree_cover=cover), 2, 1) for cover in (0.0, 3.0))
    assert np.array_equal(open_world.mask, leafy.mask)
    assert not np.array_equal(open_world.image[leafy.mask], leafy.image[leafy.mask])
