"""Work shared by processes gives what one process gives."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from roadex.config.predict import PredictConfig
from roadex.errors import RoadexError
from roadex.prediction import batch, block_scan
from roadex.prediction.block_scan import scan_blocks
from roadex.prediction.crew import Alone, Task, crew_of
from roadex.prediction.pipeline import ReadingOptions, open_view
from roadex.prediction.scan import scan
from roadex.prediction.scene import open_scene
from roadex.prediction.store import Store, open_store
from tests.support.stand_ins import bright_model, ladder, picture_of, write_tif

FILES = ("town.probability.tif", "town.graphml", "town.csv")


@pytest.fixture
def town(tmp_path) -> Path:
    """A town with a corner without data."""
    image = np.tile(picture_of(ladder(), (400, 400), 0.5), (4, 3, 1))
    image[:90, :70] = 0
    return write_tif(tmp_path / "town.tif", image, nodata=0, step=(0.4, -0.4))


def scanned(town: Path, folder: Path, in_blocks: bool) -> Store:
    model = bright_model()
    with open_scene(town) as scene:
        view, _ = open_view(scene, model, ReadingOptions())
        store = open_store(folder, view.shape, model.classes, scene.masked, {})
        if in_blocks:
            assert scan_blocks(view, model.predictor, store, Alone(), 300) == {}
        else:
            scan(view, model.predictor, store)
    return store


def test_blocks_of_windows_are_bit_for_bit_those_of_the_whole(town, tmp_path):
    whole, blocks = (scanned(town, tmp_path / name, name == "blocks") for name in ("all", "blocks"))
    assert np.array_equal(whole.road, blocks.road) and whole.road.any()
    assert np.array_equal(whole.connectivity, blocks.connectivity)
    assert np.array_equal(whole.valid, blocks.valid) and not whole.valid.all()
    assert not list(blocks.folder.glob("block-*"))


def test_blocks_that_are_done_are_not_predicted_again(town, tmp_path):
    store = scanned(town, tmp_path / "work", True)
    (store.folder / "progress.npz").unlink()
    before, regions = store.road.copy(), list(store.sums)
    for top, bottom, left, right in regions[1:]:
        nothing = np.zeros((1 + store.classes, bottom - top, right - left), np.uint8)
        store.write(slice(top, bottom), nothing, None, slice(left, right))
    del store.sums[regions[0]]
    store.keep_sums()
    again = scanned(town, tmp_path / "work", True)
    top, bottom, left, right = regions[0]
    first = slice(top, bottom), slice(left, right)
    assert np.array_equal(again.road[first], before[first]) and again.road.any()
    assert before.sum() > before[first].sum() == again.road.sum()


@pytest.mark.parametrize("number", [0, 2, -1])
def test_of_damaged_work_only_the_damaged_blocks_are_done_again(town, tmp_path, number, caplog):
    store = scanned(town, tmp_path / "work", True)
    before, places = store.road.copy(), list(store.sums)
    (store.folder / "roads-0123").mkdir()
    top, _, left, _ = places[number]
    damaged = np.load(store.folder / "road.npy", mmap_mode="r+")
    damaged[top + 3, left + 5] ^= 8
    damaged.flush()
    again = open_store(tmp_path / "work", store.shape, store.classes, store.masked, {})
    assert set(places) - set(again.sums) == {places[number]} and again.progress()[0] == 0
    assert f"1 of {len(places)} parts are damaged" in caplog.text
    assert not (store.folder / "roads-0123").exists()
    damaged[top + 3, left + 5] = 77  # seen if the block were not made again
    assert np.array_equal(scanned(town, tmp_path / "work", True).road, before)


def test_a_scan_by_rows_and_one_by_blocks_may_follow_each_other(town, tmp_path, caplog):
    for in_blocks in (True, False, True):
        store = scanned(town, tmp_path / "work", in_blocks)
        (store.folder / "progress.npz").unlink()
    assert np.array_equal(store.road, scanned(town, tmp_path / "whole", False).road)
    assert "damaged" not in caplog.text


@pytest.mark.parametrize(
    ("cluster", "complaint"),
    [
        ("slum", "choose none, local, slurm or tcp://"),
        ("tcp://127.0.0.1:9", "no scheduler answers"),
    ],
)
def test_a_cluster_that_is_not_there_is_refused_in_one_line(cluster, complaint, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("roadex.prediction.crew._WAIT_S", 1)
    with pytest.raises(RoadexError, match=complaint), crew_of(cluster, 1, print):
        pass


def kill_one_worker(folder: Path, crew: object, killed: list[int]) -> None:
    """Kill a worker as soon as the first block is there."""
    workers = list(crew.client.run(os.getpid).values())
    while not list(folder.glob(".town.work/block-*")):
        time.sleep(0.001)
    os.kill(workers[0], signal.SIGKILL)
    killed.append(workers[0])


@pytest.mark.slow
def test_two_workers_one_of_them_killed_give_the_same_bytes(town, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(batch, "load_model", lambda *_: bright_model())
    said: list[str] = []
    killed: list[int] = []

    def predict(out: str, **settings: object) -> list[str]:
        config = PredictConfig(
            input=str(town), out=str(tmp_path / out), block_px=1024, overview_px=256, **settings
        )
        return batch.predict_all(config, said.append)[0]

    real = batch.crew_of

    def watched(*arguments):
        return _watched(real(*arguments), tmp_path / "many", killed)

    assert predict("one") == []
    monkeypatch.setattr(batch, "crew_of", watched)
    assert predict("many", cluster="local", workers=2) == []
    assert len(killed) == 1
    assert any(line.startswith("cluster=local: 2 workers") for line in said)
    shares = [line for line in said if line.startswith("town: worker ")]
    assert shares and all(line.endswith("km2/h)") for line in shares)
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


class _watched:
    """A crew one of whose workers is killed amid its work."""

    def __init__(self, crew, folder: Path, killed: list[int]) -> None:
        self.crew, self.folder, self.killed = crew, folder, killed

    def __enter__(self):
        crew = self.crew.__enter__()
        thresholds = crew.client.run(os.getenv, "MALLOC_TRIM_THRESHOLD_").values()
        assert set(thresholds) == {str(64 << 20)}
        threading.Thread(target=kill_one_worker, args=(self.folder, crew, self.killed)).start()
        return crew

    def __exit__(self, *error):
        return self.crew.__exit__(*error)


def fails_at(item: tuple[int, int]) -> None:
    if item == (0, 1):
        raise ValueError("damaged")


@pytest.mark.slow
def test_by_a_scheduler_an_item_that_fails_for_good_is_named_and_the_others_are_done():
    distributed = pytest.importorskip("distributed")
    done: list[tuple[int, int]] = []
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        distributed.LocalCluster(**options) as cluster,
        crew_of(cluster.scheduler_address, 1, print) as crew,
    ):
        task = Task("work", fails_at, done=lambda item, _: done.append(item))
        failed = crew.each(task, [(0, 0), (0, 1), (1, 0)])
    assert failed == {(0, 1): "damaged"} and sorted(done) == [(0, 0), (1, 0)]


def lost_once(item: tuple[int, int], flag: Path) -> None:
    """Fails for good, or lets the process go the first time, and with it what it was given."""
    if item == (0, 1):
        raise ValueError("damaged")
    if not flag.exists():
        flag.touch()
        os._exit(1)


@pytest.mark.slow
def test_what_went_with_the_last_worker_is_sent_again_and_failures_are_remembered(tmp_path):
    pytest.importorskip("distributed")
    task = Task("work", lost_once, tmp_path / "flag")
    with crew_of("local", 1, print) as crew:
        assert crew.each(task, [(0, 1), (0, 0), (1, 0)]) == {(0, 1): "damaged"}
        (line,) = crew.report(4.0)
    assert line.startswith("worker 0: 2 blocks in ")


@pytest.fixture
def threads() -> Iterator[object]:
    """A scheduler with a worker, both in this process."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(processes=False, protocol="tcp", **options) as cluster:
        yield cluster


def test_a_worker_of_another_version_is_refused_in_one_line(threads, monkeypatch):
    monkeypatch.setattr("roadex.prediction.crew.__version__", "9.9")
    address = threads.scheduler_address
    complaint = (
        rf"cluster={address}: the worker tcp://.* has roadex [\d.a-z]+, this is 9\.9; install"
    )
    with pytest.raises(RoadexError, match=complaint), crew_of(address, 1, print):
        pytest.fail("it was taken")


def told_of(item: tuple[int, int], shared: dict[str, int]) -> int:
    return shared["one"] + item[0]


def test_what_all_share_is_sent_once_for_a_task_and_never_under_a_name_that_is_let_go(
    threads, monkeypatch
):
    with crew_of(threads.scheduler_address, 1, print) as crew:
        names = []
        scatter = crew.client.scatter

        def watched(*arguments, **options):
            sent = scatter(*arguments, **options)
            names.append(sent[0].key)
            return sent

        monkeypatch.setattr(crew.client, "scatter", watched)
        for _ in range(5):
            found: dict[tuple[int, int], int] = {}
            task = Task("work", told_of, {"one": 1}, found.__setitem__)
            assert crew.each(task, [(0, 0), (1, 0)]) == {}
            assert found == {(0, 0): 1, (1, 0): 2}
    assert len(names) == len(set(names)) == 5


def test_the_same_command_goes_on_with_another_number_of_workers(town, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(batch, "load_model", lambda *_: bright_model())
    stored: list[tuple[int, int]] = []
    store = block_scan._store

    def predict(out: str, workers: int, stop_after: int = 999) -> None:
        def keep(place: Store, block: tuple[int, int], *rest: object) -> None:
            if len(stored) == stop_after:
                raise KeyboardInterrupt
            store(place, block, *rest)
            stored.append(block)

        monkeypatch.setattr(block_scan, "_store", keep)
        options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": ":0"}
        with distributed.LocalCluster(processes=False, protocol="tcp", **options) as cluster:
            config = PredictConfig(
                input=str(town), out=str(tmp_path / out), block_px=400, overview_px=256,
                outputs=["probability", "graphml"], cluster=cluster.scheduler_address,
                workers=workers,
            )  # fmt: skip
            assert batch.predict_all(config, print)[0] == []

    predict("whole", 1)
    blocks = sorted(stored)
    stored.clear()
    with pytest.raises(KeyboardInterrupt):
        predict("parts", 1, stop_after=2)
    predict("parts", 2)
    assert sorted(stored) == blocks and len(blocks) > 4
    for name in ("town.probability.tif", "town.graphml"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()
