"""Weights learned from the moments of a tally: as from the answers, with errors, and faults."""

from __future__ import annotations

import numpy as np
import pytest
from support import answered, small_study

from sotongindex._evaluations import Evaluations
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import compute_index
from sotongindex.models import SurveyItem
from sotongindex.tally import Tally, jackknife_groups, learn_weights
from sotongindex.weighting import (
    CriticWeights,
    DeviationWeights,
    EntropyWeights,
    EqualWeights,
    FactorWeights,
    FixedWeights,
    OutcomeWeights,
    PartMoments,
    WeightingScheme,
)

ITEMS = [(f"q{k}", "open" if k < 3 else "useful" if k < 6 else "quick") for k in range(8)]
STUDY = small_study(channels=("blog", "video"), items=ITEMS)
RULES = [
    FactorWeights(),
    FactorWeights(components=2, rotation="none"),
    DeviationWeights(),
    DeviationWeights(measure="coefficient of variation"),
    CriticWeights(scaling="points"),
]


def responses(seed=1, people=150, missing=0.0, weighted=True):
    rng = np.random.default_rng(seed)
    rows = [(k, "ab"[k % 2], ("blog", "video")[k % 3 == 0]) for k in range(people)]
    loading = np.linspace(0.3, 1.5, 8)
    means = 4 + rng.normal(size=(people, 1)) * loading + rng.normal(size=(people, 8))
    answers = np.clip(np.rint(means), 1, 7)
    answers[rng.random(answers.shape) < missing] = np.nan
    weight = rng.gamma(3.0, 0.3, people) if weighted else None
    rows = [(*row, *one) for row, one in zip(rows, answers.tolist(), strict=True)]
    return answered(STUDY, rows, weight=weight)


def scores_of(given):
    points, found = Evaluations.of(given).block(np.arange(len(given)))
    return np.where(found > 0, points, np.nan)


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_items_as_from_the_answers(rule, missing):
    given = responses(missing=missing)
    moments = Tally.from_responses(given, moments=True).moments
    learned = learn_weights(moments, rule)
    assert [one.where for one in learned] == ["items/open", "items/useful", "items/quick"]
    scores = scores_of(given)
    for one, at in zip(learned, ([0, 1, 2], [3, 4, 5], [6, 7]), strict=True):
        expected = rule.learn(scores[:, at], counts=given.weight)
        np.testing.assert_allclose(one.diagnostics.weights, expected.weights, rtol=1e-9)
        np.testing.assert_array_equal(one.diagnostics.units, expected.units)
        assert one.keys == tuple(f"q{k}" for k in at)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_dimensions_as_from_the_means_of_complete_answers(rule):
    given = responses()
    moments = Tally.from_responses(given, moments=True).moments
    rows = given.channel == 0
    weights = {"q0": 0.5, "q1": 0.25, "q2": 0.25, "q3": 0.2, "q4": 0.2, "q5": 0.6}
    shares = FixedWeights(weights | {"q6": 0.9, "q7": 0.1})
    (learned,) = learn_weights(
        moments, rule, level="dimensions", channel="blog", item_weights=shares
    )
    scores = scores_of(given)[rows]
    amounts = np.array([0.5, 0.25, 0.25, 0.2, 0.2, 0.6, 0.9, 0.1])
    means = np.add.reduceat(scores * amounts, [0, 3, 6], axis=1)
    expected = rule.learn(means, counts=given.weight[rows])
    np.testing.assert_allclose(learned.diagnostics.weights, expected.weights, rtol=1e-9)
    assert (learned.where, learned.keys) == ("dimensions/blog", ("open", "useful", "quick"))


def test_a_scheme_takes_them():
    given = responses()
    moments = Tally.from_responses(given, moments=True).moments
    learned = [
        *learn_weights(moments, FactorWeights()),
        *learn_weights(moments, DeviationWeights(), level="dimensions"),
    ]
    scheme = WeightingScheme(items=FactorWeights(), dimensions=EqualWeights()).fixed(learned)
    assert not scheme.learns
    found = compute_index(given, scheme=scheme).weights
    np.testing.assert_allclose(found.items[0, :3], learned[0].diagnostics.weights)
    np.testing.assert_allclose(found.dimensions[1], learned[3].diagnostics.weights)


def test_errors_are_those_of_leaving_out_groups():
    given = responses(missing=0.1)
    groups = 8
    tally = Tally.from_responses(given, groups=groups, moments=True)
    (learned,) = learn_weights(tally.moments, DeviationWeights(), level="dimensions")
    group = jackknife_groups(given.respondent_keys, groups)[given.respondent]
    found = []
    for left_out in range(groups):
        rest = np.flatnonzero(group != left_out)
        fewer = answered(
            STUDY,
            [
                (
                    given.respondent_keys[given.respondent[r]],
                    "ab"[given.organization[r]],
                    ("blog", "video")[given.channel[r]],
                    *np.where(given.answers[r] == given.missing, np.nan, given.answers[r]),
                )
                for r in rest
            ],
            weight=given.weight[rest],
        )
        moments = Tally.from_responses(fewer, groups=groups, moments=True).moments
        (one,) = learn_weights(moments, DeviationWeights(), level="dimensions")
        found.append(one.diagnostics.weights)
    squares = (np.array(found) - learned.diagnostics.weights) ** 2
    expected = np.sqrt((groups - 1) / groups * squares.sum(axis=0))
    np.testing.assert_allclose(learned.standard_error, expected, rtol=1e-9)


def test_errors_are_of_the_size_of_the_spread_over_samples():
    learned = [
        learn_weights(
            Tally.from_responses(responses(seed, weighted=False), moments=True).moments,
            DeviationWeights(),
        )[0]
        for seed in range(60)
    ]
    spread = np.std([one.diagnostics.weights for one in learned], axis=0)
    told = np.sqrt(np.mean([one.standard_error**2 for one in learned], axis=0))
    np.testing.assert_allclose(told, spread, rtol=0.25)


def test_without_two_groups_or_with_a_pair_in_one_group_errors_are_not_known():
    (one, *_) = learn_weights(
        Tally.from_responses(responses(), groups=1, moments=True).moments, FactorWeights()
    )
    assert np.isnan(one.standard_error).all()
    rows = [(k, "a", "blog", *([7, 4, 1] if k else [1, 2, 3]), *[k % 7 + 1] * 5) for k in range(9)]
    lonely = [(*row[:3], row[3] if row[0] == 0 else np.nan, *row[4:]) for row in rows]
    moments = Tally.from_responses(answered(STUDY, lonely), moments=True).moments
    first, second, _ = learn_weights(moments, DeviationWeights())
    assert np.isnan(first.standard_error).all()
    assert np.isfinite(second.standard_error).all()


def test_items_that_nobody_answered_weigh_nothing():
    rows = [(k, "a", "blog", k % 7 + 1, np.nan, *[(k * k) % 7 + 1] * 6) for k in range(9)]
    moments = Tally.from_responses(answered(STUDY, rows), moments=True).moments
    first, *_ = learn_weights(moments, DeviationWeights())
    assert first.diagnostics.weights[1] == 0
    assert first.diagnostics.units.tolist() == [9, 0, 9]
    with pytest.raises(MethodError, match=r"'q1' was never answered.*8 of 36"):
        learn_weights(moments, DeviationWeights(), level="dimensions", channel="blog")
    with_others = FixedWeights({key: float(key in {"q0", "q3", "q6"}) for key, _ in ITEMS})
    (found,) = learn_weights(
        moments, DeviationWeights(), level="dimensions", item_weights=with_others
    )
    assert found.diagnostics.weights.sum() == pytest.approx(1)


def test_faults():
    tally = Tally.from_responses(responses(), moments=True)
    for rule in (EntropyWeights(), OutcomeWeights("q0")):
        with pytest.raises(MethodError, match=f"{type(rule).__name__} needs the scores of units"):
            learn_weights(tally.moments, rule)
    with pytest.raises(MethodError, match=r'use CriticWeights\(scaling="points"\)'):
        learn_weights(tally.moments, CriticWeights())
    with pytest.raises(MethodError, match=r"make it with Tally\.from_responses"):
        learn_weights(None, FactorWeights())
    with pytest.raises(MethodError, match="'items', 'dimensions'"):
        learn_weights(tally.moments, FactorWeights(), level="channels")
    with pytest.raises(DefinitionError, match="unknown channel 'vide'"):
        learn_weights(tally.moments, FactorWeights(), channel="vide")


def test_dimensions_of_other_items_on_other_channels_need_a_channel():
    study = small_study(
        channels=("blog", "video"),
        items=[("q1", "d1"), SurveyItem(key="q2", dimension="d1", channels=["blog"]), ("q3", "d2")],
    )
    rows = [
        (
            k,
            "a",
            ("blog", "video")[k % 2],
            k % 7 + 1,
            np.nan if k % 2 else (k + 1) % 7 + 1,
            3 + k % 2,
        )
        for k in range(14)
    ]
    moments = Tally.from_responses(answered(study, rows), moments=True).moments
    with pytest.raises(MethodError, match="other items on other channels; name a channel"):
        learn_weights(moments, DeviationWeights(), level="dimensions")
    (found,) = learn_weights(moments, DeviationWeights(), level="dimensions", channel="video")
    assert found.diagnostics.weights.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_rules_learn_the_same_from_published_moments(rule):
    scores = scores_of(responses())
    moments = PartMoments(
        means=scores.mean(axis=0),
        deviations=scores.std(axis=0),
        correlations=np.corrcoef(scores.T),
        units=np.full(8, len(scores)),
    )
    np.testing.assert_allclose(
        rule.learn_from(moments).weights, rule.learn(scores).weights, rtol=1e-9
    )


def test_moments_that_do_not_fit():
    fields = {
        "means": [1.0, 2.0],
        "deviations": [1.0, 2.0],
        "correlations": np.eye(2),
        "units": [9, 9],
    }
    for name, wrong in (
        ("correlations", np.eye(3)),
        ("deviations", [1.0]),
        ("means", [1.0, np.nan]),
        ("spans", [1.0]),
    ):
        with pytest.raises(MethodError, match="expected finite numbers of shape") as caught:
            PartMoments(**fields | {name: wrong})
        assert caught.value.argument == name
