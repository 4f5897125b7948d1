"""What a benchmark does not know is refused before anything is measured."""

from __future__ import annotations

from importlib import import_module

import pytest

from roadex.benchmark import names
from roadex.errors import RoadexError
from scripts import benchmarks as development

REFUSED = {
    "graph": "size=many",
    "graph_memory": "size=0",
    "large_image": "size=x",
    "loader": "crop=0",
    "models": "device=tpu",
    "predict": "window=8",
    "prepare": "tiles=2",
    "train": "steps=0",
    "validation": "size=x",
    "workers": "model=none",
}
DEVELOPMENT = {"map": "frames=x", "metrics": "speed=3"}
HOMES = dict.fromkeys(REFUSED, "roadex.benchmarks")
HOMES |= dict.fromkeys(DEVELOPMENT, "scripts.benchmarks")
REFUSED |= DEVELOPMENT


def test_every_benchmark_is_tried_below():
    assert set(REFUSED) == {*names(), *names(development)}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_setting_is_named(name):
    key = REFUSED[name].partition("=")[0]
    with pytest.raises(RoadexError, match=key):
        import_module(f"{HOMES[name]}.{name}").main([REFUSED[name]])


def test_an_unknown_setting_is_refused_with_those_that_exist():
    with pytest.raises(RoadexError, match=r"'size=3': choose from largest, crop, crops, repeats"):
        import_module("roadex.benchmarks.loader").main(["size=3"])
