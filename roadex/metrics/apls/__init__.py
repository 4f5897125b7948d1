"""Average path length similarity, in the flavours of its two reference programs."""

from roadex.metrics.apls.score import AplsScore, apls

__all__ = ["AplsScore", "apls"]
