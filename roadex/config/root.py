"""Schemas of the commands' whole configurations."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

from roadex.config.dataset import DatasetConfig
from roadex.config.limits import bounded, choice
from roadex.config.model import BackboneConfig, ModelConfig
from roadex.config.sweep import SweepConfig
from roadex.config.training import (
    AugmentConfig,
    InferenceConfig,
    LossConfig,
    OptimizerConfig,
    SchedulerConfig,
    TrackingConfig,
    TrainerConfig,
)
from roadex.data.synthetic.settings import WorldSettings
from roadex.graph.settings import DecodingSettings
from roadex.metrics.settings import AplsSettings


@dataclass
class TrainConfig:
    """`python -m roadex.train`: one training, from the data to the scored road graphs."""

    name: str = "run"
    seed: int = bounded(0, least=0)
    # auto continues an unfinished run of the same settings, never starts anew, and the folder of a
    # run continues that one.
    resume: str = "auto"
    # A checkpoint whose weights the training starts from.
    init: str | None = None
    dataset: DatasetConfig = MISSING
    # A second dataset whose training tiles are trained on, too: dataset@extra=synthetic.
    extra: DatasetConfig | None = None
    model: ModelConfig = MISSING
    backbone: BackboneConfig = MISSING
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = MISSING
    scheduler: SchedulerConfig = MISSING
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    graph: DecodingSettings = field(default_factory=DecodingSettings)
    apls: AplsSettings = field(default_factory=AplsSettings)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    sweep: SweepConfig = field(default_factory=SweepConfig)


@dataclass
class EvaluateConfig:
    """`python -m roadex.evaluate`: scores of a checkpoint, on its own dataset if none is given."""

    checkpoint: str = MISSING
    out: str = MISSING
    split: str = choice("test", "train", "validation", "test")
    # Road where the probability reaches this; null takes the checkpoint's, chosen on validation.
    threshold: float | None = bounded(None, above=0, most=1)
    dataset: DatasetConfig | None = None
    graph: DecodingSettings = field(default_factory=DecodingSettings)
    apls: AplsSettings = field(default_factory=AplsSettings)
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    device: str = choice("auto", "auto", "cpu", "cuda", "mps")
    overlays: int = bounded(12, least=0)


@dataclass
class PrepareConfig:
    """`python -m roadex.prepare`: from a raw download to tiles ready for training."""

    dataset: DatasetConfig = MISSING
    # Classes of the connectivity map; a training looks for tiles with as many as its model has.
    connectivity_classes: int = bounded(5, least=3, most=10)


@dataclass
class InspectConfig:
    """`python -m roadex.inspect`: a page of tiles to look at before training."""

    dataset: DatasetConfig = MISSING
    out: str = MISSING
    # Tiles on the page, the suspicious ones first.
    tiles: int = bounded(40, least=1)
    # Width of a picture on the page.
    width_px: int = bounded(400, least=50)
    # Images of another dataset (a folder, searched below) and their metres per pixel: a second page
    # then shows both side by side, beside.html.
    beside: str | None = None
    beside_gsd: float | None = bounded(None, above=0)
    connectivity_classes: int = bounded(5, least=3, most=10)


@dataclass
class SynthesizeConfig:
    """`python -m roadex.synthesize`: the built-in world in the layout of a published dataset."""

    layout: str = choice(
        MISSING, "spacenet", "deepglobe", "massachusetts", "cityscale", "roadtracer"
    )
    out: str = MISSING
    tiles: int = bounded(20, least=1)
    seed: int = bounded(0, least=0)
    # Side of a tile in pixels, and metres per pixel; null takes the published ones.
    size_px: int | None = bounded(None, least=64, most=8192)
    gsd: float | None = bounded(None, least=0.1, most=2.0)
    # All else about the world; its size and resolution are the two above.
    world: WorldSettings = field(default_factory=WorldSettings)
    # Processes; 0 takes one per core.
    workers: int = bounded(0, least=0)
