"""Percentile ranks with their uncertainty: by hand, by simulation, and at the edges."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from scipy import special
from support import answered, small_study

from sotongindex._standing import joint_draws, posterior_scale
from sotongindex.benchmark import DisclosureRules, compare_to_peers
from sotongindex.datasets import sample_panel
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import compute_index
from sotongindex.models import Organization
from sotongindex.peer_groups import widen_peers
from sotongindex.percentiles import percentile_rank
from sotongindex.results import IndexResult
from sotongindex.standing import StandingResult, assess_standing
from sotongindex.variance import Estimates

LOOSE = DisclosureRules(
    min_peers_mean=1, min_peers_rank=1, min_respondents_show=1, min_respondents_compare=1
)
PARTS = ("expected", "standard_deviation", "low", "high")


def scored(
    scores: list[float],
    errors: list[float] | float | None = None,
    industries: list[str | None] | None = None,
) -> IndexResult:
    """A result of published scores, everyone in one industry unless told otherwise."""
    industries = industries or ["all"] * len(scores)
    study = small_study(
        [Organization(key=f"o{n}", industry=industry) for n, industry in enumerate(industries)]
    )
    frame = {"organization": list(study.organization_keys), "d1": np.array(scores, dtype=float)}
    if errors is None:
        return IndexResult.from_scores(frame, study)
    frame["error"] = np.broadcast_to(np.array(errors, dtype=float), len(scores))
    return IndexResult.from_scores(frame, study, standard_errors={"d1": "error"})


def assess(result: IndexResult, **more: object) -> StandingResult:
    return assess_standing(result, **{"rules": LOOSE, **more})


# -- the errors of the scores ----------------------------------------------------------------------


def test_the_expected_percentile_is_the_mean_of_pairwise_probabilities() -> None:
    scores, errors = [50.0, 52.0, 53.0, 60.0], [1.0, 2.0, 0.5, 3.0]
    standing = assess(scored(scores, errors))
    for own in range(4):
        chances = [
            special.ndtr((scores[own] - scores[j]) / np.hypot(errors[own], errors[j]))
            for j in range(4)
            if j != own
        ]
        assert standing.sampling.expected[own] == pytest.approx(100 * np.mean(chances))


def test_two_organizations_have_the_probabilities_of_one_difference() -> None:
    standing = assess(scored([50.0, 53.0], [3.0, 4.0]), draws=40_000, top=1)
    chance = special.ndtr(3 / 5)
    for found in (standing.chances.best, standing.chances.above_median, standing.chances.top):
        np.testing.assert_allclose(found, [1 - chance, chance], atol=0.01)
    np.testing.assert_allclose(standing.sampling.expected, [100 - 100 * chance, 100 * chance])
    assert standing.chances.top_quartile.tolist() == standing.chances.best.tolist()
    assert standing.sampling.low.tolist() == [0, 0]
    assert standing.sampling.high.tolist() == [100, 100]


def test_without_errors_everything_is_what_was_observed() -> None:
    scores = [50.0, 52.0, 52.0, 56.0, 58.0, 70.0, 70.0]
    standing = assess(scored(scores, 0.0), top=2)
    observed = percentile_rank(scores)
    np.testing.assert_array_equal(standing.percentile, observed)
    for found in (standing.sampling.expected, standing.sampling.low, standing.sampling.high):
        np.testing.assert_allclose(found, observed)
    assert standing.sampling.standard_deviation.tolist() == [0] * 7
    chances = standing.chances
    assert chances.above_median.tolist() == [0, 0, 0, 0.5, 1, 1, 1]
    assert chances.top_quartile.tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert chances.top.tolist() == chances.best.tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert standing.sampling_share.tolist() == [0] * 7
    np.testing.assert_allclose(standing.both.expected, standing.finite_peers.expected)
    np.testing.assert_allclose(
        standing.both.standard_deviation, standing.finite_peers.standard_deviation
    )


def test_an_exact_score_among_uncertain_ones_keeps_still() -> None:
    result = scored([50.0, 60.0, 70.0], [0.0, 1.0, 0.0])
    drawn = joint_draws(
        result.index.values, result.index.covariance(), draws=100, rng=np.random.default_rng(0)
    )
    assert (drawn[:, 0] == 50).all()
    assert (drawn[:, 2] == 70).all()
    assert drawn[:, 1].std() == pytest.approx(1.0, rel=0.3)
    assert drawn[:, 1].mean() == pytest.approx(60.0)


def test_draws_have_the_joint_covariance_of_shared_respondents() -> None:
    rng = np.random.default_rng(3)
    study = small_study([f"o{n}" for n in range(6)])
    rows = []
    for person in range(80):
        kindness = rng.normal(0, 1.2)
        for place in rng.permutation(6)[:3]:
            answer = np.clip(round(4 + kindness + rng.normal(0, 1)), 1, 7)
            rows.append((person, f"o{place}", "blog", answer))
    index = compute_index(answered(study, rows)).index
    covariance = index.covariance()
    drawn = joint_draws(index.values, covariance, draws=20_000, rng=rng)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.06 * covariance.max())
    assert (covariance[np.triu_indices(6, 1)] > 0).all()


def test_the_t_distribution_widens_errors_up_to_where_its_variance_exists() -> None:
    scale = posterior_scale(np.array([np.inf, 29.0, 4.0, 2.0, 0.0]))
    np.testing.assert_allclose(scale[:3], [1.0, np.sqrt(29 / 27), np.sqrt(2)])
    assert np.isnan(scale[3:]).all()


# -- the finite number of peers --------------------------------------------------------------------


def test_the_finite_number_of_peers_is_a_beta_distribution() -> None:
    scores = list(np.arange(11.0))
    standing = assess(scored(scores, 0.0))
    below = np.arange(11)
    found = standing.finite_peers
    np.testing.assert_allclose(found.expected, 100 * (below + 1) / 12)
    np.testing.assert_allclose(found.low, 100 * special.betaincinv(below + 1, 11 - below, 0.025))
    np.testing.assert_allclose(found.high, 100 * special.betaincinv(below + 1, 11 - below, 0.975))
    variance = (below + 1) * (11 - below) / (12**2 * 13)
    np.testing.assert_allclose(found.standard_deviation, 100 * np.sqrt(variance))


def test_both_errors_without_sampling_error_are_the_beta_distribution() -> None:
    standing = assess(scored(list(np.arange(11.0)), 0.0), draws=40_000)
    np.testing.assert_allclose(standing.both.low, standing.finite_peers.low, atol=1.0)
    np.testing.assert_allclose(standing.both.high, standing.finite_peers.high, atol=1.0)


def test_the_variances_of_both_sources_add_up() -> None:
    rng = np.random.default_rng(1)
    standing = assess(scored(rng.normal(55, 4, 30).tolist(), 2.0))
    total = standing.both.standard_deviation**2
    sampled = (29 / 31 * standing.sampling.standard_deviation) ** 2
    np.testing.assert_allclose(standing.sampling_share, sampled / total)
    assert (total > sampled).all()
    assert ((standing.sampling_share > 0.1) & (standing.sampling_share < 1)).all()


def test_intervals_cover_the_true_percentile_of_the_field() -> None:
    rng = np.random.default_rng(7)
    held = {"sampling": [], "both": []}
    for _ in range(40):
        truth = rng.normal(55, 4, 25)
        seen = truth + rng.normal(0, 2, 25)
        standing = assess(scored(seen.tolist(), 2.0), draws=400)
        targets = {
            "sampling": percentile_rank(truth),
            "both": 100 * special.ndtr((truth - 55) / 4),
        }
        for name, target in targets.items():
            part = getattr(standing, name)
            held[name].append((part.low <= target) & (target <= part.high))
    assert 0.93 < np.mean(held["sampling"]) <= 0.995
    assert 0.93 < np.mean(held["both"]) <= 0.995


def test_expected_percentiles_are_nearer_the_truth_than_observed_ones() -> None:
    rng = np.random.default_rng(8)
    losses = []
    for _ in range(40):
        truth = rng.normal(55, 3, 30)
        standing = assess(scored((truth + rng.normal(0, 3, 30)).tolist(), 3.0), draws=2)
        target = percentile_rank(truth)
        losses.append(
            [
                np.mean((standing.sampling.expected - target) ** 2),
                np.mean((standing.percentile - target) ** 2),
            ]
        )
    expected, observed = np.mean(losses, axis=0)
    assert expected < 0.95 * observed


# -- groups ----------------------------------------------------------------------------------------


def test_other_industries_are_counted_without_the_organization_in_them() -> None:
    industries = ["a"] * 3 + ["b"] * 4
    standing = assess(scored([1, 2, 3, 1.5, 2.5, 3.5, 9.0], 0.0, industries), by="other industries")
    assert standing.others.tolist() == [4, 4, 4, 3, 3, 3, 3]
    np.testing.assert_allclose(standing.percentile[:3], [0, 25, 50])
    np.testing.assert_allclose(standing.sampling.expected, standing.percentile)


def test_the_percentile_is_that_of_the_comparison() -> None:
    panel = sample_panel(respondents=600)
    result = compute_index(panel.responses)
    for by in ("industry", "sector", widen_peers(result, rules=LOOSE)):
        standing = assess(result, by=by, draws=10)
        comparison = compare_to_peers(result, by, rules=LOOSE, levels=["index"]).comparison()
        np.testing.assert_allclose(standing.percentile, comparison.percentile)
        np.testing.assert_array_equal(standing.others, comparison.others)
        np.testing.assert_array_equal(standing.reasons, comparison.suppressions.standing)


def test_an_assignment_says_with_which_group_each_was_compared() -> None:
    industries = ["a"] * 12 + ["b"] * 3
    result = scored(list(np.arange(15.0) + 50), 1.0, industries)
    standing = assess_standing(result, widen_peers(result))
    assert standing.groups == ("industry",) * 12 + ("everyone",) * 3
    assert standing.others.tolist() == [11] * 12 + [14] * 3


def test_a_channel_or_a_dimension_can_be_placed() -> None:
    result = scored(list(np.arange(12.0)), 1.0)
    whole, part = assess_standing(result), assess_standing(result, channel="blog", dimension="d1")
    np.testing.assert_array_equal(whole.percentile, part.percentile)
    assert part.to_rows()[0]["dimension"] == "d1"
    with pytest.raises(DefinitionError, match="blog"):
        assess_standing(result, channel="blok")


# -- what is not shown -----------------------------------------------------------------------------


def test_few_peers_hide_everything_and_say_so() -> None:
    standing = assess_standing(scored([50.0, 60.0, 70.0], 1.0))
    assert standing.reasons.tolist() == ["few peers"] * 3
    for name in ("sampling", "finite_peers", "both"):
        for part in PARTS:
            assert np.isnan(getattr(getattr(standing, name), part)).all()
    assert {row["reason"] for row in standing.to_rows()} == {"few peers"}
    assert standing.to_rows()[0]["score"] is None
    assert str(standing).startswith("0 of 3 organizations")


def test_unknown_attributes_and_missing_scores_have_their_reasons() -> None:
    result = scored([50.0, np.nan, 55.0, 60.0], 1.0, ["a", "a", "a", None])
    standing = assess(result)
    assert standing.reasons.tolist() == ["", "missing score", "", "unknown attribute"]
    assert standing.others[:3].tolist() == [1, 2, 1]
    assert {notice.code for notice in standing.notices} >= {"unknown attribute"}


def test_an_unknown_error_leaves_the_finite_number_of_peers() -> None:
    errors = [1.0, np.nan, 1.0, 1.0, 1.0]
    standing = assess(scored([50, 51, 52, 53, 54.0], errors, ["a", "a", "a", "b", "b"]))
    assert standing.uncertain_reasons.tolist() == ["unknown error"] * 3 + [""] * 2
    assert np.isnan(standing.sampling.low).tolist() == [True] * 3 + [False] * 2
    assert not np.isnan(standing.finite_peers.low).any()
    assert np.isnan(standing.chances.best).tolist() == [True] * 3 + [False] * 2
    notice = next(notice for notice in standing.notices if notice.code == "unknown error")
    assert notice.keys == ("o0", "o1", "o2")
    assert "unknown error" in {row["reason"] for row in standing.to_rows()}


def test_published_scores_without_errors_have_only_finite_peers() -> None:
    standing = assess(scored([50.0, 60.0, 70.0]))
    assert np.isnan(standing.both.expected).all()
    assert standing.finite_peers.expected.tolist() == [25, 50, 75]


@pytest.mark.parametrize(
    ("more", "argument"), [({"top": 0}, "top"), ({"draws": 1}, "draws"), ({"level": 1.0}, "level")]
)
def test_settings_out_of_range_are_refused(more: dict[str, float], argument: str) -> None:
    with pytest.raises(MethodError, match=argument):
        assess(scored([50.0, 60.0], 1.0), **more)


# -- the record ------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_numbers_and_another_nearly_so() -> None:
    result = scored(list(np.linspace(50, 60, 12)), 2.0)
    first, second, other = (assess_standing(result, rng=seed) for seed in (1, 1, 2))
    for name in ("above_median", "top_quartile", "top", "best"):
        a, b, c = (getattr(one.chances, name) for one in (first, second, other))
        np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(a, c, atol=0.05)
    np.testing.assert_array_equal(first.both.high, second.both.high)
    generator = assess_standing(result, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(generator.both.high, first.both.high)


def test_a_higher_level_widens_intervals() -> None:
    result = scored(list(np.linspace(50, 60, 12)), 2.0)
    narrow, wide = (assess_standing(result, level=level) for level in (0.5, 0.99))
    for name in ("sampling", "finite_peers", "both"):
        assert (getattr(wide, name).low <= getattr(narrow, name).low).all()
        assert (getattr(wide, name).high >= getattr(narrow, name).high).all()
    assert attrs.evolve(wide, level=0.9).level == 0.9


def test_rows_frame_text_and_notebook() -> None:
    standing = assess_standing(scored(list(np.arange(30.0) + 40), 2.0), top=5)
    rows = standing.to_rows()
    assert len(rows) == 30
    assert rows[3]["probability_top_5"] == standing.chances.top[3]
    assert rows[3]["both_low"] == standing.both.low[3]
    assert list(standing.to_frame()["percentile"]) == standing.percentile.tolist()
    page = standing._repr_html_()
    assert "the same industry" in page
    assert "10 more rows" in page
    assert str(standing).splitlines()[0] == (
        "30 of 30 organizations with a percentile rank, 30 of them with an interval"
    )


def test_an_error_that_all_share_moves_nobodys_place() -> None:
    alone = scored([55.0, 56.0, 58.0], 0.5)
    parts = Estimates.independent([55.0, 56.0, 58.0, 0.0], [0.5, 0.5, 0.5, 5.0])
    index = parts.transform(np.hstack([np.eye(3), np.ones((3, 1))]))
    shared = assess(attrs.evolve(alone, index=index))
    apart = assess(alone)
    assert (index.standard_error > 5).all()
    np.testing.assert_allclose(shared.sampling.expected, apart.sampling.expected)
    np.testing.assert_allclose(shared.chances.best, apart.chances.best, atol=0.03)
