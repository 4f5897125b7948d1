"""The benchmark of the map page moves a real page."""

from __future__ import annotations

import pytest

from scripts.benchmarks._chromium import chromium, installed
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


@pytest.mark.skipif(installed() is None, reason="no chromium")
def test_the_browser_tells_of_requests_errors_and_what_a_policy_forbids(tmp_path):
    page_file = tmp_path / "page.html"
    policy = "<meta http-equiv=Content-Security-Policy content=\"img-src 'none'\">"
    page_file.write_text(
        f"{policy}<img src=http://127.0.0.1:9/a.png><script src=http://127.0.0.1:9/b.js></script>"
        "<script>nothing()</script>"
    )
    with chromium() as page:
        page.open(page_file)
        assert "http://127.0.0.1:9/b.js" in page.requests()
        complaints = " ".join(page.complaints())
    assert "nothing is not defined" in complaints and "violates" in complaints
