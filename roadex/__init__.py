"""roadex: road networks from satellite images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from roadex.prediction.api import RoadPredictor

__version__ = "0.1.0"


def load(checkpoint: str | Path | None = None, **settings: Any) -> RoadPredictor:
    """A trained network that draws road networks: `roadex.load().predict("city.tif")`.

    Args:
        checkpoint: a file such as RUN/checkpoints/best.pt; None: the weights that come with roadex.
        settings: device="auto", window=1024 and overlap=128 (pixels), flips=False.

    Raises:
        RoadexError: the checkpoint cannot be used.
    """
    from roadex.prediction.api import load as load_predictor  # torch takes seconds to import

    return load_predictor(checkpoint, **settings)
