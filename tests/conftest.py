"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Threads of PyTorch do not survive the forks of tests/support/forks.py, and tests run side by side.
os.environ["OMP_NUM_THREADS"] = "1"


_FORKING = ("test_extend.py", "test_resume.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run trainings that are forked first, then whole commands.

    A process that has computed gradients cannot be forked for a training. Whole commands take
    longest: if they came last, one core would wait for another.
    """
    items.sort(
        key=lambda item: (item.path.name not in _FORKING, item.path.parent != ROOT / "tests")
    )


def _shared_folder(variable: str, name: str) -> Path:
    folder = Path(os.environ.get(variable, ROOT.parent / "shared" / name))
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}: set {variable} to run this test")
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real tiles of published datasets, which may not be redistributed."""
    return _shared_folder("ROADEX_TEST_DATA", "data")


@pytest.fixture(scope="session")
def oracles() -> Path:
    """Graph pairs with the scores that reference programs gave them."""
    return _shared_folder("ROADEX_TEST_ORACLES", "oracles")
