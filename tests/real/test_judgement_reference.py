"""The Technology Achievement Index: weights from judgement and the ranks they give.

OECD and JRC (2008), Handbook on Constructing Composite Indicators: Tables 20, 22, 23 and 38. Scores
go from goalpost to goalpost and stop there, but for the geometric mean, which the Handbook takes of
the raw indicators.
"""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sotongindex.aggregation import power_mean
from sotongindex.percentiles import competition_rank
from sotongindex.weighting import BudgetWeights, EqualWeights, PairwiseWeights, Rule


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "reference" / "composite"


@pytest.fixture(scope="module")
def keys(folder: Path) -> list[str]:
    return [row["indicator"] for row in rows(folder / "tai_goalposts_undp.csv")]


@pytest.fixture(scope="module")
def raw(folder: Path) -> np.ndarray:
    """The indicators of 23 countries, (23, 8)."""
    table = rows(folder / "tai_raw_23.csv")
    return np.array([[float(cell) for cell in list(row.values())[2:]] for row in table])


@pytest.fixture(scope="module")
def points(folder: Path, raw: np.ndarray) -> np.ndarray:
    """The indicators from 0 to 100, (23, 8)."""
    goalposts = np.array(
        [[float(row["min"]), float(row["max"])] for row in rows(folder / "tai_goalposts_undp.csv")]
    )
    goalposts[4:6] = np.log10(goalposts[4:6])
    low, high = goalposts.T
    return np.clip(100 * (raw - low) / (high - low), 0, 100)


def published_ranks(folder: Path, column: str) -> list[float]:
    by_country = {row["country"]: row for row in rows(folder / "tai_ranks_tables23_38.csv")}
    countries = [row["country"] for row in rows(folder / "tai_raw_23.csv")]
    return [float(by_country[country][column]) for country in countries]


def budget(folder: Path, keys: list[str]) -> BudgetWeights:
    table = {row["method"]: row for row in rows(folder / "tai_weights_table22.csv")}
    return BudgetWeights({key: float(table["BAP"][key]) for key in keys}, total=1)


def ranks(scores: np.ndarray, rule: Rule, keys: list[str], *, power: float = 1) -> list[float]:
    return competition_rank(power_mean(scores, rule.shares(keys), power=power).value).tolist()


def test_ranks_of_equal_weights(folder: Path, keys: list[str], points: np.ndarray) -> None:
    assert ranks(points, EqualWeights(), keys) == published_ranks(folder, "EW")


def test_ranks_of_the_budget(folder: Path, keys: list[str], points: np.ndarray) -> None:
    assert ranks(points, budget(folder, keys), keys) == published_ranks(folder, "BAP")


def test_ranks_of_geometric_means(folder: Path, keys: list[str], raw: np.ndarray) -> None:
    assert ranks(raw, EqualWeights(), keys, power=0) == published_ranks(folder, "GME")


def test_other_weights_would_give_other_ranks(
    folder: Path, keys: list[str], points: np.ndarray
) -> None:
    assert ranks(points, EqualWeights(), keys) != published_ranks(folder, "BAP")


def test_pairwise_comparisons(folder: Path) -> None:
    table = rows(folder / "tai_ahp_matrix_table20.csv")
    names = [row[""] for row in table]
    rule = PairwiseWeights.from_matrix(
        names, [[float(Fraction(row[name])) for name in names] for row in table]
    )
    found = rule.diagnostics(names)
    published = [0.2291, 0.1346, 0.0594, 0.1761, 0.0385, 0.0385, 0.2522, 0.0715]
    np.testing.assert_allclose(found.shares, published, rtol=0, atol=5e-5)
    assert found.consistency.ratio == pytest.approx(0.0215, abs=5e-5)
