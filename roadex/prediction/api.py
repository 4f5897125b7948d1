"""Prediction from Python: `roadex.load(...).predict(...)`."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from roadex.config.graph import SPURS_BY_WIDTH, DecodingSettings
from roadex.config.inference import InferenceConfig
from roadex.errors import RoadexError
from roadex.files import user_path
from roadex.graph import GraphSettings
from roadex.prediction.contrast import TRAINING
from roadex.prediction.inputs import find_images
from roadex.prediction.mosaic import mosaic_of
from roadex.prediction.network import RoadNetwork
from roadex.prediction.pipeline import LoadedModel, ReadingOptions, load_model, predict_scene
from roadex.prediction.scene import Scene, array_scene, open_scene
from roadex.rasters.remote import Source, as_source

Image = str | Path | Sequence[str | Path] | NDArray[Any]


@dataclass(frozen=True)
class RoadPredictor:
    """A trained model that draws road networks.

    Attributes:
        model: its weights and what they were trained with.
    """

    model: LoadedModel

    def __repr__(self) -> str:
        """The file, pixel size and threshold."""
        model = self.model
        return f"RoadPredictor({model.source!r}, gsd={model.gsd:g}, threshold={model.threshold:g})"

    @property
    def gsd(self) -> float:
        """Metres per pixel of the images that it was trained on."""
        return self.model.gsd

    def predict(
        self,
        source: Image,
        *,
        gsd: float | None = None,
        bands: list[int] | None = None,
        contrast: str = TRAINING,
        threshold: float | None = None,
        graph: GraphSettings | None = None,
    ) -> RoadNetwork:
        """The road network of an image of any size.

        Args:
            source: a raster file or its address, several of them or their folder, which give
                one network, or an array (rows, columns, bands), RGB or the bands of the training,
                uint8 or uint16.
            gsd: metres per pixel of an image without a georeference; None: as trained.
            bands: numbers of a file's bands, from 1, as many as the training had.
            contrast: how 16 bits become 8: "training", one of its cities, or "image".
            threshold: road where the probability reaches it; None: as chosen on validation.
            graph: how probabilities become a graph, in metres; None: as the command does.

        Raises:
            RoadexError: the image cannot be used.
        """
        options = ReadingOptions(gsd, contrast, threshold, _decoding(graph))
        folder = Path(tempfile.mkdtemp(prefix="roadex-"))
        try:
            with _opened(source, self.model, bands) as scene:
                found = predict_scene(scene, self.model, options, folder / "work", {})
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        weakref.finalize(found, shutil.rmtree, folder, ignore_errors=True)
        return found


@contextmanager
def _opened(source: Image, model: LoadedModel, bands: list[int] | None) -> Iterator[Scene]:
    files, bands = _files(source), model.bands_of(bands)
    if files is not None:
        mosaic = mosaic_of(files, "mosaic", bands)
        if mosaic.failures:
            raise RoadexError(next(iter(mosaic.failures.values())))
        yield mosaic
    elif isinstance(source, (str, Path)):
        with open_scene(as_source(source), bands) as scene:
            yield scene
    else:
        assert not isinstance(source, Sequence)
        yield array_scene(source, bands=model.band_count)


def _decoding(graph: GraphSettings | None) -> DecodingSettings:
    """The decoding settings; plain `GraphSettings` mean roads from the mask."""
    if graph is None:
        return SPURS_BY_WIDTH
    if isinstance(graph, DecodingSettings):
        return graph
    return DecodingSettings(**vars(graph), decoder="mask")


def _files(source: Image) -> list[Source] | None:
    """The images of a source that holds several; None for one image."""
    if isinstance(source, Sequence) and not isinstance(source, str):
        return [as_source(path) for path in source]
    if isinstance(source, (str, Path)) and user_path(source).is_dir():
        return find_images(str(source))
    return None


def load(
    checkpoint: str | Path | None = None,
    *,
    device: str = "auto",
    window: int = 1024,
    overlap: int = 128,
    flips: bool = False,
) -> RoadPredictor:
    """See `roadex.load`."""
    return RoadPredictor(load_model(checkpoint, device, InferenceConfig(window, overlap, flips)))
