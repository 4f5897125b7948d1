"""Scores as files, as text, and in one line."""

from __future__ import annotations

import csv
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from roadex.config.metrics import MetricSettings
from roadex.files import atomic_write, write_json
from roadex.metrics.pairing import Pairs
from roadex.metrics.summary import PairScore, Scores, mean_scores, pooled_scores

NOT_SCORED = "not scored"


def report(results: list[PairScore], pairs: Pairs, settings: MetricSettings) -> dict[str, Any]:
    """The content of a report: flat scores, then their settings. What is not scored is null.

    A single pair has its scores; several have means, each with KEY/n_scored and KEY/n_total, and
    under `pooled` the scores of all pairs together.
    """
    content: dict[str, Any] = dict(mean_scores(results))
    if len(results) == 1:
        content = dict(results[0].scores)
        content["counts"] = results[0].counts
    else:
        content["pooled"] = pooled_scores(results, settings)
    content["n_scored"] = sum(_any_scored(result.scores) for result in results)
    content["n_total"] = len(results)
    content["settings"] = asdict(settings)
    content["without_proposal"] = pairs.without_proposal
    content["without_truth"] = pairs.without_truth
    return {key: _without_nan(value) for key, value in content.items()}


def write_report(content: dict[str, Any], results: list[PairScore], out: Path) -> None:
    """Write NAME.json, or into a folder scores.json and tiles.csv."""
    if out.suffix.lower() == ".json":
        write_json(out, content)
        return
    write_json(out / "scores.json", content)
    _write_tiles(results, out / "tiles.csv")


def _write_tiles(results: list[PairScore], path: Path) -> None:
    columns = [*results[0].scores, *(f"counts/{key}" for key in results[0].counts)]
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", *columns])
        for result in results:
            values = [*result.scores.values(), *result.counts.values()]
            writer.writerow([result.name, *("" if math.isnan(v) else v for v in values)])


def text_table(content: dict[str, Any], keys: list[str]) -> str:
    """The scores as a table to read."""
    pooled: Scores | None = content.get("pooled")
    header = f"{'':<26}{'mean':>10}{'scored':>12}{'pooled':>10}" if pooled is not None else ""
    lines = [header] if header else []
    for key in keys:
        line = f"{key:<26}{_cell(content[key]):>10}"
        if pooled is not None:
            scored = f"{content[f'{key}/n_scored']}/{content[f'{key}/n_total']}"
            line += f"{scored:>12}{_cell(pooled[key]):>10}"
        lines.append(line)
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return NOT_SCORED if value is None else f"{value:.4f}"


def _any_scored(scores: Scores) -> bool:
    return any(not math.isnan(value) for value in scores.values())


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def describe(metrics: dict[str, Any], split: str) -> str:
    """The main scores in one line."""
    shown = ("precision", "recall", "f1", "iou", "apls")
    line = "  ".join(f"{key} {metrics[f'{split}/{key}']:.3f}" for key in shown)
    scored, total = metrics[f"{split}/apls/n_scored"], metrics[f"{split}/apls/n_total"]
    return f"{split}: {line}  (APLS over {scored} of {total} tiles)"
