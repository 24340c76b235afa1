"""Weights of R survey's rake, postStratify, calibrate and trimWeights on its `api` data."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from sotongindex.calibration import (
    calibrate,
    design_effect,
    effective_sample_size,
    post_stratify,
    rake,
    trim_weights,
)

MARGINS = ("stype", "sch.wide", "comp.imp", "awards")
# The crossed counts of apipop, the population of 6,194 Californian schools.
CROSSED = {
    ("E", "No"): 472,
    ("E", "Yes"): 3949,
    ("H", "No"): 334,
    ("H", "Yes"): 421,
    ("M", "No"): 266,
    ("M", "Yes"): 752,
}


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "reference" / "survey"


@pytest.fixture(scope="module")
def schools(folder):
    with (folder / "apiclus1.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return columns | {name: columns[name].astype(float) for name in ("pw", "api99", "meals")}


@pytest.fixture(scope="module")
def expected(folder):
    with (folder / "weights_dclus1_wr.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.fixture(scope="module")
def reference(folder):
    with (folder / "reference.json").open() as file:
        return {entry["id"]: entry for entry in json.load(file)}


@pytest.fixture(scope="module")
def population(reference):
    return reference["population"]


@pytest.mark.parametrize(("count", "column"), [(2, "rake2"), (4, "rake4")])
def test_raking(schools, expected, reference, population, count, column):
    margins = {name: population[name] for name in MARGINS[:count]}
    raked = rake(schools, margins, weight="pw")
    np.testing.assert_allclose(raked.weight, expected[column], rtol=1e-6)
    told = reference[column]
    assert raked.report.design_effect == pytest.approx(told["kish_deff"], rel=1e-6)
    assert raked.report.ratio_range == pytest.approx((told["g_min"], told["g_max"]), rel=1e-6)


def test_post_stratification(schools, expected, population):
    found = post_stratify(schools, {"stype": population["stype"]}, weight="pw")
    np.testing.assert_allclose(found.weight, expected["poststratify"], rtol=1e-9)


def test_crossed_post_stratification(schools, expected, population):
    for position, name in enumerate(MARGINS[:2]):
        margin = dict.fromkeys(population[name], 0)
        for cell, count in CROSSED.items():
            margin[cell[position]] += count
        assert margin == population[name]
    found = post_stratify(schools, {MARGINS[:2]: CROSSED}, weight="pw")
    np.testing.assert_allclose(found.weight, expected["poststratify2"], rtol=1e-9)


def test_linear_calibration(schools, expected, population):
    found = calibrate(schools, {"stype": population["stype"]}, weight="pw")
    np.testing.assert_allclose(found.weight, expected["cal_linear"], rtol=1e-9)


def test_raking_calibration_with_a_number(schools, expected, population):
    found = calibrate(
        schools,
        {"stype": population["stype"]},
        totals={"api99": population["sum_api99"]},
        distance="raking",
        weight="pw",
    )
    np.testing.assert_allclose(found.weight, expected["cal_raking"], rtol=1e-9)


def test_trimming_with_equal_parts(expected, reference):
    told = reference["trim"]
    found = trim_weights(
        expected["rake4"], lower=told["lower"], upper=told["upper"], spread="equal"
    )
    np.testing.assert_allclose(found.weight, expected["trim"], rtol=1e-9)
    assert found.weight.max() == pytest.approx(told["max_w"], rel=1e-9)
    assert found.weight.sum() == pytest.approx(told["sum_w"], rel=1e-9)


def test_kish(expected, reference):
    for name in ("rake2", "rake4", "cal_raking"):
        assert design_effect(expected[name]) == pytest.approx(reference[name]["kish_deff"])
    assert effective_sample_size(expected["base"]) == pytest.approx(
        reference["design:dclus1_wr"]["kish_neff"]
    )
