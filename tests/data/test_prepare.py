"""Prepared data: complete, kept, never mixed, and right."""

from __future__ import annotations

import json
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from roadex.config.dataset import FolderConfig, LabelConfig, SyntheticConfig
from roadex.data import prepare as module
from roadex.data.prepare import prepare
from roadex.errors import RoadexError
from roadex.world import WorldSettings
from tests.support.worlds import write_folder


@pytest.fixture
def config(tmp_path):
    images, masks = write_folder(tmp_path, 30)
    return FolderConfig(images=str(images), masks=str(masks), cache=str(tmp_path / "c"), workers=1)


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_tiles_hold_image_labels_and_graph(config):
    dataset = prepare(config, classes=5)
    name = dataset.splits["train"][0]
    tile = dataset.tile(name)
    assert tile.image.shape == (96, 96, 3)
    assert set(np.unique(tile.connectivity)) <= {0, 1, 2, 3, 4}
    assert (tile.connectivity == 2).sum() > 0.3 * (tile.mask == 1).sum()
    graph = dataset.graph(name)
    assert isinstance(graph, nx.MultiGraph) and graph.number_of_edges() == 1


def test_statistics_are_those_of_the_training_pixels(config):
    dataset = prepare(config, classes=5)
    pixels = np.concatenate(
        [dataset.tile(name).image.reshape(-1, 3) / 255 for name in dataset.splits["train"]]
    )
    np.testing.assert_allclose(dataset.mean, pixels.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(dataset.std, pixels.std(axis=0), atol=1e-5)


def test_configured_statistics_are_taken_as_they_are(config):
    given = prepare(replace(config, mean=[0.1, 0.2, 0.3], std=[1.0, 1.0, 1.0]), classes=5)
    assert given.mean == [0.1, 0.2, 0.3]


def test_second_time_nothing_is_made(config, monkeypatch):
    first = prepare(config, classes=5)
    monkeypatch.setattr(module, "prepare_tile", None)
    assert prepare(config, classes=5).folder == first.folder


def test_interrupted_preparation_goes_on_and_ends_with_the_same_bytes(
    config, tmp_path, monkeypatch
):
    whole = prepare(replace(config, cache=str(tmp_path / "other")), classes=5)
    original, calls = module.prepare_tile, []

    def stop_in_the_middle(tile, recipe, folder):
        calls.append(folder)
        original(tile, recipe, folder)
        if len(calls) == 11:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "prepare_tile", stop_in_the_middle)
    with pytest.raises(KeyboardInterrupt):
        prepare(config, classes=5)
    monkeypatch.setattr(module, "prepare_tile", original)
    assert files(prepare(config, classes=5).folder) == files(whole.folder)


def test_parallel_gives_the_bytes_of_serial(config, tmp_path):
    serial = prepare(config, classes=5)
    parallel = prepare(replace(config, cache=str(tmp_path / "p"), workers=2), classes=5)
    assert files(serial.folder) == files(parallel.folder)


def test_other_settings_and_changed_files_are_never_mixed_in(config, tmp_path):
    folders = {
        prepare(config, classes=5).folder,
        prepare(config, classes=4).folder,
        prepare(replace(config, labels=LabelConfig(line_width_m=9.0)), classes=5).folder,
    }
    write_folder(tmp_path, 31)
    folders.add(prepare(config, classes=5).folder)
    assert len(folders) == 4


def test_unusable_file_stops_it_and_names_the_file(config, tmp_path):
    (tmp_path / "images" / "tile07.png").write_bytes(b"not an image")
    with pytest.raises(RoadexError, match=r"tile07\.png"):
        prepare(config, classes=5)


def test_world_grows_without_being_made_again(tmp_path):
    small = SyntheticConfig(
        gsd=0.5,
        world=WorldSettings(size_px=64),
        train_tiles=2,
        validation_tiles=1,
        test_tiles=1,
        cache=str(tmp_path),
        workers=1,
    )
    first = prepare(small, classes=5)
    grown = prepare(replace(small, train_tiles=3), classes=5)
    assert grown.folder == first.folder and len(grown.splits["train"]) == 3
    origins = [
        json.loads(path.read_text())["graph_from"] for path in grown.folder.glob("*/tile.json")
    ]
    assert set(origins) == {"vectors"}
