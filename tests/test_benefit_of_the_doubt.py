"""Benefit of the doubt: what is defined, what the limits do, and how errors travel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sotongindex import _simplex
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.variance import Estimates
from sotongindex.weighting import ShareLimits, benefit_of_the_doubt

NAN = float("nan")


def points(units: int, parts: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(20, 90, (units, parts))


# -- by hand -------------------------------------------------------------------------------------


def test_two_best_units_and_one_between_them() -> None:
    result = benefit_of_the_doubt([[4.0, 2.0], [2.0, 4.0], [2.0, 2.0]])
    assert result.scores == pytest.approx([1, 1, 2 / 3])
    assert result.peers_of(2) == pytest.approx({0: 1 / 3, 1: 1 / 3})
    assert result.weights[2] == pytest.approx([1 / 6, 1 / 6])
    assert result.peers_of(0) == {0: 1.0}
    assert result.unique.tolist() == [False, False, True]


def test_equal_contributions_leave_no_choice() -> None:
    scores = points(12, 4)
    result = benefit_of_the_doubt(scores, limits=ShareLimits(low=0.25, high=0.25))
    # Every weight is s / (k y), so the strictest peer sets the score.
    ratios = scores[None] / scores[:, None]
    assert result.scores == pytest.approx(1 / ratios.mean(axis=2).max(axis=1), abs=1e-9)
    assert result.shares == pytest.approx(np.full((12, 4), 0.25), abs=1e-9)


def test_an_order_of_shares() -> None:
    scores = points(20, 3)
    free = benefit_of_the_doubt(scores)
    ordered = benefit_of_the_doubt(scores, limits=ShareLimits(order=[(0, 1), (1, 2)]))
    assert (np.diff(ordered.shares, axis=1) <= 1e-9).all()
    assert (ordered.scores <= free.scores + 1e-12).all()
    assert (ordered.scores < free.scores - 0.01).any()


def test_limits_on_weights_keep_weights() -> None:
    scores = points(20, 3)
    result = benefit_of_the_doubt(scores, limits=ShareLimits(low=0.2, high=0.5, of="weight"))
    shares = result.weights / result.weights.sum(axis=1, keepdims=True)
    assert shares.min() >= 0.2 - 1e-9
    assert shares.max() <= 0.5 + 1e-9


def test_one_share_for_each_part() -> None:
    limits = ShareLimits(low=(0.5, 0.0), high=(1.0, 0.2))
    result = benefit_of_the_doubt([[1.0, 1.0], [0.5, 1.0]], limits=limits)
    assert result.shares[:, 1].max() <= 0.2 + 1e-9
    assert result.scores[1] == pytest.approx(1 / (0.8 * 2 + 0.2 * 1))


# -- weights among many --------------------------------------------------------------------------


def test_of_many_best_weights_the_nearest_to_equal_contributions() -> None:
    scores = points(30, 3, seed=5)
    result = benefit_of_the_doubt(scores)
    rng = np.random.default_rng(1)
    for unit in np.flatnonzero(~result.unique):
        own = result.shares[unit]
        # Mixtures with other best weights are best too, and none is nearer.
        for direction in rng.normal(size=(50, 3)):
            other = np.maximum(own + 0.02 * (direction - direction.mean()), 0)
            other /= other.sum()
            if (other / scores[unit] @ scores.T).max() <= 1:
                assert ((other - 1 / 3) ** 2).sum() >= ((own - 1 / 3) ** 2).sum() - 1e-9


def test_a_unit_that_is_best_in_everything_has_equal_contributions() -> None:
    result = benefit_of_the_doubt([[80.0, 90.0, 70.0], [40.0, 50.0, 60.0]])
    assert result.shares[0] == pytest.approx([1 / 3] * 3)
    assert result.scores[1] == pytest.approx(60 / 70)


# -- edges ---------------------------------------------------------------------------------------


def test_one_unit_and_one_part() -> None:
    assert benefit_of_the_doubt([[3.0, 0.0]]).scores.tolist() == [1.0]
    assert benefit_of_the_doubt([[3.0], [1.5]]).scores == pytest.approx([1.0, 0.5])


def test_more_parts_than_units() -> None:
    result = benefit_of_the_doubt(points(3, 10))
    assert result.scores.tolist() == [1.0, 1.0, 1.0]


def test_a_constant_part_makes_everyone_best_until_it_is_limited() -> None:
    scores = np.column_stack([points(6, 2), np.full(6, 50.0)])
    assert benefit_of_the_doubt(scores).scores.tolist() == [1.0] * 6
    assert benefit_of_the_doubt(scores, limits=ShareLimits(high=0.4)).scores.min() < 1


def test_a_unit_with_nothing_scores_0_and_missing_is_not_nothing() -> None:
    result = benefit_of_the_doubt([[1.0, 2.0], [0.0, 0.0], [NAN, NAN]])
    assert result.scores[:2].tolist() == [1.0, 0.0]
    assert result.shares[1].tolist() == [0.0, 0.0]
    assert np.isnan(result.scores[2])
    assert np.isnan(result.weights[2]).all()
    assert result.peers_of(2) == {}


def test_a_part_that_is_0_for_all_gets_no_weight() -> None:
    result = benefit_of_the_doubt([[0.0, 2.0], [0.0, 1.0]])
    assert result.scores == pytest.approx([1.0, 0.5])
    assert result.weights[:, 0].tolist() == [0.0, 0.0]


def test_nothing_where_something_must_come_from_scores_0() -> None:
    result = benefit_of_the_doubt([[1.0, 0.0], [1.0, 1.0]], limits=ShareLimits(low=0.1))
    assert result.scores.tolist() == [0.0, 1.0]


def test_a_missing_part_counts_0_and_is_not_limited() -> None:
    scores = np.array([[60.0, NAN], [80.0, 40.0], [50.0, 80.0]])
    result = benefit_of_the_doubt(scores, limits=ShareLimits(low=0.3, order=[(1, 0)]))
    assert result.scores[0] == pytest.approx(0.75)
    assert result.shares[0].tolist() == [1.0, 0.0]


def test_limits_that_leave_a_unit_with_missing_parts_no_room() -> None:
    result = benefit_of_the_doubt([[60.0, NAN], [80.0, 40.0]], limits=ShareLimits(high=0.6))
    assert np.isnan(result.scores[0])
    assert result.scores[1] == 1.0


def test_equal_units_and_ties_do_not_cycle() -> None:
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 3, (60, 5)).astype(float)
    result = benefit_of_the_doubt(np.vstack([scores, scores]))
    assert result.scores[:60] == pytest.approx(result.scores[60:], abs=1e-9)


# -- the solver ----------------------------------------------------------------------------------


def test_what_fails_its_check_is_solved_by_highs(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = points(25, 4, seed=2)
    limits = ShareLimits(low=0.1, high=0.5)
    fast = benefit_of_the_doubt(scores, limits=limits)
    monkeypatch.setattr(_simplex, "LONGEST", 1)  # so that hardly any unit is done in time
    slow = benefit_of_the_doubt(scores, limits=limits)
    assert slow.scores == pytest.approx(fast.scores, abs=1e-9)
    assert slow.jacobian.toarray() == pytest.approx(fast.jacobian.toarray(), abs=1e-9)
    assert slow.shares == pytest.approx(fast.shares, abs=1e-6)


def test_no_solution_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failed:
        success = False
        message = "out of time"

    monkeypatch.setattr(_simplex, "LONGEST", 1)
    monkeypatch.setattr("scipy.optimize.linprog", lambda *_, **__: Failed())
    with pytest.raises(MethodError, match="no best weights were found for unit 0: out of time"):
        benefit_of_the_doubt(points(5, 3))


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = points(40, 3, seed=8)
    whole = benefit_of_the_doubt(scores)
    monkeypatch.setattr(_simplex, "BLOCK_ROWS", 7)
    monkeypatch.setattr(_simplex, "_BLOCK_NUMBERS", 100)
    assert benefit_of_the_doubt(scores).scores == pytest.approx(whole.scores, abs=1e-12)


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "limits",
    [
        ShareLimits(),
        ShareLimits(low=0.1, high=0.5),
        ShareLimits(low=0.1, high=0.5, of="weight"),
        ShareLimits(order=[(0, 1), (2, 3)]),
    ],
    ids=["free", "contribution", "weight", "order"],
)
def test_the_derivative_is_that_of_small_steps(limits: ShareLimits) -> None:
    scores = points(15, 4, seed=4)
    found = benefit_of_the_doubt(scores, limits=limits).jacobian.toarray()
    step = 1e-5
    for place in range(0, scores.size, 3):
        moved = np.zeros(scores.size)
        moved[place] = step
        up, down = (
            benefit_of_the_doubt(scores + sign * moved.reshape(scores.shape), limits=limits).scores
            for sign in (1, -1)
        )
        assert found[:, place] == pytest.approx((up - down) / (2 * step), abs=1e-7)


def test_missing_parts_have_no_derivative() -> None:
    scores = points(6, 3)
    scores[0, 1] = scores[2, 0] = NAN
    result = benefit_of_the_doubt(scores)
    slopes = result.jacobian.toarray().reshape(6, 6, 3)
    assert (slopes[:, 0, 1] == 0).all()
    assert (slopes[:, 2, 0] == 0).all()
    estimates = Estimates.independent(scores, np.where(np.isnan(scores), NAN, 2.0))
    score = estimates.transform(result.jacobian, values=result.scores, lower=0.0, upper=1.0)
    assert np.isfinite(score.standard_error).all()


def test_first_order_errors_are_those_of_repeated_samples() -> None:
    rng = np.random.default_rng(7)
    truth = np.clip(rng.normal(56, 7, (30, 1)) + rng.normal(0, 6, (30, 5)), 5, 99)
    limits = ShareLimits(low=0.1, high=0.4)
    exact = benefit_of_the_doubt(truth, limits=limits)
    error = 1.0
    scores, errors = [], []
    for _ in range(150):
        sample = Estimates.independent(truth + rng.normal(0, error, truth.shape), error)
        found = benefit_of_the_doubt(sample.values, limits=limits)
        made = sample.transform(found.jacobian, values=found.scores, lower=0.0, upper=1.0)
        scores.append(found.scores)
        errors.append(made.standard_error)
    below = exact.scores < 0.97  # who leads has nowhere to go but down
    ratio = np.mean(errors, axis=0)[below] / np.std(scores, axis=0)[below]
    assert np.median(ratio) == pytest.approx(1, abs=0.08)
    covered = np.abs(np.array(scores) - exact.scores) <= 1.96 * np.array(errors)
    assert covered[:, below].mean() == pytest.approx(0.95, abs=0.025)


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([1.0, 2.0], "row for every unit and a column for every part, got the shape (2,)"),
        (np.empty((0, 3)), "got the shape (0, 3)"),
        ([[1.0, 2.0], [3.0, -1.0]], "1 are below, the first is -1 of unit 1 in part 1"),
        ([[1.0, np.inf]], "unit 0 has inf in part 1"),
    ],
)
def test_bad_scores(scores: Any, message: str) -> None:
    with pytest.raises(MethodError) as caught:
        benefit_of_the_doubt(scores)
    assert message in str(caught.value)
    assert caught.value.argument == "scores"


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"low": -0.1}, "ShareLimits.low: expected shares from 0 to 1, got -0.1"),
        ({"low": "0.1"}, "ShareLimits.low: expected shares from 0 to 1, got nan"),
        ({"low": (0.1, "0.1")}, "ShareLimits.low: expected shares from 0 to 1, got (0.1, nan)"),
        ({"high": NAN}, "ShareLimits.high: expected shares from 0 to 1, got nan"),
        ({"low": 0.6}, "no shares of 2 parts add up to 1 and keep low=0.6"),
        ({"high": 0.4}, "no shares of 2 parts add up to 1"),
        ({"low": (0.0, 0.6), "order": [(0, 1)]}, "no shares of 2 parts add up to 1"),
        ({"low": 0.5, "high": 0.4}, "no shares of 2 parts add up to 1"),
        ({"high": (1.0, 1.0, 1.0)}, "one for each of 2 parts, got 3"),
        ({"order": [(0, 2)]}, "two different positions from 0 to 1, got (0, 2)"),
        ({"order": [(1, 1)]}, "two different positions from 0 to 1, got (1, 1)"),
        ({"of": "share"}, "expected one of 'contribution', 'weight', got 'share'"),
    ],
)
def test_bad_limits(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        benefit_of_the_doubt(points(4, 2), limits=ShareLimits(**limits))
    assert message in str(caught.value)
