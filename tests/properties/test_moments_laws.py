"""The laws of moments: what must hold whatever the answers are."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotongindex._evaluations import Evaluations
from sotongindex._learning import correlations
from sotongindex._moments import pairs_of, pairs_without_groups
from sotongindex._pair_sums import PairSums
from sotongindex.errors import MethodError
from sotongindex.reliability import cronbach_alpha, tally_alpha
from sotongindex.responses import Responses
from sotongindex.tally import ItemMoments, Tally
from sotongindex.testing import responses, studies

SUMS = tuple(attrs.fields_dict(PairSums))


@st.composite
def drawn_responses(draw, **kwargs):
    return draw(responses(draw(studies()), **kwargs))


def some(of: Responses, rows) -> Responses:
    """Make the responses again from some rows, in that order."""
    return Responses.from_arrays(
        of.study,
        answers=of.answers[rows],
        organization=of.organization[rows],
        channel=of.channel[rows],
        respondent=of.respondent_keys[of.respondent[rows]],
        weight=None if of.weight is None else of.weight[rows],
    )


def scores_of(answers: Responses) -> np.ndarray:
    points, found = Evaluations.of(answers).block(np.arange(len(answers)))
    return np.where(found > 0, points, np.nan)


def assert_same(one: ItemMoments, other: ItemMoments) -> None:
    np.testing.assert_array_equal(one.channel, other.channel)
    np.testing.assert_array_equal(one.group, other.group)
    for name in SUMS:
        np.testing.assert_allclose(
            getattr(one.sums, name), getattr(other.sums, name), rtol=1e-12, atol=1e-9
        )


@given(drawn_responses(), st.integers(1, 39), st.sampled_from([1, 2, 32]))
def test_moments_of_parts_add_up_to_those_of_all(answers, cut, groups):
    rows = np.arange(len(answers))
    if cut >= len(rows):
        return
    whole, first, second = (
        Tally.from_responses(part, groups=groups, moments=True)
        for part in (answers, some(answers, rows[:cut]), some(answers, rows[cut:]))
    )
    assert_same((first + second).moments, whole.moments)
    assert_same((second + first).moments, whole.moments)


@given(drawn_responses(), st.randoms(use_true_random=False))
def test_the_order_of_answers_changes_nothing(answers, random):
    rows = np.arange(len(answers))
    random.shuffle(rows)
    assert_same(
        Tally.from_responses(answers, moments=True).moments,
        Tally.from_responses(some(answers, rows), moments=True).moments,
    )


@given(drawn_responses())
def test_the_diagonal_is_what_the_tally_has(answers):
    tally = Tally.from_responses(answers, moments=True)
    pairs = pairs_of(tally.moments, None)
    np.testing.assert_array_equal(np.diagonal(pairs.units), tally.answers.sum(axis=0))
    weight = tally.answer_weight.sum(axis=0)
    np.testing.assert_allclose(np.diagonal(pairs.weight), weight, rtol=1e-12)
    np.testing.assert_allclose(
        np.diagonal(pairs.values), (tally.points.sum(axis=0) - 50 * weight), atol=1e-9
    )


@given(drawn_responses())
def test_correlations_are_those_of_the_evaluations(answers):
    found = Tally.from_responses(answers, moments=True).moments.correlation()
    weight = np.ones(len(answers)) if answers.weight is None else answers.weight
    expected = correlations(scores_of(answers), weight)
    known = ~np.isnan(found)
    np.testing.assert_allclose(found[known], expected[known], atol=1e-9)
    off = ~np.eye(len(found), dtype=bool)
    assert (np.abs(expected[~known & off]) <= 1e-9).all()


@given(drawn_responses(), st.sampled_from([0.01, 7.0]))
def test_covariances_are_symmetric_and_free_of_the_size_of_weights(answers, constant):
    weight = np.ones(len(answers)) if answers.weight is None else answers.weight
    found = Tally.from_responses(answers, moments=True).moments.covariance()
    np.testing.assert_allclose(found, found.T, atol=1e-9)
    assert (np.nan_to_num(np.diagonal(found)) >= 0).all()
    scaled = attrs.evolve(answers, weight=weight * constant)
    again = Tally.from_responses(scaled, moments=True).moments.covariance()
    np.testing.assert_allclose(found, again, rtol=1e-9, atol=1e-9)


@given(drawn_responses())
def test_leaving_out_a_group_is_the_tally_of_the_others(answers):
    tally = Tally.from_responses(answers, groups=3, moments=True)
    without = pairs_without_groups(tally.moments, None)
    for position, group in enumerate(np.unique(tally.group)):
        rest = np.zeros_like(without.products[position])
        for row in np.flatnonzero(tally.moments.group != group):
            rest = rest + tally.moments.sums.products[row]
        np.testing.assert_allclose(without.products[position], rest, atol=1e-9)


@given(drawn_responses())
def test_alpha_of_complete_answers_is_that_of_the_evaluations(answers):
    scores = scores_of(answers)
    complete = np.flatnonzero(~np.isnan(scores).any(axis=1))
    if len(complete) == 0 or scores.shape[1] < 2:
        return
    part = some(answers, complete)
    tally = Tally.from_responses(part, moments=True)
    try:
        expected = cronbach_alpha(scores[complete], weights=part.weight)
    except MethodError:
        with pytest.raises(MethodError):
            tally_alpha(tally)
        return
    found = tally_alpha(tally)
    assert found.alpha == pytest.approx(expected.alpha, rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(found.if_dropped, expected.if_dropped, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(found.item_total, expected.item_total, rtol=1e-7, atol=1e-7)
