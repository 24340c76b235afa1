"""R survey's errors of calibrated weights on its clustered `api` data, through `compute_index`."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from sotongindex.calibration import calibrate, post_stratify, rake
from sotongindex.index import IndexMethod, compute_index
from sotongindex.models import Channel, Dimension, Framework, Organization, Scale, Study, SurveyItem
from sotongindex.responses import Responses
from sotongindex.variance import Linearization

# The crossed counts of the population of 6,194 schools.
CROSSED = {
    ("E", "No"): 472,
    ("E", "Yes"): 3949,
    ("H", "No"): 334,
    ("H", "Yes"): 421,
    ("M", "No"): 266,
    ("M", "Yes"): 752,
}
STUDENTS = Scale(low=0, high=5000)
FRAMEWORK = Framework(
    key="api",
    version="2000",
    channels=[Channel(key="school")],
    dimensions=[Dimension(key="all")],
    items=[
        SurveyItem(key="api00", dimension="all", scale=Scale(low=200, high=1000)),
        SurveyItem(key="api.stu", dimension="all", scale=STUDENTS),
    ],
)
METHOD = IndexMethod(variance=Linearization(correction="design"))


@pytest.fixture(scope="module")
def reference(shared):
    with (shared / "reference" / "survey" / "reference.json").open() as file:
        return {entry["id"]: entry for entry in json.load(file)}


@pytest.fixture(scope="module")
def rows(shared):
    with (shared / "reference" / "survey" / "apiclus1.csv").open() as file:
        found = list(csv.DictReader(file))
    columns = {key: np.array([row[key] for row in found]) for key in found[0]}
    return columns | {
        key: columns[key].astype(float) for key in ("pw", "api99", "api00", "api.stu")
    }


def read(rows, by=None):
    keys = rows[by] if by else np.full(len(rows["pw"]), "california")
    study = Study(
        key="api",
        framework=FRAMEWORK,
        organizations=[Organization(key=key) for key in sorted(set(keys))],
    )
    return Responses.from_frame(
        rows | {"organization": keys},
        study,
        channel=None,
        respondent="cds",
        weight="pw",
        cluster="dnum",
        keep=("stype", "sch.wide", "comp.imp", "awards", "api99"),
    )


WEIGHT = {
    "rake2": lambda people, told: rake(people, margins(told, "stype", "sch.wide")),
    "rake4": lambda people, told: rake(people, margins(told, *FOUR)),
    "poststratify": lambda people, told: post_stratify(people, margins(told, "stype")),
    "poststratify2": lambda people, _: post_stratify(people, {("stype", "sch.wide"): CROSSED}),
    "cal_linear": lambda people, told: calibrate(people, margins(told, "stype")),
    "cal_raking": lambda people, told: calibrate(
        people, margins(told, "stype"), totals={"api99": told["sum_api99"]}, distance="raking"
    ),
}
FOUR = ("stype", "sch.wide", "comp.imp", "awards")
# R stops at 1e-10 there; its raking of two margins has converged further.
TOLERANCE = {"cal_raking": 1e-8}


def margins(told, *names):
    return {name: told[name] for name in names}


@pytest.mark.parametrize("name", sorted(set(WEIGHT) - {"rake4"}))
def test_errors_of_calibrated_weights(rows, reference, name):
    told, tolerance = reference[name], TOLERANCE.get(name, 1e-9)
    items = compute_index(WEIGHT[name](read(rows), reference["population"]), method=METHOD).items
    values, errors = items.values.ravel(), items.standard_error.ravel()
    assert 200 + 8 * values[0] == pytest.approx(told["mean_api00"], rel=tolerance)
    assert 8 * errors[0] == pytest.approx(told["se_api00"], rel=tolerance)
    # The weights add up to a known number, so a total is that many means.
    scale = 50 * told["sum_w"]
    assert scale * values[1] == pytest.approx(told["total_apistu"], rel=tolerance)
    assert scale * errors[1] == pytest.approx(told["se_total_apistu"], rel=tolerance)
    assert items.degrees_of_freedom[0, 0, 0] == told["df"]


@pytest.mark.parametrize("name", sorted(set(WEIGHT) - {"rake4"}))
def test_errors_of_domains_under_calibrated_weights(rows, reference, name):
    told, tolerance = reference[name], TOLERANCE.get(name, 1e-9)
    people = WEIGHT[name](read(rows, "stype"), reference["population"])
    items = compute_index(people, method=METHOD).items
    np.testing.assert_allclose(200 + 8 * items.values[:, 0, 0], told["by_stype"], rtol=tolerance)
    np.testing.assert_allclose(
        8 * items.standard_error[:, 0, 0], told["by_stype_se"], rtol=tolerance
    )


def test_four_margins_need_more_than_ten_rounds(rows, reference):
    """R's rake takes residuals by ten rounds of margin means; the regression is their limit."""
    told = reference["rake4"]
    raked = WEIGHT["rake4"](read(rows), reference["population"])
    items = compute_index(raked, method=METHOD).items
    assert 200 + 8 * items.values[0, 0, 0] == pytest.approx(told["mean_api00"], rel=1e-6)
    for rounds, expected in ((10, told["se_api00"]), (2000, 8 * items.standard_error[0, 0, 0])):
        influence = raked.weight * (rows["api00"] - told["mean_api00"]) / raked.weight.sum()
        for _ in range(rounds):
            for name in FOUR:
                code = np.unique(rows[name], return_inverse=True)[1]
                share = influence / raked.weight
                means = np.bincount(code, share) / np.bincount(code)
                influence = influence - raked.weight * means[code]
        sums = np.bincount(np.unique(rows["dnum"], return_inverse=True)[1], influence)
        error = np.sqrt(15 / 14 * ((sums - sums.mean()) ** 2).sum())
        assert error == pytest.approx(expected, rel=1e-6)
