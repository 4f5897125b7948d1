"""What `input=` may name, up to images behind addresses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.shutil import copy

from roadex.config.predict import PredictConfig, StacConfig
from roadex.errors import RoadexError
from roadex.prediction import batch
from roadex.prediction.inputs import find_images
from roadex.prediction.scene import open_scene
from roadex.rasters.pictures import write_image
from roadex.rasters.remote import Remote
from tests.conftest import ROOT
from tests.support.http_server import serving
from tests.support.stand_ins import bright_model, ladder, picture_of, write_tif


@pytest.fixture
def image() -> np.ndarray:
    return picture_of(ladder(), (400, 400), 0.5)


def vrt_of(path: Path, source: str) -> Path:
    """A VRT of one file."""
    with rasterio.open(source) as file:
        copy(file, path, driver="VRT")
    return path


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr(batch, "load_model", lambda *_: bright_model())


def test_a_vrt_counts_as_an_image_in_folders_patterns_and_lists(image, tmp_path):
    folder = tmp_path / "tiles"
    folder.mkdir()
    write_tif(tmp_path / "town.tif", image)
    vrt_of(folder / "town.vrt", str(tmp_path / "town.tif"))
    (tmp_path / "list.txt").write_text("# mine\n\ntiles/town.vrt\nhttps://host/other.tif\n")
    assert find_images(str(folder)) == find_images(f"{folder}/*") == [folder / "town.vrt"]
    listed = find_images(str(tmp_path / "list.txt"))
    assert listed == [folder / "town.vrt", Remote("https://host/other.tif")]
    config = PredictConfig(input=str(folder), out=str(tmp_path / "out"), outputs=["csv"])
    assert batch.predict_all(config, print)[0] == []


def test_a_cog_behind_an_address_is_read_by_ranges(image, tmp_path):
    town = write_tif(tmp_path / "town.tif", image)
    with serving(tmp_path) as server:
        address = f"{server.address}/town.tif?token=secret"
        said: list[str] = []
        for source, out in ((address, "far"), (str(town), "near")):
            config = PredictConfig(input=source, out=str(tmp_path / out), outputs=["csv"])
            assert batch.predict_all(config, said.append)[0] == []
        assert server.ranges > 0
    far, near = ((tmp_path / out / "town.csv").read_bytes() for out in ("far", "near"))
    assert far == near
    assert "secret" not in "".join(said) + (tmp_path / "far" / "town.summary.json").read_text()


def test_what_is_not_there_is_refused_in_one_line_without_secrets(tmp_path):
    with serving(tmp_path) as server:
        host = server.address.removeprefix("http://")
        config = PredictConfig(
            input=f"http://me:word@{host}/none.tif?token=secret", out=str(tmp_path / "out")
        )
        said: list[str] = []
        assert batch.predict_all(config, said.append)[0] == ["none.tif"]
    assert "404" in said[-1] and f"{host}/none.tif: cannot be read" in said[-1]
    assert "word" not in said[-1] and "secret" not in said[-1] and "\n" not in said[-1]


def test_a_vrt_in_a_folder_may_not_lead_to_the_network(image, tmp_path):
    write_tif(tmp_path / "town.tif", image)
    folder = tmp_path / "tiles"
    folder.mkdir()
    with serving(tmp_path) as server:
        path = vrt_of(folder / "far.vrt", str(tmp_path / "town.tif"))
        near = str(tmp_path / "town.tif")
        path.write_text(path.read_text().replace(near, f"/vsicurl/{server.address}/town.tif"))
        with pytest.raises(RoadexError, match=r"far.vrt: this VRT reads from the internet"):
            find_images(str(folder))
        (named,) = find_images(str(path))
        with open_scene(named) as scene:
            assert np.array_equal(np.moveaxis(scene.read(slice(0, 400)).bands, 0, -1), image)


@pytest.fixture
def store_of_objects(tmp_path, monkeypatch) -> Iterator[Path]:
    """A folder served as an S3 bucket `images`, by a process of its own."""
    bucket = tmp_path / "images"
    (bucket / "tiles").mkdir(parents=True)
    command = [sys.executable, "-m", "tests.support.http_server", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip().removeprefix("http://")
        for name, value in (("ENDPOINT", address), ("REGION", "none")):
            monkeypatch.setenv(f"AWS_S3_{name}", value)
        monkeypatch.setenv("AWS_HTTPS", "NO")
        monkeypatch.setenv("AWS_VIRTUAL_HOSTING", "FALSE")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield bucket
        process.kill()


def test_all_below_a_prefix_of_a_store_of_objects_is_one_network(image, tmp_path, store_of_objects):
    for column in (0, 1):
        half = image[:, 200 * column : 200 * column + 200]
        corner = (500_000.0 + 100 * column, 5_000_000.0)
        write_tif(store_of_objects / "tiles" / f"{column}.tif", half, corner=corner)
    (store_of_objects / "tiles" / "notes.txt").write_text("no image")
    found = find_images("s3://images/tiles/")
    assert [str(source) for source in found] == [f"s3://images/tiles/{i}.tif" for i in (0, 1)]
    config = PredictConfig(
        input="s3://images/tiles/", out=str(tmp_path / "out"), mosaic=True, outputs=["gpkg"]
    )
    assert batch.predict_all(config, print)[0] == []
    (summary,) = (tmp_path / "out").glob("*.summary.json")
    assert json.loads(summary.read_text())["junctions"] == 3
    with pytest.raises(RoadexError, match=r"s3:.*cannot be listed"):
        find_images("s3://images/nothing/")


def stac_item(name: str, href: str, time: str, asset: str = "visual") -> dict:
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "geometry": None,
        "properties": {"datetime": time},
        "links": [],
        "assets": {asset: {"href": href}, "thumbnail": {"href": "small.png"}},
    }


def test_stac_items_name_their_assets_newest_first(tmp_path):
    pytest.importorskip("pystac")
    items = [
        stac_item("old", "./old.tif", "2020-01-01T00:00:00Z"),
        stac_item("new", "https://host/new.tif", "2024-01-01T00:00:00Z"),
    ]
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    new, old = find_images(str(path))
    assert new == Remote("https://host/new.tif") and old == tmp_path / "old.tif"
    with pytest.raises(RoadexError, match=r"item new has no asset 'red', but visual, thumbnail"):
        find_images(str(path), StacConfig(assets=["red"]).assets)
    path.write_text(json.dumps(stac_item("one", "a.tif", "2020-01-01T00:00:00Z", asset="b04")))
    with pytest.raises(RoadexError, match=r"stac.assets=\[NAME\]"):
        find_images(str(path))


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("list.txt", "# nothing\n", "names no image"),
        ("list.txt", "ftp://host/a.tif", "ftp://host/a.tif: cannot be read; use http://"),
        ("catalog.json", "{}", "not a STAC item"),
    ],
)
def test_lists_that_name_nothing_are_refused(name, content, complaint, tmp_path):
    pytest.importorskip("pystac")
    (tmp_path / name).write_text(content)
    with pytest.raises(RoadexError, match=complaint):
        find_images(str(tmp_path / name))


def test_the_web_has_no_folders():
    with pytest.raises(RoadexError, match="do not list folders"):
        find_images("https://host/tiles/")


def test_stac_items_behind_an_address_are_read_page_by_page(tmp_path):
    pytest.importorskip("pystac")
    old = stac_item("old", "../old.tif", "2020-01-01T00:00:00Z")
    new = stac_item("new", "https://host/new.tif", "2024-01-01T00:00:00Z")
    pages = {"search": ([old], [{"rel": "next", "href": "more.json"}]), "more.json": ([new], [])}
    (tmp_path / "api").mkdir()
    for name, (items, links) in pages.items():
        page = {"type": "FeatureCollection", "features": items, "links": links}
        (tmp_path / "api" / name).write_text(json.dumps(page))
    (tmp_path / "api" / "half.json").write_text('{"type": "FeatureCo')
    file = stac_item("sly", "file:///etc/passwd", "2020-01-01T00:00:00Z")
    (tmp_path / "api" / "sly.json").write_text(json.dumps(file))
    with serving(tmp_path) as server:
        found = find_images(f"{server.address}/api/search?limit=1")
        assert found == [Remote("https://host/new.tif"), Remote(f"{server.address}/old.tif")]
        for name, complaint in (
            ("half.json", "half.json: not a STAC item"),
            ("none.json?key=secret", r"none.json: cannot be read \(Not Found\); check"),
            ("sly.json", "file:///etc/passwd: cannot be read; use http"),
        ):
            with pytest.raises(RoadexError, match=complaint) as caught:
                find_images(f"{server.address}/api/{name}")
            assert "secret" not in str(caught.value)
    with pytest.raises(RoadexError, match=r"cannot be read .*refused"):
        find_images(f"{server.address}/api/search")


TILES = """<GDAL_WMS>
<Service name="TMS"><ServerUrl>{address}/${{z}}/${{x}}/${{y}}.png</ServerUrl></Service>
<DataWindow><UpperLeftX>500000</UpperLeftX><UpperLeftY>5000000</UpperLeftY>
<LowerRightX>500200</LowerRightX><LowerRightY>4999800</LowerRightY>
<TileLevel>1</TileLevel><TileCountX>1</TileCountX><TileCountY>1</TileCountY><YOrigin>top</YOrigin>
</DataWindow><Projection>EPSG:32632</Projection><BandsCount>3</BandsCount>
<BlockSizeX>200</BlockSizeX><BlockSizeY>200</BlockSizeY></GDAL_WMS>"""


def test_tiles_of_the_web_are_an_image(image, tmp_path):
    """Two levels of tiles, z/x/y.png, by GDAL's description of them."""
    town = write_tif(tmp_path / "near.tif", image)
    for level, picture in ((0, image[::2, ::2]), (1, image)):
        for row, column in np.ndindex(2**level, 2**level):
            tile = tmp_path / str(level) / str(column) / f"{row}.png"
            tile.parent.mkdir(parents=True, exist_ok=True)
            part = picture[200 * row : 200 * row + 200, 200 * column : 200 * column + 200]
            write_image(tile, np.ascontiguousarray(part))
    said: list[str] = []
    with serving(tmp_path) as server:
        path = tmp_path / "far.xml"
        path.write_text(TILES.format(address=server.address))
        for source in (path, town):
            config = PredictConfig(input=str(source), out=str(tmp_path / "out"), outputs=["csv"])
            assert batch.predict_all(config, said.append)[0] == [], said
        (tmp_path / "1" / "1" / "0.png").unlink()
        config = PredictConfig(input=str(path), out=str(tmp_path / "again"), outputs=["csv"])
        assert batch.predict_all(config, said.append)[0] == ["far.xml"]
    assert "far.xml: cannot be read" in said[-1] and "\n" not in said[-1]
    far, near = ((tmp_path / "out" / f"{name}.csv").read_text() for name in ("far", "near"))
    assert far.replace("far,", "near,") == near and near.count("\n") > 5


WMS = """<GDAL_WMS>
<Service name="WMS"><Version>1.1.1</Version><ServerUrl>{address}/wms?</ServerUrl>
<SRS>EPSG:32632</SRS><ImageFormat>image/png</ImageFormat><Layers>{layer}</Layers><Styles/></Service>
<DataWindow><UpperLeftX>500000</UpperLeftX><UpperLeftY>5000000</UpperLeftY>
<LowerRightX>500200</LowerRightX><LowerRightY>4999800</LowerRightY><SizeX>400</SizeX><SizeY>400</SizeY>
</DataWindow><Projection>EPSG:32632</Projection><BandsCount>3</BandsCount>
<BlockSizeX>100</BlockSizeX><BlockSizeY>100</BlockSizeY></GDAL_WMS>"""


def test_a_web_map_service_is_an_image_and_only_the_area_is_asked_for(image, tmp_path):
    town = write_tif(tmp_path / "near.tif", image)
    corner = {"type": "Polygon", "coordinates": [
        [[500010, 4999990], [500040, 4999990], [500040, 4999960], [500010, 4999990]]]}  # fmt: skip
    feature = {"type": "Feature", "properties": {}, "geometry": corner}
    system = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}}
    area = {"type": "FeatureCollection", "crs": system, "features": [feature]}
    (tmp_path / "area.geojson").write_text(json.dumps(area))
    said: list[str] = []
    with serving(tmp_path) as server:
        for layer in ("near", "lost"):
            (tmp_path / f"{layer}.xml").write_text(WMS.format(address=server.address, layer=layer))

        def predict(source: Path, out: str, **settings: object) -> list[str]:
            config = PredictConfig(
                input=str(source), out=str(tmp_path / out), outputs=["csv"], **settings
            )
            return batch.predict_all(config, said.append)[0]

        assert predict(tmp_path / "near.xml", "far") == predict(town, "near") == []
        asked = len(server.maps)
        assert asked >= 16
        assert predict(tmp_path / "near.xml", "part", aoi=str(tmp_path / "area.geojson")) == []
        assert 1 <= len({tuple(box) for box in server.maps[asked:]}) <= 4
        assert predict(tmp_path / "lost.xml", "lost") == ["lost.xml"]
    assert "lost.xml: cannot be read" in said[-1] and "\n" not in said[-1]
    far, near = ((tmp_path / out / "near.csv").read_bytes() for out in ("far", "near"))
    assert far == near and near.count(b"\n") > 5


def test_of_addresses_that_fail_each_is_one_line_and_the_rest_is_done(image, tmp_path):
    """One that is not there, one whose connection drops at half, one nobody may see."""
    for column, name in enumerate(("a", "b")):
        half = np.ascontiguousarray(image[:, 200 * column : 200 * column + 200])
        half = half + np.random.default_rng(0).integers(0, 9, half.shape, np.uint8)
        write_tif(tmp_path / f"{name}.tif", half, corner=(500_000.0 + 100 * column, 5_000_000.0))
    said: list[str] = []
    with serving(tmp_path) as server:
        server.broken = {"b.tif"}
        names = ("a.tif", "b.tif", "none.tif", "closed/c.tif")
        lines = [f"{server.address}/{name}?token=secret" for name in names]
        (tmp_path / "list.txt").write_text("\n".join(lines))
        config = PredictConfig(
            input=str(tmp_path / "list.txt"), out=str(tmp_path / "out"), mosaic=True,
            outputs=["csv"],
        )  # fmt: skip
        failures, count = batch.predict_all(config, said.append)
    assert sorted(failures) == ["b.tif", "c.tif", "none.tif"] and count == 4
    failed = [line for line in said if line.startswith("failed: ")]
    assert len(failed) == 3 and all(
        "cannot be read" in line and "\n" not in line for line in failed
    )
    assert "404" in "".join(failed) and "403" in "".join(failed)
    assert "secret" not in "".join(said)
    assert "LINESTRING" in (tmp_path / "out" / "list.csv").read_text()


def test_a_bucket_without_access_is_one_line(tmp_path, store_of_objects):
    for source in ("s3://closed/tiles/", "s3://closed/tiles/*.tif"):
        with pytest.raises(RoadexError, match=r"s3://closed/tiles/.*(access|read)") as refused:
            images = find_images(source)
            with open_scene(images[0]):
                pytest.fail("it was opened")
        assert "\n" not in str(refused.value) and "secret" not in str(refused.value)
