"""Which pairs of vertices a model lost and which it invented, with their chances."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from roadex.config.graph import PathSettings, VertexSettings
from roadex.errors import RoadexError
from roadex.files import write_json
from roadex.graph.paths.network import ClassifiedPairs, joined_pairs
from roadex.graph.paths.segments import TrueRoads, segments_of, true_pairs
from roadex.graph.paths.vertices import Bools
from roadex.metrics.ratios import harmonic_mean, share

LOST, INVENTED = "lost", "invented"
# Ways longer than this many times the longest pair are not looked for.
_WAYS = 3.0


@dataclass(frozen=True)
class PairDiagnosis:
    """The classified pairs of an image beside the truth.

    Roads that have no vertices are no pairs: what the model does not see at all is not counted.

    Attributes:
        classified: pairs with their chances, in metres in the frame of the image.
        true: (m,) whether a true road joins the pair, past no third vertex.
        drawn: (m,) whether the pair is part of a road of the predicted network.
    """

    classified: ClassifiedPairs
    true: Bools
    drawn: Bools

    def counts(self) -> dict[str, int]:
        """How many pairs were found, lost and invented."""
        found = int((self.true & self.drawn).sum())
        lost, invented = self.true & ~self.drawn, ~self.true & self.drawn
        return {"found": found, LOST: int(lost.sum()), INVENTED: int(invented.sum())}


def diagnose_pairs(
    classified: ClassifiedPairs,
    truth: nx.MultiGraph,
    settings: PathSettings,
    vertices: VertexSettings,
) -> PairDiagnosis:
    """Compare the pairs of an image with its true roads.

    Args:
        truth: in metres in the frame of the image.
        settings: `chance` must be known.
        vertices: those of the model that classified the pairs.
    """
    if settings.chance is None:
        raise RoadexError("graph.paths.chance is needed: this checkpoint has none from validation")
    rows = segments_of(truth, 1.0)
    roads = TrueRoads.of(rows, (1.0, 1.0), _WAYS * vertices.reach_m)
    joined = true_pairs(classified.vertices.points, classified.pairs, roads, vertices)
    return PairDiagnosis(classified, joined, _drawn(classified, settings.chance, settings))


def _drawn(classified: ClassifiedPairs, chance: float, settings: PathSettings) -> Bools:
    """Which pairs are part of a road: roads lead from vertex to vertex before they are smoothed."""
    graph = joined_pairs(classified, chance, settings)
    number = {place: i for i, place in enumerate(map(tuple, classified.vertices.points.tolist()))}
    steps: set[tuple[int, int]] = set()
    for *_, line in graph.edges(data="geometry"):
        along = [number[tuple(point)] for point in line.tolist()]
        steps.update((min(step), max(step)) for step in pairwise(along))
    ordered = np.sort(classified.pairs, axis=1).tolist()
    return np.array([(u, v) in steps for u, v in ordered], dtype=np.bool_)


def pair_scores(counts: dict[str, int]) -> dict[str, float]:
    """Precision, recall and F1 of pairs, of the counts of all images together."""
    drawn, true = counts["found"] + counts[INVENTED], counts["found"] + counts[LOST]
    precision = share(counts["found"], drawn, other_empty=not true)
    recall = share(counts["found"], true, other_empty=not drawn)
    f1 = harmonic_mean(precision, recall)
    return {"pairs/precision": precision, "pairs/recall": recall, "pairs/f1": f1}


def write_pairs(result: PairDiagnosis, path: Path) -> None:
    """Write the lost and the invented pairs as GeoJSON, in metres of the image frame."""
    write_json(
        path,
        {
            "type": "FeatureCollection",
            "roadex": {"units": "m", "frame": "image"},
            "features": [*_features(result, LOST), *_features(result, INVENTED)],
        },
    )


def _features(result: PairDiagnosis, kind: str) -> list[dict[str, Any]]:
    """Pairs of a kind, the most surprising first: lost by their chance, invented likewise."""
    wrong = (result.true & ~result.drawn) if kind == LOST else (result.drawn & ~result.true)
    chances, points = result.classified.chances, result.classified.vertices.points
    members = np.flatnonzero(wrong)
    members = members[np.argsort(chances[members] * (1 if kind == LOST else -1), kind="stable")]
    return [
        {
            "type": "Feature",
            "properties": {"pair": kind, "chance": round(float(chances[i]), 4)},
            "geometry": {
                "type": "LineString",
                "coordinates": points[result.classified.pairs[i]].round(2).tolist(),
            },
        }
        for i in members.tolist()
    ]
