"""Registration of every schema with Hydra, under `schema/GROUP/NAME`.

A file `conf/GROUP/NAME.yaml` names its schema in its defaults list, so that a misspelt key or a
value of the wrong type is refused wherever it comes from.
"""

from __future__ import annotations

from typing import Any, cast

from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from roadex.config import dataset, export, model, predict, root, training
from roadex.errors import RoadexError
from roadex.graph.settings import DecodingSettings
from roadex.metrics.settings import AplsSettings

SCHEMAS: dict[str, type] = {
    "train": root.TrainConfig,
    "evaluate": root.EvaluateConfig,
    "predict": predict.PredictConfig,
    "prepare": root.PrepareConfig,
    "synthesize": root.SynthesizeConfig,
    "export": export.ExportConfig,
    "inspect": root.InspectConfig,
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
    "backbone/paper": model.PaperBackboneConfig,
    "backbone/light": model.LightBackboneConfig,
    "backbone/timm": model.TimmBackboneConfig,
    "loss/multitask": training.LossConfig,
    "optimizer/adam": training.AdamConfig,
    "optimizer/adamw": training.AdamWConfig,
    "optimizer/sgd": training.SgdConfig,
    "scheduler/constant": training.ConstantConfig,
    "scheduler/step": training.StepConfig,
    "scheduler/cosine": training.CosineConfig,
    "augment/crop": training.AugmentConfig,
    "graph/decoding": DecodingSettings,
    "apls/apls": AplsSettings,
    "trainer/loop": training.TrainerConfig,
    "tracking/wandb": training.TrackingConfig,
}


# The groups whose schema depends on the choice, and the setting that tells which it is.
CHOICES = {
    "dataset": "kind",
    "model": "name",
    "backbone": "kind",
    "optimizer": "kind",
    "scheduler": "kind",
}


def register_schemas() -> None:
    """Put all schemas into Hydra's store: on import, as launchers re-import in new processes."""
    store = ConfigStore.instance()
    for key, schema in SCHEMAS.items():
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


def restore_training(plain: dict[str, Any], source: str) -> root.TrainConfig:
    """The inverse of `to_plain` for a training's settings.

    Raises:
        RoadexError: `source` holds settings that this version does not have.
    """
    config = OmegaConf.structured(root.TrainConfig)
    try:
        for group, choice in CHOICES.items():
            schema = SCHEMAS[f"{group}/{plain[group][choice]}"]
            config[group] = OmegaConf.structured(schema)
        if plain.get("extra"):
            config.extra = OmegaConf.structured(SCHEMAS[f"dataset/{plain['extra']['kind']}"])
        return cast(root.TrainConfig, OmegaConf.to_object(OmegaConf.merge(config, plain)))
    except (KeyError, OmegaConfBaseException) as error:
        reason = str(error).strip().splitlines()[0]
        raise RoadexError(f"{source}: settings of another version of roadex ({reason})") from error
