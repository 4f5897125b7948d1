"""What the wheel holds, and that it works without the checkout."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
import zipfile

import pytest

from tests.conftest import ROOT


def test_setup_names_every_package_and_every_folder_of_configuration():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    named = set(setup["options"]["packages"].split())
    code = {
        path.parent
        for name in ("roadex", "hydra_plugins")
        for path in (ROOT / name).rglob("__init__.py")
    }
    conf = {
        path.parent for path in (ROOT / "conf").rglob("*.*") if path.suffix in (".yaml", ".txt")
    }
    packages = {".".join(path.relative_to(ROOT).parts) for path in code}
    packages |= {".".join(("roadex", *path.relative_to(ROOT).parts)) for path in conf}
    assert named == packages


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the wheel's content, built without touching the network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_wheel_runs_from_another_folder_with_its_own_configuration(installed, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    code = "from roadex.config.paths import config_dir; print(config_dir())"
    where = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert where.stdout.strip() == str(installed / "roadex" / "conf"), where.stderr
    done = subprocess.run(
        [sys.executable, "-m", "roadex.train", "--cfg", "job", "experiment=quickstart"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "stacked_multitask" in done.stdout, done.stderr
    planned = subprocess.run(
        [sys.executable, "-m", "roadex.train", "-m", "seed=0,1", "sweep.dry_run=true"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert planned.returncode == 0 and "2 trainings" in planned.stdout, planned.stderr


def test_what_only_development_wants_is_not_in_the_wheel(installed):
    held = {path.relative_to(installed).as_posix() for path in installed.rglob("*.py")}
    assert "roadex/benchmarks/train.py" in held and "roadex/benchmark.py" in held
    text = "".join((installed / path).read_text() for path in held)
    assert "remote-debugging-pipe" not in text  # the driver of Chromium
    assert not {path.split("/")[0] for path in held} & {"tests", "scripts", "experiments"}
