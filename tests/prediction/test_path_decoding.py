"""Roads by classified pairs of vertices: of the whole image and block by block, by anybody."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import torch

from roadex.config.graph import DecodingSettings, PathSettings
from roadex.config.model import PairHeadConfig
from roadex.errors import RoadexError
from roadex.graph.network import total_length
from roadex.graph.paths.segments import segments_of
from roadex.losses.pairs import pair_loss
from roadex.metrics import apls
from roadex.models.pair_head import PairHead
from roadex.prediction import path_decoding
from roadex.prediction.api import RoadPredictor
from roadex.prediction.crew import crew_of
from roadex.prediction.mosaic import mosaic_of
from roadex.prediction.pipeline import LoadedModel, ReadingOptions, predict_scene
from roadex.prediction.scene import array_scene, open_scene
from tests.support.stand_ins import bright_model, ladder, picture_of, write_tif

SIDE_M = 200.0
HEAD = PairHeadConfig(width=16, heads=2, samples=9, evidence=0)


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    """The stand-in with a head that has learnt to classify by what it draws."""
    torch.manual_seed(0)
    stand_in = bright_model()
    network = stand_in.predictor.model
    head = PairHead(HEAD, 5)
    optimizer = torch.optim.Adam(head.parameters(), 5e-3)
    for step in range(160):
        shown = 160.0 + 7.0 * (step % 16)
        side = round(shown / 0.5)
        town = ladder(shown)
        picture = torch.from_numpy(picture_of(town, (side, side), 0.5).transpose(2, 0, 1))[None]
        with torch.no_grad():
            logits = network((picture.float() / 255 - 0.5) / 0.25)
        rows = torch.from_numpy(segments_of(town, 0.5))[None]
        known = torch.zeros(1, side, side, dtype=torch.uint8)
        loss = pair_loss(head, logits, rows, known, 0.5).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.add_module("pair_head", head.eval())
    return replace(stand_in, chance=0.15)


def found(model: LoadedModel, folder, shape=(400, 400), decoder="auto") -> nx.MultiGraph:
    side = shape[0] * 0.5
    scene = array_scene(picture_of(ladder(side), shape, 0.5))
    options = ReadingOptions(0.5, graph=DecodingSettings(decoder=decoder))
    return predict_scene(scene, model, options, folder / "work", {}).frame


def test_the_roads_of_an_image_are_those_it_shows(model, tmp_path):
    roads = found(model, tmp_path)
    truth = ladder(SIDE_M)
    # The stand-in knows no ends: a road ends where its paint does, half its width too late.
    assert apls(truth, roads).value > 0.85
    assert total_length(roads) == pytest.approx(total_length(truth), rel=0.05)
    for *_, data in roads.edges(data=True):
        assert 5 < data["width_m"] < 9 and data["mean_probability"] > 0.8
        assert 0.15 <= data["chance"] <= 1
    assert all(
        "chance" not in d for *_, d in found(model, tmp_path / "m", decoder="mask").edges(data=True)
    )


def test_blocks_give_the_roads_of_the_whole(model, tmp_path, monkeypatch):
    shape = (1000, 1000)
    whole = found(model, tmp_path / "whole", shape)
    monkeypatch.setattr(path_decoding, "LARGEST_BLOCK_PX", 256)
    parts = found(model, tmp_path / "parts", shape)
    assert sorted(d for _, d in parts.degree) == sorted(d for _, d in whole.degree)
    assert total_length(parts) == pytest.approx(total_length(whole), rel=0.001)
    assert apls(whole, parts).value > 0.999


def roads_of(scene, model: LoadedModel, folder, crew=None) -> nx.MultiGraph:
    options = ReadingOptions(block_px=256)
    return predict_scene(scene, model, options, folder, {}, crew=crew).frame


def bits(roads: nx.MultiGraph) -> tuple[list, list]:
    """All that a network holds, in its order."""
    edges = roads.edges(keys=True, data=True)
    return list(roads.nodes(data=True)), [
        (u, v, key, {**data, "geometry": data["geometry"].tobytes()}) for u, v, key, data in edges
    ]


def test_any_number_of_workers_gives_the_roads_of_one_process_to_the_bit(model, tmp_path):
    distributed = pytest.importorskip("distributed")
    picture = picture_of(ladder(350.0), (700, 700), 0.5)
    path = write_tif(tmp_path / "town.tif", picture)
    with open_scene(path) as scene:
        alone = bits(roads_of(scene, model, tmp_path / "alone"))
        for workers in (1, 2):
            options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": ":0"}
            with (
                distributed.LocalCluster(processes=False, protocol="tcp", **options) as cluster,
                crew_of(cluster.scheduler_address, workers, print) as crew,
            ):
                many = roads_of(scene, model, tmp_path / f"of_{workers}", crew)
            assert bits(many) == alone
    assert len(alone[1]) == 5


def test_the_roads_of_a_mosaic_are_those_of_the_whole(model, tmp_path):
    picture = picture_of(ladder(350.0), (700, 700), 0.5)
    tiles = []
    for row, column in np.ndindex(2, 2):
        corner = 500_000.0 + 160 * column, 5_000_000.0 - 160 * row
        part = picture[320 * row : 320 * row + 380, 320 * column : 320 * column + 380]
        tiles.append(write_tif(tmp_path / f"{row}{column}.tif", part, corner=corner))
    with open_scene(write_tif(tmp_path / "whole.tif", picture)) as scene:
        whole = roads_of(scene, model, tmp_path / "a")
    for overlap in ("first", "blended"):
        scene = mosaic_of(tiles, "town", overlap=overlap)
        parts = roads_of(scene, model, tmp_path / overlap)
        assert total_length(parts) == pytest.approx(total_length(whole), rel=0.001)
        assert apls(whole, parts).value > 0.999


def test_blocks_that_are_there_are_not_made_again(model, tmp_path, monkeypatch):
    monkeypatch.setattr(path_decoding, "LARGEST_BLOCK_PX", 128)
    first = found(model, tmp_path)
    folder = next((tmp_path / "work").glob("paths-*"))
    kept = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    damaged = folder / "pairs-1-1.npz"
    damaged.write_bytes(b"cut short")
    again = found(model, tmp_path)
    changed = [f.name for f, time in kept.items() if f.stat().st_mtime_ns != time]
    assert changed == ["pairs-1-1.npz"]
    assert sorted(first.edges()) == sorted(again.edges())
    assert total_length(first) == total_length(again)


def test_a_model_without_the_head_says_so(tmp_path):
    with pytest.raises(RoadexError, match=r"graph\.decoder=paths.*model\.paths=true"):
        found(bright_model(), tmp_path, decoder="paths")


def test_settings_of_the_masks_recipe_ask_for_the_mask(model):
    from roadex.graph import GraphSettings

    image = picture_of(ladder(SIDE_M), (400, 400), 0.5)
    predictor = RoadPredictor(model)
    by_mask = predictor.predict(image, gsd=0.5, graph=GraphSettings())
    by_pairs = predictor.predict(
        image, gsd=0.5, graph=DecodingSettings(paths=PathSettings(chance=0.4))
    )
    assert not any("chance" in d for *_, d in by_mask.frame.edges(data=True))
    assert np.all([d["chance"] >= 0.4 for *_, d in by_pairs.frame.edges(data=True)])
