"""End to end: a model with the pair head trains, continues, is evaluated, exported and used."""

from __future__ import annotations

import csv
import json

import pytest
import torch

from tests.support.worlds import write_folder
from tests.test_train import folder_arguments, run, train

PATHS = [
    "model.paths=true", "model.pair_head.width=16", "model.pair_head.heads=2",
    "model.pair_head.evidence=2", "trainer.monitor=apls", "trainer.epochs=1",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("paths")
    write_folder(root, 30)
    return root


@pytest.fixture(scope="module")
def trained(folder):
    return train(folder, "paths", *folder_arguments(folder), *PATHS)


@pytest.fixture(scope="module")
def plain(folder):
    """A training without the head."""
    return train(folder, "plain", *folder_arguments(folder), "trainer.epochs=1")


def content(run_folder, name="best"):
    return torch.load(run_folder / "checkpoints" / f"{name}.pt", weights_only=True)


def test_the_loss_of_the_pairs_is_logged_and_their_chance_kept(trained):
    (row,) = csv.DictReader((trained / "history.csv").open())
    assert float(row["loss/pairs"]) > 0
    assert 0 < content(trained)["chance"] <= 0.6
    assert json.loads((trained / "metrics.json").read_text())["test/apls"] >= 0


def test_only_the_pairs_learn_where_that_is_asked(folder, trained):
    again = train(
        folder, "only", *folder_arguments(folder), *PATHS, "trainer.only_pairs=true",
        f"init={trained}/checkpoints/last.pt", "trainer.ema=0",
    )  # fmt: skip
    before, after = content(trained, "last")["weights"], content(again, "last")["weights"]
    changed = {n.split(".")[0] for n, v in before.items() if not torch.equal(v, after[n])}
    assert changed == {"evidence", "pair_head"}
    refused = run(
        "train", "name=no", *folder_arguments(folder), *PATHS, "trainer.only_pairs=true", cwd=folder
    )
    assert refused.returncode == 2 and "init=CHECKPOINT" in refused.stderr


def test_a_model_without_the_head_gets_one_from_init(folder, plain):
    settings = [*folder_arguments(folder), *PATHS, f"init={plain}/checkpoints/last.pt"]
    grown = train(folder, "grown", *settings, "optimizer.lr=1e-12")
    before, after = content(plain, "last")["weights"], content(grown, "last")["weights"]
    assert set(after) - set(before) and set(before) <= set(after)
    key = "stacks.0.features.2.weight"
    torch.testing.assert_close(before[key], after[key], atol=1e-6, rtol=0)


@pytest.mark.parametrize("decoder", ["paths", "mask"])
def test_evaluate_decodes_as_asked(folder, trained, decoder):
    out = folder / f"scores_{decoder}"
    done = run(
        "evaluate", f"checkpoint={trained}", f"graph.decoder={decoder}", f"out={out}",
        "overlays=0", f"pairs={decoder == 'paths'}", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads((out / "metrics.json").read_text())
    theirs = json.loads((trained / "metrics.json").read_text())
    assert found["test/f1"] == pytest.approx(theirs["test/f1"])
    if decoder == "paths":
        assert found["test/apls"] == pytest.approx(theirs["test/apls"], abs=1e-9)
        assert found["settings"]["graph"]["paths"]["chance"] == content(trained)["chance"]
        rows = list(csv.DictReader((out / "pairs.csv").open()))
        for row in rows:
            wrong = json.loads((out / "pairs" / f"{row['tile']}.geojson").read_text())["features"]
            kinds = [feature["properties"]["pair"] for feature in wrong]
            assert kinds.count("lost") == int(row["lost"])
            assert kinds.count("invented") == int(row["invented"])
            assert all(0 <= feature["properties"]["chance"] <= 1 for feature in wrong)
        hits = sum(int(row["found"]) for row in rows)
        true = hits + sum(int(row["lost"]) for row in rows)
        assert true > 0 and found["test/pairs/recall"] == pytest.approx(hits / true)
    else:
        refused = run(
            "evaluate", f"checkpoint={trained}", "graph.decoder=mask", "pairs=true",
            f"out={folder}/none", cwd=folder,
        )  # fmt: skip
        assert refused.returncode == 2 and "pairs=true: roads are those of the mask" in (
            refused.stderr
        )
        assert not (folder / "none").exists()


@pytest.mark.parametrize("kind", ["safetensors", pytest.param("onnx", marks=pytest.mark.slow)])
def test_an_export_finds_the_same_roads(folder, trained, kind):
    pytest.importorskip("onnxruntime")
    out = folder / kind
    done = run("export", f"checkpoint={trained}", f"format={kind}", f"out={out}", cwd=folder)
    assert done.returncode == 0, done.stderr
    image = sorted((folder / "images").iterdir())[0]
    roads = []
    for name, checkpoint in (("own", trained), (kind, out)):
        given = [f"checkpoint={checkpoint}", f"input={image}", f"out={folder / name}_roads_{kind}"]
        done = run("predict", *given, "graph=paths", "gsd=1", "outputs=[csv]", cwd=folder)
        assert done.returncode == 0, done.stderr
        summary = next((folder / f"{name}_roads_{kind}").glob("*.summary.json"))
        roads.append(json.loads(summary.read_text())["road_km"])
    assert roads[0] == pytest.approx(roads[1], rel=0.02, abs=0.005)
    if kind == "onnx":
        (out / "pair_head.safetensors").write_bytes(b"other")
        done = run("predict", f"checkpoint={out}", f"input={image}", "out=no", "gsd=1", cwd=folder)
        assert done.returncode == 2 and "pair_head.safetensors: missing or damaged" in done.stderr


def test_a_model_that_classifies_no_pairs_is_refused_before_any_image(folder, plain):
    given = [f"checkpoint={plain}", f"input={folder}/images", "out=nothing", "gsd=1", "graph=paths"]
    done = run("predict", *given, cwd=folder)
    assert done.returncode == 2 and "this model classifies no pairs of vertices" in done.stderr
    assert done.stdout.count("failed") + done.stderr.count("failed") == 0
