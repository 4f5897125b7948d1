"""What `prepare` leaves behind when it is killed, starved of memory, or runs out of disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from roadex.config.dataset import FolderConfig
from roadex.data.prepare import prepare
from roadex.errors import RoadexError
from roadex.files import began_at, remove_abandoned, temporary_name
from roadex.parallel import over_tiles
from tests.conftest import ROOT
from tests.support.worlds import write_folder

TILES = 60
NO_PROCESS = 2**22 + 1  # above any number that Linux gives


@pytest.fixture
def folders(tmp_path):
    images, masks = write_folder(tmp_path, TILES)
    return {"images": str(images), "masks": str(masks)}


def command(folders, cache, workers):
    settings = [f"dataset.{key}={value}" for key, value in folders.items()]
    settings += [f"dataset.cache={cache}", f"dataset.workers={workers}"]
    return [sys.executable, "-m", "roadex.prepare", "dataset=folder", "dataset.gsd=1", *settings]


def config(folders, cache):
    return FolderConfig(**folders, cache=str(cache), workers=1)


def tiles(cache):
    return [path for path in cache.glob("folder-*/tile*") if path.is_dir()]


def content(cache):
    return {p.relative_to(cache): p.read_bytes() for p in cache.rglob("*") if p.is_file()}


def wait_until(happened):
    for _ in range(2400):
        if happened():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen within two minutes")


def session_of(process):
    """The living processes among those that a killed one started."""
    alive = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = entry.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == process and state != "Z":
            alive.append(entry.parent.name)
    return alive


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
def test_killed_preparation_leaves_no_process_and_ends_with_the_same_bytes(folders, tmp_path):
    cache = tmp_path / "killed"
    run = subprocess.Popen(command(folders, cache, 2), cwd=ROOT, start_new_session=True)
    try:
        wait_until(lambda: len(tiles(cache)) >= 2)
    finally:
        run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    wait_until(lambda: not session_of(run.pid))
    assert not list(cache.glob("*/manifest.json")) and len(tiles(cache)) < TILES
    assert subprocess.run(command(folders, cache, 1), cwd=ROOT).returncode == 0
    prepare(config(folders, tmp_path / "whole"), 5, keep_going=True)
    assert content(cache) == content(tmp_path / "whole")


def test_what_a_dead_process_left_is_removed_and_nothing_else(tmp_path):
    ours = temporary_name(tmp_path / "tile1")
    own = f"{os.getpid()}+{began_at(os.getpid())}"
    others = {1: f"1+{began_at(1)}", NO_PROCESS: f"{NO_PROCESS}+7"}
    theirs = {n: tmp_path / ours.name.replace(own, other) for n, other in others.items()}
    elsewhere = tmp_path / f".tile1.another-computer-{NO_PROCESS}.tmp"
    half = temporary_name(tmp_path / "contrast.json")
    half = half.with_name(half.name.replace(f"-{os.getpid()}", f"-{NO_PROCESS}"))
    kept = [ours, theirs[1], elsewhere, tmp_path / "tile2"]
    for folder in (*kept, theirs[NO_PROCESS]):
        folder.mkdir()
    half.write_text("{")
    remove_abandoned(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def end_at_three(name):
    if name == "3":
        os.kill(os.getpid(), signal.SIGKILL)
    return name


def test_process_killed_for_want_of_memory_is_one_clear_line():
    names = [str(index) for index in range(8)]
    with pytest.raises(RoadexError, match=r"making tiles: one of 2 processes was ended.*workers"):
        list(over_tiles(end_at_three, names, 2, "making tiles"))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_full_disk_is_one_line_and_every_tile_made_is_whole(folders, small_disk):
    with pytest.raises(
        RoadexError, match=r"cannot be written \(.*\): set dataset.cache=DIR"
    ) as full:
        prepare(config(folders, small_disk), 5, keep_going=True)
    assert "disk full" in str(full.value) or "No space left" in str(full.value)
    assert not list(small_disk.rglob(".*")), "nothing half-written"
    made = tiles(small_disk)
    assert made and all(len(list(path.iterdir())) == 5 for path in made)


def test_a_process_that_ends_at_an_import_is_not_told_to_lack_memory(tmp_path):
    """A script without the guard that spawned processes need."""
    (tmp_path / "script.py").write_text(
        "from roadex.parallel import over_tiles\n"
        "list(over_tiles(len, list('abcdefgh'), 2, 'measuring'))\n"
    )
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert "ended by itself (exit code 1)" in last and "__main__" in last and "memory" not in last
