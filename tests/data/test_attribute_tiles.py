"""Labels of attributes from raw data to crops."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from roadex.config.augment import AugmentConfig
from roadex.config.dataset import FolderConfig, SpaceNetConfig, SyntheticConfig
from roadex.config.labels import ATTRIBUTE, ATTRIBUTE_NAMES, IGNORE
from roadex.config.world import WorldSettings
from roadex.data.augment import Augmentation
from roadex.data.crops import CropDataset
from roadex.data.manifest import require_attributes
from roadex.data.mixing import Sample, mixed, pasted
from roadex.data.prepare import prepare
from roadex.errors import RoadexError
from roadex.graph.attribute_labels import CLASSES, known_attributes
from roadex.graph.network import total_length
from roadex.world import make_tile
from roadex.world.roads import ROAD_CLASSES
from tests.support.worlds import write_folder

NAMES = [f"{ATTRIBUTE}{name}" for name in ATTRIBUTE_NAMES]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    world = WorldSettings(size_px=192, rural_weight=1.0, motorway_share=0.5)
    return SyntheticConfig(
        gsd=0.5, world=world, train_tiles=5, validation_tiles=1, test_tiles=1, workers=1,
        cache=str(tmp_path_factory.mktemp("cache")),
    )  # fmt: skip


@pytest.fixture(scope="module")
def said():
    return []


@pytest.fixture(scope="module")
def dataset(config, said):
    return prepare(config, 5, said.append, attributes=True)


def test_what_is_known_is_counted(dataset, said):
    manifest = json.loads((dataset.folder / "manifest.json").read_text())
    known, road = manifest["attributes_km"], manifest["road_km"]
    assert known.keys() == set(ATTRIBUTE_NAMES)
    assert all(km == pytest.approx(road, abs=0.01) for km in known.values())
    wanted = ", ".join(f"{name} {road:.1f}" for name in ATTRIBUTE_NAMES)
    assert any(line.endswith(f": {wanted}") for line in said)


def test_the_world_tells_all_of_its_roads(config, dataset):
    for name in dataset.splits["train"]:
        mask, maps = dataset.tile(name).mask, dataset.attributes(name)
        assert (maps[:, mask != 1] == IGNORE).all()
        assert (maps[:, mask == 1] != IGNORE).mean() > 0.85, "but for corners and turning circles"
        told = total_length(dataset.tagged(name))
        assert told == pytest.approx(total_length(dataset.graph(name)), abs=1.0)
        facts = json.loads((dataset.folder / name / "tile.json").read_text())
        assert facts["attributes_m"]["class"] == pytest.approx(told, abs=1e-2)
    tile = make_tile(config.world, config.world_seed, 0)
    classes = {data["road_class"] for *_, data in tile.by_class.edges(data=True)}
    found = set(np.unique(dataset.attributes("000000")[0]).tolist()) - {IGNORE}
    assert found == {CLASSES.index(ROAD_CLASSES[each].highway) for each in classes}


def test_prepared_data_without_attributes_have_their_old_place(config, dataset):
    """The name is what the code before attributes gave this very dataset."""
    plain = prepare(config, 5)
    assert plain.folder != dataset.folder
    assert not (plain.folder / "000000" / "attributes.npy").exists()
    facts = json.loads((plain.folder / "000000" / "tile.json").read_text())
    assert "attributes_m" not in facts
    manifest = json.loads((plain.folder / "manifest.json").read_text())
    assert "attributes" not in manifest["recipe"]
    for key in ("image", "mask", "connectivity"):
        own, other = (np.load(each.folder / "000001" / f"{key}.npy") for each in (plain, dataset))
        assert np.array_equal(own, other)


def test_crops_carry_the_labels_that_are_learnt_through_all_changes(dataset):
    """Colours that tell the class of a road come out where its labels do."""
    strong = AugmentConfig(
        rotation=180.0, scale_min=0.7, scale_max=1.4, quarter_turns=True, flip=True
    )
    names = ("class", "speed")
    crops = CropDataset(dataset, 96, Augmentation(strong), 0, True, True, attributes=names)
    for draw in range(6):
        crop = crops[draw]
        assert {key for key in crop if key.startswith(ATTRIBUTE)} == {NAMES[0], NAMES[3]}
        known, road = crop[NAMES[0]] != IGNORE, crop["mask"] == 1
        assert not (known & ~road).any() and (not road.any() or known[road].float().mean() > 0.7)
    painted = paint(dataset)
    plain = CropDataset(painted, 96, Augmentation(strong), 0, attributes=ATTRIBUTE_NAMES)
    seen = 0
    for draw in range(6):
        crop = plain[draw]
        inner = crop[NAMES[0]] != IGNORE
        colours = crop["image"][:, inner].numpy().astype(int) // 30
        labels = np.stack([crop[name][inner].numpy() for name in NAMES[:3]])
        agree = (colours == np.minimum(labels, 8)).all(axis=0)
        assert not inner.any() or agree.mean() > 0.8, "all but pixels between two colours"
        seen += int(inner.sum())
    assert seen > 1000


def paint(dataset):
    """The dataset with images whose colours are the labels of class, surface and lanes."""
    folder = dataset.folder.parent / "painted"
    if not folder.is_dir():
        shutil.copytree(dataset.folder, folder)
        for name in dataset.splits["train"]:
            maps = np.load(folder / name / "attributes.npy")
            colours = np.minimum(maps[:3], 8).transpose(1, 2, 0) * 30 + 15
            np.save(folder / name / "image.npy", colours.astype(np.uint8))
    return replace(dataset, folder=folder)


def test_crops_that_are_joined_bring_their_labels():
    rng = np.random.default_rng(0)
    mask = np.zeros((32, 32), np.uint8)
    mask[10:20] = 1
    samples = []
    for kind in (2, 5):
        told = np.where(mask == 1, np.uint8(kind), np.uint8(IGNORE))
        image = np.full((3, 32, 32), 40 * kind, np.uint8)
        turned = mask.T.copy() if kind == 5 else mask
        labels = [turned, turned, told.T.copy() if kind == 5 else told]
        samples.append(Sample(image, labels, names=("mask", "connectivity", NAMES[0])))
    both = mixed(*samples, rng).tensors()
    other = both["image"][0] == 200
    assert set(both[NAMES[0]][other].tolist()) <= {5, IGNORE} and other.any()
    assert set(both[NAMES[0]][~other].tolist()) <= {2, IGNORE}
    laid = pasted(*samples, rng).tensors()[NAMES[0]].numpy()
    assert (laid[:, 10:20] == 5).all() and (laid[10:20, :10] == 2).all()


def test_labels_of_a_real_tile_are_those_of_its_lines(real_data, tmp_path):
    config = SpaceNetConfig(
        raw=str(real_data / "spacenet3/AOI_2_Vegas"), cache=str(tmp_path), workers=1
    )
    tiles = prepare(config, 5, attributes=True, needed=())
    (name,) = [name for names in tiles.splits.values() for name in names]
    maps, mask = tiles.attributes(name), tiles.tile(name).mask
    assert maps.shape == (4, *mask.shape) and (maps[:, mask == 0] == IGNORE).all()
    path = next((real_data / "spacenet3/AOI_2_Vegas").rglob("*.geojson"))
    told = [known_attributes(f["properties"]) for f in json.loads(path.read_text())["features"]]
    found = set(np.unique(maps[0]).tolist()) - {IGNORE}
    assert found == {CLASSES.index(each["highway"]) for each in told}
    assert (maps[0][mask == 1] != IGNORE).mean() > 0.99


def test_training_without_labels_is_refused_with_what_to_do(dataset, tmp_path):
    require_attributes(dataset, ATTRIBUTE_NAMES)
    images, masks = write_folder(tmp_path, 3, size=64)
    config = FolderConfig(
        images=str(images), masks=str(masks), cache=str(tmp_path / "cache"), workers=1
    )
    bare = prepare(config, 5, attributes=True)
    assert (bare.attributes(bare.splits["train"][0]) == IGNORE).all()
    with pytest.raises(RoadexError, match=r"has a known class, lanes: learn them from dataset=syn"):
        require_attributes(bare, ("class", "lanes"))
    for name in dataset.splits["train"]:
        path = dataset.folder / name / "tile.json"
        facts = json.loads(path.read_text())
        path.write_text(json.dumps(facts | {"attributes_m": facts["attributes_m"] | {"lanes": 0}}))
    with pytest.raises(RoadexError, match=r"set model.attribute_names=\[class,surface,speed\]"):
        require_attributes(dataset, ATTRIBUTE_NAMES)
