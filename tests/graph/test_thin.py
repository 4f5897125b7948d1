"""Thinning: one pixel wide, connected as the mask, and as the published conditions say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from roadex.graph import thin as thin_module
from roadex.graph.network import straight_network
from roadex.graph.raster import draw_roads
from roadex.graph.thin import thin

CLOCKWISE = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]


def blobs(seed: int, shape: tuple[int, int], roughness: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=shape)
    return ndimage.gaussian_filter(noise, roughness) > 0


def thinned_plainly(mask: np.ndarray) -> np.ndarray:
    """Zhang and Suen's conditions as printed, with Lü and Wang's bounds, pixel by pixel."""
    pixels = np.pad(mask, 1)
    rows, columns = np.mgrid[1 : pixels.shape[0] - 1, 1 : pixels.shape[1] - 1]
    idle, substep = 0, 0
    while idle < 2:
        p = np.stack([pixels[rows + dr, columns + dc] for dr, dc in CLOCKWISE])
        rises = (~p & np.roll(p, -1, axis=0)).sum(axis=0)
        north, east, south, west = p[::2]
        if substep == 0:
            on_side = ~(north & east & south) & ~(east & south & west)
        else:
            on_side = ~(north & east & west) & ~(north & south & west)
        many = p.sum(axis=0)
        gone = pixels[1:-1, 1:-1] & (rises == 1) & (many >= 3) & (many <= 6) & on_side
        pixels[1:-1, 1:-1] &= ~gone
        idle = 0 if gone.any() else idle + 1
        substep = 1 - substep
    return pixels[1:-1, 1:-1]


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.tuples(st.integers(1, 60), st.integers(1, 140)),
    st.sampled_from([0.3, 1.0, 2.0, 5.0]),
)
def test_words_do_what_the_conditions_say(seed, shape, roughness):
    mask = blobs(seed, shape, roughness)
    np.testing.assert_array_equal(thin(mask), thinned_plainly(mask))


def test_strips_do_not_show(monkeypatch):
    mask = blobs(3, (200, 130), 4.0)
    whole = thin(mask)
    monkeypatch.setattr(thin_module, "_STRIP_WORDS", 12)
    np.testing.assert_array_equal(thin(mask), whole)


@pytest.mark.parametrize("width", [1.2, 2.0, 3.0, 4.0, 9.0])
@pytest.mark.parametrize("angle", np.linspace(0, np.pi, 12, endpoint=False))
def test_a_line_keeps_its_length_at_any_angle(width, angle):
    step = np.array([np.cos(angle), np.sin(angle)]) * 45
    road = straight_network([tuple(60.3 - step), tuple(60.3 + step)], [(0, 1)])
    skeleton = thin(draw_roads(road, (120, 120), 1.0, width))
    rows, columns = np.nonzero(skeleton)
    assert np.hypot(np.ptp(rows), np.ptp(columns)) == pytest.approx(90, abs=width / 2 + 2)
    assert ndimage.label(skeleton, np.ones((3, 3)))[1] == 1


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 1), (3, 64), (3, 65)])
def test_odd_shapes(shape):
    assert thin(np.zeros(shape, dtype=bool)).shape == shape
    assert thin(np.ones(shape, dtype=bool)).shape == shape
