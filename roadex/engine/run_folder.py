"""The folder of one run: what it was made from and what it made."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig

from roadex.config.root import TrainConfig
from roadex.config.store import to_yaml
from roadex.files import write_json, write_table, write_text

PACKAGES = ("roadex", "torch", "torchvision", "timm", "numpy", "opencv-python", "networkx", "wandb")


@dataclass
class RunFolder:
    """Paths of a run, and its history as it grows."""

    path: Path
    rows: list[dict[str, float]] = field(default_factory=list)

    @property
    def best(self) -> Path:
        """The checkpoint of the best validation score."""
        return self.path / "checkpoints" / "best.pt"

    @property
    def last(self) -> Path:
        """The checkpoint after the last epoch."""
        return self.path / "checkpoints" / "last.pt"

    @property
    def overlays(self) -> Path:
        """Folder of the pictures."""
        return self.path / "overlays"

    def add_history(self, row: dict[str, float]) -> None:
        """Append an epoch to history.csv; a column that an epoch lacks stays empty."""
        self.rows.append(row)
        write_table(self.path / "history.csv", self.rows)

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Write metrics.json."""
        write_json(self.path / "metrics.json", metrics)


def open_run(config: TrainConfig) -> RunFolder:
    """The folder that Hydra chose, with the configuration, overrides and environment written."""
    hydra = HydraConfig.get()
    run = RunFolder(Path(hydra.runtime.output_dir))
    write_text(run.path / "config.yaml", to_yaml(config))
    overrides = "".join(f"- {line}\n" for line in hydra.overrides.task)
    write_text(run.path / "overrides.yaml", overrides or "[]\n")
    write_json(run.path / "environment.json", environment(config))
    return run


def environment(config: TrainConfig) -> dict[str, Any]:
    """What besides the configuration decides the outcome."""
    return {
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "seed": config.seed,
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    """Git's answer about the folder of this package; None where that is no checkout."""
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
