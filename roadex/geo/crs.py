"""From longitude and latitude to metres and back."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError, ProjError

from roadex.errors import RoadexError

Floats = NDArray[np.float64]

WGS84 = "EPSG:4326"
# A map that differs more than this from the ground does not have ground metres.
DISTORTION = 0.01
_GROUND = Geod(ellps="WGS84")
# By so many degrees data may lie outside the area of their system; swapped axes lead farther.
_BESIDE = 15.0
EARTH_RADIUS_M = 6_371_009.0  # the sphere of the reference APLS program


def utm_zone(points: Floats) -> str:
    """The UTM zone of the mean of longitudes and latitudes (n, 2), as an EPSG code.

    Longitudes may count to 360; those on both sides of the antimeridian have their mean there.
    """
    turns = np.radians(points[:, 0])
    longitude = np.degrees(np.arctan2(np.sin(turns).mean(), np.cos(turns).mean()))
    latitude = points[:, 1].mean()
    zone = int((longitude + 180) // 6) % 60 + 1
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
    """Whether planar lengths in this system are metres, on the map at least."""
    units = {axis.unit_name for axis in crs.axis_info[:2]}
    return (crs.is_projected or is_local(crs)) and units <= {"metre", "meter"}


def is_local(crs: CRS) -> bool:
    """Whether a system is a local engineering one, without a relation to others."""
    return bool(crs.is_engineering)


def local_unit_m(crs: CRS) -> float:
    """Metres for a unit of an engineer's own system."""
    return float(crs.axis_info[0].unit_conversion_factor) if crs.axis_info else 1.0


def is_ground_metric(crs: CRS, points: Floats) -> bool:
    """Whether a metre between points (n, 2) is one on the ground, within 1 %.

    It is not in Web Mercator, which is twice too large in Oslo.
    """
    if not is_metric(crs):
        return False
    return is_local(crs) or abs(scale_at(crs, points.mean(axis=0)) - 1) < DISTORTION


def scale_at(crs: CRS, point: Floats) -> float:
    """Metres on the map for a metre on the ground at a point (2,) of a projected system."""
    here = np.array([point, point + [100.0, 0.0], point + [0.0, 100.0]])
    longitude, latitude = reproject(here, short_name(crs), WGS84).T
    _, _, metres = _GROUND.inv(
        longitude[[0, 0]], latitude[[0, 0]], longitude[[1, 2]], latitude[[1, 2]]
    )
    return float(np.sqrt(np.prod(100.0 / np.asarray(metres))))


def check_coordinates(points: Floats, crs: str, name: str, anywhere: bool = False) -> None:
    """Check that coordinates (n, 2), x or longitude first, can be of a system.

    Args:
        name: of the file, for the message.
        anywhere: whether they may lie far from the area that the system is for, as what was
            brought into the system of something else may.

    Raises:
        RoadexError: they lie outside the globe, or far outside the area that the system is for; or
            the system is an engineer's own in another unit than metres.
    """
    system = parse_crs(crs)
    if is_local(system) and not is_metric(system):
        raise RoadexError(
            f"{name}: its local coordinate system counts in {local_unit_m(system):g} m "
            f"({system.axis_info[0].unit_name}): convert it to metres first"
        )
    if is_local(system) or not len(points):
        return
    finite = np.isfinite(points).all()
    if system.is_geographic:
        low, high = points.min(axis=0), points.max(axis=0)
        fits = finite and low[0] >= -360 and high[0] <= 540 and low[1] >= -90 and high[1] <= 90
    else:
        fits = finite and _has_inverse(points, crs)
        fits = fits and (anywhere or _is_near(points, system))
    if not fits:
        place = ", ".join(f"{value:g}" for value in points[0])
        raise RoadexError(
            f"{name}: its coordinates ({place}) do not fit its coordinate system "
            f"({system.name}): assign the one that they are in, or swap the axes"
        )


def _has_inverse(points: Floats, crs: str) -> bool:
    """Whether projected coordinates lead to a place on the globe, and back."""
    corners = np.array([points.min(axis=0), points.max(axis=0)])
    try:
        back = reproject(reproject(corners, crs, WGS84), WGS84, crs)
    except RoadexError:
        return False
    return bool(np.isfinite(back).all() and np.abs(back - corners).max() < 1.0)


def _is_near(points: Floats, system: CRS) -> bool:
    """Whether the middle of projected coordinates lies in or beside the area of their system."""
    area = system.area_of_use
    if area is None:
        return True
    longitude, latitude = reproject(points.mean(axis=0)[None], short_name(system), WGS84)[0]
    width = (area.east - area.west) % 360 or 360.0
    east = (longitude - area.west) % 360
    beyond = min(east - width, 360 - east) if east > width else 0.0
    return bool(beyond <= _BESIDE and area.south - _BESIDE <= latitude <= area.north + _BESIDE)


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
    result: Floats = np.round(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(half_chord.clip(0, 1))), 3)
    return result
