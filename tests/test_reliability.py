"""Cronbach's alpha: by hand, at its edges, and the coverage of its interval."""

from __future__ import annotations

import numpy as np
import pytest

from sotongindex.errors import MethodError
from sotongindex.reliability import cronbach_alpha

SCORES = np.random.default_rng(5).normal(size=(40, 1)) + np.random.default_rng(6).normal(
    size=(40, 4)
)


def test_by_the_covariance_matrix():
    covariance = np.cov(SCORES.T)
    expected = 4 / 3 * (1 - np.trace(covariance) / covariance.sum())
    found = cronbach_alpha(SCORES)
    assert found.alpha == pytest.approx(expected, rel=1e-12)
    others = covariance[1:, 1:]
    assert found.if_dropped[0] == pytest.approx(1.5 * (1 - np.trace(others) / others.sum()))
    rest = np.corrcoef(SCORES[:, 0], SCORES[:, 1:].sum(axis=1))[0, 1]
    assert found.item_total[0] == pytest.approx(rest, rel=1e-12)
    assert found.low < found.alpha < found.high < 1
    assert cronbach_alpha(SCORES, level=0.5).low > found.low


def test_standardized_alpha_is_that_of_the_mean_correlation():
    correlation = np.corrcoef(SCORES.T)
    mean = (correlation.sum() - 4) / 12
    found = cronbach_alpha(SCORES * [1, 10, 5, 0.1], standardized=True)
    assert found.alpha == pytest.approx(4 * mean / (1 + 3 * mean), rel=1e-12)


def test_the_standard_error_is_that_of_the_jackknife():
    whole = cronbach_alpha(SCORES)
    others = [cronbach_alpha(np.delete(SCORES, unit, axis=0)).alpha for unit in range(40)]
    jackknife = np.sqrt(39 / 40 * np.sum((others - np.mean(others)) ** 2))
    assert whole.standard_error == pytest.approx(jackknife, rel=1e-9)


def test_a_unit_of_weight_two_is_two_units():
    twice = np.concatenate([SCORES, SCORES[:5]])
    weights = np.where(np.arange(40) < 5, 2.0, 1.0)
    found = cronbach_alpha(SCORES, weights=weights)
    assert found.alpha == pytest.approx(cronbach_alpha(twice).alpha, rel=1e-12)
    assert found.standard_error > cronbach_alpha(twice).standard_error
    assert cronbach_alpha(SCORES, weights=7 * weights).standard_error == pytest.approx(
        found.standard_error
    )


def test_units_with_a_missing_score_are_left_out_and_counted():
    holes = SCORES.copy()
    holes[[3, 7], [0, 2]] = np.nan
    found = cronbach_alpha(holes)
    assert (found.units, found.left_out) == (38, 2)
    assert found.alpha == cronbach_alpha(np.delete(SCORES, [3, 7], axis=0)).alpha


def test_items_that_are_one_have_alpha_one_and_no_error():
    found = cronbach_alpha(np.repeat(SCORES[:, :1], 3, axis=1))
    assert found.alpha == pytest.approx(1, abs=1e-12)
    assert found.standard_error == pytest.approx(0, abs=1e-12)
    assert found.low == pytest.approx(1, abs=1e-12)


def test_differences_that_hang_on_one_unit_have_no_finite_error():
    found = cronbach_alpha([[1, 1], [1, 1], [2, 3]])
    assert found.standard_error == np.inf
    assert (found.low, found.high) == (-np.inf, 1)


def test_two_items_and_items_that_do_not_differ():
    assert np.isnan(cronbach_alpha(SCORES[:, :2]).if_dropped).all()
    flat = cronbach_alpha(np.column_stack([SCORES[:, :2], np.ones(40)]))
    assert np.isnan(flat.item_total).tolist() == [False, False, True]
    lonely = cronbach_alpha(np.column_stack([SCORES[:, 0], np.ones((40, 2))]))
    assert np.isnan(lonely.if_dropped).tolist() == [True, False, False]
    assert np.isnan(lonely.item_total).all()


@pytest.mark.parametrize(
    ("scores", "options", "message"),
    [
        (np.ones(3), {}, r"a table of units by parts, got shape \(3,\)"),
        (np.ones((5, 1)), {}, "expected 2 or more items, got 1"),
        ([[1, 2], [np.nan, 1]], {}, "2 or more units that have every item, got 1"),
        (np.ones((5, 3)), {}, "does not differ between units: alpha is not defined"),
        ([[1, 1], [2, 1]], {"standardized": True}, r"item 1 \(from 0\) does not differ"),
        (SCORES, {"level": 1.0}, "a share between 0 and 1, got 1.0"),
        (SCORES, {"weights": np.ones(3)}, "expected 40 finite numbers"),
        ([[1, np.inf], [2, 1]], {}, "1 that are infinite"),
    ],
)
def test_faults(scores, options, message):
    with pytest.raises(MethodError, match=message):
        cronbach_alpha(scores, **options)


def test_intervals_cover_the_truth():
    """Items of unequal loadings: the true alpha is 1.25 * (1 - trace / sum) of their covariance."""
    loadings = np.array([1.0, 0.8, 0.6, 0.9, 1.2])
    covariance = np.outer(loadings, loadings) + np.eye(5)
    truth = 1.25 * (1 - np.trace(covariance) / covariance.sum())
    rng = np.random.default_rng(20261124)
    root = np.linalg.cholesky(covariance)
    found = [cronbach_alpha(rng.normal(size=(80, 5)) @ root.T) for _ in range(800)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.93 <= covered <= 0.97
    spread = np.std([one.alpha for one in found])
    assert np.mean([one.standard_error for one in found]) == pytest.approx(spread, rel=0.06)
