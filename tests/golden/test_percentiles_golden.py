"""Percentile ranks and quantiles of twelve synthetic peers with ties.

Ranks: seventeen definitions worked out in exact fractions, SciPy's percentileofscore and Excel's
PERCENTRANK agreeing where they have them. Quantiles: R 4, quantile(type = 1..9).
"""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from sotongindex.percentiles import (
    CountKind,
    PercentileKind,
    QuantileType,
    peer_quantiles,
    percentile_rank,
)

NONE = float("nan")
PEERS = (61.2, 64.8, 64.8, 68, 70.5, 71.1, 71.1, 71.1, 74.9, 77.3, 80.2, 88.6)
RESPONDENTS = (120, 80, 300, 150, 40, 500, 60, 90, 210, 33, 75, 410)
AT = (55.0, 61.2, 64.8, 65.0, 68.0, 70.5, 71.1, 74.9, 75.0, 77.3, 80.2, 88.6, 90.0)

RANKS: dict[PercentileKind, tuple[float, ...]] = {
    "strict": (
        0.0,
        0.0,
        8.33333333333,
        25.0,
        25.0,
        33.33333333333,
        41.66666666667,
        66.66666666667,
        75.0,
        75.0,
        83.33333333333,
        91.66666666667,
        100.0,
    ),
    "weak": (
        0.0,
        8.33333333333,
        25.0,
        25.0,
        33.33333333333,
        41.66666666667,
        66.66666666667,
        75.0,
        75.0,
        83.33333333333,
        91.66666666667,
        100.0,
        100.0,
    ),
    "mean": (
        0.0,
        4.16666666667,
        16.66666666667,
        25.0,
        29.16666666667,
        37.5,
        54.16666666667,
        70.83333333333,
        75.0,
        79.16666666667,
        87.5,
        95.83333333333,
        100.0,
    ),
    "rank": (
        0.0,
        8.33333333333,
        20.83333333333,
        25.0,
        33.33333333333,
        41.66666666667,
        58.33333333333,
        75.0,
        75.0,
        83.33333333333,
        91.66666666667,
        100.0,
        100.0,
    ),
    "inc": (
        NONE,
        0.0,
        9.09090909091,
        10.22727272727,
        27.27272727273,
        36.36363636364,
        45.45454545455,
        72.72727272727,
        73.10606060606,
        81.81818181818,
        90.90909090909,
        100.0,
        NONE,
    ),
    "exc": (
        NONE,
        7.69230769231,
        15.38461538462,
        16.34615384615,
        30.76923076923,
        38.46153846154,
        46.15384615385,
        69.23076923077,
        69.55128205128,
        76.92307692308,
        84.61538461538,
        92.30769230769,
        NONE,
    ),
    "hazen": (
        NONE,
        4.16666666667,
        16.66666666667,
        NONE,
        29.16666666667,
        37.5,
        54.16666666667,
        70.83333333333,
        NONE,
        79.16666666667,
        87.5,
        95.83333333333,
        NONE,
    ),
    "weibull": (
        NONE,
        7.69230769231,
        19.23076923077,
        NONE,
        30.76923076923,
        38.46153846154,
        53.84615384615,
        69.23076923077,
        NONE,
        76.92307692308,
        84.61538461538,
        92.30769230769,
        NONE,
    ),
    "blom": (
        NONE,
        5.10204081633,
        17.34693877551,
        NONE,
        29.59183673469,
        37.75510204082,
        54.08163265306,
        70.40816326531,
        NONE,
        78.57142857143,
        86.73469387755,
        94.89795918367,
        NONE,
    ),
    "median unbiased": (
        NONE,
        5.40540540541,
        17.56756756757,
        NONE,
        29.72972972973,
        37.83783783784,
        54.05405405405,
        70.27027027027,
        NONE,
        78.37837837838,
        86.48648648649,
        94.59459459459,
        NONE,
    ),
}
WEIGHTED: dict[CountKind, tuple[float, ...]] = {
    "strict": (
        0.0,
        0.0,
        5.80270793037,
        24.17794970986,
        24.17794970986,
        31.43133462282,
        33.36557059961,
        64.79690522244,
        74.95164410058,
        74.95164410058,
        76.54738878143,
        80.17408123791,
        100.0,
    ),
    "weak": (
        0.0,
        5.80270793037,
        24.17794970986,
        24.17794970986,
        31.43133462282,
        33.36557059961,
        64.79690522244,
        74.95164410058,
        74.95164410058,
        76.54738878143,
        80.17408123791,
        100.0,
        100.0,
    ),
    "mean": (
        0.0,
        2.90135396518,
        14.99032882012,
        24.17794970986,
        27.80464216634,
        32.39845261122,
        49.08123791103,
        69.87427466151,
        74.95164410058,
        75.74951644101,
        78.36073500967,
        90.08704061896,
        100.0,
    ),
}
# Of the peers that are in AT, each among the other eleven.
LEAVE_ONE_OUT: dict[CountKind, tuple[float, ...]] = {
    "strict": (
        NONE,
        0.0,
        9.09090909091,
        NONE,
        27.27272727273,
        36.36363636364,
        45.45454545455,
        72.72727272727,
        NONE,
        81.81818181818,
        90.90909090909,
        100.0,
        NONE,
    ),
    "weak": (
        NONE,
        0.0,
        18.18181818182,
        NONE,
        27.27272727273,
        36.36363636364,
        63.63636363636,
        72.72727272727,
        NONE,
        81.81818181818,
        90.90909090909,
        100.0,
        NONE,
    ),
    "mean": (
        NONE,
        0.0,
        13.63636363636,
        NONE,
        27.27272727273,
        36.36363636364,
        54.54545454545,
        72.72727272727,
        NONE,
        81.81818181818,
        90.90909090909,
        100.0,
        NONE,
    ),
}

PROBABILITIES = (0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.8, 0.9, 0.95, 1)
QUANTILES = {
    1: (
        61.2,
        61.2,
        64.8,
        64.8,
        71.1,
        74.9,
        77.3,
        80.2,
        88.6,
        88.6,
    ),
    2: (
        61.2,
        61.2,
        64.8,
        66.4,
        71.1,
        76.1,
        77.3,
        80.2,
        88.6,
        88.6,
    ),
    3: (
        61.2,
        61.2,
        61.2,
        64.8,
        71.1,
        74.9,
        77.3,
        80.2,
        80.2,
        88.6,
    ),
    4: (
        61.2,
        61.2,
        61.92,
        64.8,
        71.1,
        74.9,
        76.34,
        79.62,
        83.56,
        88.6,
    ),
    5: (
        61.2,
        61.56,
        63.72,
        66.4,
        71.1,
        76.1,
        77.59,
        82.72,
        87.76,
        88.6,
    ),
    6: (
        61.2,
        61.2,
        62.28,
        65.6,
        71.1,
        76.7,
        78.46,
        86.08,
        88.6,
        88.6,
    ),
    7: (
        61.2,
        63.18,
        64.8,
        67.2,
        71.1,
        75.5,
        76.82,
        79.91,
        83.98,
        88.6,
    ),
    8: (
        61.2,
        61.2,
        63.24,
        66.13333333333,
        71.1,
        76.3,
        77.88,
        83.84,
        88.6,
        88.6,
    ),
    9: (
        61.2,
        61.2,
        63.36,
        66.2,
        71.1,
        76.25,
        77.8075,
        83.56,
        88.6,
        88.6,
    ),
}


@pytest.mark.parametrize("kind", RANKS)
def test_percentile_rank_of_any_score_in_the_group(kind: PercentileKind) -> None:
    np.testing.assert_allclose(percentile_rank(PEERS, AT, kind=kind), RANKS[kind], atol=1e-9)


@pytest.mark.parametrize("kind", RANKS)
def test_including_itself_a_peer_ranks_as_its_score_does(kind: PercentileKind) -> None:
    ranks = percentile_rank(PEERS, kind=kind, include_self=True)
    np.testing.assert_allclose(ranks, percentile_rank(PEERS, PEERS, kind=kind), atol=1e-9)
    assert not np.isnan(ranks).any()


@pytest.mark.parametrize("kind", WEIGHTED)
def test_weighted_percentile_rank(kind: CountKind) -> None:
    ranks = percentile_rank(PEERS, AT, kind=kind, weights=RESPONDENTS)
    np.testing.assert_allclose(ranks, WEIGHTED[kind], atol=1e-9)


@pytest.mark.parametrize("kind", LEAVE_ONE_OUT)
def test_leave_one_out_percentile_rank(kind: CountKind) -> None:
    expected = [LEAVE_ONE_OUT[kind][AT.index(score)] for score in PEERS]
    np.testing.assert_allclose(percentile_rank(PEERS, kind=kind), expected, atol=1e-9)


@pytest.mark.parametrize("type_", get_args(QuantileType))
def test_quantiles_of_nine_types(type_: QuantileType) -> None:
    quantiles = peer_quantiles(PEERS, PROBABILITIES, type=type_)
    np.testing.assert_allclose(quantiles, QUANTILES[type_], atol=1e-9)
