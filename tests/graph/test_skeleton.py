"""Tracing a skeleton keeps its topology."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from roadex.graph.skeleton import Lines, trace
from roadex.graph.thin import thin

EIGHT = np.ones((3, 3), dtype=int)


def drawn(picture: str) -> np.ndarray:
    return np.array([[letter == "x" for letter in row] for row in picture.split()], dtype=bool)


def as_graph(lines: Lines) -> nx.MultiGraph:
    return nx.MultiGraph(lines.ends.tolist())


def blobs(seed: int, roughness: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(60, 80))
    return ndimage.gaussian_filter(noise, roughness) > 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1.5, 2.0, 4.0]))
def test_components_and_loops_are_those_of_the_skeleton(seed, roughness):
    skeleton = thin(blobs(seed, roughness))
    graph = as_graph(trace(skeleton))
    labels, pieces = ndimage.label(skeleton, EIGHT)
    sizes = np.bincount(labels.ravel())[1:]
    gaps = ndimage.label(~np.pad(skeleton, 1))[1] - 1
    loops = graph.number_of_edges() - len(graph) + nx.number_connected_components(graph)
    assert loops == gaps
    assert nx.number_connected_components(graph) <= pieces
    assert nx.number_connected_components(graph) >= np.count_nonzero(sizes > 6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_lines_run_from_node_to_node_without_gaps(seed):
    lines = trace(thin(blobs(seed, 2.0)))
    for i, (u, v) in enumerate(lines.ends):
        points = lines.points[lines.offsets[i] : lines.offsets[i + 1]]
        np.testing.assert_array_equal(points[[0, -1]], lines.nodes[[u, v]])
        inner = np.abs(np.diff(points[1:-1], axis=0)).max(axis=1)
        assert (inner == 1).all()


@pytest.mark.parametrize(
    ("picture", "nodes", "lines"),
    [
        ("...", 0, 0),
        ("x", 1, 0),
        ("xxxx", 2, 1),
        ("x.... .xx.. ...xx", 2, 1),
        ("xxxxx ..x.. ..x.. ..x..", 4, 3),
        ("x...x .x.x. ..x.. .x.x. x...x", 5, 4),
        ("x....x .x..x. ..xx.. ..xx.. .x..x. x....x", 5, 4),
        (".xxx. x...x x...x .xxx.", 1, 1),
    ],
)
def test_small_shapes(picture, nodes, lines):
    traced = trace(drawn(picture))
    assert (len(traced.nodes), len(traced.ends)) == (nodes, lines)


def test_a_staircase_has_no_junction():
    rows = np.arange(40)
    skeleton = np.zeros((40, 60), dtype=bool)
    skeleton[rows, rows] = skeleton[rows[:-1], rows[1:]] = True
    traced = trace(skeleton)
    assert len(traced.ends) == 1
