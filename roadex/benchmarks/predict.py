"""The cost of roadex.predict compared with the bare model, and with a smaller image."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from roadex.benchmarks._settings import parse_settings
from roadex.config.inference import InferenceConfig
from roadex.config.limits import bounded
from roadex.config.predict import PredictConfig
from roadex.engine.inference import windows
from roadex.geo.grid import Georeference
from roadex.prediction.batch import predict_all
from roadex.prediction.pipeline import SHIPPED, LoadedModel, load_model
from roadex.rasters.rasters import write_raster


@dataclass(frozen=True)
class Seconds:
    """Of the processor, which a busy machine does not distort, and of the clock."""

    processor: float
    clock: float


@dataclass
class Settings:
    """The benchmark's settings."""

    # Sides of the image and of the windows, in pixels.
    size: int = bounded(2048, least=128)
    window: int = bounded(512, least=64)
    overlap: int = bounded(64, least=0)
    repeats: int = bounded(2, least=1)
    # Images of this size that one command predicts.
    files: int = bounded(4, least=2)
    # null: the weights that come with roadex.
    checkpoint: str | None = None


def main(overrides: list[str]) -> None:
    """All windows of an image through the model alone, then the whole command.

    The command reads the GeoTIFF, blends, decodes the graph and writes every file. A second image
    of a quarter of the area shows whether the cost grows with the area, and a folder what one more
    file costs.

    Settings: size=2048 and window=512, overlap=64 (pixels), repeats=2, files=4, checkpoint=FILE
    (the weights that come with roadex, if none is given).
    """
    settings = parse_settings(Settings, overrides)
    size, repeats = settings.size, settings.repeats
    checkpoint = settings.checkpoint or str(SHIPPED)
    inference = InferenceConfig(settings.window, settings.overlap)
    model = load_model(checkpoint, "auto", inference)
    with tempfile.TemporaryDirectory() as folder:
        config = PredictConfig(input="", out="", checkpoint=checkpoint, inference=inference)
        bare = _best(lambda: _bare(model, town(size)), repeats)
        whole = _best(_command(config, Path(folder), size, model.gsd), repeats)
        quarter = _best(_command(config, Path(folder), size // 2, model.gsd), repeats)
        folder_of_them = _command(config, Path(folder), size, model.gsd, settings.files)
        many = _best(folder_of_them, repeats)
    parameters = sum(p.numel() for p in model.predictor.model.parameters())
    print(f"{size} x {size} pixels, windows of {inference.window}, {parameters:,} parameters")
    print(f"{'':32s} {'processor s':>11s} {'clock s':>8s} {'ratio':>6s}")
    _row("the model alone", bare, bare)
    _row("roadex.predict, all of it", whole, bare)
    _row("roadex.predict, one more file", _each_more(many, whole, settings.files), bare)
    grown = whole.processor / max(quarter.processor, 1e-9)
    print(f"four times the area costs {grown:.2f} times the processor seconds")


def town(side: int) -> NDArray[np.uint8]:
    """A square image (side, side, 3) of a grid of bright streets on noise."""
    image = np.random.default_rng(0).integers(40, 90, (side, side, 3)).astype(np.uint8)
    place = np.arange(side) % 200 < 20
    image[place[:, None] | place[None, :]] = 170
    return image


@torch.inference_mode()
def _bare(model: LoadedModel, image: NDArray[np.uint8]) -> None:
    """The forward passes alone, without normalisation or blending."""
    predictor = model.predictor
    predictor.model.eval()
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float().to(predictor.device) / 255
    height, width = image.shape[:2]
    for rows, columns in windows(height, width, predictor.settings):
        logits = predictor.model(pixels[:, :, rows, columns].contiguous())
    logits["segmentation"][-1].cpu()


def _command(
    config: PredictConfig, folder: Path, side: int, gsd: float, files: int = 1
) -> Callable[[], None]:
    """The command on `files` images that lie on the disk."""
    images = folder / f"{files}-of-{side}"
    images.mkdir()
    grid = Georeference("EPSG:32632", (5e5, 5e6), (gsd, -gsd), (side, side))
    for number in range(files):
        write_raster(images / f"town{number}.tif", town(side), grid)
    changes = {"input": str(images), "out": str(folder / "out")}
    config = PredictConfig(**{**vars(config), **changes})

    def run() -> None:
        for path in (folder / "out").glob("*.summary.json"):
            path.unlink()
        config.overwrite = True
        failures, _ = predict_all(config, lambda line: None)
        assert not failures

    return run


def _best(work: Callable[[], None], repeats: int) -> Seconds:
    """The least seconds of some runs after a first that is not counted."""
    work()
    found = []
    for _ in range(repeats):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        found.append((time.process_time() - processor, time.perf_counter() - clock))
    return Seconds(*(min(column) for column in zip(*found, strict=True)))


def _each_more(many: Seconds, one: Seconds, files: int) -> Seconds:
    """The cost of each file after the first, so without loading the model."""
    spent = ((getattr(many, k) - getattr(one, k)) / (files - 1) for k in ("processor", "clock"))
    return Seconds(*spent)


def _row(name: str, spent: Seconds, yardstick: Seconds) -> None:
    ratio = spent.processor / max(yardstick.processor, 1e-9)
    print(f"{name:32s} {spent.processor:11.2f} {spent.clock:8.2f} {ratio:6.2f}")
