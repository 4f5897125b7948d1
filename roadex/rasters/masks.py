"""Road masks from files: the one reader of training, evaluation, scoring and inspection.

The values decide what is road if they are unambiguous; else the file is refused, with the setting
that decides. A mask is never read by mistake as having no road, or only road.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roadex.config.labels import IGNORE
from roadex.errors import RoadexError
from roadex.rasters.pictures import bit_depth, decode, require_memory, world_file_pixel
from roadex.rasters.rasters import grid_of, open_raster, pixel_metres, readable

_MOST_BANDS = 64  # of one picture; thousands mean a damaged header, and take minutes
_TIFF = (".tif", ".tiff", ".vrt")
_HALF = {"uint8": 127, "uint16": 32767}
# Channels of a grey picture may differ by this much after compression.
_GREY_SLACK = 24
# Values above this are levels of brightness, not class numbers.
_LAST_CLASS = 31
# With at most this many values, greys must lie at the edges of roads, else they are a class.
_FEW_VALUES = 8
# Soft edges reach no farther from a road, in pixels.
_SOFT_PX = 4
# A larger share of road than this means an inverted mask.
MOST_ROAD = 0.6
# Pixels at the border that warping may leave without data, as thin as a road.
_RIM = 8
# A road is thinner than this share of the shorter side, from its middle to its edge.
_SOLID = 1 / 8
# Probabilities above this are road.
_CERTAIN = 0.5
# Pixels processed at a time.
_CHUNK = 1 << 22
# A colour that is no grey, so that a table is not read as brightness.
_PAINT = (255, 0, 0)


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

    @property
    def known(self) -> NDArray[Any]:
        """The numbers that are neither transparent nor declared as no data."""
        found = self.pixels if self.valid is None else self.pixels[self.valid]
        return found if self.nodata is None else found[found != self.nodata]


def read_mask(path: Path, rules: MaskRules | None = None) -> Mask:
    """The road mask of a picture or raster file.

    Accepted: 0 and 1, 0 and 255 with or without soft edges, 0 and the largest number of
    a type, floats from 0 to 1, a colour table or RGB of one colour on black, roads drawn in alpha.
    What the file declares as no data is ignored, and so is 255 beside 0 and 1; but if
    nothing else than roads has data, it is background.

    Raises:
        RoadexError: the file is damaged, or its values could mean several things.
    """
    rules = rules or MaskRules()
    values = _read_values(path)
    road = _road(path, values, rules)
    found = road.astype(np.uint8)
    unknown = _unknown(values, rules)
    if unknown is not None:
        _require_road(path, road, unknown, values, rules)
        found[unknown] = 0 if _is_road_alone(road, ~unknown, values.pixels) else IGNORE
    return Mask(found, values.gsd)


def _is_road_alone(road: NDArray[np.bool_], known: NDArray[np.bool_], pixels: NDArray[Any]) -> bool:
    """Whether nothing but roads and their soft edges has data, so that the rest is background."""
    if not (road & known).any() or (known & ~road & (pixels == 0)).any():
        return False
    side = 2 * _SOFT_PX + 1
    near = cv2.dilate((road & known).astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    elsewhere = known & ~near
    return bool(np.count_nonzero(elsewhere) <= 0.01 * np.count_nonzero(known))


def _require_road(
    path: Path,
    road: NDArray[np.bool_],
    unknown: NDArray[np.bool_],
    values: _Values,
    rules: MaskRules,
) -> None:
    """Refuse roads that are declared as no data: what has none is drawn like roads."""
    inner = unknown[_RIM:-_RIM, _RIM:-_RIM]
    declared = values.nodata is not None and values.nodata != 0
    if declared and inner.any() and not road[~unknown].any() and not _is_solid(unknown):
        raise RoadexError(
            f"{path}: no road, but {values.nodata:g} is declared as no data in lines: if these are "
            f"the roads, set {rules.keys[1]}=[{values.nodata:g}]"
        )


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
            found = _of_table(found.pixels, np.array([table[i] for i in sorted(table)], np.uint8))
        if alpha is None and file.nodata is None and found.colours is None:
            declared = file.read_masks(1)
            found = replace(found, valid=None if declared.all() else declared > 0)
        return replace(found, nodata=file.nodata, gsd=gsd)


def _of_picture(path: Path, picture: Image.Image) -> _Values:
    hidden = picture.info.get("transparency")
    if picture.mode == "P":
        table = np.array(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
        return _of_table(np.array(picture), np.column_stack([table, _opacity(len(table), hidden)]))
    if isinstance(hidden, int) and picture.mode in ("L", "I;16"):
        return _Values(np.array(picture), nodata=hidden)  # so GDAL declares no data in PNG
    if picture.mode in ("RGB", "LA", "RGBA") and bit_depth(path) > 8:
        deep = np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
        return _joined(path, deep[..., :3], deep[..., 3] if deep.shape[-1] == 4 else None)
    if picture.mode == "1":
        return _Values(np.array(picture).astype(np.uint8))
    if picture.mode in ("LA", "RGBA", "La", "RGBa"):
        pixels = np.array(picture.convert("LA" if picture.mode in ("LA", "La") else "RGBA"))
        return _joined(path, pixels[..., :-1], pixels[..., -1])
    pixels = np.array(picture if picture.mode not in ("CMYK", "YCbCr") else picture.convert("RGB"))
    return _joined(path, pixels.reshape(*pixels.shape[:2], -1), None)


def _opacity(length: int, hidden: bytes | int | None) -> NDArray[np.uint8]:
    """The opacity of each colour of a table, from what a PNG or GIF says is transparent."""
    found = np.full(length, 255, np.uint8)
    if isinstance(hidden, int):
        found[hidden : hidden + 1] = 0
    elif hidden:
        given = np.frombuffer(hidden, np.uint8)[:length]
        found[: len(given)] = given
    return found


def _of_table(numbers: NDArray[Any], table: NDArray[np.uint8]) -> _Values:
    """The numbers of a colour table (n, 4) whose fourth column is the opacity."""
    found = _Values(numbers, colours=table[:, :3])
    shown = table[np.minimum(numbers, len(table) - 1), 3] > 0
    if shown.all() or not shown.any():
        return found
    visible = table[_distinct(numbers[shown]), :3]
    if (visible == visible[0]).all() and (visible.any() or not _is_solid(shown)):
        # One colour on a transparent ground, whatever colour the ground would have.
        return replace(found, colours=np.where(table[:, 3:] > 0, _PAINT, 0).astype(np.uint8))
    return replace(found, valid=shown)


def _joined(path: Path, bands: NDArray[Any], alpha: NDArray[Any] | None) -> _Values:
    """One value for each pixel from colours (H, W, n) and alpha (H, W)."""
    if alpha is not None and (alpha == alpha.flat[0]).all():
        alpha = None
    if alpha is None:
        return _Values(_grey(path, bands, None))
    shown = alpha > 0
    grey = _grey(path, bands, shown)
    colours = _distinct(grey[shown])
    if len(colours) == 1 and (colours[0] > 0 or not _is_solid(shown)):
        # One colour on a transparent ground: what is drawn is drawn in alpha, soft edges and all.
        is_one = (bands == bands.reshape(-1, bands.shape[-1])[0]).all()
        return _Values(alpha if is_one else shown.astype(np.uint8))
    return _Values(grey, valid=shown)


def _is_solid(area: NDArray[np.bool_]) -> bool:
    """Whether an area (H, W) is too thick for roads, so that it is a picture's own extent."""
    depth = cv2.distanceTransform(area.astype(np.uint8), cv2.DIST_L2, 3)
    return bool(depth.max(initial=0) > _SOLID * min(area.shape))


def _grey(path: Path, bands: NDArray[Any], shown: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Several bands (H, W, n) as one: equal ones, or one colour on black."""
    first: NDArray[Any] = bands[..., 0]
    if bands.shape[-1] == 1:
        return first
    wide = bands.astype(np.int64)
    spread = wide.max(axis=-1) - wide.min(axis=-1)
    is_bright = bands.dtype == np.uint8 and wide.max(initial=0) > _HALF["uint8"]
    if spread.max(initial=0) <= (_GREY_SLACK if is_bright else 0):
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
    if values.colours is None:
        return _road_of_brightness(path, values.pixels, values.known, rules)
    if not _is_grey_scale(values.colours):
        return _road_of_table(path, values, rules)
    shades = values.colours[:, 0]
    pixels = shades[np.minimum(values.pixels, len(shades) - 1)]
    if rules.above is not None:
        return np.asarray(pixels > rules.above)
    _require_order(path, values, rules)
    used = shades[np.minimum(values.known, len(shades) - 1)]
    if _is_plain(used):
        return _road_of_table(path, values, rules)
    try:
        return _road_of_brightness(path, pixels, used, rules)
    except RoadexError:
        raise _unclear_table(path, values, rules) from None


def _is_plain(shades: NDArray[Any]) -> bool:
    """Whether the greys of a table in use are black and one that is clearly seen."""
    found = _distinct(shades)
    return len(found) == 2 and found[0] == 0 and found[1] > _HALF["uint8"] / 2


def _road_of_brightness(
    path: Path, pixels: NDArray[Any], used: NDArray[Any], rules: MaskRules
) -> NDArray[np.bool_]:
    """Where (H, W) the brightness shows road, of which `used` is what counts."""
    if rules.above is not None:
        return np.asarray(pixels > rules.above)
    limit = _limit(path, used, rules)
    if limit == _HALF.get(pixels.dtype.name):
        _require_soft(path, pixels, used, rules)
    return np.asarray(pixels > limit)


def _require_order(path: Path, values: _Values, rules: MaskRules) -> None:
    """Refuse a grey table whose numbers and brightness disagree on what is more."""
    assert values.colours is not None
    used = _distinct(values.known).astype(np.int64)
    used = used[used < len(values.colours)]
    shades = values.colours[used, 0].astype(int)
    if (np.diff(shades) < 0).any():
        raise RoadexError(
            f"{path}: its colour table shows the larger number darker ({_shown(values, used)}): "
            f"say which numbers are road: {rules.keys[1]}=[{_rarest(values.pixels)}]"
        )


def _require_soft(path: Path, pixels: NDArray[Any], used: NDArray[Any], rules: MaskRules) -> None:
    """Refuse a few values between black and white that lie elsewhere than at the edge of white."""
    found = _distinct(used)
    if not 3 <= len(found) <= _FEW_VALUES:
        return
    top = int(found[-1])
    between = (pixels > top / 8) & (pixels < top * 7 / 8)
    near = cv2.dilate((pixels >= top * 7 / 8).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if np.count_nonzero(between & ~near) > 0.1 * np.count_nonzero(between):
        raise _unclear(path, f"values {_listed(found)}", top, rules)


def _is_grey_scale(colours: NDArray[np.uint8]) -> bool:
    """Whether a colour table is a ramp of grey, so that numbers are brightness."""
    spread = colours.max(axis=1).astype(int) - colours.min(axis=1)
    return bool(spread.max(initial=0) == 0) and len(colours) > 0


def _road_of_table(path: Path, values: _Values, rules: MaskRules) -> NDArray[np.bool_]:
    assert values.colours is not None
    used = _distinct(values.known)
    inside = used[used < len(values.colours)]
    painted = [int(number) for number in inside if values.colours[number].any()]
    if len(painted) > 1 or len(inside) < len(used):
        raise _unclear_table(path, values, rules)
    return np.isin(values.pixels, painted)


def _unclear_table(path: Path, values: _Values, rules: MaskRules) -> RoadexError:
    used = _distinct(values.known)
    return RoadexError(
        f"{path}: its colour table has {len(used)} colours in use ({_shown(values, used)}): "
        f"say which numbers are road: {rules.keys[1]}=[{_rarest(values.known)}]"
    )


def _shown(values: _Values, used: NDArray[Any]) -> str:
    """Numbers of a colour table with their colours, for messages."""
    assert values.colours is not None
    table = values.colours
    named = [
        f"{number}: {','.join(map(str, table[number]))}" if number < len(table) else f"{number}"
        for number in used[:_FEW_VALUES].tolist()
    ]
    return "; ".join(named) + ("; ..." if len(used) > _FEW_VALUES else "")


def _rarest(pixels: NDArray[Any]) -> int:
    """The number that the fewest pixels have, the likeliest to be road."""
    found, counts = np.unique(pixels, return_counts=True)
    return int(found[counts.argmin()])


def _limit(path: Path, used: NDArray[Any], rules: MaskRules) -> float:
    """The value that road exceeds, from all values that occur."""
    if used.dtype.kind == "f":
        return _float_limit(path, used[np.isfinite(used)], rules)
    if used.dtype.kind == "c":
        raise RoadexError(
            f"{path}: complex numbers; a mask has whole numbers: save the roads alone"
        )
    found = _distinct(used)
    largest = int(found[-1]) if len(found) else 0
    if len(found) and found[0] < 0:
        raise RoadexError(
            f"{path}: values {_listed(found)}: declare what has no data (gdal_edit.py -a_nodata "
            f"{found[0]}), or set {rules.keys[1]}=[{largest}]"
        )
    if largest <= 1 or set(found.tolist()) == {0, 1, IGNORE}:
        return 0
    half = _HALF.get(used.dtype.name)
    top = np.iinfo(used.dtype).max if used.dtype.kind in "iu" else IGNORE
    if set(found.tolist()) <= {0, IGNORE} or set(found.tolist()) <= {0, int(top)}:
        return largest / 2
    if half is not None and largest > half and not _looks_like_classes(found):
        return half
    raise _unclear(path, f"values {_listed(found)}", largest, rules)


def _unclear(path: Path, what: str, largest: int, rules: MaskRules) -> RoadexError:
    return RoadexError(
        f"{path}: {what}, which do not show what is road: set {rules.keys[1]}=[{largest}], or "
        f"{rules.keys[0]}=N for values above N"
    )


def _looks_like_classes(found: NDArray[Any]) -> bool:
    """Whether all values except the largest are small: classes, and one to be ignored."""
    return len(found) > 2 and int(found[-2]) <= _LAST_CLASS and len(found) <= int(found[-2]) + 2


def _float_limit(path: Path, used: NDArray[Any], rules: MaskRules) -> float:
    low, high = float(used.min(initial=0)), float(used.max(initial=0))
    if low >= 0 and high <= 1 and (high == 0 or high > _CERTAIN):
        return _CERTAIN
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
    if values.nodata is not None:
        parts.append(np.isnan(pixels) if np.isnan(values.nodata) else pixels == values.nodata)
    if pixels.dtype.kind == "f":
        parts.append(~np.isfinite(pixels))
    by_itself = rules.above is None and rules.values is None and values.colours is None
    by_itself = by_itself and pixels.dtype == np.uint8 and values.nodata is None
    if by_itself and set(_distinct(pixels).tolist()) == {0, 1, IGNORE}:
        parts.append(pixels == IGNORE)
    if not parts:
        return None
    unknown = np.asarray(np.logical_or.reduce(parts))
    return unknown if rules.values is None else unknown & ~np.isin(pixels, rules.values)


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
