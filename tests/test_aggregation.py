"""Power means, their gradients and the missing rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sotongindex.aggregation import power_mean
from sotongindex.errors import MethodError

POSITIVE = arrays(np.float64, 4, elements=st.floats(0.1, 100))
WEIGHTS = arrays(np.float64, 4, elements=st.floats(0.01, 1))
POWERS = st.floats(-20, 20)


@pytest.mark.parametrize(
    ("power", "expected"),
    [(1, 65.0), (0, 60.0), (-1, 2 / (1 / 40 + 1 / 90)), (2, np.sqrt((1600 + 8100) / 2))],
)
def test_the_means_of_two_scores(power, expected):
    assert power_mean([40.0, 90.0], [1, 1], power=power).value == pytest.approx(expected)


@given(POSITIVE, WEIGHTS, POWERS, POWERS)
def test_the_mean_does_not_decrease_in_the_power(scores, weights, one, other):
    low, high = sorted([one, other])
    assert power_mean(scores, weights, power=low).value <= power_mean(
        scores, weights, power=high
    ).value * (1 + 1e-9)


@given(POSITIVE, WEIGHTS, POWERS)
def test_the_mean_lies_between_the_extremes_and_is_homogeneous(scores, weights, power):
    mean = power_mean(scores, weights, power=power).value
    assert scores.min() * (1 - 1e-9) <= mean <= scores.max() * (1 + 1e-9)
    assert power_mean(0.5 * scores, weights, power=power).value == pytest.approx(0.5 * mean)


@given(POSITIVE, WEIGHTS, st.sampled_from([-3.0, -1.0, 0.0, 0.5, 1.0, 2.0, 7.0]))
def test_the_gradient_is_the_derivative_and_euler_holds(scores, weights, power):
    mean = power_mean(scores, weights, power=power)
    assert (mean.gradient * scores).sum() == pytest.approx(mean.value)
    step = 1e-5 * scores
    for position in range(4):
        ahead, behind = scores.copy(), scores.copy()
        ahead[position] += step[position]
        behind[position] -= step[position]
        slope = (
            power_mean(ahead, weights, power=power).value
            - power_mean(behind, weights, power=power).value
        ) / (2 * step[position])
        assert mean.gradient[position] == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_missing_scores_share_their_weight_down_to_the_least_share():
    scores = [[80.0, np.nan, 50.0], [np.nan, np.nan, 50.0]]
    mean = power_mean(scores, [0.3, 0.5, 0.2], min_share=0.5)
    assert mean.value[0] == pytest.approx((0.3 * 80 + 0.2 * 50) / 0.5)  # 0.3 + 0.2 passes 0.5
    assert np.isnan(mean.value[1])
    np.testing.assert_allclose(mean.share, [0.5, 0.2])
    np.testing.assert_allclose(mean.gradient, [[0.6, 0, 0.4], [0, 0, 0]])


@pytest.mark.parametrize("power", [1, 0, -1, 3])
def test_nothing_present_or_no_weight_gives_a_missing_mean(power):
    assert np.isnan(power_mean([np.nan, np.nan], [1, 1], power=power).value)
    assert np.isnan(power_mean([50.0, 60.0], [0, 0], power=power).value)


def test_zero_scores():
    for power in (0, -2):
        mean = power_mean([0.0, 50.0], [0.5, 0.5], power=power)
        assert mean.value == 0
        assert np.isnan(mean.gradient).all()  # no derivative there
    root = power_mean([0.0, 50.0], [0.5, 0.5], power=0.5)
    assert root.value == pytest.approx(12.5)
    assert np.isnan(root.gradient[0])
    assert root.gradient[1] == pytest.approx(0.25)
    square = power_mean([0.0, 50.0], [0.5, 0.5], power=2)
    assert square.gradient[0] == 0
    assert power_mean([0.0, 0.0], [0.5, 0.5], power=1).gradient.tolist() == [0.5, 0.5]
    nothing = power_mean([0.0, 0.0], [0.5, 0.5], power=2)
    assert nothing.value == 0
    assert np.isnan(nothing.gradient).all()


@pytest.mark.parametrize("scale", [1e-300, 1e300])
@pytest.mark.parametrize("power", [-30, -1, 0, 1, 30])
def test_huge_and_tiny_scores_neither_overflow_nor_vanish(scale, power):
    value = power_mean(np.array([1.0, 2.0]) * scale, [1, 1], power=power).value
    assert scale <= value <= 2 * scale


def test_what_cannot_be_averaged():
    with pytest.raises(MethodError, match="finite") as caught:
        power_mean([1.0], [1.0], power=np.inf)
    assert caught.value.argument == "power"
    with pytest.raises(MethodError, match="-5"):
        power_mean([-5.0, 1.0], [1.0, 1.0], power=0)
    assert power_mean([-5.0, 1.0], [1.0, 1.0]).value == -2
