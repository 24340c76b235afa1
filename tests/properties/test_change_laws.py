"""Laws of change: terms add up, swapping flips, permuting permutes, probabilities follow scores."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from waves import LOOSE, answered, published, study_of

from sotongindex.change import (
    compare_waves,
    decompose_change,
    decompose_mean,
    link_waves,
    overlapping_t_test,
    project,
)
from sotongindex.index import IndexMethod, Powers
from sotongindex.models import Organization
from sotongindex.results import IndexResult
from sotongindex.weighting import FixedWeights, WeightingScheme

POINTS = st.integers(0, 400).map(lambda quarters: quarters / 4)
PAIRS = st.lists(st.tuples(POINTS, POINTS), min_size=2, max_size=8)
POWERS = st.sampled_from([0.0, 0.5, 1.0, 2.0, Powers(items=1.0, dimensions=0.5, channels=-1.0)])
KEYS = ("blog", "video", "app")
CHANNELS = st.sets(st.sampled_from(KEYS), min_size=1)
SHARES = st.lists(st.integers(1, 9), min_size=3, max_size=3)


@st.composite
def waves(draw: Any) -> tuple[IndexResult, IndexResult]:
    """Two waves of other channels, weights and items, by one method."""
    method = IndexMethod(
        power=draw(POWERS), absent_channels=draw(st.sampled_from(["renormalize", "zero"]))
    )
    made = []
    for seed in (1, 2):
        organizations = [
            Organization(key=key, channels=sorted(draw(CHANNELS))) for key in ("a", "b")
        ]
        last = draw(st.sampled_from(["q3", "q4"]))
        items = [("q1", "d1"), ("q2", "d1"), (last, "d2")]
        shares = draw(SHARES)
        scheme = WeightingScheme(
            channels=FixedWeights(dict(zip(KEYS, shares, strict=True)), total=sum(shares))
        )
        study = study_of(organizations, KEYS, items, version=last)
        people = range(20 * draw(st.integers(0, 1)), 40)
        random = np.random.default_rng(seed)
        made.append(answered(study, random, people=people, scheme=scheme, method=method))
    return made[0], made[1]


@given(waves())
@settings(max_examples=20)
def test_terms_and_their_errors_add_up_to_the_change(pair: tuple[IndexResult, IndexResult]) -> None:
    found = decompose_change(*pair)
    shown = found.reasons == ""
    total = found.effects.values.sum(axis=1)
    np.testing.assert_allclose(total[shown], found.change.values[shown], rtol=0, atol=1e-10)
    summed = found.effects.transform(np.kron(np.eye(len(shown)), np.ones(len(found.terms))))
    np.testing.assert_allclose(
        summed.variance[shown], found.change.variance[shown], rtol=1e-7, atol=1e-10
    )
    if shown.any():
        np.testing.assert_allclose(
            found.mean_effects.values.sum(), found.mean_change.values, rtol=0, atol=1e-10
        )


OPPOSITE = {
    "channels entered": "channels left",
    "items entered": "items left",
    "channels left": "channels entered",
    "items left": "items entered",
}


@given(waves())
@settings(max_examples=15)
def test_swapping_waves_flips_every_term(pair: tuple[IndexResult, IndexResult]) -> None:
    found, back = decompose_change(*pair), decompose_change(*pair[::-1])
    for place, term in enumerate(found.terms):
        other = back.terms.index(OPPOSITE.get(term, term))  # type: ignore[arg-type]
        np.testing.assert_allclose(
            back.effects.values[:, other], -found.effects.values[:, place], atol=1e-10
        )
        np.testing.assert_allclose(
            back.effects.variance[:, other], found.effects.variance[:, place], atol=1e-10
        )


@given(PAIRS, st.sampled_from([None, "mean", "median"]), st.sampled_from([0.0, 2.0]))
@settings(max_examples=20)
def test_swapping_waves_flips_changes(
    pairs: list[tuple[float, float]], statistic: Any, relevant: float
) -> None:
    before, after = (
        published({f"o{n}": pair[wave] for n, pair in enumerate(pairs)}, 2.0) for wave in (0, 1)
    )
    more: dict[str, Any] = {"rules": LOOSE, "levels": ["index"], "relevant": relevant}
    if statistic:
        more |= {"peers": "everyone", "statistic": statistic}
    found = compare_waves(before, after, **more).score()
    back = compare_waves(after, before, **more).score()
    for one, other in ((found, back), (found.relative, back.relative)):
        if one is None or other is None:
            continue
        np.testing.assert_allclose(other.change.values, -one.change.values, atol=1e-9)
        np.testing.assert_allclose(other.change.low, -one.change.high, atol=1e-9)
        np.testing.assert_allclose(other.judgement.p, one.judgement.p, atol=1e-9)


@given(PAIRS, st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_permuting_organizations_permutes_changes_and_projections(
    pairs: list[tuple[float, float]], random: Any
) -> None:
    order = list(range(len(pairs)))
    random.shuffle(order)

    def series(places: list[int]) -> list[IndexResult]:
        return [
            published({f"o{n}": pairs[n][wave] for n in places}, 2.0, wave=f"201{wave}")
            for wave in (0, 1)
        ]

    plain, shuffled = series(list(range(len(pairs)))), series(order)
    more: dict[str, Any] = {"rules": LOOSE, "levels": ["index"], "peers": "everyone"}
    one, other = (compare_waves(*waves, **more).score() for waves in (plain, shuffled))
    np.testing.assert_allclose(other.change.values, one.change.values[order])
    np.testing.assert_allclose(other.judgement.adjusted_p, one.judgement.adjusted_p[order])
    assert one.relative is not None
    assert other.relative is not None
    np.testing.assert_allclose(
        other.relative.change.values, one.relative.change.values[order], atol=1e-9
    )
    first, second = (
        project(waves, 60.0, due=date(2012, 1, 1), rules=LOOSE) for waves in (plain, shuffled)
    )
    np.testing.assert_allclose(second.forecast.variance, first.forecast.variance[order], atol=1e-9)
    np.testing.assert_allclose(second.gains.share, first.gains.share[order])


@given(PAIRS, POINTS)
@settings(max_examples=20)
def test_probabilities_follow_scores_and_targets(
    pairs: list[tuple[float, float]], target: float
) -> None:
    waves = [
        published({f"o{n}": pair[wave] for n, pair in enumerate(pairs)}, 2.0, wave=f"201{wave}")
        for wave in (0, 1)
    ]
    found = project(waves, target, due=date(2012, 1, 1), rules=LOOSE)
    order = np.argsort(found.last.values, kind="stable")
    assert (np.diff(found.probability_reached[order]) >= -1e-12).all()
    assert ((found.probability_reached > 0.5) == (found.last.values > target)).all() or (
        np.isclose(found.last.values, target).any()
    )
    higher = project(waves, min(target + 1, 100.0), due=date(2012, 1, 1), rules=LOOSE)
    assert (higher.probability_reached <= found.probability_reached + 1e-12).all()
    later = project(waves, target, due=date(2013, 1, 1), rules=LOOSE)
    assert (later.forecast.variance >= found.forecast.variance).all()


@given(PAIRS)
@settings(max_examples=20)
def test_the_same_wave_twice_is_no_change(pairs: list[tuple[float, float]]) -> None:
    wave = published({f"o{n}": pair[0] for n, pair in enumerate(pairs)}, 2.0)
    found = compare_waves(wave, wave, rules=LOOSE, levels=["index"], peers="everyone").score()
    assert found.relative is not None
    for part in (found, found.relative):
        np.testing.assert_allclose(part.change.values, 0, atol=1e-12)
        np.testing.assert_allclose(part.change.variance, 0, atol=1e-12)


@given(
    st.lists(
        st.tuples(POINTS, POINTS, st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=6
    ),
    st.sampled_from(["symmetric", "base", "logarithmic"]),
)
def test_rate_and_mix_add_up(parts: list[tuple[float, float, int, int]], rule: Any) -> None:
    before, after, first, second = np.array(parts, dtype=float).T
    before, after = before + 1, after + 1
    shares = first / first.sum(), second / second.sum()
    found = decompose_mean(
        before, after, shares_before=shares[0], shares_after=shares[1], rule=rule
    )
    total = (found.rate + found.mix + found.interaction).sum()
    np.testing.assert_allclose(total, found.change, atol=1e-9)
    np.testing.assert_allclose(found.change, shares[1] @ after - shares[0] @ before, atol=1e-9)


VALUES = st.lists(POINTS, min_size=2, max_size=6)


@given(VALUES, VALUES, st.lists(st.tuples(POINTS, POINTS), max_size=5), st.booleans())
def test_swapping_samples_flips_the_t_test(
    before: list[float], after: list[float], pairs: list[tuple[float, float]], equal: bool
) -> None:
    both = np.array(pairs).reshape(-1, 2).T
    found = overlapping_t_test(before, after, paired=both, equal_variances=equal)
    back = overlapping_t_test(after, before, paired=both[::-1], equal_variances=equal)
    np.testing.assert_allclose(back.difference, -found.difference, atol=1e-9)
    np.testing.assert_allclose(back.p, found.p, atol=1e-9)
    assert 0 <= found.p <= 1
    assert found.low <= found.difference <= found.high


@given(st.lists(st.lists(POINTS, min_size=2, max_size=2), min_size=2, max_size=5))
@settings(max_examples=20)
def test_a_chain_without_a_break_is_the_scores(scores: list[list[float]]) -> None:
    waves = [published({"a": one, "b": other}, 1.0) for one, other in scores]
    chain = link_waves(waves)
    np.testing.assert_array_equal(chain.linked.values, scores)
    np.testing.assert_allclose(
        chain.since_first.values[-1], np.array(scores[-1]) - np.array(scores[0]), atol=1e-9
    )
