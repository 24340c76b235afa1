"""Laws of rank sets, of the probabilities of ranks, and of shrinkage."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sotongindex.percentiles import percentile_rank
from sotongindex.ranking import joint_interval_ranks, posterior_ranks, rank_confidence_sets
from sotongindex.shrinkage import shrink

# Tenths of a point: ties are common, and no two scores differ by about a billionth.
SCORES = st.integers(0, 1000).map(lambda tenths: tenths / 10)
ERRORS = st.integers(0, 80).map(lambda tenths: tenths / 10)
METHODS = st.sampled_from(["paule-mandel", "reml"])
FEW = settings(max_examples=40)


@st.composite
def organizations(draw: Any, least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Scores and a covariance matrix with shared errors; no two variances are equal."""
    count = draw(st.integers(least, 8))
    scores = np.array(draw(st.lists(SCORES, min_size=count, max_size=count)))
    errors = draw(st.lists(ERRORS, min_size=count, max_size=count, unique=True))
    shared = draw(st.sampled_from([0.0, 1.0, 2.0]))
    return scores, np.diag(np.square(errors)) + shared


SETTINGS = st.fixed_dictionaries(
    {
        "simultaneous": st.booleans(),
        "stepdown": st.booleans(),
        "side": st.sampled_from(["both", "lower", "upper"]),
        "degrees_of_freedom": st.sampled_from([np.inf, 4.0]),
        "rng": st.integers(0, 5),
        "draws": st.just(200),
    }
)


@FEW
@given(organizations(), SETTINGS)
def test_sets_contain_the_observed_rank(case: Any, how: Any) -> None:
    sets = rank_confidence_sets(*case, **how)
    assert (sets.low >= 1).all()
    assert (sets.low <= sets.rank).all()
    assert (sets.rank <= sets.high).all()
    assert (sets.high <= len(sets.rank)).all()


@FEW
@given(organizations(), SETTINGS)
def test_sets_shrink_with_the_errors(case: Any, how: Any) -> None:
    values, covariance = case
    wide = rank_confidence_sets(values, covariance, **how)
    # A quarter of the variance is exact in binary: the draws halve to the last bit.
    narrow = rank_confidence_sets(values, covariance / 4, **how)
    assert (narrow.low >= wide.low).all()
    assert (narrow.high <= wide.high).all()


@FEW
@given(organizations(), SETTINGS, st.randoms(use_true_random=False))
def test_permuting_organizations_permutes_their_sets(case: Any, how: Any, random: Any) -> None:
    values, covariance = case
    order = np.array(random.sample(range(len(values)), len(values)))
    sets = rank_confidence_sets(values, covariance, **how)
    other = rank_confidence_sets(values[order], covariance[np.ix_(order, order)], **how)
    np.testing.assert_array_equal(other.low, sets.low[order])
    np.testing.assert_array_equal(other.high, sets.high[order])


@FEW
@given(organizations(), SETTINGS)
def test_reversing_the_scale_reverses_the_sets(case: Any, how: Any) -> None:
    values, covariance = case
    swapped = {"both": "both", "lower": "upper", "upper": "lower"}[how["side"]]
    sets = rank_confidence_sets(values, covariance, **how)
    other = rank_confidence_sets(-values, covariance, **{**how, "side": swapped})
    np.testing.assert_array_equal(other.low, len(values) + 1 - sets.high)
    np.testing.assert_array_equal(other.high, len(values) + 1 - sets.low)


@given(organizations(), st.sampled_from([np.inf, 4.0]))
def test_closed_form_sets_obey_the_same_laws(case: Any, freedom: float) -> None:
    values, covariance = case
    errors = np.sqrt(covariance.diagonal())
    sets = joint_interval_ranks(values, errors, degrees_of_freedom=freedom)
    assert (sets.low <= sets.rank).all()
    assert (sets.rank <= sets.high).all()
    half = joint_interval_ranks(values, errors / 2, degrees_of_freedom=freedom)
    assert (half.low >= sets.low).all()
    assert (half.high <= sets.high).all()
    reversed_ = joint_interval_ranks(-values, errors, degrees_of_freedom=freedom)
    np.testing.assert_array_equal(reversed_.low, len(values) + 1 - sets.high)


@FEW
@given(organizations(), st.sampled_from(["flat", "normal"]))
def test_probabilities_of_ranks_add_up_to_1_both_ways(case: Any, prior: Any) -> None:
    found = posterior_ranks(*case, prior=prior)
    np.testing.assert_allclose(found.probability.sum(axis=0), 1.0, atol=1e-6)
    np.testing.assert_allclose(found.probability.sum(axis=1), 1.0, atol=1e-6)
    assert (found.probability >= 0).all()
    np.testing.assert_allclose(
        found.probability_top(2) + found.probability[:, 2:].sum(axis=1), 1.0, atol=1e-6
    )


@FEW
@given(organizations(), st.randoms(use_true_random=False))
def test_probabilities_are_equivariant(case: Any, random: Any) -> None:
    values, covariance = case
    order = np.array(random.sample(range(len(values)), len(values)))
    found = posterior_ranks(values, covariance).probability
    permuted = posterior_ranks(values[order], covariance[np.ix_(order, order)]).probability
    np.testing.assert_allclose(permuted, found[order], atol=1e-7)
    reversed_ = posterior_ranks(-values, covariance).probability
    np.testing.assert_allclose(reversed_, found[:, ::-1], atol=1e-7)


@given(st.lists(SCORES, min_size=2, max_size=12))
def test_the_expected_percentile_is_the_percentile_where_errors_vanish(scores: Any) -> None:
    found = posterior_ranks(scores, np.zeros(len(scores)))
    np.testing.assert_allclose(found.expected_percentile, percentile_rank(scores), atol=1e-9)


@FEW
@given(organizations(3), METHODS)
def test_shrunken_scores_lie_between_the_score_and_the_mean(case: Any, method: Any) -> None:
    values, covariance = case
    errors = np.sqrt(covariance.diagonal())
    found = shrink(values, errors, method=method)
    low, high = np.minimum(values, found.toward), np.maximum(values, found.toward)
    assert (low - 1e-6 <= found.values).all()
    assert (found.values <= high + 1e-6).all()
    assert ((found.reliability >= 0) & (found.reliability <= 1)).all()
    assert (found.mean_squared_error >= 0).all()
    order = np.argsort(errors)
    assert (np.diff(found.reliability[order]) <= 1e-12).all()


@FEW
@given(organizations(3), METHODS, st.randoms(use_true_random=False))
def test_shrinkage_is_equivariant(case: Any, method: Any, random: Any) -> None:
    values, covariance = case
    errors = np.sqrt(covariance.diagonal())
    assume((errors > 0).all())
    order = np.array(random.sample(range(len(values)), len(values)))
    found = shrink(values, errors, method=method).values
    permuted = shrink(values[order], errors[order], method=method).values
    np.testing.assert_allclose(permuted, found[order], atol=1e-6)
    moved = shrink(100 - values, errors, method=method).values
    np.testing.assert_allclose(moved, 100 - found, atol=1e-6)
