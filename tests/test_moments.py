"""Moments of items: sums over pairs by channel and group, what follows of them, and faults."""

from __future__ import annotations

import attrs
import numpy as np
import pandas as pd
import pytest
from support import answered, small_study

from sotongindex._moments import jackknife_error
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.models import SurveyItem
from sotongindex.tally import Tally, jackknife_groups

STUDY = small_study(
    channels=("blog", "video"),
    items=[("q1", "d1"), SurveyItem(key="q2", dimension="d1", reverse=True), ("q3", "d2")],
)
ROWS = [
    (1, "a", "blog", 7, 1, 4),
    (1, "b", "blog", 4, 7, np.nan),
    (2, "a", "blog", 1, np.nan, 4),
    (3, "a", "video", 1, 7, 4),
]


def points(rows) -> np.ndarray:
    """Return the points of the answers: 7 is 100 and 1 is 0, the other way round for q2."""
    found = (np.array([row[3:] for row in rows], dtype=float) - 1) / 6 * 100
    found[:, 1] = 100 - found[:, 1]
    return found


def test_sums_over_pairs_by_channel_and_group():
    responses = answered(STUDY, ROWS, weight=[1, 2, 3, 1])
    moments = Tally.from_responses(responses, groups=8, moments=True).moments
    one, two, three = jackknife_groups(np.array([1, 2, 3]), 8).tolist()
    rows = list(zip(moments.channel.tolist(), moments.group.tolist(), strict=True))
    assert rows == sorted([(0, one), (0, two), (1, three)])
    first = rows.index((0, one))  # organizations a and b together
    assert moments.sums.units[first].tolist() == [[2, 2, 1], [2, 2, 1], [1, 1, 1]]
    assert moments.sums.weight[first].tolist() == [[3, 3, 1], [3, 3, 1], [1, 1, 1]]
    # Points less 50: 50, 50, 0 of weight 1 and 0, -50 of weight 2.
    assert moments.sums.values[first].tolist() == [[50, 50, 50], [-50, -50, 50], [0, 0, 0]]
    assert moments.sums.squares[first, 1].tolist() == [7500, 7500, 2500]
    assert moments.sums.products[first].tolist() == [[2500, 2500, 0], [2500, 7500, 0], [0, 0, 0]]


def test_covariances_of_complete_answers_are_the_usual_ones():
    rng = np.random.default_rng(3)
    rows = [(k, "ab"[k % 2], "blog", *rng.integers(1, 8, 3)) for k in range(50)]
    weight = rng.gamma(2.0, 0.5, 50)
    moments = Tally.from_responses(answered(STUDY, rows, weight=weight), moments=True).moments
    expected = np.cov(points(rows).T, aweights=weight, ddof=0)
    np.testing.assert_allclose(moments.covariance(), expected, rtol=1e-12)
    np.testing.assert_allclose(moments.covariance("blog"), expected, rtol=1e-12)
    assert np.isnan(moments.covariance("video")).all()


def test_correlations_of_incomplete_answers_are_those_of_pandas():
    rng = np.random.default_rng(4)
    answers = rng.integers(1, 8, (60, 3)).astype(float)
    answers[rng.random(answers.shape) < 0.3] = np.nan
    rows = [(k, "a", "blog", *row) for k, row in enumerate(answers.tolist())]
    moments = Tally.from_responses(answered(STUDY, rows), moments=True).moments
    expected = pd.DataFrame(points(rows)).corr().to_numpy()
    np.testing.assert_allclose(moments.correlation(), expected, rtol=1e-12)


def test_unknown_correlations_are_nan():
    rows = [(1, "a", "blog", 7, 1, np.nan), (2, "a", "blog", 7, 4, np.nan)]
    moments = Tally.from_responses(answered(STUDY, rows), moments=True).moments
    assert moments.covariance()[:2, :2].tolist() == [[0, 0], [0, pytest.approx(625)]]
    assert np.isnan(moments.covariance()[2]).all()
    found = moments.correlation()
    assert np.isnan(found[0]).all()
    assert found[1, 1] == 1


def test_answers_in_many_blocks_are_the_same(monkeypatch):
    rng = np.random.default_rng(5)
    rows = [(k, "a", "blog", *rng.integers(1, 8, 3)) for k in range(40)]
    responses = answered(STUDY, rows)
    whole = Tally.from_responses(responses, groups=2, moments=True).moments
    monkeypatch.setattr("sotongindex._moments.BLOCK_ROWS", 7)
    blocks = Tally.from_responses(responses, groups=2, moments=True).moments
    for name in attrs.fields_dict(type(whole.sums)):
        np.testing.assert_allclose(
            getattr(blocks.sums, name), getattr(whole.sums, name), rtol=1e-12
        )


def test_groups_that_were_given():
    responses = attrs.evolve(answered(STUDY, ROWS), kept={"half": np.array([0.0, 0.0, 1.0, 1.0])})
    moments = Tally.from_responses(responses, groups=2, group="half", moments=True).moments
    assert moments.group.tolist() == [0, 1, 1]


def test_moments_add_up_with_tallies_that_have_them_alone():
    parts = [
        Tally.from_responses(answered(STUDY, rows), moments=True) for rows in (ROWS[:2], ROWS[2:])
    ]
    whole = Tally.from_responses(answered(STUDY, ROWS), moments=True).moments
    added = (parts[0] + parts[1]).moments
    np.testing.assert_array_equal(added.group, whole.group)
    np.testing.assert_allclose(added.covariance(), whole.covariance())
    bare = attrs.evolve(parts[1], moments=None)
    for pair in ((parts[0], bare), (bare, parts[0])):
        with pytest.raises(MethodError, match="one tally has moments and the other has none"):
            pair[0] + pair[1]
    assert (bare + bare).moments is None


def test_sums_cannot_be_changed():
    moments = Tally.from_responses(answered(STUDY, ROWS), moments=True).moments
    with pytest.raises(ValueError, match="read-only"):
        moments.sums.products[0] = 1


def test_an_unknown_channel():
    moments = Tally.from_responses(answered(STUDY, ROWS), moments=True).moments
    with pytest.raises(DefinitionError, match="unknown channel 'blok'; did you mean 'blog'"):
        moments.covariance("blok")


def test_the_error_from_groups_by_hand():
    found = jackknife_error(np.array(1.0), np.array([0.0, 2.0, 1.0]), groups=4)
    assert found == pytest.approx(np.sqrt(0.75 * 2))
    assert np.isnan(jackknife_error(np.array([1.0]), np.array([[1.0]]), groups=4)).all()
