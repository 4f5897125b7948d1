"""The report, on a real tiny training and copies of it with known numbers."""

from __future__ import annotations

import csv
import itertools
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roadex.comparison.assembly import write_report
from roadex.comparison.comparison import Line, compare
from roadex.comparison.panels import tile_panels
from roadex.comparison.rows import rows_of
from roadex.comparison.statistics import sign_flip_p, tile_difference, tile_means
from roadex.comparison.tables import city_table, score_table
from roadex.config.report import ReportConfig
from roadex.errors import RoadexError
from roadex.runs.reading import find_runs
from tests.support.browser import browser
from tests.support.runs import copy_run, edit_json, edited
from tests.support.worlds import write_folder
from tests.test_train import TINY, run

# F1 by setting and seed; without seed 3 of the second setting.
F1 = {"none": {0: 0.50, 1: 0.52, 2: 0.54, 3: 0.60}, "both": {0: 0.60, 1: 0.63, 2: 0.63}}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A real run of a tiny network."""
    root = tmp_path_factory.mktemp("trained")
    images, masks = write_folder(root, 30)
    data = ["dataset=folder", "dataset.gsd=1", f"dataset.images={images}", f"dataset.masks={masks}"]
    data.append("dataset.splits.rule=hash")
    folder = root / "run"
    done = run("train", *data, *TINY, f"hydra.run.dir={folder}", cwd=root)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def sweep(trained, tmp_path) -> Path:
    """Two settings over seeds, in folders as a sweep makes them."""
    for gates, scores in F1.items():
        for seed, f1 in scores.items():
            target = tmp_path / "sweep" / f"global_aware={gates}" / f"seed={seed}"
            copy_run(trained, target, seed, f1, model__global_aware=gates)
    return tmp_path / "sweep"


def report(sweep: Path, **settings):
    return write_report(ReportConfig(runs=str(sweep), out=str(sweep.parent / "out"), **settings))


def lines(sweep: Path, baseline: str | None = None, mixed: bool = False) -> dict[str, Line]:
    """The rows in figures, by name."""
    rows = rows_of(find_runs(sweep).finished, mixed)
    return {line.row.name: line for line in compare(rows, ["f1"], baseline).lines}


def test_rows_are_settings_with_mean_and_deviation_over_seeds(sweep):
    both, none = lines(sweep).values()
    assert both.row.name == "global_aware=both" and none.row.name == "global_aware=none"
    assert none.row.seeds == [0, 1, 2, 3] and none.differences == {}
    found = none.spreads["f1"]
    assert found.mean == pytest.approx(0.54) and found.deviation == pytest.approx(0.04320494)
    assert found.count == 4 and found.total is None
    apls = none.spreads["apls"]
    assert apls.scored == apls.total == 7 and none.tiles(["f1", "apls"]) == "7 of 7"
    assert none.parameters > 0 and none.macs > 1e6 and none.images_per_s > 0


def test_differences_pair_the_seeds_that_both_have(sweep):
    none, both = lines(sweep, baseline="none").values()
    found = both.differences["f1"]
    assert found.mean == pytest.approx(0.10) and found.pairs == 3 and found.low > 0
    assert 0.0899 < found.low < 0.0999 < 0.1001 < found.high < 0.1101
    assert none.differences == {}


def test_tables_say_the_same_in_every_format(sweep):
    report(sweep, baseline="none")
    with (sweep.parent / "out" / "table.csv").open() as file:
        none, both = csv.DictReader(file)
    assert float(none["f1/mean"]) == pytest.approx(0.54) and none["seeds"] == "0 1 2 3"
    assert float(both["f1/difference"]) == pytest.approx(0.10) and none["f1/difference"] == ""
    markdown = (sweep.parent / "out" / "table.md").read_text()
    assert "| global_aware=none | 4 | 0.540 ± 0.043 |" in markdown
    assert "| global_aware=both | 3 | +0.100 [+0.090, +0.110] |" in markdown
    assert "7 runs finished and read, 0 unfinished" in markdown
    latex = (sweep.parent / "out" / "table.tex").read_text()
    assert r"global\_aware=none & 4 & 0.540 $\pm$ 0.043 &" in latex
    assert latex.count(r"\toprule") == latex.count(r"\end{tabular}") == 2


def test_short_table_takes_its_place_in_a_file_and_leaves_the_rest(sweep, tmp_path):
    file = tmp_path / "README.md"
    place = "<!-- report {} -->\n{}<!-- end of report -->\n"
    file.write_text(place.format("gates", "stale\n") + "\n" + place.format("other", "kept\n"))
    for _ in range(2):  # the second time in place of the first
        report(sweep, baseline="none", title="gates", summary=str(file))
    written = file.read_text()
    assert "| global_aware=both | 3 | **0.620 ± 0.017** | +0.100 [+0.090, +0.110] |" in written
    assert "| global_aware=none | 4 | 0.540 ± 0.043 | – |" in written
    assert "stale" not in written and place.format("other", "kept\n") in written
    assert written.count("7 runs finished and read") == 1 and "IoU" not in written
    with pytest.raises(RoadexError, match="write '<!-- report gone -->'"):
        report(sweep, title="gone", summary=str(file))
    assert file.read_text() == written


def test_page_shows_everything_without_a_network(sweep):
    page_file = report(sweep, baseline="none", title="A <b>").page
    with browser() as page:
        page.open(page_file)
        assert page.requests() == [] and page.complaints() == []
        assert page.run("document.querySelector('h1').textContent") == "A <b>"
        pictures = "[...document.images].map(i => i.complete && i.naturalWidth > 0)"
        # Three figures; of the one tile kept image, truth, and two pictures for each row.
        assert page.run(pictures) == [True] * (3 + 2 + 4)
        heads = page.run("[...document.querySelectorAll('h4')].map(h => h.textContent)")
        assert heads == ["true roads", "global_aware=none (seed 0)", "global_aware=both (seed 0)"]
        fits = "document.documentElement.scrollWidth <= innerWidth"
        assert page.run(fits)


def test_rows_may_be_named_by_chosen_settings(sweep):
    runs = find_runs(sweep).finished
    assert [row.name for row in rows_of(runs, by=["model.global_aware"])] == ["both", "none"]
    both, _ = rows_of(runs, by=["model.global_aware", "model.width"])
    assert both.name.startswith("global_aware=both, width=")
    with pytest.raises(RoadexError, match=r"by=model\.width: two rows are both"):
        rows_of(runs, by=["model.width"])


def test_imagery_can_be_left_out(sweep):
    comparison = compare(rows_of(find_runs(sweep).finished), ["f1"], None)
    (shown,) = tile_panels(comparison, count=4, imagery=True)
    (hidden,) = tile_panels(comparison, count=4, imagery=False)
    assert [panel.caption for panel in shown.truth] == ["image", "truth"]
    assert [panel.caption for panel in hidden.truth] == ["truth"]
    for (_, with_image), (_, without) in zip(shown.rows, hidden.rows, strict=True):
        assert [panel.caption for panel in with_image] == [panel.caption for panel in without]
        assert all(a.source != b.source for a, b in zip(with_image, without, strict=True))


def test_rows_are_named_by_settings_where_the_command_lines_do_not_tell(sweep):
    for overrides in sweep.rglob("overrides.yaml"):
        overrides.write_text("[]\n")
    assert list(lines(sweep)) == ["global_aware=both", "global_aware=none"]


def test_settings_beside_the_point_do_not_split_a_row(sweep):
    config = sweep / "global_aware=none" / "seed=1" / "config.yaml"
    config.write_text(config.read_text().replace("mode: disabled", "mode: offline"))
    assert len(lines(sweep)) == 2


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("metrics.json", {"split_hash": "0123456789ab"}, "different split"),
        ("environment.json", {"commit": "f" * 40}, "different code version"),
    ],
)
def test_what_cannot_be_compared_is_refused_unless_allowed(sweep, name, change, reason):
    odd = sweep / "global_aware=none" / "seed=2"
    edit_json(odd / name, **change)
    with pytest.raises(RoadexError, match=rf"{reason}.*seed=2.*mixed=true"):
        lines(sweep)
    assert len(lines(sweep, mixed=True)) == 2


def test_the_page_warns_of_what_was_mixed(sweep):
    edit_json(sweep / "global_aware=none" / "seed=2" / "environment.json", commit="f" * 40)
    with pytest.raises(RoadexError, match="mixed=true"):
        report(sweep)
    assert not (sweep.parent / "out").exists()
    text = report(sweep, mixed=True, tiles=0).page.read_text()
    assert "different code version" in text and "No tiles: none were asked for" in text


def test_metric_settings_are_compared(sweep):
    config = sweep / "global_aware=none" / "seed=2" / "config.yaml"
    changed = edited(config.read_text().splitlines(), ["apls", "snap"], 123)
    config.write_text("\n".join(changed))
    with pytest.raises(RoadexError, match=r"different metric settings.*apls\.snap=123"):
        lines(sweep)


def test_a_setting_that_only_newer_code_has_does_not_split_a_row_of_mixed_versions(sweep):
    newer = sweep / "global_aware=none" / "seed=2"
    edit_json(newer / "environment.json", commit="f" * 40)
    config = newer / "config.yaml"
    config.write_text(config.read_text() + "novelty: 3\n")
    assert len(lines(sweep, mixed=True)["global_aware=none"].row.runs) == 4


def test_the_same_settings_and_seed_twice_are_refused(sweep):
    shutil.copytree(sweep / "global_aware=none" / "seed=0", sweep / "again")
    with pytest.raises(RoadexError, match="same settings and seed"):
        lines(sweep)


def test_an_unfinished_run_is_counted_not_averaged(sweep):
    unfinished = sweep / "global_aware=none" / "seed=3"
    (unfinished / "metrics.json").unlink()
    assert find_runs(sweep).unfinished == [unfinished] and find_runs(sweep).faults == []
    assert lines(sweep)["global_aware=none"].row.seeds == [0, 1, 2]


FAULTS = {
    "history.csv": ("epoch,loss/total\n1,0.5\n2,x", "line 3 is damaged"),
    "metrics.json": ("{", "metrics.json is damaged"),
    "config.yaml": ("a: [", "config.yaml is damaged"),
    "environment.json": ("[]", "holds no settings"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_damaged_run_is_named_and_left_out(sweep, name):
    content, reason = FAULTS[name]
    (sweep / "global_aware=none" / "seed=3" / name).write_text(content)
    (fault,) = find_runs(sweep).faults
    assert "seed=3" in fault and reason in fault
    assert lines(sweep)["global_aware=none"].row.seeds == [0, 1, 2]


def test_scores_that_contradict_each_other_are_found(sweep):
    metrics = sweep / "global_aware=none" / "seed=3" / "metrics.json"
    edit_json(metrics, **{"test/iou": 0.44})
    (fault,) = find_runs(sweep).faults
    assert "iou=0.440000 cannot go with f1=0.600000" in fault


def test_a_run_of_another_version_is_named(sweep):
    edit_json(sweep / "global_aware=none" / "seed=3" / "metrics.json", split_hash=None)
    (fault,) = find_runs(sweep).faults
    assert "no 'split_hash': it was written by another version" in fault


def test_a_baseline_must_be_one_row(sweep):
    with pytest.raises(RoadexError, match="fits no row: choose one of global_aware=both; "):
        lines(sweep, baseline="spatial")
    with pytest.raises(RoadexError, match="fits several rows"):
        lines(sweep, baseline="global")


def test_rows_are_measured_against_the_row_that_differs_in_one_setting(trained, tmp_path):
    f1 = {("none", 1): 0.5, ("none", 2): 0.6, ("both", 1): 0.53, ("both", 2): 0.58}
    for (gates, stacks), score in f1.items():
        for seed in (0, 1):
            target = tmp_path / f"{gates}-{stacks}" / f"seed-{seed}"
            settings = {"model__global_aware": gates, "model__stacks": stacks}
            copy_run(trained, target, seed, score + seed / 100, **settings)
    found = lines(tmp_path, baseline="none")
    gains = {name: line.differences["f1"].mean for name, line in found.items() if line.differences}
    assert gains == pytest.approx(
        {"global_aware=both, stacks=1": 0.03, "global_aware=both, stacks=2": -0.02}
    )
    names = list(found)
    for stacks in (1, 2):
        first = names.index(f"global_aware=none, stacks={stacks}")
        assert names[first + 1] == f"global_aware=both, stacks={stacks}"


def test_weights_of_the_same_seed_are_one_setting(trained, tmp_path):
    for seed in (0, 1):
        init = f"first/seed-{seed}/checkpoints/last.pt"
        copy_run(trained, tmp_path / f"from-{seed}", seed, 0.6, init=init)
        copy_run(trained, tmp_path / f"scratch-{seed}", seed, 0.5)
    found = lines(tmp_path, baseline="none")
    assert [len(line.row.runs) for line in found.values()] == [2, 2]
    assert found["init=first/seed-*"].differences["f1"].mean == pytest.approx(0.1)


def test_weights_of_one_seed_for_all_stay_that_seed(trained, tmp_path):
    for seed in (0, 1, 12):
        copy_run(trained, tmp_path / f"{seed}", seed, 0.6, init="first/seed-1/checkpoints/last.pt")
        copy_run(trained, tmp_path / f"scratch-{seed}", seed, 0.5)
    found = lines(tmp_path)
    assert len(found["init=first/seed-1"].row.runs) == 3


def test_scores_that_no_run_has_are_refused(sweep):
    with pytest.raises(RoadexError, match=r"no run has any; there are .*f1"):
        report(sweep, scores=["fl"])


def test_command_reports_the_others_and_fails_when_a_run_is_damaged(sweep, tmp_path):
    (sweep / "global_aware=none" / "seed=3" / "history.csv").write_text("")
    done = run("report", f"runs={sweep}", "out=out", "baseline=none", cwd=tmp_path)
    assert done.returncode == 2 and (tmp_path / "out" / "index.html").exists()
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("roadex: 1 of the runs left out of the report: ")
    assert "seed=3/history.csv holds no epoch" in line


def test_command_without_a_finished_run_says_so(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "environment.json").write_text("{}")
    done = run("report", "runs=a", "out=out", cwd=tmp_path)
    assert done.returncode == 2 and "no finished run (1 unfinished)" in done.stderr
    assert not (tmp_path / "out").exists()


def test_folds_are_repeats_that_differences_are_paired_by(trained, tmp_path):
    for gates, scores in {"none": [0.5, 0.6, 0.7], "both": [0.52, 0.63, 0.71]}.items():
        for fold, f1 in enumerate(scores):
            target = tmp_path / "sweep" / f"{gates}-{fold}"
            settings = {"model__global_aware": gates, "dataset__splits__fold": fold}
            copy_run(trained, target, 0, f1, **settings)
            edit_json(target / "metrics.json", split_hash=f"{fold:012d}")
    none, both = lines(tmp_path / "sweep", baseline="none").values()
    assert none.row.name == "global_aware=none" and none.spreads["f1"].count == 3
    assert none.spreads["f1"].deviation == pytest.approx(0.1)
    assert both.differences["f1"].mean == pytest.approx(0.02) and both.differences["f1"].pairs == 3
    text = report(tmp_path / "sweep", tiles=0).page.read_text()
    assert "differ in their seed and their fold alone" in text
    shutil.copytree(tmp_path / "sweep" / "none-1", tmp_path / "sweep" / "again")
    with pytest.raises(RoadexError, match="same settings and seed"):
        lines(tmp_path / "sweep")
    shutil.rmtree(tmp_path / "sweep" / "again")
    copy_run(trained, tmp_path / "sweep" / "whole", 0, 0.8, model__global_aware="none")
    mixed = lines(tmp_path / "sweep", mixed=True)
    assert sorted(len(line.row.runs) for line in mixed.values()) == [1, 3, 3]
    shutil.rmtree(tmp_path / "sweep" / "whole")
    edit_json(tmp_path / "sweep" / "none-2" / "metrics.json", pool_hash="other tiles")
    with pytest.raises(RoadexError, match="different split"):
        lines(tmp_path / "sweep")


def test_rows_are_compared_tile_by_tile(sweep):
    for path in sweep.rglob("graphs.csv"):
        better = "global_aware=both" in str(path)
        table = pd.DataFrame({"tile": list("abcdefgh"), "f1": np.linspace(0.4, 0.75, 8)})
        table.loc[0, "f1"] = np.nan if "seed=1" in str(path) else 0.4
        table["f1"] += better * np.array([9, 1, 2, 3, 4, 5, 6, 7]) / 100
        table.to_csv(path, index=False)
    none, both = lines(sweep, baseline="none").values()
    found = both.by_tile["f1"]
    assert none.by_tile == {} and set(both.by_tile) == {"f1"}
    assert found.tiles == 7 and found.mean == pytest.approx(0.04)  # not a, which a run lacks
    assert found.p == pytest.approx(2 / 2**7) and 0.02 < found.low < 0.04 < found.high < 0.06
    report(sweep, baseline="none")
    markdown = (sweep.parent / "out" / "table.md").read_text()
    assert "Tile by tile against global_aware=none:" in markdown
    assert "| global_aware=both | 7 | +0.040 [" in markdown and "p = 0.016" in markdown
    assert "p = 0.016" in (sweep.parent / "out" / "index.html").read_text()
    damaged = next(sweep.rglob("graphs.csv"))
    damaged.write_text("a,b\n1,2\n")
    with pytest.raises(RoadexError, match=r"graphs\.csv is damaged"):
        lines(sweep, baseline="none")


def test_sign_flips_are_all_patterns_of_few_values_and_chance_of_many():
    values = np.array([0.3, -0.1, 0.2, 0.05])
    means = [abs(np.mean(values * signs)) for signs in itertools.product((-1, 1), repeat=4)]
    expected = np.mean(np.array(means) >= abs(values.mean()) - 1e-12)
    assert sign_flip_p(values) == pytest.approx(expected)
    rng = np.random.default_rng(3)
    nothing = [sign_flip_p(rng.normal(0, 1, 20)) for _ in range(40)]
    assert 0.3 < np.mean(nothing) < 0.7 and np.mean(np.array(nothing) < 0.05) < 0.2
    assert sign_flip_p(rng.normal(1, 0.1, 30)) < 0.001
    assert np.isnan(sign_flip_p(values[:1])) and sign_flip_p(np.zeros(5)) == 1
    one = tile_means([pd.DataFrame({"f1": [0.5]}, index=["a"])], "f1")
    assert tile_difference(one, one).tiles == 1 and tile_means([], "f1").empty


def test_the_best_are_bold_with_ties_and_less_is_better_of_what_is_false(sweep):
    for path in sweep.rglob("metrics.json"):
        better = "global_aware=both" in str(path)
        tied = {"test/precision": 0.7001 + better * 0.0002, "test/recall": 0.5 + better * 0.00001}
        edit_json(path, **tied, **{"test/false_connections": 0.2 + better * 0.1})
    rows = rows_of(find_runs(sweep).finished)
    shown = ["f1", "precision", "recall", "false_connections"]
    _, both, none = score_table(compare(rows, shown, None))
    assert both[2] == "**0.620 ± 0.017**" and none[2] == "0.540 ± 0.043"
    assert not any("*" in cell for cell in (*both[3:5], *none[3:5]))  # they look the same
    assert both[5] == "0.300 ± 0.000" and none[5] == "**0.200 ± 0.000**"
    report(sweep, scores=["f1"])
    out = sweep.parent / "out"
    assert "**0.620 ± 0.017**" in (out / "table.md").read_text()
    assert r"\textbf{0.620 $\pm$ 0.017}" in (out / "table.tex").read_text()
    page = (out / "index.html").read_text()
    assert '<td class="best">0.620 ± 0.017</td>' in page and "**" not in page


def test_cities_have_tables_of_their_own(sweep):
    for path in sweep.rglob("metrics.json"):
        better = "global_aware=both" in str(path)
        f1 = {"Paris": 0.6 + better / 10, "Vegas": 0.7 - better / 10}
        scores = {f"test/city/{city}/f1": value for city, value in f1.items()}
        edit_json(path, **scores, **{"test/city/Paris/apls/n_total": 4})
    comparison = compare(rows_of(find_runs(sweep).finished), ["f1", "iou"], None)
    head, *rows = city_table(comparison)
    assert head == ["city", "setting", "tiles", "F1"]
    assert [row[:2] for row in rows] == [
        [city, f"global_aware={gates}"] for city in ("Paris", "Vegas") for gates in ("both", "none")
    ]
    assert [row[3] for row in rows] == [
        "**0.700 ± 0.000**", "0.600 ± 0.000", "0.600 ± 0.000", "**0.700 ± 0.000**"
    ]  # fmt: skip
    assert [row[2] for row in rows] == ["4", "4", "–", "–"]
    report(sweep, scores=["f1"])
    assert (sweep.parent / "out" / "cities.tex").is_file()
    assert "By city:" in (sweep.parent / "out" / "table.md").read_text()
    assert "city/" not in (sweep.parent / "out" / "table.csv").read_text()
