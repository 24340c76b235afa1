"""Laws of benefit of the doubt."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from sotongindex.weighting import ShareLimits, benefit_of_the_doubt

SCORES = arrays(
    np.float64,
    st.tuples(st.integers(1, 12), st.integers(1, 5)),
    elements=st.floats(1, 100).map(lambda value: round(value, 1)),
)
WITH_ZEROS = arrays(
    np.float64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.integers(0, 5)
)


def limits_for(parts: int) -> ShareLimits:
    return ShareLimits(low=0.5 / parts, high=1.5 / parts if parts > 1 else 1.0)


@given(SCORES)
def test_somebody_is_best_and_nobody_better(scores: np.ndarray) -> None:
    for limits in (None, limits_for(scores.shape[1])):
        result = benefit_of_the_doubt(scores, limits=limits)
        assert ((result.scores > 0) & (result.scores <= 1)).all()
        assert np.abs((result.weights * scores).sum(axis=1) - result.scores).max() < 1e-8
        assert (result.weights @ scores.T).max() <= 1 + 1e-8
    assert benefit_of_the_doubt(scores).scores.max() == 1


@given(SCORES, st.integers(0, 2**32 - 1))
def test_no_common_weights_favour_anyone_more(scores: np.ndarray, seed: int) -> None:
    weights = np.random.default_rng(seed).dirichlet(np.ones(scores.shape[1]))
    common = scores @ weights
    assert (benefit_of_the_doubt(scores).scores >= common / common.max() - 1e-9).all()


@given(SCORES, st.data())
def test_a_dominated_unit_changes_nobodys_score(scores: np.ndarray, data: st.DataObject) -> None:
    above = data.draw(st.integers(0, len(scores) - 1))
    more = np.vstack([scores, scores[above] * data.draw(st.floats(0.1, 1))])
    alone, together = benefit_of_the_doubt(scores), benefit_of_the_doubt(more)
    assert np.abs(together.scores[:-1] - alone.scores).max() < 1e-9


@given(SCORES, st.randoms(use_true_random=False))
def test_units_and_parts_in_another_order(scores: np.ndarray, random: object) -> None:
    units = list(range(len(scores)))
    parts = list(range(scores.shape[1]))
    random.shuffle(units)  # type: ignore[attr-defined]
    random.shuffle(parts)  # type: ignore[attr-defined]
    limits = limits_for(len(parts))
    whole = benefit_of_the_doubt(scores, limits=limits)
    moved = benefit_of_the_doubt(scores[units][:, parts], limits=limits)
    assert np.abs(moved.scores - whole.scores[units]).max() < 1e-9
    assert np.abs(moved.shares - whole.shares[units][:, parts]).max() < 1e-5


@given(SCORES, st.data())
def test_the_unit_of_a_part_does_not_matter(scores: np.ndarray, data: st.DataObject) -> None:
    factors = data.draw(
        arrays(np.float64, scores.shape[1], elements=st.floats(0.01, 1000)), label="factors"
    )
    for limits in (None, limits_for(scores.shape[1])):
        one, other = (
            benefit_of_the_doubt(table, limits=limits) for table in (scores, scores * factors)
        )
        assert np.abs(one.scores - other.scores).max() < 1e-9


@given(SCORES)
def test_scores_do_not_depend_on_the_scale_of_all(scores: np.ndarray) -> None:
    # Homogeneous of degree 0 in everything, so by Euler the derivatives sum to nothing.
    jacobian = benefit_of_the_doubt(scores, limits=limits_for(scores.shape[1])).jacobian
    assert np.abs(jacobian @ scores.ravel()).max() < 1e-7


@given(WITH_ZEROS)
def test_as_highs_finds_it(scores: np.ndarray) -> None:
    found = benefit_of_the_doubt(scores).scores
    for unit, own in enumerate(scores):
        scale = np.where(scores.max(axis=0) > 0, scores.max(axis=0), 1.0)
        best = linprog(-own / scale, A_ub=scores / scale, b_ub=np.ones(len(scores)))
        assert abs(found[unit] + best.fun) < 1e-9


@given(WITH_ZEROS)
def test_peers_are_at_least_as_good_in_every_part(scores: np.ndarray) -> None:
    result = benefit_of_the_doubt(scores)
    assert (result.peers @ scores >= scores - 1e-8).all()
    assert np.abs(result.peers.sum(axis=1) - result.scores).max() < 1e-8
