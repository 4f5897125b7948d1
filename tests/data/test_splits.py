"""Splits by lists and by the hash of the name."""

from __future__ import annotations

import pytest

from roadex.config.dataset import SplitConfig
from roadex.data.splits import SPLITS, assign_splits, split_hash
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
