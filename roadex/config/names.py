"""Settings by full key: the names that some had before, and those that change no result."""

from __future__ import annotations

from typing import Any

# Settings that version 0.1.0 named differently: full keys, then and now.
RENAMED = {
    "trainer.loaders": "trainer.num_workers",
    "trainer.recompute": "trainer.activation_checkpointing",
    "graph.gaps.least_belief": "graph.gaps.least_probability",
}


def flattened(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by full key; lists stay values."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= flattened(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def renewed(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings with earlier names replaced by present ones."""
    new: dict[str, Any] = {}
    for key, value in settings.items():
        full = f"{prefix}{key}"
        inside = renewed(value, f"{full}.") if isinstance(value, dict) else value
        new[RENAMED[full].rpartition(".")[2] if full in RENAMED else key] = inside
    return new


# Dotted keys, or their beginnings.
INCIDENTAL = (
    "resume",
    "dataset.cache",
    "dataset.workers",
    "trainer.num_workers",
    "trainer.scorers",
    "trainer.save_steps",
    "trainer.keep",
    "trainer.extendable",
    "tracking.",
    "sweep.",
)
