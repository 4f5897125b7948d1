"""The command `python -m roadex.predict`."""

from __future__ import annotations

import logging

from roadex.command.frame import command
from roadex.config.predict import PredictConfig
from roadex.errors import RoadexError

log = logging.getLogger(__name__)


@command("predict")
def main(config: PredictConfig) -> None:
    """Draw the road network of satellite images of any size.

    Takes GeoTIFF, VRT, PNG or JPEG: a file, a folder, a pattern, a text file that lists them, an
    address (https://, s3://) or STAC items. For each NAME it writes to out
    NAME.probability.tif (on the image's grid), NAME.roads.gpkg (in the image's coordinate system),
    NAME.roads.geojson (WGS 84), NAME.graphml (for routing), NAME.csv (SpaceNet), NAME.png
    (overview), NAME.html (map) and NAME.summary.json. If it is stopped, the same command
    continues. A file that cannot be used is named and left out; the exit code is then 2.
    With mosaic=true all images give one network, without seams at their edges.

    Examples:
      python -m roadex.predict checkpoint=best.pt input=city.tif out=DIR
      python -m roadex.predict checkpoint=best.pt input="tiles/*.tif" out=DIR inference.flips=true
      python -m roadex.predict input=photo.jpg gsd=0.3 out=DIR
      python -m roadex.predict input=DIR bands=[5,3,2] contrast=image out=DIR
      python -m roadex.predict input=tiles/ mosaic=true aoi=district.geojson out=DIR
    """
    from roadex.prediction.batch import predict_all  # torch takes seconds, --help should not

    failures, total = predict_all(config, log.info)
    if failures:
        raise RoadexError(
            f"{len(failures)} of {total} images could not be used ({', '.join(failures)}), see "
            f"above; what could is in {config.out}"
        )


if __name__ == "__main__":
    main()
