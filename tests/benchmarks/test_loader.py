"""The loader benchmark measures real crops, and refuses settings that it does not have."""

from __future__ import annotations

from roadex.benchmarks.loader import AUGMENTATIONS, example_dataset, main


def test_table_has_a_rate_for_each_augmentation_and_size(capsys):
    main(["largest=512", "crop=64", "crops=5", "repeats=1"])
    lines = capsys.readouterr().out.splitlines()
    rates = [int(line.split()[-1]) for line in lines[2:]]
    assert len(rates) == 2 * len(AUGMENTATIONS) and min(rates) > 0
    assert sum("roads too" in line for line in lines) == len(AUGMENTATIONS)
    assert lines[1].split()[-1] == "512"


def test_example_tiles_have_all_labels(tmp_path):
    tile = example_dataset(tmp_path, 1300).tile("tile0")
    assert tile.image.shape == (1300, 1300, 3)
    assert set(tile.connectivity.ravel().tolist()) == {0, 2, 3, 4}
