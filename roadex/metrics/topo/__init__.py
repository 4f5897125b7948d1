"""TOPO in Sat2Graph's flavour."""

from roadex.metrics.topo.score import TopoScore, topo

__all__ = ["TopoScore", "topo"]
