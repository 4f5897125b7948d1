"""One file of roads, such as an OpenStreetMap extract, as the labels of all images."""

from __future__ import annotations

import json

import numpy as np
import pytest

from roadex.config.dataset import FolderConfig
from roadex.data.prepare import prepare
from roadex.data.sources import open_source
from roadex.errors import RoadexError
from roadex.geo.crs import WGS84, reproject
from roadex.geo.grid import Georeference
from roadex.graph.network import total_length
from roadex.rasters.rasters import write_raster
from tests.support.osm import TOWN

geopandas = pytest.importorskip("geopandas")
CRS = "EPSG:32611"


def metric(longitude, latitude):
    return reproject(np.array([[longitude, latitude], [0, 0]]), WGS84, CRS)[0]


@pytest.fixture
def town(tmp_path):
    """Two images beside each other on the town's main road, and its file."""
    corner = metric(-115.2905, 36.1605).round()
    pixels = np.random.default_rng(0).integers(0, 255, (150, 200, 3)).astype(np.uint8)
    for name, east in (("west", 0), ("east", 200)):
        grid = Georeference(CRS, (corner[0] + east, corner[1]), (1.0, -1.0), (150, 200))
        write_raster(tmp_path / "images" / f"{name}.tif", pixels, grid)
    content = TOWN.replace('v="residential"/>', 'v="residential"/><tag k="width" v="20"/>')
    (tmp_path / "town.osm").write_text(content)
    return tmp_path


def source(folder, lines="town.osm", **settings):
    paths = {"images": str(folder / "images"), "lines": str(folder / lines)}
    return open_source(FolderConfig(**paths, gsd=1.0, **settings))


def test_one_extract_is_cut_to_every_image_with_widths_by_its_tags(town):
    tiles = {name: source(town).read(name) for name in ("west", "east")}
    west = tiles["west"]
    assert west.mask.shape == (150, 200) and west.graph.graph.get("crs") is None
    # The main road has four lanes of 3.5 m, and begins 45 m from the left border.
    assert west.mask[:, 100].sum() == pytest.approx(14, abs=1)
    assert not west.mask[:, :37].any() and west.mask[55, 60:].all()
    # The residential road north of it is 20 m wide and leads out of the eastern image.
    assert tiles["east"].mask[20, :100].sum() == pytest.approx(20, abs=1)
    lengths = [total_length(tile.graph) for tile in tiles.values()]
    assert lengths[0] == pytest.approx(155, abs=2) and lengths[1] > 250
    assert "town.osm: left out 1 x way with highway=footway of the whole file" in west.notes


def test_every_kind_of_file_and_system_gives_the_same_labels(town):
    from roadex.graph.formats import read_network, write_network

    write_network(read_network(town / "town.osm"), town / "own.gpkg")
    table = geopandas.read_file(town / "own.gpkg", layer="roads")
    table = table[["highway", "lanes", "width", "geometry"]]
    table.to_crs("EPSG:3857").to_file(town / "town.shp")
    table.to_crs(WGS84).to_parquet(town / "town.parquet")
    expected = source(town).read("east").mask
    for name in ("own.gpkg", "town.shp", "town.parquet"):
        assert (source(town, name).read("east").mask != expected).mean() < 0.002, name


def test_tunnels_and_ways_without_cars_are_no_labels_and_are_counted(town):
    lines = [("tunnel", "yes"), ("highway", "footway"), ("highway", "residential")]
    corner = metric(-115.2905, 36.1605).round()
    features = [
        {
            "type": "Feature",
            "properties": {"highway": "residential", key: value},
            "geometry": {
                "type": "LineString",
                "coordinates": [[corner[0] + x, corner[1] - y] for x in (-50, 250)],
            },
        }
        for (key, value), y in zip(lines, (20, 60, 100), strict=True)
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32611"}}
    content = {"type": "FeatureCollection", "crs": crs, "features": features}
    (town / "some.geojson").write_text(json.dumps(content))
    tile = source(town, "some.geojson").read("west")
    assert np.flatnonzero(tile.mask[:, 100]).tolist() == list(range(97, 103))
    (note,) = [note for note in tile.notes if "whole file" in note]
    assert "1 x tunnel" in note and "1 x way with highway=footway" in note


def test_an_extract_that_does_not_cover_an_image_is_reported_tile_by_tile(town):
    corner = metric(-115.2905, 36.1605).round()
    for name, shift in (("half", -150.0), ("far", -9000.0)):
        grid = Georeference(CRS, (corner[0] + shift, corner[1]), (1.0, -1.0), (150, 200))
        write_raster(town / "images" / f"{name}.tif", np.zeros((150, 200, 3), np.uint8), grid)
    half = source(town).read("half")
    assert any("leave 91% of the image out" in note for note in half.notes), half.notes
    with pytest.raises(RoadexError, match=r"town.osm: its roads do not reach far.tif") as refused:
        source(town).read("far")
    assert "\n" not in str(refused.value)


def test_files_that_cannot_be_labels_are_refused_in_one_line(town, tmp_path):
    (town / "cut.osm").write_text(TOWN[:-150])
    (town / "roads.docx").write_text("x")
    with pytest.raises(RoadexError, match=r"one of \.osm, \.pbf"):
        source(town, "roads.docx")
    for index in range(4):
        (town / "images" / f"{index}.tif").write_bytes((town / "images/west.tif").read_bytes())
    config = FolderConfig(
        images=str(town / "images"), lines=str(town / "cut.osm"), gsd=1.0, workers=1,
        cache=str(tmp_path / "cache"),
    )  # fmt: skip
    with pytest.raises(RoadexError, match="not a complete OpenStreetMap file") as refused:
        prepare(config, 5, needed=("train",))
    assert "\n" not in str(refused.value)


def test_real_lines_as_one_file_give_the_mask_of_the_reader_of_single_files(real_data):
    vegas = real_data / "spacenet3/AOI_2_Vegas"
    (lines,) = (vegas / "geojson/spacenetroads").iterdir()
    (image,) = (vegas / "RGB-PanSharpen").iterdir()
    whole = FolderConfig(images=str(image.parent), lines=str(lines), gsd=0.5)
    single = FolderConfig(images=str(image.parent), lines=str(lines.parent), gsd=0.5)
    single.image_suffix, single.mask_suffix = image.stem, lines.stem
    one, other = open_source(whole).read(image.stem).mask, open_source(single).read("").mask
    assert (one != other).mean() < 0.002 and (one == 1).mean() > 0.05
