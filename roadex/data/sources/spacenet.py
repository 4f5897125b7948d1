"""SpaceNet 3 and 5 roads: areas of interest with several image products and GeoJSON lines."""

from __future__ import annotations

import re
from pathlib import Path

from roadex.config.dataset import SpaceNetConfig
from roadex.data.sources.files import Division, FileSource, Named, match, raw_folder, to_source
from roadex.data.sources.georeferenced import GeoReader
from roadex.data.sources.line_labels import OwnLines
from roadex.errors import RoadexError

# Products by how well they serve, the best first; the names of both editions.
PRODUCTS = ("PS-RGB", "RGB-PanSharpen", "PS-MS", "MUL-PanSharpen", "MS", "MUL", "PAN")
_CITY = re.compile(r"AOI_\d+_[A-Za-z]+")
_TILE = re.compile(r"(?:img|chip)_?(\d+)(?!.*\d)")


def spacenet_source(config: SpaceNetConfig) -> FileSource:
    """The tiles of all areas below the folder, by area and number (AOI_2_Vegas_img10).

    Images lie in a folder named after their product, lines in one whose name begins with geojson
    or lies in such a one; file names only have to hold the tile's number, and the area unless a
    folder names it.

    Raises:
        RoadexError: the folder is missing, or holds no image of the product with lines.
    """
    raw = raw_folder(config.raw)
    lines = _labels(raw)
    pictures = sorted([*raw.rglob("*.tif"), *raw.rglob("*.tiff")])
    product = config.product or _best_product(raw, pictures)
    images = _named([path for path in pictures if path.parent.name == product], raw)
    reader = GeoReader(config.gsd, OwnLines(config.widths), config.stretch, config.bands)
    others = ", ".join(sorted({path.parent.name for path in pictures}))
    remedy = f"dataset.product={product}: choose one of {others or 'none found'}"
    division = Division(config.splits)
    return to_source(match(images, lines), reader, division, config.raw, remedy, _city)


def _best_product(raw: Path, pictures: list[Path]) -> str:
    found = sorted({path.parent.name for path in pictures})
    ranked = [product for product in PRODUCTS if product in found] or found
    if not ranked:
        raise RoadexError(f"dataset.raw={raw}: no GeoTIFF there; it needs AOI_*/PRODUCT/*.tif")
    return ranked[0]


def _labels(raw: Path) -> Named:
    """The lines of each tile; where an area has several editions, of the folder sorted first."""
    editions: dict[str, Path] = {}
    files = sorted(raw.rglob("*.geojson"))
    for path in files:
        area = _area(path, raw)
        editions[area] = min(editions.get(area, path.parent), path.parent)
    return _named([path for path in files if editions[_area(path, raw)] == path.parent], raw)


def _named(paths: list[Path], raw: Path) -> Named:
    """Files by area and tile number; those without a number are not tiles."""
    found: Named = []
    for path in paths:
        tile = _TILE.search(path.stem)
        if tile:
            area = _area(path, raw)
            found.append((f"{area}_{tile.group(0)}" if area else tile.group(0), path))
    return found


def _area(path: Path, raw: Path) -> str:
    """The area of interest in a file's name, else in its folders' names."""
    for part in (path.stem, *reversed(path.relative_to(raw.parent).parts[:-1])):
        area = _CITY.search(part)
        if area:
            return area.group(0)
    return ""


def _city(name: str) -> str:
    area = _CITY.match(name)
    return area.group(0) if area else ""
