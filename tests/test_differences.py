"""Which differences are real: p-values, funnels, verdicts, and what is not judged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import special
from support import answered, small_study
from test_html import parse

from sotongindex._html import view_html
from sotongindex.benchmark import DisclosureRules, compare_to_peers
from sotongindex.differences import (
    DifferenceResult,
    adjust_p_values,
    differences_from_peers,
    differences_from_spread,
    funnel_limits,
    pairwise_differences,
)
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import compute_index
from sotongindex.models import Organization
from sotongindex.results import IndexResult

LOOSE = DisclosureRules(
    min_peers_mean=1,
    min_peers_rank=1,
    min_respondents_show=1,
    min_respondents_compare=1,
    min_respondents_band=1,
)

# Benjamini and Hochberg (1995), table of section 3.2, and R's p.adjust.
BH_1995 = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
    0.6528, 0.7590, 1.0000,
]  # fmt: skip
P_ADJUST = {
    "bonferroni": [0.0015, 0.006, 0.0285, 0.1425, 0.3015, 0.417, 0.447, 0.516, 0.6885],
    "holm": [0.0015, 0.0056, 0.0247, 0.114, 0.2211, 0.278, 0.278, 0.278, 0.3213],
    "benjamini-hochberg": [
        0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.0638571428571429, 0.0638571428571429, 0.0645,
        0.0765,
    ],
    "benjamini-yekutieli": [
        0.00497734348984349, 0.00995468697968698, 0.0315231754356754, 0.118211907883783,
        0.200089208291708, 0.211892622853337, 0.211892622853337, 0.21402577006327,
        0.253844517982018,
    ],
}  # fmt: skip


def scored(
    scores: Sequence[float],
    errors: Sequence[float] | float | None = 1.0,
    *,
    respondents: Sequence[float] | None = None,
    industries: Sequence[str | None] | None = None,
    dimensions: Sequence[str] = ("d1",),
) -> IndexResult:
    """A result of published scores, the same in every dimension."""
    keys = [f"o{n:02d}" for n in range(len(scores))]
    study = small_study(
        [
            Organization(key=key, industry=industry)
            for key, industry in zip(keys, industries or ["all"] * len(keys), strict=True)
        ],
        items=[(f"q_{dimension}", dimension) for dimension in dimensions],
    )
    frame: dict[str, Any] = {
        "organization": keys,
        "n": np.array(respondents or [100.0] * len(keys)),
    }
    for dimension in dimensions:
        frame[dimension] = np.array(scores, dtype=float)
    given = {}
    if errors is not None:
        frame["error"] = np.broadcast_to(np.array(errors, dtype=float), len(keys)).copy()
        given = dict.fromkeys(dimensions, "error")
    return IndexResult.from_scores(frame, study, standard_errors=given, respondents="n")


def of_peers(result: IndexResult, **options: Any) -> DifferenceResult:
    benchmark = compare_to_peers(result, "everyone", rules=LOOSE, levels=["index"])
    return differences_from_peers(benchmark, **options)


# -- adjusting p-values --------------------------------------------------------------------------


@pytest.mark.parametrize("method", P_ADJUST)
def test_adjusted_p_values_are_those_of_r(method: Any) -> None:
    found = adjust_p_values(BH_1995, method=method)
    np.testing.assert_allclose(found[:9], P_ADJUST[method], rtol=0, atol=1e-12)
    last = 1.0 if method != "benjamini-hochberg" else 0.486
    assert found[9] == pytest.approx(last, abs=1e-12)


def test_p_values_that_were_not_tested_do_not_count() -> None:
    found = adjust_p_values([[0.02, np.nan], [0.01, np.nan]], method="bonferroni")
    np.testing.assert_array_equal(found, [[0.04, np.nan], [0.02, np.nan]])
    assert adjust_p_values([]).tolist() == []
    assert np.isnan(adjust_p_values([np.nan])).all()


@pytest.mark.parametrize("p", [[-0.01], [1.01, np.nan]])
def test_p_values_are_from_0_to_1(p: list[float]) -> None:
    with pytest.raises(MethodError, match="p: expected p-values from 0 to 1"):
        adjust_p_values(p)


@pytest.mark.parametrize(("method", "hint"), [("hlom", "did you mean 'holm'"), ("x", "got 'x'$")])
def test_unknown_adjustments_are_named(method: Any, hint: str) -> None:
    with pytest.raises(MethodError, match=hint):
        adjust_p_values([0.5], method=method)


# -- the funnel ----------------------------------------------------------------------------------

SCORES, ERRORS = [50.0, 52.0, 48.0, 60.0, 41.0], [1.0, 2.0, 1.0, 2.0, 1.0]


def test_the_published_funnel_by_hand() -> None:
    funnel = funnel_limits(SCORES, ERRORS, winsorize=0.25)
    assert funnel.target == pytest.approx(50.2)
    z = np.array([-0.2, 0.9, -2.2, 4.9, -9.2])
    np.testing.assert_allclose(funnel.z, z)
    # Of five, type 7 puts the quartiles on the second and the fourth: -2.2 and 0.9.
    phi = (0.2**2 + 0.9**2 + 2.2**2 + 0.9**2 + 2.2**2) / 5
    assert funnel.dispersion == pytest.approx(phi)
    between = (5 * phi - 4) / (3.5 - 3.125 / 3.5)
    assert funnel.between_variance == pytest.approx(between)
    spread = np.sqrt(np.square(ERRORS) + between)
    np.testing.assert_allclose(funnel.adjusted_z, (np.array(SCORES) - 50.2) / spread)
    np.testing.assert_allclose(funnel.upper[1], 50.2 + special.ndtri(0.999) * spread)
    np.testing.assert_allclose(funnel.lower[0], 50.2 - special.ndtri(0.975) * spread)
    assert funnel.levels == (0.95, 0.998)
    assert np.isinf(funnel.degrees_of_freedom).all()


def test_the_consistent_spread_solves_its_equation() -> None:
    funnel = funnel_limits(SCORES, ERRORS, winsorize=0.0, rule="consistent")
    # Without winsorizing: Paule and Mandel's equation.
    assert (funnel.adjusted_z**2).sum() == pytest.approx(4)
    assert funnel.dispersion == pytest.approx((funnel.z**2).mean())
    inverse = (1 / funnel.spread_error**2).sum()
    piece = 4**2 / (4 * inverse**2)
    own = funnel_limits(SCORES, ERRORS, winsorize=0.0, rule="consistent", degrees_of_freedom=9)
    np.testing.assert_allclose(funnel.degrees_of_freedom, funnel.spread_error**4 / piece)
    expected = own.spread_error**4 / (np.power(ERRORS, 4) / 9 + piece)
    np.testing.assert_allclose(own.degrees_of_freedom, expected)
    margin = special.stdtrit(expected, 0.975) * own.spread_error
    np.testing.assert_allclose(own.upper[0], own.target + margin)


def test_the_consistent_spread_is_right_where_the_published_one_is_a_third_too_small() -> None:
    rng = np.random.default_rng(4)
    scores = 60 + 3 * rng.standard_normal(4000)
    published, consistent = (
        funnel_limits(scores, np.full(4000, 0.01), rule=rule)
        for rule in ("published", "consistent")
    )
    assert consistent.between_variance == pytest.approx(9, rel=0.07)
    assert published.between_variance == pytest.approx(0.678 * 9, rel=0.07)
    outside = [
        ((scores < one.lower[0]) | (scores > one.upper[0])).mean()
        for one in (published, consistent)
    ]
    assert outside[0] > 0.09
    assert 0.04 < outside[1] < 0.06


def test_without_over_dispersion_the_funnel_is_that_of_sampling_error() -> None:
    for rule in ("published", "consistent"):
        funnel = funnel_limits([50.0, 50.1, 49.9, 50.0], [1.0, 2.0, 3.0, 4.0], rule=rule)
        assert funnel.between_variance == 0
        np.testing.assert_array_equal(funnel.adjusted_z, funnel.z)
        np.testing.assert_array_equal(funnel.spread_error, [1, 2, 3, 4])


def test_scores_without_a_known_error_above_0_do_not_make_the_spread() -> None:
    scores, errors = [50.0, 52.0, 48.0, 60.0, 70.0, np.nan], [1.0, 1.0, 1.0, 0.0, np.nan, 1.0]
    for rule in ("published", "consistent"):
        funnel = funnel_limits(scores, errors, target=50, rule=rule)
        alone = funnel_limits(scores[:3], errors[:3], target=50, rule=rule)
        assert funnel.between_variance == alone.between_variance > 0
        assert np.isnan(funnel.z).tolist() == [False] * 3 + [True] * 3
        # A score without error is judged by the spread; one of unknown error is not judged.
        assert funnel.adjusted_z[3] == 10 / math.sqrt(funnel.between_variance)
        assert np.isnan(funnel.upper[0]).tolist() == [False] * 4 + [True] * 2
        assert (funnel.degrees_of_freedom[4:] == 0).all()


def test_degenerate_funnels() -> None:
    for rule in ("published", "consistent"):
        for scores, errors in (([], []), ([50.0], [1.0]), ([50.0, 51.0], [0.0, np.nan])):
            funnel = funnel_limits(scores, errors, rule=rule)
            assert np.isnan(funnel.between_variance)
            assert np.isnan(funnel.upper).all()
        exact = funnel_limits([50.0, 50.0, 53.0, 50.0], [1, 1, 0, 0], target=50, rule=rule)
        assert exact.between_variance == 0
        assert exact.adjusted_z.tolist() == [0, 0, np.inf, 0]
        assert exact.lower[0, 2] == exact.upper[0, 2] == 50
        tiny = funnel_limits([1.0, 1e6, 3.0], [1e-9, 1.0, 1.0], rule=rule)
        assert tiny.between_variance > 1e11


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"standard_error": [1.0]}, "as many standard errors"),
        ({"standard_error": [-1.0] * 5}, "0 or more"),
        ({"standard_error": [np.inf] * 5}, "finite"),
        ({"winsorize": 0.5}, "below 0.5"),
        ({"rule": "other"}, 'expected "published"'),
        ({"levels": (0.95, 1.0)}, "levels: expected a share"),
    ],
)
def test_faults_of_a_funnel(changed: dict[str, Any], match: str) -> None:
    with pytest.raises(MethodError, match=match):
        funnel_limits(**{"values": SCORES, "standard_error": ERRORS, **changed})


# -- from the mean of the peers ------------------------------------------------------------------


def test_the_distance_from_the_peers_is_that_of_the_benchmark() -> None:
    result = scored([70.0, 50.0, 51.0, 49.0], dimensions=("d1", "d2"))
    benchmark = compare_to_peers(result, ["industry", "everyone"], rules=LOOSE)
    found = differences_from_peers(benchmark)
    # Two groups of peers with the index, one channel and two dimensions each.
    assert len(found.organizations) == 2 * 4 * 4
    distances = [comparison.distances.mean for comparison in benchmark.comparisons]
    np.testing.assert_array_equal(found.difference, np.concatenate([d.values for d in distances]))
    np.testing.assert_array_equal(
        found.standard_error, np.concatenate([d.standard_error for d in distances])
    )
    np.testing.assert_array_equal(found.low, np.concatenate([d.low for d in distances]))
    row = found.to_rows()[0]
    assert row["organization"] == "o00"
    assert row["against"] == "industry"
    assert row["channel"] is row["dimension"] is row["reason"] is None
    assert row["difference"] == pytest.approx(20)
    # The index is the mean of two dimensions with independent errors of 1.
    error = math.sqrt(0.5 + 0.5 / 3)
    assert row["standard_error"] == pytest.approx(error)
    assert row["p"] == pytest.approx(2 * special.ndtr(-20 / error))
    assert row["verdict"] == "better"


def test_p_values_by_hand_with_a_smallest_difference() -> None:
    found = of_peers(scored([54.0, 50.0, 50.0]), relevant=1.0)
    error = math.sqrt(1.5)
    p = [
        special.ndtr((1 - 4) / error) + special.ndtr((-1 - 4) / error),
        special.ndtr((1 - 2) / error) + special.ndtr((-1 - 2) / error),
    ]
    np.testing.assert_allclose(found.p, [p[0], p[1], p[1]])
    assert found.verdict.tolist() == ["better", "about the same", "about the same"]
    assert of_peers(scored([54.0, 50.0, 50.0]), relevant=3.0).verdict[0] == "about the same"
    # Within the smallest difference there is nothing to show.
    assert of_peers(scored([50.0, 50.0, 50.0]), relevant=3.0).p.tolist() == [1, 1, 1]


def test_families() -> None:
    result = scored([53.0, 50.0, 50.5, 49.0], dimensions=("d1", "d2"))
    benchmark = compare_to_peers(result, "everyone", rules=LOOSE)
    report, league = (
        differences_from_peers(benchmark, family=name) for name in ("organization", "league")
    )
    p = report.p.reshape(4, 4)  # subject, organization
    for organization in range(4):
        expected = adjust_p_values(p[:, organization])
        np.testing.assert_array_equal(report.adjusted_p.reshape(4, 4)[:, organization], expected)
    for subject in range(4):
        expected = adjust_p_values(p[subject], method="holm")
        np.testing.assert_array_equal(league.adjusted_p.reshape(4, 4)[subject], expected)
    assert (report.adjustment, league.adjustment) == ("benjamini-hochberg", "holm")
    other = differences_from_peers(benchmark, adjustment="bonferroni")
    np.testing.assert_allclose(other.adjusted_p.reshape(4, 4), np.minimum(4 * p, 1))


def test_what_cannot_be_compared_has_a_reason_and_no_verdict() -> None:
    result = scored(
        [60.0, 50.0, 50.0, 40.0, np.nan],
        respondents=[100, 100, 100, 5, 100],
        industries=["a", "a", "a", "a", "a"],
    )
    rules = DisclosureRules(min_peers_mean=2, min_peers_rank=2)
    found = differences_from_peers(compare_to_peers(result, rules=rules, levels=["index"]))
    assert found.verdict.tolist() == ["better", "worse", "worse", "", ""]
    assert found.reasons.tolist() == ["", "", "", "few respondents", "missing score"]
    assert found.to_rows()[3]["verdict"] is None
    assert np.isnan(found.p[3:]).all()
    assert [notice.code for notice in found.notices] == ["few respondents"]
    assert "2 not shown" in str(found)


def test_where_an_error_is_not_known_the_verdict_is_not_known() -> None:
    found = of_peers(scored([60.0, 50.0, 50.0], [1.0, 1.0, np.nan]))
    # The mean of the peers rests on the third, so nobody else can be judged either.
    assert found.verdict.tolist() == ["not known"] * 3
    np.testing.assert_allclose(found.difference, [10, -5, -5])
    assert found.to_rows()[0]["p"] is None
    (notice,) = found.notices
    assert (notice.code, notice.keys) == ("error not known", ("o02",))
    assert "note: 1 organizations" in str(found)
    assert of_peers(scored([60.0, 50.0], None)).verdict.tolist() == ["not known"] * 2


def test_scores_without_error_are_judged_exactly() -> None:
    found = of_peers(scored([60.0, 50.0, 50.0], 0.0), relevant=10.0)
    assert found.p.tolist() == [1, 1, 1]  # 10 is not beyond 10
    found = of_peers(scored([60.0, 50.0, 50.0], 0.0), relevant=5.0)
    assert found.verdict.tolist() == ["better", "about the same", "about the same"]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"family": "all"}, "family: expected"),
        ({"adjustment": "none"}, "adjustment: expected"),
        ({"false_claims": 0.0}, "false_claims: expected a share"),
        ({"relevant": -1.0}, "relevant: expected"),
        ({"relevant": math.nan}, "relevant: expected"),
    ],
)
def test_faults_of_claims(options: dict[str, Any], match: str) -> None:
    with pytest.raises(MethodError, match=match):
        of_peers(scored([60.0, 50.0]), **options)


# -- from the spread -----------------------------------------------------------------------------


def test_differences_from_the_spread_are_those_of_the_funnel() -> None:
    scores = [*np.linspace(48, 52, 11), 75.0]
    result = scored(scores)
    found = differences_from_spread(result, rules=LOOSE)
    ((group, funnel),) = found.funnels
    assert group == "all"
    expected = funnel_limits(scores, np.ones(12), rule="consistent")
    np.testing.assert_allclose(funnel.between_variance, expected.between_variance)
    np.testing.assert_allclose(found.difference, np.array(scores) - np.mean(scores))
    np.testing.assert_allclose(found.standard_error, expected.spread_error)
    p = 2 * special.stdtr(expected.degrees_of_freedom, -np.abs(expected.adjusted_z))
    np.testing.assert_allclose(found.p, p)
    np.testing.assert_array_equal(found.adjusted_p, adjust_p_values(found.p, method="holm"))
    assert set(found.verdict[:-1]) == {"about the same"}
    assert found.verdict[-1] == "better"
    published = differences_from_spread(result, rules=LOOSE, rule="published", winsorize=0.2)
    assert published.funnels[0][1].levels == (0.95, 0.998)
    assert np.isinf(published.funnels[0][1].degrees_of_freedom).all()


def test_each_group_has_its_funnel_if_it_is_large_enough() -> None:
    industries = ["a"] * 12 + ["b"] * 3 + [None, "c"]
    scores = [*range(40, 52), 60, 61, 62, 50, 50]
    respondents = [100] * 16 + [5]
    result = scored(scores, industries=industries, respondents=respondents)
    found = differences_from_spread(result, "industry")
    assert [group for group, _ in found.funnels] == ["a"]
    assert set(found.verdict[:12]) == {"about the same"}
    assert found.reasons[12:].tolist() == ["few peers"] * 3 + [
        "unknown attribute",
        "few respondents",
    ]
    assert (found.verdict[12:] == "").all()
    assert found.against[12:] == ("b", "b", "b", "", "c")
    assert np.isnan(found.difference[12:]).all()


def test_the_spread_of_unknown_errors_is_not_known() -> None:
    found = differences_from_spread(scored([50.0, 51.0, 60.0], None), rules=LOOSE)
    assert found.verdict.tolist() == ["not known"] * 3
    some = differences_from_spread(scored([50.0, 51.0, 60.0], [1, 1, np.nan]), rules=LOOSE)
    assert some.verdict.tolist() == ["about the same", "about the same", "not known"]
    assert [notice.code for notice in some.notices] == ["error not known"]


# -- between organizations -----------------------------------------------------------------------


def test_all_pairs_in_order() -> None:
    result = scored([60.0, 50.0, 55.0, 70.0])
    found = pairwise_differences(result, ["o02", "o00", "o01"])
    assert list(zip(found.organizations, found.against, strict=True)) == [
        ("o02", "o00"),
        ("o02", "o01"),
        ("o00", "o01"),
    ]
    np.testing.assert_allclose(found.difference, [-5, 5, 10])
    np.testing.assert_allclose(found.standard_error, math.sqrt(2))
    np.testing.assert_allclose(found.low, found.difference - 1.959964 * math.sqrt(2), atol=1e-5)
    assert found.verdict.tolist() == ["worse", "better", "better"]


def test_pairs_that_share_respondents_have_their_covariance() -> None:
    rng = np.random.default_rng(1)
    study = small_study(["a", "b"])
    taste = rng.integers(2, 6, 60)
    rows = [(n, o, 0, taste[n] + o) for n in range(60) for o in (0, 1)]
    found = pairwise_differences(compute_index(answered(study, rows)), ["b", "a"])
    # Everybody gives b one point of 6 more: the difference has no error at all.
    assert found.difference == pytest.approx([100 / 6])
    assert found.standard_error[0] == pytest.approx(0, abs=1e-6)
    assert found.verdict.tolist() == ["better"]


def test_pairs_need_respondents_and_errors() -> None:
    result = scored([60.0, 50.0, 40.0], [1, 1, np.nan], respondents=[100, 5, 100])
    found = pairwise_differences(result, result.organizations)
    assert found.reasons.tolist() == ["few respondents", "", "few respondents"]
    assert found.verdict.tolist() == ["", "not known", ""]
    assert np.isnan(found.difference).tolist() == [True, False, True]


@pytest.mark.parametrize("keys", [["o00"], "o00", [], ["o00", "o00"], ["o00", "o01", "o01"]])
def test_pairs_need_two_different_organizations(keys: Any) -> None:
    with pytest.raises(MethodError, match="two or more different organizations"):
        pairwise_differences(scored([60.0, 50.0]), keys)


def test_pairs_name_unknown_organizations() -> None:
    with pytest.raises(DefinitionError, match="unknown organization 'o03'; did you mean") as caught:
        pairwise_differences(scored([60.0, 50.0]), ["o00", "o03"])
    assert caught.value.key == "o03"


# -- what results show ---------------------------------------------------------------------------


def test_notebooks_show_the_clearest_first_in_both_languages() -> None:
    found = of_peers(scored([60.0, 50.0, 51.0, np.nan]), relevant=0.5, adjustment="holm")
    html = view_html(found._view("en"))
    parse(found._repr_html_())
    assert html.index("o00") < html.index("o02")
    for words in ("better", "beyond", "everyone else", "chance of any", "0.5 points"):
        assert words in html
    korean = view_html(found._view("ko"))
    for words in ("높음", "판정", "비교 대상", "0.5점"):
        assert words in korean
    spread = differences_from_spread(scored([60.0, 50.0, 51.0]), rules=LOOSE)
    assert "전체 기관" in view_html(spread._view("ko"))
    assert "Claimed only beyond" not in view_html(spread._view("en"))
    assert "of the claims on average" in view_html(of_peers(scored([60.0, 50.0]))._view("en"))


def test_frames_have_a_row_for_every_difference() -> None:
    found = pairwise_differences(scored([60.0, 50.0, 55.0]), ["o00", "o01", "o02"])
    frame = found.to_frame("polars")
    assert frame.columns == list(found.to_rows()[0])
    assert frame["verdict"].to_list() == ["better"] * 2 + ["worse"]
    assert str(found).startswith("3 differences: 2 better, 0 about the same, 1 worse")
