"""Attributes of predicted roads: the same however the work is divided."""

from __future__ import annotations

import numpy as np
import pytest

from roadex.config.graph import DecodingSettings
from roadex.config.predict import PredictConfig
from roadex.graph.formats import read_network
from roadex.graph.road_table import RoadTable
from roadex.prediction import batch
from roadex.prediction.block_scan import scan_blocks
from roadex.prediction.crew import Alone
from roadex.prediction.pipeline import ReadingOptions, open_view, predict_scene
from roadex.prediction.scan import scan
from roadex.prediction.scene import array_scene, open_scene
from roadex.prediction.store import Store, open_store
from tests.support.stand_ins import ladder, picture_of, tinted, tinted_model, write_tif

COLUMNS = {
    "highway", "highway_confidence", "lanes", "lanes_confidence", "surface", "surface_confidence",
    "speed_kph", "speed_confidence", "travel_time_s",
}  # fmt: skip


def town(tiles: tuple[int, int] = (1, 1)) -> np.ndarray:
    """Ladders whose lower street is a track."""
    return np.tile(tinted(picture_of(ladder(), (400, 400), 0.5), 200), (*tiles, 1))


def found(folder, image, block_px=8192):
    options = ReadingOptions(0.5, graph=DecodingSettings(decoder="mask"), block_px=block_px)
    return predict_scene(array_scene(image), tinted_model(), options, folder / "work", {})


def check(data):
    track = data["geometry"][:, 1].min() % 200 > 100
    assert data.keys() >= COLUMNS
    wanted = ("track", 1, "unpaved") if track else ("residential", 2, "paved")
    assert (data["highway"], data["lanes"], data["surface"]) == wanted
    assert data["speed_kph"] == pytest.approx(24.14 if track else 40.23, abs=0.01)
    assert data["travel_time_s"] == pytest.approx(data["length"] / data["speed_kph"] * 3.6)
    assert data["highway_confidence"] > 0.9 and data["speed_confidence"] > 0.9


def in_one_half(graph):
    """The roads that lie in the upper or the lower half of a ladder."""
    roads = [data for *_, data in graph.edges(data=True) if data["length"] > 20]
    return [data for data in roads if len(set((data["geometry"][:, 1] // 100).tolist())) == 1]


def test_a_small_and_a_large_image_have_roads_with_attributes(tmp_path):
    small = found(tmp_path / "a", town())
    large = found(tmp_path / "b", town((2, 2)), block_px=256)
    assert isinstance(large.found, RoadTable) and not isinstance(small.found, RoadTable)
    for network in (small, large):
        roads = in_one_half(network.frame)
        for data in roads:
            check(data)
        assert {data["highway"] for data in roads} <= {"track", "residential"} and roads


def test_a_model_that_did_not_learn_them_says_nothing(tmp_path):
    options = ReadingOptions(0.5, graph=DecodingSettings(decoder="mask"))
    model = tinted_model(())
    network = predict_scene(array_scene(town()), model, options, tmp_path / "work", {})
    assert all(not COLUMNS & data.keys() for *_, data in network.frame.edges(data=True))
    assert not (tmp_path / "work" / "attributes.npy").exists()


def scanned(path, folder, side: int | None) -> Store:
    model = tinted_model()
    with open_scene(path) as scene:
        view, _ = open_view(scene, model, ReadingOptions())
        store = open_store(folder, view.shape, 5, scene.masked, {}, 0, 20)
        if side is None:
            scan(view, model.predictor, store)
        else:
            assert scan_blocks(view, model.predictor, store, Alone(), side) == {}
    return store


@pytest.mark.parametrize("side", [150, 333])
def test_blocks_of_windows_are_bit_for_bit_those_of_the_whole(tmp_path, side):
    image = town((1, 2))[:, :701]
    image[:90, :71] = 0
    path = write_tif(tmp_path / "town.tif", image, nodata=0, step=(0.4, -0.4))
    whole, blocks = (scanned(path, tmp_path / str(s), s) for s in (None, side))
    assert np.array_equal(whole.attributes, blocks.attributes) and whole.attributes.any()
    assert not whole.attributes[:, :30, :20].any(), "nothing is said where no data are"
    assert whole.forget_damaged() == blocks.forget_damaged() == 0
    damaged = whole._mapped("attributes.npy", "r+")
    damaged[3, 100, 100] ^= 1
    damaged.flush()
    assert whole.forget_damaged() == 1


@pytest.mark.slow
def test_files_are_the_same_with_workers(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(batch, "load_model", lambda *_: tinted_model())
    path = write_tif(tmp_path / "town.tif", town((2, 2)))
    contents = []
    for name, settings in (("alone", {}), ("crew", {"cluster": "local", "workers": 2})):
        out = tmp_path / name
        config = PredictConfig(
            input=str(path), out=str(out), outputs=["graphml", "gpkg"], block_px=300, **settings
        )
        assert batch.predict_all(config, lambda *_: None)[0] == []
        contents.append((out / "town.graphml").read_bytes())
    assert contents[0] == contents[1] and b"travel_time_s" in contents[0]
    roads = read_network(tmp_path / "crew" / "town.roads.gpkg")
    assert set().union(*(data.keys() for *_, data in roads.edges(data=True))) >= COLUMNS
