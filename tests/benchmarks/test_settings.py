"""What a benchmark does not know is refused before anything is measured."""

from __future__ import annotations

from importlib import import_module

import pytest

from roadex.benchmark import names
from roadex.errors import RoadexError

REFUSED = {
    "graph": "size=many",
    "graph_memory": "size=0",
    "loader": "crop=0",
    "map": "frames=x",
    "metrics": "speed=3",
    "models": "device=tpu",
    "predict": "window=8",
    "prepare": "tiles=2",
    "train": "steps=0",
    "validation": "size=x",
}


def test_every_benchmark_is_tried_below():
    assert set(REFUSED) == set(names())


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_setting_is_named(name):
    key = REFUSED[name].partition("=")[0]
    with pytest.raises(RoadexError, match=key):
        import_module(f"roadex.benchmarks.{name}").main([REFUSED[name]])


def test_an_unknown_setting_is_told_with_those_that_there_are():
    with pytest.raises(RoadexError, match=r"'size=3': choose from largest, crop, crops, repeats"):
        import_module("roadex.benchmarks.loader").main(["size=3"])
