"""Laws of an analysis of robustness."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from robust import OPEN, scored, weights_of
from support import answered, small_study

from sotongindex._climb import weighted_means
from sotongindex.aggregation import power_mean
from sotongindex.index import IndexMethod, compute_index
from sotongindex.robustness import (
    AnyWeights,
    ConversionOptions,
    DropOne,
    MethodOptions,
    Sampling,
    SchemeOptions,
    WeightSpread,
    assess_robustness,
)
from sotongindex.weighting import FixedWeights, WeightingScheme

SEEDS = st.integers(0, 2**32)
SPREADS = st.floats(0, 1)
LEVELS = st.sampled_from(["channels", "dimensions", "items"])


METHODS = st.builds(
    IndexMethod,
    power=st.sampled_from([1.0, 0.0, -1.0, 2.0]),
    min_share=st.sampled_from([0.0, 0.5, 0.8]),
    min_answers=st.sampled_from([1, 3]),
    order=st.sampled_from(["items first", "respondents first"]),
    absent_channels=st.sampled_from(["renormalize", "zero"]),
)


def made(seed, method):
    """Return answers with gaps, six organizations on two channels, and their index."""
    rng = np.random.default_rng(seed)
    rows = []
    for respondent in range(40):
        answers = np.where(rng.random(5) < 0.15, np.nan, rng.integers(2, 8, 5))
        channel = str(rng.choice(["blog", "video"]))
        rows.append((respondent, str(rng.choice(list("abcdef"))), channel, *answers))
    answers = answered(STUDY, rows)
    return answers, compute_index(answers, scheme=SCHEME, method=method)


STUDY = small_study(
    organizations=tuple("abcdef"),
    channels=("blog", "video"),
    items=[("q1", "d1"), ("q2", "d1"), ("q3", "d2"), ("q4", "d3"), ("q5", "d3")],
)
SCHEME = WeightingScheme(
    channels=FixedWeights({"blog": 0.7, "video": 0.3}),
    dimensions=FixedWeights({"d1": 0.5, "d2": 0.3, "d3": 0.2}),
)


@given(METHODS, LEVELS, SEEDS)
@settings(max_examples=25)
def test_what_does_not_move_gives_the_recorded_result(method, level, seed):
    answers, result = made(seed, method)
    still = [
        WeightSpread(level=level, spread=0.0),
        SchemeOptions(options=[result.scheme]),
        ConversionOptions(options=["linear"]),
        *(
            MethodOptions(field=field, options=[getattr(method, field)])
            for field in ("power", "order", "min_share", "min_answers", "absent_channels")
        ),
    ]
    found = assess_robustness(result, still, answers=answers, runs=4, rng=seed, rules=OPEN)
    expected = np.broadcast_to(result.index.values, (4, 6))
    np.testing.assert_allclose(found.scores, expected, rtol=1e-9, atol=1e-9)
    used = found.reasons == ""
    np.testing.assert_allclose(found.rank_low[used], found.rank[used])
    np.testing.assert_allclose(found.rank_high[used], found.rank[used])
    assert (found.sensitivity.ranks.total == 0).all()
    assert np.nanmax(np.abs(found.sensitivity.scores.total)) == 0


@given(METHODS, SEEDS)
@settings(max_examples=10)
def test_each_option_is_the_index_computed_anew(method, seed):
    """Options of method, scheme and conversion, one at a time, against `compute_index`."""
    answers, result = made(seed, method)
    other = WeightingScheme(dimensions=FixedWeights({"d1": 0.1, "d2": 0.2, "d3": 0.7}))
    cases = [
        (SchemeOptions(options=[other]), {"scheme": other}),
        *(
            (MethodOptions(field=field, options=[value]), {"method": {field: value}})
            for field, value in (
                ("power", 0.5), ("min_share", 1.0), ("min_answers", 2), ("order", "items first"),
                ("order", "respondents first"), ("absent_channels", "zero"),
            )
        ),
    ]  # fmt: skip
    base = attrs.evolve(result.method, order="items first")
    result = compute_index(answers, scheme=result.scheme, method=base)
    for choice, change in cases:
        found = assess_robustness(
            result, choice, answers=answers, runs=2, sensitivity=False, rng=seed, rules=OPEN
        )
        anew = compute_index(
            answers,
            scheme=change.get("scheme", result.scheme),
            method=attrs.evolve(base, **change.get("method", {})),
        )
        used = found.reasons == ""
        np.testing.assert_allclose(
            found.scores[0, used], anew.index.values[used], rtol=1e-9, atol=1e-9
        )


@given(
    st.lists(st.floats(0.01, 100) | st.just(np.nan) | st.just(0.0), min_size=12, max_size=12),
    st.lists(st.floats(0.01, 1) | st.just(0.0), min_size=4, max_size=4),
    st.sampled_from([-20.0, -1.0, 0.0, 1e-14, 0.5, 1.0, 2.0, 20.0]),
    st.sampled_from([0.0, 0.5, 1.0]),
)
def test_means_of_many_runs_are_power_means(scores, weights, power, least):
    values = np.array(scores).reshape(3, 4)
    found = weighted_means(values, np.array(weights), power=power, min_share=least)
    expected = power_mean(values, weights, power=power, min_share=least).value
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@given(SPREADS, LEVELS, SEEDS)
def test_weights_stay_on_the_simplex_within_their_spread(spread, level, seed):
    drawn, base = weights_of(WeightSpread(level=level, spread=spread), runs=20, seed=seed)
    assert (drawn >= 0).all()
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = drawn / base
    moved = factor[..., base[0] > 0].reshape(20, -1)
    assert (moved >= 1 - spread - 1e-12).all()
    assert (moved <= 1 + spread + 1e-12).all()
    assert (drawn[..., base[0] == 0] == 0).all()


@given(LEVELS, SEEDS)
@settings(max_examples=20)
def test_the_whole_simplex_is_uniform(level, seed):
    """The mean of each of k weights is 1/k, and their variance (k - 1) / (k^2 (k + 1))."""
    drawn, base = weights_of(AnyWeights(level=level), runs=4000, seed=seed)
    share = drawn[:, 0] if level != "channels" else drawn
    # Two channels, the two dimensions with weight, or the two items of the first dimension.
    share, k = share[:, :2] / share[:, :2].sum(axis=1, keepdims=True), 2
    np.testing.assert_allclose(share.mean(axis=0), 1 / k, atol=0.02)
    np.testing.assert_allclose(share.var(axis=0), (k - 1) / (k**2 * (k + 1)), rtol=0.1)
    assert (drawn[..., base[0] == 0] == 0).all()


CHOICES = [
    WeightSpread(level="dimensions", spread=0.5),
    AnyWeights(level="channels"),
    DropOne(level="dimensions"),
    MethodOptions(field="power", options=[1.0, 0.0]),
]


@given(METHODS, SEEDS)
@settings(max_examples=25)
def test_shares_are_consistent(method, seed):
    _, result = made(seed, method)
    found = assess_robustness(
        result, [*CHOICES, Sampling()], runs=30, sensitivity=False, rng=seed, rules=OPEN
    )
    used = np.flatnonzero(found.reasons == "")
    count = len(used)
    probability = found.rank_probability()[used]
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)
    order = found.order_shares()[np.ix_(used, used)]
    both = ~np.isnan(order)
    np.testing.assert_allclose((order + order.T)[both], 1.0)
    np.testing.assert_allclose(order.diagonal()[both.diagonal()], 0.5)
    stable = found.stable_orders()[used]
    assert np.nanmin(np.r_[stable, 1.0]) >= 0
    assert np.nanmax(np.r_[stable, 0.0]) <= 1
    if (found.present[used] == 1).all():
        np.testing.assert_allclose(probability[:, :count].sum(axis=0), 1.0)
        # A rank is one more than the number above.
        expected = 1 + (1 - order).sum(axis=1) - 0.5
        np.testing.assert_allclose(probability @ np.arange(1, 7), expected)


@given(st.permutations(range(8)), SEEDS)
@settings(max_examples=25)
def test_permuted_organizations_permute_the_analysis(order, seed):
    rng = np.random.default_rng(seed)
    values = rng.uniform(30, 80, (8, 3))
    first = assess_robustness(scored(values), CHOICES, runs=40, rng=seed)
    second = assess_robustness(scored(values[order]), CHOICES, runs=40, rng=seed)
    np.testing.assert_allclose(second.scores, first.scores[:, order])
    for name in ("rank", "rank_low", "rank_median", "rank_high", "score_low", "score_high"):
        np.testing.assert_allclose(getattr(second, name), getattr(first, name)[order])
    np.testing.assert_allclose(
        second.sensitivity.organization_ranks.total,
        first.sensitivity.organization_ranks.total[:, order],
        atol=1e-9,
    )
    np.testing.assert_allclose(second.sensitivity.ranks.total, first.sensitivity.ranks.total)


@given(METHODS, SEEDS)
@settings(max_examples=10)
def test_the_same_seed_gives_the_same_bytes(method, seed):
    _, result = made(seed, method)
    choices = [*CHOICES, Sampling()]
    first, second = (
        assess_robustness(result, choices, runs=20, rng=seed, rules=OPEN) for _ in range(2)
    )
    for name in ("scores", "compared", "ranks", "rank_low", "rank_high", "score_median"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
    assert first.sensitivity.to_rows() == second.sensitivity.to_rows()


@given(st.integers(2, 300), st.integers(1, 60), SEEDS)
@settings(max_examples=30)
def test_halton_points_fill_every_column_evenly(count, dimensions, seed):
    from sotongindex._halton import halton_points

    points = halton_points(count, dimensions, np.random.default_rng(seed))
    assert points.shape == (count, dimensions)
    assert ((points > 0) & (points < 1)).all()
    # Of the first 2 and 3 columns every base-th falls equally often, up to one.
    for column, base in zip(points.T, (2, 3, 5), strict=False):
        counts = np.bincount((column * base).astype(int), minlength=base)
        assert np.ptp(counts) <= 1


def test_a_spread_of_one_reaches_zero_and_two():
    drawn, base = weights_of(WeightSpread(level="channels", spread=1.0), runs=2000, seed=1)
    factor = drawn / base
    assert factor.min() == pytest.approx(0, abs=0.01)
    assert factor.max() == pytest.approx(2, abs=0.01)
