"""Importance and performance: centers, quadrants, the diagonal, and their probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panels import CHANNEL_WEIGHTS, DIMENSION_WEIGHTS, cells_of, panel

from sotongindex.errors import MethodError
from sotongindex.importance import importance_performance
from sotongindex.method import IndexMethod
from sotongindex.models import PeerGroup, PeerStatistic
from sotongindex.results import IndexResult

CELLS = cells_of()
NAN = float("nan")


@pytest.fixture(scope="module")
def result() -> IndexResult:
    return panel(CELLS)


@pytest.mark.parametrize(
    ("level", "weights"),
    [
        ("channels", CHANNEL_WEIGHTS),
        ("dimensions", DIMENSION_WEIGHTS),
        ("cells", np.outer(CHANNEL_WEIGHTS, DIMENSION_WEIGHTS).ravel()),
    ],
)
def test_importance_is_the_index_weight(result: IndexResult, level: Any, weights: Any) -> None:
    found = importance_performance(result, level)
    np.testing.assert_allclose(found.importance, np.tile(weights, (24, 1)))
    np.testing.assert_allclose(found.importance_center, weights.mean())
    flat = getattr(result, level).values.reshape(24, -1)
    np.testing.assert_allclose(found.performance.values, flat)
    np.testing.assert_allclose(found.probabilities.sum(axis=2), 1)


def test_quadrants_by_hand() -> None:
    # Openness counts .5, usefulness .3, response .2; the mean importance is 1/3.
    cells = np.tile(np.array([40.0, 80.0, 30.0]), (12, 2, 1))
    cells[1] = [80.0, 30.0, 90.0]
    found = importance_performance(panel(cells, error=0.5), center="scale")
    assert found.quadrant[0].tolist() == ["concentrate here", "possible overkill", "low priority"]
    assert found.quadrant[1].tolist() == ["keep up", "low priority", "possible overkill"]
    np.testing.assert_allclose(found.probabilities[0].max(axis=1), 1)


@pytest.mark.parametrize("center", ["scale", "data", 61.5, PeerStatistic(statistic="median")])
def test_centers(result: IndexResult, center: Any) -> None:
    found = importance_performance(result, center=center)
    scores = result.dimensions.values
    expected = (
        {
            "scale": np.full((24, 3), 50.0),
            "data": np.tile(scores.mean(axis=1, keepdims=True), 3),
        }.get(center)
        if isinstance(center, str)
        else None
    )
    if center == 61.5:
        expected = np.full((24, 3), 61.5)
    if expected is None:
        expected = np.array(
            [np.median(np.delete(scores, place, axis=0), axis=0) for place in range(24)]
        )
    np.testing.assert_allclose(found.performance_center, expected)
    high = found.performance.values >= expected - 1e-9
    assert (
        (found.quadrant == "keep up") | (found.quadrant == "possible overkill")
    ).tolist() == high.tolist()


def test_probabilities_are_those_of_the_normal_distribution(result: IndexResult) -> None:
    found = importance_performance(result, center=60.0, draws=20_000)
    high = found.probabilities[..., 1] + found.probabilities[..., 3]
    expected = result.dimensions.probability_at_least(60.0)
    np.testing.assert_allclose(high, expected, atol=0.015)


def test_the_own_mean_and_the_peers_move_with_the_scores(result: IndexResult) -> None:
    # Score minus the mean of three independent scores: variance (4 + 1 + 1)/9 of theirs.
    own = importance_performance(result, center="data", draws=20_000)
    scores, variance = result.dimensions.values, result.dimensions.variance
    mean = scores.mean(axis=1, keepdims=True)
    spread = variance * 4 / 9 + (variance.sum(axis=1, keepdims=True) - variance) / 9
    from scipy.special import ndtr

    high = own.probabilities[..., 1] + own.probabilities[..., 3]
    np.testing.assert_allclose(high, ndtr((scores - mean) / np.sqrt(spread)), atol=0.015)
    peers = importance_performance(result, center=PeerStatistic(statistic="mean"), draws=20_000)
    others = (scores.sum(axis=0) - scores) / 23
    high = peers.probabilities[..., 1] + peers.probabilities[..., 3]
    np.testing.assert_allclose(
        high, ndtr((scores - others) / np.sqrt(variance * (1 + 1 / 23))), atol=0.015
    )


def test_the_diagonal_compares_standard_deviations() -> None:
    cells = np.tile(np.array([50.0, 60.0, 70.0]), (12, 2, 1))
    found = importance_performance(panel(cells, error=0.01), center="data")
    # Importance falls and performance rises: the first is above the diagonal, the last below.
    np.testing.assert_allclose(found.above_diagonal[0], [1, 0, 0])


def test_equal_parts_are_neither_above_nor_below() -> None:
    found = importance_performance(panel(np.full((12, 2, 3), 60.0), error=0.0), center="data")
    assert set(found.quadrant.ravel().tolist()) == {"keep up", "possible overkill"}


@pytest.mark.parametrize("power", [0.0, 0.5])
def test_other_powers_recompute_importance(power: float) -> None:
    bent = panel(CELLS, method=IndexMethod(power=power))
    found = importance_performance(bent, "channels")
    np.testing.assert_allclose(found.importance, bent.structure.index_by_channel)
    np.testing.assert_allclose(found.probabilities.sum(axis=2), 1)
    dimensions = importance_performance(bent, "dimensions", center=60.0, draws=4000)
    high = dimensions.probabilities[..., 1] + dimensions.probabilities[..., 3]
    np.testing.assert_allclose(high, bent.dimensions.probability_at_least(60.0), atol=0.05)


def test_what_is_missing_or_not_known() -> None:
    cells = CELLS.copy()
    cells[0, 1, 2] = NAN
    found = importance_performance(panel(cells), "cells")
    assert found.reasons[0].tolist() == ["", "", "", "", "", "missing score"]
    assert found.quadrant[0, 5] == ""
    assert np.isnan(found.probabilities[0, 5]).all()
    assert not np.isnan(found.probabilities[0, :5]).any()
    row = found.to_rows()[5]
    assert (row["importance"], row["quadrant"], row["reason"]) == (None, None, "missing score")
    bare = importance_performance(panel(CELLS, error=None))
    assert bare.quadrant[0, 0] != ""
    assert np.isnan(bare.probabilities).all()
    few = importance_performance(panel(CELLS, respondents=4))
    assert set(few.reasons.ravel().tolist()) == {"few respondents"}
    none = PeerStatistic(statistic="median", peers=PeerGroup(key="x", where={"industry": ["x"]}))
    assert set(importance_performance(panel(CELLS), center=none).reasons.ravel()) == {"few peers"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": "dimension"}, "did you mean 'dimensions'"),
        ({"center": "middle"}, "center: expected 'scale', 'data'"),
        ({"draws": 1}, "draws: expected 2 or more"),
    ],
)
def test_bad_arguments(result: IndexResult, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(MethodError, match=message):
        importance_performance(result, **arguments)


def test_maps_are_shown_and_repeated(result: IndexResult) -> None:
    found = importance_performance(result, rng=3)
    assert found.to_rows() == importance_performance(result, rng=3).to_rows()
    html = found._repr_html_()
    for words in ("Importance and performance", "중점 개선", "concentrate here"):
        assert words in html
    assert str(found).startswith("3 dimensions of 24 organizations: ")
