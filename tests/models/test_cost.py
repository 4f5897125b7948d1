"""Multiply-accumulate operations against sums one can do by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from roadex.config.backbone import PaperBackboneConfig
from roadex.config.model import StackedMultitaskConfig
from roadex.models.registry import build_model, count_macs


def test_a_convolution_costs_its_kernel_at_every_output_pixel():
    layer = nn.Conv2d(3, 8, 5, stride=2, padding=2)
    assert count_macs(layer, side=64) == 32 * 32 * 8 * 3 * 5 * 5


def test_published_network():
    model = build_model(StackedMultitaskConfig(), PaperBackboneConfig())
    assert count_macs(model) == 64_769_592_320


def test_the_model_itself_stays_as_it_is():
    model = build_model(
        StackedMultitaskConfig(width=16, blocks=1, head_width=8), PaperBackboneConfig()
    )
    before = {name: value.clone() for name, value in model.state_dict().items()}
    full, quarter = count_macs(model.train(), 256), count_macs(model, 128)
    assert full == pytest.approx(4 * quarter, rel=0.05)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
