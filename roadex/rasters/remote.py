"""Rasters that are not files of this machine: GDAL's virtual file systems.

They are opened only where the user's own input names one. Credentials come from the environment, as
GDAL reads them (AWS_ACCESS_KEY_ID and its like), and nothing of an address that could be secret is
ever printed: neither what stands before an @, nor what follows a question mark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from roadex.errors import RoadexError
from roadex.files import user_path

# What an address begins with, and the virtual file system that reads it.
_SCHEMES = {
    "http": "/vsicurl/http://",
    "https": "/vsicurl/https://",
    "s3": "/vsis3/",
    "gs": "/vsigs/",
    "az": "/vsiaz/",
}
_SCHEME = re.compile(r"^(?P<scheme>[a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_SECRETS = re.compile(r"(?<=://)[^/@\s'\"]+@|[?#][^\s'\"]*")
# A lost connection is tried again, and one that hangs ends.
HTTP_OPTIONS = {
    "GDAL_HTTP_MAX_RETRY": 3,
    "GDAL_HTTP_RETRY_DELAY": 1,
    "GDAL_HTTP_CONNECTTIMEOUT": 10,
    "GDAL_HTTP_LOW_SPEED_TIME": 30,
    "GDAL_HTTP_LOW_SPEED_LIMIT": 1,
}
# What lies beside a remote file is not asked for.
REMOTE_OPTIONS = {**HTTP_OPTIONS, "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}


@dataclass(frozen=True)
class Remote:
    """A raster behind an address.

    Attributes:
        address: as the user gave it.
    """

    address: str

    @property
    def gdal(self) -> str:
        """The path by which GDAL opens it."""
        match = _SCHEME.match(self.address)
        if match is None:
            return self.address
        return _SCHEMES[match["scheme"].lower()] + self.address[match.end() :]

    @property
    def key(self) -> str:
        """Which raster it is, without its secrets."""
        return sha256(str(self).encode()).hexdigest()[:16]

    @property
    def name(self) -> str:
        """The last part of the address."""
        return PurePosixPath(urlsplit(str(self)).path or str(self)).name or "remote"

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """Of the name."""
        return PurePosixPath(self.name).suffix

    def __str__(self) -> str:
        """The address without what could be secret."""
        return without_secrets(self.address)

    def __repr__(self) -> str:
        """As it is printed."""
        return f"Remote({str(self)!r})"


# Where a raster is: a file of this machine, or one behind an address.
Source = Path | Remote


def is_remote(text: str) -> bool:
    """Whether a text is an address or a path of GDAL's virtual file systems.

    Raises:
        RoadexError: an address of a kind that is not read.
    """
    if text.startswith("/vsi"):
        return True
    match = _SCHEME.match(text)
    if match is None:
        return False
    if match["scheme"].lower() not in _SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
        raise RoadexError(f"{without_secrets(text)}: cannot be read; use {known} or /vsi...")
    return True


def as_source(text: str | Path) -> Source:
    """A path or an address.

    Raises:
        RoadexError: an address of a kind that is not read.
    """
    if isinstance(text, str) and is_remote(text):
        return Remote(text)
    return user_path(text)


def without_secrets(text: str) -> str:
    """A text whose addresses have neither credentials nor queries."""
    return _SECRETS.sub("", text) if "://" in text or "/vsi" in text else text


def leads_elsewhere(path: Path) -> bool:
    """Whether a VRT names an address or a virtual file system as one of its sources."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return bool(re.search(r"/vsi[a-z0-9_]+[/?]|[a-z][a-z0-9+.-]+://", text, re.IGNORECASE))
