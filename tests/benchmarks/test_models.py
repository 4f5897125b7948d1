"""Costs of models: counted as by hand, and tabled for each."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from roadex.benchmarks.models import count_macs, main, ordered
from roadex.errors import RoadexError


def test_multiplications_are_those_of_the_convolutions():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 1))
    before = model[0].weight.clone()
    assert count_macs(model, 16) == 16 * 16 * (8 * 3 * 9 + 4 * 8)
    assert torch.equal(model[0].weight, before) and model.training


def test_table_compares_each_model_with_the_first(tmp_path, capsys):
    out = tmp_path / "table.md"
    overrides = "overrides=[backbone=timm,backbone.name=resnet10t]"
    main(["models=[unet,linknet]", "size=64", "repeats=1", "device=cpu", overrides, f"out={out}"])
    lines = out.read_text().splitlines()
    assert lines[-2].startswith("| unet |") and " 1.00 |" in lines[-2]
    assert lines[-1].startswith("| linknet |") and "linknet" in capsys.readouterr().out


def test_published_network_comes_first():
    assert ordered(["unet", "stacked_multitask", "roadex"])[0] == "stacked_multitask"


@pytest.mark.parametrize("override", ["models=[vnet]", "sise=3", "size=1"])
def test_bad_settings_are_refused(override):
    with pytest.raises(RoadexError):
        main([override])
