"""Wave against wave: changes with their covariance, beside peers, claims, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import attrs
import numpy as np
import pytest
from test_html import parse
from waves import LOOSE, answered, published, study_of

from sotongindex._html import view_html
from sotongindex.change import ChangeResult, compare_waves, overlapping_t_test
from sotongindex.datasets import sample_panel
from sotongindex.differences import adjust_p_values
from sotongindex.errors import MethodError
from sotongindex.index import IndexMethod, compute_index
from sotongindex.models import Organization
from sotongindex.responses import Responses
from sotongindex.results import IndexResult
from sotongindex.tally import Tally
from sotongindex.variance import Bootstrap, GroupJackknife, combine
from sotongindex.weighting import FixedWeights, WeightingScheme

BEFORE = {"a": 50.0, "b": 60.0, "c": 70.0, "d": 40.0}
AFTER = {"a": 53.0, "b": 59.0, "c": 74.0, "d": 41.0}


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def compared(before: IndexResult, after: IndexResult, **more: Any) -> ChangeResult:
    return compare_waves(before, after, **{"rules": LOOSE, "levels": ["index"], **more})


# -- the change and its error --------------------------------------------------------------------


def test_published_scores_change_with_independent_errors() -> None:
    change = compared(published(BEFORE, 3.0), published(AFTER, 4.0)).score()
    np.testing.assert_allclose(change.change.values, [3, -1, 4, 1])
    np.testing.assert_allclose(change.change.standard_error, 5.0)
    assert np.isinf(change.change.degrees_of_freedom).all()


def test_companies_and_public_bodies_of_2011_and_2012_change_as_published() -> None:
    # etnews 201207200184: companies 58.1 (+1.14), public 58.94 (+4.3, cut off) after 2011's means.
    before = published({"companies": 56.96, "public": 54.56}, None, wave="2011")
    after = published({"companies": 58.1, "public": 58.94}, None, wave="2012")
    found = compared(before, after).score()
    np.testing.assert_allclose(found.change.values, [1.14, 4.38])
    assert np.floor(10 * found.change.values[1]) / 10 == 4.3
    assert found.judgement.verdict.tolist() == ["not known", "not known"]


def test_shared_respondents_give_the_covariance_by_hand() -> None:
    study = study_of(["a", "b"], channels=["blog"], items=[("q1", "d1")])
    early, late = answered(study, rng(1)), answered(study, rng(2), people=range(20, 60))
    change = compared(early, late).score().change
    by_hand = early.index.variance + late.index.variance
    by_hand -= 2 * np.diag(late.index.covariance(early.index))
    np.testing.assert_allclose(change.variance, by_hand)
    assert (change.variance < early.index.variance + late.index.variance).all()
    # 20 of 40 and 40 respondents are in both: half of the way from Welch's to the paired ones.
    apart = combine([(late.index, np.eye(2)), (early.index, -np.eye(2))]).degrees_of_freedom
    np.testing.assert_allclose(change.degrees_of_freedom, 0.5 * 19 + 0.5 * apart)


def test_the_same_respondents_are_a_paired_t_test() -> None:
    study = study_of(["a"], channels=["blog"], items=[("q1", "d1")])
    answers = {wave: rng(wave).integers(1, 8, size=12).astype(float) for wave in (1, 2)}
    early, late = (
        compute_index(
            Responses.from_arrays(
                study,
                respondent=np.arange(12),
                organization=np.zeros(12, dtype=int),
                channel=np.zeros(12, dtype=int),
                answers=answers[wave][:, None],
            )
        )
        for wave in (1, 2)
    )
    found = compared(early, late).score()
    points = {wave: (answers[wave] - 1) / 6 * 100 for wave in (1, 2)}
    classic = overlapping_t_test([], [], paired=(points[1], points[2]))
    assert found.change.degrees_of_freedom.item() == classic.degrees_of_freedom == 11
    assert found.change.standard_error.item() == pytest.approx(classic.standard_error)
    assert found.judgement.p.item() == pytest.approx(classic.p)


def test_other_people_under_the_same_keys_have_no_covariance() -> None:
    study = study_of()
    early, late = answered(study, rng(1)), answered(study, rng(2))
    apart = compared(early, late, respondents="different").score().change
    np.testing.assert_allclose(apart.variance, early.index.variance + late.index.variance)
    matched = compared(early, late).score().change
    np.testing.assert_array_equal(matched.values, apart.values)
    assert (matched.variance < apart.variance).all()


def test_every_level_is_compared() -> None:
    study = study_of()
    early, late = answered(study, rng(1)), answered(study, rng(2))
    levels = ["index", "channels", "dimensions", "cells", "items"]
    found = compared(early, late, levels=levels)
    assert len(found.changes) == 1 + 2 + 2 + 4 + 6
    for level, keys in (
        ("channels", {"channel": "video"}),
        ("dimensions", {"dimension": "d2"}),
        ("cells", {"channel": "video", "dimension": "d2"}),
        ("items", {"channel": "video", "item": "q3"}),
    ):
        at = (
            slice(None),
            *{"channels": (1,), "dimensions": (1,), "cells": (1, 1)}.get(level, (1, 2)),
        )
        expected = getattr(late, level).values[at] - getattr(early, level).values[at]
        np.testing.assert_allclose(found.score(**keys).change.values, expected)
    rows = found.to_rows()
    assert len(rows) == len(found.changes) * 3
    assert rows[-1]["item"] == "q3"
    assert found.to_frame("polars").shape == (len(rows), len(rows[0]))


def test_the_jackknife_compares_waves_by_its_groups() -> None:
    study = study_of()
    method = IndexMethod(variance=GroupJackknife(groups=8))
    early, late = (answered(study, rng(seed), method=method) for seed in (1, 2))
    change = compared(early, late).score().change
    np.testing.assert_allclose(change.degrees_of_freedom, 7.0)
    with pytest.raises(MethodError, match="GroupJackknife and Linearization, made apart"):
        compared(early, answered(study, rng(2)))


def test_replicates_are_matched_where_the_sample_is_the_same() -> None:
    study = study_of()
    method = IndexMethod(variance=Bootstrap(replicates=200))
    early, late = (answered(study, rng(seed), method=method) for seed in (1, 2))
    panel, plain = (
        compared(early, late).score(),
        compared(answered(study, rng(1)), answered(study, rng(2))).score(),
    )
    np.testing.assert_allclose(panel.change.standard_error, plain.change.standard_error, rtol=0.2)
    other = answered(study, rng(2), people=range(20, 60), method=method)
    with pytest.raises(MethodError, match="share cannot be matched; compute both with Lineariz"):
        compared(early, other)
    apart = compared(early, other, respondents="different").score().change
    np.testing.assert_allclose(apart.variance, early.index.variance + other.index.variance)


def test_the_same_wave_twice_has_not_changed() -> None:
    wave = answered(study_of(), rng())
    found = compared(wave, wave, levels=["index", "channels", "items"])
    for change in found.changes:
        np.testing.assert_array_equal(change.change.values, 0.0)
        np.testing.assert_array_equal(change.change.variance, 0.0)
        assert set(change.judgement.verdict) == {"about the same"}


def test_zero_variance_changes_are_certain() -> None:
    study = study_of(["a"], channels=["blog"], items=[("q1", "d1")])

    def constant(answer: float) -> IndexResult:
        return compute_index(
            Responses.from_arrays(
                study,
                respondent=np.arange(5),
                organization=np.zeros(5, dtype=int),
                channel=np.zeros(5, dtype=int),
                answers=np.full((5, 1), answer),
            )
        )

    found = compared(constant(4.0), constant(5.0)).score()
    assert found.change.values.item() == pytest.approx(100 / 6)
    assert (found.change.variance.item(), found.judgement.p.item()) == (0.0, 0.0)
    assert found.judgement.verdict.item() == "better"


# -- who is in one wave alone --------------------------------------------------------------------


def test_organizations_and_scores_of_one_wave_have_a_reason() -> None:
    before = published({"a": 50, "gone": 60, "silent": np.nan})
    after = published({"new": 40, "silent": 50, "a": 51})
    found = compared(before, after)
    change = found.score()
    assert found.organizations == ("new", "silent", "a", "gone")
    assert change.judgement.reasons.tolist() == ["only after", "missing score", "", "only before"]
    np.testing.assert_array_equal(np.isnan(change.change.values), [True, True, False, True])
    np.testing.assert_array_equal(change.before.values, [np.nan, np.nan, 50, 60])
    np.testing.assert_array_equal(change.after.values, [40, 50, 51, np.nan])
    assert change.judgement.verdict.tolist() == ["", "", "about the same", ""]
    codes = {notice.code: notice.keys for notice in found.notices}
    assert codes == {"only before": ("gone",), "only after": ("new",)}


def test_a_channel_in_one_wave_alone_has_a_reason() -> None:
    both = Organization(key="a", channels=["blog", "video"])
    early = answered(study_of([both, Organization(key="b", channels=["blog"])]), rng(1))
    late = answered(study_of([both, Organization(key="b", channels=["blog", "video"])]), rng(2))
    found = compared(early, late, levels=["channels", "items"])
    assert found.score(channel="blog").judgement.reasons.tolist() == ["", ""]
    assert found.score(channel="video").judgement.reasons.tolist() == ["", "missing score"]
    assert found.score(channel="video", item="q1").judgement.reasons.tolist()[1] == "missing score"


def test_few_respondents_are_not_compared() -> None:
    early, late = answered(study_of(), rng(1)), answered(study_of(), rng(2), people=range(20))
    found = compare_waves(early, late, levels=["index", "items"])
    assert set(found.score().judgement.reasons) == {"few respondents"}
    assert set(found.score(channel="blog", item="q1").judgement.reasons) == {"few respondents"}
    # Enough to show the scores; with fewer still, not even these.
    assert not np.isnan(found.score().after.values).any()
    tiny = compare_waves(early, answered(study_of(), rng(2), people=range(9)), levels=["index"])
    assert np.isnan(tiny.score().after.values).all()
    assert not np.isnan(tiny.score().before.values).any()


def test_one_organization_has_a_change_and_no_peers() -> None:
    found = compared(published({"a": 50}), published({"a": 60}), peers="everyone")
    change = found.score()
    assert change.judgement.verdict.tolist() == ["better"]
    assert change.relative is not None
    assert change.relative.judgement.reasons.tolist() == ["few peers"]


# -- beside peers --------------------------------------------------------------------------------


def test_changes_beside_those_of_the_peers() -> None:
    before, after = published(BEFORE), published(AFTER)
    relative = compared(before, after, peers="everyone").score().relative
    assert relative is not None
    np.testing.assert_allclose(relative.peers, [4 / 3, 8 / 3, 1.0, 2.0])
    np.testing.assert_allclose(relative.change.values, [5 / 3, -11 / 3, 3.0, -1.0])
    np.testing.assert_allclose(relative.change.variance, 2.0 + 2.0 / 3)
    assert relative.others.tolist() == [3, 3, 3, 3]
    middle = compared(before, after, peers="everyone", statistic="median").score().relative
    assert middle is not None
    np.testing.assert_allclose(middle.peers, [1, 3, 1, 3])


def test_current_members_move_the_figure_of_the_peers() -> None:
    before = published({**BEFORE, "gone": 10})
    after = published({**AFTER, "new": 90})
    same = compared(before, after, peers="everyone").score().relative
    current = compared(before, after, peers="everyone", membership="current").score().relative
    assert same is not None
    assert current is not None
    np.testing.assert_allclose(same.peers[:4], [4 / 3, 8 / 3, 1.0, 2.0])
    means = [(59 + 74 + 41 + 90) / 4 - (60 + 70 + 40 + 10) / 4]
    np.testing.assert_allclose(current.peers[0], means)
    np.testing.assert_allclose(current.change.values[0], 3 - means[0])
    np.testing.assert_allclose(current.change.variance[0], 2 + 2 * 4 / 16)
    assert current.judgement.reasons.tolist()[4:] == ["only after", "only before"]


def test_peers_share_respondents_too() -> None:
    study = study_of(["a", "b", "c", "d"])
    early, late = answered(study, rng(1)), answered(study, rng(2))
    found = compared(early, late, peers="everyone").score()
    assert found.relative is not None
    jacobian = np.eye(4) - (1 - np.eye(4)) / 3
    by_hand = combine([(late.index, jacobian), (early.index, -jacobian)])
    np.testing.assert_allclose(found.relative.change.values, by_hand.values)
    np.testing.assert_allclose(found.relative.change.variance, by_hand.variance)
    current = compared(early, late, peers="everyone", membership="current").score().relative
    assert current is not None
    np.testing.assert_allclose(current.change.values, by_hand.values)
    np.testing.assert_allclose(current.change.variance, by_hand.variance)


# -- claims --------------------------------------------------------------------------------------


def test_p_values_are_adjusted_within_an_organization_or_a_league() -> None:
    study = study_of()
    early, late = answered(study, rng(1)), answered(study, rng(2), mean=4.3)
    own = compared(early, late, levels=["index", "channels"], peers="everyone")
    parts = [part for one in own.changes for part in (one.judgement, one.relative.judgement)]  # type: ignore[union-attr]
    p = np.array([part.p for part in parts])
    for place in range(3):
        expected = adjust_p_values(p[:, place], method="benjamini-hochberg")
        np.testing.assert_allclose([part.adjusted_p[place] for part in parts], expected)
    league = compared(early, late, levels=["index", "channels"], family="league")
    assert league.adjustment == "holm"
    for change in league.changes:
        expected = adjust_p_values(change.judgement.p, method="holm")
        np.testing.assert_allclose(change.judgement.adjusted_p, expected)


def test_a_smallest_relevant_change_claims_less() -> None:
    before, after = published({"a": 50, "b": 50}, 0.1), published({"a": 51, "b": 55}, 0.1)
    plain = compared(before, after).score().judgement
    beyond = compared(before, after, relevant=2.0).score().judgement
    assert plain.verdict.tolist() == ["better", "better"]
    assert beyond.verdict.tolist() == ["about the same", "better"]
    assert (beyond.p >= plain.p).all()


# -- what may be compared ------------------------------------------------------------------------


def test_different_frameworks_are_refused_unless_said_to_be_comparable() -> None:
    early = answered(study_of(wave="2011"), rng(1))
    new = study_of(
        channels=["blog", "app"], items=[("q1", "d1"), ("q9", "d2")], version="2", wave="2012"
    )
    late = answered(new, rng(2))
    with pytest.raises(MethodError) as caught:
        compared(early, late)
    assert str(caught.value) == (
        "after: the waves '2011' and '2012' were measured by small 1 and small 2; chain them with "
        "link_waves, or pass comparable=True if what both ask may be compared"
    )
    found = compared(early, late, comparable=True, levels=["channels", "items"])
    assert [(one.channel, one.item) for one in found.changes] == [("blog", None), ("blog", "q1")]
    notice = found.notices[0]
    assert notice.code == "framework changed"
    assert notice.keys == ("app", "q2", "q3", "q9", "video")
    other = answered(study_of(channels=["app"], items=[("q8", "d8")], version="3"), rng(3))
    with pytest.raises(MethodError, match="levels: both waves measured nothing of 'items'"):
        compared(early, other, comparable=True, levels=["items"])


def test_one_name_for_two_frameworks_is_found_out() -> None:
    early, late = answered(study_of(), rng(1)), answered(study_of(items=[("q1", "d1")]), rng(2))
    with pytest.raises(MethodError, match="ask different things under the same name small 1"):
        compared(early, late)


def test_waves_in_the_wrong_order_are_refused() -> None:
    early, late = published(BEFORE, wave="2011-07"), published(AFTER, wave="2012")
    compared(early, late)
    with pytest.raises(MethodError, match="got '2011-07' after '2012'; put the earlier first"):
        compared(late, early)
    # Names that are no dates say nothing about time.
    compared(published(BEFORE, wave="wave 2"), published(AFTER, wave="wave 1"))
    compared(published(BEFORE, wave="2012-13"), published(AFTER, wave="2011"))


def test_another_population_weights_or_method_is_told() -> None:
    before = published(BEFORE, population="adults")
    after = published(AFTER, population="customers")
    assert [notice.code for notice in compared(before, after).notices] == ["population differs"]
    study = study_of()
    scheme = WeightingScheme(channels=FixedWeights({"blog": 0.7, "video": 0.3}))
    late = answered(study, rng(2), scheme=scheme, method=IndexMethod(power=0.5))
    codes = [notice.code for notice in compared(answered(study, rng(1)), late).notices]
    assert codes == ["weights changed", "method changed"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"family": "report"}, 'family: expected "organization" or "league", got \'report\''),
        ({"statistic": "mode"}, 'statistic: expected "mean" or "median"'),
        ({"membership": "old"}, 'membership: expected "same organizations" or "current"'),
        ({"respondents": "some"}, 'respondents: expected "matched" or "different"'),
        ({"levels": []}, "levels: expected one level or more, got none"),
        ({"levels": ["chanels"]}, "did you mean 'channels'"),
        ({"false_claims": 0.0}, "false_claims: expected a share between 0 and 1"),
        ({"relevant": -1.0}, "relevant: expected a number of points of 0 or more"),
    ],
)
def test_arguments_are_checked(more: dict[str, Any], message: str) -> None:
    with pytest.raises(MethodError, match=re.escape(message)):
        compared(published(BEFORE), published(AFTER), **more)


def test_a_score_that_was_not_compared_is_named() -> None:
    found = compared(published(BEFORE), published(AFTER), levels="index")
    with pytest.raises(MethodError, match="no change of channel 'blog', dimension None"):
        found.score(channel="blog")


# -- how it shows --------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("peers", [None, "everyone"])
def test_a_result_shows_waves_claims_and_notices(language: Any, peers: Any) -> None:
    before = published({**BEFORE, "gone<": 10}, wave="2011")
    after = published({**AFTER, "<new>": 90}, wave="2012")
    found = compared(before, after, peers=peers, relevant=1.0)
    page = view_html(found._view(language))
    parse(page)
    assert "&lt;new&gt;" in page
    assert "2011" in page
    assert found._repr_html_()


def test_items_are_shown_with_their_channel() -> None:
    study = study_of()
    found = compared(answered(study, rng(1)), answered(study, rng(2)), levels=["items", "index"])
    assert "q3 · video" in view_html(found._view("en"))


def test_a_result_in_a_few_words() -> None:
    found = compared(published(BEFORE), published(AFTER), peers="everyone", membership="current")
    assert str(found).splitlines() == [
        "4 changes: 1 better, 3 about the same, 0 worse, 0 not known, 0 not shown",
        "  Waves: unnamed to unnamed",
        "  Respondents: the same key is the same person",
        "  False claims: at most 5% of the claims on average (benjamini-hochberg)",
        "  Compared with: mean of everyone else, those of each wave",
    ]


def test_a_tally_compares_as_its_answers_do() -> None:
    panel = sample_panel(respondents=60)
    method = IndexMethod(variance=GroupJackknife(groups=8))
    plain = [compute_index(one, method=method) for one in (panel.before, panel.responses)]
    tallied = [
        compute_index(Tally.from_responses(one, groups=8), method=method)
        for one in (panel.before, panel.responses)
    ]
    for one, other in zip(compared(*plain).to_rows(), compared(*tallied).to_rows(), strict=True):
        assert one == pytest.approx(other, nan_ok=True)


# -- the classic test ----------------------------------------------------------------------------

# Derrick, Toher and White (2017), as computed by R's Partiallyoverlapping 2.0.
ALONE = ([20, 21, 16, 18, 14, 12, 14, 17], [10, 16, 18, 16, 15, 14, 13, 10])
PAIRS = ([14, 15, 18, 20, 11, 19, 14, 15], [15, 10, 15, 17, 13, 19, 12, 13])
PUBLISHED = {
    True: (2.42074545121359, 18.5, 0.0259679636756424, 0.2675920424318, 3.7324079575682),
    False: (
        2.41909762837831, 18.4223322692641, 0.0261044448619575, 0.265902970527805,
        3.7340970294722,
    ),
}  # fmt: skip


@pytest.mark.parametrize("equal", [True, False])
def test_the_partially_overlapping_t_test_is_that_of_the_paper(equal: bool) -> None:
    found = overlapping_t_test(*ALONE, paired=PAIRS, equal_variances=equal)
    t, freedom, p, low, high = PUBLISHED[equal]
    # The paper takes the later from the earlier.
    assert -found.t == pytest.approx(t, abs=1e-12)
    assert found.degrees_of_freedom == pytest.approx(freedom, abs=1e-12)
    assert found.p == pytest.approx(p, abs=1e-12)
    assert (-found.high, -found.low) == pytest.approx((low, high), abs=1e-12)
    assert found.difference == pytest.approx(-2.0)


def test_without_pairs_it_is_welch_and_student() -> None:
    # R: t.test(unpaired_1, unpaired_2), and with var.equal = TRUE.
    welch = overlapping_t_test(*ALONE)
    assert welch.degrees_of_freedom == pytest.approx(13.912368552829246)
    assert overlapping_t_test(*ALONE, equal_variances=True).degrees_of_freedom == 14


def test_samples_without_spread_have_an_error_of_0() -> None:
    found = overlapping_t_test([1, 1], [2, 2], paired=([1], [2]))
    assert (found.standard_error, found.t, found.p) == (0.0, np.inf, 0.0)
    assert found.low == found.high == 1.0
    same = overlapping_t_test([1, 1], [1, 1])
    assert (same.t, same.p) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        (([1.0], [1, 2]), {}, "before: expected two values or more, all finite, got 1"),
        (([1, 2], [1, np.nan]), {}, "after: expected two values or more, all finite, got 2"),
        (([1, 2], [1, 2]), {"paired": ([1, 2], [1])}, "paired: expected two rows of values"),
        (([1, 2], [1, 2]), {"level": 1.0}, "level: expected a share between 0 and 1"),
    ],
)
def test_samples_are_checked(arguments: Any, more: Any, message: str) -> None:
    with pytest.raises(MethodError, match=message):
        overlapping_t_test(*arguments, **more)


def test_the_answer_by_factor_beside_the_classic_one() -> None:
    """Ours covaries by influences, the classic by the pairs' own correlation: nearly the same."""
    study = study_of(["a"], channels=["blog"], items=[("q1", "d1")])
    study = attrs.evolve(
        study,
        framework=attrs.evolve(
            study.framework,
            items=[
                attrs.evolve(
                    study.framework.items[0],
                    scale=attrs.evolve(study.framework.items[0].scale, low=0, high=100),
                )
            ],
        ),
    )
    keys = [np.r_[np.arange(8), np.arange(100, 108)], np.r_[np.arange(8), np.arange(200, 208)]]
    waves = [
        compute_index(
            Responses.from_arrays(
                study,
                respondent=key,
                organization=np.zeros(16, dtype=int),
                channel=np.zeros(16, dtype=int),
                answers=np.array([*pairs, *alone], dtype=float)[:, None],
            )
        )
        for key, pairs, alone in zip(keys, PAIRS, ALONE, strict=True)
    ]
    found = compared(*waves).score()
    ratio = found.change.values.item() / found.change.standard_error.item()
    assert ratio == pytest.approx(-2.41909762837831, rel=0.03)
    assert found.change.degrees_of_freedom.item() == pytest.approx(18.4223322692641)
