"""Processes that train together: the same training as one, in a stated tolerance."""

from __future__ import annotations

import csv
import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
import torch

from roadex.engine.distributed import Group
from tests.support.worlds import write_folder

# All weights together, and each loss, after two epochs: sums of another order in fp32.
TOLERANCE = 1e-3
TINY = [
    "model.width=16", "model.blocks=1", "model.head_width=8", "model.depth=2", "dataset=folder",
    "dataset.gsd=1",
    "dataset.images=images", "dataset.masks=masks", "dataset.crop=64", "trainer.epochs=2",
    "trainer.batch_size=5", "trainer.overlays=1", "trainer.ema=0.5", "optimizer=adamw",
    "optimizer.eps=1e-3", "loss=with_cross_entropy", "tracking.mode=disabled",
]  # fmt: skip
LAUNCHER = [sys.executable, "-m", "torch.distributed.run", "--standalone"]


def start(folder: Path, *settings: str, processes: int = 2) -> subprocess.Popen[str]:
    """A training by processes that torchrun starts; its output goes to a pipe."""
    command = [*LAUNCHER, f"--nproc-per-node={processes}", "-m", "roadex.train", *TINY, *settings]
    variables = {"ROADEX_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=folder, env={**os.environ, **variables}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("together")
    write_folder(root, 30)
    return root


ADAPTED = (
    "model.stacks=1", "backbone=timm", "backbone.name=test_vit", "backbone.lora_rank=2",
)  # fmt: skip


def by_one_and_two(folder: Path, name: str, *settings: str) -> tuple[Path, Path]:
    """The run folders of the same training by one process and by two."""
    for processes in (1, 2):
        process = start(folder, f"hydra.run.dir={name}{processes}", *settings, processes=processes)
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0, output
        assert output.count("run folder") == 1  # the leader alone speaks
    return folder / f"{name}1", folder / f"{name}2"


@pytest.fixture(scope="module")
def alone_and_together(folder):
    return by_one_and_two(folder, "by")


def off(runs: tuple[Path, Path]) -> float:
    """How far the weights of two runs lie apart, relative to their size."""
    alone, together = (weights(run, "last.pt") for run in runs)
    assert alone.keys() == together.keys()
    one, two = (torch.cat([w[name].flatten() for name in alone]) for w in (alone, together))
    return float((one - two).norm() / one.norm())


@pytest.mark.slow
def test_two_processes_adapt_a_transformer_as_one_does(folder):
    runs = by_one_and_two(folder, "adapted", *ADAPTED)
    assert off(runs) <= TOLERANCE
    changes = {name: w for name, w in weights(runs[1], "last.pt").items() if name.endswith(".up")}
    assert len(changes) > 3 and all(change.any() for change in changes.values())


def weights(run: Path, name: str) -> dict[str, torch.Tensor]:
    content = torch.load(run / "checkpoints" / name, weights_only=True)["weights"]
    return {key: value for key, value in content.items() if value.is_floating_point()}


def rows(run: Path) -> list[dict[str, float]]:
    table = csv.DictReader((run / "history.csv").open())
    return [{key: float(value) for key, value in row.items()} for row in table]


def test_two_processes_train_as_one_on_the_same_global_batch(alone_and_together):
    """Unequal parts (3 and 2 images), batch norms, class weights and averages included."""
    assert off(alone_and_together) <= TOLERANCE
    for one, two in zip(*map(rows, alone_and_together), strict=True):
        for key in one:
            if key.startswith("loss/") or key in ("lr", "step"):
                assert two[key] == pytest.approx(one[key], rel=TOLERANCE), key


def test_each_validation_tile_is_scored_once_and_the_leader_alone_writes(alone_and_together):
    alone, together = alone_and_together
    files = [{str(p.relative_to(run)) for p in run.rglob("*")} for run in (alone, together)]
    assert files[0] == files[1]
    assert len(list(together.parent.glob("by*"))) == 2
    for one, two in zip(rows(alone), rows(together), strict=True):
        assert two["validation/apls/n_total"] == one["validation/apls/n_total"] > 1
        assert two["validation/f1"] == pytest.approx(one["validation/f1"], abs=0.02)
    metrics = [json.loads((run / "metrics.json").read_text()) for run in alone_and_together]
    assert metrics[0]["steps"] == metrics[1]["steps"] == rows(together)[-1]["step"]


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The training processes that a launcher has started."""
    return [c for c in psutil.Process(process.pid).children() if "roadex.train" in c.cmdline()]


def wait_until(condition, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 300
    while not condition() and process.poll() is None:
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.1)


def test_a_killed_process_ends_all_and_the_others_say_so(folder):
    process = start(folder, "hydra.run.dir=killed", "trainer.epochs=500", "trainer.patience=0")
    wait_until((folder / "killed" / "history.csv").is_file, process)
    victims = children(process)
    follower = next(c for c in victims if c.environ()["RANK"] == "1")
    follower.kill()
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "Signal 9 (SIGKILL)" in output, output
    assert not any(child.is_running() for child in victims)


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ADAPTED], ids=["whole", "adapted"])
def test_all_leave_after_the_same_step_and_continue_together(more, folder):
    left = folder / f"left{len(more)}"
    settings = (f"hydra.run.dir={left.name}", "trainer.epochs=30", "trainer.patience=0", *more)
    process = start(folder, *settings)
    wait_until((left / "history.csv").is_file, process)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert list((left / "checkpoints" / "resume").glob("*.pt")), output
    done = len(rows(left))
    again = start(folder, *settings)
    wait_until(lambda: len(rows(left)) > done, again)
    again.send_signal(signal.SIGTERM)
    output, _ = again.communicate(timeout=120)
    assert "continuing at step" in output


@pytest.mark.slow
def test_more_processes_than_images_in_a_batch_are_refused(folder):
    process = start(folder, "hydra.run.dir=few", "trainer.batch_size=1")
    output, _ = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "a batch of 1 has fewer images than the 2 processes" in output
    assert not (folder / "few").exists()


SUMS = """
    import torch
    from torch import nn
    from roadex.engine.distributed import synchronize
    from roadex.engine.distributed import open_group

    with open_group() as group:
        torch.manual_seed(0)
        x = torch.randn(5, 3, 8, 8, requires_grad=True)
        goal = torch.randn(5, 3, 8, 8)
        whole, parts = nn.BatchNorm2d(3), nn.Sequential(nn.BatchNorm2d(3))
        parts = synchronize(parts, torch.device("cpu"))
        own = group.part(list(range(5)))
        (whole(x) * goal).sum().backward()
        expected, x.grad = x.grad[own], None
        (parts(x[own]) * goal[own]).sum().backward()
        torch.testing.assert_close(x.grad[own], expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(group.add(parts[0].weight.grad), whole.weight.grad)
        for name, value in whole.state_dict().items():
            torch.testing.assert_close(parts.state_dict()[f"0.{name}"], value)
        assert group.gather({"rank": group.rank, "text": "ä" * group.rank}) == [
            {"rank": 0, "text": ""}, {"rank": 1, "text": "ä"}
        ]
        assert group.any(group.rank == 1) and not group.any(False)
"""


def test_batch_norms_see_the_samples_of_all_processes(tmp_path):
    """Outputs, gradients, running statistics; and what else the processes tell each other."""
    (tmp_path / "sums.py").write_text(textwrap.dedent(SUMS))
    command = [*LAUNCHER, "--nproc-per-node=2", str(tmp_path / "sums.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_parts_are_a_partition():
    items = list(range(11))
    parts = [Group(rank, 4).part(items) for rank in range(4)]
    assert list(itertools.chain(*parts)) == items
    assert {len(part) for part in parts} == {2, 3}
