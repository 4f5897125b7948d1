"""The command `python -m roadex.score`, and the presets that it reads."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from roadex.config.metrics import AplsSettings
from roadex.config.paths import config_dir
from roadex.config.schemas import register_schemas
from roadex.graph.formats import ReadOptions, write_network
from roadex.metrics import PRESETS, TopoSettings
from roadex.metrics.pairing import load_pair
from tests.conftest import ROOT
from tests.support.networks import grid, moved

register_schemas()


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "roadex.score", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def composed(*overrides: str):
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose("score", ["truth=a", "proposal=b", *overrides])


@pytest.fixture
def folders(tmp_path):
    truth, proposal = tmp_path / "truth", tmp_path / "proposal"
    truth.mkdir(), proposal.mkdir()
    for name, size in (("small", 3), ("large", 4)):
        write_network(grid(size), truth / f"{name}.json")
        write_network(moved(grid(size), 2, 1), proposal / f"{name}.geojson")
    write_network(grid(3), truth / "forgotten.json")
    write_network(grid(3), proposal / "stray.json")
    return truth, proposal


@pytest.mark.parametrize("name", PRESETS)
def test_yaml_and_python_presets_agree(name):
    assert OmegaConf.to_object(composed(f"apls={name}").apls) == PRESETS[name]


def test_topo_presets_agree_with_the_defaults():
    default = OmegaConf.to_object(composed().topo)
    assert default.radius == pytest.approx(TopoSettings().radius)
    assert composed("topo=sat2graph_large").topo.radius == pytest.approx(2 * default.radius)


def test_a_setting_of_a_preset_can_be_overridden():
    settings = OmegaConf.to_object(composed("apls=strict", "apls.snap=5").apls)
    assert settings == AplsSettings(renaming=False, snap=5.0)


def test_a_pair_of_real_files_scores_as_the_reference(oracles, tmp_path):
    case, out = oracles / "vegas_img990", tmp_path / "scores.json"
    done = run(
        f"truth={case / 'gt.geojson'}", f"proposal={case / 'prop.geojson'}", f"out={out}",
        f"diagnose={tmp_path / 'why'}", "metrics=[apls,topo]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    scores = json.loads(out.read_text())
    expected = json.loads((case / "expected.json").read_text())["cosmiq_from_geojson"]["cli"]
    assert scores["apls"] == pytest.approx(expected["apls"], abs=1e-9)
    assert scores["apls/truth_to_proposal"] == pytest.approx(expected["gt_to_prop"], abs=1e-9)
    assert scores["settings"]["apls"]["snap"] == 4
    assert "apls" in done.stdout and (tmp_path / "why" / "causes.png").is_file()


def test_folders_are_paired_by_stem_and_nothing_is_dropped(folders, tmp_path):
    truth, proposal = folders
    out = tmp_path / "out"
    pair = (f"truth={truth}", f"proposal={proposal}")
    done = run(*pair, f"out={out}", "metrics=[apls]", "workers=1")
    assert done.returncode == 0, done.stderr
    assert "forgotten" in done.stderr + done.stdout and "stray" in done.stderr + done.stdout
    totals = json.loads((out / "scores.json").read_text())
    assert (totals["apls/n_scored"], totals["apls/n_total"]) == (3, 3)
    assert totals["without_proposal"] == ["forgotten"] and totals["without_truth"] == ["stray"]
    rows = {row["name"]: row for row in csv.DictReader((out / "tiles.csv").open())}
    assert float(rows["forgotten"]["apls"]) == 0 < float(rows["small"]["apls"])
    mean = sum(float(row["apls"]) for row in rows.values()) / 3
    assert totals["apls"] == pytest.approx(mean)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["proposal=nowhere.json"], "nowhere.json"),
        (["metrics=[apl]"], "topology"),
        (["apls.snp=3"], "apls.snap"),
        (["apls=cosmic"], "cosmiq"),
        (["apls.snap=-3"], "apls.snap"),
        (["buffer=0"], "buffer"),
    ],
)
def test_bad_input_is_one_line(folders, overrides, said):
    truth, proposal = folders
    given = overrides if "proposal=" in overrides[0] else [f"proposal={proposal}", *overrides]
    done = run(f"truth={truth}", *given)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1 and said in done.stderr


def test_two_files_of_one_name_are_refused(folders):
    truth, proposal = folders
    shutil.copy(truth / "small.json", proposal / "small.json")
    done = run(f"truth={truth}", f"proposal={proposal}")
    assert done.returncode == 2 and "small.geojson and small.json" in done.stderr


@pytest.mark.parametrize("move", [(5.0, 0.0), (0.0, 0.5), (40.0, -40.0)])
def test_a_proposal_of_another_place_is_told(tmp_path, move, caplog):
    for name, (east, north) in (("truth", (0.0, 0.0)), ("proposal", move)):
        line = [[10 + east, 50 + north], [10.002 + east, 50 + north]]
        geometry = {"type": "LineString", "coordinates": line}
        (tmp_path / f"{name}.geojson").write_text(json.dumps(geometry))
    load_pair(tmp_path / "truth.geojson", tmp_path / "truth.geojson", ReadOptions())
    assert not caplog.text
    load_pair(tmp_path / "truth.geojson", tmp_path / "proposal.geojson", ReadOptions())
    assert "km from the truth: another place, or are the axes swapped?" in caplog.text


def test_what_is_left_out_of_a_file_is_reported(tmp_path):
    road = {"type": "LineString", "coordinates": [[10.0, 50.0], [10.001, 50.0]]}
    park = {"type": "Polygon", "coordinates": [[[10, 50], [10.1, 50], [10.1, 50.1], [10, 50]]]}
    for name, shape in (("truth", road), ("proposal", park)):
        (tmp_path / f"{name}.geojson").write_text(json.dumps(shape))
    files = ["truth=truth.geojson", "proposal=proposal.geojson", "metrics=[length]"]
    command = [sys.executable, "-m", "roadex.score", *files]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "left out 1 x Polygon geometry; no road is left" in done.stdout + done.stderr


def test_travel_time_from_tags_and_the_files_of_spacenet_5(tmp_path):
    """A road of two classes as one edge takes the time of both parts; submissions tell theirs."""
    lines = [([[10.0, 50.0], [10.001, 50.0]], "1"), ([[10.001, 50.0], [10.002, 50.0]], "5")]
    features = [
        {
            "type": "Feature",
            "properties": {"road_type": kind, "lane_number": "2"},
            "geometry": {"type": "LineString", "coordinates": line},
        }
        for line, kind in lines
    ]
    (tmp_path / "truth.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features})
    )
    for feature in features:
        feature["properties"] = {"speed_mph": 2 / (1 / 55 + 1 / 25)}
    (tmp_path / "proposal.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features})
    )
    files = [f"{side}={tmp_path / side}.geojson" for side in ("truth", "proposal")]
    done = run(*files, "weight=travel_time", "metrics=[apls]", "apls=strict", "apls.delta=0")
    assert done.returncode == 0, done.stderr
    rows = dict(row.split() for row in done.stdout.strip().splitlines())
    assert rows["apls"] == rows["apls_time"] == "1.0000"
    head = "ImageId,WKT_Pix,length_m,travel_time_s\n"
    row = 'a,"LINESTRING (0 0, 100 0)",100,{}\nb,LINESTRING EMPTY,0,0\n'
    for side, seconds in (("truth", 10), ("proposal", 12)):
        (tmp_path / f"{side}.csv").write_text(head + row.format(seconds))
    files = [f"{side}={tmp_path / side}.csv" for side in ("truth", "proposal")]
    out = tmp_path / "scores"
    done = run(*files, "weight=travel_time", "metrics=[]", "gsd=1", "workers=1", f"out={out}")
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row for row in csv.DictReader((out / "tiles.csv").open())}
    assert float(rows["a"]["apls_time/truth_to_proposal"]) == pytest.approx(0.8)
