"""The published model: its size, its outputs, and that every part of it learns."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from roadex.config.backbone import PaperBackboneConfig
from roadex.config.model import GlobalAware, StackedMultitaskConfig
from roadex.models.blocks import GlobalAwareLayer, ResidualBlock
from roadex.models.contract import pad_to_multiple
from roadex.models.registry import build_model, count_parameters

SMALL = StackedMultitaskConfig(width=16, blocks=1, head_width=8)
PAPER = PaperBackboneConfig()


def test_published_preset_has_the_published_number_of_parameters():
    assert count_parameters(build_model(StackedMultitaskConfig(), PAPER)) == 14_972_757


@pytest.mark.parametrize("stacks", [1, 2, 3])
def test_gives_a_quarter_map_for_every_stack_and_a_full_one(stacks):
    model = build_model(replace(SMALL, stacks=stacks), PAPER)
    logits = model(torch.zeros(2, 3, 64, 96))
    assert [tuple(m.shape) for m in logits["segmentation"]] == [
        *[(2, 2, 16, 24)] * stacks,
        (2, 2, 64, 96),
    ]
    assert [m.shape[1] for m in logits["connectivity"]] == [5] * (stacks + 1)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (33, 7), (100, 130), (31, 32)])
def test_takes_any_image_size(height, width):
    model = build_model(SMALL, PAPER).eval()
    maps = model(torch.randn(1, 3, height, width))["segmentation"]
    assert maps[-1].shape[-2:] == (height, width)
    assert maps[0].shape[-2:] == (math.ceil(height / 4), math.ceil(width / 4))


@pytest.mark.parametrize("gates", list(GlobalAware))
@pytest.mark.parametrize("connectivity", [True, False])
def test_every_parameter_gets_a_gradient(gates, connectivity):
    torch.manual_seed(0)
    config = replace(SMALL, global_aware=gates, connectivity=connectivity, stacks=3)
    model = build_model(config, PAPER)
    logits = model(torch.randn(2, 3, 64, 64))
    sum(m.square().mean() for maps in logits.values() for m in maps).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    assert set(logits) == {"segmentation", *(["connectivity"] if connectivity else [])}


def test_gates_decide_the_parameters():
    counts = {
        gates: count_parameters(build_model(replace(SMALL, global_aware=gates), PAPER))
        for gates in GlobalAware
    }
    assert counts[GlobalAware.none] == counts[GlobalAware.spatial]
    assert counts[GlobalAware.channel] == counts[GlobalAware.both] > counts[GlobalAware.none]


def test_global_aware_layer_follows_its_equations():
    torch.manual_seed(0)
    layer = GlobalAwareLayer(32, GlobalAware.both, squeeze=16)
    x = torch.randn(2, 32, 5, 6)
    first, second = (m.weight[..., 0, 0] for m in layer.channel if hasattr(m, "weight"))
    u = torch.sigmoid(torch.relu(x.mean(dim=(2, 3)) @ first.T) @ second.T)
    y = x * u[..., None, None]
    expected = y * torch.sigmoid(y.mean(dim=1, keepdim=True))
    torch.testing.assert_close(layer(x), expected)


def test_block_without_gates_is_a_plain_residual_block():
    block = ResidualBlock(8, 8, GlobalAware.none, squeeze=16).eval()
    torch.nn.init.zeros_(block.body[3].weight)
    x = torch.randn(1, 8, 6, 6)
    torch.testing.assert_close(block(x), x.relu())


def test_initial_weights_have_the_published_deviation():
    torch.manual_seed(0)
    model = build_model(StackedMultitaskConfig(), PAPER)
    conv = model.stacks[0].features[1][0].body[0]
    assert conv.weight.std().item() == pytest.approx(math.sqrt(2 / (9 * 128)), rel=0.01)
    assert conv.weight.mean().abs().item() < 1e-3


def test_padding_repeats_the_border():
    padded = pad_to_multiple(torch.arange(6.0).view(1, 1, 2, 3), 4)
    assert padded.shape[-2:] == (4, 4)
    assert padded[0, 0, 3].tolist() == [3, 4, 5, 5]
