"""Files appear whole under their name, or not at all."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import replace
from pathlib import Path

import pytest

from roadex.errors import RoadexError
from roadex.files import (
    atomic_write,
    began_at,
    is_readable,
    keep_json,
    remove_abandoned,
    temporary_name,
    user_path,
    write_json,
    write_table,
)
from roadex.rasters.pictures import list_images
from roadex.sweep.records import Record, is_running


def test_failure_leaves_neither_a_new_nor_a_changed_file(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(ValueError, match="stop"), atomic_write(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise ValueError("stop")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_folder_that_cannot_be_made_is_refused_by_name(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RoadexError, match=r"file/a.json cannot be written .*another folder"):
        write_json(tmp_path / "file" / "a.json", {})


def test_what_says_the_same_is_not_written_again(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    keep_json(path, {"a": (1, 2)})
    before = path.stat().st_ino
    keep_json(path, {"a": [1, 2]})
    assert path.stat().st_ino == before
    monkeypatch.setattr("os.access", lambda *_: False)  # a folder of others
    keep_json(path, {"a": 3}, needed=False)
    assert path.stat().st_ino == before
    keep_json(path, {"a": 3})
    assert json.loads(path.read_text()) == {"a": 3}


def test_what_may_not_be_read_is_told_from_what_may_not_be_written(tmp_path, monkeypatch):
    assert is_readable(tmp_path) and is_readable(tmp_path / "new" / "folder")
    real = os.access
    monkeypatch.setattr("os.access", lambda path, *how: path != tmp_path and real(path, *how))
    assert not is_readable(tmp_path) and not is_readable(tmp_path / "hidden.png")
    with pytest.raises(RoadexError, match=r"dataset.images=.*cannot be read"):
        list_images(tmp_path, "dataset.images")


def test_json_has_null_where_there_is_no_number(tmp_path):
    write_json(tmp_path / "a.json", {"apls": float("nan"), "rows": [1.5, float("nan")]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"apls": None, "rows": [1.5, None]}


@pytest.mark.parametrize("value", [float("inf"), -float("inf")])
def test_json_has_null_where_a_ratio_has_no_bound(tmp_path, value):
    write_json(tmp_path / "a.json", {"length_ratio": value})
    assert json.loads((tmp_path / "a.json").read_text()) == {"length_ratio": None}


def test_table_has_all_columns_in_order_of_appearance(tmp_path):
    write_table(tmp_path / "t.csv", [{"a": 1}, {"a": 2, "b": 3}])
    assert (tmp_path / "t.csv").read_text() == "a,b\n1,\n2,3\n"


def test_a_home_that_is_missing_is_refused(monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    with pytest.raises(RoadexError, match=r"~nobody-at-all/x: this user has no home folder"):
        user_path("~nobody-at-all/x")
    assert user_path("a/b") == Path("a/b")


def test_what_a_killed_process_left_is_removed_even_if_its_number_came_again(tmp_path):
    own = temporary_name(tmp_path / "tile.npy")
    own.write_text("being written")
    began = began_at(os.getpid())
    assert began is not None, "needs /proc"
    earlier = own.with_name(own.name.replace(f"+{began}.", f"+{began - 1}."))
    earlier.write_text("left by a process of this number that a container had before")
    remove_abandoned(tmp_path)
    assert own.exists() and not earlier.exists()
    record = Record(platform.node(), os.getpid(), 0.0, began=began)
    assert is_running(record) and not is_running(replace(record, began=began - 1))
