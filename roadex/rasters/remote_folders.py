"""What lies below a prefix of a store of objects."""

from __future__ import annotations

import os
import warnings
from fnmatch import fnmatch

from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.rasters.remote import Remote, without_secrets


def list_remote(folder: Remote, suffixes: tuple[str, ...]) -> list[Remote]:
    """The rasters below an s3://, gs://, az:// or /vsi... prefix, by name.

    Raises:
        RoadexError: the extra `geo` is missing, there is no access, or no raster; or the address
            is of the web, whose servers have no folders.
    """
    if folder.gdal.startswith("/vsicurl/"):
        raise RoadexError(
            f"{folder}: servers of the web list no folders; name the files, one a line of a text "
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
            warnings.simplefilter("ignore")  # what it warns of it raises, too
            found = pyogrio.vsi_listtree(base)
    except (OSError, RuntimeError, ValueError, NotADirectoryError) as error:
        reason = without_secrets((str(error).splitlines() or [repr(error)])[0])
        raise RoadexError(f"{folder}: cannot be listed ({reason}); check the access") from None
    return [os.path.relpath(path, base) for path in found]
