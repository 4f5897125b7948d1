"""A plain installation, without any extra, trains, scores and predicts pictures."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from roadex.rasters.pictures import write_image
from tests.support.worlds import write_folder

EXTRAS = (
    "rasterio", "geopandas", "pyogrio", "optuna", "submitit", "joblib", "onnx", "onnxruntime",
    "onnxscript", "hydra_plugins.hydra_joblib_launcher", "hydra_plugins.hydra_submitit_launcher",
)  # fmt: skip
HIDE = f"""
import sys
from importlib.machinery import PathFinder

class Others:
    find_distributions = PathFinder.find_distributions
    invalidate_caches = PathFinder.invalidate_caches

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in {EXTRAS!r} or name.split(".")[0] in {EXTRAS!r}:
            return None
        return PathFinder.find_spec(name, path, target)

sys.meta_path = [Others if finder is PathFinder else finder for finder in sys.meta_path]
"""


@pytest.fixture()
def run(tmp_path):
    """Runs a command in an environment in which no package of an extra can be imported."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(HIDE)
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "ROADEX_CACHE": str(tmp_path / "cache")}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )

    return call


def test_training_scoring_and_prediction_need_no_extra(tmp_path, run):
    images, masks = write_folder(tmp_path, 6)
    done = run(
        "roadex.train", "dataset=folder", f"dataset.images={images}", f"dataset.masks={masks}",
        "dataset.gsd=0.5", "dataset.crop=64", "model.width=16", "model.head_width=8",
        "model.blocks=1", "model.stacks=1", "model.depth=2", "trainer.epochs=1",
        "trainer.batch_size=2", "trainer.num_workers=0", "trainer.overlays=0",
        "tracking.mode=disabled", "hydra.run.dir=run", "dataset.splits.rule=ranked",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    write_image(tmp_path / "picture.png", np.full((80, 90, 3), 120, np.uint8))
    done = run(
        "roadex.predict", "checkpoint=run/checkpoints/best.pt", "input=picture.png", "out=out"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "picture.html").is_file()
    assert "left out: probability and gpkg" in done.stdout + done.stderr
    graph = "out/picture.roads.geojson"
    done = run("roadex.score", f"truth={graph}", f"proposal={graph}", "metrics=[length]")
    assert done.returncode == 0, done.stderr


def test_what_needs_a_package_says_which_in_one_line(tmp_path, run):
    done = run("roadex.search", "space=optimization", "trials=1")
    assert done.returncode == 2 and "Optuna: pip install" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    (tmp_path / "image.tif").write_bytes(b"II*\0nothing")
    done = run("roadex.predict", "input=image.tif", "out=out")
    assert done.returncode == 2 and "rasterio: pip install" in done.stdout + done.stderr
