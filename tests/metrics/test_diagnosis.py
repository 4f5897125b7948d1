"""The diagnosis: its score is the score, and it blames what was broken."""

from __future__ import annotations

import json

import numpy as np
import pytest

from roadex.config.graph import PathSettings, VertexSettings
from roadex.graph.network import add_road, empty_network, straight_network
from roadex.graph.paths.network import ClassifiedPairs
from roadex.graph.paths.vertices import ALONG, Vertices
from roadex.metrics import PRESETS, apls
from roadex.metrics.diagnosis.diagnosis import BROKEN, FALSE, MISSING, diagnose
from roadex.metrics.diagnosis.files import write_diagnosis
from roadex.metrics.diagnosis.pairs import diagnose_pairs, pair_scores, write_pairs
from tests.support.networks import grid, load_case

COSMIQ = PRESETS["cosmiq"]


@pytest.mark.parametrize("case", ["vegas_img990", "vegas_img991", "gap20", "extra_roads"])
def test_the_diagnosis_explains_exactly_the_score(oracles, case):
    truth, proposal, _ = load_case(oracles / case)
    result, score = diagnose(truth, proposal, COSMIQ), apls(truth, proposal)
    assert result.value == pytest.approx(score.value, abs=1e-9)
    assert result.proposal_to_truth == pytest.approx(score.proposal_to_truth, abs=1e-9)
    assert sum(result.shares().values()) == pytest.approx(1)
    assert result.unexplained < 0.05


def test_a_missing_road_is_the_first_cause():
    truth, proposal = grid(4), grid(4)
    proposal.remove_edge(5, 6)
    worst = diagnose(truth, proposal, COSMIQ).causes[0]
    assert worst.kind == MISSING
    assert worst.share > 0.95
    assert worst.centre.tolist() == pytest.approx([150, 100], abs=51)


def test_a_false_road_is_the_first_cause():
    truth, proposal = grid(4), grid(4)
    truth.remove_edge(5, 6)
    assert diagnose(truth, proposal, COSMIQ).causes[0].kind == FALSE


def test_a_junction_that_does_not_join_is_named():
    places = [(0, 0), (100, 0), (200, 0), (100, 100), (100, 1)]
    truth = straight_network(places[:4], [(0, 1), (1, 2), (1, 3)])
    proposal = straight_network(places, [(0, 1), (1, 2), (4, 3)])
    worst = diagnose(truth, proposal, COSMIQ).causes[0]
    assert worst.kind == BROKEN
    assert min(abs(line - [100, 0]).sum(axis=1).min() for line in worst.lines) == 0


@pytest.mark.parametrize("proposal", [grid(3), empty_network()])
def test_files_are_written_for_good_and_for_empty_proposals(tmp_path, proposal):
    write_diagnosis(grid(3), proposal, COSMIQ, tmp_path)
    layers = json.loads((tmp_path / "diagnosis.geojson").read_text())["features"]
    assert {"truth", "proposal"} <= {feature["properties"]["layer"] for feature in layers}
    assert (tmp_path / "diagnosis.md").read_text().startswith("# Why")
    assert all((tmp_path / name).stat().st_size > 1000 for name in ("causes.png", "routes.png"))


def test_pairs_are_lost_and_invented_with_their_chances(tmp_path):
    truth = empty_network()
    add_road(truth, 0, 1, [(0.0, 50.0), (200.0, 50.0)])
    along = [(20.0 * i, 50.0) for i in range(11)]
    vertices = Vertices(np.array([*along, (100.0, 80.0)]), np.full(12, ALONG))
    pairs = np.array([*([i, i + 1] for i in range(10)), [5, 11], [0, 2]])
    # The third pair is too unlikely for any road; one leads to a vertex where no road is.
    chances = np.array([0.9, 0.9, 0.05, *[0.9] * 7, 0.8, 0.1])
    classified = ClassifiedPairs(vertices, pairs, chances)
    result = diagnose_pairs(classified, truth, PathSettings(chance=0.5), VertexSettings())
    assert result.counts() == {"found": 9, "lost": 1, "invented": 1}
    assert pair_scores(result.counts()) == pytest.approx(
        {"pairs/precision": 0.9, "pairs/recall": 0.9, "pairs/f1": 0.9}
    )
    write_pairs(result, tmp_path / "pairs.geojson")
    lost, invented = json.loads((tmp_path / "pairs.geojson").read_text())["features"]
    assert lost["properties"] == {"pair": "lost", "chance": 0.05}
    assert lost["geometry"]["coordinates"] == [[40.0, 50.0], [60.0, 50.0]]
    assert invented["properties"] == {"pair": "invented", "chance": 0.8}
    nothing = ClassifiedPairs(vertices, np.zeros((0, 2), int), np.zeros(0))
    empty = diagnose_pairs(nothing, truth, PathSettings(chance=0.5), VertexSettings())
    assert empty.counts() == {"found": 0, "lost": 0, "invented": 0}
