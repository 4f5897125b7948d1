"""Scores of road masks and road networks; nothing here imports torch."""

from roadex.metrics.apls import AplsScore, apls
from roadex.metrics.settings import PRESETS, AplsSettings, MetricSettings, TopoSettings

__all__ = ["PRESETS", "AplsScore", "AplsSettings", "MetricSettings", "TopoSettings", "apls"]
