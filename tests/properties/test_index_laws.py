"""The laws of the index: what must hold whatever the answers are."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotongindex.index import IndexMethod, IndexResult, Powers, compute_index
from sotongindex.models import Study
from sotongindex.responses import Responses
from sotongindex.tally import Tally
from sotongindex.testing import responses, schemes, studies
from sotongindex.variance import GroupJackknife, Linearization

LEVELS = ("index", "channels", "dimensions", "cells", "items")
POWERS = st.sampled_from([1.0, 0.0, -1.0, 2.0, 0.5])


@st.composite
def drawn_responses(draw, **kwargs):
    return draw(responses(draw(studies()), **kwargs))


def remade(of: Responses, rows=None, **changes) -> Responses:
    """Make the responses again from some rows, with something changed."""
    rows = np.arange(len(of)) if rows is None else rows
    fields = {
        "answers": of.answers[rows],
        "organization": of.organization[rows],
        "channel": of.channel[rows],
        "respondent": of.respondent_keys[of.respondent[rows]],
        "weight": None if of.weight is None else of.weight[rows],
        **changes,
    }
    return Responses.from_arrays(fields.pop("study", of.study), **fields)


def same(first: IndexResult, second: IndexResult, levels=LEVELS, *, error=True) -> None:
    for level in levels:
        one, other = getattr(first, level), getattr(second, level)
        np.testing.assert_allclose(one.values, other.values, rtol=1e-9, atol=1e-9)
        if error:
            np.testing.assert_allclose(
                one.standard_error, other.standard_error, rtol=1e-7, atol=1e-7
            )


@given(drawn_responses(), POWERS)
def test_scores_and_intervals_stay_between_0_and_100(answers, power):
    result = compute_index(answers, method=IndexMethod(power=power))
    for level in LEVELS:
        estimates = getattr(result, level)
        for numbers in (estimates.values, estimates.low, estimates.high):
            found = numbers[~np.isnan(numbers)]
            assert ((found >= -1e-9) & (found <= 100 + 1e-9)).all()


@given(drawn_responses(), st.sampled_from([0.001, 3.0, 1e6]))
def test_weights_times_a_constant_change_nothing(answers, constant):
    weight = np.ones(len(answers)) if answers.weight is None else answers.weight
    same(compute_index(answers), compute_index(remade(answers, weight=weight * constant)))


@given(drawn_responses(weighted=False), st.data())
def test_a_respondent_of_weight_two_equals_two_respondents(answers, data):
    person = data.draw(st.sampled_from(answers.respondent_keys.tolist()))
    key = answers.respondent_keys[answers.respondent]
    heavy = remade(answers, weight=np.where(key == person, 2.0, 1.0))
    twin = np.flatnonzero(key == person)
    rows = np.concatenate([np.arange(len(answers)), twin])
    respondent = np.concatenate([key, np.full(len(twin), 1000)])
    both = remade(answers, rows, respondent=respondent)
    same(compute_index(heavy), compute_index(both), error=False)


@given(drawn_responses(), st.randoms(use_true_random=False))
def test_permuting_rows_changes_nothing(answers, random):
    rows = list(range(len(answers)))
    random.shuffle(rows)
    same(compute_index(answers), compute_index(remade(answers, np.array(rows))))


@given(drawn_responses())
def test_reversing_organizations_reverses_the_result(answers):
    study = answers.study
    turned = attrs.evolve(study, organizations=study.organizations[::-1])
    last = len(study.organizations) - 1
    result = compute_index(answers)
    other = compute_index(remade(answers, study=turned, organization=last - answers.organization))
    np.testing.assert_allclose(result.index.values, other.index.values[::-1])
    np.testing.assert_allclose(
        result.index.covariance(), other.index.covariance()[::-1, ::-1], atol=1e-9
    )


@given(drawn_responses())
def test_permuting_items_permutes_items_and_changes_no_index(answers):
    framework = answers.study.framework
    turned = attrs.evolve(
        answers.study, framework=attrs.evolve(framework, items=framework.items[::-1])
    )
    result = compute_index(answers)
    other = compute_index(remade(answers, study=turned, answers=answers.answers[:, ::-1]))
    same(result, other, ("index", "channels", "dimensions", "cells"))
    np.testing.assert_allclose(result.items.values, other.items.values[:, :, ::-1])


@given(studies(linear=True).flatmap(responses), POWERS)
def test_a_constant_answer_gives_that_score_with_error_0(answers, power):
    items = answers.study.framework.items
    best = [item.scale.low if item.reverse else item.scale.high for item in items]
    constant = np.where(answers.answers == answers.missing, np.nan, np.array(best, dtype=float))
    if answers.answers.dtype.kind == "f":
        constant = np.where(np.isnan(answers.answers), np.nan, np.array(best, dtype=float))
    result = compute_index(remade(answers, answers=constant), method=IndexMethod(power=power))
    for level in LEVELS:
        estimates = getattr(result, level)
        there = ~np.isnan(estimates.values)
        np.testing.assert_allclose(estimates.values[there], 100.0)
        known = ~np.isnan(estimates.variance)
        np.testing.assert_allclose(estimates.standard_error[known], 0.0, atol=1e-6)


@given(studies(linear=True).flatmap(responses), st.data())
def test_raising_an_answer_never_lowers_an_index(answers, data):
    scheme = data.draw(schemes(answers.study))
    row = data.draw(st.integers(0, len(answers) - 1))
    column = data.draw(st.integers(0, answers.answers.shape[1] - 1))
    item = answers.study.framework.items[column]
    raised = answers.answers.astype(np.float64)
    raised[answers.answers == answers.missing] = np.nan
    if np.isnan(raised[row, column]):
        return
    raised[row, column] = item.scale.low if item.reverse else item.scale.high
    before = compute_index(answers, scheme=scheme).index.values
    after = compute_index(remade(answers, answers=raised), scheme=scheme).index.values
    assert (np.nan_to_num(after) >= np.nan_to_num(before) - 1e-9).all()


@given(drawn_responses(), POWERS, POWERS, POWERS, st.data())
def test_contributions_add_up_to_the_index(answers, items, dimensions, channels, data):
    method = IndexMethod(
        power=Powers(items=items, dimensions=dimensions, channels=channels),
        absent_channels=data.draw(st.sampled_from(["renormalize", "zero"])),
        order=data.draw(st.sampled_from(["items first", "respondents first"])),
    )
    result = compute_index(answers, scheme=data.draw(schemes(answers.study)), method=method)
    there = ~np.isnan(result.index.values)
    sums = result.contributions().values.sum(axis=(1, 2))
    known = there & ~np.isnan(result.structure.index_by_cell).any(axis=(1, 2))
    np.testing.assert_allclose(sums[known], result.index.values[known], rtol=1e-9, atol=1e-9)


@given(drawn_responses(), st.data())
def test_contributions_have_the_covariance_of_the_index(answers, data):
    method = IndexMethod(power=data.draw(POWERS))
    result = compute_index(answers, method=method)
    contributions = result.contributions()
    covariance = contributions.covariance().reshape(*contributions.shape, *contributions.shape)
    for o in np.flatnonzero(~np.isnan(result.index.variance)):
        used = result.structure.index_by_cell[o].ravel() != 0
        own = covariance[o, :, :, o].reshape(used.size, used.size)[np.ix_(used, used)]
        assert own.sum() == pytest.approx(result.index.variance[o], rel=1e-6, abs=1e-9)


@given(drawn_responses(), st.integers(0, 40), st.sampled_from([2, 5, 32]))
def test_tallies_of_parts_add_up_to_the_tally_of_all(answers, cut, groups):
    whole = Tally.from_responses(answers, groups=groups, frequencies=True)
    rows = np.arange(len(answers))
    if not 0 < cut < len(rows):
        return
    parts = [
        Tally.from_responses(remade(answers, part), groups=groups, frequencies=True)
        for part in (rows[:cut], rows[cut:])
    ]
    for added in (parts[0] + parts[1], parts[1] + parts[0]):
        for name in ("organization", "channel", "group", "evaluations", "answers"):
            np.testing.assert_array_equal(getattr(added, name), getattr(whole, name))
        for name in ("weight", "squared_weight", "answer_weight", "points", "frequencies"):
            np.testing.assert_allclose(
                getattr(added, name), getattr(whole, name), rtol=1e-12, atol=1e-12
            )


@given(drawn_responses())
def test_a_tally_gives_the_same_index_as_its_responses(answers):
    method = IndexMethod(variance=GroupJackknife(groups=8))
    same(
        compute_index(answers, method=method),
        compute_index(Tally.from_responses(answers, groups=8), method=method),
    )


@given(drawn_responses(weighted=False))
def test_orders_agree_where_nothing_is_missing(answers):
    full = np.nan_to_num(answers.answers.astype(float), nan=0.0)
    items = answers.study.framework.items
    low = np.array([item.scale.low for item in items], dtype=float)
    full = np.clip(full, low, [item.scale.high for item in items])
    complete = remade(answers, answers=full)
    same(
        compute_index(complete),
        compute_index(complete, method=IndexMethod(order="respondents first")),
    )


@given(drawn_responses())
def test_both_corrections_agree_where_one_organization_holds_the_whole_sample(answers):
    study = Study(
        key="one",
        framework=answers.study.framework,
        organizations=answers.study.organizations[:1],
    )
    rows = np.flatnonzero((answers.organization == 0) & (answers.channel == 0))
    if len(rows) < 2:
        return
    framework = attrs.evolve(study.framework, channels=study.framework.channels[:1])
    items = framework.items
    full = np.clip(
        np.nan_to_num(answers.answers[rows].astype(float), nan=0.0),
        [item.scale.low for item in items],
        [item.scale.high for item in items],
    )
    one = remade(answers, rows, study=attrs.evolve(study, framework=framework), answers=full)
    results = [
        compute_index(one, method=IndexMethod(variance=Linearization(correction=correction)))
        for correction in ("organization", "design")
    ]
    same(*results)
    assert results[0].index.degrees_of_freedom.item() == len(rows) - 1


@given(drawn_responses())
def test_every_level_agrees_with_its_own_factor(answers):
    for method in (IndexMethod(), IndexMethod(variance=GroupJackknife(groups=6))):
        result = compute_index(answers, method=method)
        for level in LEVELS:
            estimates = getattr(result, level)
            diagonal = np.diag(estimates.covariance())
            np.testing.assert_allclose(diagonal, estimates.variance.ravel(), rtol=1e-8, atol=1e-8)
