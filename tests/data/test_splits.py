"""Splits by lists and by the hash of the name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadex.config.dataset import SplitConfig, SyntheticConfig
from roadex.data.sources.files import Division, Entry
from roadex.data.sources.synthetic import synthetic_source
from roadex.data.splits import SPLITS, assign_splits, pool_hash, split_hash
from roadex.errors import RoadexError

NAMES = [f"tile_{index}" for index in range(400)]


def write_lists(folder, **lists):
    for split in SPLITS:
        (folder / f"{split}.txt").write_text("\n".join(lists.get(split, [split])) + "\n")
    return SplitConfig(lists=str(folder))


def test_every_tile_is_in_one_split_and_shares_are_kept():
    splits = assign_splits(NAMES, SplitConfig())
    assert sorted(name for split in SPLITS for name in splits[split]) == sorted(NAMES)
    assert len(splits["train"]) == pytest.approx(320, abs=25)
    assert len(splits["test"]) == pytest.approx(40, abs=20)


def test_a_tile_keeps_its_split_when_others_come_and_go():
    before, after = (assign_splits(names, SplitConfig()) for names in (NAMES, NAMES[:300]))
    assert all(set(after[split]) <= set(before[split]) for split in SPLITS)


def test_lists_are_followed_and_their_hash_tells_them_apart(tmp_path):
    names = ["train", "validation", "test", "spare"]
    splits = assign_splits(names, write_lists(tmp_path))
    assert splits == {split: [split] for split in SPLITS}
    assert split_hash(splits) != split_hash({**splits, "test": ["spare"]})


def test_lists_of_the_project_are_found_by_name():
    names = [f"satImage_{index:03d}" for index in range(1, 81)]
    splits = assign_splits(names, SplitConfig(lists="epfl"))
    assert [len(splits[split]) for split in SPLITS] == [60, 10, 10]


@pytest.mark.parametrize(
    ("lists", "complaint"),
    [
        ({"test": ["ghost"]}, r"test.txt: there is no tile 'ghost'"),
        ({"test": ["train"]}, r"test.txt: 'train' is in train.txt already"),
        ({"test": []}, "the test split is empty"),
    ],
)
def test_bad_lists_are_refused(tmp_path, lists, complaint):
    with pytest.raises(RoadexError, match=complaint):
        assign_splits(list(SPLITS), write_lists(tmp_path, **lists))


def test_missing_lists_are_refused(tmp_path):
    (tmp_path / "train.txt").write_text("a\n")
    with pytest.raises(RoadexError, match=r"validation.txt: no such list"):
        assign_splits(["a"], SplitConfig(lists=str(tmp_path)))
    with pytest.raises(RoadexError, match=r"lists of the project \(cityscale, epfl"):
        assign_splits(["a"], SplitConfig(lists="nowhere"))


def test_too_few_tiles_for_three_splits_are_refused():
    with pytest.raises(RoadexError, match="split is empty"):
        assign_splits(["only"], SplitConfig())


def each_fold(divide, config):
    """What `divide` makes of every fold."""
    return [divide(replace(config, fold=fold)) for fold in range(config.folds)]


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.text("abc_019", min_size=1, max_size=6), min_size=12, max_size=80),
    st.integers(2, 7),
    st.sampled_from(["ranked", "lists"]),
    st.randoms(use_true_random=False),
)
def test_folds_are_disjoint_and_complete_and_leave_the_test_tiles(
    tmp_path_factory, names, folds, rule, random
):
    config = SplitConfig(rule="ranked", folds=folds)
    if rule == "lists":
        order = sorted(names)
        random.shuffle(order)
        parts = {"test": order[:2], "validation": order[2:4], "train": order[4:]}
        lists = write_lists(tmp_path_factory.mktemp("lists"), **parts).lists
        config = replace(config, lists=lists)
    whole = assign_splits(sorted(names), config)
    pool = {*whole["train"], *whole["validation"]}
    made = each_fold(lambda fold: assign_splits(sorted(names), fold), config)
    for splits in made:
        assert splits["test"] == whole["test"]
        train, validation = set(splits["train"]), set(splits["validation"])
        assert train | validation == pool and not train & validation
        assert pool_hash(splits) == pool_hash(whole)
    validated = [name for splits in made for name in splits["validation"]]
    assert sorted(validated) == sorted(pool)
    sizes = {len(splits["validation"]) for splits in made}
    assert max(sizes) - min(sizes) <= 1
    assert len({split_hash(splits) for splits in made}) == folds


def test_folds_hold_whole_cities_and_published_splits_and_worlds_have_them_too():
    entries = {f"{city}_{k}": Entry(None, None, city) for city in "abcdefgh" for k in range(3)}
    ranked = SplitConfig(rule="ranked", folds=3)
    names = sorted(entries)
    published = {"train": names[:12], "validation": names[12:18], "test": names[18:]}
    world = SyntheticConfig(train_tiles=9, validation_tiles=3, test_tiles=2)
    divisions = [
        lambda fold: Division(fold, by_group=True).splits(entries, SPLITS),
        lambda fold: Division(fold, published).splits(entries, SPLITS),
        lambda fold: synthetic_source(replace(world, splits=fold)).splits(),
    ]
    for divide in divisions:
        made = each_fold(divide, ranked)
        assert len({tuple(splits["test"]) for splits in made}) == 1
        validated = [name for splits in made for name in splits["validation"]]
        assert sorted(validated) == sorted(made[0]["train"] + made[0]["validation"])
    for splits in each_fold(divisions[0], ranked):
        homes = [{name[0] for name in splits[split]} for split in SPLITS]
        assert sum(map(len, homes)) == 8


@pytest.mark.parametrize(
    ("fold", "folds", "complaint"),
    [(5, 5, "fold=5: 5 folds are numbered 0 to 4"), (0, 9, "folds=9: only 4 to be dealt out")],
)
def test_folds_that_there_are_not_are_refused(tmp_path, fold, folds, complaint):
    config = write_lists(tmp_path, train=["a", "b", "c"])
    with pytest.raises(RoadexError, match=complaint):
        names = ["a", "b", "c", "validation", "test"]
        assign_splits(names, replace(config, fold=fold, folds=folds))
