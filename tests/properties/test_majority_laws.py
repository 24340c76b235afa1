"""Laws of pairwise majority, with every order looked at where there are few."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sotongindex.aggregation import copeland, kemeny, pairwise_support

SCORES = arrays(
    np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.integers(0, 4)
)


def agreement(support: np.ndarray, order: tuple[int, ...]) -> float:
    return float(np.triu(support[np.ix_(order, order)], 1).sum())


@given(SCORES, st.integers(0, 99))
def test_orders_are_the_best_of_all(scores: np.ndarray, seed: int) -> None:
    weights = np.random.default_rng(seed).integers(1, 4, scores.shape[1])
    support = pairwise_support(scores, weights)
    every = list(permutations(range(len(scores))))
    agreements = np.array([agreement(support, order) for order in every])
    best = [
        order for order, one in zip(every, agreements, strict=True) if one > agreements.max() - 1e-9
    ]
    places = np.argsort(np.array(best), axis=1) + 1
    found = kemeny(support)
    assert found.order in best
    assert abs(found.agreement - agreements.max()) < 1e-9
    assert found.count == len(best)
    assert found.low.tolist() == places.min(axis=0).tolist()
    assert found.high.tolist() == places.max(axis=0).tolist()


@given(SCORES)
def test_support_and_its_reverse_add_up(scores: np.ndarray) -> None:
    support = pairwise_support(scores, np.ones(scores.shape[1]))
    assert np.abs(support + support.T - 1).max() < 1e-12
    assert np.abs(pairwise_support(-scores, np.ones(scores.shape[1])) - support.T).max() < 1e-12
    assert copeland(support).sum() == 0


@given(SCORES, st.randoms(use_true_random=False))
def test_units_in_another_order(scores: np.ndarray, random: object) -> None:
    order = list(range(len(scores)))
    random.shuffle(order)  # type: ignore[attr-defined]
    support = pairwise_support(scores, np.ones(scores.shape[1]))
    whole, moved = kemeny(support), kemeny(support[np.ix_(order, order)])
    assert moved.low.tolist() == whole.low[order].tolist()
    assert moved.high.tolist() == whole.high[order].tolist()
    assert moved.count == whole.count


@given(SCORES)
def test_only_who_is_ahead_counts(scores: np.ndarray) -> None:
    weights = np.ones(scores.shape[1])
    one, other = (pairwise_support(table, weights) for table in (scores, np.exp(scores)))
    assert (one == other).all()
