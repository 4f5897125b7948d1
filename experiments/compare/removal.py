"""Take roads out of maps and see which of them the comparison finds again.

Usage: python experiments/compare/removal.py OUT.csv MAPS ROADS [compare.KEY=VALUE ...]

MAPS and ROADS are folders whose files begin with the same names. Of each map a tenth, or three
tenths, of the roads that the other side has go (three draws); what the comparison calls missing
then, and did not call missing before, is held against them. Metres count as found, and as right,
within 10 m of each other by plain geometry, which shares no code with the comparison.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import numpy as np
import shapely
from omegaconf import OmegaConf

from roadex.changes.engine import MAP, MISSING, UNSEEN, Comparison, Rules, compare
from roadex.changes.inputs import common_area, read_pair
from roadex.changes.matching import Tolerances
from roadex.config.compare import CompareConfig

SHARES, DRAWS, WITHIN_M = (0.1, 0.3), 3, 10.0


@dataclass(frozen=True)
class Found:
    """Metres removed, of them found, and metres newly called missing, of them right."""

    removed: float
    found: float
    called: float
    right: float

    def rounded(self) -> dict[str, float]:
        """To a tenth of a metre."""
        return {name: round(metres, 1) for name, metres in vars(self).items()}


def main(out: Path, maps: Path, roads: Path, settings: CompareConfig) -> None:
    """Write a row for each pair, share and draw, and print the sums."""
    rows = []
    for path in sorted(maps.iterdir()):
        seen = next(iter(sorted(roads.glob(f"{path.stem}.*"))), None)
        if seen is None:
            print(f"{path.stem}: no roads, left out")
            continue
        pair = read_pair(str(path), str(seen), settings.gsd)
        for share in SHARES:
            for draw in range(DRAWS):
                found = removed_and_found(*pair, share, draw, settings)
                rows.append({"pair": path.stem, "share": share, "draw": draw, **found.rounded()})
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for share in SHARES:
        sums = Found(*(sum(r[k] for r in rows if r["share"] == share) for k in vars(found)))
        print(
            f"share {share}: removed {sums.removed / 1000:.2f} km, recall "
            f"{sums.found / sums.removed:.3f}, precision {sums.right / sums.called:.3f}"
        )


def removed_and_found(
    known: nx.MultiGraph, seen: nx.MultiGraph, share: float, draw: int, settings: CompareConfig
) -> Found:
    """Compare before and after roads were taken out of the map."""
    before = _compared(known, seen, known, settings)
    unseen = {segment.step for segment in before.of(UNSEEN) if segment.side == MAP}
    steps = [step for step in known.edges(keys=True) if step not in unseen]
    chosen = np.random.default_rng(draw).permutation(len(steps))[: round(share * len(steps))]
    poorer = known.copy()
    removed = [steps[index] for index in chosen]
    poorer.remove_edges_from(removed)
    after = _compared(poorer, seen, known, settings)
    gone = shapely.union_all([shapely.LineString(known.edges[s]["geometry"]) for s in removed])
    called = _missing(after).difference(_missing(before).buffer(0.5))
    return Found(
        gone.length,
        gone.intersection(called.buffer(WITHIN_M)).length,
        called.length,
        called.intersection(gone.buffer(WITHIN_M)).length,
    )


def _compared(
    old: nx.MultiGraph, new: nx.MultiGraph, whole: nx.MultiGraph, settings: CompareConfig
) -> Comparison:
    """The comparison within what the whole map and the roads reach into."""
    area = common_area([whole, new], settings.moved_m)
    tolerances = Tolerances(settings.match_m, settings.moved_m, settings.angle)
    rules = Rules(tolerances, settings.min_segment_m, settings.sample_m, settings.width_share)
    return compare(old, new, area, rules)


def _missing(result: Comparison) -> shapely.Geometry:
    return shapely.union_all([shapely.LineString(s.line) for s in result.of(MISSING)])


if __name__ == "__main__":
    own = [argument.removeprefix("compare.") for argument in sys.argv[4:]]
    merged = OmegaConf.merge(OmegaConf.structured(CompareConfig), OmegaConf.from_dotlist(own))
    config = CompareConfig(**OmegaConf.to_container(merged, throw_on_missing=False))
    main(*map(Path, sys.argv[1:4]), config)
