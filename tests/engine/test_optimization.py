"""Optimisers and schedules do what their settings say."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from roadex.config.optimizer import AdamConfig, AdamWConfig, SgdConfig
from roadex.config.scheduler import ConstantConfig, CosineConfig, StepConfig
from roadex.engine.optimization import build_optimizer, build_scheduler


def rates(config, steps, epoch_steps=10, epochs=10):
    optimizer = build_optimizer(nn.Linear(1, 1), SgdConfig(lr=1.0))
    scheduler = build_scheduler(optimizer, config, epoch_steps, epochs)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize("config", [AdamConfig(), AdamWConfig(), SgdConfig()])
def test_every_optimiser_descends(config):
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    optimizer = build_optimizer(model, config)
    x = torch.randn(32, 4)
    losses = []
    for _ in range(200):
        loss = (model(x) - x.sum(dim=1, keepdim=True)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_published_optimiser_is_the_default():
    group = build_optimizer(nn.Linear(1, 1), AdamConfig()).param_groups[0]
    assert (group["lr"], group["eps"], group["amsgrad"]) == (1e-3, 1e-3, True)


def test_constant_stays():
    assert set(rates(ConstantConfig(), 30)) == {1.0}


def test_step_falls_after_its_epochs():
    found = rates(StepConfig(epochs=2, factor=0.1), 50)
    assert found[:20] == [1.0] * 20
    assert found[20] == pytest.approx(0.1) and found[40] == pytest.approx(0.01)


def test_cosine_warms_up_then_falls_to_its_floor():
    found = rates(CosineConfig(warmup=0.1, floor=0.05), 101)
    assert found[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert found[10] == pytest.approx(1.0) and found[55] == pytest.approx(0.525)
    assert found[100] == pytest.approx(0.05)
    assert all(a >= b for a, b in itertools.pairwise(found[10:]))


@pytest.mark.parametrize(("norms", "decayed"), [(False, {"0.weight"}), (True, None)])
def test_weight_decay_leaves_out_norms_and_biases(norms, decayed):
    """With zero gradients only decaying weights move."""
    model = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2))
    for parameter in model.parameters():
        nn.init.ones_(parameter)
        parameter.grad = torch.zeros_like(parameter)
    config = AdamWConfig(lr=0.1, weight_decay=0.5, decay_norms=norms)
    build_optimizer(model, config).step()
    moved = {name for name, value in model.named_parameters() if (value < 1).all()}
    assert moved == (decayed or {name for name, _ in model.named_parameters()})
