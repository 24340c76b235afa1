"""Pairwise majority: support, Copeland's scores, Kemeny's orders."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sotongindex import _kemeny
from sotongindex.aggregation import copeland, kemeny, pairwise_support
from sotongindex.errors import MethodError

NAN = float("nan")


def circle(units: int) -> np.ndarray:
    """Everyone beats the next half of the circle by the same margin."""
    distance = (np.arange(units)[None, :] - np.arange(units)[:, None]) % units
    return np.where((distance > 0) & (distance <= units // 2), 0.6, 0.4)


def test_support_counts_the_weight_of_who_is_ahead() -> None:
    support = pairwise_support([[60.0, 50.0, 40.0], [50.0, 50.0, 60.0]], [2.0, 1.0, 1.0])
    assert support[0, 1] == pytest.approx((2 + 0.5) / 4)
    assert support[1, 0] == pytest.approx((1 + 0.5) / 4)


def test_support_of_missing_parts_rests_on_what_both_have() -> None:
    support = pairwise_support([[60.0, NAN], [50.0, 70.0], [NAN, 80.0]], [0.5, 0.5])
    assert support[0, 1] == 1.0
    assert support[1, 2] == 0.0
    assert support[0, 2] == support[2, 0] == 0.5


def test_a_unit_that_is_ahead_in_everything_is_first_and_alone() -> None:
    rng = np.random.default_rng(0)
    scores = np.vstack([rng.uniform(0, 50, (12, 4)), [[90.0] * 4]])
    found = kemeny(pairwise_support(scores, [1.0] * 4))
    assert found.order[0] == 12
    assert (found.low[12], found.high[12]) == (1, 1)


def test_all_tied_may_stand_anywhere() -> None:
    found = kemeny(np.full((40, 40), 0.5))
    assert found.order == tuple(range(40))
    assert set(found.low.tolist()) == {1}
    assert set(found.high.tolist()) == {40}
    assert found.count == math.factorial(40)


def test_twins_change_places() -> None:
    scores = [[3.0, 3.0], [2.0, 2.0], [2.0, 2.0], [1.0, 1.0]]
    found = kemeny(pairwise_support(scores, [0.5, 0.5]))
    assert found.order == (0, 1, 2, 3)
    assert found.low.tolist() == [1, 2, 2, 4]
    assert found.high.tolist() == [1, 3, 3, 4]
    assert found.count == 2


def test_one_unit() -> None:
    found = kemeny([[0.0]])
    assert (found.order, found.count, found.agreement) == ((0,), 1, 0.0)
    assert copeland([[0.0]]).tolist() == [0.0]


def test_a_circle_can_be_cut_anywhere() -> None:
    found = kemeny(circle(7))
    assert found.count >= 7
    assert set(found.low.tolist()) == {1}
    assert set(found.high.tolist()) == {7}


def test_thirty_units_of_correlated_scores() -> None:
    rng = np.random.default_rng(11)
    scores = rng.normal(56, 3, (30, 1)) + rng.normal(0, 4, (30, 7))
    support = pairwise_support(scores, [1 / 7] * 7)
    found = kemeny(support)
    order = np.array(found.order)
    # No single unit can be moved to a better place.
    for place in range(30):
        rest = np.delete(order, place)
        for other in range(30):
            moved = np.insert(rest, other, order[place])
            assert np.triu(support[np.ix_(moved, moved)], 1).sum() <= found.agreement + 1e-9


def test_too_long_a_circle_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MethodError, match="63 units beat each other in a circle"):
        kemeny(circle(63))
    monkeypatch.setattr(_kemeny, "MOST_SETS", 3)
    with pytest.raises(MethodError, match="9 units beat each other in a circle, too many"):
        kemeny(circle(9))


@pytest.mark.parametrize(
    ("support", "message"),
    [
        ([0.5, 0.5], "a square matrix, units by units, got the shape (2,)"),
        ([[0.5, 0.5]], "got the shape (1, 2)"),
        (np.empty((0, 0)), "got the shape (0, 0)"),
        ([[0.5, NAN], [0.5, 0.5]], "expected finite numbers"),
    ],
)
def test_bad_support(support: Any, message: str) -> None:
    for method in (copeland, kemeny):
        with pytest.raises(MethodError) as caught:
            method(support)
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("scores", "weights", "message"),
    [
        (
            [1.0, 2.0],
            [1.0, 1.0],
            "row for every unit and a column for every part, got the shape (2,)",
        ),
        ([[1.0, 2.0]], [1.0], "one weight for each of 2 parts, got the shape (1,)"),
        ([[1.0, 2.0]], [1.0, -1.0], "finite weights of 0 or more"),
        ([[1.0, 2.0]], [0.0, 0.0], "one of them positive"),
    ],
)
def test_bad_scores_and_weights(scores: Any, weights: Any, message: str) -> None:
    with pytest.raises(MethodError) as caught:
        pairwise_support(scores, weights)
    assert message in str(caught.value)
    assert caught.value.argument == ("scores" if message.startswith("row") else "weights")
