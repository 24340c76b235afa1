"""Estimates and how their errors travel."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, special

from sotongindex._factors import CLUSTERS, GROUPS, Block, StoredFactor
from sotongindex.errors import MethodError
from sotongindex.variance import Estimates, GroupJackknife, combine


def clustered(matrix, values=None, labels=None, freedom=9.0):
    """Estimates with a given factor (respondents, k)."""
    matrix = np.asarray(matrix, dtype=float)
    labels = np.arange(len(matrix)) if labels is None else np.asarray(labels)
    size = matrix.shape[1]
    return Estimates(
        values=np.full(size, 50.0) if values is None else values,
        variance=(matrix**2).sum(axis=0),
        degrees_of_freedom=np.full(size, freedom),
        factor=StoredFactor({CLUSTERS: Block(labels, sparse.csc_array(matrix))}),
    )


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 5))
def test_a_linear_map_has_covariance_j_c_j(seed, size, results):
    rng = np.random.default_rng(seed)
    estimates = clustered(rng.normal(size=(20, size)))
    jacobian = rng.normal(size=(results, size)) * (rng.random((results, size)) < 0.7)
    mapped = estimates.transform(jacobian, lower=-1e9, upper=1e9)
    expected = jacobian @ estimates.covariance() @ jacobian.T
    np.testing.assert_allclose(mapped.covariance(), expected, atol=1e-9)
    np.testing.assert_allclose(mapped.variance, np.diag(expected), atol=1e-9)
    again = mapped.transform(np.ones((1, results)))
    np.testing.assert_allclose(again.variance, expected.sum(), atol=1e-8)
    np.testing.assert_allclose(mapped.values, jacobian @ estimates.values)


@given(st.integers(0, 2**32 - 1))
def test_shared_respondents_are_matched_by_their_keys(seed):
    rng = np.random.default_rng(seed)
    everyone = rng.normal(size=(12, 2))
    here, there = rng.permutation(12)[:8], rng.permutation(12)[:9]
    before = clustered(everyone[here, :1], labels=here)
    after = clustered(everyone[there, 1:], labels=there)
    shared = np.intersect1d(here, there)
    expected = (everyone[shared, 0] * everyone[shared, 1]).sum()
    assert before.covariance(after).item() == pytest.approx(expected)
    change = combine([(after, [[1.0]]), (before, [[-1.0]])])
    total = before.variance + after.variance - 2 * expected
    np.testing.assert_allclose(change.variance, total, atol=1e-9)
    np.testing.assert_allclose(change.covariance(), [total], atol=1e-9)


def explained(seed, rows, *, size=2, variables=2):
    """Estimates whose rows are a sparse matrix less what a few variables explain of it."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(len(rows), size)) * (rng.random((len(rows), size)) < 0.4)
    known, loads = rng.normal(size=(len(rows), variables)), rng.normal(size=(variables, size))
    whole = matrix - known @ loads
    block = Block(rows, sparse.csc_array(matrix), sparse.csr_array(known), sparse.csr_array(loads))
    estimates = Estimates(
        values=np.full(size, 50.0),
        variance=(whole**2).sum(axis=0),
        degrees_of_freedom=np.full(size, np.inf),
        factor=StoredFactor({CLUSTERS: block}),
    )
    return estimates, whole


@given(st.integers(0, 2**32 - 1))
def test_what_variables_explain_is_a_product_and_counts_like_a_matrix(seed):
    rng = np.random.default_rng(seed)
    here, there = rng.permutation(14)[:9], rng.permutation(14)[:10]
    (before, first), (after, second) = explained(seed, here), explained(seed + 1, there, size=3)
    _, mine, theirs = np.intersect1d(here, there, return_indices=True)
    expected = first[mine].T @ second[theirs]
    np.testing.assert_allclose(before.covariance(after), expected, atol=1e-9)
    np.testing.assert_allclose(before.covariance(), first.T @ first, atol=1e-9)
    maps = rng.normal(size=(2, 2)), rng.normal(size=(2, 3))
    change = combine([(before, maps[0]), (after, maps[1])], lower=-1e9, upper=1e9)
    everyone = np.zeros((14, 2))
    everyone[here] += first @ maps[0].T
    everyone[there] += second @ maps[1].T
    np.testing.assert_allclose(change.variance, (everyone**2).sum(axis=0), atol=1e-9)
    np.testing.assert_allclose(change.covariance(), everyone.T @ everyone, atol=1e-9)
    twice = combine([(before, np.eye(2)), (before, np.eye(2))])
    np.testing.assert_allclose(twice.covariance(), 4 * first.T @ first, atol=1e-9)


def test_many_numbers_have_the_same_variances_without_their_covariance():
    rng = np.random.default_rng(6)
    size, people = 1200, 40
    labels = [np.arange(people), np.arange(20, 20 + people)]
    blocks = [
        Block(
            own,
            sparse.random_array((people, size), density=0.1, rng=rng, format="csr"),
            sparse.csr_array(rng.normal(size=(people, 2))),
            sparse.csr_array(rng.normal(size=(2, size)) / 10),
        )
        for own in labels
    ]
    made = [
        Estimates(
            values=np.zeros(size),
            variance=block.squares(),
            degrees_of_freedom=np.full(size, 9.0),
            factor=StoredFactor({CLUSTERS: block}),
        )
        for block in blocks
    ]
    jacobian = sparse.eye_array(size, format="csr")
    difference = combine([(made[0], jacobian), (made[1], -2 * jacobian)])
    few = combine(
        [
            (one.select(slice(0, 9)), sign * np.eye(9))
            for one, sign in zip(made, (1, -2), strict=True)
        ]
    )
    np.testing.assert_allclose(difference.variance[:9], few.variance)
    rows = [np.zeros((60, size)) for _ in range(2)]
    for full, block, own in zip(rows, blocks, labels, strict=True):
        full[own] = (block.matrix - block.variables @ block.loads).toarray()
    np.testing.assert_allclose(difference.variance, ((rows[0] - 2 * rows[1]) ** 2).sum(axis=0))
    np.testing.assert_array_equal(combine([(made[0], jacobian), (made[0], -jacobian)]).variance, 0)
    grouped = attrs.evolve(made[1], factor=StoredFactor({GROUPS: blocks[1]}))
    with pytest.raises(MethodError, match="made apart"):
        combine([(made[0], jacobian), (grouped, jacobian)])


def test_draws_have_the_covariance_of_the_estimates():
    estimates, _ = explained(3, np.arange(9), size=4)
    independent = Estimates.independent([1.0, np.nan, 3.0], [2.0, 1.0, np.nan])
    drawn = estimates.draws(40_000, rng=1)
    np.testing.assert_allclose(drawn.mean(axis=0), estimates.values, atol=0.1)
    scale = np.sqrt(np.outer(estimates.variance, estimates.variance))
    np.testing.assert_allclose(np.cov(drawn.T) / scale, estimates.covariance() / scale, atol=0.02)
    np.testing.assert_array_equal(drawn[:7], estimates.draws(40_000, rng=1)[:7])
    assert np.isnan(independent.draws(2, rng=1)).tolist() == [[False, True, True]] * 2
    assert independent.draws(0).shape == (0, 3)
    with pytest.raises(MethodError, match="0 or more"):
        independent.draws(-1)


def test_another_source_s_respondent_is_another_person():
    one = clustered(np.ones((4, 1)))
    assert one.covariance(one).item() == 4
    assert one.covariance(one.detached("experts")).item() == 0
    assert one.detached("experts").covariance(one.detached("experts")).item() == 4


def test_independent_estimates_covary_with_themselves_only():
    scores = Estimates.independent([50.0, 60.0], [1.0, 2.0])
    np.testing.assert_allclose(scores.covariance(), [[1, 0], [0, 4]])
    np.testing.assert_allclose(scores.select([1]).covariance(scores), [[0, 4]])
    others = Estimates.independent([50.0, 60.0], [1.0, 2.0])
    np.testing.assert_allclose(scores.covariance(others), np.zeros((2, 2)))


def test_linearization_and_jackknife_cannot_be_matched():
    matrix = sparse.csc_array(np.ones((3, 1)))
    jackknife = Estimates(
        values=[50.0],
        variance=[3.0],
        degrees_of_freedom=[2.0],
        factor=StoredFactor({"jackknife groups": Block(np.arange(3), matrix)}),
    )
    with pytest.raises(MethodError, match="GroupJackknife"):
        jackknife.covariance(clustered(np.ones((3, 1))))
    with pytest.raises(MethodError, match="GroupJackknife"):
        clustered(np.ones((3, 1))).covariance(jackknife)


def test_intervals_are_t_intervals_within_the_range():
    estimates = Estimates.independent(
        [50.0, 99.0, 1.0], [2.0, 2.0, 2.0], degrees_of_freedom=[4.0, np.inf, 1e11]
    )
    half = special.stdtrit(4, 0.975) * 2
    assert estimates.low[0] == pytest.approx(50 - half)
    assert estimates.high.tolist()[1] == 100
    assert estimates.low.tolist()[2] == 0
    assert estimates.high[2] == pytest.approx(1 + 1.959963984540054 * 2)


def test_an_unknown_error_is_unknown_in_what_rests_on_it_and_nowhere_else():
    estimates = Estimates.independent([50.0, 60.0, 70.0], [1.0, np.nan, 2.0])
    mapped = estimates.transform([[1, 0, 0], [0.5, 0.5, 0], [0, 0, 2]])
    assert np.isnan(mapped.variance).tolist() == [False, True, False]
    assert mapped.degrees_of_freedom.tolist() == [np.inf, 0, np.inf]
    assert np.isnan(mapped.low).tolist() == [False, True, False]
    assert np.isnan(estimates.covariance()[1]).all()
    assert np.isnan(estimates.probability_at_least(55)).tolist() == [False, True, False]


def test_a_missing_value_is_missing_in_what_rests_on_it():
    estimates = Estimates.independent([50.0, np.nan], [1.0, 1.0])
    mapped = estimates.transform([[1, 0], [1, 1]])
    assert np.isnan(mapped.values).tolist() == [False, True]
    assert np.isnan(mapped.variance).tolist() == [False, True]


def test_probabilities_of_reaching_a_threshold():
    estimates = Estimates.independent(
        [60.0, 60.0, 60.0, 60.0], [5.0, 0.0, 0.0, 0.0], degrees_of_freedom=np.inf
    )
    probabilities = estimates.probability_at_least([60, 50, 60, 70])
    assert probabilities.tolist() == [0.5, 1.0, 0.5, 0.0]
    tail = Estimates.independent(60.0, 5.0, degrees_of_freedom=7).probability_at_least(65)
    assert tail == pytest.approx(special.stdtr(7, -1))


def test_degrees_of_freedom_follow_welch_and_satterthwaite():
    pair = Estimates.independent([50.0, 50.0], [2.0, 1.0], degrees_of_freedom=[10.0, 20.0])
    difference = pair.transform([[1, -1]])
    expected = (4 + 1) ** 2 / (16 / 10 + 1 / 20)
    assert difference.degrees_of_freedom.item() == pytest.approx(expected)
    assert pair.transform([[0, 3]]).degrees_of_freedom.item() == pytest.approx(20)
    exact = Estimates.independent([50.0], [0.0]).transform([[1]])
    assert exact.degrees_of_freedom.item() == np.inf


def test_selecting_keeps_shape_errors_and_covariances():
    estimates = clustered(np.random.default_rng(1).normal(size=(9, 6)))
    square = Estimates(
        values=estimates.values.reshape(2, 3),
        variance=estimates.variance.reshape(2, 3),
        degrees_of_freedom=estimates.degrees_of_freedom.reshape(2, 3),
        factor=estimates.factor,
    )
    column = square.select((slice(None), 2))
    assert column.shape == (2,)
    np.testing.assert_allclose(column.covariance(), estimates.covariance()[np.ix_([2, 5], [2, 5])])


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: Estimates.independent([1.0], [-1.0]), "standard_error"),
        (lambda: Estimates.independent([1.0], [np.inf]), "standard_error"),
        (lambda: Estimates.independent([1.0], [1.0], level=1.0), "level"),
        (lambda: Estimates.independent([1.0], [1.0]).transform([[1, 2]]), "jacobian"),
        (lambda: GroupJackknife(groups=1), "groups"),
        (
            lambda: Estimates(
                values=[1.0, 2.0],
                variance=[1.0],
                degrees_of_freedom=[1.0, 1.0],
                factor=StoredFactor({}),
            ),
            "variance",
        ),
    ],
)
def test_faulty_estimates(make, argument):
    with pytest.raises(MethodError) as caught:
        make()
    assert caught.value.argument == argument
