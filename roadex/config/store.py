"""Registration of every schema with Hydra, under `schema/GROUP/NAME`.

A file `conf/GROUP/NAME.yaml` names its schema in its defaults list, so that a misspelt key or a
value of the wrong type is refused wherever it comes from.
"""

from __future__ import annotations

from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from roadex.config import dataset, model, root, training
from roadex.graph.settings import GraphSettings
from roadex.metrics.settings import AplsSettings

SCHEMAS: dict[str, type] = {
    "train": root.TrainConfig,
    "evaluate": root.EvaluateConfig,
    "dataset/synthetic": dataset.SyntheticConfig,
    "dataset/folder": dataset.FolderConfig,
    "dataset/deepglobe": dataset.DeepGlobeConfig,
    "model/stacked_multitask": model.StackedMultitaskConfig,
    "backbone/paper": model.PaperBackboneConfig,
    "backbone/timm": model.TimmBackboneConfig,
    "loss/multitask": training.LossConfig,
    "optimizer/adam": training.AdamConfig,
    "optimizer/adamw": training.AdamWConfig,
    "optimizer/sgd": training.SgdConfig,
    "scheduler/constant": training.ConstantConfig,
    "scheduler/step": training.StepConfig,
    "scheduler/cosine": training.CosineConfig,
    "augment/crop": training.AugmentConfig,
    "graph/decoding": GraphSettings,
    "apls/apls": AplsSettings,
    "trainer/loop": training.TrainerConfig,
    "tracking/wandb": training.TrackingConfig,
}


def register_schemas() -> None:
    """Put all schemas into Hydra's store. Called on import: launchers re-import in new processes."""
    store = ConfigStore.instance()
    for key, schema in SCHEMAS.items():
        group, _, name = f"schema/{key}".rpartition("/")
        store.store(group=group, name=name, node=writable(schema))


def writable(schema: type) -> DictConfig:
    """A structured config that overrides may change, though the settings classes are frozen."""
    node = OmegaConf.structured(schema)
    _clear_read_only(node)
    return node


def _clear_read_only(node: DictConfig) -> None:
    OmegaConf.set_readonly(node, None)
    if node._is_missing() or node._is_none():
        return
    for key in node:
        child: Any = node._get_node(key)
        if isinstance(child, DictConfig):
            _clear_read_only(child)
