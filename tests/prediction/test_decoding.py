"""Images larger than a block."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import numpy as np
import pytest

from roadex.graph.blocks import BlockRoads
from roadex.prediction.decoding import Decoding
from roadex.prediction.network import RoadNetwork
from roadex.prediction.pipeline import ReadingOptions, predict_scene
from roadex.prediction.scene import array_scene
from tests.support.stand_ins import bright_model, ladder, picture_of

OPTIONS = ReadingOptions(gsd=0.5, block_px=400)


@pytest.fixture
def town() -> np.ndarray:
    return np.tile(picture_of(ladder(), (400, 400), 0.5), (3, 3, 1))[:1100]


def network_of(town: np.ndarray, folder, options: ReadingOptions) -> RoadNetwork:
    return predict_scene(array_scene(town), bright_model(), options, folder, {})


def test_blocks_change_nothing(town, tmp_path):
    blocks = network_of(town, tmp_path / "blocks", OPTIONS)
    whole = network_of(town, tmp_path / "whole", replace(OPTIONS, block_px=8192))
    same = ("roads", "junctions", "dead_ends", "roads_leaving_the_image", "components")
    assert {k: blocks.summary[k] for k in same} == {k: whole.summary[k] for k in same}
    assert blocks.summary["road_km"] == pytest.approx(whole.summary["road_km"], rel=1e-3)
    probabilities = [
        np.sort([p for *_, p in network.frame.edges(data="mean_probability")])
        for network in (blocks, whole)
    ]
    assert np.allclose(*probabilities, atol=0.01)


def test_blocks_that_are_done_are_not_made_again(town, tmp_path, monkeypatch):
    first = network_of(town, tmp_path, OPTIONS)
    made: list[tuple[int, int]] = []
    run = Decoding.run
    monkeypatch.setattr(Decoding, "run", lambda self, block: (made.append(block), run(self, block)))
    (folder,) = tmp_path.glob("roads-*")
    (folder / "1-1.npz").unlink()
    (folder / "0-1.npz").write_bytes((folder / "0-1.npz").read_bytes()[:99])
    with zipfile.ZipFile(folder / "1-0.npz") as archive:
        largest = max(archive.infolist(), key=lambda member: member.compress_size)
    turned = bytearray((folder / "1-0.npz").read_bytes())
    turned[largest.header_offset + 60 + largest.compress_size // 2] ^= 16
    (folder / "1-0.npz").write_bytes(turned)
    again = network_of(town, tmp_path, OPTIONS)
    assert made == [(0, 1), (1, 0), (1, 1)] and BlockRoads.load(folder / "1-1.npz").whole.any()
    assert again.summary["road_km"] == first.summary["road_km"]
    assert list(again.frame.edges) == list(first.frame.edges)
