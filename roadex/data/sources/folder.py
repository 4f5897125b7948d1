"""Any images, with masks, with GeoJSON lines, or with one map for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from roadex.config.dataset import DatasetConfig, FolderConfig
from roadex.data.sources.files import Division, FileSource, Named, Reader, match, named, to_source
from roadex.data.sources.georeferenced import GeoReader
from roadex.data.sources.line_labels import LineLabels, MapLines, OwnLines
from roadex.data.sources.masks import MaskReader, mask_rules
from roadex.errors import RoadexError
from roadex.files import user_path
from roadex.rasters.pictures import list_files, list_images
from roadex.rasters.rasters import recorded_pixel

# Files of lines in a coordinate system, one for all images.
MAP_SUFFIXES = (
    ".osm", ".pbf", ".gpkg", ".parquet", ".shp", ".fgb", ".geojson", ".json", ".graphml",
)  # fmt: skip


def folder_source(config: FolderConfig) -> FileSource:
    """Images of one folder with the masks or lines of another, by stem without the suffixes.

    `dataset.raw=DIR` stands for DIR/images with DIR/masks or DIR/lines. `dataset.lines` may be one
    file of roads for all images.

    Raises:
        RoadexError: a folder is missing or empty, or no image has a label.
    """
    images, masks, lines = _folders(config)
    pictures = named(list_images(images, "dataset.images"), config.image_suffix)
    if masks is not None:
        reader: Reader = MaskReader(
            mask_rules(config), None, config.bands, config.stretch, gsd=config.gsd or None
        )
        labels, key = named(list_images(masks, "dataset.masks"), config.mask_suffix), masks
    else:
        assert lines is not None
        drawn, labels = _lines(config, lines, {name for name, _ in pictures})
        reader, key = GeoReader(config.gsd, drawn, config.stretch, config.bands), lines
    matched = match(pictures, labels)
    remedy = "set dataset.image_suffix and dataset.mask_suffix if their names differ"
    where = f"{images} and {key}"
    return to_source(matched, reader, Division(config.splits), where, remedy)


def _lines(config: FolderConfig, lines: str, images: Iterable[str]) -> tuple[LineLabels, Named]:
    """How lines become labels, and the file of each image: its own, or one for all.

    Raises:
        RoadexError: there is no such folder, or no lines are in files of that kind.
    """
    path = user_path(lines)
    if not path.is_file():
        files = list_files(lines, "dataset.lines", (".geojson", ".json"))
        return OwnLines(config.widths), named(files, config.mask_suffix)
    if path.suffix.lower() not in MAP_SUFFIXES:
        raise RoadexError(
            f"dataset.lines={lines}: a file for all images is one of {', '.join(MAP_SUFFIXES)}"
        )
    return MapLines(config.widths, config.lane_m), [(name, path) for name in sorted(images)]


def located(config: DatasetConfig) -> DatasetConfig:
    """The settings with the pixel size of a folder's images, if none was set.

    Raises:
        RoadexError: the first image has none.
    """
    if not isinstance(config, FolderConfig) or config.gsd:
        return config
    first = list_images(_folders(config)[0], "dataset.images")[0]
    pixel_m = recorded_pixel(first)
    if pixel_m is None:
        raise RoadexError(
            f"dataset.gsd is needed: {first.name} does not give the size of its pixels; add "
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
