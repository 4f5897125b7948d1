"""The command `python -m roadex.synthesize`."""

from __future__ import annotations

import logging

from roadex.command.frame import command
from roadex.config.synthesize import SynthesizeConfig

log = logging.getLogger(__name__)


@command("synthesize")
def main(config: SynthesizeConfig) -> None:
    """Write the built-in world as the files of a published dataset, to try a reader without it.

    Layouts: spacenet (16-bit GeoTIFF and GeoJSON), deepglobe, massachusetts, cityscale, roadtracer.
    Tiles have the size and resolution of the original unless size_px and gsd say otherwise.

    Examples:
      python -m roadex.synthesize layout=spacenet out=DIR tiles=200 seed=1
      python -m roadex.synthesize layout=massachusetts out=DIR tiles=20 size_px=512
      python -m roadex.synthesize layout=cityscale out=DIR tiles=30 world.tree_cover=2
      python -m roadex.prepare dataset=spacenet dataset.raw=DIR
    """
    from roadex.data.layouts import synthesize

    world = synthesize(config)
    size = f"{world.size_px}x{world.size_px} px at {world.gsd} m"
    log.info("%s tiles of %s in %s", config.tiles, size, config.out)


if __name__ == "__main__":
    main()
