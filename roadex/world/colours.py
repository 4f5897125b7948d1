"""Colours as triples of red, green and blue in 0..255, and how they are varied."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Colour = tuple[float, float, float]


def scaled(colour: Colour, factor: float) -> Colour:
    """A lighter or darker colour."""
    red, green, blue = (min(255.0, channel * factor) for channel in colour)
    return red, green, blue


def between(low: Colour, high: Colour, share: float) -> Colour:
    """The colour a share of the way from one to another."""
    red, green, blue = (a + (b - a) * share for a, b in zip(low, high, strict=True))
    return red, green, blue


def jitter(rng: np.random.Generator, colour: Colour, spread: float = 6.0) -> Colour:
    """A colour near another: lighter or darker, and a little off in hue."""
    shift, *off = (spread * rng.standard_normal(4)).tolist()
    red, green, blue = (
        min(255.0, max(0.0, channel + shift + 0.25 * single))
        for channel, single in zip(colour, off, strict=True)
    )
    return red, green, blue


def choose(rng: np.random.Generator, colours: Sequence[Colour]) -> Colour:
    """One of some colours."""
    return colours[int(rng.integers(len(colours)))]
