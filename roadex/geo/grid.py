"""Where a georeferenced raster lies and how large its pixels are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

from roadex.errors import RoadexError
from roadex.geo.crs import WGS84, check_coordinates, is_local, is_metric, parse_crs, reproject

Floats = NDArray[np.float64]
_GROUND = Geod(ellps="WGS84")
# How far a pixel size that is set may be rounded, or oblong.
_GSD_SLACK = 0.3
# A metric projection that differs more than this from the ground (Web Mercator) is not trusted.
_DISTORTION = 0.01
_SIDE_POINTS = 21
# Pixels of other sizes show no roads: their coordinates are of another system.
_LEAST_M, _MOST_M = 1e-3, 1e3


@dataclass(frozen=True)
class Georeference:
    """An axis-aligned grid in a coordinate reference system.

    Attributes:
        crs: any name that PROJ knows.
        corner: x and y (or longitude and latitude) of the outer top left corner.
        step: change of x along a row and of y down a column, per pixel.
        shape: rows and columns.
    """

    crs: str
    corner: tuple[float, float]
    step: tuple[float, float]
    shape: tuple[int, int]

    def check(self, name: str) -> None:
        """See `check_coordinates`; `name` is named in errors."""
        rows, columns = self.shape
        corners = np.array([[0, 0], [columns, 0], [0, rows], [columns, rows]], float)
        check_coordinates(self.coordinates(corners), self.crs, name)
        pixel_m = self.pixel_metres() if all(self.step) else (0.0, 0.0)
        if not _LEAST_M <= min(pixel_m) <= max(pixel_m) <= _MOST_M:
            size = f"{pixel_m[0]:.3g} x {pixel_m[1]:.3g} m"
            raise RoadexError(
                f"{name}: its pixels would be {size} in its coordinate system "
                f"({parse_crs(self.crs).name}): assign the one that they are in"
            )

    def pixel_metres(self) -> tuple[float, float]:
        """Width and height of a pixel in metres, at the middle of the raster.

        Degrees are measured on the ground, so pixels that are square in degrees are oblong.
        """
        if is_local(parse_crs(self.crs)):
            return abs(self.step[0]), abs(self.step[1])
        ground = self._ground_metres()
        if not is_metric(parse_crs(self.crs)):
            return ground
        planar = abs(self.step[0]), abs(self.step[1])
        off = max(abs(g / p - 1) for g, p in zip(ground, planar, strict=True))
        return planar if off < _DISTORTION else ground

    def _ground_metres(self) -> tuple[float, float]:
        rows, columns = self.shape
        middle = np.array(
            [[columns / 2, 0], [columns / 2, rows], [0, rows / 2], [columns, rows / 2]]
        )
        points = self.coordinates(middle)
        longitude, latitude = reproject(points, self.crs, WGS84).T
        _, _, lengths = _GROUND.inv(longitude[::2], latitude[::2], longitude[1::2], latitude[1::2])
        return float(lengths[1]) / columns, float(lengths[0]) / rows

    def pixels(self, points: Floats, crs: str) -> Floats:
        """Points (n, 2) of another system as (column, row), (0, 0) being the outer corner."""
        here = points if crs == self.crs else reproject(points, crs, self.crs)
        result: Floats = (here - np.array(self.corner)) / np.array(self.step)
        return result

    def coordinates(self, pixels: Floats) -> Floats:
        """The inverse of `pixels`: coordinates (n, 2) in this grid's own system."""
        result: Floats = np.array(self.corner) + pixels * np.array(self.step)
        return result

    def outline(self, crs: str) -> Floats:
        """Points (n, 2) around the raster in a system, whose sides may be curves there."""
        along = np.linspace(0, 1, _SIDE_POINTS)
        zero, one = np.zeros_like(along), np.ones_like(along)
        across = np.concatenate([along, one, along[::-1], zero])
        down = np.concatenate([zero, along, one, along[::-1]])
        rows, columns = self.shape
        points = self.coordinates(np.column_stack([across * columns, down * rows]))
        return points if crs == self.crs else reproject(points, self.crs, crs)


def square_shape(
    shape: tuple[int, int], pixel_m: tuple[float, float], gsd: float
) -> tuple[int, int]:
    """Rows and columns that an image has at square pixels of `gsd` metres.

    Args:
        shape: its own rows and columns.
        pixel_m: width and height of its pixels in metres.
    """
    (rows, columns), (across, down) = shape, pixel_m
    return max(1, round(rows * down / gsd)), max(1, round(columns * across / gsd))


def fits_gsd(gsd: float, pixel_m: tuple[float, float], slack: float) -> bool:
    """Whether metres per pixel differ from both sides of a pixel by a share of at most `slack`."""
    return max(abs(gsd / side - 1) for side in pixel_m) <= slack


def check_gsd(name: str, key: str, gsd: float | None, pixel_m: tuple[float, float]) -> None:
    """Check the pixel size that was set by hand against that of a georeference.

    Args:
        name: of the file, for the message.
        key: the setting.
        gsd: metres per pixel; None: it was not set.
        pixel_m: width and height of its pixels in metres.

    Raises:
        RoadexError: they differ by more than rounding and oblong pixels explain.
    """
    if gsd is not None and not fits_gsd(gsd, pixel_m, _GSD_SLACK):
        raise RoadexError(
            f"{key}={gsd:g}: the georeference of {name} says {pixel_m[0]:.3g} x {pixel_m[1]:.3g} "
            f"m; leave {key}= out, or remove the georeference if it is wrong"
        )
