"""The contract of every model: its tasks, the form of its output, and any image size.

A model takes a normalised image (B, bands, H, W) of any size, of `backbone.bands` bands, red, green
and blue first, and gives for each task a list of logits maps: those of lower resolution first, if
it has any, and the one at the image's resolution (B, K, H, W) last. A map at 1/f of the resolution
is (B, K, ceil(H/f), ceil(W/f)), f 2 or 4.

With `model.paths` there is one more list, `evidence`: a single map (B, E, H, W) of features for
pairs of vertices, which its `pair_head` classifies (roadex/models/pair_head.py).
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from roadex.config.model import ModelConfig
from roadex.graph.attribute_labels import CHANNELS, spans

Logits = dict[str, list[Tensor]]
EVIDENCE = "evidence"
# The task whose channels are the classes of all attributes of roads, one attribute after another.
ATTRIBUTES = "attributes"


def task_classes(config: ModelConfig) -> dict[str, int]:
    """The classes of each task that a model solves."""
    tasks = {"segmentation": 2}
    if config.orientation_bins:
        tasks["orientation"] = config.orientation_bins + 1
    if config.connectivity:
        tasks["connectivity"] = config.connectivity_classes
    if config.attributes:
        tasks[ATTRIBUTES] = CHANNELS
    return tasks


def attribute_logits(logits: Tensor) -> dict[str, Tensor]:
    """The channels (B, K, h, w) of each attribute, of those of all (B, C, h, w)."""
    return {name: logits[:, span] for name, span in spans().items()}


def pad_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column until both sides of (B, C, H, W) divide by `multiple`."""
    bottom, right = (-image.shape[-2]) % multiple, (-image.shape[-1]) % multiple
    if not bottom and not right:
        return image
    return functional.pad(image, (0, right, 0, bottom), mode="replicate")
