"""The files of a road network."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.graph.formats import TABLE_SUFFIXES, write_network, write_table
from roadex.graph.formats.settled import in_pixels
from roadex.graph.formats.wkt_csv import write_wkt_csv
from roadex.graph.road_table import RoadTable
from roadex.plots.map_page import Place, write_map_page
from roadex.prediction.geotiff import write_cog, write_probability
from roadex.prediction.network import RoadNetwork
from roadex.prediction.overview import draw_overview, small_probability
from roadex.prediction.place import placed_table
from roadex.rasters.pictures import write_image

_SHOWN = {
    "road_km": "km of road",
    "junctions": "junctions",
    "dead_ends": "dead ends",
    "components": "components",
    "area_km2": "km2",
    "km2_per_h": "km2/h",
}
_DEGREES_PER_METRE = 1e-4  # a metre is 9e-6 degrees; a foot, the smallest other unit, three to one
log = logging.getLogger(__name__)
Writer = Callable[[RoadNetwork, Path], None]


def _probability(network: RoadNetwork, path: Path) -> None:
    scene = network.view.scene
    write_probability(path, network.store, scene.shape, scene.grid)


def _cog(network: RoadNetwork, path: Path) -> None:
    scene = network.view.scene
    write_cog(path, network.store, scene.shape, scene.grid)


def _vectors(network: RoadNetwork, path: Path) -> None:
    """In the format of the suffix; without a georeference in pixels of the image."""
    grid = network.view.scene.grid
    if (
        isinstance(network.found, RoadTable)
        and grid is not None
        and path.name.endswith(TABLE_SUFFIXES)
    ):
        write_table(placed_table(network.found, grid, network.view.pixel_m), path)
        return
    graph = network.graph
    if network.crs is None:
        graph = in_pixels(graph, network.view.pixel_m)
    write_network(graph, path)


def _spacenet(network: RoadNetwork, path: Path) -> None:
    write_wkt_csv({network.view.scene.name: network.frame}, path, network.view.pixel_m)


def _overview(network: RoadNetwork, path: Path) -> None:
    write_image(path, draw_overview(network.picture, network.found, network.view.extent_m))


def _map(network: RoadNetwork, path: Path) -> None:
    view = network.view
    facts = {shown: f"{network.summary[name]:g}" for name, shown in _SHOWN.items()}
    notes = {"note": "; ".join(network.notes)} if network.notes else {}
    write_map_page(
        path,
        network.found,
        network.picture,
        view.extent_m,
        small_probability(network.store, max(network.picture.shape)),
        title=view.scene.name,
        summary={**facts, **notes},
        place=_place(network),
        longest_px=max(network.picture.shape),
    )


def _place(network: RoadNetwork) -> Place | None:
    """Where the image lies, in its own system."""
    grid = network.view.scene.grid
    if grid is None:
        return None
    across, down = (s / m for s, m in zip(grid.step, network.view.pixel_m, strict=True))
    decimals = 6 if abs(across) < _DEGREES_PER_METRE else 1
    transform = (across, 0.0, grid.corner[0], 0.0, down, grid.corner[1])
    return Place(grid.crs, transform, decimals)


# The files by their names in `outputs=`: suffix, and writer.
OUTPUTS: dict[str, tuple[str, Writer]] = {
    "probability": (".probability.tif", _probability),
    "gpkg": (".roads.gpkg", _vectors),
    "geojson": (".roads.geojson", _vectors),
    "graphml": (".graphml", _vectors),
    "csv": (".csv", _spacenet),
    "overview": (".png", _overview),
    "map": (".html", _map),
    "cog": (".probability.cog.tif", _cog),
    "parquet": (".roads.parquet", _vectors),
    "fgb": (".roads.fgb", _vectors),
    "shp": (".roads.shp.zip", _vectors),
}
# Files that are written only if `outputs=` names them, or the network is large.
ON_REQUEST = ("cog", "parquet", "fgb", "shp")
# A network of more roads is large: files that have to be read as a whole are left out.
LARGE = 200_000
_AS_A_WHOLE = ("geojson", "graphml", "csv")
# The number of roads up to which the map page is smooth.
_MAPPED = 500_000
SUMMARY = ".summary.json"
# The packages of the extra `geo` that some of them need.
_NEEDS = {
    "probability": "rasterio",
    "cog": "rasterio",
    "gpkg": "geopandas",
    "fgb": "geopandas",
    "shp": "geopandas",
    "parquet": "pyarrow",
}


def chosen_outputs(names: list[str] | None) -> list[str]:
    """The names of the files to write; None: all that this installation can write.

    Raises:
        RoadexError: a name that does not exist, or one whose package is not installed.
    """
    lacking = [name for name, package in _NEEDS.items() if find_spec(package) is None]
    for name in names or ():
        if name not in OUTPUTS:
            raise RoadexError(f"outputs={name}: choose from {', '.join(OUTPUTS)}")
        if name in lacking:
            extra = "parquet" if name == "parquet" else "geo"
            raise RoadexError(f"outputs={name} needs {_NEEDS[name]}: {install_line(extra)}")
    usual = [name for name in OUTPUTS if name not in ON_REQUEST]
    left_out = [name for name in usual if name in lacking]
    if names is None and left_out:
        log.warning("left out: %s; %s", " and ".join(left_out), install_line("geo"))
    return [name for name in usual if name not in lacking] if names is None else names


def fitting_outputs(names: list[str], roads: int) -> list[str]:
    """The usual files that make sense for a network of `roads` roads.

    For a large one GeoParquet, if pyarrow is installed, replaces files that are read as a whole.
    """
    if roads <= LARGE:
        return names
    table = ["parquet"] if find_spec("pyarrow") else []
    left_out = _AS_A_WHOLE if roads <= _MAPPED else (*_AS_A_WHOLE, "map")
    return [name for name in names if name not in left_out] + table


def write_outputs(network: RoadNetwork, folder: Path, names: list[str]) -> None:
    """Write the named files of a network into a folder, each whole or not at all.

    Raises:
        RoadexError: a file cannot be written.
    """
    for name in names:
        suffix, write = OUTPUTS[name]
        write(network, folder / f"{network.view.scene.name}{suffix}")


def existing_outputs(folder: Path, stem: str) -> list[Path]:
    """Files in a folder that an image of that name would write."""
    suffixes = [SUMMARY, *(suffix for suffix, _ in OUTPUTS.values())]
    return [path for suffix in suffixes if (path := folder / f"{stem}{suffix}").exists()]
