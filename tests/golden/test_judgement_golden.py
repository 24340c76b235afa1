"""Importance weights from judgement, as published or as other software gives them.

Table 20 (pairwise comparisons) and the budget allocation of Table 22: OECD and JRC (2008), Handbook
on Constructing Composite Indicators, doi 10.1787/9789264043466-en. The Handbook's ratio .0215 rests
on the later of Saaty's tables, 1.40 for eight keys; the first one, 1.41, gives .0214. Best-worst
method: the test data of the R package BWM (jakub-tomczak/BWM), whose weights a solver found.
Kendall's W: three executives rank six applicants; Siegel (1956), Nonparametric Statistics.
"""

from __future__ import annotations

import numpy as np
import pytest

from sotongindex.weighting import (
    BestWorstWeights,
    BudgetWeights,
    PairwiseWeights,
    RankOrderWeights,
)

INDICATORS = (
    "patents", "royalties", "internet", "exports",
    "telephones", "electricity", "schooling", "university",
)  # fmt: skip
TABLE_20 = [
    [1, 2, 3, 2, 5, 5, 1, 3],
    [1 / 2, 1, 2, 1 / 2, 4, 4, 1 / 2, 3],
    [1 / 3, 1 / 2, 1, 1 / 4, 2, 2, 1 / 5, 1 / 2],
    [1 / 2, 2, 4, 1, 4, 4, 1 / 2, 3],
    [1 / 5, 1 / 4, 1 / 2, 1 / 4, 1, 1, 1 / 5, 1 / 2],
    [1 / 5, 1 / 4, 1 / 2, 1 / 4, 1, 1, 1 / 5, 1 / 2],
    [1, 2, 5, 2, 5, 5, 1, 4],
    [1 / 3, 1 / 3, 2, 1 / 3, 2, 2, 1 / 4, 1],
]
TABLE_22_BUDGET = (0.11, 0.11, 0.11, 0.18, 0.10, 0.06, 0.15, 0.18)


def test_pairwise_comparisons_of_the_handbook() -> None:
    rule = PairwiseWeights.from_matrix(INDICATORS, TABLE_20)
    published = [0.2291, 0.1346, 0.0594, 0.1761, 0.0385, 0.0385, 0.2522, 0.0715]
    np.testing.assert_allclose(rule.shares(INDICATORS), published, rtol=0, atol=5e-5)
    consistency = rule.diagnostics(INDICATORS).consistency
    assert consistency.largest_eigenvalue == pytest.approx(8.2111, abs=5e-5)
    assert consistency.ratio == pytest.approx(0.0215, abs=5e-5)
    assert (consistency.count, consistency.checks) == (28, 21)


@pytest.mark.parametrize(
    ("table", "ratio"), [("saaty 1980", 0.02139), ("alonso-lamata", 0.02152), ("saaty", 0.02154)]
)
def test_the_random_index_is_a_choice(table: str, ratio: float) -> None:
    rule = PairwiseWeights.from_matrix(INDICATORS, TABLE_20, random_index=table)
    assert rule.diagnostics(INDICATORS).consistency.ratio == pytest.approx(ratio, abs=5e-6)


def test_geometric_means_of_rows() -> None:
    rule = PairwiseWeights.from_matrix(INDICATORS, TABLE_20, method="geometric mean")
    means = np.prod(TABLE_20, axis=1) ** (1 / 8)
    np.testing.assert_allclose(rule.shares(INDICATORS), means / means.sum(), rtol=1e-13)


def test_budget_allocation_of_the_handbook() -> None:
    rule = BudgetWeights(dict(zip(INDICATORS, TABLE_22_BUDGET, strict=True)), total=1)
    np.testing.assert_allclose(rule.shares(INDICATORS), TABLE_22_BUDGET, rtol=0, atol=1e-12)


CRITERIA = ("quality", "price", "comfort", "safety", "style")


@pytest.mark.parametrize(
    ("best_to_others", "others_to_worst", "weights", "ksi"),
    [
        ((2, 1, 4, 2, 8), (4, 8, 2, 4, 1),
         (0.21052632, 0.42105263, 0.10526316, 0.21052632, 0.05263158), 0.0),
        ((2, 1, 4, 3, 8), (4, 8, 2, 3, 1),
         (0.22950820, 0.44808743, 0.11475410, 0.15300546, 0.05464481), 0.002444958 * 4.47),
    ],
)  # fmt: skip
def test_best_worst_method_of_other_software(
    best_to_others: tuple[float, ...],
    others_to_worst: tuple[float, ...],
    weights: tuple[float, ...],
    ksi: float,
) -> None:
    rule = BestWorstWeights(
        {"price": dict(zip(CRITERIA, best_to_others, strict=True))},
        {"style": dict(zip(CRITERIA, others_to_worst, strict=True))},
    )
    found = rule.diagnostics(CRITERIA)
    np.testing.assert_allclose(found.shares, weights, rtol=0, atol=1e-8)
    assert found.ksi[0] == pytest.approx(ksi, abs=1e-8)


def test_concordance_of_a_textbook() -> None:
    executives = {"x": (1, 6, 3, 2, 5, 4), "y": (1, 5, 6, 4, 2, 3), "z": (6, 3, 2, 5, 4, 1)}
    rule = RankOrderWeights(
        {name: dict(zip("abcdef", ranks, strict=True)) for name, ranks in executives.items()}
    )
    assert rule.diagnostics("abcdef").concordance == pytest.approx(0.16, abs=0.005)
    assert rule.diagnostics("abcdef").concordance == pytest.approx(25.5 / 157.5, rel=1e-12)


def test_weights_of_an_order_by_hand() -> None:
    ranks = {"a": 1, "b": 2, "c": 3, "d": 4}
    expected = {
        "sum": (0.4, 0.3, 0.2, 0.1),
        "reciprocal": (12 / 25, 6 / 25, 4 / 25, 3 / 25),
        "centroid": (25 / 48, 13 / 48, 7 / 48, 3 / 48),
    }
    for method, weights in expected.items():
        found = RankOrderWeights(ranks, method=method).shares("abcd")
        np.testing.assert_allclose(found, weights, rtol=1e-14)
