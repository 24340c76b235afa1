"""The Mazziotta-Pareto index: the penalty, both scales, and how errors travel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sotongindex.aggregation import Penalty, mazziotta_pareto
from sotongindex.errors import MethodError
from sotongindex.variance import Estimates

NAN = float("nan")
POINTS = arrays(np.float64, st.tuples(st.integers(1, 6), st.just(3)), elements=st.floats(0, 100))
WEIGHTS = [0.5, 0.3, 0.2]


def index(scores: Any, weights: Any = (0.5, 0.3, 0.2), **more: Any) -> Any:
    return mazziotta_pareto(scores, weights, **{"goalposts": (0, 100), **more})


@given(POINTS)
def test_penalties_are_the_same_distance_to_both_sides_of_the_mean(scores: np.ndarray) -> None:
    down, up = index(scores), index(scores, penalty="upward")
    assert down.means == pytest.approx(scores @ WEIGHTS * 0.6 + 70)
    assert (down.scores <= down.means + 1e-9).all()
    assert down.means - down.scores == pytest.approx(up.scores - up.means, abs=1e-9)


@given(st.floats(0, 100))
def test_who_is_balanced_pays_nothing(score: float) -> None:
    assert index([[score] * 3]).scores == pytest.approx([70 + 0.6 * score])


@given(POINTS, st.floats(0.1, 10))
def test_weights_count_by_their_proportion(scores: np.ndarray, factor: float) -> None:
    scaled = index(scores, [factor * weight for weight in WEIGHTS])
    assert scaled.scores == pytest.approx(index(scores).scores)


def test_a_part_of_weight_0_is_not_there() -> None:
    scores = np.array([[40.0, 60.0, 10.0], [55.0, 45.0, 90.0]])
    assert index(scores, [0.5, 0.5, 0.0]).scores == pytest.approx(
        mazziotta_pareto(scores[:, :2], [0.5, 0.5], goalposts=(0, 100)).scores
    )


@pytest.mark.parametrize("penalty", ["downward", "upward"])
@pytest.mark.parametrize("goalposts", [None, (0.0, 100.0), ([20.0, 0, 0], [80.0, 90, 100])])
def test_the_derivative_is_that_of_small_steps(penalty: Penalty, goalposts: Any) -> None:
    scores = np.random.default_rng(0).uniform(30, 80, (7, 3))
    scores[2, 1] = scores[5, 0] = NAN
    more: dict[str, Any] = {"goalposts": goalposts, "penalty": penalty}
    found = mazziotta_pareto(scores, WEIGHTS, **more).jacobian().toarray()
    for place in np.flatnonzero(~np.isnan(scores.ravel())):
        step = np.zeros(scores.size)
        step[place] = 1e-5
        up, down = (
            mazziotta_pareto(scores + sign * step.reshape(7, 3), WEIGHTS, **more).scores
            for sign in (1, -1)
        )
        assert found[:, place] == pytest.approx((up - down) / 2e-5, abs=1e-6)
    assert (found[:, np.isnan(scores.ravel())] == 0).all()


def test_errors_travel() -> None:
    estimates = Estimates.independent([[40.0, 60.0], [50.0, 50.0]], 2.0)
    found = mazziotta_pareto(estimates.values, [0.5, 0.5], goalposts=(0, 100))
    score = estimates.transform(found.jacobian(), values=found.scores, lower=-np.inf, upper=np.inf)
    # Where parts are equal the penalty is flat: the error is that of the mean.
    assert score.standard_error[1] == pytest.approx(0.6 * 2 / np.sqrt(2))


def test_missing_parts_and_the_least_share() -> None:
    found = index([[40.0, NAN, 80.0], [NAN, 60.0, 60.0], [NAN, NAN, NAN]], min_share=0.6)
    assert found.share == pytest.approx([0.7, 0.5, 0.0])
    assert found.scores[0] == pytest.approx(
        mazziotta_pareto([[40.0, 80.0]], [5 / 7, 2 / 7], goalposts=(0, 100)).scores[0]
    )
    assert np.isnan(found.scores[1:]).all()
    assert (found.gradient[1:] == 0).all()


@pytest.mark.parametrize(
    ("scores", "more", "argument", "message"),
    [
        (
            [50.0],
            {},
            "scores",
            "a row for every unit and a column for every part, got the shape (1,)",
        ),
        ([[50.0, np.inf, 1.0]], {}, "scores", "unit 0 has inf in part 1"),
        (
            [[50.0, 1.0, 2.0], [50.0, 2.0, 3.0]],
            {"goalposts": None},
            "scores",
            "part 0 is the same for all units",
        ),
        ([[1.0, 2.0, 3.0]], {"goalposts": None}, "scores", "part 0 is the same for all units"),
        ([[1.0, 2.0, 3.0]], {"goalposts": (5, 5)}, "goalposts", "low goalposts below the high"),
        ([[1.0, 2.0, 3.0]], {"goalposts": (80, 81)}, "goalposts", "means above 0"),
        ([[1.0, 2.0, 3.0]], {"penalty": "up"}, "penalty", 'expected "downward" or "upward"'),
    ],
)
def test_bad_input(scores: Any, more: dict[str, Any], argument: str, message: str) -> None:
    with pytest.raises(MethodError) as caught:
        index(scores, **more)
    assert message in str(caught.value)
    assert caught.value.argument == argument
