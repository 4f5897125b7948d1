"""Any images, with masks or with GeoJSON lines."""

from __future__ import annotations

from dataclasses import replace

from roadex.config.dataset import DatasetConfig, FolderConfig
from roadex.data.sources.files import Division, FileSource, Reader, match
from roadex.data.sources.georeferenced import GeoReader
from roadex.data.sources.listing import named, to_source
from roadex.data.sources.masks import MaskReader, mask_rules
from roadex.errors import RoadexError
from roadex.files import user_path
from roadex.rasters.pictures import list_files, list_images
from roadex.rasters.rasters import told_pixel


def folder_source(config: FolderConfig) -> FileSource:
    """Images of one folder with the masks or lines of another, by stem less the suffixes.

    `dataset.raw=DIR` stands for DIR/images with DIR/masks or DIR/lines.

    Raises:
        RoadexError: a folder is missing or empty, or no image has a label.
    """
    images, masks, lines = _folders(config)
    if masks is not None:
        reader: Reader = MaskReader(
            mask_rules(config), None, config.bands, config.stretch, gsd=config.gsd or None
        )
        labels, key = list_images(masks, "dataset.masks"), masks
    else:
        assert lines is not None
        reader = GeoReader(config.gsd, config.widths, config.stretch, config.bands)
        labels, key = list_files(lines, "dataset.lines", (".geojson", ".json")), lines
    pictures = list_images(images, "dataset.images")
    matched = match(named(pictures, config.image_suffix), named(labels, config.mask_suffix))
    remedy = "set dataset.image_suffix and dataset.mask_suffix if their names differ"
    where = f"{images} and {key}"
    return to_source(matched, reader, Division(config.splits), where, remedy)


def located(config: DatasetConfig) -> DatasetConfig:
    """The settings with the pixel size that the images of a folder tell, where none was set.

    Raises:
        RoadexError: the first image tells none.
    """
    if not isinstance(config, FolderConfig) or config.gsd:
        return config
    first = list_images(_folders(config)[0], "dataset.images")[0]
    pixel_m = told_pixel(first)
    if pixel_m is None:
        raise RoadexError(
            f"dataset.gsd is needed: {first.name} does not tell how large its pixels are; add "
            "dataset.gsd=METRES"
        )
    return replace(config, gsd=round((pixel_m[0] * pixel_m[1]) ** 0.5, 4))


def _folders(config: FolderConfig) -> tuple[str, str | None, str | None]:
    """The folders of images, masks and lines; one of the last two."""
    raw = user_path(config.raw) if config.raw else None
    images = config.images or (str(raw / "images") if raw else None)
    if images is None:
        raise RoadexError("dataset.images is needed: add dataset.images=DIR, or dataset.raw=DIR")
    if config.masks and config.lines:
        raise RoadexError("dataset.masks and dataset.lines: give one of them, not both")
    if raw and not config.masks and not config.lines:
        kind = "lines" if (raw / "lines").is_dir() else "masks"
        return images, *((str(raw / "masks"), None) if kind == "masks" else (None, str(raw / kind)))
    if not config.masks and not config.lines:
        raise RoadexError("dataset.masks is needed: add dataset.masks=DIR or dataset.lines=DIR")
    return images, config.masks, config.lines
