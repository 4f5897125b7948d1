"""From a scene to its road network: stretch, scan, decode, measure."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from roadex.config.graph import SPURS_BY_WIDTH
from roadex.config.inference import InferenceConfig
from roadex.config.trainer import Precision
from roadex.data.stretch import Calibration
from roadex.engine.device import pick_device
from roadex.engine.inference import Predictor
from roadex.errors import RoadexError
from roadex.graph import GraphSettings, probabilities_to_graph
from roadex.prediction.contrast import TRAINING, choose_contrast
from roadex.prediction.memory import return_freed_memory
from roadex.prediction.network import RoadNetwork
from roadex.prediction.overview import small_image
from roadex.prediction.place import add_probabilities
from roadex.prediction.resample import Resampling
from roadex.prediction.scan import scan
from roadex.prediction.scene import Scene
from roadex.prediction.store import Store, open_store
from roadex.prediction.summary import describe, with_speed
from roadex.prediction.view import View, fit_shape
from roadex.runs.exported import DESCRIPTION
from roadex.runs.load import load_checkpoint

SHIPPED = Path(__file__).parents[1] / "weights" / "world.pt"
_PROBE_PX = 64


@dataclass(frozen=True)
class Network:
    """A trained network and all that its training fixed.

    Attributes:
        source: the checkpoint's path.
        key: a hash of the checkpoint.
        gsd: metres per pixel that it was trained at.
        threshold: road where the probability reaches it, chosen on validation.
        contrast: how images of more than 8 bits become 8.
        classes: of connectivity; 0 without.
    """

    predictor: Predictor
    source: str
    key: str
    gsd: float
    threshold: float
    contrast: Calibration
    classes: int


@dataclass(frozen=True)
class Wishes:
    """How images are to be read and decoded; see `PredictConfig` for what the names mean."""

    gsd: float | None = None
    contrast: str = TRAINING
    threshold: float | None = None
    graph: GraphSettings = SPURS_BY_WIDTH
    overview_px: int = 2048


def open_network(
    checkpoint: str | Path | None,
    device: str = "auto",
    inference: InferenceConfig | None = None,
    precision: Precision = Precision.fp32,
) -> Network:
    """A network from a checkpoint, or from the weights that come with roadex.

    Raises:
        RoadexError: no such checkpoint, one of another version, or no such device.
    """
    if checkpoint is None and not SHIPPED.is_file():
        raise RoadexError("no weights came with this installation: name some, checkpoint=best.pt")
    path = SHIPPED if checkpoint is None else Path(checkpoint).expanduser()
    content = load_checkpoint(path)
    where = pick_device(device)
    settings = inference or InferenceConfig()
    predictor = Predictor(
        content.build().to(where), where, content.mean, content.std, settings, precision
    )
    probe = predictor.window(np.zeros((_PROBE_PX, _PROBE_PX, 3), np.uint8))
    classes = len(probe["connectivity"]) if "connectivity" in probe else 0
    described = path / DESCRIPTION if path.is_dir() else path
    key = hashlib.sha256(described.read_bytes()).hexdigest()[:16]
    gsd = content.config.dataset.gsd
    return Network(predictor, str(path), key, gsd, content.threshold, content.contrast, classes)


def open_view(scene: Scene, network: Network, wishes: Wishes) -> tuple[View, tuple[str, ...]]:
    """A scene as the network is to see it, and what its user should know about that.

    Raises:
        RoadexError: more than 8 bits, and nothing says how to bring them to 8.
    """
    notes = []
    if scene.grid is not None:
        pixel_m = scene.grid.pixel_metres()
    else:
        side = wishes.gsd or network.gsd
        pixel_m = (side, side)
        assumed = "" if wishes.gsd else ", as in training (set gsd=)"
        notes.append(
            f"no coordinate system: coordinates are pixels, taken to be {side:g} m{assumed}"
        )
    shape = fit_shape(scene.shape, pixel_m, network.gsd)
    if shape != scene.shape:
        size = f"{pixel_m[0]:.3g} x {pixel_m[1]:.3g} m"
        notes.append(f"pixels of {size} are resampled to the {network.gsd:g} m of the training")
    contrast = choose_contrast(scene, wishes.contrast, network.contrast)
    return View(scene, contrast, Resampling(scene.shape, shape), pixel_m), tuple(notes)


def scan_identity(network: Network, wishes: Wishes) -> dict[str, Any]:
    """What the probabilities of an image depend on, besides the image."""
    predictor = network.predictor
    return {
        "checkpoint": network.key,
        "inference": asdict(predictor.settings),
        "precision": predictor.precision.value,
        "gsd": wishes.gsd,
        "contrast": wishes.contrast,
    }


def predict_scene(
    scene: Scene,
    network: Network,
    wishes: Wishes,
    folder: Path,
    identity: dict[str, Any],
    tell: Any = lambda line: None,
) -> RoadNetwork:
    """The road network of a scene.

    Args:
        folder: where its probabilities are kept; the same call goes on from what is there.
        identity: what they depend on.
        tell: takes lines on how the image is read.

    Raises:
        RoadexError: the image cannot be used, or the folder not be written.
    """
    clock: dict[str, float] = {}
    view, notes = open_view(scene, network, wishes)
    for note in notes:
        tell(f"{scene.name}: {note}")
    store = open_store(folder, view.shape, network.classes, scene.masked, identity)
    with _timed(clock, "network"):
        scan(view, network.predictor, store)
        return_freed_memory()
    threshold = network.threshold if wishes.threshold is None else wishes.threshold
    with _timed(clock, "graph"):
        frame = decode(store, threshold, view.gsd, wishes.graph)
    with _timed(clock, "overview"):
        picture = small_image(view, wishes.overview_px)
    share = 1.0 if store.valid is None else float(np.mean(store.valid))
    if not share:
        notes = (*notes, "no pixel has data, so there is no road")
        tell(f"{scene.name}: {notes[-1]}")
    facts = describe(frame, view.extent_m, max(view.pixel_m), share)
    summary = {**with_speed(facts, clock), "threshold": threshold}
    return RoadNetwork(frame, view, store, picture, threshold, summary, notes)


def decode(
    store: Store, threshold: float, gsd: tuple[float, float], settings: GraphSettings
) -> nx.MultiGraph:
    """The graph of the whole image in metres in its frame, each road with its probability."""
    frame = probabilities_to_graph(store.road, store.connectivity, threshold, gsd, settings)
    add_probabilities(frame, store.road, gsd)
    return frame


@contextmanager
def _timed(clock: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    clock[step] = time.perf_counter() - started
