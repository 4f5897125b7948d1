"""From probabilities to a graph: drawn cases of what the mask alone cannot tell."""

from __future__ import annotations

import numpy as np
import pytest

from roadex.errors import RoadexError
from roadex.graph import mask_to_graph, probabilities_to_graph
from roadex.graph.network import total_length

GSD = 0.5


def test_without_a_connectivity_map_the_threshold_alone_decides():
    road = np.zeros((100, 100), np.uint8)
    road[:, 40:50], road[40:50] = 127, 128
    strict = probabilities_to_graph(road, None, 0.5, GSD)
    assert total_length(strict) == total_length(mask_to_graph(road >= 128, GSD))
    assert sorted(degree for _, degree in strict.degree) == [1, 1]
    loose = probabilities_to_graph(road / 256, None, 0.4, GSD)
    assert sorted(degree for _, degree in loose.degree) == [1, 1, 1, 1, 4]


def test_maps_of_different_size_are_refused():
    with pytest.raises(RoadexError, match="connectivity map of shape"):
        probabilities_to_graph(np.zeros((9, 9)), np.zeros((5, 9, 8)), 0.5, GSD)
