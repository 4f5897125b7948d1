"""Misspelt keys, wrong types and values out of range: one line that names the key."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys

import pytest

from roadex.command.frame import _name_user

REFUSALS = {
    "model.stack=2": "there is no setting 'model.stack': did you mean 'model.stacks'?",
    "model.stacks=two": "model.stacks: Value 'two' of type 'str' could not be converted to Integer",
    "model.stacks=0": "model.stacks=0: must be at least 1",
    "model.global_aware=all": "expected one of [none, channel, spatial, both]",
    "metrics=[apls]": "'metrics' is a setting of other commands, not of this one",
    "modle=paper": "there is no setting 'modle': did you mean 'model'?",
    "dataset=deepglob": "dataset=deepglob: there is no such choice; choose one of",
    "dataset=deepglobe": "dataset.root is needed: add dataset.root=VALUE",
    "trainer.device=gpu": "trainer.device=gpu: choose one of auto, cpu, cuda, mps",
    "experiment=quick": "experiment=quick: there is no such choice",
    "+model.colour=red": "there is no setting 'model.colour'",
    "stacks": "'stacks' is not an override: write key=value",
    "model=deeplabv3plus trainer.batch_size=1": "needs two crops at a time: set",
    "seed=0,1": "several values are a sweep: add -m",
    f"init={300 * 'n'}.pt": "the name is too long",
    "dataset.world.tree=3": "did you mean 'dataset.world.tree_cover'?",
}


@pytest.mark.parametrize("override", REFUSALS)
def test_bad_override_is_refused_in_one_line(override, tmp_path):
    command = [sys.executable, "-m", "roadex.train", *override.split()]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("roadex: ") and done.stderr.count("\n") == 1
    assert REFUSALS[override] in done.stderr
    assert list(tmp_path.iterdir()) == [], "a refused run leaves nothing behind"


def test_a_setting_of_a_group_that_is_not_chosen_is_refused_in_one_line(tmp_path):
    command = [sys.executable, "-m", "roadex.evaluate", "checkpoint=best.pt", "dataset.workers=1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "no dataset is chosen" in done.stderr and "dataset=NAME" in done.stderr


def test_a_traceback_is_shown_on_demand_and_the_environment_left_alone(tmp_path):
    program = (
        "import os, sys, roadex.train\n"
        "sys.argv = ['roadex-train', 'model.stacks=two']\n"
        "try: roadex.train.main()\n"
        "finally: print(os.environ.get('HYDRA_FULL_ERROR'))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "HYDRA_FULL_ERROR"}
    for wanted, shown in ((None, False), ("1", True)):
        given = environment if wanted is None else {**environment, "HYDRA_FULL_ERROR": wanted}
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=given
        )
        assert done.returncode != 0 and done.stdout.strip() == str(wanted)
        assert ("Traceback" in done.stderr) == shown


def test_a_user_without_a_name_gets_one(monkeypatch):
    """In a container started with another user's number, libraries that ask for it fail."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54_321)
    _name_user()
    assert getpass.getuser() == "user-54321"
    monkeypatch.delenv("USER")
