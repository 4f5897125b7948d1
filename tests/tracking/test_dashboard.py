"""The dashboard's definitions, read back without a network."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

pytest.importorskip("wandb_workspaces")


def run(folder, *settings):
    command = [sys.executable, "-m", "roadex.dashboard", "project=roads", *settings]
    environment = {**os.environ, "HOME": str(folder), "NETRC": str(folder / "none")}
    environment.pop("WANDB_API_KEY", None)
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboard")
    done = run(folder, "upload=false", "varied=[stacks,width]", "out=out")
    assert done.returncode == 0, done.stderr
    names = ("workspace.json", "report.json")
    return {name: json.loads((folder / "out" / name).read_text()) for name in names}


def panels(node):
    """Every panel's kind and settings, wherever it lies."""
    if isinstance(node, dict):
        if "viewType" in node:
            yield node["viewType"], node["config"]
        for value in node.values():
            yield from panels(value)
    elif isinstance(node, list):
        for value in node:
            yield from panels(value)


@pytest.mark.parametrize("name", ["workspace.json", "report.json"])
def test_losses_curves_ablation_and_tiles_are_shown(made, name):
    found = list(panels(made[name]))
    lines = [config for kind, config in found if kind == "Run History Line Plot"]
    losses = [config["metricRegex"] for config in lines if config.get("metricRegex")]
    for key in ("loss/segmentation/stack2", "loss/connectivity/full", "loss/orientation/half"):
        assert sum(bool(re.search(pattern, key)) for pattern in losses) == 1
    curves = [config for config in lines if config.get("metrics") == ["validation/apls"]]
    assert len(curves) == 1 and curves[0]["groupArea"] == "stddev"
    scatter = [config for kind, config in found if kind == "Scatter Plot"]
    assert {(c["xAxis"], c["yAxis"]) for c in scatter} >= {
        ("config:varied/stacks.value", "summary:test/apls"),
        ("config:varied/width.value", "summary:test/f1"),
    }
    (parallel,) = [config for kind, config in found if kind == "Parallel Coordinates Plot"]
    columns = [column["accessor"] for column in parallel["columns"]]
    assert columns[:2] == ["config:varied/stacks.value", "config:varied/width.value"]
    assert "test/graphs" in json.dumps([c for kind, c in found if kind == "Weave"])
    assert [c["mediaKeys"] for kind, c in found if kind == "Media Browser"] == [["test/overlays"]]


def test_runs_of_one_setting_are_one_group(made):
    (runs,) = made["workspace.json"]["spec"]["section"]["runSets"]
    wanted = [{"section": "config", "name": f"varied/{key}.value"} for key in ("stacks", "width")]
    assert runs["grouping"] == wanted
    assert '"varied/stacks' in json.dumps(made["report.json"])


def test_without_an_account_it_is_refused_in_one_line(tmp_path):
    refused = run(tmp_path)
    assert refused.returncode == 2 and "wandb login" in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr
