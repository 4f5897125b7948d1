"""Backbones keep their contract, and what models cost is counted."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from roadex.config.backbone import PaperBackboneConfig, TimmBackboneConfig
from roadex.config.model import StackedMultitaskConfig
from roadex.errors import RoadexError
from roadex.models.backbones.pyramid import TimmBackbone
from roadex.models.registry import build_model, count_macs

SMALL = StackedMultitaskConfig(width=16, blocks=1, head_width=8)
KINDS = {
    "resnet10t": "first feature at stride 2",
    "convnext_atto": "first feature at stride 4",
    "vit_tiny_patch16_224": "a plain transformer, stride 16 only",
    "swin_tiny_patch4_window7_224": "channels last, insists on its image size by default",
}


@pytest.mark.parametrize("name", KINDS, ids=KINDS.values())
def test_any_kind_of_extractor_fits_and_learns(name):
    model = build_model(SMALL, TimmBackboneConfig(name=name))
    logits = model(torch.randn(2, 3, 70, 100))
    assert logits["segmentation"][0].shape[-2:] == (18, 25)
    assert logits["segmentation"][-1].shape[-2:] == (70, 100)
    sum(m.square().mean() for maps in logits.values() for m in maps).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


def test_odd_patch_sizes_keep_the_trunk_at_a_quarter():
    backbone = TimmBackbone(TimmBackboneConfig(name="vit_small_patch14_dinov2"), 8).eval()
    assert backbone.multiple == 28
    with torch.inference_mode():
        assert backbone(torch.zeros(1, 3, 56, 84)).shape == (1, 8, 14, 21)


def test_unknown_name_is_refused_with_some_that_exist():
    with pytest.raises(RoadexError, match=r"backbone.name=resnet19: .*resnet"):
        build_model(SMALL, TimmBackboneConfig(name="resnet19"))


def test_weights_that_cannot_be_had_are_refused_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(RoadexError, match=r"backbone.weights=hub: .*backbone.weights=none"):
        build_model(SMALL, TimmBackboneConfig(name="resnet10t", pretrained=True))


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
