"""Images that a STAC item, or a collection of items, names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.rasters.remote import Remote, Source, as_source

# Assets that are pictures in colour, where the user does not say which to take.
_USUAL = ("visual", "rgb", "image")


def stac_images(path: Path, assets: list[str] | None = None) -> list[Source]:
    """The images of a STAC item or of a feature collection of items, newest first.

    Args:
        path: a JSON file; addresses in it that are relative count from its folder.
        assets: their names; None: `visual`, `rgb` or `image`, or the only one that is a raster.

    Raises:
        RoadexError: the extra `stac` is missing, the file is no such thing, or an item lacks the
            asset.
    """
    items = _items(path)
    items.sort(key=lambda item: (_time(item), item.id), reverse=True)
    found: list[Source] = []
    for item in items:
        for name in assets or [_usual(path, item)]:
            if name not in item.assets:
                raise RoadexError(
                    f"{path}: item {item.id} has no asset {name!r}, but "
                    f"{', '.join(item.assets) or 'none'}: stac.assets=[NAME]"
                )
            source = as_source(item.assets[name].href.removeprefix("file://"))
            found.append(source if isinstance(source, Remote) else path.parent / source)
    return found


def _items(path: Path) -> list[Any]:
    try:
        import pystac
    except ImportError as error:
        raise RoadexError(f"{path}: STAC needs pystac: {install_line('stac')}") from error
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        kind = content["type"]
        features = content["features"] if kind == "FeatureCollection" else [content]
        items = [pystac.Item.from_dict(f) for f in features if "stac_version" in f]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pystac.STACError) as error:
        raise RoadexError(f"{path}: not a STAC item nor a collection of items in JSON") from error
    if not items or kind not in ("Feature", "FeatureCollection"):
        raise RoadexError(f"{path}: no STAC item in it; give an item or a collection of items")
    return items


def _time(item: Any) -> str:
    moment = item.datetime or item.common_metadata.start_datetime
    return "" if moment is None else str(moment.isoformat())


def _usual(path: Path, item: Any) -> str:
    for name in _USUAL:
        if name in item.assets:
            return name
    rasters = [name for name, asset in item.assets.items() if "tiff" in (asset.media_type or "")]
    if len(rasters) == 1:
        return str(rasters[0])
    raise RoadexError(
        f"{path}: item {item.id} has the assets {', '.join(item.assets) or 'none'}; say which are "
        "images in colour: stac.assets=[NAME]"
    )
