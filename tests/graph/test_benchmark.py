"""The benchmark of mask to graph runs and says what it measured."""

from __future__ import annotations

from roadex.benchmarks import graph_memory
from roadex.benchmarks.graph import city_mask, main


def test_the_table_has_the_yardstick_as_one(capsys):
    main(["size=300", "roads=4", "repeats=1"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("300 x 300 pixels")
    (yardstick,) = (line for line in lines if line.startswith("skimage skeletonize alone"))
    assert yardstick.endswith("1.00")
    assert sum("roadex" in line for line in lines) == 3


def test_the_city_is_that_of_its_seed():
    assert (city_mask(200, 4, 1) == city_mask(200, 4, 1)).all()
    assert (city_mask(200, 4, 1) != city_mask(200, 4, 2)).any()


def test_memory_is_printed_beside_the_map(capsys):
    graph_memory.main(["size=300"])
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith("300 x 300 pixels")
    assert float(last.split()[-1]) >= 0
