"""The arithmetic of docs/scale.md is what its simulation gives."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "experiments" / "scale"


@pytest.fixture(scope="module")
def scale():
    spec = importlib.util.spec_from_file_location("scale_simulate", FOLDER / "simulate.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def work(scale):
    return scale.Work(json.loads((FOLDER / "rates.json").read_text()))


@pytest.mark.parametrize("workers", [1, 8, 64])
@pytest.mark.parametrize("hours", [float("inf"), 12.0, 1.0])
def test_arithmetic_and_simulation_agree(scale, work, workers, hours):
    wanted = replace(work, mean_hours=hours)
    hours_needed = scale.arithmetic(wanted, workers)
    assert hours_needed == pytest.approx(scale.simulated(wanted, workers), rel=0.1)


def test_workers_that_are_lost_cost_time_and_a_slow_client_saturates(scale, work):
    often = replace(work, mean_hours=0.05)
    assert scale.simulated(often, 8) > 1.3 * scale.simulated(work, 8)
    slow = replace(work, rates={**work.rates, "store_s_px": 1e-6})
    assert scale.simulated(slow, 64) > work.blocks * slow.store_s


def test_the_committed_table_is_that_of_the_committed_rates(scale, work):
    assert (FOLDER / "table.md").read_text() == scale.table(work.rates)
