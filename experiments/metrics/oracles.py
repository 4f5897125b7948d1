"""Score every oracle case and write a table: reference, ours, difference.

Usage: python experiments/metrics/oracles.py ORACLES_FOLDER OUT.csv
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from roadex.graph.formats import COSMIQ_READER, read_network
from roadex.metrics import PRESETS, apls, topo

DIRECTIONS = ("value", "truth_to_proposal", "proposal_to_truth")
EXACT = {
    "cosmiq": "cosmiq_apls_cli_defaults",
    "cosmiq_function": "cosmiq_apls_function_defaults",
    "strict": "cosmiq_apls_cli_without_renaming_quirk",
}
SPREAD = {"sat2graph": "go_apls_default", "sat2graph spacenet": "go_apls_spacenet"}
FIELDS = ("case", "metric", "field", "reference", "low", "high", "ours", "difference")


def main(folder: Path, out: Path) -> None:
    """Write the table, and print the largest difference of each metric."""
    rows = [row for case in sorted(folder.iterdir()) if case.is_dir() for row in _rows(case)]
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows({key: _short(value) for key, value in row.items()} for row in rows)
    for metric in dict.fromkeys(row["metric"] for row in rows):
        worst = max((r for r in rows if r["metric"] == metric), key=lambda r: abs(r["difference"]))
        where = f"{worst['case']}, {worst['field']}"
        print(f"{metric:24} largest difference {abs(worst['difference']):.1e} ({where})")


def _rows(case: Path) -> Iterator[dict[str, Any]]:
    expected = json.loads((case / "expected.json").read_text())
    reference = expected["implementations"]
    pair = [read_network(case / f"{name}.json") for name in ("gt", "prop")]
    for preset, key in EXACT.items():
        yield from _exact(case.name, preset, reference[key], apls(*pair, PRESETS[preset]))
    for name, key in SPREAD.items():
        settings = replace(PRESETS["sat2graph"], spacenet=name.endswith("spacenet"))
        yield from _spread(case.name, name, reference[key], apls(*pair, settings))
    yield from _topo(case.name, reference["topo_sat2graph_r0.0015"], topo(*pair))
    if "cosmiq_from_geojson" in expected:
        read = [read_network(case / f"{n}.geojson", **COSMIQ_READER) for n in ("gt", "prop")]
        for preset, key in (("cosmiq", "cli"), ("cosmiq_function", "func")):
            theirs = expected["cosmiq_from_geojson"][key]
            ours = apls(*read, PRESETS[preset])
            yield from _exact(case.name, f"{preset} from GeoJSON", theirs, ours)


def _exact(case: str, metric: str, theirs: dict[str, float], ours: Any) -> Iterator[dict[str, Any]]:
    for field, key in zip(DIRECTIONS, ("apls", "gt_to_prop", "prop_to_gt"), strict=True):
        value = theirs[key]
        yield _row(case, metric, field, value, value, value, getattr(ours, field))


def _spread(case: str, metric: str, theirs: dict[str, Any], ours: Any) -> Iterator[dict[str, Any]]:
    for field, key in zip(DIRECTIONS, ("apls", "gt_to_prop", "prop_to_gt"), strict=True):
        mean, low, high = theirs[f"{key}_mean_min_max"]
        if mean is None:  # an empty proposal, which that program gives no number
            mean = low = high = 0.0
        yield _row(case, metric, field, mean, low, high, getattr(ours, field))


def _topo(case: str, theirs: dict[str, float], ours: Any) -> Iterator[dict[str, Any]]:
    for field in ("precision", "recall", "f1"):
        value = theirs[field]
        yield _row(case, "topo", field, value, value, value, getattr(ours, field))


def _row(
    case: str, metric: str, field: str, mean: float, low: float, high: float, ours: float
) -> dict[str, Any]:
    """A row; the difference is to the nearer end of the reference's spread."""
    difference = ours - min(max(ours, low), high)
    return dict(zip(FIELDS, (case, metric, field, mean, low, high, ours, difference), strict=True))


def _short(value: Any) -> Any:
    return f"{value:.9g}" if isinstance(value, float) else value


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
