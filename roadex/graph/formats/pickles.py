"""City-Scale and Sat2Graph pickles: {(row, col): [(row, col), ...]} in pixels.

A pickle is a program. The reader here runs none of it: containers and numbers are built in, NumPy's
scalars are decoded from their bytes by our own code, and any other name in a file is refused.
"""

from __future__ import annotations

import io
import pickle
import re
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from roadex.errors import RoadexError
from roadex.files import atomic_write
from roadex.graph.formats.options import ReadOptions
from roadex.graph.formats.pixel_graphs import network_from_pixels, pixels_of
from roadex.graph.frame import Gsd

_NUMBER_KIND = re.compile(r"[<>|=]?[biuf](1|2|4|8)")
_LARGEST_BYTES = 1 << 30
_BYTES_PER_LINK = 2  # the shortest way to name a place again


class _ForeignError(pickle.UnpicklingError):
    """The file needs something besides containers and numbers."""


class _Kind:
    """Stands in for `numpy.dtype` while a file is read, and can only be a kind of number."""

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str) or not _NUMBER_KIND.fullmatch(code):
            raise _ForeignError(f"a NumPy value of kind {str(code)[:40]!r}")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else "="
        if order in ("<", ">"):
            self.dtype = np.dtype(order + self.dtype.str[1:])


class _Number:
    """Stands in for the function that makes NumPy scalars, and makes Python numbers.

    A class with `__setstate__`, because a pickle may set attributes on a plain function.
    """

    def __new__(cls, kind: Any, data: Any) -> Any:
        raw = data.encode("latin-1") if isinstance(data, str) else data
        if not isinstance(kind, _Kind) or not isinstance(raw, bytes):
            raise _ForeignError("a NumPy value without its bytes")
        (value,) = np.frombuffer(raw, dtype=kind.dtype)
        return value.item()

    def __setstate__(self, state: Any) -> None:
        raise _ForeignError("a changed NumPy function")


_ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "dtype"): _Kind,
    ("numpy.core.multiarray", "scalar"): _Number,
    ("numpy._core.multiarray", "scalar"): _Number,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): defaultdict,
    **{(m, n): f for m in ("builtins", "__builtin__") for n, f in (("list", list), ("set", set))},
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise _ForeignError(f"{module}.{name}"[:80]) from None


def load_numbers(path: Path) -> Any:
    """The containers and numbers in a pickle.

    Raises:
        RoadexError: the file cannot be read, is no pickle, or asks for anything else.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise RoadexError(f"{path} is larger than 1 GiB: is it a road graph?")
        return _Reader(io.BytesIO(path.read_bytes()), encoding="latin-1").load()
    except OSError as error:
        raise RoadexError(f"{path} cannot be read ({error.strerror}): check the path") from error
    except _ForeignError as error:
        raise RoadexError(
            f"{path} refused: besides containers and numbers it holds {error}; "
            "do not open it with anything else"
        ) from error
    except RoadexError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise RoadexError(f"{path} is a damaged pickle ({error!r}): fetch it again") from error


def read_pickle(path: Path, options: ReadOptions) -> nx.MultiGraph:
    """A network from a City-Scale or Sat2Graph pickle.

    Raises:
        RoadexError: the pickle is refused, or is no mapping of places to neighbours.
    """
    content = load_numbers(path)
    try:
        _check_shared(path, sum(len(near) for near in content.values()))
        links = [(_place(a), _place(b)) for a, near in content.items() for b in near]
        places = {place: place[::-1] for place in map(_place, content)}
        places.update({place: place[::-1] for _, place in links})
    except (AttributeError, TypeError, ValueError) as error:
        raise RoadexError(f"{path} does not map (row, col) to neighbours ({error!r})") from error
    return network_from_pixels(path, places, links, options.pixel_size(path))


def _check_shared(path: Path, links: int) -> None:
    """Refuse a small file that repeats one list of neighbours to become large in memory.

    Raises:
        RoadexError: it has more links than a file of its size can hold.
    """
    if links * _BYTES_PER_LINK > path.stat().st_size:
        raise RoadexError(
            f"{path}: {links} links in {path.stat().st_size} bytes: many places share one list of "
            "neighbours, which no road graph does"
        )


def _place(pair: Any) -> tuple[float, float]:
    row, column = pair
    return float(row), float(column)


def write_pickle(graph: nx.MultiGraph, path: Path, gsd: Gsd) -> None:
    """Write a network as {(row, col): [(row, col), ...]} of floats, every vertex a node."""
    places, links = pixels_of(graph, path, gsd)
    content: dict[tuple[float, float], list[tuple[float, float]]] = {p[::-1]: [] for p in places}
    for a, b in links:
        content[places[a][::-1]].append(places[b][::-1])
        content[places[b][::-1]].append(places[a][::-1])
    with atomic_write(path) as temporary:
        temporary.write_bytes(pickle.dumps(content, protocol=2))
