"""The notebooks of the documentation run, in a folder of their own."""

from __future__ import annotations

import os

import pytest

from tests.conftest import ROOT

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def test_there_are_two():
    assert [path.stem for path in NOTEBOOKS] == ["predict_and_route", "train_and_score"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs_and_shows_where_it_should(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("ROADEX_CACHE", str(tmp_path / "cache"))
    shown = nbformat.read(path, as_version=4)
    ran = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(ran, timeout=300, resources=resources).execute()
    assert path.stat().st_size < 100_000
    for old, new in zip(shown.cells, ran.cells, strict=True):
        assert bool(old.get("outputs")) == bool(new.get("outputs")), old["source"]
