"""Every schema by its name, and settings to and from plain values.

Hydra knows each as `schema/GROUP/NAME`.

A file `conf/GROUP/NAME.yaml` names its schema in its defaults list, so that a misspelt key or a
value of the wrong type is refused wherever it comes from.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from roadex.config import backbone, dataset, model, optimizer, scheduler
from roadex.config.augment import AugmentConfig
from roadex.config.compare import CompareConfig
from roadex.config.dashboard import DashboardConfig
from roadex.config.evaluate import EvaluateConfig
from roadex.config.export import ExportConfig
from roadex.config.extensions import GROUPS, extensions, together
from roadex.config.graph import DecodingSettings
from roadex.config.inspect import InspectConfig
from roadex.config.limits import check_limits
from roadex.config.loss import LossConfig
from roadex.config.metrics import AplsSettings, TopoSettings
from roadex.config.names import renewed
from roadex.config.predict import PredictConfig
from roadex.config.prepare import PrepareConfig
from roadex.config.report import ReportConfig
from roadex.config.score import ScoreConfig
from roadex.config.search import SearchConfig
from roadex.config.synthesize import SynthesizeConfig
from roadex.config.tracking import TrackingConfig
from roadex.config.train import TrainConfig
from roadex.config.trainer import TrainerConfig
from roadex.errors import RoadexError

SCHEMAS: dict[str, type] = {
    "train": TrainConfig,
    "evaluate": EvaluateConfig,
    "compare": CompareConfig,
    "dashboard": DashboardConfig,
    "predict": PredictConfig,
    "prepare": PrepareConfig,
    "synthesize": SynthesizeConfig,
    "export": ExportConfig,
    "inspect": InspectConfig,
    "report": ReportConfig,
    "score": ScoreConfig,
    "search": SearchConfig,
    "dataset/synthetic": dataset.SyntheticConfig,
    "dataset/folder": dataset.FolderConfig,
    "dataset/deepglobe": dataset.DeepGlobeConfig,
    "dataset/massachusetts": dataset.MassachusettsConfig,
    "dataset/spacenet": dataset.SpaceNetConfig,
    "dataset/cityscale": dataset.CityScaleConfig,
    "dataset/roadtracer": dataset.RoadTracerConfig,
    "model/stacked_multitask": model.StackedMultitaskConfig,
    "model/roadex": model.RoadexConfig,
    "model/multibranch": model.MultibranchConfig,
    "model/stacked_orientation": model.StackedOrientationConfig,
    "model/unet": model.UnetConfig,
    "model/linknet": model.LinknetConfig,
    "model/dlinknet": model.DLinkNetConfig,
    "model/deeplabv3plus": model.DeepLabV3PlusConfig,
    "model/segformer": model.SegformerConfig,
    "model/sam_road": model.SamRoadConfig,
    "backbone/paper": backbone.PaperBackboneConfig,
    "backbone/light": backbone.LightBackboneConfig,
    "backbone/timm": backbone.TimmBackboneConfig,
    "loss/multitask": LossConfig,
    "optimizer/adam": optimizer.AdamConfig,
    "optimizer/adamw": optimizer.AdamWConfig,
    "optimizer/sgd": optimizer.SgdConfig,
    "scheduler/constant": scheduler.ConstantConfig,
    "scheduler/step": scheduler.StepConfig,
    "scheduler/cosine": scheduler.CosineConfig,
    "augment/crop": AugmentConfig,
    "graph/decoding": DecodingSettings,
    "apls/apls": AplsSettings,
    "topo/topo": TopoSettings,
    "trainer/loop": TrainerConfig,
    "tracking/wandb": TrackingConfig,
}


# The groups whose schema depends on the choice, and the setting that holds the choice.
CHOICES = {
    "dataset": "kind",
    "model": "name",
    "backbone": "kind",
    "optimizer": "kind",
    "scheduler": "kind",
}


@cache
def schemas() -> dict[str, type]:
    """Every schema by its name, those of other packages' models and datasets included.

    Raises:
        RoadexError: such a package cannot be imported.
    """
    known = dict(SCHEMAS)
    for group in GROUPS:
        own = {name: schema for name, schema in SCHEMAS.items() if name.startswith(f"{group}/")}
        brought = {f"{group}/{name}": one.schema for name, one in extensions(group).items()}
        known |= together(group, own, brought)
    return known


def register_schemas(known: dict[str, type] = SCHEMAS) -> None:
    """Put schemas into Hydra's store: ours on import, as launchers re-import in new processes."""
    store = ConfigStore.instance()
    for key, schema in known.items():
        group, _, name = f"schema/{key}".rpartition("/")
        store.store(group=group, name=name, node=schema)


def to_plain(settings: Any) -> dict[str, Any]:
    """Settings as nested dictionaries of plain values, enumerations by name."""
    plain = OmegaConf.to_container(OmegaConf.structured(settings), resolve=True, enum_to_str=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def to_yaml(settings: Any) -> str:
    """Settings as YAML."""
    return OmegaConf.to_yaml(OmegaConf.create(to_plain(settings)))


def restore_training(plain: dict[str, Any], source: str) -> TrainConfig:
    """The inverse of `to_plain` for a training's settings.

    Raises:
        RoadexError: `source` holds settings that this version does not have, or values out of
            their range.
    """
    _refuse_references(plain, source)
    plain = _with_datasets(renewed(plain))
    config = OmegaConf.structured(TrainConfig)
    try:
        for group, choice in CHOICES.items():
            config[group] = OmegaConf.structured(_schema(group, plain[group][choice], source))
        for name, beside in plain["datasets"].items():
            config.datasets[name] = OmegaConf.structured(_schema("dataset", beside["kind"], source))
        restored = cast(TrainConfig, OmegaConf.to_object(OmegaConf.merge(config, plain)))
    except (KeyError, TypeError, AttributeError, ValueError, OmegaConfBaseException) as error:
        reason = (str(error).strip().splitlines() or [repr(error)])[0]
        raise RoadexError(f"{source}: settings of another version of roadex ({reason})") from error
    try:
        check_limits(restored)
    except (RoadexError, TypeError) as error:
        raise RoadexError(f"{source}: {error}") from error
    return restored


def _schema(group: str, name: str, source: str) -> type:
    if f"{group}/{name}" not in schemas() and group in GROUPS:
        raise RoadexError(
            f"{source}: {group}={name} is not known here: install the package that brings it"
        )
    return schemas()[f"{group}/{name}"]


def _with_datasets(plain: dict[str, Any]) -> dict[str, Any]:
    """Settings of 0.1.0 as of now: its one `extra` dataset added training tiles, not resampled."""
    extra = plain.get("extra")
    lent = {} if extra is None else {"extra": {**extra, "use": ["train"], "resample": False}}
    rest = {key: value for key, value in plain.items() if key != "extra"}
    return {**rest, "datasets": {**lent, **plain.get("datasets", {})}}


def _refuse_references(value: Any, source: str) -> None:
    """Refuse text that OmegaConf would resolve, such as ${oc.env:HOME}; roadex writes none."""
    if isinstance(value, dict):
        for item in value.values():
            _refuse_references(item, source)
    elif isinstance(value, list):
        for item in value:
            _refuse_references(item, source)
    elif isinstance(value, str) and "${" in value:
        raise RoadexError(
            f"{source}: a setting refers to something else ({value[:40]}), which roadex never "
            "writes: put the value in its place"
        )
