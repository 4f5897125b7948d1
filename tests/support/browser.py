"""A page in headless Chromium, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scripts.benchmarks._chromium import Page, chromium, installed


@contextmanager
def browser() -> Iterator[Page]:
    """A page of 1200 x 800; the test is skipped where there is no Chromium."""
    if installed() is None:
        pytest.skip("no chromium: install it to test the pages")
    with chromium() as page:
        yield page
