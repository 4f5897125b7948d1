"""Orientation labels turn with the image, whatever turns it."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadex.config.augment import AugmentConfig
from roadex.data.augment import Augmentation
from roadex.graph.network import straight_network
from roadex.graph.orientation import (
    IGNORE,
    NO_ROAD,
    direction_map,
    orientation_classes,
    turned_codes,
)

SIDE = 200
PLACES = [(30, 90), (100, 95), (170, 80), (95, 30), (105, 170), (160, 140), (40, 40), (60, 160)]
ROADS = [(0, 1), (1, 2), (1, 3), (1, 4), (4, 5), (6, 3), (7, 0)]


def network(places):
    return straight_network([tuple(place) for place in places], ROADS)


def moved(places, turns, flip):
    """Positions after quarter turns against the clock (as one sees it) and then a flip."""
    x, y = np.array(places, float).T
    for _ in range(turns):
        x, y = y, SIDE - x
    return np.column_stack([SIDE - x if flip else x, y])


def same_direction(first, second, degrees):
    """Whether two maps of codes agree, within some degrees modulo half a turn."""
    gap = np.abs(2 * first.astype(int) - 2 * second.astype(int)) % 180
    return np.minimum(gap, 180 - gap) <= degrees


@settings(max_examples=40, deadline=None)
@given(
    places=st.lists(
        st.tuples(st.integers(2, SIDE - 2), st.integers(2, SIDE - 2)),
        min_size=len(PLACES), max_size=len(PLACES), unique=True,
    ),
    turns=st.integers(0, 3),
    flip=st.booleans(),
)  # fmt: skip
def test_flips_and_turns_permute_the_bins(places, turns, flip):
    """The map of the moved graph is the moved map, each bin replaced by the one it turns into."""
    codes = direction_map(network(places), (SIDE, SIDE), 1.0)
    pixels = np.rot90(codes, turns)
    pixels = pixels[:, ::-1] if flip else pixels
    found = orientation_classes(turned_codes(pixels, 0.0, turns, flip)).astype(int)
    direct = direction_map(network(moved(places, turns, flip)), (SIDE, SIDE), 1.0)
    assert np.array_equal(pixels == NO_ROAD, direct == NO_ROAD)
    road = direct != NO_ROAD
    assert same_direction(turned_codes(pixels, 0.0, turns, flip), direct, 2)[road].all()
    # The bins of ten degrees by themselves: a permutation, but for the sense along the road.
    before = orientation_classes(pixels).astype(int) - 1
    after = before - 9 * turns
    after = (18 - after if flip else after) % 18
    assert np.array_equal(after[road], (found[road] - 1) % 18)


@settings(max_examples=30, deadline=None)
@given(degrees=st.floats(-180, 180), scale=st.floats(0.7, 1.5), seed=st.integers(0, 99))
def test_any_turn_and_scale_turns_the_labels(degrees, scale, seed):
    """A crop's codes are the directions that the moved graph has, to the rounding of both."""
    config = AugmentConfig(rotation=abs(degrees), scale_min=scale, scale_max=scale)
    codes = direction_map(network(PLACES), (SIDE, SIDE), 1.0)
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((SIDE, SIDE)).astype(np.uint8)
    image = np.stack([rows, columns, rows], axis=-1)
    size = math.ceil(SIDE * scale)
    (_, found), motion = Augmentation(config).moved((image, codes), size, rng)
    found = turned_codes(found, motion.degrees, motion.quarter_turns, motion.flip)
    angle = math.radians(motion.degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    places = (np.array(PLACES) - SIDE / 2) @ turn.T + SIDE / 2
    for _ in range(motion.quarter_turns):
        places = np.column_stack([places[:, 1], SIDE - places[:, 0]])
    if motion.flip:
        places = np.column_stack([SIDE - places[:, 0], places[:, 1]])
    centre = (places - SIDE / 2) + size / scale / 2
    wanted = direction_map(network(centre), (size, size), 1 / scale)
    around = np.ones((3, 3), np.uint8)
    flat = cv2.dilate(wanted, around) == cv2.erode(wanted, around)
    clear = flat & (found < NO_ROAD) & (wanted < NO_ROAD)
    # Of a smaller crop, fewer pixels.
    assert clear.sum() > 500 * scale**2 and same_direction(found, wanted, 4)[clear].all()
    assert (found[flat & (wanted == NO_ROAD) & (found != IGNORE)] == NO_ROAD).all()


@pytest.mark.parametrize(
    ("line", "kind"),
    [(((20, 100), (180, 100)), 1), (((100, 20), (100, 180)), 10), (((30, 30), (130, 130)), 5),
     (((100, 20), (20, 100)), None)],
)  # fmt: skip
def test_classes_tell_the_direction_away_from_the_corner(line, kind):
    codes = direction_map(straight_network(list(line), [(0, 1)]), (SIDE, SIDE), 1.0)
    classes = orientation_classes(codes)
    rows, columns = np.nonzero(classes)
    angles = np.radians(10.0 * (classes[rows, columns] - 1))
    outward = np.cos(angles) * (columns + 0.5) + np.sin(angles) * (rows + 0.5)
    # The bin's middle is up to five degrees from the road, so on the foot of the normal it may err.
    assert (outward > -np.hypot(rows, columns) * math.sin(math.radians(6))).all()
    assert kind is None or set(np.unique(classes)) == {0, kind}
    assert np.ptp(rows) + np.ptp(columns) > 150


def test_what_is_ignored_stays_ignored_and_the_rest_is_background():
    codes = np.array([[NO_ROAD, IGNORE, 0]], np.uint8)
    assert orientation_classes(turned_codes(codes, 33.0, 1, True))[0, :2].tolist() == [0, 255]
