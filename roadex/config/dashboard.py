"""Schema of the command `dashboard`."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING


@dataclass
class DashboardConfig:
    """`python -m roadex.dashboard`: a workspace and a report for a project of Weights & Biases."""

    project: str = MISSING
    # The user or team; null: the account's default.
    entity: str | None = None
    # Settings that a sweep varies, by the last part of their keys: varied=[stacks,global_aware].
    varied: list[str] = field(default_factory=list)
    # Test scores of the scatter plots, bars and parallel coordinates.
    scores: list[str] = field(default_factory=lambda: ["f1", "iou", "apls"])
    title: str = "Road extraction"
    # false only writes the two definitions to `out`.
    upload: bool = True
    # A folder for workspace.json and report.json, as they are sent; null keeps none.
    out: str | None = None
