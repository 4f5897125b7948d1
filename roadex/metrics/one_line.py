"""The scores that people look at first, in one line."""

from __future__ import annotations

from typing import Any


def describe(metrics: dict[str, Any], split: str) -> str:
    """The main scores in one line."""
    shown = ("precision", "recall", "f1", "iou", "apls")
    line = "  ".join(f"{key} {metrics[f'{split}/{key}']:.3f}" for key in shown)
    scored, total = metrics[f"{split}/apls/n_scored"], metrics[f"{split}/apls/n_total"]
    return f"{split}: {line}  (APLS over {scored} of {total} tiles)"
