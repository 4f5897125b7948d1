"""Images of a STAC item or of a collection of items."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import urlopen

from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.rasters.remote import Remote, Source, as_source, is_remote, without_secrets

# Assets with colour images, if the user names none.
_USUAL = ("visual", "rgb", "image")
_WEB = ("http://", "https://")
_ADDRESSES = re.compile(r"(\.json|\.geojson|/items|/items/[^/]+|/search)$", re.IGNORECASE)
_NO_ITEMS = "not a STAC item nor a collection of items in JSON"
_MOST_PAGES = 1000
_LONGEST = 64 << 20
_PATIENCE_S = 30


def names_items(source: Remote) -> bool:
    """Whether an address is one of STAC items: a JSON file, or a path of the STAC API."""
    path = urlsplit(source.address).path
    return bool(_ADDRESSES.search(path)) and source.address.lower().startswith(_WEB)


def stac_images(source: Source, assets: list[str] | None = None) -> list[Source]:
    """The images of a STAC item or of a feature collection of items, newest first.

    Args:
        source: a JSON file or its address; relative addresses in it start from its folder.
        assets: their names; None: `visual`, `rgb` or `image`, or the only one that is a raster.

    Raises:
        RoadexError: the extra `stac` is missing, the file is no such thing, or an item lacks the
            asset.
    """
    items = _items(source)
    items.sort(key=lambda item: (_time(item), item.id), reverse=True)
    found: list[Source] = []
    for item in items:
        for name in assets or [_usual(source, item)]:
            if name not in item.assets:
                raise RoadexError(
                    f"{source}: item {item.id} has no asset {name!r}, but "
                    f"{', '.join(item.assets) or 'none'}: stac.assets=[NAME]"
                )
            found.append(_beside(source, item.assets[name].href))
    return found


def _beside(source: Source, href: str) -> Source:
    """The address of an asset. A remote item must not name files of this machine."""
    if isinstance(source, Remote):
        whole = urljoin(source.address, href)
        is_remote(whole)  # it refuses what is no address
        return Remote(whole)
    found = as_source(href.removeprefix("file://"))
    return found if isinstance(found, Remote) else source.parent / found


def _items(source: Source) -> list[Any]:
    """The items of a file, or of an address and the pages that follow it."""
    try:
        import pystac
    except ImportError as error:
        raise RoadexError(f"{source}: STAC needs pystac: {install_line('stac')}") from error
    items: list[Any] = []
    page: Source | None = source
    for _ in range(_MOST_PAGES):
        if page is None:
            return items
        content = _content(page)
        try:
            kind = content["type"]
            features = content["features"] if kind == "FeatureCollection" else [content]
            found = [pystac.Item.from_dict(f) for f in features if "stac_version" in f]
        except (ValueError, KeyError, TypeError, AttributeError, pystac.STACError) as error:
            raise RoadexError(f"{page}: {_NO_ITEMS}") from error
        items += found
        if not items or kind not in ("Feature", "FeatureCollection"):
            raise RoadexError(f"{page}: no STAC item in it; give an item or a collection of items")
        page = _next(page, content)
    raise RoadexError(f"{source}: more than {_MOST_PAGES} pages of items; ask for fewer")


def _next(page: Source, content: dict[str, Any]) -> Source | None:
    """The page of items after one from the web."""
    links = content.get("links") if content["type"] == "FeatureCollection" else None
    if not isinstance(page, Remote) or not isinstance(links, list):
        return None
    for link in links:
        if isinstance(link, dict) and link.get("rel") == "next":
            if link.get("method", "GET") != "GET" or not isinstance(link.get("href"), str):
                raise RoadexError(f"{page}: its next page takes a POST; ask for fewer items")
            return Remote(urljoin(page.address, link["href"]))
    return None


def _content(source: Source) -> Any:
    try:
        if isinstance(source, Remote):
            return json.loads(_fetched(source))
        return json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        if isinstance(source, Remote) and isinstance(error, OSError):
            reason = without_secrets(str(getattr(error, "reason", error)) or repr(error))
            raise RoadexError(f"{source}: cannot be read ({reason}); check the address") from None
        raise RoadexError(f"{source}: {_NO_ITEMS}") from error


def _fetched(source: Remote) -> bytes:
    """The content at a web address.

    Raises:
        OSError: the server does not answer, or with something that is too long.
    """
    if not source.address.lower().startswith(_WEB):
        raise OSError("neither http:// nor https://")
    with urlopen(source.address, timeout=_PATIENCE_S) as answer:
        content: bytes = answer.read(_LONGEST + 1)
        length = answer.headers.get("Content-Length")
    if length is not None and len(content) < min(int(length), _LONGEST):
        raise OSError("the connection ended too early")
    if len(content) > _LONGEST:
        raise OSError(f"more than {_LONGEST >> 20} MiB")
    return content


def _time(item: Any) -> str:
    moment = item.datetime or item.common_metadata.start_datetime
    return "" if moment is None else str(moment.isoformat())


def _usual(path: Source, item: Any) -> str:
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
