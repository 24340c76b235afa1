"""Errors from replicates: each kind against its definition, written out."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from support import answered, small_study

from sotongindex._replicates import hadamard, replicates_of
from sotongindex.errors import MethodError
from sotongindex.index import IndexMethod, compute_index
from sotongindex.responses import Responses
from sotongindex.tally import Tally
from sotongindex.variance import (
    BalancedRepeatedReplication,
    Bootstrap,
    GroupJackknife,
    Jackknife,
    Linearization,
    ReplicateWeights,
    combine,
)

STUDY = small_study(
    organizations=("a", "b"),
    channels=("blog", "app"),
    items=(("q1", "d1"), ("q2", "d1"), ("q3", "d2")),
)
LEVELS = ("index", "channels", "dimensions", "cells", "items")


def sample(
    people: int = 24, *, strata: int = 3, sizes: int = 2, seed: int = 5, **more: object
) -> Responses:
    """People in clusters in strata, who rate both organizations on one channel or both."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), 4)
    keep = rng.random(len(person)) < 0.8
    answers = rng.integers(1, 8, (len(person), 3)).astype(float)
    answers[rng.random(answers.shape) < 0.1] = np.nan
    cluster = person % (strata * sizes)
    columns = {
        "respondent": person,
        "organization": np.tile(["a", "a", "b", "b"], people),
        "channel": np.tile(["blog", "app"], 2 * people),
        "weight": rng.uniform(0.5, 2.0, people)[person],
        "cluster": cluster,
        "stratum": np.char.add("s", (cluster % strata).astype(str)),
        **{f"q{i + 1}": answers[:, i] for i in range(3)},
        **{name: np.asarray(value)[cluster] for name, value in more.items()},
    }
    return Responses.from_frame(
        {name: column[keep] for name, column in columns.items()},
        STUDY,
        weight="weight",
        cluster="cluster",
        stratum="stratum",
        stratum_population="population" if "population" in more else None,
        keep=[name for name in more if name != "population"],
    )


def scores(responses: Responses, variance: object) -> dict[str, object]:
    result = compute_index(responses, method=IndexMethod(variance=variance, power=0.5))
    return {level: getattr(result, level) for level in LEVELS}


def replayed(responses: Responses, factors: np.ndarray) -> dict[str, np.ndarray]:
    """The scores of every level under the weights of each replicate, computed anew."""
    found: dict[str, list[np.ndarray]] = {level: [] for level in LEVELS}
    for column in factors.T:
        weight = responses.weight * column[responses.clusters]
        # Responses refuse a weight of 0; whoever is left out is left out of the rows.
        rows = weight > 0
        part = attrs.evolve(
            responses,
            weight=weight[rows],
            stratum=None,
            stratum_keys=(),
            stratum_populations=None,
            **{
                name: getattr(responses, name)[rows]
                for name in ("answers", "organization", "channel", "respondent", "cluster")
            },
        )
        result = compute_index(part, method=IndexMethod(power=0.5))
        for level in LEVELS:
            found[level].append(getattr(result, level).values)
    return {level: np.array(values) for level, values in found.items()}


STRATUM = np.arange(6) % 3
METHODS = {
    "jackknife": (
        Jackknife(),
        np.where(
            np.arange(6)[:, None] == np.arange(6),
            0.0,
            np.where(STRATUM[:, None] == STRATUM, 2.0, 1.0),
        ),
        np.full(6, 0.5),
    ),
    "half-samples": (
        BalancedRepeatedReplication(fay=0.3),
        1 + 0.7 * (np.where(np.arange(6) < 3, 1, -1)[:, None] * hadamard(4)[:, 1 + STRATUM].T),
        np.full(4, 1 / (4 * 0.49)),
    ),
}


@pytest.mark.parametrize("center", ["estimate", "mean"])
@pytest.mark.parametrize("name", METHODS)
def test_every_level_is_computed_again_from_every_replicate(name, center):
    method, factors, scales = METHODS[name]
    responses = sample()
    found = scores(responses, attrs.evolve(method, center=center))
    for level, replicates in replayed(responses, factors).items():
        estimates = found[level]
        middle = estimates.values if center == "estimate" else replicates.mean(axis=0)
        deviations = (replicates - middle).reshape(len(scales), -1) * np.sqrt(scales)[:, None]
        expected = deviations.T @ deviations
        np.testing.assert_allclose(estimates.covariance(), expected, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(
            estimates.variance.ravel(), np.diag(expected), rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("combined", [True, False])
def test_weights_that_come_with_the_answers_are_the_same_replicates(combined):
    method, factors, _ = METHODS["jackknife"]
    columns = {f"r{r}": factors[:, r] for r in range(6)}
    responses = sample(**columns)
    if combined:
        kept = {name: column * responses.weight for name, column in responses.kept.items()}
        responses = attrs.evolve(responses, kept=kept)
    supplied = ReplicateWeights(
        columns=columns, scale=0.25, replicate_scales=[2.0] * 6, combined=combined
    )
    own, given = scores(responses, method), scores(responses, supplied)
    for level in LEVELS:
        np.testing.assert_allclose(given[level].variance, own[level].variance, rtol=1e-10)
    # Five of the six columns are needed to make the sixth: R survey counts rank less one.
    assert given["index"].degrees_of_freedom.max() <= 5


def test_half_samples_near_the_full_sample_come_to_linearization():
    responses = sample(people=60)
    near = scores(responses, BalancedRepeatedReplication(fay=0.9999))
    linear = scores(responses, Linearization(correction="design"))
    for level in LEVELS:
        np.testing.assert_allclose(near[level].variance, linear[level].variance, rtol=1e-3)


@pytest.mark.parametrize("kind", ["rao-wu", "canty-davison"])
def test_a_bootstrap_of_many_clusters_comes_near_linearization(kind):
    responses = sample(people=300, strata=3, sizes=50)
    boot = scores(responses, Bootstrap(replicates=1500, kind=kind))
    linear = scores(responses, Linearization(correction="design"))
    for level in LEVELS:
        # 1500 replicates know a standard error to 2 %; the third is the difference of methods.
        np.testing.assert_allclose(
            boot[level].standard_error, linear[level].standard_error, rtol=0.1
        )


@pytest.mark.parametrize("kind", ["rao-wu", "canty-davison"])
def test_bootstrap_factors_have_mean_1_and_the_variance_of_the_design(kind):
    responses = sample(people=300, strata=2, sizes=6, population=[18.0, 24.0] * 6)
    replicates = replicates_of(responses, Bootstrap(replicates=6000, kind=kind))
    factors = replicates.factors(np.arange(6000))
    np.testing.assert_allclose(factors.mean(axis=1), 1.0, atol=0.05)
    stratum = np.arange(12) % 2
    shares = np.array([6 / 18, 6 / 24])[stratum]
    expected = 1 - shares
    if kind == "canty-davison":
        # A draw of 6 without replacement from 18 or 24 has the factor (N - n) / (N - 1); the
        # mean of the sample takes (m - 1) / m of it, which the scale gives back.
        expected = np.array([12 / 17, 18 / 23])[stratum] * 5 / 6
    np.testing.assert_allclose(factors.var(axis=1), expected, atol=0.05)
    for h in (0, 1):
        np.testing.assert_allclose(factors[stratum == h].sum(axis=0), 6.0)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    responses = sample()
    first, again = (scores(responses, Bootstrap(replicates=40)) for _ in range(2))
    other = scores(responses, Bootstrap(replicates=40, rng=1))
    assert first["items"].variance.tobytes() == again["items"].variance.tobytes()
    assert (first["index"].variance != other["index"].variance).all()
    replicates = replicates_of(responses, Bootstrap(replicates=40))
    np.testing.assert_array_equal(
        replicates.factors(np.array([7])), replicates.factors(np.arange(40))[:, [7]]
    )


def test_replicates_of_one_sample_are_matched_and_of_two_samples_refused():
    method = IndexMethod(variance=Bootstrap(replicates=30))
    responses = sample()
    first, second = (compute_index(responses, method=method) for _ in range(2))
    nothing = combine([(first.index, np.eye(2)), (second.index, -np.eye(2))])
    np.testing.assert_allclose(nothing.variance, 0.0, atol=1e-12)
    elsewhere = compute_index(sample(sizes=4), method=method)
    both = combine([(first.index, np.eye(2)), (elsewhere.index.detached("b"), -np.eye(2))])
    np.testing.assert_allclose(both.variance, first.index.variance + elsewhere.index.variance)
    for other in (elsewhere, compute_index(responses)):
        with pytest.raises(MethodError, match="cannot be matched"):
            combine([(first.index, np.eye(2)), (other.index, -np.eye(2))])


def test_a_census_has_no_sampling_error():
    responses = sample(population=[2.0] * 6)
    for method in (
        Linearization(),
        Jackknife(),
        BalancedRepeatedReplication(fay=0.5),
        Bootstrap(replicates=20),
        Bootstrap(replicates=20, kind="canty-davison"),
    ):
        for level, estimates in scores(responses, method).items():
            np.testing.assert_allclose(estimates.variance, 0.0, atol=1e-20, err_msg=level)


def test_an_organization_that_replicates_miss_has_its_error_from_the_others():
    study = small_study()
    rows = [(r, "a", "blog", 1 + r % 7) for r in range(12)] + [(0, "b", "blog", 3)]
    rows += [(1, "b", "blog", 6)]
    found = compute_index(
        answered(study, rows), method=IndexMethod(variance=Bootstrap(replicates=300))
    )
    # Nobody who rates b is drawn in e^-2 of the replicates.
    assert np.isfinite(found.index.variance).all()
    lost = [(0, "a", "blog", 5), (1, "a", "blog", 3), (2, "a", "blog", 4), (0, "b", "blog", 3)]
    few = compute_index(
        answered(study, lost), method=IndexMethod(variance=Bootstrap(replicates=300))
    )
    assert np.isnan(few.index.variance).tolist() == [False, True]


def test_group_jackknife_of_plain_weights_is_the_same_by_either_way():
    responses = sample(people=200, strata=1, sizes=100)
    replicates = replicates_of(responses, GroupJackknife(groups=8))
    weights = replicates.weights(responses, np.arange(8)).of(np.arange(len(responses)))
    direct = compute_index(responses, method=IndexMethod(variance=GroupJackknife(groups=8)))
    means = np.stack(
        [
            Tally.from_responses(attrs.evolve(part, weight=part.weight), groups=1).item_means()
            for part in (
                attrs.evolve(
                    responses,
                    weight=column[column > 0],
                    **{
                        name: getattr(responses, name)[column > 0]
                        for name in ("answers", "organization", "channel", "respondent")
                    },
                    cluster=responses.cluster[column > 0],
                    stratum=None,
                    stratum_keys=(),
                )
                for column in weights.T
            )
        ]
    )
    expected = 7 / 8 * ((means - direct.items.values) ** 2).sum(axis=0)
    np.testing.assert_allclose(direct.items.variance, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("method", "text"),
    [
        (BalancedRepeatedReplication(), "2 clusters in every stratum"),
        (ReplicateWeights(columns=("r0", "r1"), scale=1.0), "kept column of numbers 'r0'"),
    ],
)
def test_a_design_that_lacks_what_the_method_needs(method, text):
    with pytest.raises(MethodError, match=text):
        scores(sample(strata=2, sizes=3), method)


def test_replicate_columns_that_are_no_weights():
    for value in (-1.0, np.nan):
        responses = sample(r0=[value] * 6, r1=[1.0] * 6)
        with pytest.raises(MethodError, match="negative or missing"):
            scores(responses, ReplicateWeights(columns=("r0", "r1"), scale=1.0))
    with pytest.raises(MethodError, match="did you mean 'r1'"):
        scores(responses, ReplicateWeights(columns=("r1x", "r1"), scale=1.0))


def test_a_tally_and_too_many_clusters_are_refused():
    with pytest.raises(MethodError, match="a tally keeps none"):
        compute_index(
            Tally.from_responses(sample()), method=IndexMethod(variance=Bootstrap(replicates=10))
        )
    rows = [(r, "a", "blog", 1 + r % 7) for r in range(5_001)]
    with pytest.raises(MethodError, match="5,001 clusters one at a time"):
        compute_index(answered(small_study(), rows), method=IndexMethod(variance=Jackknife()))


def test_a_stratum_of_one_cluster_is_refused():
    rows = [(0, "a", "blog", 1), (1, "a", "blog", 3), (2, "a", "blog", 5)]
    responses = answered(small_study(), rows, stratum=["x", "x", "y"])
    for method in (Jackknife(), Bootstrap(replicates=10)):
        with pytest.raises(MethodError, match="'y'"):
            compute_index(responses, method=IndexMethod(variance=method))


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: Bootstrap(replicates=1), "replicates"),
        (lambda: Bootstrap(rng=-1), "rng"),
        (lambda: BalancedRepeatedReplication(fay=1.0), "fay"),
        (lambda: ReplicateWeights(columns=("a",), scale=1.0), "columns"),
        (lambda: ReplicateWeights(columns=("a", "a"), scale=1.0), "columns"),
        (lambda: ReplicateWeights(columns=("a", "b"), scale=0.0), "scale"),
        (
            lambda: ReplicateWeights(columns=("a", "b"), scale=1.0, replicate_scales=[1.0]),
            "replicate_scales",
        ),
        (
            lambda: ReplicateWeights(columns=("a", "b"), scale=1.0, replicate_scales=[1.0, -1.0]),
            "replicate_scales",
        ),
    ],
)
def test_faulty_methods(make, argument):
    with pytest.raises(MethodError) as caught:
        make()
    assert caught.value.argument == argument
