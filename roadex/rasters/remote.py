"""Rasters that are not files of this machine.

GDAL's virtual file systems, and what lies below a prefix.
"""

from __future__ import annotations

import os
import re
import warnings
from dataclasses import dataclass
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from roadex.errors import RoadexError
from roadex.extras import install_line
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
# A lost connection is retried, and one that hangs is ended.
HTTP_OPTIONS = {
    "GDAL_HTTP_MAX_RETRY": 3,
    "GDAL_HTTP_RETRY_DELAY": 1,
    "GDAL_HTTP_CONNECTTIMEOUT": 10,
    "GDAL_HTTP_LOW_SPEED_TIME": 30,
    "GDAL_HTTP_LOW_SPEED_LIMIT": 1,
}
# Files beside a remote file are not requested.
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
        """An identifier of the raster without secrets."""
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
        """The address without possible secrets."""
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


def without_secrets(text: str, of_address: bool = False) -> str:
    """A text whose addresses have neither credentials nor queries.

    Args:
        of_address: whether it is about an address, of which it may show the last part alone.
    """
    seems_so = of_address or "://" in text or "/vsi" in text
    return _SECRETS.sub("", text) if seems_so else text


def leads_elsewhere(path: Path) -> bool:
    """Whether a VRT names an address or a virtual file system as one of its sources."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return bool(re.search(r"/vsi[a-z0-9_]+[/?]|[a-z][a-z0-9+.-]+://", text, re.IGNORECASE))


def list_remote(folder: Remote, suffixes: tuple[str, ...]) -> list[Remote]:
    """The rasters below an s3://, gs://, az:// or /vsi... prefix, by name.

    Raises:
        RoadexError: the extra `geo` is missing, there is no access, or no raster; or the address
            is of the web, whose servers have no folders.
    """
    if folder.gdal.startswith("/vsicurl/"):
        raise RoadexError(
            f"{folder}: web servers do not list folders; name the files, one a line of a text "
            "file (input=list.txt)"
        )
    names = _below(folder)
    wanted = sorted(name for name in names if any(fnmatch(name.lower(), f"*{s}") for s in suffixes))
    if not wanted:
        raise RoadexError(f"{folder}: no image there, or no access; check the address")
    return [Remote(folder.address + name) for name in wanted]


def _below(folder: Remote) -> list[str]:
    """Names relative to the prefix."""
    try:
        import pyogrio
    except ImportError as error:
        raise RoadexError(f"{folder} needs pyogrio: {install_line('geo')}") from error
    base = folder.gdal.rstrip("/")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it also raises what it warns about
            found = pyogrio.vsi_listtree(base)
    except (OSError, RuntimeError, ValueError, NotADirectoryError) as error:
        reason = without_secrets((str(error).splitlines() or [repr(error)])[0])
        raise RoadexError(f"{folder}: cannot be listed ({reason}); check the access") from None
    return [os.path.relpath(path, base) for path in found]
