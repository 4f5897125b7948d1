"""The command `python -m roadex.score`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from roadex.command.frame import command
from roadex.config.score import ScoreConfig
from roadex.errors import RoadexError
from roadex.graph.formats.options import COSMIQ_READER, ReadOptions, mask_rules
from roadex.metrics.pairing import Pairs, find_pairs
from roadex.metrics.summary import Job, check_names, score_many
from roadex.metrics.tables import report, text_table, write_report

log = logging.getLogger(__name__)


@command("score")
def main(config: ScoreConfig) -> None:
    """Score road networks against the truth, and show where the loss comes from.

    Takes files or folders (paired by stem): GeoJSON, GeoPackage, GraphML, SpaceNet CSV, JSON,
    RoadTracer text, City-Scale pickles and masks. Prints a table; out= keeps the scores,
    diagnose= writes maps of the missing and false links with the share of the loss of each.
    metrics= takes any of apls, apls_time, topo, length, junctions, paths, topology, relaxed,
    cldice; weight=travel_time adds apls_time, which compares travel times.

    Examples:
      python -m roadex.score truth=truth.geojson proposal=roads.geojson
      python -m roadex.score truth=DIR proposal=DIR out=DIR workers=4
      python -m roadex.score truth=t.geojson proposal=p.geojson weight=travel_time
      python -m roadex.score truth=a.json proposal=b.json metrics=[apls] apls=strict diagnose=DIR
    """
    names = config.metric_names()
    check_names(names)
    if not names:
        raise RoadexError("metrics=[]: name at least one, such as metrics=[apls]")
    settings = config.metric_settings()
    pairs = find_pairs(Path(config.truth), Path(config.proposal), read_options(config))
    _name_unpaired(pairs)
    results = score_many(pairs.jobs, settings, names, config.workers)
    content = report(results, pairs, settings)
    print(text_table(content, list(results[0].scores)))
    if config.out is not None:
        write_report(content, results, Path(config.out))
    if config.diagnose is not None:
        _diagnose(pairs.jobs, config, Path(config.diagnose))


def read_options(config: ScoreConfig) -> ReadOptions:
    """How truths and proposals are read.

    Raises:
        RoadexError: `road_above` and `road_values` are both set.
    """
    reference: dict[str, Any] = COSMIQ_READER if as_reference(config) else {}
    masks = mask_rules(config.road_above, config.road_values)
    timed = "apls_time" in config.metric_names()
    return ReadOptions(gsd=config.gsd, timed=timed, one_way=False, masks=masks, **reference)


def as_reference(config: ScoreConfig) -> bool:
    """Whether GeoJSON is read as the reference APLS program reads it."""
    if config.reader == "auto":
        return config.apls.algorithm == "cosmiq" and config.apls.renaming
    return config.reader == "cosmiq"


def _name_unpaired(pairs: Pairs) -> None:
    if pairs.without_proposal:
        names = ", ".join(pairs.without_proposal)
        log.warning("%d without a proposal, scored 0: %s", len(pairs.without_proposal), names)
    if pairs.without_truth:
        names = ", ".join(pairs.without_truth)
        log.warning("%d without a truth, not scored: %s", len(pairs.without_truth), names)


def _diagnose(jobs: list[Job], config: ScoreConfig, folder: Path) -> None:
    from roadex.metrics.diagnosis.files import write_diagnosis  # matplotlib takes a second

    for job in jobs:
        truth, proposal = job.load()
        target = folder / job.name if len(jobs) > 1 else folder
        write_diagnosis(truth, proposal, config.apls, target)
        log.info("diagnosis in %s", target)


if __name__ == "__main__":
    main()
