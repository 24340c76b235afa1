"""Real answers held by engines: the findings, the tally and the index of memory."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import attrs
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import sotongindex as si
from sotongindex.tally_files import load_tally, save_tally

STUDY = Path(__file__).parents[2] / "examples" / "airlines" / "study.json"
METHOD = si.IndexMethod(variance=si.GroupJackknife(groups=32))
ENGINES = {
    "polars": partial(pl.scan_csv, infer_schema_length=None),
    "duckdb": lambda path: duckdb.connect().read_csv(str(path)),
}


@pytest.fixture(scope="module")
def recipe():
    return si.load_recipe(STUDY)


@pytest.fixture(params=ENGINES)
def lazy(request, shared: Path):
    return ENGINES[request.param](shared / "data" / "airline_reviews.csv")


@pytest.fixture(scope="module")
def table(shared: Path):
    return pd.read_csv(shared / "data" / "airline_reviews.csv")


def test_the_check_finds_the_same(lazy, table, recipe) -> None:
    memory = si.check_responses(table, recipe.study, recipe.layout)
    found = si.check_responses(lazy, recipe.study, recipe.layout)
    plain = [attrs.evolve(finding, rows=()) for finding in memory.findings]
    assert sorted(map(str, found.findings)) == sorted(map(str, plain))
    assert attrs.evolve(found, findings=()) == attrs.evolve(memory, findings=())


def test_the_tally_and_the_index_are_the_same(lazy, table, recipe, tmp_path: Path) -> None:
    found = si.Tally.from_frame(lazy, recipe.study, recipe.layout)
    responses = si.Responses.read(table, recipe.study, recipe.layout)
    memory = si.Tally.from_responses(responses)
    for name in ("organization", "channel", "group", "evaluations", "answers"):
        np.testing.assert_array_equal(getattr(found, name), getattr(memory, name))
    np.testing.assert_allclose(found.points, memory.points, rtol=1e-12, atol=1e-11)
    save_tally(found, tmp_path / "airlines.tally")
    stored = load_tally(tmp_path / "airlines.tally")
    batches = si.Tally.from_batches([table[:1000], table[1000:]], recipe.study, recipe.layout)
    expected = si.compute_index(responses, scheme=recipe.scheme, method=METHOD)
    for tally in (stored, batches):
        result = si.compute_index(tally, scheme=recipe.scheme, method=METHOD)
        for level in ("index", "channels", "items"):
            one, other = getattr(result, level), getattr(expected, level)
            np.testing.assert_allclose(one.values, other.values, rtol=1e-10)
            np.testing.assert_allclose(one.variance, other.variance, rtol=1e-8, atol=1e-12)
