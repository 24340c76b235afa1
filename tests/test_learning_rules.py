"""The arithmetic of rules that learn weights: by hand, and at the edges of the data."""

from __future__ import annotations

import numpy as np
import pytest

from sotongindex._factor_weights import varimax
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.weighting import CriticWeights, DeviationWeights, EntropyWeights, FactorWeights

NAN = float("nan")
RULES = [
    EntropyWeights(),
    DeviationWeights(),
    DeviationWeights(measure="coefficient of variation"),
    CriticWeights(),
    CriticWeights(scaling="points"),
    FactorWeights(),
    FactorWeights(retain="share"),
    FactorWeights(components=2, rotation="none"),
]
SCORES = np.random.default_rng(4).uniform(30, 90, (12, 4)) + 15 * np.arange(12)[:, None] / 11
EVERY_RULE = pytest.mark.parametrize("rule", RULES, ids=str)


# -- by hand ---------------------------------------------------------------------------------------


def test_entropy_is_the_classical_one():
    shares = SCORES / SCORES.sum(axis=0)
    entropy = -(shares * np.log(shares)).sum(axis=0) / np.log(12)
    expected = (1 - entropy) / (1 - entropy).sum()
    found = EntropyWeights().learn(SCORES)
    np.testing.assert_allclose(found.weights, expected, rtol=1e-12)
    np.testing.assert_allclose(found.divergence, (1 - entropy) * np.log(12), rtol=1e-10)


def test_deviations_have_the_divisor_n():
    spread = SCORES.std(axis=0)
    found = DeviationWeights().learn(SCORES)
    np.testing.assert_allclose(found.deviations, spread, rtol=1e-12)
    np.testing.assert_allclose(found.weights, spread / spread.sum(), rtol=1e-12)
    relative = spread / SCORES.mean(axis=0)
    np.testing.assert_allclose(
        DeviationWeights(measure="coefficient of variation").learn(SCORES).weights,
        relative / relative.sum(),
        rtol=1e-12,
    )


@pytest.mark.parametrize("scaling", ["range", "points"])
def test_critic_multiplies_spread_and_conflict(scaling):
    scaled = SCORES / np.ptp(SCORES, axis=0) if scaling == "range" else SCORES
    correlation = np.corrcoef(SCORES.T)
    amounts = scaled.std(axis=0) * (1 - correlation).sum(axis=1)
    found = CriticWeights(scaling=scaling).learn(SCORES)
    np.testing.assert_allclose(found.correlations, correlation, rtol=1e-10)
    np.testing.assert_allclose(found.weights, amounts / amounts.sum(), rtol=1e-12)


def two_factors(units: int = 4000) -> np.ndarray:
    """Three parts of one factor, two of another; the last falls with the second."""
    rng = np.random.default_rng(8)
    first, second = rng.normal(size=(2, units, 1))
    loads = first * [0.9, 0.8, 0.7, 0, 0] + second * [0, 0, 0, 0.9, 0.8]
    return loads + rng.normal(size=(units, 5)) * 0.4


def test_factors_are_found_and_share_by_squared_loadings():
    found = FactorWeights().learn(two_factors())
    assert found.factor.tolist() == [0, 0, 0, 1, 1]
    assert found.loadings.shape == (5, 2)
    own = found.loadings[np.arange(5), found.factor]
    assert (own > 0.85).all()
    assert (np.abs(found.loadings[np.arange(5), 1 - found.factor]) < 0.1).all()
    np.testing.assert_allclose(found.weights, own**2 / (own**2).sum(), rtol=1e-12)
    # The same by intermediate composites, as the Handbook writes it.
    variance = (found.loadings**2).sum(axis=0)
    composite = own**2 / variance[found.factor] * (variance / variance.sum())[found.factor]
    np.testing.assert_allclose(found.weights, composite / composite.sum(), rtol=1e-12)
    np.testing.assert_allclose(found.explained, variance / 5, rtol=1e-12)


def test_a_part_that_falls_where_the_others_rise_gets_no_weight():
    scores = two_factors()
    scores[:, 2] *= -1
    found = FactorWeights().learn(scores)
    assert found.factor.tolist() == [0, 0, -1, 1, 1]
    assert found.weights[2] == 0
    assert found.loadings[2].min() < -0.8


def test_retention_rules_keep_what_they_say():
    def kept(**options):
        return FactorWeights(**options).learn(SCORES).loadings.shape[1]

    eigenvalues = FactorWeights().learn(SCORES).eigenvalues
    assert eigenvalues.sum() == pytest.approx(4)
    assert kept(retain="eigenvalue") == (eigenvalues > 1).sum()
    assert kept(retain="share") == (eigenvalues > 0.4).sum()
    assert kept(retain="cumulative") == 1 + (eigenvalues.cumsum() <= 2.4).sum()
    assert kept(components=3) == 3
    assert kept(components=9) == 4


def test_varimax_reaches_the_highest_criterion():
    """No rotation of two factors by any angle has a higher variance of squared loadings."""
    rng = np.random.default_rng(2)
    loadings = rng.normal(size=(7, 2))

    def criterion(turned):
        return ((turned / np.linalg.norm(turned, axis=1, keepdims=True)) ** 2).var(axis=0).sum()

    found = varimax(loadings)
    angles = np.linspace(0, np.pi, 2001)
    turns = np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]])
    best = max(criterion(loadings @ turns[..., n]) for n in range(len(angles)))
    assert criterion(found) >= best - 1e-9
    np.testing.assert_allclose((found**2).sum(axis=1), (loadings**2).sum(axis=1), rtol=1e-12)


def test_varimax_of_three_factors_stands_still():
    loadings = varimax(np.random.default_rng(3).normal(size=(9, 3)))
    np.testing.assert_allclose(varimax(loadings), loadings, atol=1e-10)


# -- edges -----------------------------------------------------------------------------------------


@EVERY_RULE
def test_a_part_that_does_not_differ_gets_nothing(rule):
    flat = np.column_stack([SCORES, np.full(12, 56.1), np.zeros(12)])
    found = rule.learn(flat)
    np.testing.assert_allclose(found.weights[:4], rule.learn(SCORES).weights, rtol=1e-12)
    assert found.weights[4:].tolist() == [0, 0]
    assert found.fallback is None


@EVERY_RULE
@pytest.mark.parametrize(
    "scores",
    [
        np.full((7, 3), 56.1),
        np.array([[10.0, 20.0, 30.0]]),
        np.empty((0, 3)),
        np.full((4, 3), NAN),
        np.diag([1.0, 2.0, 3.0]) + np.where(np.eye(3) == 1, 0, NAN),
    ],
    ids=["constant", "one unit", "no unit", "nothing known", "one score each"],
)
def test_where_nothing_differs_weights_are_equal_and_say_why(rule, scores):
    found = rule.learn(scores)
    np.testing.assert_allclose(found.weights, [1 / 3] * 3)
    assert found.fallback is not None
    assert "no part differs between units" in found.fallback


@EVERY_RULE
def test_a_single_part_has_it_all(rule):
    assert rule.learn(SCORES[:, :1]).weights.tolist() == [1.0]
    assert rule.learn(SCORES[:, :1]).fallback is None
    assert rule.learn([[5.0], [5.0]]).fallback is None


def test_parts_that_agree_completely_count_equally_for_critic():
    found = CriticWeights().learn(np.outer(SCORES[:, 0], [1.0, 2.0, 0.3]))
    np.testing.assert_allclose(found.weights, [1 / 3] * 3)
    assert "agree completely" in found.fallback


@EVERY_RULE
def test_more_parts_than_units(rule):
    found = rule.learn(np.random.default_rng(1).uniform(20, 80, (4, 9)))
    assert found.weights.sum() == pytest.approx(1)
    assert (found.weights >= 0).all()


@EVERY_RULE
def test_missing_scores_leave_out_the_unit_for_that_part_only(rule):
    holes = SCORES.copy()
    holes[0, 1] = holes[5, 2] = NAN
    found = rule.learn(holes)
    assert found.units.tolist() == [12, 11, 11, 12]
    assert found.weights.sum() == pytest.approx(1)
    assert not np.allclose(found.weights, rule.learn(SCORES).weights)
    # A whole column that is missing is like one that does not differ.
    gone = np.column_stack([SCORES, np.full(12, NAN)])
    np.testing.assert_allclose(rule.learn(gone).weights[:4], rule.learn(SCORES).weights)


def test_correlations_are_those_of_the_units_that_have_both():
    holes = SCORES.copy()
    holes[0, 1] = holes[5, 2] = NAN
    found = CriticWeights().learn(holes).correlations
    both = np.delete(SCORES, [0, 5], axis=0)
    assert found[1, 2] == pytest.approx(np.corrcoef(both[:, 1], both[:, 2])[0, 1], rel=1e-10)
    apart = np.array([[1, NAN], [2, NAN], [NAN, 3], [NAN, 5], [4, 7]])
    assert CriticWeights().learn(apart).correlations[0, 1] == 0


def test_entropy_of_zeros_and_of_one_who_has_it_all():
    found = EntropyWeights().learn([[0.0, 1.0], [0.0, 1.0], [9.0, 4.0]])
    assert found.divergence[0] == pytest.approx(np.log(3))
    assert found.weights[0] > found.weights[1] > 0


@pytest.mark.parametrize(
    ("rule", "scores", "message"),
    [
        (EntropyWeights(), [[-1.0, 2], [3, 4]], "needs scores of 0 or more, got -1"),
        (
            DeviationWeights(measure="coefficient of variation"),
            [[-1.0, 2], [-3, 4]],
            "needs positive means, got -2",
        ),
        (CriticWeights(), [[np.inf, 2], [3, 4]], "got 1 that are infinite"),
        (FactorWeights(), [1.0, 2, 3], r"got shape \(3,\)"),
        (EntropyWeights(), np.empty((3, 0)), r"got shape \(3, 0\)"),
    ],
)
def test_scores_that_no_weight_can_be_learned_from(rule, scores, message):
    with pytest.raises(MethodError, match=message) as caught:
        rule.learn(scores)
    assert caught.value.argument == "scores"


@pytest.mark.parametrize("counts", [[1.0], [1, -1], [1, NAN]])
def test_counts_that_do_not_fit(counts):
    with pytest.raises(MethodError, match="expected 2 finite numbers of 0 or more") as caught:
        EntropyWeights().learn([[1.0, 2], [3, 4]], counts=counts)
    assert caught.value.argument == "counts"


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: EntropyWeights(counting="size"), "EntropyWeights.counting"),
        (lambda: DeviationWeights(measure="sd"), "DeviationWeights.measure"),
        (lambda: CriticWeights(scaling="rank"), "CriticWeights.scaling"),
        (lambda: FactorWeights(retain="all"), "FactorWeights.retain"),
        (lambda: FactorWeights(rotation="promax"), "FactorWeights.rotation"),
        (lambda: FactorWeights(components=0), "FactorWeights.components"),
        (lambda: FactorWeights(components=True), "FactorWeights.components"),
    ],
)
def test_rules_refuse_settings_that_they_do_not_know(make, field):
    with pytest.raises(DefinitionError) as caught:
        make()
    assert caught.value.field == field
