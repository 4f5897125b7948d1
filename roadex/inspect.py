"""The command `python -m roadex.inspect`."""

from __future__ import annotations

import logging

from roadex.command.frame import command
from roadex.config.inspect import InspectConfig

log = logging.getLogger(__name__)


@command("inspect")
def main(config: InspectConfig) -> None:
    """Show a dataset before training: a page of tiles with masks, graphs and connectivity.

    Writes OUT/index.html, which needs no other file, and OUT/suspicious.json. Suspicious tiles come
    first: empty masks over much structure, labels that fit better when moved, the same picture
    twice, pictures of one colour, tiles without data. With beside=DIR a second page, beside.html,
    shows crops of the dataset and of the images in DIR side by side, on one scale, and what is
    measured on both. Unusable files are left out and named, and the exit code is then 2.

    Examples:
      python -m roadex.inspect dataset=deepglobe dataset.raw=DIR out=DIR
      python -m roadex.inspect dataset=spacenet dataset.raw=DIR out=DIR tiles=100
      python -m roadex.inspect dataset=folder dataset.images=DIR dataset.masks=DIR out=DIR
      python -m roadex.inspect dataset=synthetic out=DIR beside=IMAGES beside_gsd=0.25
    """
    from roadex.inspection.survey import survey

    survey(config, log.info)


if __name__ == "__main__":
    main()
