"""Respondent weights on real answers: what cannot be weighted is told, and the errors agree."""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pandas as pd
import pytest

import sotongindex as si

STUDY = Path(__file__).parents[2] / "examples" / "airlines" / "study.json"
SEGMENTS = {"Business Class": 0.25, "Economy": 0.6, "First Class": 0.05, "Premium Economy": 0.1}


@pytest.fixture(scope="module")
def recipe():
    return si.load_recipe(STUDY)


@pytest.fixture(scope="module")
def responses(shared, recipe):
    table = pd.read_csv(shared / "data" / "airline_reviews.csv")
    return si.Responses.read(table, recipe.study, attrs.evolve(recipe.layout, keep="segment"))


def test_people_who_flew_in_two_classes_are_no_one_person_of_a_class(responses):
    with pytest.raises(si.MethodError, match=r"'segment' differs between .* 183 respondents"):
        si.rake(responses, {"segment": SEGMENTS})


def test_classes_without_a_share_are_named(responses):
    with pytest.raises(si.MethodError, match="Frequent Flyer"):
        si.rake(responses, {"segment": SEGMENTS}, unit="evaluation", missing="redistribute")


def test_replicates_that_lose_a_rare_class_are_told(responses, recipe):
    rare = {"Frequent Flyer": 0.0085, "Other": 0.0005, "World Traveller Plus": 0.001}
    margins = {"segment": {**SEGMENTS, "Economy": 0.59, **rare}}
    raked = si.rake(responses, margins, unit="evaluation", missing="redistribute")
    segment = responses.kept["segment"]
    known = segment != ""
    for name, share in margins["segment"].items():
        found = raked.weight[segment == name].sum() / raked.weight[known].sum()
        assert found == pytest.approx(share, abs=1e-9)
    # Three people are of no other class: one in twenty replicates draws none of them.
    method = attrs.evolve(recipe.method, variance=si.Bootstrap(replicates=100))
    with pytest.raises(si.MethodError, match="replicates cannot be calibrated"):
        si.compute_index(raked, scheme=recipe.scheme, method=method)


def test_raked_reviews_have_errors_that_agree_with_a_bootstrap(responses, recipe):
    code = {name: name for name in SEGMENTS} | {"": ""}
    merged = np.array([code.get(name, "Economy") for name in responses.kept["segment"]])
    people = attrs.evolve(responses, kept={"segment": merged})
    raked = si.rake(people, {"segment": SEGMENTS}, unit="evaluation", missing="redistribute")
    linear, boot = (
        si.compute_index(
            raked, scheme=recipe.scheme, method=attrs.evolve(recipe.method, variance=v)
        )
        for v in (si.Linearization(), si.Bootstrap(replicates=300))
    )
    large = (linear.counts.respondents >= 40) & ~np.isnan(linear.index.variance)
    assert large.sum() > 15
    ratio = boot.index.standard_error[large] / linear.index.standard_error[large]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.08)
