"""Scores of road masks and road networks; nothing here imports torch."""

from roadex.config.metrics import PRESETS, AplsSettings, MetricSettings, TopoSettings
from roadex.metrics.apls.score import AplsScore, apls, apls_time
from roadex.metrics.summary import METRICS, mean_scores, score_many, score_pair
from roadex.metrics.topo.score import TopoScore, topo

__all__ = [
    "METRICS",
    "PRESETS",
    "AplsScore",
    "AplsSettings",
    "MetricSettings",
    "TopoScore",
    "TopoSettings",
    "apls",
    "apls_time",
    "mean_scores",
    "score_many",
    "score_pair",
    "topo",
]
