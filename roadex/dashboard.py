"""The command `python -m roadex.dashboard`."""

from __future__ import annotations

import logging

from roadex.command.frame import command
from roadex.config.dashboard import DashboardConfig

log = logging.getLogger(__name__)


@command("dashboard")
def main(config: DashboardConfig) -> None:
    """Make a workspace and a report in Weights & Biases for the trainings of a project.

    Both show the losses of each task and stack, validation curves, test scores against the
    settings that a sweep varies, and the tables and overlays of test tiles. Runs of one setting are
    one line, with the standard deviation over their seeds.

    Examples:
      python -m roadex.dashboard project=roadex
      python -m roadex.dashboard project=roadex varied=[stacks,global_aware]
      python -m roadex.dashboard project=roadex upload=false out=DIR
    """
    from roadex.tracking.dashboard import make_dashboard  # wandb takes seconds, --help should not

    for line in make_dashboard(config):
        log.info("%s", line)


if __name__ == "__main__":
    main()
