"""All that is made of an index comes out the same from a tally, or says what it lacks."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from support import answered, small_study

import sotongindex as si
from sotongindex import (
    bands,
    calibration,
    change,
    differences,
    importance,
    method_comparison,
    norms,
    planning,
    ranking,
    report,
    shrinkage,
    standing,
    tables,
    targets,
    value_based,
)
from sotongindex.design_effects import sampling_design_effects
from sotongindex.drivers import find_drivers, find_organization_drivers
from sotongindex.errors import MethodError
from sotongindex.models import Organization, PeerGroup, Target
from sotongindex.peer_groups import adjust_for_mix
from sotongindex.reliability import cronbach_alpha
from sotongindex.robustness import (
    MethodOptions,
    Sampling,
    WeightSpread,
    assess_robustness,
    effective_importance,
)
from sotongindex.tally import Tally
from sotongindex.variance import BalancedRepeatedReplication, Bootstrap, Jackknife, Linearization
from sotongindex.weighting import FactorWeights, FixedWeights, WeightingScheme

LEVELS = ("index", "channels", "dimensions", "cells", "items")
METHOD = si.IndexMethod(variance=si.GroupJackknife(groups=16))
SCHEME = WeightingScheme(channels=FixedWeights({"blog": 0.7, "video": 0.3}))


def wave(seed: int, rise: float) -> si.Responses:
    """Make answers in which everybody rates the blog and half the video, one in twenty missing.

    So the most evaluations on one channel, which is what a tally knows, are all respondents.
    """
    organizations = [
        Organization(
            key=f"org-{number:02d}",
            industry=("retail", "banking")[number % 2],
            channels=["blog"] if number == 3 else ["blog", "video"],
        )
        for number in range(14)
    ]
    study = small_study(
        organizations,
        channels=("blog", "video"),
        items=[("q1", "open"), ("q2", "open"), ("q3", "useful"), ("q4", "useful")],
    )
    study = attrs.evolve(study, wave=str(seed))
    rng = np.random.default_rng(seed)
    level = np.linspace(3.2, 5.2, 14) + rise
    rows = [
        (person, f"org-{number:02d}", channel)
        for person in range(300)
        for number in (person % 14, (3 * person + 1) % 14)
        for channel in ("blog", "video")[: 1 if number == 3 else 1 + person % 2]
    ]
    rows = list(dict.fromkeys(rows))
    kindness = np.random.default_rng(0).normal(size=300)  # of the same people in every wave
    means = np.array([level[int(row[1][4:])] + 0.5 * kindness[row[0]] for row in rows])
    answers = np.clip(np.rint(means[:, None] + rng.normal(size=(len(rows), 4))), 1, 7)
    answers[rng.random(answers.shape) < 0.05] = np.nan
    return answered(
        study,
        [(*row, *given) for row, given in zip(rows, answers.tolist(), strict=True)],
        weight=rng.gamma(4.0, 0.25, 300)[[row[0] for row in rows]],
    )


BEFORE, AFTER = wave(1, 0.0), wave(2, 0.3)
RECIPE = si.Recipe(
    study=AFTER.study,
    scheme=SCHEME,
    method=METHOD,
    peers=PeerGroup(key="industry", same=["industry"]),
    targets=Target(score=60.0),
)


def results(make) -> tuple[si.IndexResult, si.IndexResult]:
    """Return the indices of both waves, from what `make` makes of the answers."""
    before, after = (
        si.compute_index(make(wave), scheme=SCHEME, method=METHOD) for wave in (BEFORE, AFTER)
    )
    return before, after


ANSWERS = results(lambda responses: responses)
SUMS = results(lambda responses: Tally.from_responses(responses, groups=16))


def assert_same(one: object, other: object) -> None:
    """Assert that two values are the same, numbers to 1e-9."""
    if isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for first, second in zip(one, other, strict=True):
            assert_same(first, second)
    elif isinstance(one, float | np.ndarray):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)
    else:
        assert one == other


@pytest.mark.parametrize("level", LEVELS)
def test_scores_errors_and_covariances(level):
    assert [result.source for result in SUMS] == ["tally", "tally"]
    for one, other in zip(ANSWERS, SUMS, strict=True):
        estimates, same = getattr(one, level), getattr(other, level)
        for name in ("values", "variance", "degrees_of_freedom", "low", "high"):
            np.testing.assert_allclose(getattr(estimates, name), getattr(same, name), rtol=1e-9)
        np.testing.assert_allclose(estimates.covariance(), same.covariance(), atol=1e-9)
        assert_same(one.to_rows(level), other.to_rows(level))
    assert_same(attrs.asdict(ANSWERS[1].counts), attrs.asdict(SUMS[1].counts))


ONE = {
    "peers": lambda result: si.compare_to_peers(result).to_rows(),
    "group means": lambda result: si.group_means(result, "industry").to_rows(),
    "ranks": lambda result: ranking.rank_organizations(result, rng=1).to_rows(),
    "standing": lambda result: standing.assess_standing(result, "everyone", rng=1).to_rows(),
    "shrinkage": lambda result: shrinkage.shrink_scores(result).to_rows(),
    "respondents needed": lambda result: shrinkage.plan_respondents(result, width=5.0).to_rows(),
    "differences from peers": lambda result: differences.differences_from_peers(
        si.compare_to_peers(result, "everyone")
    ).to_rows(),
    "funnel": lambda result: differences.differences_from_spread(result).to_rows(),
    "pairs": lambda result: differences.pairwise_differences(
        result, ["org-00", "org-13"]
    ).to_rows(),
    "bands": lambda result: bands.forced_bands(
        result, {"low": 0.5, "high": 0.5}, None, rng=1
    ).to_rows(),
    "gaps": lambda result: si.find_gaps(result, [Target(score=60.0)]).to_rows(),
    "target status": lambda result: targets.judge_targets(
        si.find_gaps(result, [Target(score=60.0)])
    ).to_rows(),
    "plan": lambda result: si.plan_improvement(result, "org-00", 60.0).to_rows(),
    "opening a channel": lambda result: planning.open_channel(
        result, "org-03", "video", assumed=50.0
    ).to_rows(),
    "importance": lambda result: importance.importance_performance(result).to_rows(),
    "effective importance": lambda result: effective_importance(result, rng=1).to_rows(),
    "drivers of organizations": lambda result: find_organization_drivers(
        result, {"staff": np.arange(14.0) % 5}
    ).to_rows(),
    "robustness": lambda result: assess_robustness(
        result,
        [WeightSpread(level="channels", spread=0.25), Sampling()],
        runs=50,
        sensitivity=False,
        rng=1,
    ).to_rows(),
    "methods": lambda result: method_comparison.compare_methods(
        result, attrs.evolve(result)
    ).to_rows(),
    "norm": lambda result: norms.compare_to_norm(
        result, norms.freeze_norm(result, key="norm", version="1"), draws=100
    ).to_rows(),
    "channel table": tables.channel_table,
    "group table": tables.group_table,
}


@pytest.mark.parametrize("name", ONE)
def test_what_is_made_of_one_index(name):
    assert_same(ONE[name](ANSWERS[1]), ONE[name](SUMS[1]))


TWO = {
    "waves": lambda before, after: si.compare_waves(before, after).to_rows(),
    "decomposition": lambda before, after: change.decompose_change(before, after).to_rows(),
    "points for improvement": lambda before, after: value_based.score_improvement(
        after, before
    ).to_rows(),
}


@pytest.mark.parametrize("name", TWO)
def test_what_is_made_of_two_indices(name):
    assert_same(TWO[name](*ANSWERS), TWO[name](*SUMS))


def test_respondents_of_both_waves_are_found_in_two_tallies():
    before, after = SUMS
    shared = before.index.covariance(after.index)
    np.testing.assert_allclose(shared, ANSWERS[0].index.covariance(ANSWERS[1].index), atol=1e-9)
    assert np.diagonal(shared).mean() > 0.1 * before.index.variance.mean()


def test_findings_tables_and_the_report(tmp_path):
    found = si.run_recipe(RECIPE, AFTER)
    same = si.run_recipe(RECIPE, Tally.from_responses(AFTER, groups=16))
    assert_same(found.benchmarks.to_rows(), same.benchmarks.to_rows())
    assert_same(found.gaps.to_rows(), same.gaps.to_rows())
    assert tables.league_table(found) == tables.league_table(same)
    assert tables.organization_text(found, "org-04") == tables.organization_text(same, "org-04")
    report.write_report(found, tmp_path / "answers")
    page = report.write_report(same, tmp_path / "tally")
    assert page.name == "report.html"
    for path in (tmp_path / "answers").glob("*.csv"):
        assert path.read_bytes() == (tmp_path / "tally" / path.name).read_bytes()


def test_json_brings_the_result_back():
    text = si.to_json(SUMS[1])
    again = si.from_json(text)
    assert again.source == "tally"
    np.testing.assert_array_equal(again.index.values, SUMS[1].index.values)
    np.testing.assert_allclose(again.index.variance, SUMS[1].index.variance)


def test_a_tally_of_one_group_has_scores_and_no_errors():
    tally = Tally.from_responses(AFTER, groups=1)
    result = si.compute_index(tally, scheme=SCHEME)
    np.testing.assert_allclose(result.index.values, ANSWERS[1].index.values)
    for level in LEVELS:
        estimates = getattr(result, level)
        assert np.isnan(estimates.variance).all()
        assert np.isnan(estimates.low).all()
        assert (estimates.degrees_of_freedom == 0).all()
    (notice,) = [one for one in result.notices if one.code == "error not known"]
    assert "a tally of one jackknife group" in notice.message
    assert notice.keys == result.organizations
    with pytest.raises(MethodError, match="the method asks for 16; make the tally with as many"):
        si.compute_index(tally, method=METHOD)


@pytest.mark.parametrize(
    "variance", [Linearization(), Jackknife(), BalancedRepeatedReplication(), Bootstrap()]
)
def test_errors_that_need_respondents(variance):
    tally = Tally.from_responses(AFTER, groups=16)
    with pytest.raises(MethodError, match=r"a tally keeps none; .*GroupJackknife\(groups=16\)"):
        si.compute_index(tally, method=si.IndexMethod(variance=variance))


def test_replicates_that_learn_need_respondents():
    learning = WeightingScheme(dimensions=FactorWeights())
    tally = Tally.from_responses(AFTER, groups=16)
    result = si.compute_index(tally, scheme=learning, method=METHOD)
    (notice,) = [one for one in result.notices if one.code == "weights from data"]
    assert "the errors take them as given" in notice.message
    same = si.compute_index(AFTER, scheme=learning, method=METHOD)
    np.testing.assert_allclose(result.index.values, same.index.values, rtol=1e-12)
    assert [one.code for one in same.notices] == ["weights learned again"]


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda tally: find_drivers(tally, "q1"), "a tally keeps none; give the responses"),
        (cronbach_alpha, "use tally_alpha"),
        (lambda tally: calibration.rake(tally, {}), "a tally keeps none; give the responses"),
        (lambda tally: calibration.post_stratify(tally, {}), "a tally keeps none"),
        (lambda tally: calibration.calibrate(tally, {}), "a tally keeps none"),
        (lambda tally: calibration.trim_weights(tally, upper=2.0), "a tally keeps none"),
        (lambda tally: adjust_for_mix(tally, "org-00", by="age"), "a tally keeps none"),
        (lambda tally: sampling_design_effects(SUMS[1], tally), "a tally keeps none"),
        (
            lambda tally: assess_robustness(
                SUMS[1],
                MethodOptions(field="order", options=["items first", "respondents first"]),
                answers=tally,
                runs=10,
            ),
            "need the responses that the result was made from, got Tally",
        ),
        (
            lambda tally: si.compute_index(
                tally, method=attrs.evolve(METHOD, order="respondents first")
            ),
            'give the responses, or use "items first"',
        ),
        (
            lambda tally: si.run_recipe(attrs.evolve(RECIPE, method=si.IndexMethod()), tally),
            "Linearization needs the respondents",
        ),
    ],
)
def test_what_needs_respondents_says_so(use, message):
    with pytest.raises(MethodError, match=message):
        use(Tally.from_responses(AFTER, groups=16))
