from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sotongindex.errors import MethodError
from sotongindex.percentiles import (
    competition_rank,
    peer_quantiles,
    percentile_of_counts,
    percentile_rank,
    quantile_position,
)

# ICSI 2013, as published by the Korea Internet Communication Association.
RANKING_2013 = (70.53, 70.49, 69.38, 69.30, 68.95, 68.94, 68.74, 67.30, 66.47, 65.96, 65.64)
# 2009: two organizations share the first place.
TIE_2009 = (84.9, 84.9, 83.5, 82.4, 82.1, 81.8, 80.8, 80.0)


@pytest.mark.parametrize(
    ("score", "strict", "weak", "mean"),
    [(70.53, 90.91, 100, 95.45), (68.94, 45.45, 54.55, 50.00), (65.64, 0, 9.09, 4.55)],
)
def test_the_published_ranking_of_2013(
    score: float, strict: float, weak: float, mean: float
) -> None:
    place = RANKING_2013.index(score)
    found = [
        percentile_rank(RANKING_2013, kind=kind, include_self=True)[place].round(2)
        for kind in ("strict", "weak", "mean")
    ]
    assert found == [strict, weak, mean]


def test_the_published_tie_of_2009_shares_the_first_place() -> None:
    assert competition_rank(TIE_2009).tolist() == [1, 1, 3, 4, 5, 6, 7, 8]
    assert percentile_rank(TIE_2009)[0] == percentile_rank(TIE_2009)[1] == 650 / 7


def test_scores_closer_than_a_billionth_are_ties() -> None:
    close = [50.0, 50.0 + 5e-10, 60.0]
    assert percentile_rank(close).tolist() == [25.0, 25.0, 100.0]
    assert competition_rank(close).tolist() == [2.0, 2.0, 1.0]
    apart = [50.0, 50.0 + 5e-9, 60.0]
    assert competition_rank(apart).tolist() == [3.0, 2.0, 1.0]


def test_missing_scores_are_not_counted_and_stay_missing() -> None:
    scores = [50.0, np.nan, 60.0, 70.0]
    np.testing.assert_array_equal(percentile_rank(scores), [0, np.nan, 50, 100])
    np.testing.assert_array_equal(competition_rank(scores), [3, np.nan, 2, 1])
    assert peer_quantiles(scores, 0.5).item() == 60.0
    assert peer_quantiles(scores, 0.5, type=1, weights=[1, np.nan, 1, 5]).item() == 70.0
    assert np.isnan(percentile_rank(scores, np.nan))


@pytest.mark.parametrize("kind", ["mean", "strict", "weak", "rank"])
def test_nobody_to_compare_with_gives_no_percentile(kind: Any) -> None:
    assert np.isnan(percentile_rank([50.0], kind=kind)).all()
    assert len(percentile_rank([], kind=kind)) == 0
    assert len(competition_rank([])) == 0


def test_positions_are_not_extrapolated() -> None:
    assert np.isnan(percentile_rank([50.0, 60.0], [49.0, 61.0], kind="inc")).all()
    assert percentile_rank([50.0, 60.0], 55.0, kind="inc").item() == 50.0
    assert np.isnan(percentile_rank([50.0], kind="inc", include_self=True)).all()
    assert np.isnan(percentile_rank([50.0, 60.0], 55.0, kind="hazen"))


def test_at_keeps_its_shape() -> None:
    assert percentile_rank([50.0, 60.0], [[55.0], [65.0]]).tolist() == [[50.0], [100.0]]


def test_weights_count_as_repeated_scores() -> None:
    repeated = [50.0, 60.0, 60.0, 60.0, 70.0, 70.0]
    weighted, weights = [50.0, 60.0, 70.0], [1, 3, 2]
    at = [50.0, 60.0, 65.0, 70.0]
    np.testing.assert_allclose(
        percentile_rank(weighted, at, weights=weights), percentile_rank(repeated, at)
    )
    shares = np.linspace(0, 1, 13)
    for type_ in (1, 2):
        np.testing.assert_allclose(
            peer_quantiles(weighted, shares, type=type_, weights=weights),
            peer_quantiles(repeated, shares, type=type_),
        )


def test_leaving_itself_out_takes_its_weight_out() -> None:
    assert percentile_rank([50.0, 60.0, 70.0], weights=[1, 3, 2]).tolist() == [
        0.0,
        pytest.approx(100 / 3),
        100.0,
    ]


@pytest.mark.parametrize(
    ("arguments", "argument", "told"),
    [
        ({"kind": "men"}, "kind", "did you mean 'mean'"),
        ({"kind": "inc"}, "include_self", "include_self=True"),
        ({"kind": "hazen", "include_self": True, "weights": [1, 1]}, "weights", "no weights"),
        ({"kind": "rank", "weights": [1, 1]}, "weights", "no weights"),
        ({"weights": [1]}, "weights", "expected 2 weights"),
        ({"weights": [1, 0]}, "weights", "the first at position 1"),
        ({"weights": [np.inf, 1]}, "weights", "positive finite"),
    ],
)
def test_bad_percentile_arguments(arguments: dict[str, Any], argument: str, told: str) -> None:
    with pytest.raises(MethodError, match=told) as error:
        percentile_rank([50.0, 60.0], **arguments)
    assert error.value.argument == argument


@pytest.mark.parametrize(
    ("scores", "probability", "arguments", "argument"),
    [
        ([], 0.5, {}, "scores"),
        ([np.nan], 0.5, {}, "scores"),
        ([np.nan], 0.5, {"type": 1, "weights": [1]}, "scores"),
        ([[50.0]], 0.5, {}, "scores"),
        ([50.0], 1.5, {}, "probabilities"),
        ([50.0], np.nan, {}, "probabilities"),
        ([50.0], 0.5, {"type": 10}, "type"),
        ([50.0], 0.5, {"weights": [1]}, "type"),
    ],
)
def test_bad_quantile_arguments(
    scores: Any, probability: float, arguments: dict[str, Any], argument: str
) -> None:
    with pytest.raises(MethodError) as error:
        peer_quantiles(scores, probability, **arguments)
    assert error.value.argument == argument


def test_one_score_is_every_quantile() -> None:
    for type_ in range(1, 10):
        assert (peer_quantiles([55.0], [0, 0.3, 1], type=type_) == 55.0).all()  # type: ignore[arg-type]


def test_quantile_position_takes_many_counts() -> None:
    lower, upper, share = quantile_position([1, 4, 5], 0.75)
    assert (lower.tolist(), upper.tolist(), share.tolist()) == ([0, 2, 3], [0, 3, 4], [0, 0.25, 0])


def test_counts_know_four_kinds_only() -> None:
    with pytest.raises(MethodError, match="inc"):
        percentile_of_counts(1, 0, 2, kind="inc")
    assert np.isnan(percentile_of_counts(0, 0, 0))
