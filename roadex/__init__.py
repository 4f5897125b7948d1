"""roadex: road networks from satellite images.

The names below are imported on first use, since torch takes seconds.
"""

from __future__ import annotations

from roadex import early  # noqa: F401 - first, so that a training can be left from now on

# isort: split
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from roadex.graph import mask_to_graph
    from roadex.graph.formats import read_network, write_network
    from roadex.graph.formats.lazy import open_network
    from roadex.metrics import apls, topo
    from roadex.prediction.api import RoadPredictor
    from roadex.prediction.network import RoadNetwork

__version__ = "0.1.0"
__all__ = [
    "RoadNetwork",
    "__version__",
    "apls",
    "load",
    "mask_to_graph",
    "open_network",
    "read_network",
    "topo",
    "write_network",
]

_HOMES = {
    "RoadNetwork": "roadex.prediction.network",
    "apls": "roadex.metrics",
    "mask_to_graph": "roadex.graph",
    "open_network": "roadex.graph.formats.lazy",
    "read_network": "roadex.graph.formats",
    "topo": "roadex.metrics",
    "write_network": "roadex.graph.formats",
}


def load(checkpoint: str | Path | None = None, **settings: Any) -> RoadPredictor:
    """A trained model that draws road networks: `roadex.load().predict("city.tif")`.

    Args:
        checkpoint: a file such as RUN/checkpoints/best.pt; None: the weights that come with roadex.
        settings: device="auto", window=1024 and overlap=128 (pixels), flips=False.

    Raises:
        RoadexError: the checkpoint cannot be used.
    """
    from roadex.prediction.api import load as load_predictor

    return load_predictor(checkpoint, **settings)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'roadex' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
