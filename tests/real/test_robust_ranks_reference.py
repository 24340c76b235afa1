"""Ranks of 23 countries under several weights, as the OECD and JRC handbook printed them (2008)."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from robust import scored

from sotongindex.robustness import SchemeOptions, assess_robustness
from sotongindex.weighting import FixedWeights, WeightingScheme


@pytest.fixture(scope="module")
def tables(shared):
    """The tables of the handbook, by name."""

    def table(name):
        path = shared / "reference" / "composite" / f"tai_{name}.csv"
        with path.open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    return {name: table(name) for name in (
        "raw_23", "goalposts_undp", "weights_table22", "ranks_tables23_38"
    )}  # fmt: skip


@pytest.fixture(scope="module")
def scores(tables):
    """Indicators between their goalposts, 0 to 100; two of them on a logarithmic scale."""
    countries, posts = tables["raw_23"], tables["goalposts_undp"]
    columns = []
    for name, post in zip(list(countries[0])[2:], posts, strict=True):
        low, high = float(post["min"]), float(post["max"])
        if name.endswith("_log10"):
            low, high = np.log10(low), np.log10(high)
        raw = np.array([float(row[name]) for row in countries])
        columns.append(np.clip(100 * (raw - low) / (high - low), 0, 100))
    return np.stack(columns, axis=1)


def published(tables, method):
    ranks = {row["country"]: int(row[method]) for row in tables["ranks_tables23_38"]}
    return np.array([ranks[row["country"]] for row in tables["raw_23"]])


def scheme(tables, method):
    row = next(row for row in tables["weights_table22"] if row["method"] == method)
    weights = np.array([float(row[post["indicator"]]) for post in tables["goalposts_undp"]])
    shares = (weights / weights.sum()).tolist()
    return WeightingScheme(dimensions=FixedWeights({f"d{k}": w for k, w in enumerate(shares)}))


def test_ranks_under_two_weightings_are_the_published_ones(tables, scores):
    """Equal weights and a budget allocation: all 46 ranks, and the range of every country."""
    result = scored(scores)
    choice = SchemeOptions(options=[scheme(tables, "EW"), scheme(tables, "BAP")])
    found = assess_robustness(result, choice, runs=16, level=0.9, rng=1)
    equal, budget = published(tables, "EW"), published(tables, "BAP")
    np.testing.assert_array_equal(np.unique(found.ranks, axis=0), sorted([[*equal], [*budget]]))
    np.testing.assert_array_equal(found.rank, equal)
    np.testing.assert_array_equal(found.rank_low, np.minimum(equal, budget))
    np.testing.assert_array_equal(found.rank_high, np.maximum(equal, budget))


@pytest.mark.parametrize("method", ["FA", "AHP"])
def test_printed_weights_of_two_digits_give_nearly_the_published_ranks(tables, scores, method):
    """Neighbours change places only where weights that are off by half a digit can do it."""
    choice = SchemeOptions(options=[scheme(tables, method)])
    found = assess_robustness(scored(scores), choice, runs=2, sensitivity=False, rng=1)
    expected = published(tables, method)
    order = np.argsort(expected)
    possible = 0.005 * np.abs(np.diff(scores[order], axis=0)).sum(axis=1)
    assert (np.diff(found.scores[0, order]) <= possible).all()
    assert (found.ranks[0] == expected).sum() >= 19
