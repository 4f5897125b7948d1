"""The benchmark of roadex.predict runs and says what it measured."""

from __future__ import annotations

from roadex.benchmarks.predict import main


def test_the_table_has_the_network_as_one(capsys):
    main(["size=128", "window=64", "overlap=8", "repeats=1", "files=2"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("128 x 128 pixels, windows of 64")
    (alone,) = (line for line in lines if line.startswith("the model alone"))
    assert alone.endswith("1.00")
    assert any(line.startswith("roadex.predict, one more file ") for line in lines)
    assert lines[-1].startswith("four times the area costs ")
