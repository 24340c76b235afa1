"""Laws of relative importance and of drivers."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support import small_study

from sotongindex.drivers import (
    DriverResult,
    find_drivers,
    relative_weights,
    shapley_importance,
    standardized_slopes,
    weighted_correlations,
)
from sotongindex.models import Scale, SurveyItem
from sotongindex.responses import Responses
from sotongindex.weighting import OutcomeWeights

METHODS = st.sampled_from([relative_weights, shapley_importance])
NAMES = st.sampled_from(["johnson", "shapley"])


@st.composite
def tables(draw: st.DrawFn, most: int = 5) -> np.ndarray:
    """Draw answers from 0 to 100 with every strength of correlation, outcome last."""
    columns = draw(st.integers(2, most + 1))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (columns, columns)
    mixed = rng.normal(size=(40, columns)) @ (rng.normal(size=shape) + draw(st.floats(0, 3)))
    low, high = mixed.min(axis=0), mixed.max(axis=0)
    table: np.ndarray = np.round(100 * (mixed - low) / (high - low), 6)
    return table


def split(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return matrix[:-1, :-1], matrix[:-1, -1]


def found(table: np.ndarray, *, reverse: int = -1, method: Any = "johnson", **more: Any) -> Any:
    items = [
        SurveyItem(key=f"q{n}", dimension="d", scale=Scale(low=0, high=100), reverse=n == reverse)
        for n in range(table.shape[1])
    ]
    study = small_study(items=items)
    zeros = np.zeros(len(table), dtype=int)
    answers = Responses.from_arrays(study, answers=table, organization=zeros, **more)
    return find_drivers(answers, f"q{table.shape[1] - 1}", by="items", method=method)


def same(left: DriverResult, right: DriverResult, order: Any = slice(None)) -> None:
    for name in ("importance", "slopes", "correlations"):
        one, two = getattr(left, name), getattr(right, name)
        np.testing.assert_allclose(one.values[order], two.values, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(
            one.standard_error[order], two.standard_error, rtol=1e-6, atol=1e-9
        )


@given(tables(), METHODS)
def test_importances_are_shares_that_add_up_to_r_squared(table: np.ndarray, method: Any) -> None:
    among, outcome = split(weighted_correlations(table))
    importance = method(among, outcome)
    assert (importance >= -1e-12).all()
    explained = standardized_slopes(among, outcome) @ outcome
    np.testing.assert_allclose(importance.sum(), explained, rtol=1e-6, atol=1e-9)


@given(tables(), METHODS, st.randoms(use_true_random=False))
def test_the_order_of_drivers_does_not_matter(table: np.ndarray, method: Any, random: Any) -> None:
    among, outcome = split(weighted_correlations(table))
    order = list(range(len(outcome)))
    random.shuffle(order)
    moved = method(among[np.ix_(order, order)], outcome[order])
    np.testing.assert_allclose(moved, method(among, outcome)[order], rtol=1e-7, atol=1e-9)


@given(st.lists(st.floats(-0.4, 0.4), min_size=1, max_size=6), METHODS)
def test_uncorrelated_drivers_have_their_squared_correlations(r: list[float], method: Any) -> None:
    np.testing.assert_allclose(method(np.eye(len(r)), r), np.square(r), atol=1e-12)


@given(tables(), METHODS)
def test_copies_share(table: np.ndarray, method: Any) -> None:
    single = weighted_correlations(table)
    among, outcome = split(weighted_correlations(table[:, [0, *range(table.shape[1])]]))
    twice = method(among, outcome)
    np.testing.assert_allclose(twice[0], twice[1], rtol=1e-6, atol=1e-9)
    explained = standardized_slopes(*split(single)) @ split(single)[1]
    np.testing.assert_allclose(twice.sum(), explained, rtol=1e-6, atol=1e-9)


@given(tables(), st.floats(0.01, 100), st.floats(-1e3, 1e3))
def test_units_do_not_matter(table: np.ndarray, scale: float, shift: float) -> None:
    moved = table.copy()
    moved[:, 0] = scale * moved[:, 0] + shift
    np.testing.assert_allclose(
        weighted_correlations(moved), weighted_correlations(table), atol=1e-9
    )


@settings(max_examples=30)
@given(tables(), NAMES)
def test_a_reversed_item_has_the_same_importance(table: np.ndarray, method: Any) -> None:
    plain, reversed_ = found(table, method=method), found(table, reverse=0, method=method)
    np.testing.assert_allclose(reversed_.importance.values, plain.importance.values, atol=1e-9)
    np.testing.assert_allclose(
        reversed_.importance.standard_error, plain.importance.standard_error, rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(reversed_.slopes.values[0], -plain.slopes.values[0], rtol=1e-7)


@settings(max_examples=30)
@given(tables(), NAMES, st.lists(st.integers(1, 3), min_size=40, max_size=40))
def test_weight_two_is_two_respondents(table: np.ndarray, method: Any, weight: list[int]) -> None:
    weighted = found(table, method=method, weight=np.array(weight, dtype=float))
    repeated = found(np.repeat(table, weight, axis=0), method=method)
    for name in ("importance", "slopes", "correlations"):
        np.testing.assert_allclose(
            getattr(weighted, name).values, getattr(repeated, name).values, rtol=1e-7, atol=1e-9
        )


@settings(max_examples=30)
@given(tables(), NAMES, st.floats(0.01, 100))
def test_the_size_of_weights_does_not_matter(table: np.ndarray, method: Any, size: float) -> None:
    weight = np.linspace(1, 3, 40)
    same(
        found(table, method=method, weight=weight),
        found(table, method=method, weight=size * weight),
    )


@settings(max_examples=30)
@given(tables(), NAMES, st.randoms(use_true_random=False))
def test_the_order_of_people_and_items_does_not_matter(
    table: np.ndarray, method: Any, random: Any
) -> None:
    people, items = list(range(40)), list(range(table.shape[1] - 1))
    random.shuffle(people)
    random.shuffle(items)
    plain = found(table, method=method)
    same(plain, found(table[people], method=method))
    same(plain, found(table[:, [*items, -1]], method=method), items)


@settings(max_examples=30)
@given(tables(), NAMES)
def test_shares_add_up_and_r_squared_is_their_sum(table: np.ndarray, method: Any) -> None:
    result = found(table, method=method)
    np.testing.assert_allclose(result.shares.values.sum(), 1.0)
    # Both methods share out the same, so R squared has one error.
    other = found(table, method="shapley" if method == "johnson" else "johnson")
    np.testing.assert_allclose(result.r_squared.values, other.r_squared.values, atol=1e-9)
    np.testing.assert_allclose(
        result.r_squared.standard_error, other.r_squared.standard_error, rtol=1e-5, atol=1e-9
    )


RULES = st.sampled_from(["johnson", "shapley", "regression"]).map(
    lambda method: OutcomeWeights("y", method=method)
)


@given(tables(), RULES, st.randoms(use_true_random=False), st.floats(0.01, 100))
def test_outcome_weights_are_shares_whatever_order_and_unit(
    table: np.ndarray, rule: OutcomeWeights, random: Any, scale: float
) -> None:
    parts, outcome = table[:, :-1], table[:, -1]
    found = rule.learn(parts, outcome=outcome)
    assert (found.weights >= 0).all()
    np.testing.assert_allclose(found.weights.sum(), 1.0)
    order = list(range(parts.shape[1]))
    random.shuffle(order)
    units = np.arange(len(table))
    random.shuffle(units)
    moved = rule.learn(scale * parts[units][:, order], outcome=7 - 3 * (5 - outcome[units]))
    np.testing.assert_allclose(moved.weights, found.weights[order], rtol=1e-6, atol=1e-9)


@given(tables(), RULES)
def test_what_goes_against_the_outcome_never_weighs(
    table: np.ndarray, rule: OutcomeWeights
) -> None:
    parts, outcome = table[:, :-1], table[:, -1]
    found = rule.learn(parts, outcome=outcome)
    if found.fallback is None and parts.shape[1] > 1:
        direction = found.importance if rule.method == "regression" else found.correlations
        assert (found.weights[direction <= 0] == 0).all()
        assert (found.weights[direction > 0] > 0).all()
