"""Text settings are taken as they are typed."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from roadex.command.overrides import as_typed
from roadex.config.names import RENAMED
from roadex.errors import RoadexError

PARSER = OverridesParser.create()


def value_of(argument: str, command: str = "score") -> object:
    (typed,) = as_typed([argument], command)
    (override,) = PARSER.parse_overrides([typed])
    return override.value()


@pytest.mark.parametrize(
    "text",
    [
        "2022_01_05", "0.10", "1e3", "été/t.geojson", "道路/一.geojson", "tile (1).geojson",
        "with spaces.geojson", "a,b.geojson", "a=b.geojson", "it's.geojson", "true", "~/x", "a:b",
        "[odd]", "{x}", "back\\slash", "trailing\\",
    ],
)  # fmt: skip
def test_text_stays_as_it_is_typed(text):
    assert value_of(f"truth={text}") == text


def test_what_hydra_should_read_stays_hydras():
    assert value_of("out=null") is None
    assert value_of("gsd=0.5") == 0.5
    assert value_of("truth='quoted already'") == "quoted already"
    assert as_typed(["out=${oc.env:HOME}"], "score") == ["out=${oc.env:HOME}"]
    assert as_typed(["-m", "seed=0,1", "--cfg", "job"], "train") == [
        "-m", "seed=0,1", "--cfg", "job",
    ]  # fmt: skip


def test_a_swept_text_is_quoted_value_by_value():
    assert as_typed(["-m", "dataset.images=a b,c (1)"], "train")[1] == (
        "dataset.images='a b','c (1)'"
    )


def test_one_value_of_a_list_is_a_list():
    assert value_of("metrics=apls") == ["apls"]
    assert value_of("metrics=[apls,topo]") == ["apls", "topo"]


def test_several_seeds_without_a_sweep_say_what_is_missing():
    with pytest.raises(RoadexError, match="add -m"):
        as_typed(["seed=0,1"], "train")


def test_further_datasets_become_entries_by_name():
    given = ["datasets=[town:folder, synthetic]", "datasets.town.raw=2022_01"]
    assert as_typed(given, "train") == [
        "+dataset@datasets.town=folder",
        "+dataset@datasets.synthetic=synthetic",
        "datasets.town.raw='2022_01'",
    ]


def test_the_extra_dataset_of_before_is_understood_and_reported(capsys):
    now = as_typed(["dataset@extra=synthetic", "extra.gsd=0.3"], "train")
    assert now[0] == "+dataset@datasets.extra=synthetic" and now[-1] == "datasets.extra.gsd=0.3"
    assert "extra.gsd=0.3 is now datasets.extra.gsd=0.3" in capsys.readouterr().err


@pytest.mark.parametrize(("before", "now"), sorted(RENAMED.items()))
def test_a_setting_of_an_earlier_name_is_understood_and_reported(before, now, capsys):
    assert as_typed([f"{before}=1"], "train") == [f"{now}=1"]
    assert capsys.readouterr().err == f"roadex: {before} is now {now}\n"


def test_in_a_sweep_a_path_that_is_there_keeps_its_commas(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a, b" / "c,d").mkdir(parents=True)
    given = ["-m", "dataset.images=a, b/c,d", "dataset.masks=x,a, b,y", "name=" + 300 * "n" + ",m"]
    assert as_typed(given, "train")[1:] == [
        "dataset.images='a, b/c,d'",
        "dataset.masks='x','a, b','y'",
        f"name='{300 * 'n'}','m'",
    ]


@pytest.mark.parametrize("argument", ["backbone=null", "model={stacks: 2}"])
def test_a_group_takes_the_name_of_a_choice(argument):
    with pytest.raises(RoadexError, match="name a choice of"):
        as_typed([argument], "train")
