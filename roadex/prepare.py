"""The command `python -m roadex.prepare`."""

from __future__ import annotations

import logging

from roadex.config.command import command
from roadex.config.root import PrepareConfig
from roadex.errors import RoadexError

log = logging.getLogger(__name__)


@command("prepare")
def main(config: PrepareConfig) -> None:
    """Prepare a dataset from its raw download: check it, split it, make its labels.

    Tiles go to dataset.cache, where training finds them; stopped at any moment, the command goes on
    where it was. Unusable files are left out and named in report.json beside the tiles, and the
    exit code is then 2. manifest.json says how the tiles were made and what they hold.

    Examples:
      python -m roadex.prepare dataset=spacenet dataset.raw=DIR
      python -m roadex.prepare dataset=deepglobe dataset.raw=DIR dataset.workers=4
      python -m roadex.prepare dataset=massachusetts dataset.raw=DIR dataset.cache=DIR
      python -m roadex.prepare dataset=folder dataset.images=DIR dataset.lines=DIR dataset.gsd=0.5
    """
    from roadex.data.prepare import prepare, problems

    classes = config.connectivity_classes
    dataset = prepare(config.dataset, classes, log.info, keep_going=True)
    found = problems(dataset.folder)
    for line in found:
        log.info("unusable: %s", line)
    if found:
        raise RoadexError(
            f"{dataset.folder / 'report.json'}: {len(found)} unusable files were left out and the "
            "rest is prepared; mend them and prepare again, or train without them"
        )


if __name__ == "__main__":
    main()
