"""The number format that trainer.precision=auto settles on, and what a run tells of it."""

from __future__ import annotations

import json

import pytest
import torch

from roadex.config.trainer import Precision
from roadex.engine.device import settled_precision
from roadex.engine.distributed import Group
from roadex.engine.signals import StopSignals
from roadex.engine.training import fit
from roadex.runs.folder import RunFolder
from roadex.runs.load import load_checkpoint
from tests.config.test_composition import train_config
from tests.support.trainings import TINY
from tests.support.worlds import write_folder

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("native, format", [(True, "bf16"), (False, "fp32")])
def test_a_processor_takes_bf16_where_it_has_instructions_for_it(native, format, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
    assert settled_precision(Precision.auto, CPU) is Precision(format)


@pytest.mark.parametrize("native, format", [(True, "bf16"), (False, "fp16")])
def test_a_gpu_takes_bf16_or_fp16(native, format, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert settled_precision(Precision.auto, GPU) is Precision(format)


@pytest.mark.parametrize("device", [CPU, GPU, torch.device("mps")])
def test_what_was_asked_for_stays(device):
    for wanted in (Precision.fp32, Precision.bf16, Precision.fp16):
        assert settled_precision(wanted, device) is wanted


def test_a_run_keeps_what_was_settled_on(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    write_folder(tmp_path, 12, size=72)
    paths = [f"dataset.{kind}={tmp_path}/{kind}" for kind in ("images", "masks")]
    settings = ["dataset.splits.rule=ranked", "model.stacks=1", "trainer.precision=auto"]
    config = train_config(*TINY, *paths, f"dataset.cache={tmp_path}/cache", *settings)
    run = RunFolder(tmp_path / "run", config)
    fit(config, run, StopSignals(), Group())
    environment = json.loads((run.path / "environment.json").read_text())
    assert environment["precision"] == "fp32"
    assert load_checkpoint(run.best).config.trainer.precision is Precision.fp32
