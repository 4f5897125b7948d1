"""Graphs scored beside the training: the same scores, and no process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial

import numpy as np
import psutil
import pytest
import torch

from roadex.data.prepare import prepare
from roadex.engine.distributed import Group
from roadex.engine.evaluation import decode_graphs, pixel_scores, predict_split, score_graphs
from roadex.engine.validation import Scorers, Validator
from roadex.errors import RoadexError
from roadex.metrics.summary import mean_scores
from tests.config.test_composition import train_config
from tests.support.dying import die_once
from tests.support.worlds import write_folder


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    write_folder(root, 40, size=128)
    return train_config(
        "dataset=folder", f"dataset.images={root}/images", f"dataset.masks={root}/masks",
        f"dataset.cache={root}/cache", "dataset.gsd=1.0",
    )  # fmt: skip


@pytest.fixture(scope="module")
def dataset(config):
    return prepare(config.dataset, 5, lambda *_: None)


def predictor(image: np.ndarray) -> dict[str, np.ndarray]:
    """A model that takes grey for road, and for the second class of direction."""
    road = (image.min(axis=-1) / 255).astype(np.float32)
    classes = np.stack([1 - road, road * 0.1, road * 0.7, road * 0.1, road * 0.1])
    return {"segmentation": np.stack([1 - road, road]), "connectivity": classes}


predictor.model, predictor.device = torch.nn.Identity(), torch.device("cpu")


@pytest.mark.parametrize("processes", [0, 1])
def test_scores_are_those_of_the_plain_evaluation(config, dataset, processes):
    scorers = Scorers(processes)
    found = Validator(config, dataset, Group(), scorers).start(predictor)
    prediction = predict_split(predictor, dataset, "validation")
    threshold = prediction.curve.best_threshold()
    graphs = score_graphs(decode_graphs(prediction, threshold, config.graph), config.apls)
    assert found.threshold == threshold
    assert found.scores()[0] == {**pixel_scores(prediction, threshold), **mean_scores(graphs)}
    assert found.scores()[0]["apls/n_total"] == len(dataset.splits["validation"]) > 2
    scorers.close()


def test_tasks_run_beside_their_caller_and_answer_in_order():
    scorers = Scorers(1)
    started = time.perf_counter()
    answers = scorers.start([partial(time.sleep, 0.2), os.getpid])
    assert time.perf_counter() - started < 0.2
    slept, process = answers()
    assert slept is None and process != os.getpid()
    scorers.close()
    assert not psutil.pid_exists(process)


def test_scoring_processes_that_are_killed_are_replaced(tmp_path, caplog):
    """Idle, one of them perhaps with the queue's lock in its hands, and busy."""
    with Scorers(2) as scorers:
        before = scorers.start([os.getpid] * 4)()
        for process in set(before):
            os.kill(process, signal.SIGKILL)
        time.sleep(0.2)
        after = scorers.start([os.getpid, partial(die_once, tmp_path / "died"), os.getpid])()
        assert after[1] == "done" and not set(before) & {after[0], after[2]}
    assert caplog.text.count("has died: starting new ones") == 2


def test_scoring_processes_that_keep_dying_are_one_clear_line(monkeypatch):
    monkeypatch.setattr("roadex.engine.validation.RESTARTS", 0)
    with Scorers(1) as scorers, pytest.raises(RoadexError, match=r"set trainer\.scorers=0"):
        scorers.start([partial(os._exit, 1)])()


def test_scoring_processes_end_with_a_parent_that_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            """
            import os, signal
            from roadex.engine.validation import Scorers

            if __name__ == "__main__":
                print(*Scorers(1).start([os.getpid])(), flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            """
        )
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    child = int(done.stdout)
    until = time.monotonic() + 20
    while psutil.pid_exists(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not psutil.pid_exists(child)


def test_the_scoring_code_needs_no_torch():
    """Every scoring process imports it again."""
    line = "import roadex.engine.evaluation, roadex.parallel, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
