"""Every published layout, written from the world and read back from its raw files."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from unittest.mock import patch

import numpy as np
import pytest

from roadex.config.dataset import (
    CityScaleConfig,
    DeepGlobeConfig,
    MassachusettsConfig,
    RoadTracerConfig,
    RoadWidthConfig,
    SpaceNetConfig,
    SplitConfig,
    StretchConfig,
)
from roadex.config.synthesize import SynthesizeConfig
from roadex.data.labels import road_surface
from roadex.data.layouts import ROAD_TYPES, _roadtracer_city, synthesize
from roadex.data.prepare import prepare
from roadex.data.sources import open_source
from roadex.data.stretch import calibrate
from roadex.errors import RoadexError
from roadex.graph.network import total_length
from roadex.world import make_tile

SIZE, GSD, SEED = 128, 0.5, 3
RANKED = SplitConfig(rule="ranked")
READERS = {
    "spacenet": lambda raw: SpaceNetConfig(raw=raw, gsd=GSD, splits=RANKED),
    "deepglobe": lambda raw: DeepGlobeConfig(root=raw, gsd=GSD, splits=RANKED),
    "massachusetts": lambda raw: MassachusettsConfig(raw=raw, gsd=GSD, white_area_m2=100),
    "cityscale": lambda raw: CityScaleConfig(raw=raw, gsd=GSD, splits=RANKED),
    "roadtracer": lambda raw: RoadTracerConfig(
        raw=raw, gsd=GSD, tile_px=SIZE, splits=SplitConfig(lists="roadtracer")
    ),
}
VECTORS = ("spacenet", "cityscale", "roadtracer")


tile_once = lru_cache(make_tile)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder for each layout: ten tiles, so that Massachusetts has all its splits."""
    folders = {}
    with patch("roadex.data.layouts.make_tile", tile_once):
        for layout in READERS:
            folders[layout] = tmp_path_factory.mktemp(layout)
            synthesize(config_of(layout, folders[layout]))
    return folders


def config_of(layout, out, **changes):
    settings = {"tiles": 10, "seed": SEED, "size_px": SIZE, "gsd": GSD, "workers": 1, **changes}
    return SynthesizeConfig(layout=layout, out=str(out), **settings)


def world(index):
    settings = replace(SynthesizeConfig(layout="spacenet", out="").world, size_px=SIZE, gsd=GSD)
    return tile_once(settings, SEED, index)


def index_of(layout, source, name):
    """The number of the world tile behind a name."""
    if layout == "roadtracer":
        return [_roadtracer_city(i) for i in range(10)].index(source.group(name))
    return int(name.removesuffix("_15").rsplit("_", 1)[-1].removeprefix("img"))


@pytest.mark.parametrize("layout", READERS)
def test_raw_files_give_back_image_mask_and_graph(layout, written):
    config = READERS[layout](str(written[layout]))
    source = open_source(config)
    splits = source.splits()
    assert sum(map(len, splits.values())) == 10 and source.findings == ()
    source = calibrated(source, splits["train"]) if layout == "spacenet" else source
    for name in splits["train"][:3] + splits["test"][:1]:
        read, made = source.read(name), world(index_of(layout, source, name))
        assert read.image.shape == made.image.shape
        assert correlation(read.image, made.image, read.mask != 255) > 0.95
        if layout in VECTORS:
            assert total_length(read.graph) == pytest.approx(
                total_length(made.graph), rel=2e-3, abs=2
            )
            wanted = road_surface(made.graph, (SIZE, SIZE), GSD, surface_widths(layout))
            assert read.graph.number_of_edges() == pytest.approx(
                made.graph.number_of_edges(), abs=1
            )
        else:
            wanted = made.mask
        seen = read.mask != 255
        differing = np.mean((read.mask == 1)[seen] != (wanted[seen] > 0))
        assert differing < (0.01 if layout == "spacenet" else 0.002)


def surface_widths(layout):
    """SpaceNet's types by the classes of the world; the pixel graphs have no types."""
    widths = RoadWidthConfig()
    if layout != "spacenet":
        return widths
    by_class = {name: widths.by_type[str(kind)] for name, kind in ROAD_TYPES.items()}
    return RoadWidthConfig(attributes=["road_class"], by_type=by_class)


def calibrated(source, train):
    pairs = [(source.group(name), source.histogram(name)) for name in train]
    return source.calibrated(calibrate(pairs, StretchConfig()))


def correlation(one, two, where):
    return np.corrcoef(one[where].ravel(), two[where].ravel())[0, 1]


@pytest.mark.parametrize("layout", READERS)
def test_layout_is_prepared_end_to_end(layout, written, tmp_path):
    config = READERS[layout](str(written[layout]))
    config.cache, config.workers = str(tmp_path), 1
    dataset = prepare(config, classes=5)
    name = dataset.splits["test"][0]
    tile = dataset.tile(name)
    assert tile.image.shape == (SIZE, SIZE, 3)
    assert (tile.connectivity[tile.mask == 255] == 255).all()
    assert dataset.graph(name).number_of_edges() > 0


def test_a_second_call_keeps_what_is_there_and_other_settings_are_refused(written):
    out = written["deepglobe"]
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*_mask.png")}
    synthesize(config_of("deepglobe", out, tiles=11))
    after = {p: p.stat().st_mtime_ns for p in out.rglob("*_mask.png")}
    assert len(after) == 11 and before.items() <= after.items()
    with pytest.raises(RoadexError, match="it holds a world of other settings"):
        synthesize(config_of("deepglobe", out, seed=SEED + 1))


def test_layout_with_too_few_names_and_foreign_folders_are_refused(tmp_path):
    with pytest.raises(RoadexError, match=r"tiles=41: layout roadtracer has 40 at most"):
        synthesize(config_of("roadtracer", tmp_path, tiles=41))
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(RoadexError, match="holds other files"):
        synthesize(config_of("spacenet", tmp_path))
