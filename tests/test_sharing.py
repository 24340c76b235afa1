"""Sharing tallies: nothing that few answered leaves the house, and pools equal all answers."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from support import answered, small_study

from sotongindex.benchmark import DisclosureRules, compare_to_peers
from sotongindex.datasets import sample_panel
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import compute_index
from sotongindex.method import IndexMethod
from sotongindex.models import Channel, Organization, Study
from sotongindex.norms import freeze_norm
from sotongindex.responses import Responses
from sotongindex.sharing import (
    coarsen_groups,
    pool_studies,
    pool_tallies,
    share_tally,
    tally_differencing,
)
from sotongindex.tally import Tally
from sotongindex.variance import GroupJackknife

FIVE = DisclosureRules(min_respondents_show=5)
SUMS = ("weight", "squared_weight", "answers", "answer_weight", "points")
ITEMS = [("q1", "d1"), ("q2", "d2")]


def study_of(*organizations: Organization | str, **more: Any) -> Study:
    return attrs.evolve(small_study(organizations, ("blog", "video"), ITEMS), **more)


def tallied(
    study: Study, counts: dict[str, int], *, start: int = 0, groups: int = 8, **more: Any
) -> Tally:
    """Tally so many answers to either item of the blog of every organization."""
    rows = [
        (start + n, key, "blog", 1 + (n * n + start) % 7, 1 + n % 6)
        for key, count in counts.items()
        for n in range(count)
    ]
    return Tally.from_responses(answered(study, rows, **more), groups=groups)


def same(first: Tally, second: Tally) -> None:
    assert first.study == second.study
    assert first.groups == second.groups
    for name in ("organization", "channel", "group", "evaluations"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    for name in SUMS:
        np.testing.assert_allclose(getattr(first, name), getattr(second, name))


# -- what is withheld ----------------------------------------------------------------------------


def test_small_units_and_their_organizations_are_not_shared() -> None:
    tally = tallied(study_of("a", "b", "c"), {"a": 9, "b": 10, "c": 25})
    shared = share_tally(tally)
    assert shared.tally.study.organization_keys == ("b", "c")
    assert shared.tally.organization.tolist() == [0, 1]
    assert shared.tally.evaluations.tolist() == [10, 25]
    assert [(notice.code, notice.keys) for notice in shared.notices] == [
        ("few respondents", ("a/blog",)),
        ("errors", ()),
    ]
    assert str(shared).splitlines()[:2] == [
        "2 organizations shared",
        (
            "- 1 pairs of organization and channel are withheld: they have fewer than 10 "
            "respondents, or weights so unequal that they count as fewer"
        ),
    ]
    assert "one jackknife group gives no errors" in str(shared)


def test_an_item_that_few_answered_is_not_shared() -> None:
    rows = [(n, "a", "blog", 1 + n % 7, 4 if n < 9 else np.nan) for n in range(30)]
    shared = share_tally(Tally.from_responses(answered(study_of("a"), rows)))
    assert shared.tally.answers.tolist() == [[30, 0]]
    assert shared.tally.points[0, 1] == shared.tally.answer_weight[0, 1] == 0
    assert shared.notices[0].keys == ("a/blog/q2",)
    # Where no item has enough answers, the rest says nothing that is wanted.
    few = [(n, "a", "blog", 4 if n < 9 else np.nan, 4 if n > 9 else np.nan) for n in range(18)]
    with pytest.raises(MethodError, match="nothing can be shared: 10 respondents are needed"):
        share_tally(Tally.from_responses(answered(study_of("a"), few)))


def test_answer_categories_stay_at_home() -> None:
    responses = answered(study_of("a"), [(n, "a", "blog", 1 + n % 7, 4) for n in range(20)])
    shared = share_tally(Tally.from_responses(responses, frequencies=True))
    assert shared.tally.categories is shared.tally.frequencies is None


def test_small_groups_are_put_together_and_give_no_errors() -> None:
    tally = tallied(study_of("a", "b"), {"a": 16, "b": 200})
    shared = share_tally(tally, groups=4)
    own = shared.tally.organization == 0
    assert shared.tally.group[own].tolist() == [0]
    assert shared.tally.group[~own].tolist() == [0, 1, 2, 3]
    assert shared.notices[0].code == "small groups"
    assert shared.notices[0].keys == ("a/blog",)
    method = IndexMethod(variance=GroupJackknife(groups=4))
    found = compute_index(shared.tally, method=method)
    expected = compute_index(coarsen_groups(tally, 4), method=method)
    np.testing.assert_allclose(found.index.values, expected.index.values, rtol=1e-12)
    assert np.isnan(found.index.variance).tolist() == [True, False]
    assert found.index.variance[1] == pytest.approx(expected.index.variance[1])


def test_a_group_with_few_answers_to_an_item_is_small_too() -> None:
    keys = np.arange(400)
    own = coarse_group(keys, 2)
    # Group 1 answers the second item 3 times only.
    scarce = np.flatnonzero(own == 1)[3:]
    rows = [(int(n), "a", "blog", 4, np.nan if n in scarce else 5) for n in keys]
    shared = share_tally(Tally.from_responses(answered(study_of("a"), rows)), groups=2)
    assert shared.notices[0].code == "small groups"
    # None at all gives nobody away.
    rows = [(int(n), "a", "blog", 4, np.nan if own[n] else 5) for n in keys]
    shared = share_tally(Tally.from_responses(answered(study_of("a"), rows)), groups=2)
    assert [notice.code for notice in shared.notices] == ["errors"]


def coarse_group(keys: Any, groups: int) -> Any:
    return np.array([int(key) * 48271 % (2**31 - 1) % groups for key in keys])


@pytest.mark.parametrize("heavy", [100.0, 1.0])
def test_who_outweighs_all_others_is_not_shared(heavy: float) -> None:
    # With one weight of 100 the mean is that person's answer: 20 count as 1.4.
    weight = np.array([heavy, *[1.0] * 19])
    tally = tallied(study_of("a"), {"a": 20}, weight=weight)
    if heavy == 1.0:
        assert share_tally(tally).tally.evaluations.tolist() == [20]
    else:
        with pytest.raises(MethodError, match="nothing can be shared"):
            share_tally(tally)


def test_ten_equal_weights_count_as_ten() -> None:
    tally = tallied(study_of("a"), {"a": 10}, weight=np.full(10, 0.1))
    same(share_tally(tally).tally, coarsen_groups(tally, 1))


def test_groups_tell_how_wide_intervals_become() -> None:
    tally = tallied(study_of("a"), {"a": 400})
    assert "3 degrees of freedom at most: intervals at 95 % are 1.6 times" in str(
        share_tally(tally, groups=4)
    )


@pytest.mark.parametrize("rounding", [-0.1, 1.5, np.nan])
def test_rounding_is_a_share(rounding: float) -> None:
    with pytest.raises(MethodError, match="expected a share from 0 to 1"):
        share_tally(tallied(study_of("a"), {"a": 20}), rounding=rounding)


# -- sums of unequal weights ---------------------------------------------------------------------


def patterns(weight: Any, points: float, *, slack: float) -> int:
    """Count the ways to answer that give these points to somebody who knows the weights."""
    grid = np.indices((7,) * 5).reshape(5, -1).T * (100 / 6)
    left, right = grid @ weight[:5], np.sort(grid @ weight[5:])
    low, high = (np.searchsorted(right, points - left + s) for s in (-slack, slack))
    return int((high - low).sum())


def test_rounded_sums_of_known_weights_fit_many_answers() -> None:
    weight = np.random.default_rng(3).uniform(0.9, 1.1, 10)
    # Weights that lie close count as 10 only nearly: ask for 9.
    tally = tallied(study_of("a"), {"a": 10}, weight=weight, groups=1)
    rules = DisclosureRules(min_respondents_show=9)
    exact = share_tally(tally, rules=rules, rounding=0.0).tally
    assert patterns(weight, exact.points[0, 0], slack=1e-9) == 1
    rounded = share_tally(tally, rules=rules).tally
    step = weight.mean()
    assert patterns(weight, rounded.points[0, 0], slack=step / 2) > 100_000
    assert abs(rounded.item_means()[0, 0, 0] - exact.item_means()[0, 0, 0]) < 0.1
    np.testing.assert_allclose(rounded.points / step, np.rint(rounded.points / step))
    np.testing.assert_allclose(
        100 * rounded.answer_weight / step, np.rint(100 * rounded.answer_weight / step)
    )


# -- tallies that grow ---------------------------------------------------------------------------


def test_a_tally_that_grew_by_a_few_gives_them_away() -> None:
    study = study_of("a", "b", "c")
    before = tallied(study, {"a": 20, "b": 20})
    more = tallied(study, {"a": 9, "b": 10, "c": 12}, start=1000)
    first, second = (share_tally(tally).tally for tally in (before, before + more))
    (notice,) = tally_differencing(first, second)
    assert notice.code == "differencing"
    assert notice.keys == ("a/blog",)
    assert "changed by fewer than 10 respondents" in notice.message
    assert tally_differencing(second, second) == ()
    assert tally_differencing(first, second, rules=FIVE) == ()
    # Later waves have other names.
    later = attrs.evolve(second, study=attrs.evolve(second.study, wave="second"))
    assert tally_differencing(first, later)[0].keys == ("a/blog",)


def test_corrections_and_single_groups_give_themselves_away() -> None:
    tally = tallied(study_of("a"), {"a": 40})
    points = tally.points.copy()
    points[0, 1] += 100 / 6
    assert tally_differencing(tally, attrs.evolve(tally, points=points))
    # Ten came, but only so many to each of two groups.
    grown = tally + tallied(tally.study, {"a": 10}, start=1000)
    assert tally_differencing(*(coarsen_groups(one, 1) for one in (tally, grown))) == ()
    assert tally_differencing(*(coarsen_groups(one, 2) for one in (tally, grown)))


# -- pooling -------------------------------------------------------------------------------------


def test_studies_are_pooled_in_order() -> None:
    first, second = study_of("b", "a", wave="1"), study_of("c", "b", wave="1")
    pooled = pool_studies([first, second])
    assert pooled == attrs.evolve(study_of("b", "a", "c"), wave="1")
    named = pool_studies([first, second], key="pool", wave="all", population="adults")
    assert (named.key, named.wave, named.population) == ("pool", "all", "adults")


@pytest.mark.parametrize("name", ["key", "wave", "population"])
def test_what_studies_are_called_must_agree_or_be_said(name: str) -> None:
    studies = [study_of("a"), study_of("b", **{name: "other"})]
    with pytest.raises(DefinitionError, match=rf"'other'; say with {name}=...") as caught:
        pool_studies(studies)
    assert caught.value.field == f"Study.{name}"
    assert getattr(pool_studies(studies, **{name: "both"}), name) == "both"


def test_one_organization_has_one_description() -> None:
    studies = [
        study_of(Organization(key="a", industry=industry)) for industry in ("banking", "retail")
    ]
    with pytest.raises(DefinitionError, match="'banking' and 'retail'") as caught:
        pool_studies(studies)
    assert caught.value.field == "Organization[a].industry"


@pytest.mark.parametrize("name", ["version", "channels"])
def test_other_frameworks_are_refused(name: str) -> None:
    first = study_of("a")
    changed = {"version": "2", "channels": [Channel(key="blog"), Channel(key="app")]}[name]
    other = attrs.evolve(first, framework=attrs.evolve(first.framework, **{name: changed}))
    tallies = [tallied(study, {"a": 3}) for study in (first, other)]
    with pytest.raises(DefinitionError, match=f"differ in {name}") as caught:
        pool_tallies(tallies)
    assert caught.value.field == f"Framework.{name}"


def test_tallies_need_the_same_groups_and_categories() -> None:
    study = study_of("a")
    with pytest.raises(MethodError, match=r"got 8, 12; coarsen_groups\(tally, 4\)"):
        pool_tallies([tallied(study, {"a": 3}, groups=groups) for groups in (8, 12)])
    with pytest.raises(MethodError, match=r"a divisor of 12 \(1, 2, 3, 4, 6, 12\), got 5"):
        coarsen_groups(tallied(study, {"a": 3}, groups=12), 5)
    with pytest.raises(MethodError, match="1 or more, got 0"):
        coarsen_groups(tallied(study, {"a": 3}), 0)
    responses = answered(study, [(1, "a", "blog", 7, 7)])
    counted = Tally.from_responses(responses, groups=8, frequencies=True)
    with pytest.raises(MethodError, match="categories"):
        pool_tallies([tallied(study, {"a": 3}), counted])
    for pool in (pool_tallies, pool_studies):
        with pytest.raises(MethodError, match="or more, got none"):
            pool([])


# -- two firms -----------------------------------------------------------------------------------

METHOD = IndexMethod(variance=GroupJackknife(groups=2))


def firm(responses: Responses, mine: Any) -> Responses:
    """Take the answers about some organizations, under a study of these alone."""
    study = responses.study
    rows = mine[responses.organization]
    organizations = [one for one, own in zip(study.organizations, mine, strict=True) if own]
    return Responses.from_arrays(
        attrs.evolve(study, key=f"firm-{organizations[0].key}", organizations=organizations),
        answers=responses.answers[rows],
        organization=np.array(study.organization_keys)[responses.organization[rows]],
        channel=responses.channel[rows],
        respondent=responses.respondent_keys[responses.respondent[rows]],
        weight=None if responses.weight is None else responses.weight[rows],
    )


@pytest.fixture(scope="module")
def panel() -> Any:
    return sample_panel(rng=5, respondents=6000)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_pooled_norm_is_the_norm_of_all_answers(panel: Any, weighted: bool) -> None:
    responses = panel.responses if weighted else attrs.evolve(panel.responses, weight=None)
    mine = np.arange(312) % 2 == 0
    tallies = [Tally.from_responses(firm(responses, own)) for own in (mine, ~mine)]
    shared = [share_tally(tally, groups=2) for tally in tallies]
    for one in shared:
        assert one.tally.evaluations.min() >= 10
        assert one.tally.answers[one.tally.answers > 0].min() >= 10
    pooled = pool_tallies([one.tally for one in shared], key="pool")
    scheme = panel.recipe.scheme
    together = compute_index(
        coarsen_groups(Tally.from_responses(responses), 2), scheme=scheme, method=METHOD
    )
    found = compute_index(pooled, scheme=scheme, method=METHOD)
    place = [together.organizations.index(key) for key in found.organizations]
    # What was withheld of an organization changes its index; of most, nothing was.
    changed = {
        key.split("/")[0]
        for one in shared
        for notice in one.notices
        if notice.code.startswith("few")
        for key in notice.keys
    }
    whole = np.array([key not in changed for key in found.organizations])
    assert whole.sum() > 200
    expected = together.index.values[place]
    # Rounding moves an item of n answers by 1 / n points at most.
    tolerance = 0.1 if weighted else 1e-9
    np.testing.assert_allclose(found.index.values[whole], expected[whole], rtol=0, atol=tolerance)
    known = whole & ~np.isnan(found.index.variance)
    assert known.sum() > 10
    errors = np.sqrt(found.index.variance[known]), together.index.standard_error[place][known]
    np.testing.assert_allclose(*errors, rtol=0, atol=tolerance)
    comparison = compare_to_peers(found, "industry", levels=["index"]).comparison()
    assert np.isfinite(comparison.percentile).sum() > 100
    norms = [freeze_norm(one, key="norm", version="1") for one in (found, together)]
    assert not set(norms[0].members) - set(norms[1].members)
    assert norms[0].of().count > 100


def test_nothing_withheld_gives_the_very_norm(panel: Any) -> None:
    responses = attrs.evolve(panel.responses, weight=None)
    rules = DisclosureRules(min_respondents_show=1)
    mine = np.arange(312) % 3 == 0
    tallies = [
        share_tally(Tally.from_responses(firm(responses, own)), groups=8, rules=rules).tally
        for own in (mine, ~mine)
    ]
    method = IndexMethod(variance=GroupJackknife(groups=8))
    scheme = panel.recipe.scheme
    pooled, together = (
        compute_index(tally, scheme=scheme, method=method)
        for tally in (
            pool_tallies(tallies, key="synthetic-panel"),
            Tally.from_responses(responses, groups=8),
        )
    )
    norms = [freeze_norm(one, key="norm", version="1") for one in (pooled, together)]
    first, second = (norm.of() for norm in norms)
    assert norms[0].members == norms[1].members
    np.testing.assert_allclose(first.scores, second.scores, rtol=1e-12)
    np.testing.assert_allclose(first.standard_errors, second.standard_errors, rtol=1e-9)
    # Respondents who rated organizations of both firms are still the same people.
    assert first.figures.mean.standard_error == pytest.approx(second.figures.mean.standard_error)
    assert first.shared_variance == pytest.approx(second.shared_variance)
