"""Which trainings a command line asks for, and the folders they get."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from roadex.command.overrides import quote
from roadex.errors import RoadexError
from roadex.sweep.jobs import apart, expand, row_name


def folders(*arguments: str) -> list[str]:
    return [job.folder for job in expand(arguments, seed=0)]


def test_every_combination_once_and_all_settings_of_a_seed_before_the_next():
    assert folders("model.stacks=1,2", "seed=0,1", "name=x") == [
        "stacks-1/seed-0", "stacks-2/seed-0", "stacks-1/seed-1", "stacks-2/seed-1",
    ]  # fmt: skip
    assert folders("model.stacks=range(1,4)") == [f"stacks-{n}/seed-0" for n in (1, 2, 3)]
    assert folders("seed=5", "trainer.ema=0.9") == ["single/seed-5"]


def test_the_last_value_of_a_key_counts():
    assert folders("model.stacks=1,2", "model.stacks=4") == ["single/seed-0"]
    (job,) = expand(["model.stacks=1,2", "model.stacks=4"], seed=0)
    assert job.overrides == ("model.stacks=4",)


def test_folder_depends_on_neither_order_nor_company():
    one = set(folders("model.stacks=1,2", "optimizer.lr=0.1,0.2", "seed=0"))
    other = set(folders("seed=0,1", "optimizer.lr=0.2,0.1", "model.stacks=2,1,3"))
    assert one <= other


def test_values_that_no_path_can_hold_stay_apart():
    names = [
        row_name([f"dataset.mean={value}"])
        for value in ("[1,2]", "[1,3]", "a/b", "a_b", "'a b'", "x" * 300, "x" * 301)
    ]
    assert len(set(names)) == len(names)
    assert all("/" not in name and len(name) < 140 for name in names)
    parser = OverridesParser.create()
    for name in names:  # a folder can be named in an override without quoting
        override = parser.parse_override(f"checkpoint=multirun/x/{name}/seed-0/best.pt")
        assert override.value() == f"multirun/x/{name}/seed-0/best.pt"


def test_equal_last_names_of_keys_are_written_in_full():
    assert row_name(["dataset.gsd=1", "dataset.world.gsd=2"]) == "dataset.gsd-1+dataset.world.gsd-2"


def test_a_range_without_single_values_is_refused():
    with pytest.raises(RoadexError, match=r"optimizer.lr=interval\(0,1\): list the values"):
        expand(["optimizer.lr=interval(0,1)"], seed=0)


@pytest.mark.parametrize("text", ["a b", "it's", "a\\b", "a\\", "a\\'b", "x=1,[2]"])
def test_any_text_is_quoted_as_one_value(text):
    value = OverridesParser.create().parse_override(f"key={quote(text)}").value()
    assert str(getattr(value, "text", value)) == text


def test_a_sweep_that_varies_nothing_has_a_folder_for_each_of_its_fixed_settings():
    def away(*arguments):
        (job,) = expand(["seed=3", *arguments], 0)
        return apart(job).folder

    first = away("optimizer.lr=0.1", "model.stacks=2")
    assert first == away("model.stacks=2", "optimizer.lr=0.1", "trainer.num_workers=4")
    assert first.startswith("single-") and first.endswith("/seed-3")
    assert first != away("optimizer.lr=0.2", "model.stacks=2")
