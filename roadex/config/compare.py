"""Schema of the command `python -m roadex.compare`."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING

from roadex.config.limits import bounded


@dataclass
class CompareConfig:
    """What is compared, what counts as the same road, and where the files go."""

    # The existing map: an OpenStreetMap extract, or any file of road networks.
    map: str = MISSING
    # The roads seen in imagery, or a later map.
    roads: str = MISSING
    # A folder for the files.
    out: str = MISSING
    # A file of polygons outside which nothing is compared; null: the rectangle that both
    # cover, or the image of `probability`.
    area: str | None = None
    # NAME.probability.tif of roadex.predict: explains why roads were not found.
    probability: str | None = None
    # Roads of a lower probability count as faint.
    threshold: float = bounded(0.5, above=0, most=1)
    # Metres within which two roads are the same one.
    match_m: float = bounded(8.0, above=0)
    # Metres within which a road has moved, where neither matches another road.
    moved_m: float = bounded(25.0, above=0)
    # Degrees by which the directions of one road may differ.
    angle: float = bounded(30.0, above=0, most=60)
    # Shorter segments, in metres, are merged with the longer segment beside them.
    min_segment_m: float = bounded(15.0, least=0)
    # Metres between the places that are compared.
    sample_m: float = bounded(5.0, least=0.5, most=50)
    # Widths have changed by more than this share of the larger one (and by more than 2 m).
    width_share: float = bounded(0.35, above=0, most=1)
    # Metres per pixel of inputs in pixels; null: from the files.
    gsd: float | None = bounded(None, above=0)
    # A value of a mask above this is road, or one of `road_values`; null for both: as its values
    # say, where they leave no doubt.
    road_above: float | None = None
    road_values: list[int] | None = None
