"""The benchmark of the map page moves a real page."""

from __future__ import annotations

import pytest

from scripts.benchmarks._chromium import installed
from scripts.benchmarks.map import main, winding_town


@pytest.mark.parametrize("roads", [1, 7, 200])
def test_towns_have_as_many_roads_as_asked_for(roads):
    assert winding_town(roads).number_of_edges() == roads


@pytest.mark.skipif(installed() is None, reason="no chromium")
def test_few_and_many_roads_are_measured_and_compared(capsys):
    main(["roads=40", "few=10", "frames=4"])
    head, few, many, ratio = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "roads"
    assert few.split()[0] == "10" and many.split()[0] == "40"
    assert all(float(value) > 0 for value in many.split()[1:])
    assert float(ratio.split()[-1]) > 0
