"""From longitude and latitude to metres and back."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from roadex.errors import RoadexError
from roadex.graph.skeleton import Floats

WGS84 = "EPSG:4326"
EARTH_RADIUS_M = 6_371_009.0  # the sphere of the reference APLS program


def utm_zone(points: Floats) -> str:
    """The UTM zone of the mean of longitudes and latitudes (n, 2), as an EPSG code."""
    longitude, latitude = points.mean(axis=0)
    zone = int(np.clip((longitude + 180) // 6 + 1, 1, 60))
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"


@lru_cache(maxsize=64)
def parse_crs(name: str) -> CRS:
    """A coordinate reference system by any name that PROJ knows.

    Raises:
        RoadexError: PROJ does not know it.
    """
    try:
        return CRS.from_user_input(name)
    except CRSError as error:
        raise RoadexError(f"unknown coordinate reference system {name!r}: try EPSG:4326") from error


def short_name(crs: CRS) -> str:
    """`EPSG:n` where there is such a code, else the system in full."""
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else crs.to_wkt()


def is_metric(crs: CRS) -> bool:
    """Whether planar lengths in this system are metres."""
    units = {axis.unit_name for axis in crs.axis_info[:2]}
    return crs.is_projected and units <= {"metre", "meter"}


def reproject(points: Floats, source: str, target: str) -> Floats:
    """Points (n, 2) from one system to another, longitude or x first in both.

    Raises:
        RoadexError: the points cannot be expressed in the target system.
    """
    transformer = _transformer(source, target)
    try:
        x, y = transformer.transform(points[:, 0], points[:, 1], errcheck=True)
    except ProjError as error:
        raise RoadexError(f"coordinates do not fit from {source} into {target}: {error}") from error
    return np.column_stack([x, y])


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(parse_crs(source), parse_crs(target), always_xy=True)


def haversine_mm(points: Floats) -> Floats:
    """Great-circle lengths (n - 1) in metres of the pieces of a line in degrees, to the mm."""
    longitude, latitude = np.radians(points).T
    half_chord = (
        np.sin(np.diff(latitude) / 2) ** 2
        + np.cos(latitude[:-1]) * np.cos(latitude[1:]) * np.sin(np.diff(longitude) / 2) ** 2
    )
    return np.round(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(half_chord.clip(0, 1))), 3)
