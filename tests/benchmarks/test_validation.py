"""The validation benchmark scores real graphs, and refuses settings that it does not have."""

from __future__ import annotations

import re

from roadex.benchmarks.validation import main


def test_a_scoring_process_takes_the_graphs_over(capsys):
    main(["size=512", "tiles=3", "repeats=1"])
    out = capsys.readouterr().out
    assert float(re.search(r"ratio +(\S+)", out)[1]) < 0.8, out
