"""The benchmark of `prepare` times the whole and its parts, and refuses what it does not have."""

from __future__ import annotations

from roadex.benchmarks.prepare import main


def test_whole_costs_more_than_decoding_and_every_part_is_timed(capsys):
    main(["size=128", "tiles=3", "repeats=1"])
    lines = capsys.readouterr().out.splitlines()
    ratios = {line[:32].strip(): float(line.split()[-1]) for line in lines[2:]}
    assert len(ratios) == 6 and ratios["decoding alone"] == 1.0
    assert ratios["end to end"] > 1.0 and min(ratios.values()) >= 0
