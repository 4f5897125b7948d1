"""The break-even point of relaxed precision and recall."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt as distance

from roadex.metrics.pixel import SlackCurve

NOTHING = np.zeros((40, 40), np.bool_)


def road(first, width=7):
    mask = NOTHING.copy()
    mask[first : first + width] = True
    return mask


def break_even(truth, bins, ignore=NOTHING):
    curve = SlackCurve()
    curve.update(bins.astype(np.uint8), truth, ignore)
    return curve.break_even()


@pytest.mark.parametrize(("shift", "value"), [(0, 1.0), (3, 1.0), (5, 5 / 7)])
def test_a_shift_within_the_slack_costs_nothing(shift, value):
    found, threshold = break_even(road(10), road(10 + shift) * 200)
    assert found == pytest.approx(value)
    assert 0 < threshold <= 200 / 256


def test_the_curve_is_that_of_every_threshold():
    rng = np.random.default_rng(0)
    truth = rng.random((40, 40)) > 0.9
    bins = np.clip(truth * 90 + rng.integers(0, 160, truth.shape), 0, 255)
    value, threshold = break_even(truth, bins)

    proposal = bins >= round(threshold * 256)
    precision = (distance(~truth)[proposal] <= 3).mean()
    recall = (distance(~proposal)[truth] <= 3).mean()
    assert value == pytest.approx((precision + recall) / 2, abs=1e-6)


def test_what_is_ignored_has_no_say():
    ignore = NOTHING.copy()
    ignore[:, 20:] = True
    bins = road(10) * 200
    bins[25:, 20:] = 255
    assert break_even(road(10), bins, ignore)[0] == pytest.approx(1.0)


def test_no_road_is_no_number():
    assert np.isnan(break_even(NOTHING, NOTHING * 0)[0])
