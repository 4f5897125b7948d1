"""Memory and time of large images."""

from __future__ import annotations

import pytest

from roadex.benchmarks.large_image import Settings, measured

GIB = 1 << 30


@pytest.mark.slow
def test_20000_pixels_a_side_fit_in_three_gigabytes():
    found = measured(20_000, Settings(block_px=8192))
    assert found["peak_bytes"] < 3 * GIB
    assert found["road_km"] > 1000 and found["area_km2"] == pytest.approx(100)


@pytest.mark.slow
def test_time_grows_with_the_area_and_memory_does_not():
    small, large = (measured(side, Settings(block_px=2048)) for side in (5000, 10_000))
    assert large["whole_seconds"] < 6 * small["whole_seconds"]
    assert large["peak_bytes"] < 1.15 * small["peak_bytes"]
