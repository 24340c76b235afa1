"""Weights learned from scores: how a scheme learns them, from the bottom up."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from support import answered, small_study

from sotongindex._wording import method_sentences
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.index import IndexMethod, compute_index
from sotongindex.models import Organization, PeerGroup, SurveyItem
from sotongindex.norms import freeze_norm
from sotongindex.results import IndexResult
from sotongindex.serialize import from_json, to_json
from sotongindex.tally import Tally
from sotongindex.variance import Bootstrap, GroupJackknife, Linearization
from sotongindex.weighting import (
    CriticWeights,
    DeviationWeights,
    EntropyWeights,
    FactorWeights,
    FixedWeights,
    WeightingScheme,
)

STUDY = small_study(
    organizations=[f"o{o}" for o in range(6)],
    channels=("blog", "video"),
    items=[
        ("q1", "open"),
        ("q2", "open"),
        SurveyItem(key="q3", dimension="useful", channels=("blog",)),
        ("q4", "kind"),
        ("q5", "kind"),
    ],
)
FRAMEWORK = STUDY.framework
RULE = EntropyWeights()
EVERYWHERE = WeightingScheme(channels=RULE, dimensions=RULE, items=RULE)


def scores(seed: int = 3) -> np.ndarray:
    """Scores of items, (o, c, i); the third is not asked on video."""
    items = np.random.default_rng(seed).uniform(20, 80, (6, 2, 5)).round(1)
    items[:, 1, 2] = np.nan
    return items


def responses(seed: int = 1, rows: int = 240):
    """Answers of respondents who rate one organization on one channel each, some missing."""
    rng = np.random.default_rng(seed)
    organization = rng.integers(0, 6, rows)
    channel = rng.integers(0, 2, rows)
    middle = 2.5 + 0.6 * organization[:, None] + 0.3 * np.arange(5)
    answers = np.clip(np.rint(middle + rng.normal(0, 1.2, (rows, 5))), 1, 7)
    answers[rng.random(answers.shape) < 0.05] = np.nan
    answers[channel == 1, 2] = np.nan
    table = [
        (f"r{r}", f"o{organization[r]}", FRAMEWORK.channel_keys[channel[r]], *answers[r])
        for r in range(rows)
    ]
    return answered(STUDY, table)


# -- the order of learning -------------------------------------------------------------------------


def test_every_level_learns_from_scores_made_with_the_weights_below():
    items = scores()
    weights = EVERYWHERE.resolve(FRAMEWORK, items=items)
    over = np.where(np.isnan(items).all(axis=1), np.nan, np.nanmean(items, axis=1))
    first = RULE.learn(over[:, :2]).weights
    last = RULE.learn(over[:, 3:]).weights
    np.testing.assert_allclose(weights.items[0], [*first, 1, *last], rtol=1e-12)
    cells = np.stack(
        [items[..., :2] @ first, items[..., 2], items[..., 3:] @ last], axis=-1
    )  # (o, c, d)
    dimensions = RULE.learn(
        np.stack([cells[..., 0].mean(axis=1), cells[:, 0, 1], cells[..., 2].mean(axis=1)], 1)
    ).weights
    without_useful = dimensions * [1, 0, 1]
    np.testing.assert_allclose(weights.dimensions[0], dimensions, rtol=1e-12)
    np.testing.assert_allclose(
        weights.dimensions[1], without_useful / without_useful.sum(), rtol=1e-12
    )
    channels = np.einsum("ocd,cd->oc", np.nan_to_num(cells), weights.dimensions)
    np.testing.assert_allclose(weights.channels, RULE.learn(channels).weights, rtol=1e-12)


def test_dimensions_may_learn_in_every_channel_by_itself():
    scheme = WeightingScheme(dimensions={"blog": RULE, "video": RULE})
    weights = scheme.resolve(FRAMEWORK, items=scores())
    assert [(one.channel, one.keys) for one in weights.learned] == [
        ("blog", ("open", "useful", "kind")),
        ("video", ("open", "kind")),
    ]
    video = scores()[:, 1]
    expected = RULE.learn(np.stack([video[:, :2].mean(axis=1), video[:, 3:].mean(axis=1)], 1))
    np.testing.assert_allclose(weights.dimensions[1, [0, 2]], expected.weights, rtol=1e-12)
    assert weights.dimensions[1, 1] == 0


def test_powers_and_the_least_share_apply_on_the_way_up():
    items = scores()
    items[0, :, 0] = np.nan
    scheme = WeightingScheme(channels=RULE)
    plain = scheme.resolve(FRAMEWORK, items=items)
    geometric = scheme.resolve(FRAMEWORK, items=items, powers=(0.0, 0.0))
    strict = scheme.resolve(FRAMEWORK, items=items, min_share=0.9)
    assert plain.learned[0].diagnostics.units.tolist() == [6, 6]
    assert strict.learned[0].diagnostics.units.tolist() == [5, 5]
    assert not np.allclose(plain.channels, geometric.channels)


def test_organizations_can_count_by_their_respondents():
    rule = EntropyWeights(counting="respondents")
    evaluations = np.arange(1.0, 13.0).reshape(6, 2)
    scheme = WeightingScheme(channels=rule, dimensions={"blog": rule, "video": RULE})
    weights = scheme.resolve(FRAMEWORK, items=scores(), evaluations=evaluations)
    blog = scores()[:, 0]
    cells = np.stack([blog[:, :2].mean(axis=1), blog[:, 2], blog[:, 3:].mean(axis=1)], axis=1)
    expected = RULE.learn(cells, counts=evaluations[:, 0]).weights
    np.testing.assert_allclose(weights.dimensions[0], expected, rtol=1e-12)
    with pytest.raises(DefinitionError, match="not known how many"):
        scheme.resolve(FRAMEWORK, items=scores())


def test_an_organization_without_scores_changes_nothing():
    more = np.concatenate([scores(), np.full((1, 2, 5), np.nan)])
    one, other = (EVERYWHERE.resolve(FRAMEWORK, items=items) for items in (scores(), more))
    for name in ("channels", "dimensions", "items"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_without_any_scores_weights_are_equal_and_say_so():
    weights = EVERYWHERE.resolve(FRAMEWORK, items=np.full((3, 2, 5), np.nan))
    assert weights.channels.tolist() == [0.5, 0.5]
    assert weights.learned[-1].diagnostics.fallback == "no part differs between units"
    assert weights.learned[1].diagnostics.fallback is None  # one item has nothing to share


# -- kept for the next wave ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scheme",
    [EVERYWHERE, attrs.evolve(EVERYWHERE, dimensions={"blog": RULE, "video": RULE})],
    ids=["one rule", "by channel"],
)
def test_what_was_learned_can_be_fixed(scheme):
    weights = scheme.resolve(FRAMEWORK, items=scores())
    fixed = scheme.fixed(weights.learned)
    assert not fixed.learns
    again = fixed.resolve(FRAMEWORK)
    for name in ("channels", "dimensions", "items"):
        np.testing.assert_array_equal(getattr(again, name), getattr(weights, name))


def test_fixing_leaves_given_rules_alone():
    scheme = WeightingScheme(channels=FixedWeights({"blog": 0.2, "video": 0.8}), items=RULE)
    fixed = scheme.fixed(scheme.resolve(FRAMEWORK, items=scores()).learned)
    assert fixed.channels is scheme.channels
    assert fixed.dimensions == scheme.dimensions


# -- faults ----------------------------------------------------------------------------------------


def test_rules_that_learn_say_that_they_need_scores():
    EVERYWHERE.check(FRAMEWORK)
    with pytest.raises(DefinitionError, match=r"EntropyWeights learns .* none of items; give them"):
        EVERYWHERE.resolve(FRAMEWORK)
    with pytest.raises(DefinitionError, match="none of items or cells"):
        WeightingScheme(channels=RULE).resolve(FRAMEWORK)
    with pytest.raises(DefinitionError, match="none of items; give them"):
        EVERYWHERE.resolve(FRAMEWORK, cells=np.ones((2, 2, 3)))
    with pytest.raises(DefinitionError, match="none of a, b"):
        RULE.shares(["a", "b"])


def test_a_scheme_that_learns_is_still_checked():
    with pytest.raises(DefinitionError, match="unknown channel 'vidio'"):
        WeightingScheme(dimensions={"blog": RULE, "vidio": RULE}).check(FRAMEWORK)
    with pytest.raises(DefinitionError, match="no weight for 'video'"):
        WeightingScheme(dimensions=RULE, channels=FixedWeights({"blog": 1})).check(FRAMEWORK)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"items": np.ones((3, 2, 4))}, r"\(organizations, 2, 5\), got \(3, 2, 4\)"),
        ({"cells": np.ones(3)}, r"\(organizations, 2, 3\), got \(3,\)"),
        ({"items": np.ones((3, 2, 5)), "evaluations": 7.0}, r"\(organizations, 2\), got \(\)"),
        (
            {"items": np.ones((3, 2, 5)), "evaluations": np.ones((4, 2))},
            "expected 3 finite numbers",
        ),
    ],
)
def test_scores_that_do_not_fit(given, message):
    scheme = WeightingScheme(channels=EntropyWeights(counting="respondents"))
    with pytest.raises(MethodError, match=message):
        scheme.resolve(FRAMEWORK, **given)


def test_learned_weights_can_leave_a_channel_with_nothing():
    cells = np.full((3, 2, 3), 50.0)
    cells[:, 0, 1] = [20, 40, 60]  # only a dimension differs that is not asked on video
    with pytest.raises(DefinitionError, match="every dimension asked of channel 'video' has"):
        WeightingScheme(dimensions=RULE).resolve(FRAMEWORK, cells=cells)


# -- through the index -----------------------------------------------------------------------------


def test_the_index_uses_and_keeps_what_it_learned():
    result = compute_index(responses(), scheme=EVERYWHERE)
    weights = EVERYWHERE.resolve(FRAMEWORK, items=result.items.values, min_share=0.5)
    np.testing.assert_array_equal(result.weights.channels, weights.channels)
    again = compute_index(responses(), scheme=EVERYWHERE.fixed(result.weights.learned))
    np.testing.assert_allclose(again.index.values, result.index.values, rtol=1e-13)
    np.testing.assert_allclose(again.index.variance, result.index.variance, rtol=1e-12)
    assert again.weights.learned == ()
    assert str(result.weights.learned[0]).startswith("items/open: q1 0.")


def test_a_tally_learns_the_same():
    method = IndexMethod(variance=GroupJackknife(groups=8))
    one = compute_index(responses(), scheme=EVERYWHERE, method=method)
    other = compute_index(
        Tally.from_responses(responses(), groups=8), scheme=EVERYWHERE, method=method
    )
    np.testing.assert_allclose(one.index.values, other.index.values, rtol=1e-12)
    assert {notice.code for notice in one.notices} == {"weights learned again"}
    assert {notice.code for notice in other.notices} == {"weights from data"}


def test_averaging_respondents_first_learns_from_item_means_too():
    first = IndexMethod(order="respondents first")
    one = compute_index(responses(), scheme=EVERYWHERE, method=first)
    other = compute_index(responses(), scheme=EVERYWHERE)
    np.testing.assert_array_equal(one.weights.channels, other.weights.channels)
    fixed = compute_index(responses(), scheme=EVERYWHERE.fixed(one.weights.learned), method=first)
    np.testing.assert_allclose(one.index.values, fixed.index.values, rtol=1e-13)


def test_channels_not_operated_and_items_with_few_answers_teach_nothing():
    some = [Organization(key="o0", channels=["blog"]), *STUDY.organizations[1:]]
    study = attrs.evolve(STUDY, organizations=some)
    moved = attrs.evolve(responses(), study=study)
    scheme = WeightingScheme(channels=RULE)
    assert compute_index(moved, scheme=scheme).weights.learned[0].diagnostics.units.tolist() == [
        6, 5
    ]  # fmt: skip
    many = IndexMethod(min_answers=10_000)
    assert compute_index(moved, scheme=scheme, method=many).weights.learned[
        0
    ].diagnostics.units.tolist() == [0, 0]


def test_published_scores_teach_dimensions_and_channels():
    frame = {
        "organization": ["o0", "o1", "o2"],
        "open": [40.0, 50.0, 60.0],
        "useful": [50.0, 50.0, 50.0],
        "kind": [49.0, 50.0, 51.0],
    }
    study = small_study(
        organizations=["o0", "o1", "o2"],
        items=[("q1", "open"), ("q2", "useful"), ("q3", "kind")],
    )
    scheme = WeightingScheme(dimensions=RULE)
    result = IndexResult.from_scores(frame, study, scheme=scheme)
    expected = RULE.learn(np.column_stack([frame[key] for key in ("open", "useful", "kind")]))
    np.testing.assert_array_equal(result.weights.dimensions[0], expected.weights)
    assert "weights from data" in {notice.code for notice in result.notices}
    with pytest.raises(DefinitionError, match="none of items"):
        IndexResult.from_scores(frame, study, scheme=WeightingScheme(items=RULE))


# -- errors ----------------------------------------------------------------------------------------


def test_replicates_learn_weights_of_their_own():
    """Each replicate of the jackknife is the index of the others, learned from them alone."""
    answers, groups = responses(rows=200), 5
    method = IndexMethod(variance=GroupJackknife(groups=groups))
    result = compute_index(answers, scheme=EVERYWHERE, method=method)
    tally = Tally.from_responses(answers, groups=groups)
    deviations = []
    for group in range(groups):
        kept = attrs.evolve(
            tally,
            groups=1,
            group=np.zeros_like(tally.group),
            **{
                name: np.where(
                    (tally.group != group).reshape(-1, *[1] * (getattr(tally, name).ndim - 1)),
                    getattr(tally, name),
                    0,
                )
                for name in ("answer_weight", "points")
            },
        )
        weights = EVERYWHERE.resolve(FRAMEWORK, items=kept.item_means(), min_share=0.5)
        cells = np.stack(
            [
                np.nansum(kept.item_means()[..., at] * weights.items[:, at], axis=-1)
                for at in ([0, 1], [2], [3, 4])
            ],
            axis=-1,
        )
        channels = (cells * weights.dimensions).sum(axis=-1)
        deviations.append(channels @ weights.channels - result.index.values)
    variance = (groups - 1) / groups * np.sum(np.square(deviations), axis=0)
    np.testing.assert_allclose(result.index.variance, variance, rtol=1e-10)


def test_the_notice_says_whether_errors_include_the_weights():
    def code(variance):
        method = IndexMethod(variance=variance)
        return [
            n.code for n in compute_index(responses(), scheme=EVERYWHERE, method=method).notices
        ]

    assert code(Linearization()) == ["weights from data"]
    assert code(Bootstrap(replicates=20, rng=1)) == ["weights learned again"]


# -- what is told and kept -------------------------------------------------------------------------


def test_parts_without_weight_are_named():
    answers = responses()
    table = answers.answers.copy()
    table[:, 3] = 4  # everybody gives the same answer to q4
    result = compute_index(attrs.evolve(answers, answers=table), scheme=EVERYWHERE)
    (told,) = [notice for notice in result.notices if notice.code == "weights of 0"]
    assert told.keys == ("items/kind/q4",)


@pytest.mark.parametrize(
    ("rule", "way"),
    [
        (EntropyWeights(), "entropy"),
        (DeviationWeights(), "spread"),
        (CriticWeights(), "spread and disagreement (CRITIC)"),
        (FactorWeights(), "principal components"),
    ],
)
def test_the_report_says_how_weights_were_learned(rule, way):
    result = compute_index(responses(), scheme=WeightingScheme(dimensions=rule, items=rule))
    text = " ".join(
        method_sentences(
            FRAMEWORK,
            result.scheme,
            result.method,
            learned=result.weights.learned,
            source="answers",
            language="en",
        )
    )
    assert f"The weights of items were learned from the scores: {way}." in text
    assert f"The weights of dimensions were learned from the scores: {way}." in text
    assert "Dimensions count open " in text


def test_a_norm_keeps_the_weights_and_not_the_rule():
    result = compute_index(responses(), scheme=EVERYWHERE)
    norm = freeze_norm(result, key="norm", version="1", peers=PeerGroup(key="all", where={}))
    assert norm.scheme == EVERYWHERE.fixed(result.weights.learned)


def test_results_come_back_with_their_diagnostics():
    result = compute_index(responses(), scheme=attrs.evolve(EVERYWHERE, dimensions=FactorWeights()))
    again = from_json(to_json(result))
    for one, other in zip(again.weights.learned, result.weights.learned, strict=True):
        assert str(one) == str(other)
        assert type(one.diagnostics) is type(other.diagnostics)
    assert again.scheme.fixed(again.weights.learned) == result.scheme.fixed(result.weights.learned)
