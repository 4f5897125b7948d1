"""A procedural world: aerial tiles with the road surface and the road graph they show.

`make_tile(settings, seed, index)` makes one tile from these three alone.
"""

from roadex.config.world import WORLD_VERSION, WorldSettings
from roadex.world.tile import SyntheticTile, make_tile

__all__ = ["WORLD_VERSION", "SyntheticTile", "WorldSettings", "make_tile"]
