"""Files for large networks."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from roadex.config.predict import PredictConfig
from roadex.prediction import batch, outputs
from roadex.prediction.outputs import chosen_outputs, fitting_outputs
from tests.support.stand_ins import bright_model, ladder, picture_of, write_tif


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr(batch, "load_model", lambda *_: bright_model())


def predict(tmp_path, **settings) -> list[str]:
    image = np.tile(picture_of(ladder(), (400, 400), 0.5), (3, 3, 1))
    path = write_tif(tmp_path / "town.tif", image)
    said: list[str] = []
    config = PredictConfig(input=str(path), out=str(tmp_path / "out"), **settings)
    assert batch.predict_all(config, said.append)[0] == []
    return said


def test_probabilities_as_a_cog_have_overviews_and_the_same_values(tmp_path):
    predict(tmp_path, outputs=["probability", "cog"])
    with (
        rasterio.open(tmp_path / "out" / "town.probability.tif") as plain,
        rasterio.open(tmp_path / "out" / "town.probability.cog.tif") as cog,
    ):
        assert cog.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG" and cog.overviews(1)
        assert np.array_equal(plain.read(), cog.read())
        assert (cog.crs, cog.transform) == (plain.crs, plain.transform)
        assert (cog.nodata, cog.scales, cog.offsets) == (255, plain.scales, plain.offsets)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "town.probability.tif", "town.probability.cog.tif", "town.summary.json",
    }  # fmt: skip


def test_a_large_network_has_tables_and_not_what_is_read_as_a_whole(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(outputs, "LARGE", 10)
    said = predict(tmp_path)
    assert any("a large network, so geojson, graphml, csv are left out" in s for s in said)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"town.roads.parquet", "town.roads.gpkg", "town.html"} <= names
    assert not names & {"town.graphml", "town.roads.geojson", "town.csv"}
    assert "map" not in fitting_outputs(chosen_outputs(None), 600_000)
    assert fitting_outputs(chosen_outputs(None), 10) == chosen_outputs(None)
