"""Windows: blended without a seam, wherever their grid lies, and continued after a stop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from roadex.config.inference import InferenceConfig
from roadex.engine.inference import Predictor, spans
from roadex.errors import RoadexError
from roadex.prediction.blend import Blender
from roadex.prediction.resample import Resampling
from roadex.prediction.scan import scan
from roadex.prediction.scene import ArrayScene
from roadex.prediction.store import open_store
from roadex.prediction.view import View
from tests.engine.test_inference import Position
from tests.support.stand_ins import bright_model, ladder, picture_of


class Nearby(nn.Module):
    """Looks 8 pixels around each: near a window's border it sees less, as every model does."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.AvgPool2d(17, stride=1, padding=8)

    def forward(self, image: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        value = 2 * self.mean(image.mean(dim=1, keepdim=True))
        return {"segmentation": [torch.cat([-value, value], dim=1)]}


def view_of(image: np.ndarray) -> View:
    shape = image.shape[:2]
    return View(ArrayScene(image), None, Resampling(shape, shape), (0.5, 0.5))


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)


def scanned(image: np.ndarray, predictor: Predictor, folder, classes: int = 0):
    store = open_store(folder, image.shape[:2], classes, False, {})
    scan(view_of(image), predictor, store)
    return store


def predictor(model: nn.Module, window: int = 64, overlap: int = 24) -> Predictor:
    settings = InferenceConfig(window, overlap)
    return Predictor(model, torch.device("cpu"), [0.5] * 3, [0.2] * 3, settings)


@pytest.mark.parametrize("size", [(64, 64), (65, 64), (150, 200), (127, 331), (5, 7)])
def test_strips_on_disk_are_what_blending_in_memory_gives(size, tmp_path):
    image = noise(*size)
    expected = predictor(Position())(image)["segmentation"][1]
    road = scanned(image, predictor(Position()), tmp_path / "w").road
    assert np.abs(road - np.floor(expected * 256).clip(0, 255)).max() <= 1


def test_wide_images_are_read_in_sections_that_do_not_show(tmp_path, monkeypatch):
    image = noise(150, 331)
    whole = scanned(image, predictor(Nearby()), tmp_path / "whole").road
    monkeypatch.setattr("roadex.prediction.scan._WINDOWS_AT_ONCE", 2)
    read: list[slice] = []
    strip = View.strip
    monkeypatch.setattr(View, "strip", lambda *a: (read.append(a[2]), strip(*a))[1])
    assert np.array_equal(scanned(image, predictor(Nearby()), tmp_path / "sections").road, whole)
    assert max(columns.stop - columns.start for columns in read) == 64 + 40


@pytest.mark.parametrize("side", [64, 65, 90, 104, 105, 300])
def test_blocks_tile_the_image_and_the_weights_add_up_to_one(side):
    settings = InferenceConfig(64, 24)
    rows = columns = spans(side, settings)
    blender = Blender(rows, columns, 24, torch.device("cpu"))
    total = np.zeros((side, side))
    for i, down in enumerate(rows):
        for j, across in enumerate(columns):
            size = (1, down.stop - down.start, across.stop - across.start)
            block = blender.add(i, j, torch.ones(size))
            total[block.rows, block.columns] += block.values[0].numpy()
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_the_probability_does_not_depend_on_where_the_windows_lie(tmp_path):
    """Stated tolerance: 0.05 at the worst pixel, 0.005 on the average, of a model that looks as
    far as a third of the overlap."""
    image = noise(230, 260)
    here = scanned(image, predictor(Nearby()), tmp_path / "a").road.astype(int)
    there = scanned(image[17:, 11:], predictor(Nearby()), tmp_path / "b").road.astype(int)
    inner = np.s_[24:-24, 24:-24]
    difference = np.abs(here[17:, 11:][inner] - there[inner]) / 256
    assert difference.max() <= 0.05 and difference.mean() <= 0.005


def test_without_overlap_seams_would_show(tmp_path):
    """What the test above would say of windows set side by side."""
    image = noise(230, 260)
    here = scanned(image, predictor(Nearby(), overlap=0), tmp_path / "a").road.astype(int)
    there = scanned(image[17:, 11:], predictor(Nearby(), overlap=0), tmp_path / "b").road.astype(
        int
    )
    assert np.abs(here[17:, 11:][24:-24, 24:-24] - there[24:-24, 24:-24]).max() / 256 > 0.05


def test_stopped_work_goes_on_and_ends_with_the_same_bytes(tmp_path):
    image = picture_of(ladder(), (400, 400), 0.5)
    network = bright_model()
    whole = scanned(image, network.predictor, tmp_path / "whole", classes=5)

    class Stopped(nn.Module):
        calls = 0

        def forward(self, x: torch.Tensor) -> dict[str, list[torch.Tensor]]:
            Stopped.calls += 1
            if Stopped.calls == 9:
                raise KeyboardInterrupt
            return network.predictor.model(x)

    with pytest.raises(KeyboardInterrupt):
        scanned(image, replace(network.predictor, model=Stopped()), tmp_path / "part", classes=5)
    store = open_store(tmp_path / "part", (400, 400), 5, False, {})
    assert store.progress()[0] == 2
    left = scan(view_of(image), network.predictor, store)
    assert left == 16 - 8
    np.testing.assert_array_equal(store.road, whole.road)
    np.testing.assert_array_equal(store.connectivity, whole.connectivity)


def test_probabilities_of_other_settings_are_made_again(tmp_path):
    image = noise(100, 100)
    store = open_store(tmp_path / "w", (100, 100), 0, False, {"checkpoint": "a"})
    scan(view_of(image), predictor(Nearby()), store)
    assert open_store(tmp_path / "w", (100, 100), 0, False, {"checkpoint": "a"}).progress()[0] > 0
    assert open_store(tmp_path / "w", (100, 100), 0, False, {"checkpoint": "b"}).progress()[0] == 0


def test_no_room_for_the_probabilities_is_one_line(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(RoadexError, match=r"No space left.*free some space"):
        open_store(tmp_path / "w", (10, 10), 0, False, {})
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("name", ["road.npy", "planes.npy", "progress.npz", "job.json", "sums.npy"])
@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "noise", "turned byte"])
def test_damaged_work_of_an_earlier_run_begins_anew(tmp_path, name, damage):
    folder, identity = tmp_path / "w", {"checkpoint": "a"}
    store = open_store(folder, (100, 80), 5, False, identity)
    store.write(slice(0, 50), np.full((6, 50, 80), 9, np.uint8), None)
    store.mark(1, np.ones((6, 2, 80), np.float32))
    path = folder / name
    content = path.read_bytes()
    place = {"road.npy": 200, "planes.npy": 300}.get(name, len(content) - 8)  # of what counts
    turned = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    changed = {"cut": content[: len(content) // 2], "empty": b"", "noise": b"\xff" * 40}
    new = {**changed, "turned byte": turned}.get(damage)
    path.unlink()
    if new is not None:
        path.write_bytes(new)
    again = open_store(folder, (100, 80), 5, False, identity)
    if (name, damage) == ("progress.npz", "gone"):
        assert again.progress()[0] == 0  # as before the first rows were done
        return
    assert again.progress() == (0, None) and not again.sums
    assert name == "road.npy" or damage == "turned byte" or not again.road.any()
    assert again.road.shape == (100, 80)
    assert again.connectivity.shape == (5, 100, 80)
