"""From answers to points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotongindex._arrays import missing_code
from sotongindex.models import Scale, SurveyItem
from sotongindex.scoring import Scorer, points, round_half_up
from sotongindex.testing import scales


def test_the_two_conventions_for_56_points_of_seven():
    # Published indices: (mean - 1) / (K - 1) makes 56 of 4.36, mean / K makes 56 of 3.92.
    assert points(4.36, Scale()) == pytest.approx(56)
    assert points(3.92, Scale(conversion="fraction of top")) == pytest.approx(56)


def test_top_box_of_six_and_seven():
    scale = Scale(conversion="top box", boxes=2)
    assert points([5, 6, 7], scale).tolist() == [0, 100, 100]
    assert points([5, 6, 7], scale, reverse=True).tolist() == [100, 0, 0]


def test_missing_codes_and_nan_have_no_points():
    assert np.isnan(points([9, np.nan, 0], Scale(missing=(9, 0)))).all()


@given(scales(), st.integers(0, 10))
def test_reversed_points_are_100_less_the_points(scale, step):
    answer = min(scale.low + step, scale.high)
    direct, reverse = points(answer, scale), points(answer, scale, reverse=True)
    assert direct + reverse == pytest.approx(100)
    assert 0 <= direct <= 100


@given(st.integers(-1000, 1000), st.integers(1, 1000))
def test_reversing_the_answers_of_a_linear_scale_is_reversing_the_points(low, width):
    scale = Scale(low=low, high=low + width)
    answers = np.linspace(low, low + width, 5)
    mirrored = low + (low + width) - answers
    np.testing.assert_allclose(
        points(mirrored, scale), points(answers, scale, reverse=True), atol=1e-9
    )


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.float64])
def test_blocks_of_any_type_give_the_same_points(dtype):
    items = [
        SurveyItem(key="linear", dimension="d"),
        SurveyItem(key="reverse", dimension="d", reverse=True),
        SurveyItem(key="box", dimension="d", scale=Scale(conversion="top box", boxes=1)),
        SurveyItem(key="zero", dimension="d", scale=Scale(low=0, high=10, missing=(99,))),
    ]
    answers = np.array([[1, 1, 7, 0], [4, 7, 6, 10]], dtype=dtype)
    answers = np.vstack([answers, np.full(4, missing_code(np.dtype(dtype)), dtype=dtype)])
    scores, found = Scorer.of(items, np.dtype(dtype))(answers)
    np.testing.assert_allclose(scores, [[0, 100, 100, 0], [50, 0, 0, 100], [0, 0, 0, 0]])
    assert found.tolist() == [[1] * 4, [1] * 4, [0] * 4]


def test_acsi_s_published_formula():
    # ACSI: ((x1 - 1) w1 + (x2 - 1) w2 + (x3 - 1) w3) / 9 * 100 on answers of 1 to 10.
    scale = Scale(low=1, high=10)
    weights = np.array([0.3885, 0.3190, 0.2925])
    assert points([8, 7, 7], scale) @ weights == pytest.approx(70.98333333333333, abs=1e-9)
    assert points([8, 7, 7], scale).mean() == pytest.approx(70.37037037037037, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [(0.5, 0, 1), (1.5, 0, 2), (2.5, 0, 3), (1.005, 2, 1.01), (56.25, 1, 56.3), (-0.5, 0, 0)],
)
def test_halves_are_rounded_up(value, digits, expected):
    assert round_half_up(value, digits) == pytest.approx(expected, abs=1e-12)
