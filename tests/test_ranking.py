"""Confidence sets and probabilities of ranks, and the ranking of an index."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from support import answered, small_study

from sotongindex._rank_inputs import quasi_variances
from sotongindex._rank_sets import chance_draws
from sotongindex._student import t_quantile
from sotongindex.benchmark import DisclosureRules
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import compute_index
from sotongindex.models import Organization, PeerGroup
from sotongindex.percentiles import competition_rank
from sotongindex.ranking import (
    joint_interval_ranks,
    posterior_ranks,
    rank_confidence_sets,
    rank_organizations,
    tau_best,
    tau_worst,
)
from sotongindex.results import IndexResult

VALUES = [82.1, 79.4, 78.8, 74.0, 73.6, 70.2, 65.0, 58.3]
ERRORS = [1.2, 1.9, 0.8, 1.1, 2.5, 0.9, 1.4, 3.0]
LOOSE = DisclosureRules(min_peers_rank=1, min_respondents_compare=1, min_respondents_show=1)


def brute_force(mean: list[float], error: list[float], draws: int = 200_000) -> np.ndarray:
    rng = np.random.default_rng(5)
    scores = rng.normal(mean, error, (draws, len(mean)))
    ranks = np.argsort(np.argsort(-scores, axis=1), axis=1)
    return np.array(
        [[(ranks[:, j] == k).mean() for k in range(len(mean))] for j in range(len(mean))]
    )


# -- confidence sets -----------------------------------------------------------------------------


def test_stepdown_is_never_wider_and_sometimes_narrower() -> None:
    rng = np.random.default_rng(3)
    values, errors = rng.normal(60, 8, 25), rng.uniform(1, 3, 25)
    wide = rank_confidence_sets(values, errors, simultaneous=True, stepdown=False, rng=1)
    narrow = rank_confidence_sets(values, errors, simultaneous=True, rng=1)
    assert (narrow.low >= wide.low).all()
    assert (narrow.high <= wide.high).all()
    assert (narrow.high - narrow.low).sum() < (wide.high - wide.low).sum()


def test_simultaneous_sets_are_never_narrower_than_marginal_ones() -> None:
    marginal = rank_confidence_sets(VALUES, ERRORS, stepdown=False, rng=1)
    joint = rank_confidence_sets(VALUES, ERRORS, simultaneous=True, stepdown=False, rng=1)
    assert (joint.low <= marginal.low).all()
    assert (joint.high >= marginal.high).all()
    assert joint.simultaneous
    assert not marginal.simultaneous


def test_one_sided_sets_leave_the_other_side_open() -> None:
    both = rank_confidence_sets(VALUES, ERRORS, rng=1)
    lower = rank_confidence_sets(VALUES, ERRORS, side="lower", rng=1)
    upper = rank_confidence_sets(VALUES, ERRORS, side="upper", rng=1)
    assert (lower.high == 8).all()
    assert (upper.low == 1).all()
    assert (lower.low >= both.low).all()
    assert (upper.high <= both.high).all()


def test_everything_told_ends_the_one_sided_steps() -> None:
    sets = rank_confidence_sets([90.0, 50.0], [1.0, 1.0], side="lower", rng=1)
    assert (sets.low.tolist(), sets.high.tolist()) == ([1, 2], [2, 2])


def test_the_best_and_the_worst() -> None:
    assert tau_best(VALUES, ERRORS, rng=1).tolist() == [True] * 3 + [False] * 5
    assert tau_worst(VALUES, ERRORS, rng=1).tolist() == [False] * 6 + [True] * 2
    assert tau_best(VALUES, ERRORS, tau=8, rng=1).all()


def test_errors_that_all_share_change_nothing() -> None:
    shared = np.diag(np.square(ERRORS)) + 400.0
    alone = rank_confidence_sets(VALUES, ERRORS, simultaneous=True, rng=1)
    together = rank_confidence_sets(VALUES, shared, simultaneous=True, rng=1)
    blind = rank_confidence_sets(VALUES, np.sqrt(shared.diagonal()), simultaneous=True, rng=1)
    np.testing.assert_array_equal(together.low, alone.low)
    np.testing.assert_array_equal(together.high, alone.high)
    assert (blind.low == 1).all()


def test_a_covariance_of_lower_rank_is_taken() -> None:
    factor = np.random.default_rng(0).normal(size=(2, 8))
    sets = rank_confidence_sets(VALUES, factor.T @ factor, rng=1)
    assert (sets.low <= sets.rank).all()
    drawn = chance_draws(factor.T @ factor, np.array(VALUES), draws=20_000, rng=1)
    np.testing.assert_allclose(
        np.corrcoef(drawn),
        (factor.T @ factor) / np.outer(*2 * [np.sqrt((factor**2).sum(axis=0))]),
        atol=0.03,
    )


def test_few_degrees_of_freedom_widen_the_sets() -> None:
    normal = rank_confidence_sets(VALUES, ERRORS, rng=1)
    few = rank_confidence_sets(VALUES, ERRORS, degrees_of_freedom=[2.0] * 8, rng=1)
    many = rank_confidence_sets(VALUES, ERRORS, degrees_of_freedom=1e12, rng=1)
    assert (few.high - few.low).sum() > (normal.high - normal.low).sum()
    np.testing.assert_array_equal(many.low, normal.low)
    mixed = rank_confidence_sets([60.0, 50.0], [0.0, 0.0], degrees_of_freedom=[3.0, np.inf], rng=1)
    assert mixed.low.tolist() == [1, 2]


def test_the_same_seed_gives_the_same_sets() -> None:
    first, second = (
        rank_confidence_sets(VALUES, ERRORS, rng=np.random.default_rng(9)) for _ in "ab"
    )
    np.testing.assert_array_equal(first.low, second.low)
    assert rank_confidence_sets(VALUES, ERRORS).rank.tolist() == list(range(1, 9))


def test_exact_scores_and_ties() -> None:
    sets = rank_confidence_sets([5.0, 9.0, 5.0, 1.0], np.zeros((4, 4)), rng=1)
    assert sets.rank.tolist() == [2, 1, 2, 4]
    assert sets.low.tolist() == [2, 1, 2, 4]
    assert sets.high.tolist() == [3, 1, 3, 4]
    closed = joint_interval_ranks([5.0, 9.0, 5.0, 1.0], [0.0] * 4)
    np.testing.assert_array_equal(closed.low, sets.low)
    np.testing.assert_array_equal(closed.high, sets.high)


def test_a_tie_is_never_told_apart_however_small_the_error() -> None:
    sets = rank_confidence_sets([1e-12, 0.0], [1e-15, 1e-15], simultaneous=True, rng=1)
    assert sets.low.tolist() == [1, 1]
    assert sets.high.tolist() == [2, 2]


def test_one_and_two_organizations() -> None:
    one = rank_confidence_sets([50.0], [3.0], rng=1)
    assert (one.rank.item(), one.low.item(), one.high.item()) == (1, 1, 1)
    assert tau_best([50.0], [3.0], rng=1).tolist() == [True]
    # One pair, told at 1.96 standard errors of the difference: a z test.
    error = np.sqrt(0.5)
    near = rank_confidence_sets([1.85, 0.0], [error, error], draws=20_000, rng=1)
    far = rank_confidence_sets([2.05, 0.0], [error, error], draws=20_000, rng=1)
    assert near.high.tolist() == [2, 2]
    assert far.high.tolist() == [1, 2]


@pytest.mark.parametrize("scale", [1e-100, 1e100])
@pytest.mark.parametrize("simultaneous", [False, True])
def test_huge_and_tiny_errors_overflow_nothing(scale: float, simultaneous: bool) -> None:
    errors = np.array(ERRORS) * scale
    sets = rank_confidence_sets(
        VALUES, errors, simultaneous=simultaneous, degrees_of_freedom=5.0, rng=1
    )
    expected = np.arange(1, 9) if scale < 1 else np.ones(8)
    np.testing.assert_array_equal(sets.low, expected)
    certain = rank_confidence_sets([1e200, -1e200], [1e-140, 1e-140], rng=1)
    assert certain.low.tolist() == [1, 2]


def test_a_low_level_tells_no_tie_apart() -> None:
    sets = rank_confidence_sets([1.0, 1.0], [1.0, 1.0], level=0.1, side="lower", rng=1)
    assert sets.low.tolist() == [1, 1]


def test_closed_form_sets_are_wider_and_follow_sidak() -> None:
    sets = joint_interval_ranks(VALUES, ERRORS)
    resampled = rank_confidence_sets(VALUES, ERRORS, simultaneous=True, rng=1)
    assert (sets.low <= resampled.low).all()
    assert (sets.high >= resampled.high).all()
    # Two organizations at 95 %: each interval at sqrt(.95), 2.2365 standard errors to each side.
    assert joint_interval_ranks([4.48, 0.0], [1.0, 1.0]).high.tolist() == [1, 2]
    assert joint_interval_ranks([4.46, 0.0], [1.0, 1.0]).high.tolist() == [2, 2]
    student = joint_interval_ranks([4.48, 0.0], [1.0, 1.0], degrees_of_freedom=9)
    assert student.high.tolist() == [2, 2]


def test_the_closed_form_of_very_many_organizations_is_the_definition() -> None:
    rng = np.random.default_rng(2)
    values, errors = rng.normal(0, 10, 300), rng.uniform(0.1, 2, 300)
    sets = joint_interval_ranks(values, errors)
    margin = t_quantile(np.array(np.inf), (1 + 0.95 ** (1 / 300)) / 2) * errors
    above = (values - margin)[None, :] > (values + margin)[:, None]
    np.testing.assert_array_equal(sets.low, 1 + above.sum(axis=1))
    np.testing.assert_array_equal(sets.high, 300 - above.sum(axis=0))


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"values": [1.0, np.nan]}, "values"),
        ({"values": []}, "values"),
        ({"values": [[1.0, 2.0]]}, "values"),
        ({"covariance": [1.0]}, "covariance"),
        ({"covariance": [1.0, -1.0]}, "covariance"),
        ({"covariance": [1.0, np.inf]}, "covariance"),
        ({"covariance": np.eye(3)}, "covariance"),
        ({"covariance": [[1.0, 0.5], [0.2, 1.0]]}, "covariance"),
        ({"covariance": [[-1.0, 0.0], [0.0, 1.0]]}, "covariance"),
        ({"covariance": [[1.0, 2.0], [2.0, 1.0]]}, "covariance"),
        ({"covariance": [[1.0, np.nan], [np.nan, 1.0]]}, "covariance"),
        ({"level": 1.0}, "level"),
        ({"draws": 10}, "draws"),
        ({"side": "uper"}, "side"),
        ({"side": "x"}, "side"),
        ({"degrees_of_freedom": 0.0}, "degrees_of_freedom"),
        ({"degrees_of_freedom": [1.0, 2.0, 3.0]}, "degrees_of_freedom"),
    ],
)
def test_what_cannot_be_ranked_is_an_error(change: dict[str, Any], argument: str) -> None:
    arguments: dict[str, Any] = {"values": [2.0, 1.0], "covariance": [1.0, 1.0], **change}
    with pytest.raises(MethodError) as caught:
        rank_confidence_sets(**arguments)
    assert caught.value.argument == argument


def test_errors_name_what_came() -> None:
    with pytest.raises(MethodError, match="20 draws for a level"):
        rank_confidence_sets([2.0, 1.0], [1.0, 1.0], draws=10)
    with pytest.raises(MethodError, match="did you mean 'upper'"):
        rank_confidence_sets([2.0, 1.0], [1.0, 1.0], side="uper")  # type: ignore[arg-type]
    for tau in (0, 3, True, 1.0):
        with pytest.raises(MethodError, match="from 1 to 2"):
            tau_best([2.0, 1.0], [1.0, 1.0], tau=tau)  # type: ignore[arg-type]


# -- probabilities -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "error"),
    [
        ([60.0, 59.0, 58.0, 50.0], [1.0, 2.0, 0.5, 3.0]),
        ([60.0, 60.0, 60.0], [1.0, 1.0, 1.0]),
        ([60.0, 59.0, 58.5, 58.5, 57.0], [2.0, 0.0, 3.0, 0.001, 0.0]),
    ],
)
def test_probabilities_agree_with_brute_force(mean: list[float], error: list[float]) -> None:
    found = posterior_ranks(mean, error).probability
    np.testing.assert_allclose(found, brute_force(mean, error), atol=5e-3)


def test_two_organizations_are_a_normal_probability() -> None:
    found = posterior_ranks([1.0, 0.0], [[1.5, 0.5], [0.5, 0.5]])
    # The difference has variance 1.5 + 0.5 - 1 = 1: P(better) = Phi(1).
    np.testing.assert_allclose(found.probability_top(), [0.8413447461, 0.1586552539], atol=1e-8)
    np.testing.assert_allclose(found.probability_bottom(), [0.1586552539, 0.8413447461], atol=1e-8)
    np.testing.assert_allclose(found.expected_percentile, [84.13447461, 15.86552539], atol=1e-6)


def test_a_shared_error_moves_no_rank() -> None:
    alone = posterior_ranks(VALUES, ERRORS)
    shared = posterior_ranks(VALUES, np.diag(np.square(ERRORS)) + 25.0)
    np.testing.assert_allclose(shared.probability, alone.probability, atol=1e-7)
    np.testing.assert_allclose(shared.error, ERRORS)


def test_quasi_variances_give_back_the_variances_of_differences() -> None:
    quasi = np.array([1.0, 2.0, 4.0, 3.0])
    leaning = np.array([0.2, -0.1, 0.4, 0.0])
    covariance = np.diag(quasi) + leaning[:, None] + leaning
    np.testing.assert_allclose(quasi_variances(covariance), quasi)


def test_scores_without_error_have_certain_ranks_and_ties_are_drawn_fairly() -> None:
    found = posterior_ranks([5.0, 9.0, 5.0, 1.0], [0.0] * 4)
    expected = [[0, 0.5, 0.5, 0], [1, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(found.probability, expected, atol=1e-12)
    three = posterior_ranks([7.0, 7.0, 7.0], [0.0] * 3)
    np.testing.assert_allclose(three.probability, 1 / 3)


def test_an_exact_score_among_noisy_ones() -> None:
    found = posterior_ranks([50.0, 50.0, 50.0], [0.0, 2.0, 2.0])
    np.testing.assert_allclose(found.probability[0], [0.25, 0.5, 0.25], atol=1e-8)
    np.testing.assert_allclose(found.probability.sum(axis=0), 1.0, atol=1e-8)


def test_one_organization_is_first() -> None:
    for prior in ("flat", "normal"):
        found = posterior_ranks([50.0], [1.0], prior=prior)
        assert found.probability.tolist() == [[1.0]]
        assert found.expected_rank.tolist() == [1.0]
        assert np.isnan(found.expected_percentile).all()


@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e100])
def test_probabilities_do_not_depend_on_the_unit(scale: float) -> None:
    found = posterior_ranks(np.array(VALUES) * scale, np.array(ERRORS) * scale, prior="normal")
    expected = posterior_ranks(VALUES, ERRORS, prior="normal")
    np.testing.assert_allclose(found.probability, expected.probability, atol=1e-7)


def test_far_apart_and_very_unequal_errors() -> None:
    values = np.concatenate([np.linspace(0, 100, 30), [50.0, 50.00001]])
    errors = np.concatenate([np.full(30, 5.0), [1e-6, 1e-6]])
    found = posterior_ranks(values, errors).probability
    np.testing.assert_allclose(found.sum(axis=0), 1.0, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-6)
    assert found[31] @ np.arange(32) < found[30] @ np.arange(32)


def test_organizations_that_do_not_differ_share_all_ranks_under_the_normal_prior() -> None:
    found = posterior_ranks([50.1, 50.0, 49.9], [3.0, 3.0, 3.0], prior="normal")
    assert found.between_variance == 0
    np.testing.assert_allclose(found.probability, 1 / 3, atol=1e-9)


def test_a_prior_and_a_top_are_checked() -> None:
    with pytest.raises(MethodError, match="did you mean 'flat'"):
        posterior_ranks([1.0], [1.0], prior="flt")  # type: ignore[arg-type]
    found = posterior_ranks(VALUES, ERRORS)
    for ask in (found.probability_top, found.probability_bottom):
        with pytest.raises(MethodError, match="1 or more"):
            ask(0)
    np.testing.assert_allclose(found.probability_top(99), 1.0, atol=1e-7)
    assert "probability" not in repr(found)


# -- of an index ---------------------------------------------------------------------------------


def published(scores: list[float], errors: list[float], **attributes: list[Any]) -> IndexResult:
    organizations = [
        Organization(key=f"o{n:02d}", **{name: held[n] for name, held in attributes.items()})
        for n in range(len(scores))
    ]
    return IndexResult.from_scores(
        {
            "organization": [one.key for one in organizations],
            "d1": scores,
            "error": errors,
            "n": [100] * len(scores),
        },
        small_study(organizations),
        standard_errors={"d1": "error"},
        respondents="n",
    )


def test_an_index_is_ranked_with_the_covariance_of_shared_respondents() -> None:
    rng = np.random.default_rng(4)
    rows = [
        (
            person,
            f"o{o}",
            "blog",
            float(np.clip(round(3 + 0.4 * o + taste + rng.normal(0, 0.4)), 1, 7)),
        )
        for person, taste in enumerate(rng.normal(0, 1.2, 60))
        for o in range(5)
    ]
    result = compute_index(answered(small_study([f"o{o}" for o in range(5)]), rows))
    found = rank_organizations(result, rules=LOOSE, rng=1)
    expected = rank_confidence_sets(
        result.index.values,
        result.index.covariance(),
        degrees_of_freedom=result.index.degrees_of_freedom,
        rng=1,
    )
    np.testing.assert_array_equal(found.low, expected.low)
    np.testing.assert_array_equal(found.high, expected.high)
    blind = rank_confidence_sets(result.index.values, result.index.standard_error, rng=1)
    assert (found.high - found.low).sum() < (blind.high - blind.low).sum()


def test_the_rows_of_a_ranking() -> None:
    result = published(VALUES, ERRORS)
    found = rank_organizations(result, rules=LOOSE, simultaneous=True, level=0.9, rng=1)
    first = found.to_rows()[0]
    assert first["organization"] == "o00"
    assert (first["rank"], first["of"], first["league"], first["reason"]) == (1, 8, 1, None)
    assert first["rank_low"] <= 1 <= first["rank_high"]  # type: ignore[operator]
    posterior = posterior_ranks(VALUES, ERRORS, prior="normal")
    np.testing.assert_allclose(found.expected_percentile, posterior.expected_percentile)
    np.testing.assert_allclose(found.probability_top, posterior.probability_top(3))
    np.testing.assert_allclose(found.probability_best, posterior.probability_top(1))
    assert list(found.to_frame("polars")["rank"]) == list(range(1, 9))
    assert "8 of 8 organizations ranked in 1 league (everyone)" in str(found)
    assert "all ranks at once at 90%" in str(found)
    html = found._repr_html_()
    assert "Ranks (90%)" in html
    assert "1–3" in html


def test_every_industry_is_a_league() -> None:
    result = published(
        [70.0, 60.0, 80.0, 50.0, 40.0, 30.0], [1.0] * 6, industry=["a", "a", "b", "b", None, "c"]
    )
    found = rank_organizations(result, "industry", rules=LOOSE, rng=1)
    np.testing.assert_array_equal(found.rank, [1, 2, 1, 2, np.nan, np.nan])
    np.testing.assert_array_equal(found.league, [1, 1, 2, 2, np.nan, np.nan])
    assert found.reasons.tolist() == ["", "", "", "", "unknown attribute", "few peers"]
    assert [notice.code for notice in found.notices] == ["unknown attribute", "few peers"]
    assert "each rank at 95%" in str(found)
    assert "note: 1 organizations have too few peers" in str(found)
    assert found.to_rows()[4]["rank"] is None
    assert found._repr_html_().count("–") > 1


def test_who_is_left_out_is_said() -> None:
    result = published([70.0, 60.0, np.nan, 50.0], [1.0, 1.0, 1.0, np.nan])
    found = rank_organizations(result, rules=LOOSE, rng=1)
    assert found.reasons.tolist() == ["", "", "missing score", "error not known"]
    assert [(n.code, n.keys) for n in found.notices] == [
        ("missing score", ("o02",)),
        ("error not known", ("o03",)),
    ]
    few = attrs.evolve(
        result, counts=attrs.evolve(result.counts, respondents=[100, 100, 100, np.nan])
    )
    codes = [notice.code for notice in rank_organizations(few, rules=LOOSE, rng=1).notices]
    assert codes[0] == "respondents not known"
    strict = rank_organizations(result, rng=1, rules=DisclosureRules(min_respondents_compare=101))
    assert strict.reasons[0] == "few respondents"
    assert np.isnan(strict.rank).all()
    assert "0 of 4 organizations ranked in 0 leagues" in str(strict)


def test_a_peer_group_may_leave_organizations_out() -> None:
    result = published([70.0, 60.0, 80.0], [1.0] * 3, sector=["x", "x", "y"])
    group = PeerGroup(key="x only", where={"sector": ["x"]})
    found = rank_organizations(result, group, rules=LOOSE, rng=1)
    assert found.reasons.tolist() == ["", "", "not in the group"]


def test_ranks_need_peers_of_each_other() -> None:
    result = published([70.0, 60.0], [1.0, 1.0], industry=["a", "b"])
    with pytest.raises(MethodError, match="each other's peers, got 'other industries'"):
        rank_organizations(result, "other industries", rules=LOOSE)
    with pytest.raises(DefinitionError, match="size_class"):
        rank_organizations(result, "size_class", rules=LOOSE)
    with pytest.raises(MethodError, match="top"):
        rank_organizations(result, top=0)


def test_observed_ranks_are_competition_ranks() -> None:
    sets = rank_confidence_sets([84.9, 83.5, 84.9, 82.4], [1.0] * 4, rng=1)
    np.testing.assert_array_equal(sets.rank, competition_rank([84.9, 83.5, 84.9, 82.4]))
