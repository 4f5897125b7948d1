"""Schema of the command `train`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from omegaconf import MISSING

from roadex.config.augment import AugmentConfig
from roadex.config.backbone import BackboneConfig
from roadex.config.dataset import RGB_BANDS, DatasetConfig
from roadex.config.graph import DecodingSettings
from roadex.config.limits import bounded
from roadex.config.loss import LossConfig
from roadex.config.metrics import AplsSettings
from roadex.config.model import ModelConfig
from roadex.config.optimizer import OptimizerConfig
from roadex.config.scheduler import SchedulerConfig
from roadex.config.sweep import SweepConfig
from roadex.config.tracking import TrackingConfig
from roadex.config.trainer import TrainerConfig
from roadex.errors import RoadexError


@dataclass
class TrainConfig:
    """`python -m roadex.train`: one training, from the data to the scored road graphs."""

    name: str = "run"
    seed: int = bounded(0, least=0)
    # auto continues an unfinished run of the same settings; never starts a new one; the folder of a
    # run continues that run.
    resume: str = "auto"
    # A checkpoint whose weights the training starts from.
    init: str | None = None
    dataset: DatasetConfig = MISSING
    # Further datasets that are trained and scored on, too, by names of your choice:
    # datasets=[massachusetts,mine:folder,synthetic] datasets.mine.images=DIR.
    datasets: dict[str, DatasetConfig] = field(default_factory=dict)
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

    def __post_init__(self) -> None:
        count = self.dataset.band_count
        for name, other in self.datasets.items():
            if other.band_count != count:
                raise RoadexError(
                    f"datasets.{name} has {other.band_count} bands and the dataset {count}: "
                    f"name as many, datasets.{name}.bands=[...]"
                )
        if self.backbone.bands not in (RGB_BANDS, count):
            raise RoadexError(
                f"backbone.bands={self.backbone.bands}: leave it out; dataset.bands names {count}"
            )
        own = getattr(self.backbone, "mean", None)
        if own is not None and len(own) not in (RGB_BANDS, count):
            raise RoadexError(
                f"backbone.mean and backbone.std: {len(own)} values each for {count} bands"
            )
        # All that builds a model sees the backbone's settings, and a checkpoint keeps them.
        self.backbone = replace(self.backbone, bands=count)
