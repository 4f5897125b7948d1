"""Datasets of image files with mask files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roadex.config.dataset import DeepGlobeConfig, FolderConfig, SplitConfig
from roadex.data.images import list_images, read_image, read_mask
from roadex.data.sources.base import stamp
from roadex.data.splits import Splits, assign_splits
from roadex.data.tile import Tile
from roadex.errors import RoadexError


@dataclass(frozen=True)
class PairSource:
    """Images paired with masks by name; the graphs have to be taken from the masks.

    Attributes:
        pairs: image and mask file of every tile.
        road_above: a mask pixel above this 8-bit value is road.
    """

    pairs: dict[str, tuple[Path, Path]]
    road_above: int
    division: SplitConfig
    left_out: tuple[str, ...] = ()

    def splits(self) -> Splits:
        """Tile names by split."""
        return assign_splits(sorted(self.pairs), self.division)

    def read(self, name: str) -> Tile:
        """The image and mask of a tile, which must have one size."""
        image_path, mask_path = self.pairs[name]
        image, mask = read_image(image_path), read_mask(mask_path, self.road_above)
        if image.shape[:2] != mask.shape:
            raise RoadexError(
                f"{mask_path}: {mask.shape[1]}x{mask.shape[0]} pixels, but its image "
                f"{image_path.name} has {image.shape[1]}x{image.shape[0]}; make them one size"
            )
        return Tile(image, mask)

    def identity(self) -> dict[str, Any]:
        """The files, by name, size and time of change."""
        files = {name: [stamp(path) for path in pair] for name, pair in sorted(self.pairs.items())}
        return {"files": files, "road_above": self.road_above}

    def notes(self) -> list[str]:
        """How many pairs there are and what was left out."""
        return [f"{len(self.pairs)} images with masks", *self.left_out]


def folder_source(config: FolderConfig) -> PairSource:
    """Images of one folder with the masks of another, by stem less the configured suffixes.

    Raises:
        RoadexError: a folder is missing or empty, or no image has a mask.
    """
    images = _by_name(list_images(config.images, "dataset.images"), config.image_suffix)
    masks = _by_name(list_images(config.masks, "dataset.masks"), config.mask_suffix)
    remedy = "set dataset.image_suffix and dataset.mask_suffix if their names differ"
    return _pair(images, masks, config, f"{config.images} and {config.masks}", remedy)


def deepglobe_source(config: DeepGlobeConfig) -> PairSource:
    """The DeepGlobe layout: ID_sat.jpg beside ID_mask.png, in `root` or its `train` folder.

    The challenge ships its validation and test images without masks: they are left out.

    Raises:
        RoadexError: the folder is missing or holds no labelled image.
    """
    root = Path(config.root).expanduser()
    folder = root / "train" if (root / "train").is_dir() else root
    files = list_images(folder, "dataset.root")
    images = _by_name([path for path in files if path.stem.endswith("_sat")], "_sat")
    masks = _by_name([path for path in files if path.stem.endswith("_mask")], "_mask")
    return _pair(images, masks, config, str(folder), "it wants ID_sat.jpg with ID_mask.png")


def _by_name(paths: list[Path], suffix: str) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for path in paths:
        if not path.stem.endswith(suffix):
            continue
        name = path.stem[: len(path.stem) - len(suffix)]
        if name in named:
            raise RoadexError(f"{path}: {named[name].name} has the same name; remove one of them")
        named[name] = path
    return named


def _pair(
    images: dict[str, Path],
    masks: dict[str, Path],
    config: FolderConfig | DeepGlobeConfig,
    where: str,
    remedy: str,
) -> PairSource:
    pairs = {name: (images[name], masks[name]) for name in sorted(images.keys() & masks.keys())}
    if not pairs:
        raise RoadexError(f"{where}: no image has a mask ({len(images)} images); {remedy}")
    left_out = (
        *_left_out("images without a mask", sorted(images.keys() - masks.keys())),
        *_left_out("masks without an image", sorted(masks.keys() - images.keys())),
    )
    return PairSource(pairs, config.road_above, config.splits, left_out)


def _left_out(what: str, names: list[str]) -> list[str]:
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return [f"left out: {len(names)} {what} ({shown})"] if names else []
