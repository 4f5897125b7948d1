"""Roads removed from a map are found again; shifted ones have moved by what they were shifted."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadex.changes.engine import (
    CHANGED,
    MAP,
    MATCHED,
    MISSING,
    MOVED,
    OUTSIDE,
    ROADS,
    TUNNEL,
    UNSEEN,
    Comparison,
    Rules,
    compare,
    means,
    medians,
)
from roadex.changes.inputs import common_area, inside
from roadex.changes.matching import Tolerances
from roadex.config.world import WorldSettings
from roadex.errors import RoadexError
from roadex.graph.network import add_road, empty_network, straight_network, total_length
from roadex.world.tile import make_tile
from tests.support.networks import grid, line, moved

FAST = settings(max_examples=20, deadline=None)
RULES = Rules(Tolerances(8.0, 25.0, 30.0))


def compared(old: nx.MultiGraph, new: nx.MultiGraph, rules: Rules = RULES) -> Comparison:
    return compare(old, new, common_area([old, new], 300.0), rules)


def metres(result: Comparison, state: str, side: str | None = None) -> float:
    return sum(p.length_m for p in result.of(state) if side in (None, p.side))


def town(seed: int, noise_m: float = 0.0) -> nx.MultiGraph:
    """A crooked grid of 5 x 5; `noise_m` is how well its junctions were drawn."""
    rng = np.random.default_rng(seed)
    corners = np.array([(x, y) for y in range(5) for x in range(5)]) * 100.0
    corners += rng.uniform(-15, 15, corners.shape)
    corners += np.random.default_rng(seed + 1).uniform(-noise_m, noise_m, corners.shape)
    return straight_network([tuple(c) for c in corners.tolist()], list(grid(5).edges()))


@FAST
@given(seed=st.integers(0, 10**6), share=st.floats(0.05, 0.4), swap=st.booleans())
def test_removed_roads_are_found_again(seed, share, swap):
    whole, part = town(seed, 2.0), town(seed)
    steps = list(part.edges(keys=True))
    chosen = np.random.default_rng(seed).choice(len(steps), int(share * len(steps)) + 1, False)
    removed = {steps[i] for i in chosen}
    truth = sum(whole.edges[step]["length"] for step in removed)
    part.remove_edges_from(removed)
    result = compared(whole, part) if swap else compared(part, whole)
    found = result.of(UNSEEN if swap else MISSING)
    assert {segment.side for segment in found} == {MAP if swap else ROADS}
    right = sum(segment.length_m for segment in found if segment.step in removed)
    assert right >= 0.95 * truth, "recall"
    assert right >= 0.95 * sum(segment.length_m for segment in found), "precision"
    assert not result.of(MISSING if swap else UNSEEN)


@FAST
@given(seed=st.integers(0, 10**6), metres_off=st.floats(13, 19), degrees=st.integers(35, 55))
def test_a_shifted_copy_has_moved_by_its_shift(seed, metres_off, degrees):
    shift = metres_off * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    old = town(seed)
    rules = Rules(Tolerances(2.0, 25.0, 20.0))
    result = compared(old, moved(old, *shift), rules)
    assert metres(result, MOVED, MAP) >= 0.9 * total_length(old)
    np.testing.assert_allclose(result.shift, shift, atol=0.3)
    for segment in result.of(MOVED):
        u, v, _ = segment.step
        first, last = (np.array([old.nodes[n]["x"], old.nodes[n]["y"]]) for n in (u, v))
        normal = (last - first)[::-1] * (-1, 1) / np.hypot(*(last - first))
        expected = normal * (normal @ shift) * (1 if segment.side == MAP else -1)
        np.testing.assert_allclose(segment.offset, expected, atol=1e-6)


@FAST
@given(seed=st.integers(0, 10**6))
def test_every_metre_is_accounted_for_and_swapping_swaps(seed):
    old, new = town(seed), town(seed + 7)
    result, back = compared(old, new), compared(new, old)
    for side, network in ((MAP, old), (ROADS, new)):
        total = sum(segment.length_m for segment in result.segments if segment.side == side)
        assert total == pytest.approx(total_length(network))
    for state, other in ((MISSING, UNSEEN), (MATCHED, MATCHED), (MOVED, MOVED)):
        assert metres(result, state, ROADS) == pytest.approx(metres(back, other, MAP))


def test_pieces_and_not_whole_lines():
    """The map has the first 60 m of a road of 200 m, and 40 m that go on elsewhere."""
    result = compared(line((0, 0), (60, 0), (60, 40)), line((0, 0), (200, 0)))
    (missing,) = result.of(MISSING)
    assert missing.length_m == pytest.approx(140, abs=5)
    assert missing.line[-1].tolist() == [200, 0] and missing.line[0][0] == pytest.approx(60, abs=5)
    (unseen,) = result.of(UNSEEN)
    assert unseen.length_m == pytest.approx(40, abs=5)
    assert unseen.line[-1].tolist() == [60, 40]


def test_a_new_road_beside_a_known_one_is_missing_and_has_not_moved():
    known = line((0, 0), (300, 0))
    both = known.copy()
    add_road(both, 2, 3, [(0, 18), (300, 18)])
    result = compared(known, both)
    assert metres(result, MISSING) == pytest.approx(300) and not result.of(MOVED)


def test_crossing_roads_are_not_one():
    result = compared(line((-100, 0), (100, 0)), line((0, -100), (0, 100)))
    assert metres(result, MISSING) == metres(result, UNSEEN) == pytest.approx(200)


def test_class_and_width_have_changed():
    old, new = grid(3), grid(3)
    nx.set_edge_attributes(old, "residential", "highway")
    nx.set_edge_attributes(new, "residential", "highway")
    nx.set_edge_attributes(old, "6 m", "width")
    nx.set_edge_attributes(new, 7.0, "width_m")
    new.edges[0, 1, 0]["highway"] = ["primary", "residential"]
    new.edges[1, 2, 0]["width_m"] = 14.0
    result = compared(old, new)
    notes = {(p.side, p.step[:2]): p.note for p in result.of(CHANGED)}
    assert notes == {
        (side, step): note
        for side in (MAP, ROADS)
        for step, note in (
            ((0, 1), "class residential -> primary"),
            ((1, 2), "width 6.0 -> 14.0 m"),
        )
    }


def test_why_a_road_is_not_seen_and_what_lies_outside():
    old, new = line((0, 0), (400, 0)), line((0, 0), (150, 0))
    add_road(old, 2, 3, [(0, 100), (100, 100)], tunnel="yes")
    result = compare(old, new, common_area([old, new], 50.0), RULES)
    assert metres(result, OUTSIDE, MAP) == pytest.approx(200 + 100, abs=5)
    wide = compare(old, new, common_area([old, old], 50.0), RULES)
    assert {p.note: p.length_m for p in wide.of(UNSEEN)} == {
        TUNNEL: 100,
        "": pytest.approx(250, abs=3),
    }


def test_confidence_follows_the_probability_and_ranks_the_length():
    new = straight_network([(0, 0), (300, 0), (0, 100), (80, 100)], [(0, 1), (2, 3)])
    new.edges[0, 1, 0]["mean_probability"], new.edges[2, 3, 0]["mean_probability"] = 0.6, 0.9
    result = compared(line((0, 50), (300, 50)), new)
    assert [(p.rank, p.confidence) for p in result.of(MISSING)] == [(1, 0.6), (2, 0.9)]


def test_two_dates_of_the_world():
    """Since the first date three roads were built and two were widened."""
    later = make_tile(WorldSettings(size_px=320, gsd=1.5), 3, 1).graph
    earlier = later.copy()
    long = sorted(
        (step for step in later.edges(keys=True) if later.edges[step]["length"] > 60),
        key=lambda step: -later.edges[step]["length"],
    )
    built, widened = set(long[:3]), set(long[3:5])
    for step in widened:
        earlier.edges[step]["width_m"] *= 0.5
    earlier.remove_edges_from(built)
    result = compared(earlier, later)
    assert {segment.step for segment in result.of(CHANGED) if segment.side == ROADS} == widened
    assert all(segment.note.startswith("width ") for segment in result.of(CHANGED))
    truth = sum(later.edges[step]["length"] for step in built)
    right = sum(s.length_m for s in result.of(MISSING) if s.step in built)
    assert right >= 0.9 * truth and right >= 0.95 * metres(result, MISSING)
    assert not result.of(UNSEEN)


def test_detours_round_what_is_missing():
    """A grid of 100 m lacks a side and has a spur too few; two towns lack the road between them."""
    whole, part = grid(3), grid(3)
    part.remove_edge(0, 1)
    add_road(whole, 4, "spur", [(100, 100), (160, 140)])
    for graph in (whole, part):
        add_road(graph, "far", "away", [(400, 0), (400, 200)])
    add_road(whole, 2, "far", [(200, 0), (400, 0)])
    add_road(whole, "half", "on", [(50, 100), (50, 200)])
    missing = compared(part, whole).of(MISSING)
    found = {segment.step[:2]: segment.detour_m for segment in missing}
    assert found.pop((4, "spur")) is None
    assert found == {
        (0, 1): pytest.approx(200, abs=1),
        (2, "far"): 2000,
        ("half", "on"): pytest.approx(100, abs=1),  # from the middle of one road to another's
    }


def test_roads_between_the_same_places_are_each_a_way_round_the_other():
    part = straight_network([(0, 0), (100, 0), (300, 0)], [(1, 2)])
    whole = straight_network([(0, 0), (100, 0), (300, 0)], [(1, 2)])
    add_road(whole, 1, 2, [(100, 0), (100, 60), (300, 60), (300, 0)])
    add_road(whole, 1, 2, [(100, 0), (100, -90), (300, -90), (300, 0)])
    found = sorted(s.detour_m for s in compared(part, whole).of(MISSING) if s.detour_m is not None)
    assert found == [0, 0]  # the known road is shorter than both


def test_networks_of_different_places_are_refused_in_one_line():
    with pytest.raises(RoadexError, match="do not overlap") as refused:
        common_area([grid(3), moved(grid(3), 9e5, 0)], 25)
    assert "\n" not in str(refused.value)


def test_odd_networks_are_compared():
    odd = grid(3)
    add_road(odd, 4, 4, [(100, 100), (110, 100), (110, 110), (100, 100)])
    add_road(odd, 0, "twin", [(0, 0), (0, 0)])
    assert not compared(odd, odd).of(MISSING)
    area = common_area([odd, odd], 10)
    assert not compare(odd, empty_network(), area, RULES).of(MATCHED)
    assert metres(compare(empty_network(), odd, area, RULES), MISSING) == total_length(odd)


@given(st.lists(st.lists(st.tuples(st.floats(-9, 9), st.booleans()), min_size=1), min_size=1))
def test_medians_and_shares_of_groups(groups):
    values = np.array([v for group in groups for v, _ in group])
    chosen = np.array([c for group in groups for _, c in group])
    number = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    kept = [[v for v, c in group if c] for group in groups]
    expected = [np.median(part) if part else np.nan for part in kept]
    np.testing.assert_allclose(medians(values, number, chosen, len(groups)), expected)
    firsts = np.flatnonzero(np.diff(number, prepend=-1))
    np.testing.assert_allclose(means(chosen, firsts), [np.mean([c for _, c in g]) for g in groups])


def test_places_inside_an_area_of_any_form():
    import shapely

    area = shapely.Polygon([(0, 0), (100, 0), (0, 100)])
    points = np.array([(10, 10), (90, 90), (-5, 5), (60, 39)], dtype=float)
    assert inside(area, points).tolist() == [True, False, False, True]
    assert inside(shapely.box(0, 0, 100, 100), points).tolist() == [True, True, False, True]
