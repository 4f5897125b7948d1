"""Road masks from files: the one reader of training, evaluation, scoring and inspection.

The values decide what is road if they are unambiguous; else the file is refused, with the setting
that decides. A mask is never read by mistake as having no road, or only road.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roadex.config.labels import IGNORE
from roadex.errors import RoadexError
from roadex.rasters.pictures import decode, require_memory, world_file_pixel
from roadex.rasters.rasters import grid_of, open_raster, pixel_metres, readable

_MOST_BANDS = 64  # of one picture; thousands mean a damaged header, and take minutes
_TIFF = (".tif", ".tiff", ".vrt")
_HALF = {"uint8": 127, "uint16": 32767}
# Channels of a grey picture may differ by this much after compression.
_GREY_SLACK = 24
# Values above this are levels of brightness, not class numbers.
_LAST_CLASS = 31
# Pixels processed at a time.
_CHUNK = 1 << 22


@dataclass(frozen=True)
class MaskRules:
    """What the user says about the values of masks; by default the values decide.

    Attributes:
        above: values above this are road.
        values: these values are road, and nothing else.
        keys: the settings of both, for messages.
    """

    above: float | None = None
    values: tuple[int, ...] | None = None
    keys: tuple[str, str] = ("dataset.road_above", "dataset.road_values")


@dataclass(frozen=True)
class Mask:
    """A road mask.

    Attributes:
        road: (H, W) uint8, 1 road, 0 not, 255 ignored.
        gsd: metres per pixel along x and y; None if the file has none.
    """

    road: NDArray[np.uint8]
    gsd: tuple[float, float] | None = None


@dataclass(frozen=True)
class _Values:
    """The pixels of a mask file before they are interpreted.

    Attributes:
        pixels: (H, W), numbers or brightness.
        valid: (H, W), where the file has data; None: everywhere.
        colours: (n, 3) of a colour table, by number; None: there is none.
        nodata: the declared value of no data.
    """

    pixels: NDArray[Any]
    valid: NDArray[np.bool_] | None = None
    colours: NDArray[np.uint8] | None = None
    nodata: float | None = None
    gsd: tuple[float, float] | None = None


def read_mask(path: Path, rules: MaskRules | None = None) -> Mask:
    """The road mask of a picture or raster file.

    Accepted: 0 and 1, 0 and 255 with or without soft edges, 0 and the largest number of
    a type, floats from 0 to 1, a colour table or RGB of one colour on black, roads drawn in alpha.
    What the file declares as no data is ignored, and so is 255 beside 0 and 1.

    Raises:
        RoadexError: the file is damaged, or its values could mean several things.
    """
    rules = rules or MaskRules()
    values = _read_values(path)
    road = _road(path, values, rules)
    found = road.astype(np.uint8)
    unknown = _unknown(values, rules)
    if unknown is not None:
        found[unknown] = IGNORE
    return Mask(found, values.gsd)


def _read_values(path: Path) -> _Values:
    if path.suffix.lower() in _TIFF:
        try:
            import rasterio  # noqa: F401
        except ImportError:
            return _of_picture(path, decode(path, "picture"))
        return _of_raster(path)
    found = _of_picture(path, decode(path, "picture"))
    return replace(found, gsd=world_file_pixel(path))


def _of_raster(path: Path) -> _Values:
    """A TIFF through GDAL, which knows its colour table, no data, transparency and pixel size."""
    with open_raster(path) as file, readable(path):
        if file.count > _MOST_BANDS:
            raise RoadexError(f"{path}: {file.count} bands; a mask has one: save the roads alone")
        require_memory(path, file.height * file.width * file.count)
        names = [colour.name for colour in file.colorinterp]
        bands = file.read()
        gsd = pixel_metres(file, grid_of(path, file))
        alpha = bands[names.index("alpha")] if "alpha" in names else None
        grey = bands[[i for i, name in enumerate(names) if name != "alpha"]]
        found = _joined(path, np.moveaxis(grey, 0, -1), alpha)
        if names[0] == "palette":
            table = file.colormap(1)
            colours = np.array([table[i][:3] for i in sorted(table)], np.uint8)
            found = replace(found, colours=colours)
        if alpha is None and file.nodata is None:
            declared = file.read_masks(1)
            found = replace(found, valid=None if declared.all() else declared > 0)
        return replace(found, nodata=file.nodata, gsd=gsd)


def _of_picture(path: Path, picture: Image.Image) -> _Values:
    if picture.mode == "P":
        table = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
        return _Values(np.array(picture), colours=table)
    if picture.mode == "1":
        return _Values(np.array(picture).astype(np.uint8))
    if picture.mode in ("LA", "RGBA", "La", "RGBa"):
        pixels = np.array(picture.convert("LA" if picture.mode in ("LA", "La") else "RGBA"))
        return _joined(path, pixels[..., :-1], pixels[..., -1])
    pixels = np.array(picture if picture.mode not in ("CMYK", "YCbCr") else picture.convert("RGB"))
    return _joined(path, pixels.reshape(*pixels.shape[:2], -1), None)


def _joined(path: Path, bands: NDArray[Any], alpha: NDArray[Any] | None) -> _Values:
    """One value for each pixel from colours (H, W, n) and alpha (H, W)."""
    if alpha is not None and (alpha == alpha.flat[0]).all():
        alpha = None
    if alpha is not None and (bands == bands.reshape(-1, bands.shape[-1])[0]).all():
        return _Values(alpha)  # one colour everywhere: the roads are drawn in alpha
    grey = _grey(path, bands, None if alpha is None else alpha > 0)
    if alpha is None:
        return _Values(grey)
    shown = _distinct(grey[alpha > 0])
    if len(shown) == 1 and shown[0] > 0:  # roads of one colour on a transparent ground
        return _Values(np.where(alpha > 0, grey, 0).astype(grey.dtype))
    return _Values(grey, valid=alpha > 0)


def _grey(path: Path, bands: NDArray[Any], shown: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Several bands (H, W, n) as one: equal ones, or one colour on black."""
    first: NDArray[Any] = bands[..., 0]
    if bands.shape[-1] == 1:
        return first
    wide = bands.astype(np.int64)
    spread = wide.max(axis=-1) - wide.min(axis=-1)
    if spread.max(initial=0) <= (_GREY_SLACK if bands.dtype == np.uint8 else 0):
        return first
    visible = wide if shown is None else wide[shown]
    colours = np.unique(visible.reshape(-1, bands.shape[-1]), axis=0)
    painted = colours[colours.any(axis=1)]
    if len(painted) == 1 and len(colours) <= 2:
        result: NDArray[Any] = (wide == painted[0]).all(axis=-1).astype(np.uint8)
        return result
    raise RoadexError(
        f"{path}: {len(colours)} colours; a mask has one band, or one colour on black: save the "
        "roads alone"
    )


def _road(path: Path, values: _Values, rules: MaskRules) -> NDArray[np.bool_]:
    """Where (H, W) the road is."""
    if rules.values is not None:
        return np.isin(values.pixels, rules.values)
    if values.colours is not None and not _is_grey_scale(values.colours):
        return _road_of_table(path, values, rules)
    pixels = values.pixels
    if values.colours is not None:
        pixels = values.colours[pixels.astype(np.int64), 0]
    if rules.above is not None:
        return np.asarray(pixels > rules.above)
    used = pixels if values.valid is None else pixels[values.valid]
    if values.nodata is not None:
        used = used[used != values.nodata]
    return np.asarray(pixels > _limit(path, used, rules))


def _is_grey_scale(colours: NDArray[np.uint8]) -> bool:
    """Whether a colour table is a ramp of grey, so that numbers are brightness."""
    spread = colours.max(axis=1).astype(int) - colours.min(axis=1)
    return bool(spread.max(initial=0) == 0) and len(colours) > 0


def _road_of_table(path: Path, values: _Values, rules: MaskRules) -> NDArray[np.bool_]:
    assert values.colours is not None
    used = _distinct(values.pixels)
    inside = used[used < len(values.colours)]
    painted = [int(number) for number in inside if values.colours[number].any()]
    if len(painted) > 1 or len(inside) < len(used):
        raise RoadexError(
            f"{path}: its colour table has {len(used)} colours in use (numbers "
            f"{_listed(used)}): say which numbers are road: {rules.keys[1]}=[{painted[0]}]"
        )
    return np.isin(values.pixels, painted)


def _limit(path: Path, used: NDArray[Any], rules: MaskRules) -> float:
    """The value that road exceeds, from all values that occur."""
    if used.dtype.kind == "f":
        return _float_limit(path, used[np.isfinite(used)], rules)
    found = _distinct(used)
    largest = int(found[-1]) if len(found) else 0
    if largest <= 1 or set(found.tolist()) == {0, 1, IGNORE}:
        return 0
    half = _HALF.get(used.dtype.name)
    top = np.iinfo(used.dtype).max if used.dtype.kind in "iu" else IGNORE
    if set(found.tolist()) <= {0, IGNORE} or set(found.tolist()) <= {0, int(top)}:
        return largest / 2
    if half is not None and largest > half and not _looks_like_classes(found):
        return half
    raise RoadexError(
        f"{path}: values {_listed(found)}, which do not show what is road: set {rules.keys[1]}="
        f"[{largest}], or {rules.keys[0]}=N for values above N"
    )


def _looks_like_classes(found: NDArray[Any]) -> bool:
    """Whether all values except the largest are small: classes, and one to be ignored."""
    return len(found) > 2 and int(found[-2]) <= _LAST_CLASS and len(found) <= int(found[-2]) + 2


def _float_limit(path: Path, used: NDArray[Any], rules: MaskRules) -> float:
    low, high = float(used.min(initial=0)), float(used.max(initial=0))
    if low >= 0 and high <= 1:
        return 0.5
    if set(_distinct(used).tolist()) <= {0.0, float(IGNORE)}:
        return IGNORE / 2
    raise RoadexError(
        f"{path}: values from {low:g} to {high:g}, which do not show what is road: set "
        f"{rules.keys[0]}=N for values above N"
    )


def _unknown(values: _Values, rules: MaskRules) -> NDArray[np.bool_] | None:
    """Which pixels (H, W) are ignored; None: none."""
    pixels = values.pixels
    parts = [] if values.valid is None else [~values.valid]
    if values.nodata is not None and not _means_background(values):
        parts.append(np.isnan(pixels) if np.isnan(values.nodata) else pixels == values.nodata)
    if pixels.dtype.kind == "f":
        parts.append(~np.isfinite(pixels))
    by_itself = rules.above is None and rules.values is None and values.colours is None
    by_itself = by_itself and pixels.dtype == np.uint8 and values.nodata is None
    if by_itself and set(_distinct(pixels).tolist()) == {0, 1, IGNORE}:
        parts.append(pixels == IGNORE)
    if not parts:
        return None
    return np.asarray(np.logical_or.reduce(parts))


def _means_background(values: _Values) -> bool:
    """Whether 0 was declared as no data although it means background, as QGIS often does."""
    rest = _distinct(values.pixels)
    return values.nodata == 0 and len(rest[rest != 0]) <= 1


def _distinct(values: NDArray[Any]) -> NDArray[Any]:
    """The values that occur, in order; whole numbers are marked, since sorting is slow."""
    if values.dtype not in (np.uint8, np.uint16):
        return np.asarray(np.unique(values))
    flat = values.reshape(-1)
    there = np.zeros(np.iinfo(values.dtype).max + 1, bool)
    for start in range(0, len(flat), _CHUNK):
        there[flat[start : start + _CHUNK]] = True
    return np.flatnonzero(there).astype(values.dtype)


def _listed(found: NDArray[Any]) -> str:
    shown = ", ".join(str(value) for value in found[:6].tolist())
    return shown + (", ..." if len(found) > 6 else "")
