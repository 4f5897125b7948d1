"""Schema of the group `tracking`."""

from __future__ import annotations

from dataclasses import dataclass, field

from roadex.config.limits import choice


@dataclass
class TrackingConfig:
    """Weights & Biases. Offline needs no account: `wandb sync RUN/wandb/offline-run-*` uploads."""

    mode: str = choice("offline", "online", "offline", "disabled")
    project: str = "roadex"
    entity: str | None = None
    group: str | None = None
    tags: list[str] | None = None
    # The settings that a sweep varies in this run: they are in its name and tags.
    varied: list[str] = field(default_factory=list)
