"""Readers of raw datasets, by `dataset.kind`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from roadex.config.dataset import DatasetConfig
from roadex.config.extensions import extensions, together
from roadex.data.sources.base import Source
from roadex.data.sources.cityscale import cityscale_source
from roadex.data.sources.deepglobe import deepglobe_source
from roadex.data.sources.folder import folder_source
from roadex.data.sources.massachusetts import massachusetts_source
from roadex.data.sources.roadtracer import roadtracer_source
from roadex.data.sources.spacenet import spacenet_source
from roadex.data.sources.synthetic import synthetic_source

SOURCES: dict[str, Callable[[Any], Source]] = {
    "synthetic": synthetic_source,
    "folder": folder_source,
    "deepglobe": deepglobe_source,
    "massachusetts": massachusetts_source,
    "spacenet": spacenet_source,
    "cityscale": cityscale_source,
    "roadtracer": roadtracer_source,
}


def open_source(config: DatasetConfig) -> Source:
    """The reader of a dataset.

    Raises:
        RoadexError: its files are not there.
    """
    brought = {name: one.build for name, one in extensions("dataset").items()}
    return cast(Source, together("dataset", SOURCES, brought)[config.kind](config))
