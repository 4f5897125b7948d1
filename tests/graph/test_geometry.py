"""Roads of a mask lie and measure as the roads it was drawn from, at any pixel size and angle."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from roadex.config.graph import GraphSettings
from roadex.graph import mask_to_graph
from roadex.graph.network import total_length

WIDTHS = (3, 5, 6, 8, 12, 20)


def drawn(line, width, gsd, side):
    """The mask of a line's surface on a square tile: a pixel is road where its centre is."""
    pixels = round(side / gsd)
    rows, columns = np.mgrid[:pixels, :pixels]
    surface = line.buffer(width / 2, quad_segs=32)
    shapely.prepare(surface)
    return shapely.contains_xy(surface, (columns + 0.5) * gsd, (rows + 0.5) * gsd)


def mean_offset(network, truth):
    """The mean distance of the network's lines from the truth, in metres."""
    places = []
    for *_, data in network.edges(data=True):
        line = shapely.LineString(data["geometry"])
        places += list(shapely.line_interpolate_point(line, np.arange(0, line.length, 0.5)))
    return float(np.mean(shapely.distance(np.array(places), truth)))


@pytest.mark.parametrize("gsd", [0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("degrees", range(0, 95, 5))
def test_a_straight_road_keeps_its_length_and_place(gsd, degrees):
    side = 120 if gsd < 1 else 300
    angle, middle = np.radians(degrees), side / 2 + 0.13 * gsd
    reach = side * np.array([np.cos(angle), np.sin(angle)])
    endless = shapely.LineString([middle - reach, middle + reach])
    truth = endless.intersection(shapely.box(0, 0, side, side))
    for width in (width for width in WIDTHS if width >= 3 * gsd and width <= side / 8):
        network = mask_to_graph(drawn(endless, width, gsd, side), gsd)
        assert total_length(network) == pytest.approx(truth.length, rel=0.01), width
        assert mean_offset(network, endless) < gsd / 2, width


@pytest.mark.parametrize("gsd", [0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("radius", [20, 50, 100, 500])
def test_a_ring_keeps_its_length_and_place(gsd, radius):
    side = 2 * radius + 40
    if side / gsd > 1100:
        pytest.skip("a large picture that tells nothing new")
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    middle = side / 2 + 0.2 * gsd
    ring = shapely.LinearRing(middle + radius * np.column_stack([np.cos(angles), np.sin(angles)]))
    for width in (width for width in (3, 6) if width >= 3 * gsd):
        network = mask_to_graph(drawn(ring, width, gsd, side), gsd)
        tolerance = 0.02 if radius == 20 else 0.01
        assert total_length(network) == pytest.approx(ring.length, rel=tolerance), width
        assert mean_offset(network, ring) < gsd / 2, width


def turned(points, degrees):
    """Points (n, 2) turned about the origin."""
    angle = np.radians(degrees)
    return points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


@pytest.mark.parametrize("degrees", [0, 15, 45])
@pytest.mark.parametrize("gsd", [0.25, 0.5, 1.0])
def test_a_roundabout_stays_one_with_its_arms(gsd, degrees):
    side, middle = 200, 100 + 0.13 * gsd
    for radius in (8, 15, 25):
        ring = shapely.Point(middle, middle).buffer(radius, quad_segs=90).exterior
        arms = [
            shapely.LineString(middle + turned(np.array([[radius, 0.0], [300, 0]]), degrees + arm))
            for arm in (0, 90, 180, 280)
        ]
        whole = shapely.union_all([ring, *arms])
        network = mask_to_graph(drawn(whole, 6, gsd, side), gsd)
        assert sorted(degree for _, degree in network.degree) == [1] * 4 + [3] * 4
        inside = whole.intersection(shapely.box(0, 0, side, side))
        assert total_length(network) == pytest.approx(inside.length, rel=0.01)
        assert mean_offset(network, whole) < gsd / 2


@pytest.mark.parametrize("degrees", [0, 15, 45])
@pytest.mark.parametrize("gsd", [0.25, 0.5, 1.0])
def test_a_right_angle_is_cut_by_a_quarter_of_the_width_at_most(gsd, degrees):
    """The middle of a road of round corners passes inside the crossing of its two lines."""
    middle = 100 + 0.13 * gsd
    corner = shapely.LineString(middle + turned(np.array([[-300.0, 0], [0, 0], [0, 300]]), degrees))
    for width in (6, 10):
        network = mask_to_graph(drawn(corner, width, gsd, 200), gsd)
        ((*_, data),) = network.edges(data=True)
        line = shapely.LineString(data["geometry"])
        assert line.distance(shapely.Point(middle, middle)) < width / 4


def car_park(gsd=0.3):
    """195 m by 135 m of road, with four streets that lead to it and islands along its rim."""
    rng = np.random.default_rng(0)
    mask = np.zeros((900, 900), np.bool_)
    mask[300:750, 150:800] = True
    for column in (200, 330, 480, 640):
        mask[:300, column : column + 24] = True
    rows, columns = np.mgrid[:900, :900]
    for _ in range(25):
        x, y = rng.integers(150, 800), rng.choice([rng.integers(300, 340), rng.integers(710, 750)])
        mask[np.hypot(rows - y, columns - x) < 14] = False
    return mask


def test_a_car_park_becomes_no_star():
    network = mask_to_graph(car_park(), 0.3)
    assert max(degree for _, degree in network.degree) <= 4
    assert max(data["width_m"] for *_, data in network.edges(data=True)) < 20
    inside = shapely.box(60, 110, 225, 205)
    through = [shapely.LineString(data["geometry"]) for *_, data in network.edges(data=True)]
    assert sum(line.intersection(inside).length for line in through) < 20
    # The streets that lead to it stay.
    streets = shapely.box(40, 0, 240, 80)
    assert sum(line.intersection(streets).length for line in through) > 4 * 75


def test_the_width_of_a_road_is_a_setting():
    wide = np.zeros((300, 300), np.bool_)
    wide[100:200] = True
    assert not mask_to_graph(wide, 1.0)
    assert total_length(mask_to_graph(wide, 1.0, GraphSettings(max_half_width_m=0))) >= 200
