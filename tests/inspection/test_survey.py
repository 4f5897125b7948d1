"""The page of a dataset shows every tile, and finds those that were spoilt."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from roadex.config.dataset import FolderConfig, SplitConfig
from roadex.config.inspect import InspectConfig
from roadex.errors import RoadexError
from roadex.inspection.survey import survey
from roadex.rasters.masks import MaskRules, read_mask
from roadex.rasters.pictures import read_image, write_image
from tests.support.worlds import write_folder


@pytest.fixture
def spoilt(tmp_path):
    images, masks = write_folder(tmp_path, 12, size=128)
    write_image(images / "tile01.png", np.zeros((128, 128, 3), np.uint8))
    write_image(images / "tile02.png", read_image(images / "tile03.png"))
    moved = np.roll(
        read_mask(masks / "tile04.png", MaskRules(above=127)).road * np.uint8(255), 12, axis=1
    )
    write_image(masks / "tile04.png", moved)
    chequers = np.indices((128, 128)).sum(axis=0) // 4 % 2 * np.uint8(200)
    write_image(images / "tile05.png", cv2.cvtColor(chequers.astype(np.uint8), cv2.COLOR_GRAY2RGB))
    write_image(masks / "tile05.png", np.zeros((128, 128), np.uint8))
    return InspectConfig(
        dataset=FolderConfig(
            images=str(images), masks=str(masks), cache=str(tmp_path / "cache"), workers=1,
            splits=SplitConfig(rule="ranked"),
        ),
        out=str(tmp_path / "page"), tiles=6,
    )  # fmt: skip


def test_spoilt_tiles_are_found_and_shown_first(spoilt, tmp_path):
    found = survey(spoilt)
    assert set(found) == {"tile01", "tile02", "tile03", "tile04", "tile05"}
    for name, reason in (
        ("tile01", "nearly one colour"),
        ("tile02", "same picture as tile03"),
        ("tile04", "moved by "),
        ("tile05", "no road, though the picture is full of edges"),
    ):
        assert any(reason in text for text in found[name]), (name, found[name])
    page = (tmp_path / "page" / "index.html").read_text()
    assert page.count("<article>") == 6 and page.count("data:image/jpeg;base64,") == 24
    assert "http" not in page, "the page needs nothing but itself"
    assert json.loads((tmp_path / "page" / "suspicious.json").read_text()) == found


def test_unusable_files_are_named_and_the_rest_is_shown(tmp_path):
    images, masks = write_folder(tmp_path, 12, size=64)
    (images / "tile01.png").write_bytes(b"")
    (images / "tile02.png").unlink()
    splits = SplitConfig(lists=str(tmp_path / "lists"))
    (tmp_path / "lists").mkdir()
    for split, names in (("train", "03 04 01"), ("validation", "05"), ("test", "06")):
        listed = "\n".join(f"tile{number}" for number in names.split())
        (tmp_path / "lists" / f"{split}.txt").write_text(listed)
    config = InspectConfig(
        dataset=FolderConfig(
            images=str(images), masks=str(masks), cache=str(tmp_path / "cache"), workers=1,
            splits=splits,
        ),
        out=str(tmp_path / "page"),
    )  # fmt: skip
    lines = []
    with pytest.raises(RoadexError, match=r"report.json: 2 unusable files were left out"):
        survey(config, lines.append)
    assert any("tile01.png: not a readable image" in line for line in lines)
    assert any("tile02.png: its image is missing" in line for line in lines)
    assert (tmp_path / "page" / "index.html").read_text().count("<article>") == 4
