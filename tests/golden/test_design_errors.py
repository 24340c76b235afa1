"""Errors of a design against R's survey package: tests/golden/survey says how they were made."""

from __future__ import annotations

import numpy as np
import pytest
from expected import survey_rows, survey_values

from sotongindex._replicates import replicates_of
from sotongindex.calibration import calibrate, post_stratify, rake
from sotongindex.design_effects import sampling_design_effects
from sotongindex.index import IndexMethod, compute_index
from sotongindex.models import Channel, Dimension, Framework, Organization, Scale, Study, SurveyItem
from sotongindex.responses import Responses
from sotongindex.variance import Bootstrap, Jackknife, Linearization, ReplicateWeights

ITEMS = ("q1", "q2", "q3")
STUDY = Study(
    key="synthetic",
    framework=Framework(
        key="synthetic",
        version="1",
        channels=[Channel(key="web")],
        dimensions=[Dimension(key="all")],
        items=[SurveyItem(key=key, dimension="all", scale=Scale(low=1, high=7)) for key in ITEMS],
    ),
    organizations=[Organization(key=key) for key in "abc"],
)
ROLES = {
    "independent": {},
    "clusters": {"cluster": "cluster"},
    "strata_clusters": {"cluster": "cluster", "stratum": "stratum"},
    "strata_clusters_fpc": {
        "cluster": "cluster",
        "stratum": "stratum",
        "stratum_population": "population_size",
    },
}
POINTS = 6 / 100  # of the scale, a point


def read(name: str, design: str, **more: object) -> Responses:
    return Responses.from_frame(survey_rows(name), STUDY, weight="weight", **ROLES[design], **more)


def compare(responses: Responses, variance: object, expected: dict, *, design: bool = True) -> None:
    """Means, standard errors, the whole covariance, and the difference of two organizations."""
    items = compute_index(responses, method=IndexMethod(variance=variance)).items
    np.testing.assert_allclose(1 + POINTS * items.values[:, 0], expected["mean"], rtol=1e-9)
    np.testing.assert_allclose(POINTS * items.standard_error[:, 0], expected["se"], rtol=1e-9)
    covariance = np.array(expected["covariance"])
    np.testing.assert_allclose(POINTS**2 * items.covariance(), covariance, rtol=1e-9, atol=1e-12)
    between = np.hstack([np.eye(3), -np.eye(3), np.zeros((3, 3))])
    difference = items.transform(between, lower=-100)
    np.testing.assert_allclose(
        POINTS * difference.values, expected["difference"]["value"], rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(
        POINTS * difference.standard_error, expected["difference"]["se"], rtol=1e-9
    )
    if design:
        assert set(items.degrees_of_freedom.ravel()) == {expected["degf"]}


@pytest.mark.parametrize("design", ROLES)
def test_linearization(design):
    expected = survey_values("linearization")["designs"][design]
    compare(read("sample.csv", design), Linearization(correction="design"), expected)


@pytest.mark.parametrize("design", ["strata_clusters", "strata_clusters_fpc"])
@pytest.mark.parametrize("rule", ["remove", "certainty", "adjust", "average"])
def test_strata_of_one_cluster(rule, design):
    expected = survey_values("lonely")["rules"][rule][design]
    method = Linearization(correction="design", lonely=rule)
    compare(read("lonely.csv", design), method, expected)


def test_design_effects_by_comparison_with_simple_random_sampling():
    expected = survey_values("design_effects")
    responses = read("sample.csv", "strata_clusters")
    method = IndexMethod(variance=Linearization(correction="design"))
    found = sampling_design_effects(compute_index(responses, method=method), responses)
    np.testing.assert_allclose(found[:, 0], expected["replace"], rtol=1e-9)


# -- calibrated weights --------------------------------------------------------------------------


BOUNDS = tuple(survey_values("calibration")["bounds"])
POPULATION = survey_values("calibration")["population"]
MARGINS = {"sex": POPULATION["sex"], "age": POPULATION["age"]}
YEARS = {"age_years": POPULATION["age_years"]}


CELLS = {
    (sex, age): count
    for sex, by_age in POPULATION["sex_age"].items()
    for age, count in by_age.items()
}


WEIGHT = {
    "rake": lambda people: rake(people, MARGINS),
    "post_stratify": lambda people: post_stratify(people, {("sex", "age"): CELLS}),
    "linear": lambda people: calibrate(people, MARGINS),
    "raking": lambda people: calibrate(people, MARGINS, distance="raking"),
    "linear_age_years": lambda people: calibrate(people, MARGINS, totals=YEARS),
    "raking_age_years": lambda people: calibrate(people, MARGINS, totals=YEARS, distance="raking"),
    "linear_bounded": lambda people: calibrate(people, MARGINS, totals=YEARS, ratio_bounds=BOUNDS),
    "logit_bounded": lambda people: calibrate(
        people, MARGINS, totals=YEARS, ratio_bounds=BOUNDS, distance="logit"
    ),
}


def of_respondents(responses: Responses) -> np.ndarray:
    """The weight of every respondent, in the order of the expected values."""
    first = np.unique(responses.respondent, return_index=True)[1]
    keys = responses.respondent_keys.tolist()
    order = [keys.index(key) for key in survey_values("calibration")["respondents"]]
    return responses.weight[first][order]


@pytest.mark.parametrize("design", survey_values("calibration")["designs"])
def test_calibrated_weights_leave_no_error_in_what_they_explain(design):
    expected = survey_values("calibration")["designs"][design]
    if "regression_rule" in expected:
        # R's rake takes residuals by ten rounds of unweighted means, its calibrate by regression.
        expected |= expected["regression_rule"]
        expected["difference"]["se"] = _difference_error(expected["covariance"])
    responses = read("sample.csv", "strata_clusters", keep=("sex", "age", "age_years"))
    weighted = WEIGHT[design](responses)
    np.testing.assert_allclose(of_respondents(weighted), expected["weight"], rtol=1e-9)
    compare(weighted, Linearization(correction="design"), expected)


def _difference_error(covariance: list[list[float]]) -> np.ndarray:
    between = np.hstack([np.eye(3), -np.eye(3), np.zeros((3, 3))])
    return np.sqrt(np.diag(between @ np.array(covariance) @ between.T))


# -- replicate weights ---------------------------------------------------------------------------


def with_replicates(
    replicates: dict, center: str, keep: tuple[str, ...] = ()
) -> tuple[Responses, ReplicateWeights]:
    """Read answers with R's replicate factors beside them, and name the way to use these."""
    rows = survey_rows(replicates["data"])
    cluster = [replicates["clusters"].index(key) for key in rows["cluster"]]
    factors = np.array(replicates["factors"])[cluster]
    names = [f"r{r}" for r in range(factors.shape[1])]
    responses = Responses.from_frame(
        rows | dict(zip(names, factors.T, strict=True)),
        STUDY,
        weight="weight",
        cluster="cluster",
        keep=(*keep, *names),
    )
    method = ReplicateWeights(
        columns=names,
        scale=replicates["scale"],
        replicate_scales=replicates["rscales"],
        combined=False,
        center=center,
    )
    return responses, method


@pytest.mark.parametrize("center", ["mean", "estimate"])
@pytest.mark.parametrize("design", survey_values("replicates")["designs"])
def test_replicate_weights_that_come_with_the_answers(design, center):
    expected = survey_values("replicates")["designs"][design]
    responses, method = with_replicates(expected, center)
    found = expected["average" if center == "mean" else "mse"]
    compare(responses, method, found, design=False)
    items = compute_index(responses, method=IndexMethod(variance=method)).items
    assert items.degrees_of_freedom.max() <= expected["degf"]


@pytest.mark.parametrize("center", ["mean", "estimate"])
@pytest.mark.parametrize(("name", "design"), [("JK1", "clusters"), ("JKn", "strata_clusters")])
def test_leaving_out_one_cluster_at_a_time(name, design, center):
    expected = survey_values("replicates")["designs"][name]
    found = expected["average" if center == "mean" else "mse"]
    compare(read("sample.csv", design), Jackknife(center=center), found, design=False)


@pytest.mark.parametrize(
    ("name", "kind"), [("subbootstrap", "rao-wu"), ("bootstrap", "canty-davison")]
)
def test_bootstraps_have_the_scale_and_the_factors_of_their_kind(name, kind):
    expected = survey_values("replicates")["designs"][name]
    responses = read("sample.csv", "strata_clusters")
    replicates = replicates_of(responses, Bootstrap(replicates=40, kind=kind))
    np.testing.assert_allclose(replicates.scales, expected["scale"], rtol=1e-12)
    assert replicates.freedom == expected["degf"]
    # Random factors differ; those that can occur do not: whole multiples of m / (m - 1), or of 1.
    own = {round(factor, 9) for factor in replicates.factors(np.arange(40)).ravel()}
    theirs = {round(factor, 9) for factor in np.ravel(expected["factors"])}
    assert len(own & theirs) > 0.8 * len(theirs)


@pytest.mark.parametrize("center", ["mean", "estimate"])
@pytest.mark.parametrize("way", ["rake", "linear", "raking"])
@pytest.mark.parametrize("design", ["JKn", "bootstrap"])
def test_replicates_are_calibrated_again(design, way, center):
    expected = survey_values("recalibrated")["designs"][design][way]
    replicates = survey_values("replicates")["designs"][design]
    responses, method = with_replicates(replicates, center, keep=("sex", "age"))
    weighted = WEIGHT[way](responses)
    np.testing.assert_allclose(of_respondents(weighted), expected["weight"], rtol=1e-9)
    compare(weighted, method, expected["average" if center == "mean" else "mse"], design=False)


@pytest.mark.parametrize("way", ["rake", "linear"])
def test_the_jackknife_calibrates_every_replicate_again(way):
    expected = survey_values("recalibrated")["designs"]["JKn"][way]
    responses = read("sample.csv", "strata_clusters", keep=("sex", "age"))
    compare(WEIGHT[way](responses), Jackknife(), expected["mse"], design=False)
