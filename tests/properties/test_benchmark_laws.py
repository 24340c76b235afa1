"""Laws of percentile ranks, peer figures and gaps."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sotongindex.benchmark import DisclosureRules, compare_to_peers
from sotongindex.gaps import find_gaps
from sotongindex.models import (
    Channel,
    Dimension,
    Framework,
    Organization,
    PeerGroup,
    PeerStatistic,
    Statistic,
    Study,
    SurveyItem,
    Target,
)
from sotongindex.percentiles import (
    competition_rank,
    peer_quantiles,
    percentile_rank,
    quantile_position,
)
from sotongindex.results import IndexResult

FRAMEWORK = Framework(
    key="mini",
    version="1",
    channels=[Channel(key="blog")],
    dimensions=[Dimension(key="openness")],
    items=[SurveyItem(key="q1", dimension="openness")],
)
LOOSE = DisclosureRules(min_peers_mean=1, min_peers_rank=1)
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)
COMPARED: tuple[Statistic, ...] = ("mean", "median", "p75", "best")

# Tenths of a point: ties are common, and no two scores differ by about a billionth.
SCORES = st.integers(0, 1000).map(lambda tenths: tenths / 10)
GROUPS = st.lists(SCORES, min_size=2, max_size=25)
KINDS = st.sampled_from(["strict", "weak", "mean", "rank"])


def scored(scores: list[float], industries: list[str | None], error: float = 1.0) -> IndexResult:
    keys = [f"o{n}" for n in range(len(scores))]
    study = Study(
        key="study",
        framework=FRAMEWORK,
        organizations=[
            Organization(key=key, industry=industry)
            for key, industry in zip(keys, industries, strict=True)
        ],
    )
    frame = {
        "organization": keys,
        "openness": np.array(scores),
        "error": error * (1 + np.arange(len(keys)) % 3),
    }
    return IndexResult.from_scores(frame, study, standard_errors={"openness": "error"})


@st.composite
def industries_and_scores(draw: Any) -> IndexResult:
    scores = draw(st.lists(SCORES, min_size=2, max_size=20))
    names = st.sampled_from(["a", "b", "c", None])
    industries = draw(st.lists(names, min_size=len(scores), max_size=len(scores)))
    assume(any(industries))
    return scored(scores, industries)


@given(GROUPS, KINDS, st.booleans())
def test_percentile_ranks_are_monotone(scores: Any, kind: Any, include_self: bool) -> None:
    ranks = percentile_rank(scores, kind=kind, include_self=include_self)
    order = np.argsort(scores, kind="stable")
    assert (np.diff(ranks[order]) >= -1e-9).all()
    assert ((ranks >= 0) & (ranks <= 100)).all()


@given(GROUPS, st.booleans())
def test_percentile_ranks_average_50(scores: Any, include_self: bool) -> None:
    total = percentile_rank(scores, include_self=include_self).sum()
    np.testing.assert_allclose(total, 50 * len(scores))


@given(GROUPS, st.booleans())
def test_reversed_scores_have_reversed_percentile_ranks(scores: Any, include_self: bool) -> None:
    ranks = percentile_rank(scores, include_self=include_self)
    reversed_ = percentile_rank([-score for score in scores], include_self=include_self)
    np.testing.assert_allclose(ranks + reversed_, 100)
    strict = percentile_rank(scores, kind="strict", include_self=include_self)
    weak = percentile_rank([-score for score in scores], kind="weak", include_self=include_self)
    np.testing.assert_allclose(strict + weak, 100)


@given(GROUPS, st.randoms(use_true_random=False))
def test_permuting_scores_permutes_ranks(scores: Any, random: Any) -> None:
    order = list(range(len(scores)))
    random.shuffle(order)
    shuffled = [scores[place] for place in order]
    np.testing.assert_array_equal(percentile_rank(shuffled), percentile_rank(scores)[order])
    np.testing.assert_array_equal(competition_rank(shuffled), competition_rank(scores)[order])


@given(GROUPS)
def test_weights_of_one_scale_change_nothing(scores: Any) -> None:
    np.testing.assert_allclose(
        percentile_rank(scores, weights=np.full(len(scores), 7.3)),
        percentile_rank(scores),
        atol=1e-9,
    )


@given(GROUPS, st.floats(0, 1), st.integers(1, 9))
def test_quantiles_lie_among_the_scores_and_rise(scores: Any, share: float, number: Any) -> None:
    low, high = peer_quantiles(scores, [share * 0.9, share], type=number)
    assert min(scores) <= low <= high + 1e-9
    assert high <= max(scores)
    lower, upper, part = quantile_position(len(scores), share, type=number)
    assert 0 <= lower <= upper < len(scores)
    assert 0 <= part <= 1


@given(industries_and_scores(), st.sampled_from(["industry", "other industries"]))
def test_leave_one_out_formulas_equal_brute_force(result: IndexResult, by: Any) -> None:
    comparison = compare_to_peers(result, by, rules=LOOSE, levels=["index"]).comparison()
    scores, organizations = result.index.values, result.study.organizations
    for own, organization in enumerate(organizations):
        peers = [
            place
            for place, other in enumerate(organizations)
            if place != own
            and None not in (organization.industry, other.industry)
            and (organization.industry == other.industry) == (by == "industry")
        ]
        assert comparison.others[own] == len(peers)
        if not peers:
            assert np.isnan(comparison.figures.mean[own])
            continue
        held = scores[peers]
        figures = comparison.figures
        expected = peer_quantiles(held, [0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
        found = [figures.p10, figures.p25, figures.median, figures.p75, figures.p90, figures.best]
        np.testing.assert_allclose([figure[own] for figure in found], expected)
        np.testing.assert_allclose(figures.mean[own], held.mean())
        np.testing.assert_allclose(
            comparison.percentile[own], percentile_rank(held, scores[own]).item()
        )
        assert comparison.rank[own] == 1 + (held > scores[own] + 1e-9).sum()
        variance = result.index.variance
        np.testing.assert_allclose(
            comparison.distances.mean.variance[own],
            variance[own] + variance[peers].sum() / len(peers) ** 2,
        )


@given(industries_and_scores(), st.randoms(use_true_random=False))
def test_permuting_organizations_permutes_the_comparison(result: IndexResult, random: Any) -> None:
    order = list(range(len(result.organizations)))
    random.shuffle(order)
    organizations = result.study.organizations
    other = scored(
        [float(result.index.values[place]) for place in order],
        [organizations[place].industry for place in order],
    )
    first = compare_to_peers(result, rules=LOOSE, levels=["index"]).comparison()
    second = compare_to_peers(other, rules=LOOSE, levels=["index"]).comparison()
    np.testing.assert_array_equal(first.percentile[order], second.percentile)
    np.testing.assert_array_equal(first.rank[order], second.rank)
    np.testing.assert_allclose(
        first.distances.mean.values[order], second.distances.mean.values, atol=1e-9
    )


@settings(max_examples=50)
@given(
    st.lists(SCORES, min_size=2, max_size=15),
    st.one_of(SCORES, st.sampled_from(STATISTICS)),
)
def test_the_sign_of_a_gap_agrees_with_score_and_target(scores: Any, rule: Any) -> None:
    target = Target(score=PeerStatistic(statistic=rule) if rule in STATISTICS else rule)
    result = scored(scores, ["a"] * len(scores))
    gap = find_gaps(result, target, rules=LOOSE).gaps[0]
    np.testing.assert_allclose(gap.gap.values, gap.aim.values - scores, atol=1e-9)
    open_, met = gap.gap.values > 1e-9, gap.gap.values < -1e-9
    assert (gap.probability_met[open_] < 0.5).all()
    assert (gap.probability_met[met] > 0.5).all()
    assert (gap.ratio.share.values[open_] < 1).all()
    assert (gap.ratio.share.values[met & (gap.ratio.reasons == "")] > 1).all()


@settings(max_examples=30)
@given(industries_and_scores())
def test_a_target_of_the_peers_is_the_figure_of_the_comparison(result: IndexResult) -> None:
    comparison = compare_to_peers(result, rules=LOOSE, levels=["index"]).comparison()
    peers = PeerGroup(key="same", same="industry")
    targets = [
        Target(score=PeerStatistic(statistic=statistic, peers=peers), dimension="openness")
        for statistic in COMPARED
    ]
    for target, gap in zip(targets, find_gaps(result, targets, rules=LOOSE).gaps, strict=True):
        assert isinstance(target.score, PeerStatistic)
        distance = getattr(comparison.distances, target.score.statistic)
        np.testing.assert_allclose(gap.gap.values, -distance.values)
        np.testing.assert_allclose(gap.gap.standard_error, distance.standard_error)
