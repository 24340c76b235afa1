"""Laws of weights that are learned from scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sotongindex.weighting import CriticWeights, DeviationWeights, EntropyWeights, FactorWeights

RULES = [
    EntropyWeights(),
    DeviationWeights(),
    DeviationWeights(measure="coefficient of variation"),
    CriticWeights(),
    CriticWeights(scaling="points"),
    FactorWeights(retain="share"),
    FactorWeights(rotation="none"),
]
EVERY_RULE = pytest.mark.parametrize("rule", RULES, ids=str)
AFFINE = [CriticWeights(), FactorWeights(retain="share")]


@st.composite
def tables(draw: st.DrawFn, holes: bool = True) -> np.ndarray:
    """Scores of up to 20 units on up to 6 parts, some of them missing, some parts constant."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    units, parts = draw(st.integers(1, 20)), draw(st.integers(1, 6))
    scores = rng.uniform(0, 100, (units, parts)).round(draw(st.integers(0, 2)))
    scores[:, rng.random(parts) < draw(st.sampled_from([0, 0.3]))] = 42.0
    if holes:
        scores[rng.random(scores.shape) < draw(st.sampled_from([0, 0.2, 0.6]))] = np.nan
    return scores


def clear_factors(rule: object, scores: np.ndarray) -> bool:
    """Whether no eigenvalue lies at a bound or near another: there the factors are not unique."""
    if not isinstance(rule, FactorWeights):
        return True
    values = rule.learn(scores).eigenvalues
    bounds = np.concatenate([[1.0, 0.1 * len(values), 0.0], values])
    gaps = np.abs(values[:, None] - bounds)
    gaps[np.arange(len(values)), 3 + np.arange(len(values))] = 1.0
    return bool((gaps > 1e-3).all())


@EVERY_RULE
@given(scores=tables())
def test_weights_are_shares(rule, scores):
    weights = rule.learn(scores).weights
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1, abs=1e-12)


@EVERY_RULE
@given(scores=tables(holes=False), seed=st.integers(0, 1000))
def test_order_means_nothing(rule, scores, seed):
    assume(clear_factors(rule, scores))
    rng = np.random.default_rng(seed)
    units, parts = rng.permutation(scores.shape[0]), rng.permutation(scores.shape[1])
    weights = rule.learn(scores).weights
    np.testing.assert_allclose(rule.learn(scores[units]).weights, weights, atol=1e-7)
    np.testing.assert_allclose(rule.learn(scores[:, parts]).weights, weights[parts], atol=1e-7)


@EVERY_RULE
@given(scores=tables())
def test_a_unit_of_count_two_is_two_units_and_all_twice_is_nothing(rule, scores):
    assume(clear_factors(rule, scores))
    counts = 1.0 + (np.arange(len(scores)) % 2)
    doubled = np.repeat(scores, counts.astype(int), axis=0)
    one, other = rule.learn(scores, counts=counts), rule.learn(doubled)
    assume(clear_factors(rule, doubled))
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-7)
    twice = rule.learn(np.concatenate([scores, scores]))
    np.testing.assert_allclose(twice.weights, rule.learn(scores).weights, atol=1e-7)
    np.testing.assert_allclose(
        rule.learn(scores, counts=3.7 * counts).weights, one.weights, atol=1e-7
    )


@pytest.mark.parametrize("rule", AFFINE, ids=str)
@given(scores=tables(holes=False), scale=st.floats(0.1, 10), shift=st.floats(-50, 50))
def test_no_unit_or_zero_of_a_column_matters(rule, scores, scale, shift):
    assume(clear_factors(rule, scores))
    factors = scale ** np.arange(scores.shape[1])
    np.testing.assert_allclose(
        rule.learn(shift + factors * scores).weights, rule.learn(scores).weights, atol=1e-7
    )


@pytest.mark.parametrize(
    "rule", [EntropyWeights(), DeviationWeights(measure="coefficient of variation")], ids=str
)
@given(scores=tables(), scale=st.floats(0.1, 10))
def test_no_unit_of_a_column_matters_for_relative_spread(rule, scores, scale):
    factors = scale ** np.arange(scores.shape[1])
    np.testing.assert_allclose(
        rule.learn(factors * scores).weights, rule.learn(scores).weights, atol=1e-9
    )


@pytest.mark.parametrize("rule", [DeviationWeights(), CriticWeights(scaling="points")], ids=str)
@given(scores=tables(), shift=st.floats(-50, 50), scale=st.floats(0.1, 10))
def test_one_unit_for_all_and_any_zero_leave_spread_in_points(rule, scores, shift, scale):
    shifts = shift * np.arange(scores.shape[1])
    np.testing.assert_allclose(
        rule.learn(scale * (scores + shifts)).weights, rule.learn(scores).weights, atol=1e-9
    )
