"""From a scene to its road network: stretch, scan, decode, measure."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadex.config.graph import (
    SPURS_BY_WIDTH,
    DecodingSettings,
    needs_connectivity,
    with_chance,
)
from roadex.config.inference import InferenceConfig
from roadex.config.model import learnt_attributes
from roadex.config.trainer import Precision
from roadex.data.stretch import Calibration
from roadex.engine.device import pick_device, settled_precision
from roadex.engine.inference import Predictor, finest_gsd, working_gsd
from roadex.engine.pair_classifier import PairClassifier
from roadex.errors import RoadexError
from roadex.files import user_path
from roadex.geo.grid import check_gsd
from roadex.graph.attribute_labels import CHANNELS
from roadex.graph.attribute_reading import AttributeMaps, with_attributes
from roadex.graph.tidy import tidied
from roadex.prediction.block_scan import scan_blocks
from roadex.prediction.contrast import TRAINING, choose_contrast, unseen
from roadex.prediction.crew import Alone, Crew
from roadex.prediction.decoding import Decoding, decode
from roadex.prediction.levels import COARSE
from roadex.prediction.memory import return_freed_memory
from roadex.prediction.network import RoadNetwork
from roadex.prediction.overview import small_image
from roadex.prediction.path_decoding import PathDecoding, decode_paths
from roadex.prediction.resample import Resampling
from roadex.prediction.scan import scan
from roadex.prediction.scene import Scene
from roadex.prediction.store import Store, open_store
from roadex.prediction.summary import describe, with_speed
from roadex.prediction.view import View, fit_shape
from roadex.rasters.rasters import BANDS
from roadex.runs.load import checkpoint_file, load_checkpoint

SHIPPED = Path(__file__).parents[1] / "weights" / "real.pt"
_PROBE_PX = 64
_SMALL = 1 << 24  # pixels


@dataclass(frozen=True)
class LoadedModel:
    """A trained model with everything fixed by its training.

    Attributes:
        source: the checkpoint's path.
        key: a hash of the checkpoint.
        gsd: metres per pixel that it was trained at.
        finest_gsd: finer pixels are resampled to it, those between the two are not; None: all are
            resampled to `gsd`.
        threshold: road where the probability reaches it, chosen on validation.
        contrast: how images of more than 8 bits become 8.
        classes: of connectivity; 0 without.
        chance: of pairs of vertices that a road joins, chosen on validation; None without pairs.
        attributes: of roads, that it learnt; empty without.
        bands: numbers of the bands of GeoTIFFs that its training named; None: red, green and blue.
    """

    predictor: Predictor
    source: str
    key: str
    gsd: float
    threshold: float
    contrast: Calibration
    classes: int
    finest_gsd: float | None = None
    chance: float | None = None
    attributes: tuple[str, ...] = ()
    bands: tuple[int, ...] | None = None

    @property
    def band_count(self) -> int:
        """Bands of the images that it takes."""
        return len(self.predictor.mean)

    def bands_of(self, wanted: list[int] | None) -> list[int] | None:
        """The numbers of the bands that it takes from files; None: of those in colours.

        Red, green and blue are found in each file, whatever their numbers. Others cannot be, as
        those of a false colour: they have the numbers that they had in the training, unless
        `wanted` names them.

        Raises:
            RoadexError: as many as the model does not take are wanted.
        """
        count = self.band_count
        if wanted is None:
            in_colours = self.bands is None or self.bands in BANDS.values()
            return None if in_colours or self.bands is None else list(self.bands)
        if len(wanted) != count:
            trained = f", {list(self.bands)} in its training" if self.bands is not None else ""
            raise RoadexError(f"bands={wanted}: the model takes {count} bands{trained}")
        return wanted


@dataclass(frozen=True)
class ReadingOptions:
    """How images are read and decoded; `PredictConfig` explains the names."""

    gsd: float | None = None
    contrast: str = TRAINING
    threshold: float | None = None
    graph: DecodingSettings = SPURS_BY_WIDTH
    overview_px: int = 2048
    block_px: int = 8192
    tidy: bool = False


def load_model(
    checkpoint: str | Path | None,
    device: str = "auto",
    inference: InferenceConfig | None = None,
    precision: Precision = Precision.fp32,
) -> LoadedModel:
    """A model from a checkpoint, or from the weights that come with roadex.

    Raises:
        RoadexError: no such checkpoint, one of another version, or no such device.
    """
    if checkpoint is None and not SHIPPED.is_file():
        raise RoadexError("this installation has no weights: name some, checkpoint=best.pt")
    path = SHIPPED if checkpoint is None else user_path(checkpoint)
    content = load_checkpoint(path)
    where = pick_device(device)
    settings, precision = inference or InferenceConfig(), settled_precision(precision, where)
    predictor = Predictor(
        content.build().to(where), where, content.mean, content.std, settings, precision
    )
    probe = predictor.window(np.zeros((_PROBE_PX, _PROBE_PX, len(content.mean)), np.uint8))
    classes = len(probe["connectivity"]) if "connectivity" in probe else 0
    key = hashlib.sha256(checkpoint_file(path).read_bytes()).hexdigest()[:16]
    return LoadedModel(
        predictor,
        str(path),
        key,
        content.config.dataset.gsd,
        content.threshold,
        content.contrast,
        classes,
        finest_gsd(settings, content.config.trainer.inference),
        content.chance,
        learnt_attributes(content.config.model),
        content.config.dataset.band_numbers,
    )


def open_view(
    scene: Scene, model: LoadedModel, options: ReadingOptions
) -> tuple[View, tuple[str, ...]]:
    """The view of a scene for the model, and notes for the user.

    Raises:
        RoadexError: more than 8 bits without a known contrast; or `gsd` contradicts the image.
    """
    pixel_m, notes = _pixel_size(scene, options.gsd, model.gsd)
    working = working_gsd(max(pixel_m), model.gsd, model.finest_gsd)
    shape = fit_shape(scene.shape, pixel_m, working)
    if shape != scene.shape:
        size = f"{pixel_m[0]:.3g} x {pixel_m[1]:.3g} m"
        notes.append(f"pixels of {size} are resampled to the {working:g} m of the training")
    contrast = choose_contrast(scene, options.contrast, model.contrast)
    notes += unseen(scene, contrast)
    return View(scene, contrast, Resampling(scene.shape, shape), pixel_m), tuple(notes)


def _pixel_size(
    scene: Scene, gsd: float | None, trained: float
) -> tuple[tuple[float, float], list[str]]:
    """Width and height in metres of a scene's pixels, with a note where they are not certain.

    A coordinate system is kept; pixel steps without one, as in a world file, yield to `gsd`.
    """
    if scene.grid is not None:
        pixel_m = scene.grid.pixel_metres()
        check_gsd(scene.name, "gsd", gsd, pixel_m)
        return pixel_m, []
    start = "no coordinate system: coordinates are pixels, x to the right and y down,"
    if gsd is None and scene.pixel_m is not None:
        across, down = scene.pixel_m
        return scene.pixel_m, [f"{start} of {across:.3g} x {down:.3g} m, as its geotransform says"]
    side = gsd or trained
    assumed = "" if gsd else ", as in training (set gsd=)"
    return (side, side), [f"{start} taken to be {side:g} m{assumed}"]


def scan_identity(model: LoadedModel, options: ReadingOptions) -> dict[str, Any]:
    """Everything that the probabilities of an image depend on, besides the image."""
    predictor = model.predictor
    return {
        "checkpoint": model.key,
        "inference": asdict(predictor.settings),
        "precision": predictor.precision.value,
        "gsd": options.gsd,
        "contrast": options.contrast,
    }


def predict_scene(
    scene: Scene,
    model: LoadedModel,
    options: ReadingOptions,
    folder: Path,
    identity: dict[str, Any],
    tell: Any = lambda line: None,
    crew: Crew | None = None,
) -> RoadNetwork:
    """The road network of a scene.

    Args:
        folder: where its probabilities are kept; the same call continues from them.
        identity: what they depend on.
        tell: takes messages on how the image is read.
        crew: where the work runs; None: in this process.

    Raises:
        RoadexError: the image cannot be used, or the folder not be written.
    """
    crew = crew or Alone()
    scanned = scan_scene(scene, model, options, folder, identity, tell, crew)
    return network_of(scanned, model, options, tell, crew)


@dataclass(frozen=True)
class Scanned:
    """A scene whose probabilities are in a store.

    Attributes:
        picture: the whole image, small enough to look at.
        notes: what the user should know about how the image was read.
        failures: blocks that could not be predicted, and why.
        clock: seconds of each step so far.
    """

    view: View
    store: Store
    picture: NDArray[np.uint8]
    notes: tuple[str, ...]
    failures: dict[str, str]
    clock: dict[str, float]

    @property
    def is_small(self) -> bool:
        """Whether the memory for the remaining work does not matter."""
        return self.store.shape[0] * self.store.shape[1] <= _SMALL


def scan_scene(
    scene: Scene,
    model: LoadedModel,
    options: ReadingOptions,
    folder: Path,
    identity: dict[str, Any],
    tell: Any,
    crew: Crew,
) -> Scanned:
    """The first half of `predict_scene`, which needs the model and the open scene."""
    clock: dict[str, float] = {}
    view, notes = open_view(scene, model, options)
    for note in notes:
        tell(f"{scene.name}: {note}")
    classifier = classifier_of(model, options.graph)
    wanted = classifier.head.classes > 0 if classifier else needs_connectivity(options.graph)
    classes = model.classes if wanted else 0
    evidence_maps = classifier.head.config.evidence if classifier else 0
    attribute_maps = CHANNELS if model.attributes else 0
    store = open_store(
        folder, view.shape, classes, scene.masked, identity, evidence_maps, attribute_maps
    )
    failures: dict[str, str] = {}
    with _timed(clock, "network"):
        if crew.is_many:
            failures = scan_blocks(view, model.predictor, store, crew, options.block_px)
        else:
            scan(view, model.predictor, store)
    with _timed(clock, "overview"):
        picture = small_image(view, options.overview_px)
    return Scanned(view, store, picture, notes, failures, clock)


def network_of(
    scanned: Scanned, model: LoadedModel, options: ReadingOptions, tell: Any, crew: Crew
) -> RoadNetwork:
    """The second half of `predict_scene`."""
    view, store, notes, clock = scanned.view, scanned.store, scanned.notes, dict(scanned.clock)
    name = view.scene.name
    threshold = model.threshold if options.threshold is None else options.threshold
    with _timed(clock, "graph"):
        if not scanned.is_small:
            return_freed_memory()
        classifier = classifier_of(model, options.graph)
        if classifier is not None:
            settings = with_chance(options.graph, model.chance)
            paths = PathDecoding(store, classifier, threshold, view.gsd, settings, options.block_px)
            found = decode_paths(paths, crew, name)
        else:
            how = Decoding(store, threshold, view.gsd, options.graph, options.block_px)
            found = decode(how, crew, name)
    if model.attributes:
        with _timed(clock, "attributes"):
            maps = AttributeMaps(lambda: store.attributes, lambda: store.road, view.gsd, COARSE)
            roads = with_attributes(found.roads, maps, model.attributes)
            found = replace(found, roads=roads)
    if options.tidy:
        with _timed(clock, "tidy"):
            found = replace(found, roads=tidied(found.roads))
    if found.undecided:
        notes = (
            *notes,
            f"{found.undecided} road ends between blocks have no counterpart (block_px=)",
        )
        tell(f"{name}: {notes[-1]}")
    share = store.valid_share()
    if not share:
        notes = (*notes, "no pixel has data, so there is no road")
        tell(f"{name}: {notes[-1]}")
    facts = describe(found.roads, view.extent_m, max(view.pixel_m), share)
    summary = {**with_speed(facts, clock), "threshold": threshold}
    failures = {**scanned.failures, **found.failed}
    return RoadNetwork(
        found.roads, view, store, scanned.picture, threshold, summary, notes, failures
    )


def classifier_of(model: LoadedModel, settings: DecodingSettings) -> PairClassifier | None:
    """The classifier of pairs of vertices for the roads; None: they come from the mask.

    Raises:
        RoadexError: the settings ask for pairs, and the model classifies none.
    """
    predictor = model.predictor
    return PairClassifier.wanted(predictor.model, predictor.device, settings.decoder)


@contextmanager
def _timed(clock: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    clock[step] = time.perf_counter() - started
