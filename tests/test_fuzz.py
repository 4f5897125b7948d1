"""A few hundred of the damaged files that `make fuzz` makes; findings of longer runs as tests."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from roadex.errors import RoadexError
from roadex.graph.formats import read_network, write_network
from tests.conftest import ROOT
from tests.support.networks import grid


def test_damaged_files_of_every_kind_are_read_or_refused_in_one_line():
    command = [sys.executable, "scripts/fuzz.py", "count=280", "seed=2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    report = json.loads(done.stdout[done.stdout.index("{") :])
    assert len(report["files"]) == 14 and sum(report["files"].values()) == 280


def test_our_graphml_without_a_place_is_refused(tmp_path):
    path = tmp_path / "roads.graphml"
    write_network(grid(2), path)
    text = path.read_text()
    key = next(line for line in text.splitlines() if 'attr.name="x"' in line)
    path.write_text(text.replace(key, key.replace('attr.name="x"', 'attr.name="z"')))
    with pytest.raises(RoadexError, match="nodes need x and y"):
        read_network(path)
