from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from sotongindex.benchmark import (
    BenchmarkResult,
    DisclosureRules,
    compare_to_peers,
    grades,
    group_means,
    percentile_rank,
)
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import compute_index
from sotongindex.models import (
    Channel,
    Dimension,
    Framework,
    GradeScale,
    Organization,
    PeerGroup,
    Study,
    SurveyItem,
)
from sotongindex.responses import Responses
from sotongindex.results import IndexResult
from sotongindex.variance import Estimates

FRAMEWORK = Framework(
    key="mini",
    version="1",
    channels=[Channel(key="blog")],
    dimensions=[Dimension(key="openness")],
    items=[SurveyItem(key="q1", dimension="openness")],
)
LOOSE = DisclosureRules(
    min_peers_mean=1,
    min_peers_rank=1,
    min_respondents_show=1,
    min_respondents_compare=1,
    min_respondents_band=1,
)


def study_of(**attributes: Sequence[Any]) -> Study:
    """A study of as many organizations as there are values."""
    count = len(next(iter(attributes.values())))
    own = {"industry", "sector", "size"}
    return Study(
        key="study",
        framework=FRAMEWORK,
        organizations=[
            Organization(
                key=f"o{n}",
                attributes={
                    name: values[n] for name, values in attributes.items() if name not in own
                },
                **{name: values[n] for name, values in attributes.items() if name in own},
            )
            for n in range(count)
        ],
    )


def scored(
    scores: Sequence[float],
    *,
    errors: Sequence[float] | None = None,
    respondents: Sequence[float] | None = None,
    **attributes: Sequence[Any],
) -> IndexResult:
    """A result of published scores."""
    study = study_of(**(attributes or {"industry": ["all"] * len(scores)}))
    frame: dict[str, Any] = {
        "organization": list(study.organization_keys),
        "openness": np.array(scores, dtype=float),
    }
    if errors is not None:
        frame["error"] = np.array(errors, dtype=float)
    if respondents is not None:
        frame["n"] = np.array(respondents, dtype=float)
    return IndexResult.from_scores(
        frame,
        study,
        standard_errors=None if errors is None else {"openness": "error"},
        respondents=None if respondents is None else "n",
    )


def answered(organizations: int = 9, respondents: int = 60, seed: int = 1) -> IndexResult:
    """A result in which every respondent rates four organizations and is kind or harsh to all."""
    rng = np.random.default_rng(seed)
    rated = np.argsort(rng.random((respondents, organizations)), axis=1)[:, :4]
    kindness = rng.normal(0, 1.2, respondents)[:, None]
    answers = np.clip(np.round(4 + kindness + rng.normal(0, 1, rated.shape)), 1, 7)
    responses = Responses.from_arrays(
        study_of(industry=["all"] * organizations),
        answers=answers.reshape(-1, 1).astype(np.int8),
        organization=rated.ravel(),
        respondent=np.repeat(np.arange(respondents), 4),
    )
    return compute_index(responses)


def index_of(benchmark: BenchmarkResult, peers: str | None = None) -> Any:
    return benchmark.comparison(peers)


# -- figures, ranks and distances -----------------------------------------------------------------


def test_every_figure_by_hand() -> None:
    result = scored([50, 52, 54, 56, 58, 70], errors=[1, 1, 1, 1, 1, 2])
    comparison = index_of(compare_to_peers(result, rules=LOOSE))
    # The last organization beside 50, 52, 54, 56, 58.
    figures = comparison.figures
    assert [figures.mean[5], figures.median[5], figures.p25[5], figures.p75[5]] == [54, 54, 52, 56]
    assert [figures.p10[5], figures.p90[5], figures.best[5]] == pytest.approx([50.8, 57.2, 58])
    assert comparison.others.tolist() == [5] * 6
    assert comparison.percentile.tolist() == [0, 20, 40, 60, 80, 100]
    assert comparison.rank.tolist() == [6, 5, 4, 3, 2, 1]
    distances = comparison.distances
    assert [distances.mean.values[5], distances.best.values[5]] == [16, 12]
    assert distances.mean.standard_error[5] == pytest.approx(np.sqrt(4 + 5 / 25))
    # Who may hold the middle of 50 to 58: nearly always 54.
    near = np.exp(-2 * np.array([4, 2, 0, 2, 4]) ** 2.0)
    median = ((near / near.sum()) ** 2).sum()
    assert median == pytest.approx(0.99866, abs=1e-5)
    assert distances.median.standard_error[5] == pytest.approx(np.sqrt(4 + median))
    assert comparison.probability_above_mean[5] > 0.999
    # The best beside itself left out is the second best.
    assert figures.best.tolist() == [70, 70, 70, 70, 70, 58]


def test_ties_share_the_better_rank_and_the_middle_percentile() -> None:
    comparison = index_of(compare_to_peers(scored([60, 60, 50, 40]), rules=LOOSE))
    assert comparison.rank.tolist() == [1, 1, 3, 4]
    assert comparison.percentile.tolist() == pytest.approx([250 / 3, 250 / 3, 100 / 3, 0])


@pytest.mark.parametrize("kind", ["mean", "strict", "weak", "rank"])
@pytest.mark.parametrize("include_self", [False, True])
def test_percentiles_are_those_of_the_array_function(kind: Any, include_self: bool) -> None:
    scores = [50, 52, 52, 56, 58, 70, 70]
    benchmark = compare_to_peers(scored(scores), rules=LOOSE, kind=kind, include_self=include_self)
    expected = percentile_rank(scores, kind=kind, include_self=include_self)
    np.testing.assert_allclose(index_of(benchmark).percentile, expected)
    assert (benchmark.kind, benchmark.include_self) == (kind, include_self)


def test_itself_included_is_part_of_every_figure() -> None:
    result = scored([50, 52, 54, 56, 58, 70], errors=[1, 1, 1, 1, 1, 2])
    comparison = index_of(compare_to_peers(result, rules=LOOSE, include_self=True))
    assert comparison.figures.mean == pytest.approx(340 / 6)
    assert comparison.figures.best.tolist() == [70] * 6
    assert comparison.distances.best.standard_error[5] == 0.0
    assert comparison.others.tolist() == [5] * 6


def test_the_error_of_a_distance_is_that_of_the_dense_covariance() -> None:
    result = answered()
    comparison = index_of(compare_to_peers(result, rules=LOOSE))
    covariance = result.index.covariance()
    count = len(covariance)
    order = np.argsort(result.index.values, kind="stable")
    for own in range(count):
        peers = [other for other in order if other != own]
        scores, errors = result.index.values, result.index.standard_error

        def held(place, peers=peers, scores=scores, errors=errors):
            """The weights of those who may hold a place: normal densities at half their error."""
            near = {
                peer: np.exp(-0.5 * (2 * (scores[peers[place]] - scores[peer]) / errors[peer]) ** 2)
                / errors[peer]
                for peer in peers
            }
            return {peer: weight / sum(near.values()) for peer, weight in near.items()}

        def between(low, high, share, peers=peers, held=held):
            below, above = held(low), held(high)
            return {peer: (1 - share) * below[peer] + share * above[peer] for peer in peers}

        rows = {
            "mean": dict.fromkeys(peers, 1 / len(peers)),
            "median": between(3, 4, 0.5),
            "p75": between(5, 6, 0.25),
            "best": held(len(peers) - 1),
        }
        for name, parts in rows.items():
            jacobian = np.eye(count)[own]
            for peer, part in parts.items():
                jacobian[peer] -= part
            distance = getattr(comparison.distances, name)
            figure = getattr(comparison.figures, name)[own]
            assert distance.values[own] == pytest.approx(result.index.values[own] - figure)
            assert distance.variance[own] == pytest.approx(jacobian @ covariance @ jacobian)


@pytest.mark.parametrize("spread", [1.0, 5.0, 60.0])
@pytest.mark.parametrize(("name", "share"), [("median", 0.5), ("p75", 0.75)])
def test_errors_of_quantiles_hold_in_repeated_samples(
    spread: float, name: str, share: float
) -> None:
    """A quantile of many noisy scores is surer than the score that happens to hold it."""
    rng = np.random.default_rng(7)
    truth = 50 + spread * np.linspace(-1, 1, 41) * rng.uniform(0.5, 0.7, 41)
    error = rng.uniform(1.0, 2.0, 41)
    draws = truth + error * rng.normal(size=(4000, 41))
    found = draws[:, 20] - np.quantile(np.delete(draws, 20, axis=1), share, axis=1)
    told = [
        getattr(
            index_of(compare_to_peers(scored(draw, errors=error), rules=LOOSE)).distances, name
        ).standard_error[20]
        for draw in draws[:25]
    ]
    assert np.mean(told) == pytest.approx(found.std(), rel=0.1)


def test_shared_respondents_make_distances_surer_than_independence_would() -> None:
    result = answered()
    comparison = index_of(compare_to_peers(result, rules=LOOSE))
    alone = Estimates.independent(result.index.values, result.index.standard_error)
    count = alone.size
    jacobian = np.eye(count) - (1 - np.eye(count)) / (count - 1)
    independent = alone.transform(jacobian).standard_error
    assert (comparison.distances.mean.standard_error < independent).all()
    assert comparison.distances.mean.standard_error.mean() < 0.95 * independent.mean()


def test_distances_keep_their_covariance() -> None:
    result = answered()
    distances = index_of(compare_to_peers(result, rules=LOOSE)).distances.mean
    count = len(result.organizations)
    jacobian = np.eye(count) - (1 - np.eye(count)) / (count - 1)
    expected = jacobian @ result.index.covariance() @ jacobian.T
    np.testing.assert_allclose(distances.covariance(), expected, atol=1e-9)


def test_every_level_is_compared() -> None:
    benchmark = compare_to_peers(answered(), ["everyone", "industry"], rules=LOOSE)
    found = [(part.peers, part.channel, part.dimension) for part in benchmark.comparisons]
    levels = [(None, None), ("blog", None), (None, "openness")]
    assert found == [(peers, *level) for peers in ("everyone", "industry") for level in levels]
    np.testing.assert_allclose(
        benchmark.comparison(channel="blog").percentile,
        benchmark.comparison(dimension="openness").percentile,
    )
    only = compare_to_peers(answered(), levels=["channels"])
    assert [part.channel for part in only.comparisons] == ["blog"]


# -- peers ----------------------------------------------------------------------------------------


def brute_force(result: IndexResult, peers: Any) -> np.ndarray[Any, Any]:
    """Means of the peers, found by asking for every pair."""
    organizations = result.study.organizations
    means = []
    for own in organizations:
        chosen = [o is not own and peers(own, o) for o in organizations]
        values = result.index.values[np.array(chosen)]
        means.append(values.mean() if len(values) else np.nan)
    return np.array(means)


INDUSTRIES = ["a", "a", "a", "b", "b", "c", None, "a"]
SECTORS = ["x", "y", "x", "y", "x", "x", "y", None]
SCORES = [50.0, 55.5, 61.0, 47.0, 70.0, 66.0, 58.0, 52.0]
PEERS = {
    "industry": lambda own, other: own.industry is not None and own.industry == other.industry,
    "other industries": lambda own, other: (
        None not in (own.industry, other.industry) and own.industry != other.industry
    ),
    "sector": lambda own, other: own.sector is not None and own.sector == other.sector,
    "everyone": lambda own, other: True,
}


@pytest.mark.parametrize("by", PEERS)
def test_named_peers(by: str) -> None:
    result = scored(SCORES, industry=INDUSTRIES, sector=SECTORS)
    expected = brute_force(result, PEERS[by])
    found = compare_to_peers(result, by, rules=LOOSE)
    np.testing.assert_allclose(index_of(found).figures.mean, expected)
    asked = compare_to_peers(result, PEERS[by], rules=LOOSE)
    np.testing.assert_allclose(index_of(asked).figures.mean, expected)
    assert asked.peers == ("<lambda>",)


def test_a_group_of_several_conditions() -> None:
    result = scored(SCORES, industry=INDUSTRIES, sector=SECTORS)
    group = PeerGroup(
        key="mixed", same="sector", different="industry", where={"industry": ["a", "b"]}
    )

    def mixed(own: Organization, other: Organization) -> bool:
        return (
            own.sector is not None
            and own.sector == other.sector
            and own.industry is not None
            and other.industry in ("a", "b")
            and own.industry != other.industry
        )

    found = compare_to_peers(result, group, rules=LOOSE)
    np.testing.assert_allclose(index_of(found).figures.mean, brute_force(result, mixed))
    assert found.notices[-1].keys == ("o6", "o7")


def test_an_organization_outside_a_fixed_group_is_compared_with_it() -> None:
    result = scored(SCORES, industry=INDUSTRIES, sector=SECTORS)
    group = PeerGroup(key="industry a", where={"industry": "a"})
    comparison = index_of(compare_to_peers(result, group, rules=LOOSE))
    assert comparison.others.tolist() == [3, 3, 3, 4, 4, 4, 4, 3]
    assert comparison.percentile[4] == 100
    assert comparison.rank[3] == 5  # 47 below all four


def test_the_name_of_an_attribute_means_the_same_value() -> None:
    result = scored(SCORES, region=["n", "n", "s", "s", "n", "n", "s", ""])
    benchmark = compare_to_peers(result, "region", rules=LOOSE)
    assert benchmark.peers == ("region",)
    assert index_of(benchmark).others.tolist() == [3, 3, 2, 2, 3, 3, 2, 0]


def test_unknown_values_are_never_peers_and_a_notice_counts_them() -> None:
    result = scored(SCORES, industry=INDUSTRIES)
    benchmark = compare_to_peers(result, ["industry", "other industries"], rules=LOOSE)
    for key in benchmark.peers:
        assert index_of(benchmark, key).suppressions.figures[6] == "unknown attribute"
    notices = [notice for notice in benchmark.notices if notice.code == "unknown attribute"]
    assert [notice.keys for notice in notices] == [("o6",), ("o6",)]


# -- what may be shown ----------------------------------------------------------------------------


def test_few_peers() -> None:
    industries = ["a"] * 5 + ["b"] * 6 + ["c"] * 11
    comparison = index_of(compare_to_peers(scored(list(range(40, 62)), industry=industries)))
    reasons = comparison.suppressions
    first, second, third = slice(0, 5), slice(5, 11), slice(11, 22)
    assert (reasons.figures[first] == "few peers").all()
    assert np.isnan(comparison.figures.mean[first]).all()
    assert (reasons.figures[second] == "").all()
    assert (reasons.standing[second] == "few peers").all()
    assert not np.isnan(comparison.figures.p75[second]).any()
    for hidden in (comparison.percentile, comparison.rank, comparison.figures.p90):
        assert np.isnan(hidden[second]).all()
        assert not np.isnan(hidden[third]).any()
    assert np.isnan(comparison.distances.best.values[second]).all()
    assert not np.isnan(comparison.distances.p75.values[second]).any()
    assert (reasons.distances[third] == "").all()


def test_few_respondents_are_not_compared_and_no_peers() -> None:
    respondents = [9, 29, 30, 99, 100] + [200] * 10
    result = scored([*range(90, 40, -10), *range(50, 60)], respondents=respondents)
    scale = GradeScale(key="test", bands={"A": 60})
    benchmark = compare_to_peers(result, scale=scale)
    comparison = index_of(benchmark)
    reasons = comparison.suppressions
    assert reasons.score[:3].tolist() == ["few respondents", "", ""]
    assert reasons.distances[:3].tolist() == ["few respondents", "few respondents", ""]
    assert comparison.others[:3].tolist() == [13, 13, 12]
    assert comparison.rank[2] == 1
    assert not np.isnan(comparison.figures.mean[:2]).any()
    assert comparison.grade[:5].tolist() == [None, None, None, None, None]
    assert reasons.grade[:6].tolist() == ["few respondents"] * 4 + ["below the lowest grade"] * 2
    assert [notice.keys for notice in benchmark.notices] == [("o0", "o1")]
    assert benchmark.scale is scale


def test_unknown_respondents_are_no_reason_but_a_notice() -> None:
    result = scored([50, 60, 70], respondents=[np.nan, 5, 50])
    benchmark = compare_to_peers(result, rules=DisclosureRules(min_peers_mean=1))
    assert index_of(benchmark).suppressions.distances.tolist() == ["", "few respondents", ""]
    assert [(notice.code, notice.keys) for notice in benchmark.notices] == [
        ("respondents not known", ("o0",)),
        ("few respondents", ("o1",)),
    ]


def test_a_missing_score_is_a_reason() -> None:
    comparison = index_of(compare_to_peers(scored([50, np.nan, 70]), rules=LOOSE))
    assert comparison.suppressions.score.tolist() == ["", "missing score", ""]
    assert comparison.suppressions.standing.tolist() == ["", "missing score", ""]
    assert comparison.others.tolist() == [1, 2, 1]


def test_nobody_but_itself() -> None:
    comparison = index_of(compare_to_peers(scored([50.0]), rules=LOOSE))
    assert comparison.suppressions.figures.tolist() == ["few peers"]
    assert np.isnan(comparison.distances.mean.values).all()
    assert np.isnan(comparison.percentile).all()


def test_constant_scores_without_error() -> None:
    comparison = index_of(compare_to_peers(scored([53.1] * 7, errors=[0] * 7), rules=LOOSE))
    assert comparison.distances.mean.values.tolist() == [0.0] * 7
    assert comparison.probability_above_mean.tolist() == [0.5] * 7
    assert comparison.percentile.tolist() == [50.0] * 7


def test_scores_without_errors_have_distances_without_errors() -> None:
    distances = index_of(compare_to_peers(scored([50, 60]), rules=LOOSE)).distances
    assert distances.mean.values.tolist() == [-10, 10]
    assert np.isnan(distances.mean.standard_error).all()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("min_peers_mean", 0),
        ("min_peers_rank", 2.5),
        ("min_respondents_show", True),
        ("max_share", 0),
        ("max_share", 1.5),
        ("max_share", "a"),
    ],
)
def test_bad_rules(field: str, value: Any) -> None:
    with pytest.raises(DefinitionError) as error:
        DisclosureRules(**{field: value})
    assert (error.value.field, error.value.key) == (f"DisclosureRules.{field}", value)


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"by": []}, "by"),
        ({"kind": "hazen"}, "kind"),
        ({"levels": ["indices"]}, "levels"),
        ({"levels": []}, "levels"),
        ({"levels": "index"}, "levels"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], argument: str) -> None:
    with pytest.raises(MethodError) as error:
        compare_to_peers(scored([50, 60]), **arguments)
    assert error.value.argument == argument


def test_an_attribute_that_nobody_has() -> None:
    with pytest.raises(DefinitionError) as error:
        compare_to_peers(scored([50, 60], region=["n", "s"]), "regoin")
    assert (error.value.key, error.value.nearest) == ("regoin", "region")
    with pytest.raises(DefinitionError) as error:
        compare_to_peers(scored([50, 60], industry=[None, None]))
    assert (error.value.field, error.value.key) == ("PeerGroup[industry]", "industry")


def test_two_groups_of_one_key() -> None:
    with pytest.raises(DefinitionError, match="used twice"):
        compare_to_peers(scored([50, 60]), ["everyone", PeerGroup(key="everyone")])


def test_a_comparison_that_was_not_made() -> None:
    benchmark = compare_to_peers(scored([50, 60]))
    with pytest.raises(MethodError, match="did you mean 'industry'"):
        benchmark.comparison("industri")
    with pytest.raises(MethodError, match="no comparison"):
        benchmark.comparison(channel="blog", dimension="openness")


# -- grades and means over organizations ----------------------------------------------------------


def test_grades_have_inclusive_bounds() -> None:
    scale = GradeScale(key="2023", bands={"S": 85, "A": 70})
    scores = [85.0, 70.0 - 1e-12, 69.9, np.nan]
    assert grades(scores, scale).tolist() == ["S", "A", None, None]
    assert grades(scores, scale).tolist() == [scale.grade(score) for score in scores]
    assert grades(Estimates.independent([[90.0], [72.0]]), scale).tolist() == [["S"], ["A"]]


def test_organizations_count_equally_in_the_published_mean_of_2011() -> None:
    sectors = ["company"] * 200 + ["public"] * 112
    result = scored([56.96] * 200 + [54.56] * 112, sector=sectors)
    assert group_means(result).means.values[0, 0] == pytest.approx(56.1, abs=0.005)
    by_sector = group_means(result, "sector")
    assert by_sector.groups == ("company", "public")
    np.testing.assert_allclose(by_sector.means.values[:, 0], [56.96, 54.56])
    assert by_sector.organizations[:, 0].tolist() == [200, 112]


def test_means_by_respondents_and_by_size() -> None:
    rules = DisclosureRules(min_peers_mean=2, max_share=0.8)
    result = scored(
        [50, 60, 70, 80],
        errors=[1, 2, 3, 4],
        respondents=[10, 30, 20, 20],
        size=[1, 4, 2, 2],
        industry=["a", "a", "b", None],
    )
    by_people = group_means(result, weighting="respondents", rules=rules)
    assert by_people.means.values[0, 0] == pytest.approx(5300 / 80)
    shares = np.array([1, 3, 2, 2]) / 8
    assert by_people.means.variance[0, 0] == pytest.approx(shares**2 @ [1, 4, 9, 16])
    by_size = group_means(result, weighting="size", rules=rules)
    assert by_size.means.values[0, 0] == pytest.approx((50 + 240 + 140 + 160) / 9)
    groups = group_means(result, "industry", weighting="size", rules=rules)
    assert groups.unknown == ("o3",)
    assert groups.reasons[:, 0].tolist() == ["", "few peers"]
    strict = group_means(result, weighting="size", rules=DisclosureRules(min_peers_mean=2))
    assert strict.reasons[0, 0] == "dominated"
    assert np.isnan(strict.means.values[0, 0])
    assert "dominated" in str(strict)


def test_a_mean_knows_shared_respondents() -> None:
    result = answered()
    count = len(result.organizations)
    average = np.full(count, 1 / count)
    means = group_means(result).means
    assert means.variance[0, 0] == pytest.approx(average @ result.index.covariance() @ average)
    assert means.standard_error[0, 0] > np.sqrt((average**2) @ result.index.variance)


def test_bad_weighting() -> None:
    with pytest.raises(MethodError, match="did you mean 'respondents'"):
        group_means(scored([50, 60]), weighting="respondent")  # type: ignore[arg-type]
    with pytest.raises(MethodError, match="the first is 'o0'"):
        group_means(scored([50, 60]), weighting="respondents")
    with pytest.raises(DefinitionError) as error:
        group_means(scored([50, 60], sector=["a", "b"]), "sectr")
    assert error.value.nearest == "sector"


# -- tables ---------------------------------------------------------------------------------------


def test_rows_are_plain_and_none_where_not_shown() -> None:
    benchmark = compare_to_peers(scored([50, 60, np.nan]), rules=LOOSE)
    rows = benchmark.to_rows()
    assert len(rows) == 3 * 3
    assert {type(value) for row in rows for value in row.values()} <= {str, int, float, type(None)}
    first, last = rows[0], rows[2]
    assert (first["organization"], first["peers"], first["rank"], first["of"]) == (
        "o0",
        "industry",
        2,
        2,
    )
    assert first["to_mean"] == -10.0
    assert (last["score"], last["score_reason"]) == (None, "missing score")
    assert first["score_reason"] is None


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_frames(backend: Any) -> None:
    pytest.importorskip(backend)
    result = scored([50, 60, 70, 80, 90])
    for table in (compare_to_peers(result), group_means(result)):
        assert len(table.to_frame(backend)) == len(table.to_rows())


def test_the_short_text() -> None:
    text = str(compare_to_peers(scored(list(range(50, 62)))))
    assert "12 organizations beside their peers (industry)" in text
    assert "12 compared, 12 with a percentile rank" in text
    assert "note: 12 organizations have no known number of respondents" in text
    assert "all (3): few peers" in str(group_means(scored([50, 60, 70])))
    assert "standard error" in str(group_means(answered()))


def test_html_in_two_languages_is_escaped() -> None:
    organizations = [
        Organization(key=f"o{n}", sector="<s>", label={"ko": f"기관 {n}", "en": f"<b>{n}</b>"})
        for n in range(12)
    ]
    study = Study(key="study", framework=FRAMEWORK, organizations=organizations)
    frame = {"organization": [one.key for one in organizations], "openness": np.arange(50.0, 62)}
    result = IndexResult.from_scores(frame, study)
    for table in (compare_to_peers(result, "sector"), group_means(result, "sector")):
        page = table._repr_html_()
        assert "<b>1" not in page
        assert "<s>" not in page
    page = compare_to_peers(result, "everyone")._repr_html_()
    assert "&lt;b&gt;11&lt;/b&gt;" in page
    assert "기관 11" in page
