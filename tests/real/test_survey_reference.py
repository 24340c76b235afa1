"""R survey's numbers on its `api` data, through `compute_index` itself: schools as respondents."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from sotongindex.index import IndexMethod, Powers, compute_index
from sotongindex.models import Channel, Dimension, Framework, Organization, Scale, Study, SurveyItem
from sotongindex.responses import Responses
from sotongindex.variance import Linearization
from sotongindex.weighting import FixedWeights, WeightingScheme

DESIGNS = {
    "dstrat_wr": ("apistrat.csv", {"stratum": "stype"}),
    "dclus1_wr": ("apiclus1.csv", {"cluster": "dnum"}),
}
SCORE, SHARE = Scale(low=200, high=1000), Scale(low=0, high=100)
FRAMEWORK = Framework(
    key="api",
    version="2000",
    channels=[Channel(key="school")],
    dimensions=[Dimension(key="achievement"), Dimension(key="background")],
    items=[
        SurveyItem(key="api00", dimension="achievement", scale=SCORE),
        SurveyItem(key="api99", dimension="achievement", scale=SCORE),
        SurveyItem(key="meals", dimension="background", scale=SHARE, reverse=True),
        SurveyItem(key="ell", dimension="background", scale=SHARE, reverse=True),
    ],
)
ITEMS = FixedWeights({"api00": 0.7, "api99": 0.3, "meals": 0.5, "ell": 0.5})
LINEAR = WeightingScheme(
    dimensions=FixedWeights({"achievement": 0.6, "background": 0.4}), items=ITEMS
)
METHODS = [
    IndexMethod(variance=Linearization(correction=correction))
    for correction in ("design", "organization")
]


@pytest.fixture(scope="module")
def reference(shared):
    with (shared / "reference" / "survey" / "reference.json").open() as file:
        return {entry["id"]: entry for entry in json.load(file)}


def read(shared, design, organization=None):
    name, roles = DESIGNS[design]
    with (shared / "reference" / "survey" / name).open() as file:
        rows = list(csv.DictReader(file))
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    frame = {key: np.array(columns[key], dtype=np.int64) for key in FRAMEWORK.item_keys}
    frame["pw"] = np.array(columns["pw"], dtype=np.float64)
    frame["school"] = np.array(columns["cds"])
    keys = columns[organization] if organization else ["california"] * len(rows)
    frame["organization"] = np.array(keys)
    frame |= {role: np.array(columns[column]) for role, column in roles.items()}
    study = Study(
        key="api",
        framework=FRAMEWORK,
        organizations=[Organization(key=key) for key in sorted(set(keys))],
    )
    return Responses.from_frame(
        frame,
        study,
        channel=None,
        respondent="school",
        weight="pw",
        **{role: role for role in roles},
    )


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("method", METHODS)
def test_item_scores_their_errors_and_covariances(shared, reference, design, method):
    items = compute_index(read(shared, design), scheme=LINEAR, method=method).items
    expected = reference[f"index_items:{design}"]
    np.testing.assert_allclose(items.values.ravel(), expected["est"], rtol=1e-9)
    np.testing.assert_allclose(items.standard_error.ravel(), expected["se"], rtol=1e-9)
    np.testing.assert_allclose(items.covariance(), expected["vcov"], rtol=1e-9)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("method", METHODS)
def test_means_in_the_units_of_the_data_with_their_intervals(shared, reference, design, method):
    items = compute_index(read(shared, design), scheme=LINEAR, method=method).items
    expected = reference[f"mean:{design}"]
    slope = np.array([8.0, 8.0, -1.0, -1.0])
    start = np.array([200.0, 200.0, 100.0, 100.0])
    np.testing.assert_allclose(items.values.ravel() * slope + start, expected["est"], rtol=1e-9)
    np.testing.assert_allclose(
        items.covariance() * np.outer(slope, slope), expected["vcov"], rtol=1e-9
    )
    ends = np.sort(
        [(items.low.ravel() * slope + start), items.high.ravel() * slope + start], axis=0
    )
    np.testing.assert_allclose(ends[0], expected["ci95_t_lower"], rtol=1e-9)
    np.testing.assert_allclose(ends[1], expected["ci95_t_upper"], rtol=1e-9)
    assert (items.degrees_of_freedom == expected["df"]).all()


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("method", METHODS)
def test_linear_index(shared, reference, design, method):
    index = compute_index(read(shared, design), scheme=LINEAR, method=method).index
    expected = reference[f"index_linear:{design}"]
    assert index.values.item() == pytest.approx(expected["est"], rel=1e-9)
    assert index.standard_error.item() == pytest.approx(expected["se"], rel=1e-9)
    assert index.covariance().item() == pytest.approx(expected["vcov"][0][0], rel=1e-9)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("correction", ["design", "organization"])
def test_geometric_index(shared, reference, design, correction):
    method = IndexMethod(power=Powers(dimensions=0), variance=Linearization(correction=correction))
    scheme = WeightingScheme(items=ITEMS)
    index = compute_index(read(shared, design), scheme=scheme, method=method).index
    expected = reference[f"index_geometric:{design}"]
    assert index.values.item() == pytest.approx(expected["est"], rel=1e-9)
    assert index.standard_error.item() == pytest.approx(expected["se"], rel=1e-9)
    assert index.covariance().item() == pytest.approx(expected["vcov"][0][0], rel=1e-9)


def test_domains_with_the_design_correction(shared, reference):
    result = compute_index(read(shared, "dstrat_wr", "stype"), scheme=LINEAR, method=METHODS[0])
    expected = reference["by_stype:dstrat_wr"]
    scores = result.items.select((slice(None), 0, slice(0, 2)))  # (E, H, M) x (api00, api99)
    np.testing.assert_allclose(scores.values.T.ravel() * 8 + 200, expected["est"], rtol=1e-9)
    np.testing.assert_allclose(scores.standard_error.T.ravel() * 8, expected["se"], rtol=1e-9)
    by_item = [0, 2, 4, 1, 3, 5]
    covariance = scores.covariance()[np.ix_(by_item, by_item)] * 64
    np.testing.assert_allclose(covariance, expected["vcov"], rtol=1e-9, atol=1e-10)
