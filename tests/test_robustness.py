"""Robustness on cases whose answer is known, and its edges and errors."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from robust import OPEN, scored
from support import answered, small_study

from sotongindex._sobol import sobol_indices
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import IndexMethod, Powers, blend, compute_index
from sotongindex.models import GradeScale, Organization, Scale, SurveyItem
from sotongindex.results import IndexResult
from sotongindex.robustness import (
    AnyWeights,
    ConversionOptions,
    DropOne,
    MethodOptions,
    Sampling,
    SchemeOptions,
    WeightSpread,
    assess_robustness,
    effective_importance,
)
from sotongindex.tally import Tally
from sotongindex.weighting import EntropyWeights, EqualWeights, FixedWeights, WeightingScheme

BOTH = ("blog", "video")
SPREAD = WeightSpread(level="dimensions", spread=0.5)
THREE = np.array([[80.0, 60.0, 70.0], [50.0, 75.0, 58.0], [40.0, 42.0, 41.0], [20.0, 30.0, 10.0]])


def codes(result) -> dict[str, tuple[str, ...]]:
    return {notice.code: notice.keys for notice in result.notices}


# -- known answers -------------------------------------------------------------------------------


def test_leaving_out_gives_the_means_of_the_rest():
    values = [[80.0, 60.0, 40.0], [10.0, 20.0, 30.0]]
    found = assess_robustness(scored(values), DropOne(level="dimensions"), runs=400, rng=1)
    # Nothing, or the first, the second or the third left out: a quarter of the runs each.
    kinds, counts = np.unique(found.scores.round(9), axis=0, return_counts=True)
    assert kinds.tolist() == [[50, 25], [60, 20], [70, 15]]
    np.testing.assert_allclose(counts / 400, [0.25, 0.5, 0.25], atol=0.02)


def test_leaving_out_an_item_leaves_out_its_dimension_where_it_is_the_only_one():
    study = small_study(organizations=["a"], items=[("q1", "d1"), ("q2", "d2"), ("q3", "d2")])
    answers = answered(study, [(1, "a", "blog", 1, 7, 4), (2, "a", "blog", 1, 7, 4)])
    result = compute_index(answers)
    found = assess_robustness(result, DropOne(level="items"), runs=200, rng=1, rules=OPEN)
    # Points 0 | 100 50: all 37.5; without q1 75; without q2 25; without q3 50.
    assert sorted(set(found.scores.ravel().round(9))) == [25, 37.5, 50, 75]


def test_leaving_out_a_channel_is_no_score_where_there_is_no_other():
    study = small_study(
        organizations=[Organization(key="a", channels=["blog"]), "b", "c"],
        channels=("blog", "video"),
    )
    rows = [(n, o, c, 5) for n, o, c in ((1, "a", "blog"), (2, "b", "blog"), (3, "b", "video"))]
    result = compute_index(answered(study, [*rows, (4, "c", "video", 3), (5, "c", "blog", 2)]))
    found = assess_robustness(result, DropOne(level="channels"), runs=300, rng=1, rules=OPEN)
    assert found.present.tolist()[1:] == [1, 1]
    assert found.present[0] == pytest.approx(2 / 3, abs=0.02)
    assert codes(found)["missing in some runs"] == ("a",)
    assert np.isnan(found.sensitivity.organization_scores.total[0, 0])
    assert found.to_rows()[0]["driver"] is None
    np.testing.assert_allclose(found.rank_probability().sum(axis=1), 1)
    assert (found.rank_low[0], found.rank_high[0]) == (1, 1)


def test_shares_of_options_and_grades():
    result = scored([[81.0, 49.0], [60.0, 64.0]])
    schemes = [
        WeightingScheme(dimensions=FixedWeights({"d0": w, "d1": 1 - w})) for w in (0.0, 0.5, 1.0)
    ]
    found = assess_robustness(result, SchemeOptions(options=schemes), runs=300, rng=3)
    # The first has 49, 65, 81 and the second 64, 62, 60.
    np.testing.assert_allclose(found.order_shares(), [[0.5, 2 / 3], [1 / 3, 0.5]], atol=0.01)
    np.testing.assert_allclose(found.rank_probability()[0], [2 / 3, 1 / 3], atol=0.01)
    assert found.stable_orders().tolist() == [0, 0]
    scale = GradeScale(key="s", bands={"A": 80, "B": 62})
    np.testing.assert_allclose(
        found.grade_probability(scale), [[1 / 3, 1 / 3, 1 / 3], [0, 2 / 3, 1 / 3]], atol=0.01
    )
    low, high = found.probable_ranks()
    np.testing.assert_array_equal(low, found.rank_low)
    np.testing.assert_array_equal(high, found.rank_high)


def test_ties_share_their_ranks():
    found = assess_robustness(scored([[60.0, 60.0]] * 3 + [[50.0, 50.0]]), SPREAD, runs=10, rng=1)
    assert found.rank.tolist() == [1, 1, 1, 4]
    np.testing.assert_allclose(found.rank_probability()[:3, :3], 1 / 3)
    np.testing.assert_allclose(found.rank_probability()[3], [0, 0, 0, 1])
    assert found.order_shares()[0, 1] == 0.5
    assert found.stable_orders().tolist() == pytest.approx([1 / 3] * 3 + [1])


def test_a_power_of_zero_scores_is_defined():
    result = scored([[0.0, 60.0], [50.0, 50.0]])
    found = assess_robustness(
        result, MethodOptions(field="power", options=[1, 0, 0.2, 2]), runs=200, rng=1
    )
    assert sorted(set(found.scores[:, 0].round(6))) == pytest.approx(
        [0, 60 * 0.5**5, 30, 60 * 0.5**0.5], abs=1e-6
    )


def test_the_sampling_alone_has_the_errors_of_the_index():
    result = scored(THREE, [[1.0, 2.0, 3.0]] * 4)
    found = assess_robustness(result, Sampling(), runs=4000, rng=1)
    np.testing.assert_allclose(found.scores.std(axis=0), result.index.standard_error, rtol=0.05)
    np.testing.assert_allclose(found.score_low, result.index.low, atol=0.2)
    np.testing.assert_allclose(found.score_high, result.index.high, atol=0.2)
    np.testing.assert_allclose(found.sensitivity.scores.total, 1, atol=0.05)


def test_few_respondents_have_the_intervals_of_their_t_distribution():
    rng = np.random.default_rng(3)
    study = small_study(organizations=["a"], items=[("q1", "d1"), ("q2", "d2")])
    rows = [(n, "a", "blog", *rng.integers(3, 6, 2)) for n in range(5)]
    result = compute_index(answered(study, rows), method=IndexMethod(level=0.9))
    found = assess_robustness(result, Sampling(), runs=8000, rng=1, rules=OPEN, sensitivity=False)
    assert result.index.degrees_of_freedom[0] <= 4
    np.testing.assert_allclose(found.score_low, result.index.low, atol=0.7)
    np.testing.assert_allclose(found.score_high, result.index.high, atol=0.7)


def test_intervals_of_scores_stay_where_scores_can_be():
    found = assess_robustness(scored([[99.0, 99.0]], 5.0), Sampling(), runs=200, rng=1)
    assert found.scores.max() > 100
    assert found.score_high.tolist() == [100]


def test_another_conversion_is_one_of_the_same_respondents():
    """Under "fraction of top" 7-point scores are 600/7 % of the linear ones, plus 100/7."""
    rng = np.random.default_rng(5)
    study = small_study(organizations=["a", "b"], items=[("q1", "d1"), ("q2", "d1")])
    rows = [(n, "ab"[n % 2], "blog", *rng.integers(1, 8, 2)) for n in range(40)]
    answers = answered(study, rows)
    choices = [ConversionOptions(options=["linear", "fraction of top"]), Sampling()]
    found = assess_robustness(
        compute_index(answers), choices, answers=answers, runs=64, rng=1, rules=OPEN
    )
    # With the sampling settled, conversion moves scores by 100/7 - s/7: nearly the same for all.
    assert found.sensitivity.ranks.total[0] == 0
    assert found.sensitivity.ranks.first[1] == pytest.approx(1, abs=0.2)


def test_top_box_is_an_option():
    study = small_study(organizations=["a", "b"])
    answers = answered(study, [(n, "ab"[n % 2], "blog", 3 + n) for n in range(4)])
    choice = ConversionOptions(options=["top box"], boxes=3)
    found = assess_robustness(
        compute_index(answers), choice, answers=answers, runs=2, rng=1, rules=OPEN
    )
    assert found.scores[0].tolist() == [50, 50]
    assert answers.study.framework.items[0].scale == Scale()  # nothing was changed


# -- Sobol indices -------------------------------------------------------------------------------


def designs(function, dimensions, runs, seed=0):
    """Return outputs of two designs and of the first with one column of the second."""
    base, other = np.random.default_rng(seed).random((2, runs, dimensions))
    mixed = []
    for column in range(dimensions):
        swapped = base.copy()
        swapped[:, column] = other[:, column]
        mixed.append(function(swapped))
    return function(base), function(other), mixed


def ishigami(points):
    x, y, z = (2 * np.pi * (points - 0.5)).T
    return (np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x))[:, None]


def test_indices_of_an_additive_function_are_the_shares_of_its_variance():
    slopes = np.array([4.0, 2.0, 1.0, 0.0])
    base, other, mixed = designs(lambda u: np.stack([u @ slopes, u @ slopes[::-1]], 1), 4, 4000)
    found = sobol_indices(base, other, mixed, level=0.95, rng=np.random.default_rng(1))
    expected = np.array([slopes, slopes[::-1]]).T ** 2 / (slopes**2).sum()
    np.testing.assert_allclose(found.first, expected, atol=0.04)
    np.testing.assert_allclose(found.total, expected, atol=0.04)
    assert (found.first.sum(axis=0) <= 1.1).all()
    together = sobol_indices(
        base, other, mixed, level=0.95, rng=np.random.default_rng(1), together=True
    )
    np.testing.assert_allclose(together.total, expected.mean(axis=1), atol=0.04)


def test_indices_of_the_ishigami_function_are_the_known_ones():
    """Ishigami and Homma (1990) with a = 7, b = 0.1: the values of Saltelli's books."""
    found = sobol_indices(*designs(ishigami, 3, 20_000), level=0.95, rng=np.random.default_rng(1))
    np.testing.assert_allclose(found.first[:, 0], [0.3139, 0.4424, 0.0], atol=0.03)
    np.testing.assert_allclose(found.total[:, 0], [0.5576, 0.4424, 0.2437], atol=0.03)


def test_total_indices_are_those_of_salib():
    """SALib 1.6.0, `sobol.analyze` of the same 64 x 5 outputs; it centres and scales them first."""
    found = sobol_indices(*designs(ishigami, 3, 64), level=0.95, rng=np.random.default_rng(1))
    expected = [0.5650617973724216, 0.36552368964566256, 0.2090644511967934]
    np.testing.assert_allclose(found.total[:, 0], expected, rtol=1e-12)


def test_intervals_of_indices_hold_them_as_often_as_they_say():
    held = []
    for seed in range(60):
        found = sobol_indices(
            *designs(ishigami, 3, 300, seed), level=0.9, rng=np.random.default_rng(seed)
        )
        truth = np.array([[0.3139, 0.4424, 0.0], [0.5576, 0.4424, 0.2437]])
        low, high = (np.stack([getattr(found, f"first_{e}"), getattr(found, f"total_{e}")])[..., 0]
                     for e in ("low", "high"))  # fmt: skip
        held.append((low <= truth) & (truth <= high))
    # Three Monte-Carlo errors of 360 intervals at 90 % are 5 points; they depend on each other.
    assert np.mean(held) == pytest.approx(0.9, abs=0.06)


def test_the_choice_that_matters_is_told():
    """The second organization's rank hangs on the weights, the others' on nothing."""
    found = assess_robustness(
        scored([[80.0, 10.0], [30.0, 58.0], [1.0, 2.0]]),
        [AnyWeights(level="dimensions"), MethodOptions(field="min_share", options=[0.2, 0.5])],
        runs=512,
        rng=1,
    )
    sensitivity = found.sensitivity
    assert sensitivity.driver() == ["weights of dimensions", "weights of dimensions", None]
    assert sensitivity.driver("scores")[2] == "weights of dimensions"
    assert sensitivity.ranks.total[1] == 0
    assert sensitivity.ranks.first[0] == pytest.approx(1, abs=0.1)


def test_sampling_and_weights_share_the_variance():
    found = assess_robustness(
        scored(THREE, 2.0), [SPREAD, Sampling()], runs=1000, rng=1, prior="flat"
    )
    scores = found.sensitivity.scores
    assert scores.first.sum() == pytest.approx(1, abs=0.1)  # nearly additive
    # By the variances of each alone.
    alone = [
        np.var(assess_robustness(scored(THREE, 2.0), one, runs=2000, rng=2).scores, axis=0).sum()
        for one in (SPREAD, Sampling())
    ]
    np.testing.assert_allclose(scores.total, alone / np.sum(alone), atol=0.06)


# -- effective importance ------------------------------------------------------------------------


def test_importance_is_the_squared_correlation_where_all_is_linear():
    rng = np.random.default_rng(2)
    values = 50 + rng.normal(0, [2.0, 6.0, 0.0], (400, 3))
    result = scored(values, weights=[0.5, 0.3, 0.2])
    found = effective_importance(result, rng=1)
    spread = np.array([0.5 * 2, 0.3 * 6, 0.0]) ** 2
    np.testing.assert_allclose(found.ratio, spread / spread.sum(), atol=0.05)
    np.testing.assert_allclose(found.share, found.ratio / found.ratio.sum())
    np.testing.assert_allclose(found.correlation[:2] ** 2, found.ratio[:2], atol=0.01)
    assert (found.ratio_low <= found.ratio).all()
    assert (found.ratio <= found.ratio_high).all()
    assert found.weight.tolist() == pytest.approx([0.5, 0.3, 0.2])
    assert (found.correlation[2], found.ratio[2]) == (0, 0)


def test_importance_sees_what_a_correlation_does_not():
    x = np.linspace(-1, 1, 101)
    values = np.stack([50 + 10 * x, 20 + 60 * x**2], axis=1)
    found = effective_importance(scored(values, weights=[0.001, 0.999]), rng=1)
    assert abs(found.correlation[0]) < 0.01
    assert found.ratio[0] > 0.99


def test_importance_of_channels_and_items():
    rng = np.random.default_rng(4)
    study = small_study(
        organizations=tuple("abcdef"),
        channels=("blog", "video"),
        items=[("q1", "d1"), ("q2", "d1")],
    )
    rows = [
        (n, "abcdef"[n % 6], ("blog", "video")[n // 6 % 2], *rng.integers(1, 8, 2))
        for n in range(72)
    ]
    result = compute_index(
        answered(study, rows),
        scheme=WeightingScheme(items=FixedWeights({"q1": 0.25, "q2": 0.75})),
    )
    items = effective_importance(result, "items", rng=1)
    assert items.parts == ("q1", "q2")
    assert items.weight.tolist() == [0.25, 0.75]
    by_channel = effective_importance(result, "channels", interval_level=0.5, rng=1)
    assert by_channel.weight.tolist() == [0.5, 0.5]
    assert by_channel.to_rows()[0]["channel"] == "blog"
    assert str(by_channel).startswith("weight > effective importance of channels: blog 0.50 >")


def test_importance_says_what_it_lacks():
    with pytest.raises(MethodError, match="expected 5 organizations or more with a score in 'd0'"):
        effective_importance(scored(THREE))
    with pytest.raises(MethodError, match="'item'; did you mean 'items'"):
        effective_importance(scored(THREE), "item")
    with pytest.raises(MethodError, match="a result from scores has no items"):
        effective_importance(scored(np.tile(THREE, (2, 1))), "items")


# -- edges ---------------------------------------------------------------------------------------


def test_one_organization_is_first_for_certain():
    for prior in ("normal", "flat"):
        found = assess_robustness(
            scored([[60.0, 50.0]], 1.0), [SPREAD, Sampling()], runs=20, rng=1, prior=prior
        )
        assert (found.rank_low, found.rank, found.rank_high) == ([1], [1], [1])
        assert found.rank_probability().tolist() == [[1]]
        assert np.isnan(found.stable_orders()).all()  # there is nobody else
        assert found.sensitivity.ranks.total.tolist() == [0, 0]


def test_an_organization_without_a_score_is_left_out():
    values = THREE.copy()
    values[1] = np.nan
    found = assess_robustness(scored(values), SPREAD, runs=20, rng=1)
    assert codes(found)["missing score"] == ("o1",)
    row = found.to_rows()[1]
    assert (row["rank"], row["rank_low"], row["present"]) == (None, None, None)
    assert row["reason"] == "missing score"
    assert np.isnan(found.scores[:, 1]).all()
    assert found.rank.tolist()[2] == 2
    assert np.isnan(found.rank_probability()[1]).all()
    assert np.isnan(found.grade_probability(GradeScale(key="s", bands={"A": 50}))[1]).all()


def test_nobody_with_a_score_is_an_empty_analysis():
    found = assess_robustness(scored(np.full((2, 2), np.nan)), SPREAD, runs=4, rng=1)
    assert np.isnan(found.rank_low).all()
    assert np.isnan(found.rank_probability()).all()
    assert "0 of 2 organizations" in str(found)
    found._repr_html_()


def test_an_unknown_error_matters_only_where_respondents_are_varied():
    result = scored(THREE, [[1.0] * 3, [np.nan] * 3, [1.0] * 3, [2.0] * 3])
    assert (assess_robustness(result, SPREAD, runs=4, rng=1).reasons == "").all()
    found = assess_robustness(result, [SPREAD, Sampling()], runs=40, rng=1)
    assert codes(found)["error not known"] == ("o1",)


def test_few_respondents_are_left_out_by_the_rules():
    study = small_study(organizations=["a", "b"])
    rows = [(n, "a", "blog", 4) for n in range(35)] + [(90 + n, "b", "blog", 5) for n in range(5)]
    found = assess_robustness(compute_index(answered(study, rows)), Sampling(), runs=20, rng=1)
    assert codes(found)["few respondents"] == ("b",)


def test_a_score_missing_in_some_runs_is_told_from_nobody():
    study = small_study(
        organizations=[Organization(key="a", channels=["blog"]), "b", "c"],
        channels=("blog", "video"),
    )
    rng = np.random.default_rng(2)
    rows = [
        (n, o, c, rng.integers(low, low + 2))
        for n in range(40)
        for o, low, channels in (("a", 6, ["blog"]), ("b", 3, BOTH), ("c", 1, BOTH))
        for c in channels
    ]
    result = compute_index(answered(study, rows))
    found = assess_robustness(result, [DropOne(level="channels"), Sampling()], runs=100, rng=1)
    assert (found.rank_low[0], found.rank_high[0]) == (1, 3)
    assert found.rank_low.tolist()[1:] == [1, 2]
    assert found.rank_high.tolist()[1:] == [2, 3]


def test_weights_of_zero_stay_out():
    result = scored([[90.0, 50.0, 40.0], [10.0, 60.0, 50.0]], weights=[0.0, 0.5, 0.5])
    choices = [AnyWeights(level="dimensions"), DropOne(level="dimensions")]
    found = assess_robustness(result, choices, runs=100, rng=1)
    assert (found.ranks[:, 0] == 2).all()


def test_dimensions_with_rules_of_their_own_vary_channel_by_channel():
    study = small_study(
        organizations=["a"], channels=("blog", "video"), items=[("q1", "d1"), ("q2", "d2")]
    )
    answers = answered(study, [(1, "a", "blog", 1, 7), (2, "a", "video", 7, 1)])
    shared = compute_index(answers)
    own = compute_index(
        answers,
        scheme=WeightingScheme(dimensions={"blog": EqualWeights(), "video": EqualWeights()}),
    )
    first = assess_robustness(shared, SPREAD, runs=50, rng=1, rules=OPEN)
    second = assess_robustness(own, SPREAD, runs=50, rng=1, rules=OPEN)
    # One factor for both channels: what one gains the other loses.
    np.testing.assert_allclose(first.scores, 50)
    assert second.scores.std() > 1


def test_learned_weights_stay_as_they_were_learned():
    rng = np.random.default_rng(6)
    study = small_study(organizations=tuple("abcdef"), items=[("q1", "d1"), ("q2", "d2")])
    rows = [(n, "abcdef"[n % 6], "blog", 1 + n % 7, rng.integers(3, 6)) for n in range(90)]
    answers, scheme = answered(study, rows), WeightingScheme(dimensions=EntropyWeights())
    learned = compute_index(answers, scheme=scheme)
    assert learned.weights.dimensions[0, 0] != 0.5
    order = MethodOptions(field="order", options=["items first", "respondents first"])
    still = assess_robustness(learned, order, answers=answers, runs=4, rng=1, rules=OPEN)
    np.testing.assert_allclose(still.scores, np.tile(learned.index.values, (4, 1)))
    other = assess_robustness(
        compute_index(answers), SchemeOptions(options=[scheme]), runs=2, rng=1, rules=OPEN
    )
    np.testing.assert_allclose(other.scores[0], learned.index.values)
    published = scored(THREE)
    drawn = assess_robustness(published, SchemeOptions(options=[scheme]), runs=2, rng=1)
    anew = scored(THREE, scheme=scheme)
    np.testing.assert_allclose(drawn.scores[0], anew.index.values)


def test_a_tally_and_a_blend_are_results_too():
    study = small_study(organizations=["a", "b"], items=[("q1", "d1"), ("q2", "d2")])
    answers = answered(study, [(n, "ab"[n % 2], "blog", 1 + n % 7, 7 - n % 5) for n in range(60)])
    by_tally = compute_index(Tally.from_responses(answers, groups=1))
    by_answers = compute_index(answers)
    first, second = (
        assess_robustness(one, SPREAD, runs=20, rng=1, rules=OPEN) for one in (by_tally, by_answers)
    )
    np.testing.assert_allclose(first.scores, second.scores)
    blended = blend({"customers": (by_answers, 0.7), "experts": (by_answers, 0.3)})
    found = assess_robustness(blended, [SPREAD, Sampling()], runs=40, rng=1, rules=OPEN)
    np.testing.assert_allclose(found.score_median, blended.index.values, atol=3)
    assert (found.rank_high == 2).any()


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WeightSpread(level="dimension"), "did you mean 'dimensions'"),
        (lambda: AnyWeights(level="x"), "expected one of 'channels', 'dimensions', 'items'"),
        (lambda: DropOne(level=None), "DropOne.level"),
        (lambda: WeightSpread(level="items", spread=-0.1), "a share from 0 to 1, got -0.1"),
        (lambda: WeightSpread(level="items", spread=1.5), "a larger spread makes weights negative"),
        (lambda: WeightSpread(level="items", spread=np.nan), "expected a finite number, got nan"),
        (lambda: SchemeOptions(options=[]), "SchemeOptions.options: expected one option or more"),
        (lambda: MethodOptions(field="level", options=[0.9]), "MethodOptions.field"),
        (lambda: MethodOptions(field="power", options=[1, 1.0]), "option 1.0 is given twice"),
        (lambda: MethodOptions(field="power", options=[np.inf]), "expected a finite number"),
        (lambda: MethodOptions(field="min_share", options=[2]), "a share from 0 to 1, got 2"),
        (lambda: MethodOptions(field="order", options="respondents"), "IndexMethod.order"),
        (lambda: ConversionOptions(options=["lineal"]), "did you mean 'linear'"),
    ],
)
def test_choices_that_contradict_themselves(make, message):
    with pytest.raises(DefinitionError, match=message):
        make()


def test_powers_are_an_option():
    options = [Powers(items=1, dimensions=0, channels=1), 1.0]
    found = assess_robustness(
        scored(THREE), MethodOptions(field="power", options=options), runs=2, rng=1
    )
    assert len(found.scores) == 2


@pytest.mark.parametrize(
    ("choices", "more", "message"),
    [
        ([], {}, "choices: expected one choice or more, got none; try WeightSpread"),
        (["weights"], {}, "expected choices such as WeightSpread or Sampling, got 'weights'"),
        ([SPREAD, AnyWeights(level="dimensions")], {}, "'weights of dimensions' is varied by two"),
        (AnyWeights(level="items"), {}, "starts from dimensions and has no items to vary"),
        (MethodOptions(field="min_answers", options=[2]), {}, "min_answers"),
        (ConversionOptions(options=["linear"]), {}, "conversion"),
        (DropOne(level="channels"), {}, "only one of the channels has weight"),
        (SPREAD, {"runs": 1}, "runs: expected 2 or more, got 1"),
        (Sampling(), {"runs": 10}, "runs: expected at least 20 runs for a level of 0.95, got 10"),
        (SPREAD, {"runs": 2.5}, "runs: expected a whole number"),
        (SPREAD, {"level": 1.0}, "level: expected a share between 0 and 1, got 1.0"),
        (SPREAD, {"prior": "normla"}, "did you mean 'normal'"),
    ],
)
def test_analyses_that_cannot_be_made(choices, more, message):
    with pytest.raises(MethodError, match=message):
        assess_robustness(scored(THREE), choices, **more)


def test_a_scheme_that_does_not_fit_is_named():
    with pytest.raises(DefinitionError, match="unknown key 'd9'"):
        assess_robustness(
            scored(THREE),
            SchemeOptions(options=WeightingScheme(dimensions=FixedWeights({"d9": 1.0}))),
        )


def test_the_answers_are_asked_for_where_they_are_needed():
    study = small_study()
    answers = answered(study, [(1, "a", "blog", 4), (2, "b", "blog", 5)])
    result = compute_index(answers)
    order = MethodOptions(field="order", options=["items first", "respondents first"])
    with pytest.raises(MethodError, match=r"need the responses .* got NoneType; give answers"):
        assess_robustness(result, order)
    with pytest.raises(MethodError, match="got Tally"):
        assess_robustness(result, order, answers=Tally.from_responses(answers))
    other = answered(attrs.evolve(study, key="other"), [(1, "a", "blog", 4)])
    with pytest.raises(MethodError, match="expected answers to the study 'small'"):
        assess_robustness(result, order, answers=other)
    negative = small_study(items=[SurveyItem(key="q", dimension="d", scale=Scale(low=-3, high=3))])
    answers = answered(negative, [(1, "a", "blog", 2), (2, "b", "blog", 1)])
    with pytest.raises(DefinitionError, match="a scale that starts at 0"):
        assess_robustness(
            compute_index(answers), ConversionOptions(options=["fraction of top"]), answers=answers
        )


def test_a_published_index_is_not_made_of_its_parts():
    study = small_study(items=[("q1", "d0"), ("q2", "d1")])
    frame = {"organization": ["a", "b"], "d0": [60, 50], "d1": [70, 40], "all": [66, 45]}
    result = IndexResult.from_scores(frame, study, index="all")
    with pytest.raises(MethodError, match="the index of 1 organizations, the first 'a', is not"):
        assess_robustness(result, SPREAD)


# -- for people ------------------------------------------------------------------------------------


def test_rows_frames_and_text():
    found = assess_robustness(
        scored(THREE, 2.0), [SPREAD, DropOne(level="dimensions"), Sampling()], runs=64, rng=1
    )
    text = str(found)
    assert text.startswith("4 of 4 organizations in 64 runs; varied: weights of dimensions, ")
    assert "shares of the variance of ranks: " in text
    frame = found.to_frame("polars")
    assert frame["organization"].to_list() == ["o0", "o1", "o2", "o3"]
    shares = found.sensitivity.to_frame("pandas")
    assert shares.shape == (6, 8)
    assert set(shares["output"]) == {"scores", "ranks"}
    html = found._repr_html_()
    assert "Driven by" in html
    assert "주된 요인" in html
    assert "차원 가중치" in found.sensitivity._repr_html_()
    importance = effective_importance(scored(np.tile(THREE, (2, 1)) + np.arange(8)[:, None]), rng=1)
    assert "실제 영향" in importance._repr_html_()


def test_without_sensitivity_there_are_no_drivers():
    found = assess_robustness(scored(THREE), SPREAD, runs=8, rng=1, sensitivity=False)
    assert found.sensitivity is None
    assert found.to_rows()[0]["driver"] is None
    assert "variance" not in str(found)
    full = assess_robustness(scored(THREE), SPREAD, runs=8, rng=1)
    np.testing.assert_array_equal(found.scores, full.scores)
