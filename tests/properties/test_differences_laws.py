"""Laws of adjusted p-values, verdicts and funnels."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support import small_study

from sotongindex.benchmark import DisclosureRules, compare_to_peers
from sotongindex.differences import (
    DifferenceResult,
    adjust_p_values,
    differences_from_peers,
    differences_from_spread,
    funnel_limits,
    pairwise_differences,
)
from sotongindex.results import IndexResult

LOOSE = DisclosureRules(min_peers_mean=1, min_peers_rank=1)
METHODS = st.sampled_from(["benjamini-hochberg", "holm", "bonferroni", "benjamini-yekutieli"])
PS = st.lists(st.one_of(st.floats(0, 1), st.just(0.01), st.just(np.nan)), max_size=12)

# Quarters of a point and errors that are powers of two: reversing 100 - x is exact.
SCORES = st.integers(0, 400).map(lambda quarters: quarters / 4)
ERRORS = st.sampled_from([0.5, 1.0, 2.0, 4.0])
PAIRS = st.lists(st.tuples(SCORES, ERRORS), min_size=3, max_size=14)
REVERSED = {"better": "worse", "worse": "better"}


def scored(pairs: list[tuple[float, float]]) -> IndexResult:
    keys = [f"o{n}" for n in range(len(pairs))]
    scores, errors = np.array(pairs).T
    frame = {"organization": keys, "d1": scores, "error": errors}
    return IndexResult.from_scores(frame, small_study(keys), standard_errors={"d1": "error"})


def judged(pairs: list[tuple[float, float]], kind: str, relevant: float) -> DifferenceResult:
    result = scored(pairs)
    if kind == "spread":
        return differences_from_spread(result, relevant=relevant, rules=LOOSE)
    if kind == "pairs":
        return pairwise_differences(result, result.organizations[:3], relevant=relevant)
    benchmark = compare_to_peers(result, "everyone", rules=LOOSE, levels=["index"])
    return differences_from_peers(benchmark, family="league", relevant=relevant)


KINDS = st.sampled_from(["peers", "spread", "pairs"])
RELEVANT = st.sampled_from([0.0, 1.5])


@given(PS, METHODS)
def test_adjusted_values_are_never_below_and_keep_the_order(p: list[float], method: Any) -> None:
    given_, found = np.array(p), adjust_p_values(p, method=method)
    tested = ~np.isnan(given_)
    assert np.isnan(found[~tested]).all()
    assert (found[tested] >= given_[tested]).all()
    assert (found[tested] <= 1).all()
    order = np.argsort(given_[tested], kind="stable")
    assert (np.diff(found[tested][order]) >= 0).all()


@given(PS, METHODS, st.randoms(use_true_random=False))
def test_adjusting_follows_a_permutation(p: list[float], method: Any, random: Any) -> None:
    order = list(range(len(p)))
    random.shuffle(order)
    shuffled = adjust_p_values([p[place] for place in order], method=method)
    np.testing.assert_array_equal(shuffled, adjust_p_values(p, method=method)[order])


@given(PS)
def test_the_order_of_the_methods(p: list[float]) -> None:
    hochberg, yekutieli, holm, bonferroni = (
        np.nan_to_num(adjust_p_values(p, method=method))
        for method in ("benjamini-hochberg", "benjamini-yekutieli", "holm", "bonferroni")
    )
    assert (hochberg <= yekutieli).all()
    assert (hochberg <= holm + 1e-15).all()
    assert (holm <= bonferroni).all()


@settings(max_examples=40)
@given(PAIRS, KINDS, RELEVANT)
def test_reversing_scores_reverses_verdicts(pairs: Any, kind: str, relevant: float) -> None:
    found = judged(pairs, kind, relevant)
    mirrored = judged([(100 - score, error) for score, error in pairs], kind, relevant)
    np.testing.assert_allclose(mirrored.difference, -found.difference, atol=1e-9)
    np.testing.assert_allclose(mirrored.adjusted_p, found.adjusted_p, atol=1e-6)
    near = np.abs(found.adjusted_p - found.false_claims) < 1e-5
    expected = np.array([REVERSED.get(verdict, verdict) for verdict in found.verdict])
    np.testing.assert_array_equal(mirrored.verdict[~near], expected[~near])


@settings(max_examples=40)
@given(PAIRS, st.sampled_from(["peers", "spread"]), RELEVANT, st.randoms(use_true_random=False))
def test_permuting_organizations_permutes_verdicts(
    pairs: Any, kind: str, relevant: float, random: Any
) -> None:
    order = list(range(len(pairs)))
    random.shuffle(order)
    found = judged(pairs, kind, relevant)
    shuffled = judged([pairs[place] for place in order], kind, relevant)
    np.testing.assert_allclose(shuffled.adjusted_p, found.adjusted_p[order], atol=1e-6)
    near = np.abs(shuffled.adjusted_p - found.false_claims) < 1e-5
    np.testing.assert_array_equal(shuffled.verdict[~near], found.verdict[order][~near])


@settings(max_examples=40)
@given(PAIRS, KINDS)
def test_a_smallest_difference_only_takes_claims_away(pairs: Any, kind: str) -> None:
    free, bound = judged(pairs, kind, 0.0), judged(pairs, kind, 2.0)
    assert (bound.p >= free.p - 1e-12).all()
    claimed = np.isin(bound.verdict, ["better", "worse"])
    np.testing.assert_array_equal(bound.verdict[claimed], free.verdict[claimed])
    assert (np.abs(bound.difference[claimed]) > 2).all()


@given(PAIRS, st.sampled_from(["published", "consistent"]), st.sampled_from([0.0, 0.1, 0.3]))
def test_funnels_scale_and_shift_with_the_scores(pairs: Any, rule: Any, winsorize: float) -> None:
    scores, errors = np.array(pairs).T
    one = funnel_limits(scores, errors, rule=rule, winsorize=winsorize)
    other = funnel_limits(8 + 4 * scores, 4 * errors, rule=rule, winsorize=winsorize)
    np.testing.assert_allclose(other.between_variance, 16 * one.between_variance, atol=1e-6)
    np.testing.assert_allclose(other.upper, 8 + 4 * one.upper, rtol=1e-6, atol=1e-6)
    assert (one.upper[1] >= one.upper[0]).all()
    assert (one.upper - one.target >= 0).all()
