"""Thinning of a mask to lines one pixel wide, 64 pixels at a time.

The method is that of Zhang and Suen (A fast parallel algorithm for thinning digital patterns, CACM
27(3), 1984) as amended by Lü and Wang (CACM 29(3), 1986), without whose amendment slanting roads an
even number of pixels wide are shortened from their ends. A row is packed into 64-bit words, and
the conditions on a pixel's eight neighbours become bitwise operations on words shifted against each
other; strips in which nothing can change any more are skipped.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
_STRIP_WORDS = 1 << 13  # small enough for the processor's cache
_ONE, _LAST = np.uint64(1), np.uint64(63)


def thin(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The skeleton of a boolean mask (rows, columns); a new array of the same shape.

    Lines keep their connections and loops; slanting ones may be stairs, two pixels to a step. A
    blob that is as wide as it is long may vanish.
    """
    rows, columns = mask.shape
    words = _pack(mask)
    height = max(_STRIP_WORDS // words.shape[1], 1)
    strips = [slice(top, min(top + height, rows)) for top in range(0, rows, height)]
    # Substeps since anything in or beside a strip changed: after two, nothing will again.
    idle: NDArray[np.int64] = np.zeros(len(strips), dtype=np.int64)
    substep = 0
    while (idle < 2).any():
        removed = {
            i: _removable(words[strips[i].start : strips[i].stop + 2], substep)
            for i in np.flatnonzero(idle < 2).tolist()
        }
        changed = np.zeros(len(strips) + 2, dtype=np.bool_)
        for i, pixels in removed.items():
            changed[i + 1] = pixels.any()
            words[strips[i].start + 1 : strips[i].stop + 1] ^= pixels
        near = changed[:-2] | changed[1:-1] | changed[2:]
        idle = np.where(near, 0, idle + 1)
        substep = 1 - substep
    return _unpack(words, columns)


def _pack(mask: NDArray[np.bool_]) -> Words:
    """Rows as words, the leftmost pixel in the lowest bit, with an empty row above and below."""
    rows, columns = mask.shape
    packed = np.zeros((rows + 2, max(-(-columns // 64), 1) * 8), dtype=np.uint8)
    packed[1:-1, : -(-columns // 8)] = np.packbits(mask, axis=1, bitorder="little")
    return packed.view("<u8")


def _unpack(words: Words, columns: int) -> NDArray[np.bool_]:
    inner = words[1:-1].view(np.uint8)
    return np.unpackbits(inner, axis=1, count=columns, bitorder="little").view(np.bool_)


def _removable(words: Words, substep: int) -> Words:
    """The pixels (n, w) that a substep takes away, of words (n + 2, w).

    A pixel goes if, round its eight neighbours, there is one run of road (a rise `once` and not
    `twice`) of three (`triple`) to six pixels (not, but for one, everywhere road: `full`), and it
    lies on the south-eastern (first substep) or north-western side.
    """
    west, east = words << _ONE, words >> _ONE
    west[:, 1:] |= words[:, :-1] >> _LAST
    east[:, :-1] |= words[:, 1:] << _LAST
    above, here, below = slice(None, -2), slice(1, -1), slice(2, None)
    n, e, s, w = words[above], east[here], words[below], west[here]
    ring = (n, east[above], e, east[below], s, west[below], w, west[above])
    once, twice, triple = (np.zeros_like(n) for _ in range(3))
    full = ~once
    before = ring[-1] & n
    for now, after in zip(ring, ring[1:] + ring[:1], strict=True):
        both = now & after
        rise = after ^ both
        twice |= once & rise
        once |= rise
        triple |= before & both
        full &= now | after
        before = both
    inside = n & w & (e | s) if substep else e & s & (n | w)
    return words[here] & once & triple & ~(twice | full | inside)
