"""Schema of the group `tracking`."""

from __future__ import annotations

from dataclasses import dataclass, field

from roadex.config.limits import bounded, choice


@dataclass
class TrackingConfig:
    """Where figures and pictures go besides the run folder: W&B, TensorBoard or CSV files.

    Offline W&B needs no account: `wandb sync RUN/wandb/offline-run-*` uploads. `mode=disabled`
    turns any of them off.
    """

    kind: str = choice("wandb", "wandb", "tensorboard", "csv")
    # Seconds that a tracker may take to answer before the training goes on without it.
    patience_s: float = bounded(60.0, above=0)
    mode: str = choice("offline", "online", "offline", "disabled")
    project: str = "roadex"
    entity: str | None = None
    group: str | None = None
    tags: list[str] | None = None
    # The settings that a sweep varies in this run: they are in its name and tags.
    varied: list[str] = field(default_factory=list)
