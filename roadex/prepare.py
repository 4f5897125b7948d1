"""The command `python -m roadex.prepare`."""

from __future__ import annotations

import logging

from roadex.command.frame import command
from roadex.config.prepare import PrepareConfig

log = logging.getLogger(__name__)


@command("prepare")
def main(config: PrepareConfig) -> None:
    """Prepare a dataset from its raw download: check it, split it, make its labels.

    Tiles go to dataset.cache, where training finds them; if it is stopped, the same command
    continues. Unusable files are left out and named in report.json beside the tiles, and the
    exit code is then 2. manifest.json describes the tiles and how they were made.

    Examples:
      python -m roadex.prepare dataset=spacenet dataset.raw=DIR
      python -m roadex.prepare dataset=deepglobe dataset.raw=DIR dataset.workers=4
      python -m roadex.prepare dataset=massachusetts dataset.raw=DIR dataset.cache=DIR
      python -m roadex.prepare dataset=folder dataset.images=DIR dataset.lines=DIR dataset.gsd=0.5
      python -m roadex.prepare dataset=folder dataset.images=DIR dataset.lines=city.osm.pbf
    """
    from roadex.data.manifest import require_whole
    from roadex.data.prepare import prepare

    classes = config.connectivity_classes
    dataset = prepare(
        config.dataset, classes, log.info, keep_going=True, attributes=config.attributes
    )
    require_whole(dataset.folder, log.info)


if __name__ == "__main__":
    main()
