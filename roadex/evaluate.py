"""The command `python -m roadex.evaluate`."""

from __future__ import annotations

import logging
from pathlib import Path

from roadex.command.frame import command
from roadex.config.evaluate import EvaluateConfig
from roadex.metrics.tables import describe

log = logging.getLogger(__name__)


@command("evaluate")
def main(config: EvaluateConfig) -> None:
    """Score a checkpoint on a split: pixels, and the road graphs that it draws.

    Writes out/metrics.json, out/graphs.csv (a row for each tile, its pixels too), out/graphs and
    out/truth (GeoJSON) and out/overlays. Without dataset= it takes all datasets of the training.
    With pairs=true also out/pairs.csv and out/pairs: pairs of vertices lost and invented.

    Examples:
      python -m roadex.evaluate checkpoint=RUN/checkpoints/best.pt out=DIR
      python -m roadex.evaluate checkpoint=best.pt out=DIR split=validation inference.flips=true
      python -m roadex.evaluate checkpoint=best.pt out=DIR dataset=deepglobe dataset.root=DIR
    """
    from roadex.engine.testing import evaluate_checkpoint  # torch takes seconds, --help should not

    metrics = evaluate_checkpoint(config)
    log.info("%s", describe(metrics, config.split))
    log.info("scores in %s", Path(config.out) / "metrics.json")


if __name__ == "__main__":
    main()
