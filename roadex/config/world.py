"""What a synthetic world looks like, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields

from roadex.errors import RoadexError

# Raised whenever the same settings, seed and index give other pixels, so that caches notice.
WORLD_VERSION = 5


@dataclass(unsafe_hash=True)  # not frozen: a frozen schema would refuse every override
class WorldSettings:
    """One family of tiles; every tile draws its own character from it.

    Shares are probabilities or fractions in 0..1. Densities multiply the usual amount: 0 leaves a
    thing out, 1 is usual, 2 doubles it. The four weights say how often a landscape occurs,
    relative to each other.
    """

    size_px: int = 512
    gsd: float = 0.5  # metres per pixel
    # landscapes
    grid_weight: float = 0.36
    organic_weight: float = 0.26
    rural_weight: float = 0.22
    industrial_weight: float = 0.16
    second_style_share: float = 0.4  # tiles in which two landscapes meet
    # roads
    junction_density: float = 1.0
    dead_end_share: float = 0.2
    roundabout_share: float = 0.3  # of the junctions that have room for one
    motorway_share: float = 0.14  # tiles with a motorway, crossed on bridges only
    wide_motorway_share: float = 0.4  # of the motorways: many lanes each way, as in large cities
    # what lies between and on the roads
    railway_share: float = 0.15
    river_share: float = 0.16
    pond_share: float = 0.25
    building_density: float = 1.0
    car_park_density: float = 1.0
    tree_cover: float = 1.0
    traffic: float = 1.0
    # the sensor
    blur: float = 1.0
    noise: float = 1.0
    haze: float = 1.0
    colour_cast: float = 1.0
    jpeg_quality: int = 72  # the lowest quality a tile may be compressed with

    def check(self) -> None:
        """Refuse settings that no tile can be made with.

        Raises:
            RoadexError: names the setting and its legal range.
        """
        for name, low, high in (("size_px", 64, 8192), ("gsd", 0.1, 2.0), ("jpeg_quality", 1, 100)):
            _require(low <= getattr(self, name) <= high, self, name, f"in {low}..{high}")
        for field in fields(self):
            value = getattr(self, field.name)
            _require(value >= 0, self, field.name, "0 or more")
            if field.name.endswith("_share"):
                _require(value <= 1, self, field.name, "in 0..1")
        _require(
            sum(self.style_weights.values()) > 0, self, "grid_weight", "above 0, or another is"
        )

    @property
    def side_m(self) -> float:
        """The side of a tile in metres."""
        return self.size_px * self.gsd

    @property
    def style_weights(self) -> dict[str, float]:
        """How often each landscape occurs, by its name."""
        return {
            "grid": self.grid_weight,
            "organic": self.organic_weight,
            "rural": self.rural_weight,
            "industrial": self.industrial_weight,
        }


def _require(legal: bool, settings: WorldSettings, name: str, rule: str) -> None:
    if not legal:
        raise RoadexError(f"{name}={getattr(settings, name)}: it must be {rule}")
