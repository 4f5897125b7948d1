"""Zones, ground metres, and coordinates that cannot be of their system."""

from __future__ import annotations

import numpy as np
import pytest

from roadex.errors import RoadexError
from roadex.geo.crs import check_coordinates, is_ground_metric, parse_crs, utm_zone

OSLO = np.array([[597_000.0, 6_643_000.0]])  # in EPSG:32632


@pytest.mark.parametrize(
    ("longitudes", "latitude", "zone"),
    [
        ([-115.2, -115.1], 36.2, "EPSG:32611"),
        ([244.8, 244.9], 36.2, "EPSG:32611"),
        ([179.99, -179.99], -16.8, ("EPSG:32701", "EPSG:32760")),
        ([-180.0, -179.9], -16.8, "EPSG:32701"),
        ([179.9, 180.05], -16.8, ("EPSG:32701", "EPSG:32760")),
    ],
)
def test_the_zone_is_that_of_the_middle_however_longitudes_count(longitudes, latitude, zone):
    points = np.column_stack([longitudes, [latitude] * len(longitudes)])
    assert utm_zone(points) in ((zone,) if isinstance(zone, str) else zone)


def test_metres_of_a_map_are_not_always_the_grounds():
    assert is_ground_metric(parse_crs("EPSG:32632"), OSLO)
    assert not is_ground_metric(parse_crs("EPSG:3857"), np.array([[1_190_000.0, 8_370_000.0]]))
    assert is_ground_metric(parse_crs("EPSG:3857"), np.array([[1_190_000.0, 1_000.0]]))
    assert not is_ground_metric(parse_crs("EPSG:2263"), np.array([[980_000.0, 200_000.0]]))  # feet


@pytest.mark.parametrize(
    ("points", "crs"),
    [
        ([[660_000.0, 4_012_000.0]], "EPSG:4326"),
        ([[10.0, 95.0]], "EPSG:4326"),
        ([[1e9, 1e9]], "EPSG:32611"),
        ([[float("inf"), 0.0]], "EPSG:3857"),
        ([[4_012_000.0, 660_000.0]], "EPSG:32611"),  # northing first
        ([[6_643_000.0, 597_000.0]], "EPSG:25832"),
    ],
)
def test_coordinates_that_cannot_be_of_a_system_are_refused(points, crs):
    with pytest.raises(RoadexError, match=r"a.tif: its coordinates .* do not fit"):
        check_coordinates(np.array(points), crs, "a.tif")


def test_coordinates_that_fit_pass():
    check_coordinates(OSLO, "EPSG:32632", "a.tif")
    check_coordinates(np.array([[244.8, 36.2]]), "EPSG:4326", "a.tif")
    local = 'LOCAL_CS["site",UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]'
    check_coordinates(np.array([[1e9, -5.0]]), local, "a.tif")


@pytest.mark.parametrize("zone", [1, 60])
def test_data_beside_the_area_of_their_system_pass_even_over_the_antimeridian(zone):
    for easting in (200_000.0, 800_000.0):
        check_coordinates(np.array([[easting, 8_000_000.0]]), f"EPSG:{32700 + zone}", "a.tif")


@pytest.mark.parametrize("unit", ['"foot",0.3048', '"US survey foot",0.304800609601219'])
def test_a_local_system_that_counts_in_feet_is_refused_for_lines(unit):
    local = f'LOCAL_CS["site",UNIT[{unit}],AXIS["x",EAST],AXIS["y",NORTH]]'
    with pytest.raises(RoadexError, match=r"counts in 0.3048.* m .*convert it to metres"):
        check_coordinates(OSLO, local, "a.gpkg")
