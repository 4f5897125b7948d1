"""Unusable raw files are named one by one in a report, and the rest is prepared."""

from __future__ import annotations

import json
import pickle
import shutil
from dataclasses import replace

import numpy as np
import pytest

from roadex.config.dataset import CityScaleConfig, FolderConfig, SpaceNetConfig, SplitConfig
from roadex.data.manifest import problems
from roadex.data.prepare import prepare
from roadex.data.sources import open_source
from roadex.errors import RoadexError
from roadex.geo.grid import Georeference
from roadex.rasters.pictures import write_image
from roadex.rasters.rasters import write_raster
from tests.support.worlds import write_folder

SIZE = 64
GRID = Georeference("EPSG:32611", (660000.0, 4000000.0), (0.5, -0.5), (SIZE, SIZE))
SIDE = SIZE * 0.5
CRS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32611"}}


def line(*points):
    """A road between points in metres from the corner, x right and y down."""
    return [[660000.0 + x, 4000000.0 - y] for x, y in points]


def geojson(coordinates, kind="LineString", crs=CRS):
    geometry = None if coordinates is None else {"type": kind, "coordinates": coordinates}
    feature = {"type": "Feature", "properties": {"road_type": "5"}, "geometry": geometry}
    return {"type": "FeatureCollection", "crs": crs, "features": [feature]}


GOOD = geojson(line((0, 10), (20, 10), (SIDE, 14)))


@pytest.fixture
def spacenet(tmp_path):
    """Eight 16-bit tiles of an area of interest, each with one road."""
    raw = tmp_path / "AOI_9_Testing"
    rng = np.random.default_rng(0)
    for index in range(8):
        pixels = rng.integers(1, 2000, (SIZE, SIZE, 3)).astype(np.uint16)
        write_raster(raw / "PS-RGB" / f"img{index}.tif", pixels, GRID)
        (raw / "geojson_roads").mkdir(exist_ok=True)
        label(raw, index, GOOD)
    return raw


def label(raw, index, content):
    text = content if isinstance(content, str) else json.dumps(content)
    (raw / "geojson_roads" / f"img{index}.geojson").write_text(text)


def config_of(raw, tmp_path, **changes):
    ranked = SplitConfig(rule="ranked")
    settings = {"gsd": 0.5, "splits": ranked, "cache": str(tmp_path / "cache"), "workers": 1}
    return SpaceNetConfig(raw=str(raw), **{**settings, **changes})


def tiles_of(dataset):
    return sorted(name for names in dataset.splits.values() for name in names)


def prepared(raw, tmp_path, **changes):
    dataset = prepare(config_of(raw, tmp_path, **changes), 5, keep_going=True)
    return dataset, problems(dataset.folder)


def swapped(raw):
    points = [[y, x] for x, y in line((0, 10), (SIDE, 10))]
    label(raw, 3, geojson(points))


BAD = {
    "truncated GeoTIFF": (
        lambda raw: cut(raw / "PS-RGB" / "img3.tif", 2000), "img3.tif: not a readable raster"
    ),
    "GeoTIFF of no bytes": (
        lambda raw: cut(raw / "PS-RGB" / "img3.tif", 0), "img3.tif: not a readable raster"
    ),
    "GeoJSON of no bytes": (lambda raw: label(raw, 3, ""), "img3.geojson is empty"),
    "GeoJSON cut short": (
        lambda raw: label(raw, 3, json.dumps(GOOD)[:60]), "img3.geojson is not JSON"
    ),
    "swapped axes": (swapped, "img3.geojson: its coordinates"),
    "lines of another place": (
        lambda raw: label(raw, 3, geojson(line((5000, 10), (5030, 10)))),
        "img3.geojson: no line lies within img3.tif",
    ),
    "system without its name": (
        lambda raw: label(raw, 3, geojson(line((0, 10), (SIDE, 10)), crs=None)),
        "coordinates are not longitude and latitude",
    ),
    "label of a missing image": (
        lambda raw: (raw / "PS-RGB" / "img3.tif").unlink(), "img3.geojson: its image is missing"
    ),
    "two images of one tile": (
        lambda raw: shutil.copy(raw / "PS-RGB" / "img3.tif", raw / "PS-RGB" / "copy_img3.tif"),
        "has the same name 'AOI_9_Testing_img3'; remove one of them",
    ),
}  # fmt: skip


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize("case", BAD)
def test_bad_file_is_named_and_the_rest_prepared(case, spacenet, tmp_path):
    spoil, complaint = BAD[case]
    spoil(spacenet)
    dataset, found = prepared(spacenet, tmp_path)
    assert tiles_of(dataset) == [f"AOI_9_Testing_img{i}" for i in range(8) if i != 3]
    assert found and all(complaint in line for line in found[:1]), found
    assert "previous exception" not in found[0], "the reason itself"


def test_strict_preparation_refuses_until_the_report_exists(spacenet, tmp_path):
    cut(spacenet / "PS-RGB" / "img3.tif", 1000)
    config = config_of(spacenet, tmp_path)
    with pytest.raises(RoadexError, match=r"img3.tif: not a readable raster"):
        prepare(config, 5)
    lenient = prepare(config, 5, keep_going=True)
    assert prepare(config, 5) == lenient


def test_mended_file_is_prepared_anew(spacenet, tmp_path):
    label(spacenet, 3, "")
    assert len(tiles_of(prepared(spacenet, tmp_path)[0])) == 7
    label(spacenet, 3, GOOD)
    dataset, found = prepared(spacenet, tmp_path)
    assert len(tiles_of(dataset)) == 8 and found == []


ODD = {
    "no features": ({"type": "FeatureCollection", "features": []}, 0, "holds no road"),
    "a null geometry": (geojson(None), 0, "null geometry"),
    "a null coordinate": (
        geojson([*line((0, 10), (20, 10)), [None, None]]), 20, "vertex without finite coordinates"
    ),
    "several lines in one": (
        geojson([line((0, 10), (20, 10)), line((20, 10), (20, 30))], "MultiLineString"), 40, None
    ),
    "heights": (geojson([[*p, 7.5] for p in line((0, 10), (20, 10))]), 20, None),
    "a line that leaves the tile": (
        geojson(line((10, 10), (100, 10))), SIDE - 10, "of road outside the image"
    ),
    "another system, named": ("degrees", 20, None),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_odd_lines_are_read_and_what_is_left_out_is_written_down(case, spacenet, tmp_path):
    content, length, note = ODD[case]
    label(spacenet, 3, in_degrees(line((0, 10), (20, 10))) if content == "degrees" else content)
    dataset, found = prepared(spacenet, tmp_path)
    assert found == []
    graph = dataset.graph("AOI_9_Testing_img3")
    assert sum(d["length"] for *_, d in graph.edges(data=True)) == pytest.approx(length, abs=0.05)
    notes = json.loads((dataset.folder / "report.json").read_text())["labels"]
    assert (note is None) == ("AOI_9_Testing_img3" not in notes)
    assert note is None or any(note in text for text in notes["AOI_9_Testing_img3"])


def in_degrees(points):
    from roadex.geo.crs import reproject

    return geojson(reproject(np.array(points), "EPSG:32611", "EPSG:4326").tolist(), crs=None)


def test_contrast_is_that_of_the_training_tiles(spacenet, tmp_path):
    first, _ = prepared(spacenet, tmp_path)
    held_out = first.splits["test"][0].rsplit("_", 1)[1]
    write_raster(
        spacenet / "PS-RGB" / f"{held_out}.tif", np.full((SIZE, SIZE, 3), 9999, np.uint16), GRID
    )
    second, _ = prepared(spacenet, tmp_path)
    contrasts = [(d.folder / "contrast.json").read_bytes() for d in (first, second)]
    assert first.folder != second.folder and contrasts[0] == contrasts[1]
    assert (second.tile(first.splits["test"][0]).image == 255).all()


def test_png_of_no_bytes_is_named_and_the_rest_prepared(tmp_path):
    images, masks = write_folder(tmp_path, 12)
    (images / "tile05.png").write_bytes(b"")
    config = FolderConfig(
        images=str(images), masks=str(masks), cache=str(tmp_path / "c"), workers=1,
        splits=SplitConfig(rule="ranked"),
    )  # fmt: skip
    dataset = prepare(config, 5, keep_going=True)
    assert len(tiles_of(dataset)) == 11
    (found,) = problems(dataset.folder)
    assert "tile05.png: not a readable image" in found


class Malicious:
    def __reduce__(self):
        return (exec, ("raise SystemExit('a pickle was run')",))


def test_malicious_pickle_is_refused_by_name(tmp_path):
    for index in range(5):
        write_image(tmp_path / f"region_{index}_sat.png", np.zeros((SIZE, SIZE, 3), np.uint8))
        graph = {(5, 5): [(5, 50)], (5, 50): [(5, 5)]}
        content = Malicious() if index == 0 else graph
        (tmp_path / f"region_{index}_refine_gt_graph.p").write_bytes(pickle.dumps(content))
    config = CityScaleConfig(
        raw=str(tmp_path), cache=str(tmp_path / "c"), workers=1, splits=SplitConfig(rule="ranked")
    )
    dataset = prepare(config, 5, keep_going=True)
    assert tiles_of(dataset) == ["region_1", "region_2", "region_3", "region_4"]
    (found,) = problems(dataset.folder)
    assert "region_0_refine_gt_graph.p refused" in found


def test_unwritable_target_is_one_clear_line(spacenet, tmp_path):
    (tmp_path / "file").write_text("")
    config = config_of(spacenet, tmp_path, cache=str(tmp_path / "file" / "cache"))
    with pytest.raises(RoadexError, match="cannot be written"):
        prepare(config, 5, keep_going=True)


def test_full_disk_stops_in_one_line_and_blames_no_tile(spacenet, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    config = config_of(spacenet, tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("roadex.data.prepared.np.save", full)
        with pytest.raises(RoadexError, match=r"No space left on device.*set dataset.cache=DIR"):
            prepare(config, 5, keep_going=True)
    assert len(tiles_of(prepare(config, 5))) == 8


def test_raster_without_a_system_or_turned_is_refused(spacenet):
    import rasterio

    path = spacenet / "PS-RGB" / "img0.tif"
    with rasterio.open(path, "r+") as file:
        file.transform = rasterio.Affine(0.4, 0.3, 0, 0.3, -0.4, 0)
    source = open_source(SpaceNetConfig(raw=str(spacenet)))
    with pytest.raises(RoadexError, match=r"img0.tif: its rows do not run east"):
        source.histogram("AOI_9_Testing_img0")
    write_image(path, np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(RoadexError, match=r"img0.tif: no coordinate system"):
        source.histogram("AOI_9_Testing_img0")


def test_wrong_bands_and_products_are_refused_with_the_choice(spacenet, tmp_path):
    config = config_of(spacenet, tmp_path, bands=[1, 2, 9])
    with pytest.raises(RoadexError, match=r"dataset.bands=\[1, 2, 9\]: it has 3 bands"):
        prepare(config, 5)
    with pytest.raises(RoadexError, match=r"dataset.product=MUL: choose one of PS-RGB"):
        open_source(replace(config, product="MUL"))
