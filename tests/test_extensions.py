"""Models and datasets of another package, as CONTRIBUTING.md shows them."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.support.worlds import write_pair

TRAIN = [
    "model=pixels", "model.width=4", "dataset=pairs", "dataset.raw=tiles",
    "dataset.splits.rule=ranked", "dataset.crop=64", "trainer.epochs=1", "trainer.overlays=0",
    "tracking.mode=disabled",
    "dataset.workers=1", "hydra.run.dir=run",
]  # fmt: skip


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The package of CONTRIBUTING.md, not installed yet."""
    folder = tmp_path_factory.mktemp("package")
    page = (ROOT / "CONTRIBUTING.md").read_text()
    for path, content in re.findall(r"```\w+\n# (\S+\.\w+)\n(.*?)```", page, re.DOTALL):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    (folder / "roads_extra" / "__init__.py").write_text("")
    return folder


@pytest.fixture(scope="module")
def site(package, tmp_path_factory):
    """A folder in which pip has installed it, without the network."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(folder), str(package)], check=True)
    return folder


def run(folder, site, *command):
    path = os.pathsep.join(filter(None, [str(site), str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "ROADEX_CACHE": str(folder / "cache")}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_another_package_brings_a_model_and_a_dataset(site, tmp_path):
    for index in range(6):
        tiles = tmp_path / "tiles"
        write_pair(tiles, tiles, f"tile{index}", suffixes=("_image", "_road"))
    done = run(tmp_path, site, "roadex.train", *TRAIN)
    assert done.returncode == 0 and (tmp_path / "run" / "metrics.json").is_file(), done.stderr
    best = f"checkpoint={tmp_path / 'run' / 'checkpoints' / 'best.pt'}"
    without = run(tmp_path, "", "roadex.export", best, "out=exported")
    assert without.returncode == 2 and "dataset=pairs is not known here: install" in without.stderr


def test_help_and_refusals_know_what_a_package_brings(site, tmp_path):
    shown = run(tmp_path, site, "roadex.train", "--help").stdout
    assert "pairs" in shown and "pixels" in shown
    wrong = run(tmp_path, site, "roadex.train", *TRAIN, "model.wdth=2")
    assert "did you mean 'model.width'" in wrong.stderr


def test_a_package_that_cannot_be_imported_is_named(package, site, tmp_path):
    (tmp_path / "roads_extra").mkdir()
    (tmp_path / "roads_extra" / "__init__.py").write_text("raise ImportError('no tensorflow')")
    refused = run(tmp_path, site, "roadex.train", *TRAIN)
    assert refused.returncode == 2 and "no tensorflow" in refused.stderr
    assert "roads-extra" in refused.stderr and len(refused.stderr.splitlines()) == 1
