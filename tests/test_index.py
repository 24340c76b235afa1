"""The index on small cases whose answer is known, published examples, and the edges."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from support import answered, small_study

from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import IndexMethod, Powers, blend, compute_index
from sotongindex.models import Organization, Scale, SurveyItem
from sotongindex.responses import Responses
from sotongindex.results import IndexResult
from sotongindex.tally import Tally
from sotongindex.variance import GroupJackknife, Linearization
from sotongindex.weighting import FixedWeights, WeightingScheme

TWO_CHANNELS = small_study(channels=("blog", "video"), items=[("q1", "open"), ("q2", "useful")])


def codes(result: IndexResult) -> dict[str, tuple[str, ...]]:
    return {notice.code: notice.keys for notice in result.notices}


# -- known answers -------------------------------------------------------------------------------


def test_a_mean_and_its_error_by_hand():
    study = small_study(organizations=["a"])
    result = compute_index(answered(study, [(1, "a", "blog", 7), (2, "a", "blog", 4)]))
    assert result.index.values.item() == 75
    # Two points, 100 and 50: standard deviation 35.36, over the square root of 2.
    assert result.index.standard_error.item() == pytest.approx(25)
    assert result.index.degrees_of_freedom.item() == 1
    assert (result.index.low.item(), result.index.high.item()) == (0, 100)


def test_points_of_seocho_gu_2011_add_up():
    # Published: blog 13.95 + Twitter 18.15 + Facebook 18.10 + website 10.78 = 60.98.
    points = np.array([13.95, 18.15, 18.10, 10.78])
    study = small_study(
        organizations=["seocho-gu"], channels=("blog", "twitter", "facebook", "website")
    )
    weights = {"blog": 0.25, "twitter": 0.3, "facebook": 0.3, "website": 0.15}
    scores = points / np.array(list(weights.values()))
    result = IndexResult.from_scores(
        {
            "organization": ["seocho-gu"] * 4,
            "channel": list(weights),
            "d1": scores,
        },
        study,
        channel="channel",
        scheme=WeightingScheme(channels=FixedWeights(weights)),
    )
    np.testing.assert_allclose(result.contributions().values[0, :, 0], points)
    assert result.index.values.item() == pytest.approx(60.98)


def test_respondents_first_reproduces_press_ganey_s_worked_example():
    # Sections A (3 items), B (4) and C (2) average equally for every patient, then patients do.
    answers = np.array(
        [
            [100, 75, 100, 25, 75, 100, 25, 100, 75],
            [75, 50, 50, 50, 50, 75, 25, 100, 75],
            [75, 75, 75, 75, 25, 75, 50, 75, 75],
            [50, 50, 100, 75, 25, 50, 75, 50, 50],
            [50, 75, 100, 50, 75, 25, 50, 75, 50],
        ]
    )
    scale = Scale(low=0, high=100)
    items = [
        SurveyItem(key=f"{section}{number}", dimension=section, scale=scale)
        for section, count in (("A", 3), ("B", 4), ("C", 2))
        for number in range(count)
    ]
    study = small_study(organizations=["clinic"], items=items)
    responses = Responses.from_arrays(study, answers=answers, organization=np.zeros(5, dtype=int))
    result = compute_index(responses, method=IndexMethod(order="respondents first"))
    np.testing.assert_allclose(result.dimensions.values[0], [73.33, 53.75, 72.50], atol=0.005)
    assert result.index.values.item() == pytest.approx(66.5278, abs=5e-5)


def test_orders_of_averaging_differ_with_missing_answers():
    study = small_study(organizations=["a"], items=[("q1", "d"), ("q2", "d")])
    responses = answered(
        study, [(1, "a", "blog", 7, 7), (2, "a", "blog", 1, np.nan), (3, "a", "blog", 1, np.nan)]
    )
    items_first = compute_index(responses)
    assert items_first.index.values.item() == pytest.approx((100 / 3 + 100) / 2)
    respondents_first = compute_index(responses, method=IndexMethod(order="respondents first"))
    assert respondents_first.index.values.item() == pytest.approx(100 / 3)
    assert respondents_first.contributions().values.sum() == pytest.approx(100 / 3)


def test_geometric_and_harmonic_means_over_dimensions():
    study = small_study(organizations=["a"], items=[("q1", "d1"), ("q2", "d2")])
    responses = answered(study, [(1, "a", "blog", 7, 4)])
    for power, expected in ((0, np.sqrt(100 * 50)), (-1, 2 / (1 / 100 + 1 / 50))):
        result = compute_index(responses, method=IndexMethod(power=Powers(dimensions=power)))
        assert result.index.values.item() == pytest.approx(expected)


def test_organizations_that_share_respondents_covary():
    study = small_study()
    rows = [(r, o, "blog", 1 + (r + (o == "b")) % 7) for r in range(12) for o in "ab"]
    shared = compute_index(answered(study, rows))
    apart = compute_index(answered(study, [(r + 100 * (o == "b"), o, c, x) for r, o, c, x in rows]))
    a, b = np.array([row[3] for row in rows]).reshape(-1, 2).T * 100 / 6
    np.testing.assert_allclose(shared.index.covariance(), np.cov(a, b) / 12)
    np.testing.assert_allclose(
        np.diag(shared.index.covariance()), np.diag(apart.index.covariance())
    )
    assert apart.index.covariance()[0, 1] == 0
    difference = shared.index.transform([[1, -1]])
    assert difference.variance.item() == pytest.approx(np.var(a - b, ddof=1) / 12)


def test_channels_of_one_organization_covary_through_their_respondents():
    rows = [
        (r, "a", c, 1 + r % 7, 1 + (r + (c == "blog")) % 7)
        for r in range(9)
        for c in ("blog", "video")
    ]
    result = compute_index(answered(TWO_CHANNELS, rows))
    channels = result.channels.select(0)
    total = channels.transform([[0.5, 0.5]])
    assert total.variance.item() == pytest.approx(result.index.variance[0])
    assert channels.covariance()[0, 1] != 0


def test_a_stratified_sample_centres_within_its_strata():
    study = small_study(organizations=["a"])
    rows = [(r, "a", "blog", 1 + r % 3 + 3 * (r >= 6)) for r in range(12)]
    plain = compute_index(answered(study, rows))
    strata = compute_index(answered(study, rows, stratum=[f"s{r // 6}" for r in range(12)]))
    points = np.array([row[3] for row in rows]) * 100 / 6
    expected = sum(np.var(points[h], ddof=1) * 6 for h in (slice(0, 6), slice(6, 12))) / 144
    assert strata.index.variance.item() == pytest.approx(expected)
    assert strata.index.covariance().item() == pytest.approx(expected)
    assert strata.index.variance.item() < plain.index.variance.item()
    assert strata.index.degrees_of_freedom.item() == 10


def test_waves_with_the_same_strata_but_other_people_are_independent():
    study = small_study()
    first, second = (
        compute_index(
            answered(
                study,
                [(start + r, "a", "blog", 1 + (r * step) % 7) for r in range(12)],
                stratum=[f"s{r // 6}" for r in range(12)],
            )
        ).index
        for start, step in ((0, 3), (100, 2))
    )
    assert first.covariance(second)[0, 0] == 0
    assert first.covariance(first)[0, 0] == pytest.approx(first.variance[0])


@pytest.mark.parametrize(("lonely", "expected"), [("certainty", 0.0), ("adjust", 1.0)])
def test_a_stratum_of_one_cluster_needs_a_rule(lonely, expected):
    study = small_study(organizations=["a"])
    rows = [(1, "a", "blog", 1), (2, "a", "blog", 1), (3, "a", "blog", 7)]
    responses = answered(study, rows, stratum=["x", "x", "y"])
    with pytest.raises(MethodError, match="'y'") as caught:
        compute_index(responses)
    assert caught.value.argument == "lonely"
    method = IndexMethod(variance=Linearization(lonely=lonely, correction="design"))
    result = compute_index(responses, method=method)
    # Influences over 3: -100/9 twice and 200/9. The pair varies by nothing within its stratum.
    assert result.index.variance.item() == pytest.approx(expected * (200 / 9) ** 2)
    assert result.index.covariance().item() == pytest.approx(expected * (200 / 9) ** 2)


# -- channels that are absent, answers that are missing ------------------------------------------


def test_a_channel_that_is_not_operated_is_left_out_or_counts_zero():
    study = attrs.evolve(
        TWO_CHANNELS, organizations=[Organization(key="a", channels=["blog"]), "b"][:1]
    )
    responses = answered(study, [(1, "a", "blog", 7, 4), (2, "a", "blog", 7, 4)])
    assert compute_index(responses).index.values.item() == 75
    zero = compute_index(responses, method=IndexMethod(absent_channels="zero"))
    assert zero.index.values.item() == 37.5
    assert zero.dimensions.values[0].tolist() == [50, 25]
    assert zero.contributions().values.sum() == pytest.approx(37.5)


def test_an_operated_channel_without_answers_counts_against_the_share():
    study = attrs.evolve(
        TWO_CHANNELS,
        organizations=[Organization(key="a", channels=["blog", "video"]), Organization(key="b")],
    )
    rows = [(r, o, "blog", 7, 4) for r in (1, 2) for o in "ab"]
    result = compute_index(answered(study, rows), method=IndexMethod(min_share=0.6))
    assert np.isnan(result.index.values).tolist() == [True, False]
    assert codes(result)["index missing"] == ("a",)
    assert codes(result)["channel not rated"] == ("a/video",)


def test_too_little_of_a_channel_is_no_channel():
    study = small_study(organizations=["a"], items=[("q1", "d1"), ("q2", "d2"), ("q3", "d3")])
    responses = answered(
        study, [(1, "a", "blog", 7, np.nan, np.nan), (2, "a", "blog", 7, np.nan, np.nan)]
    )
    result = compute_index(responses)
    assert np.isnan(result.index.values).all()
    assert codes(result) == {"channel missing": ("a/blog",), "index missing": ("a",)}
    assert compute_index(responses, method=IndexMethod(min_share=0.3)).index.values.item() == 100


def test_an_organization_that_nobody_rated():
    result = compute_index(answered(small_study(), [(1, "a", "blog", 7), (2, "a", "blog", 6)]))
    assert np.isnan(result.index.values[1])
    assert codes(result) == {"no answers": ("b",)}
    assert result.counts.respondents.tolist() == [2, 0]


def test_one_respondent_has_a_score_and_no_error():
    for variance in (Linearization(), Linearization(correction="design"), GroupJackknife()):
        result = compute_index(
            answered(small_study(organizations=["a"]), [(1, "a", "blog", 5)]),
            method=IndexMethod(variance=variance),
        )
        assert result.index.values.item() == pytest.approx(200 / 3)
        assert np.isnan(result.index.standard_error).all()
        assert np.isnan(result.index.high).all()
        assert codes(result) == {"error not known": ("a",)}


def test_an_item_with_one_answer_hides_the_error_until_it_is_left_out():
    study = small_study(organizations=["a"], items=[("q1", "d"), ("q2", "d")])
    rows = [(1, "a", "blog", 7, 1), (2, "a", "blog", 4, np.nan), (3, "a", "blog", 4, np.nan)]
    result = compute_index(answered(study, rows))
    assert np.isnan(result.index.variance).all()
    assert codes(result) == {"error not known": ("a",)}
    without = compute_index(answered(study, rows), method=IndexMethod(min_answers=2))
    assert without.index.values.item() == pytest.approx(200 / 3)
    assert without.index.variance.item() == pytest.approx(np.var([100, 50, 50], ddof=1) / 3)
    assert without.notices == ()


def test_a_zero_score_under_the_geometric_mean_has_no_error():
    study = small_study(organizations=["a"], items=[("q1", "d1"), ("q2", "d2")])
    rows = [(1, "a", "blog", 7, 1), (2, "a", "blog", 4, 1)]
    result = compute_index(answered(study, rows), method=IndexMethod(power=0))
    assert result.index.values.item() == 0
    assert np.isnan(result.index.variance).all()
    assert codes(result) == {"no derivative": ("a",)}


# -- counts, tallies and faults ------------------------------------------------------------------


def test_counts():
    rows = [(1, "a", "blog", 7, 4), (1, "a", "video", 7, np.nan), (2, "a", "blog", 7, 4)]
    counts = compute_index(answered(TWO_CHANNELS, rows, weight=[1, 1, 2])).counts
    assert counts.respondents.tolist() == [2, 0]
    assert counts.evaluations.tolist() == [[2, 1], [0, 0]]
    assert counts.answers[0].tolist() == [[2, 2], [1, 0]]
    assert counts.effective[0] == pytest.approx(16 / 6)


def test_a_tally_knows_at_least_how_many_respondents_there_are():
    rows = [(1, "a", "blog", 7, 4), (1, "a", "video", 7, 4), (2, "a", "blog", 7, 4)]
    tally = Tally.from_responses(answered(TWO_CHANNELS, rows), groups=8)
    result = compute_index(tally, method=IndexMethod(variance=GroupJackknife(groups=8)))
    assert result.source == "tally"
    assert result.counts.respondents.tolist() == [2, 0]


def test_what_a_tally_cannot_give():
    tally = Tally.from_responses(answered(TWO_CHANNELS, [(1, "a", "blog", 7, 4)]), groups=8)
    for method, argument in (
        (IndexMethod(), "variance"),
        (IndexMethod(variance=GroupJackknife(groups=32)), "variance"),
        (IndexMethod(order="respondents first", variance=GroupJackknife(groups=8)), "order"),
    ):
        with pytest.raises(MethodError) as caught:
            compute_index(tally, method=method)
        assert caught.value.argument == argument


@pytest.mark.parametrize(
    ("field", "value"), [("min_share", 1.5), ("min_answers", 0), ("level", 1.0)]
)
def test_a_faulty_method(field, value):
    with pytest.raises(DefinitionError) as caught:
        IndexMethod(**{field: value})
    assert caught.value.field == f"IndexMethod.{field}"


@pytest.mark.parametrize(
    "make",
    [
        lambda: IndexMethod(order="items last"),
        lambda: IndexMethod(absent_channels="impute"),
        lambda: Linearization(correction="none"),
        lambda: Linearization(lonely="ignore"),
    ],
)
def test_choices_are_from_a_list(make):
    with pytest.raises(DefinitionError):
        make()


def test_one_number_an_organization():
    rows = [(r, "a", c, 7, 4) for r in (1, 2) for c in ("blog", "video")]
    result = compute_index(answered(TWO_CHANNELS, rows))
    assert result.estimates().values[0] == 75
    assert result.estimates(channel="blog").values[0] == 75
    assert result.estimates(dimension="open").values[0] == 100
    assert result.estimates(channel="video", dimension="useful").values[0] == 50
    with pytest.raises(DefinitionError) as caught:
        result.estimates(channel="vido")
    assert caught.value.nearest == "video"


# -- scores from elsewhere and blends ------------------------------------------------------------

SCORES = {"organization": ["a", "b"], "open": [60.0, 70.0], "useful": [80.0, np.nan]}
ONE_CHANNEL = small_study(items=[("q1", "open"), ("q2", "useful")])


def test_scores_with_and_without_errors_and_counts():
    bare = IndexResult.from_scores(SCORES, ONE_CHANNEL)
    assert bare.index.values.tolist() == [70, 70]
    assert np.isnan(bare.index.standard_error).all()
    assert np.isnan(bare.counts.respondents).all()
    table = SCORES | {"e1": [3.0, 2.0], "e2": [4.0, 2.0], "n": [120, 40]}
    known = IndexResult.from_scores(
        table, ONE_CHANNEL, standard_errors={"open": "e1", "useful": "e2"}, respondents="n"
    )
    np.testing.assert_allclose(known.index.standard_error, [2.5, 2.0])
    assert known.counts.respondents.tolist() == [120, 40]
    assert known.source == "scores"


def test_a_published_index_replaces_the_computed_one():
    table = SCORES | {"published": [71.0, 69.0]}
    result = IndexResult.from_scores(table, ONE_CHANNEL, index="published")
    assert result.index.values.tolist() == [71, 69]
    assert result.structure.index.tolist() == [71, 69]


@pytest.mark.parametrize(
    ("table", "options", "error", "match"),
    [
        ({"organization": ["a", "c"]}, {}, DefinitionError, "unknown organization 'c'"),
        ({"organization": ["a", "a"]}, {}, MethodError, "more than one row"),
        ({"organization": ["a", None]}, {}, MethodError, "row 1"),
        ({"open": [60.0, 700.0]}, {}, MethodError, "700"),
        ({"open": ["good", "bad"]}, {}, MethodError, "'open'"),
        ({}, {"columns": {"openness": "open"}}, DefinitionError, "did you mean 'open'"),
        ({}, {"columns": {"open": "opn"}}, DefinitionError, "did you mean 'open'"),
        ({}, {"standard_errors": {"opn": "open"}}, DefinitionError, "did you mean 'open'"),
        ({"i": [50.0, -1.0]}, {"index": "i"}, MethodError, "index"),
        ({"organization": [1.5, 2.5]}, {}, MethodError, "expected keys"),
    ],
)
def test_faulty_score_tables(table, options, error, match):
    with pytest.raises(error, match=match):
        IndexResult.from_scores(SCORES | table, ONE_CHANNEL, **options)


def test_a_score_table_of_several_channels_must_name_them():
    with pytest.raises(MethodError, match="2 channels"):
        IndexResult.from_scores(SCORES, TWO_CHANNELS)
    table = {"organization": ["a", "a"], "channel": ["blog", "video"], "i": [50.0, 60.0]}
    with pytest.raises(MethodError, match="different values"):
        IndexResult.from_scores(table, TWO_CHANNELS, channel="channel", columns={}, index="i")


@pytest.mark.parametrize(
    ("customers", "calls", "expected"),
    [(68.0, 84.5, 76.2), (69.7, 78.9, 74.3), (72.1, 78.6, 75.4)],
)
def test_two_source_blends_of_sibling_indices(customers, calls, expected):
    # KS-CQI: mystery calls and customers count half each; published inputs are rounded.
    study = small_study(organizations=["a"])
    sources = {
        name: (IndexResult.from_scores({"organization": ["a"], "d1": [score]}, study), 0.5)
        for name, score in (("customers", customers), ("calls", calls))
    }
    assert blend(sources).index.values.item() == pytest.approx(expected, abs=0.06)


def test_a_blend_adds_errors_of_sources_that_share_no_people():
    responses = answered(small_study(), [(r, o, "blog", 1 + r % 7) for r in range(9) for o in "ab"])
    source = compute_index(responses)
    result = blend({"customers": (source, 0.75), "experts": (source, 0.25)})
    np.testing.assert_allclose(result.index.variance, (0.75**2 + 0.25**2) * source.index.variance)
    between = source.index.covariance()[0, 1]
    assert result.index.covariance()[0, 1] == pytest.approx((0.75**2 + 0.25**2) * between)
    np.testing.assert_allclose(
        result.contributions().values[:, 0], np.outer(source.index.values, [0.75, 0.25])
    )
    assert result.source == "blend"


def test_a_blend_needs_every_source():
    study = small_study()
    one = IndexResult.from_scores({"organization": ["a", "b"], "d1": [60.0, 70.0]}, study)
    other = IndexResult.from_scores({"organization": ["a"], "d1": [60.0]}, study)
    result = blend({"customers": (one, 0.5), "experts": (other, 0.5)})
    assert np.isnan(result.index.values).tolist() == [False, True]


@pytest.mark.parametrize(
    ("shares", "error"), [((0.5, 0.4), DefinitionError), ((1.5, -0.5), DefinitionError)]
)
def test_faulty_shares(shares, error):
    study = small_study(organizations=["a"])
    one = IndexResult.from_scores({"organization": ["a"], "d1": [60.0]}, study)
    with pytest.raises(error):
        blend({"x": (one, shares[0]), "y": (one, shares[1])})


def test_blends_of_nothing_and_of_other_organizations():
    with pytest.raises(MethodError, match="one source"):
        blend({})
    one = IndexResult.from_scores({"organization": ["a"], "d1": [60.0]}, small_study(["a"]))
    two = IndexResult.from_scores({"organization": ["b"], "d1": [60.0]}, small_study(["b"]))
    with pytest.raises(MethodError, match="other organizations"):
        blend({"x": (one, 0.5), "y": (two, 0.5)})


# -- clusters ------------------------------------------------------------------------------------

CLUSTERED = [(r, "a", "blog", 1 + (r * r) % 7, 1 + (r * 3) % 7) for r in range(12)]
CLUSTERS = [f"c{r // 3}" for r in range(12)]


def test_a_clustered_sample_adds_influences_up_within_clusters():
    study = small_study(organizations=["a"], items=[("q1", "d1"), ("q2", "d2")])
    result = compute_index(answered(study, CLUSTERED, cluster=CLUSTERS))
    points = (np.array([row[3:] for row in CLUSTERED]) - 1) * 100 / 6
    sums = (points - points.mean(axis=0)).reshape(4, 3, 2).sum(axis=1) / 12
    np.testing.assert_allclose(result.items.covariance(), sums.T @ sums * 4 / 3, atol=1e-9)
    np.testing.assert_allclose(result.index.variance, (sums.mean(axis=1) ** 2).sum() * 4 / 3)
    assert result.items.degrees_of_freedom.ravel().tolist() == [3, 3]


def test_an_item_is_corrected_by_the_clusters_that_answered_it():
    study = small_study(organizations=["a"], items=[("q1", "d1"), ("q2", "d2")])
    rows = [row if row[0] < 6 else (*row[:4], np.nan) for row in CLUSTERED]
    items = compute_index(answered(study, rows, cluster=CLUSTERS)).items
    points = (np.array([row[4] for row in rows[:6]]) - 1) * 100 / 6
    sums = (points - points.mean()).reshape(2, 3).sum(axis=1) / 6
    # Two of four clusters answered: 4/3 of the design times (2/1) / (4/3).
    assert items.variance[0, 0, 1] == pytest.approx((sums**2).sum() * 2)
    assert items.degrees_of_freedom[0, 0].tolist() == [3, 1]


def test_clusters_with_respondents_first():
    study = small_study(organizations=["a"], items=[("q1", "d1"), ("q2", "d2")])
    result = compute_index(
        answered(study, CLUSTERED, cluster=CLUSTERS), method=IndexMethod(order="respondents first")
    )
    points = ((np.array([row[3:] for row in CLUSTERED]) - 1) * 100 / 6).mean(axis=1)
    sums = (points - points.mean()).reshape(4, 3).sum(axis=1) / 12
    assert result.index.variance.item() == pytest.approx((sums**2).sum() * 4 / 3)
    assert result.index.degrees_of_freedom.item() == 3


def test_scores_of_organizations_with_numbers_for_keys():
    study = small_study(organizations=["7", "12"])
    result = IndexResult.from_scores({"organization": [12, 7], "d1": [60.0, 70.0]}, study)
    assert result.index.values.tolist() == [70, 60]
