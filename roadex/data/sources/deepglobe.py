"""DeepGlobe 2018 roads as downloaded."""

from __future__ import annotations

from roadex.config.dataset import DeepGlobeConfig
from roadex.data.sources.files import Division, FileSource, images_below, match, named, to_source
from roadex.data.sources.masks import MaskReader, mask_rules
from roadex.files import user_path
from roadex.rasters.pictures import list_images

_UNLABELLED = ("valid", "test")  # as the challenge ships them: counted, and left out


def deepglobe_source(config: DeepGlobeConfig) -> FileSource:
    """ID_sat.jpg beside ID_mask.png, in `raw` or its `train`, `valid` and `test` folders.

    The challenge ships its validation and test images without masks: they are left out.

    Raises:
        RoadexError: the folder is missing or holds no labelled image.
    """
    assert config.root is not None  # checked with the other settings
    root = user_path(config.root)
    folder = root / "train" if (root / "train").is_dir() else root
    files = list_images(folder, "dataset.root")
    if folder != root:
        files += [path for name in _UNLABELLED for path in images_below(root / name)]
    matched = match(named(files, "_sat"), named(files, "_mask"))
    remedy = "it needs ID_sat.jpg with ID_mask.png"
    reader = MaskReader(mask_rules(config))
    return to_source(matched, reader, Division(config.splits), str(folder), remedy)
