"""Pixel metrics on masks small enough to count by hand.

The break-even point of relaxed precision and recall.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt as distance

from roadex.metrics.pixel import Confusion, RelaxedCounts, SlackCurve, ThresholdCurve

MASKS = arrays(bool, (6, 7))


def test_confusion_counts_by_hand():
    truth = np.array([[1, 1, 0, 0]], dtype=bool)
    proposal = np.array([[1, 0, 1, 0]], dtype=bool)
    confusion = Confusion.of(truth, proposal)
    assert confusion == Confusion(1, 1, 1, 1)
    assert confusion.scores() == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "iou": 1 / 3}


def test_ignored_pixels_are_not_counted():
    truth = np.array([[1, 1, 0, 0]], dtype=bool)
    proposal = np.array([[1, 0, 1, 0]], dtype=bool)
    ignore = np.array([[0, 1, 1, 0]], dtype=bool)
    assert Confusion.of(truth, proposal, ignore) == Confusion(1, 0, 0, 1)


@given(MASKS, MASKS, MASKS, MASKS)
def test_counts_of_two_tiles_add_up_to_those_of_both(truth, proposal, other_truth, other_proposal):
    both = Confusion.of(truth, proposal) + Confusion.of(other_truth, other_proposal)
    joined = Confusion.of(
        np.concatenate([truth, other_truth]), np.concatenate([proposal, other_proposal])
    )
    assert both == joined


@given(MASKS, MASKS)
def test_swapping_swaps_precision_and_recall(truth, proposal):
    one, other = Confusion.of(truth, proposal), Confusion.of(proposal, truth)
    np.testing.assert_equal(one.precision, other.recall)
    np.testing.assert_equal(one.f1, other.f1)
    if not math.isnan(one.iou):
        assert one.iou == pytest.approx(one.f1 / (2 - one.f1))


def test_empty_masks_are_not_scored_and_one_empty_mask_scores_zero():
    nothing, road = np.zeros((4, 4), dtype=bool), np.ones((4, 4), dtype=bool)
    for counts in (Confusion, RelaxedCounts):
        assert all(math.isnan(value) for value in counts.of(nothing, nothing).scores().values())
        assert set(counts.of(road, nothing).scores().values()) == {0.0}
        assert set(counts.of(nothing, road).scores().values()) == {0.0}


@pytest.mark.parametrize(("shift", "expected"), [(0, 1.0), (3, 1.0), (4, 0.0)])
def test_relaxed_scores_forgive_exactly_the_buffer(shift, expected):
    truth, proposal = np.zeros((20, 30), dtype=bool), np.zeros((20, 30), dtype=bool)
    truth[5], proposal[5 + shift] = True, True
    counts = RelaxedCounts.of(truth, proposal, buffer_px=3)
    assert counts.scores() == pytest.approx(dict.fromkeys(counts.scores(), expected))


def test_relaxed_counts_by_hand():
    truth, proposal = np.zeros((9, 40), dtype=bool), np.zeros((9, 40), dtype=bool)
    truth[4, :20], proposal[4, 10:] = True, True
    counts = RelaxedCounts.of(truth, proposal, buffer_px=2)
    # The proposal's first 10 pixels lie on the truth and 2 more within the buffer; so the truth's.
    assert counts == RelaxedCounts(matched_proposal=12, proposal=30, matched_truth=12, truth=20)
    assert counts.iou == pytest.approx(0.4 * 0.6 / (0.4 + 0.6 - 0.4 * 0.6))


@settings(max_examples=30)
@given(arrays(np.float32, (5, 5), elements=st.floats(0, 1, width=32)), arrays(bool, (5, 5)))
def test_threshold_curve_equals_counting_pixels(probability, truth):
    curve = ThresholdCurve()
    curve.update(probability, truth)
    for threshold in (1 / 256, 0.25, 0.5, 200 / 256):
        assert curve.confusion(threshold) == Confusion.of(truth, probability >= threshold)


def test_best_threshold_separates_and_prefers_the_middle():
    curve = ThresholdCurve()
    probability = np.array([[0.1, 0.2, 0.7, 0.9]])
    curve.update(probability, np.array([[0, 0, 1, 1]], dtype=bool))
    assert curve.best_threshold() == 0.5
    curve.update(np.array([[0.65]]), np.array([[False]]))
    best = curve.best_threshold()
    assert 0.65 < best <= 0.7
    assert curve.confusion(best).f1 == 1.0


def test_threshold_of_a_world_without_roads_is_the_middle():
    curve = ThresholdCurve()
    curve.update(np.array([[0.1, 0.9]]), np.zeros((1, 2), dtype=bool))
    assert curve.best_threshold() == 0.5


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
