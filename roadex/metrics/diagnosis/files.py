"""A diagnosis as files: GeoJSON, two pictures and a text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx as nx

from roadex.config.metrics import AplsSettings
from roadex.files import write_json, write_text
from roadex.geo.crs import reproject
from roadex.metrics.diagnosis.diagnosis import Diagnosis, diagnose
from roadex.metrics.diagnosis.map import draw_causes, draw_routes
from roadex.metrics.roads import Floats

SHOWN = 12
DEGREES = "EPSG:4326"


def write_diagnosis(
    truth: nx.MultiGraph, proposal: nx.MultiGraph, settings: AplsSettings, folder: Path
) -> Diagnosis:
    """Write diagnosis.geojson, causes.png, routes.png and diagnosis.md into a folder."""
    crs = truth.graph.get("crs")
    result = diagnose(truth, proposal, settings)
    write_json(folder / "diagnosis.geojson", feature_collection(result, crs))
    draw_causes(result, folder / "causes.png", y_down=crs is None)
    draw_routes(result, folder / "routes.png", y_down=crs is None)
    write_text(folder / "diagnosis.md", summary(result))
    return result


def summary(result: Diagnosis) -> str:
    """The diagnosis as Markdown: the score, the loss by kind, and the most expensive causes."""
    lines = [
        "# Why the score is what it is",
        "",
        f"APLS {result.value:.4f}: truth to proposal {result.truth_to_proposal:.4f}, "
        f"proposal to truth {result.proposal_to_truth:.4f}.",
    ]
    if result.sampled:
        lines.append("Only the routes of a sample of control points were looked at.")
    lines += ["", "| kind of cause | share of the loss | how many | metres |", "|---|---|---|---|"]
    for kind, share in sorted(result.shares().items(), key=lambda item: -item[1]):
        found = [cause for cause in result.causes if cause.kind == kind]
        if share > 0:
            length = sum(cause.length for cause in found)
            count, metres = (len(found), f"{length:.0f}") if found else ("", "")
            lines.append(f"| {kind} | {share:.1%} | {count} | {metres} |")
    lines += ["", "| no. | cause | share | metres | costly routes | at x, y |"]
    lines.append("|---|---|---|---|---|---|")
    for number, cause in enumerate(result.causes[:SHOWN], start=1):
        x, y = cause.centre
        lines.append(
            f"| {number} | {cause.kind} | {cause.share:.1%} | {cause.length:.0f} "
            f"| {cause.routes} | {x:.0f}, {y:.0f} |"
        )
    lines += ["", "| route | of | metres | in the other network | cost |", "|---|---|---|---|---|"]
    for letter, route in zip("ABCDEFGHIJ", result.routes, strict=False):
        other = f"{route.other:.0f}" if route.other < float("inf") else "none"
        whose = "truth" if route.of_truth else "proposal"
        lines.append(f"| {letter} | {whose} | {route.own:.0f} | {other} | {route.cost:.2f} |")
    return "\n".join(lines) + "\n"


def feature_collection(result: Diagnosis, crs: str | None) -> dict[str, Any]:
    """All layers as one GeoJSON: in degrees, or in metres of the image frame without a CRS."""
    content: dict[str, Any] = {"type": "FeatureCollection"}
    if crs is None:
        content["roadex"] = {"units": "m", "frame": "image"}
    content["features"] = [
        {
            "type": "Feature",
            "properties": properties,
            "geometry": {
                "type": "MultiLineString",
                "coordinates": [_coordinates(line, crs) for line in lines],
            },
        }
        for properties, lines in _layers(result)
    ]
    return content


def _layers(result: Diagnosis) -> Iterator[tuple[dict[str, Any], list[Floats]]]:
    yield {"layer": "truth"}, result.truth.lines
    yield {"layer": "proposal"}, result.proposal.lines
    for number, cause in enumerate(result.causes, start=1):
        properties = {"layer": "cause", "number": number, "kind": cause.kind}
        numbers = {"share": cause.share, "metres": cause.length, "routes": cause.routes}
        yield {**properties, **numbers}, cause.lines
    for route in result.routes:
        whose = "truth" if route.of_truth else "proposal"
        other = route.other if route.other < float("inf") else None
        properties = {"layer": "route", "of": whose, "metres": route.own, "other_metres": other}
        yield {**properties, "cost": route.cost}, [route.line]


def _coordinates(line: Floats, crs: str | None) -> list[list[float]]:
    points = line if crs is None else reproject(line, crs, DEGREES)
    return [[float(x), float(y)] for x, y in points]
