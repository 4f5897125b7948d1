"""What determines the outcome of a run, apart from its configuration."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from roadex.data.prepared import MAIN, PreparedDataset
from roadex.data.splits import split_hash
from roadex.revision import git

PACKAGES = ("roadex", "torch", "torchvision", "timm", "numpy", "opencv-python", "networkx", "wandb")
# Entries whose change may alter the last digits of a continued or repeated run.
DECISIVE = ("commit", "uncommitted_changes", "python", "packages", "threads", "gpus", "numerics")


def environment(seed: int) -> dict[str, Any]:
    """The code, the libraries and the machine, as JSON values."""
    return {
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "seed": seed,
        "commit": git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(git("status", "--porcelain", "--untracked-files=no")),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "cuda": torch.version.cuda,
        "numerics": _numerics(),
    }


def dataset_facts(dataset: PreparedDataset) -> dict[str, Any]:
    """Which data were used: hashes of the prepared tiles' manifest and of the split lists."""
    facts: dict[str, Any] = {
        "folder": str(dataset.folder),
        "manifest_sha256": _manifest_hash(dataset.folder),
        "split_hash": split_hash(dataset.splits),
        "tiles": {split: len(names) for split, names in dataset.splits.items()},
    }
    further = {key: member.folder for key, member in dataset.members.items() if key != MAIN}
    if further:
        facts["datasets"] = {
            key: {"folder": str(folder), "manifest_sha256": _manifest_hash(folder)}
            for key, folder in further.items()
        }
    return facts


def _manifest_hash(folder: Path) -> str:
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Entries that differ and matter, each as `key: before -> now`."""
    changed = [key for key in DECISIVE if key in before and before[key] != now[key]]
    return [f"{key}: {_parts(before[key], now[key])}" for key in changed]


def _parts(before: Any, now: Any) -> str:
    """The change of a value, of a table only the entries that changed."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [key for key in now if before.get(key) != now[key]]
        return ", ".join(f"{key} {before.get(key)} -> {now[key]}" for key in keys)
    return f"{before} -> {now}"


def _numerics() -> dict[str, Any]:
    """The switches of PyTorch that trade exactness for speed."""
    return {
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "cudnn_deterministic": torch.backends.cudnn.deterministic,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "cudnn_tf32": torch.backends.cudnn.allow_tf32,
        "matmul_precision": torch.get_float32_matmul_precision(),
        "cublas_workspace": os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
