"""Frozen norms: what they hold, how they travel, and how others are compared with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from scipy import special
from support import small_study

from sotongindex.benchmark import DisclosureRules, compare_to_peers
from sotongindex.datasets import sample_panel
from sotongindex.errors import DefinitionError, MethodError, SchemaError
from sotongindex.index import compute_index
from sotongindex.method import IndexMethod
from sotongindex.models import Organization, PeerGroup
from sotongindex.norms import (
    BenchmarkSet,
    compare_to_norm,
    freeze_norm,
    load_norm,
    norm_from_json,
    norm_to_json,
    publish_norm,
    save_norm,
)
from sotongindex.percentiles import peer_quantiles, percentile_rank
from sotongindex.results import IndexResult

LOOSE = DisclosureRules(
    min_peers_mean=1, min_peers_rank=1, min_respondents_show=1, min_respondents_compare=1
)
FIGURES = ("mean", "median", "p10", "p25", "p75", "p90", "best")


def scored(
    scores: list[float],
    errors: list[float] | float | None = 1.0,
    *,
    prefix: str = "o",
    respondents: list[float] | None = None,
    industries: list[str] | None = None,
    **more: Any,
) -> IndexResult:
    industries = industries or ["a"] * len(scores)
    study = attrs.evolve(
        small_study(
            [
                Organization(key=f"{prefix}{n}", industry=industry)
                for n, industry in enumerate(industries)
            ]
        ),
        **more,
    )
    frame: dict[str, Any] = {
        "organization": list(study.organization_keys),
        "d1": np.array(scores, dtype=float),
    }
    if errors is not None:
        frame["error"] = np.broadcast_to(np.array(errors, dtype=float), len(scores))
    if respondents is not None:
        frame["n"] = np.array(respondents)
    return IndexResult.from_scores(
        frame,
        study,
        standard_errors=None if errors is None else {"d1": "error"},
        respondents=None if respondents is None else "n",
    )


def freeze(result: IndexResult, **more: Any) -> BenchmarkSet:
    return freeze_norm(result, **{"key": "norm", "version": "1", "rules": LOOSE, **more})


SCORES = [61.0, 50.0, 52.0, 55.0, 58.0, 58.0, 63.0, 70.0]


@pytest.fixture(scope="module")
def panel() -> tuple[IndexResult, IndexResult]:
    sample = sample_panel(respondents=1600)
    scheme = sample.recipe.scheme
    return tuple(compute_index(wave, scheme=scheme) for wave in (sample.before, sample.responses))


# -- freezing --------------------------------------------------------------------------------------


def test_a_norm_says_what_it_is_made_of() -> None:
    result = scored(SCORES, wave="2024", population="adults")
    norm = freeze(result, label="Norm", note="first")
    assert (norm.study, norm.wave, norm.population) == ("small", "2024", "adults")
    assert (norm.framework, norm.framework_version) == ("small", "1")
    assert norm.members == tuple(f"o{n}" for n in range(8))
    assert [(one.channel, one.dimension) for one in norm.scores] == [
        (None, None), ("blog", None), (None, "d1"),
    ]  # fmt: skip
    index = norm.of()
    assert index.scores == tuple(sorted(SCORES))
    assert index.standard_errors == pytest.approx([1.0] * 8)
    assert (index.count, index.shared_variance) == (8, 0.0)
    assert norm.label is not None
    assert norm.label.en == "Norm"
    assert str(norm).startswith("norm norm 1: 8 organizations of small, wave 2024, framework small")


def test_figures_have_the_error_of_the_members() -> None:
    index = freeze(scored(SCORES, np.arange(1.0, 9.0).tolist())).of()
    figures = index.figures
    assert figures.mean.value == pytest.approx(np.mean(SCORES))
    assert figures.mean.standard_error == pytest.approx(np.sqrt((np.arange(1.0, 9) ** 2).sum()) / 8)
    for name, share in (("p10", 0.1), ("p25", 0.25), ("median", 0.5), ("p75", 0.75), ("best", 1.0)):
        assert getattr(figures, name).value == pytest.approx(peer_quantiles(SCORES, share))
    errors = np.arange(1.0, 9.0)
    near = np.exp(-2 * ((np.array(SCORES) - np.max(SCORES)) / errors) ** 2) / errors
    expected = np.sqrt(((near / near.sum() * errors) ** 2).sum())
    assert figures.best.standard_error == pytest.approx(expected)
    assert figures.best.degrees_of_freedom == np.inf


def test_figures_know_what_members_share(panel: tuple[IndexResult, IndexResult]) -> None:
    result = panel[0]
    norm = freeze_norm(result, key="all", version="1", subjects=[(None, None)])
    covariance = result.index.covariance()
    kept = np.flatnonzero(result.counts.respondents >= 30)
    part = covariance[np.ix_(kept, kept)]
    figure = norm.of().figures.mean
    assert figure.standard_error == pytest.approx(np.sqrt(part.sum()) / len(kept))
    shared = (part.sum() - np.trace(part)) / (len(kept) * (len(kept) - 1))
    # A little more: true scores are spread by the t distribution.
    assert shared < norm.of().shared_variance < 1.15 * shared


def test_members_are_those_that_can_be_compared() -> None:
    result = scored(
        [50, np.nan, 52, 53, 54, 55, 56],
        respondents=[100, 100, 10, 100, 100, 100, 100],
        industries=["a", "a", "a", "b", "a", "a", "a"],
    )
    norm = freeze_norm(
        result, key="a", version="1", peers=PeerGroup(key="a", where={"industry": ["a"]})
    )
    assert norm.members == ("o0", "o4", "o5", "o6")
    assert norm.of().figures == attrs.evolve(norm.of().figures, **dict.fromkeys(FIGURES))
    five = attrs.evolve(norm.rules, min_peers_mean=4)
    figures = freeze_norm(
        result,
        key="a",
        version="1",
        peers=PeerGroup(key="a", where={"industry": ["a"]}),
        rules=five,
    ).of().figures  # fmt: skip
    assert figures.mean.value == pytest.approx(np.mean([50, 54, 55, 56]))
    assert figures.median is not None
    assert figures.best is figures.p10 is figures.p90 is None


def test_an_empty_norm_is_empty() -> None:
    norm = freeze(scored([np.nan, np.nan]))
    assert norm.of().count == 0
    found = compare_to_norm(scored([50.0]), norm).comparison()
    assert found.standing_reasons.tolist() == found.distance_reasons.tolist() == ["few peers"]
    assert np.isnan(found.percentile).all()


@pytest.mark.parametrize(
    "group", [PeerGroup(key="x", same="industry"), PeerGroup(key="x", different="industry")]
)
def test_a_norm_of_the_same_industry_is_refused(group: PeerGroup) -> None:
    with pytest.raises(MethodError, match="where"):
        freeze(scored(SCORES), peers=group)


# -- documents -------------------------------------------------------------------------------------


def test_a_norm_comes_back_equal_and_answers_the_same_to_the_last_bit(
    panel: tuple[IndexResult, IndexResult], tmp_path: Path
) -> None:
    norm = freeze_norm(panel[0], key="all", version="1", subjects=[(None, None), ("blog", None)])
    save_norm(norm, tmp_path / "norm.json")
    again = load_norm(tmp_path / "norm.json")
    assert again == norm
    assert hash(again) == hash(norm)
    assert norm_to_json(again) == norm_to_json(norm)
    first, second = (compare_to_norm(panel[1], one, draws=50) for one in (norm, again))
    assert first.to_rows() == second.to_rows()
    assert first.comparison().both.low.tobytes() == second.comparison().both.low.tobytes()


def test_unknown_errors_and_infinite_freedom_travel() -> None:
    norm = freeze(scored(SCORES, [1.0, np.nan, *[1.0] * 6]))
    again = norm_from_json(norm_to_json(norm))
    assert again == norm
    assert again.of().standard_errors.count(None) == 1
    assert again.of().degrees_of_freedom.count(np.inf) == 7
    assert again.of().shared_variance is None


def test_the_hash_is_of_the_content() -> None:
    norm = freeze(scored(SCORES))
    assert norm.content_hash == freeze(scored(SCORES[::-1])).content_hash
    assert norm.content_hash != freeze(scored([*SCORES[:-1], 70.5])).content_hash
    assert norm.content_hash != freeze(scored(SCORES), version="2").content_hash
    # Frozen: a change of the hashing would make every norm in use unreadable.
    assert norm.content_hash == HASH
    second = attrs.evolve(norm, version="2", content_hash="")
    assert second.content_hash == freeze(scored(SCORES), version="2").content_hash


HASH = "sha256:15fe67b7b65cebfd0ca25fbcde9280cdabe6db480ce92eb4249f028b18f4972c"


def test_a_document_that_was_changed_does_not_load() -> None:
    document = json.loads(norm_to_json(freeze(scored(SCORES))))
    document["scores"][0]["scores"][0] = 49.0
    with pytest.raises(SchemaError, match=r"content_hash: the content was changed"):
        norm_from_json(json.dumps(document))
    with pytest.raises(SchemaError, match="benchmark-set"):
        norm_from_json('{"sotongindex": "study", "schema": 1}')


def test_a_score_is_there_once() -> None:
    norm = freeze(scored(SCORES))
    with pytest.raises(DefinitionError, match="twice"):
        attrs.evolve(norm, scores=norm.scores * 2, content_hash="")
    with pytest.raises(DefinitionError, match="did you mean 'blog'"):
        norm.of(channel="blok")


def test_a_published_norm_holds_figures_alone() -> None:
    norm = freeze(scored(SCORES))
    published = publish_norm(norm)
    assert published.members == ()
    assert "70.0" not in json.dumps(json.loads(norm_to_json(published))["scores"][0]["scores"])
    assert published.of().figures == norm.of().figures
    assert published.of().count == 8
    assert norm_from_json(norm_to_json(published)) == published
    whole, part = (compare_to_norm(scored([57.0]), one).comparison() for one in (norm, published))
    assert part.distances.mean.values == whole.distances.mean.values
    assert part.standing_reasons.tolist() == ["not shared"]
    assert np.isnan(part.percentile).all()
    assert np.isnan(part.both.low).all()


# -- comparing -------------------------------------------------------------------------------------


def test_a_newcomer_is_placed_among_the_members() -> None:
    norm = freeze(scored(SCORES, 2.0))
    found = compare_to_norm(scored([57.0, 58.0, 80.0], 3.0, prefix="new"), norm).comparison()
    np.testing.assert_allclose(found.percentile, percentile_rank(SCORES, [57.0, 58.0, 80.0]))
    expected = [
        100 * special.ndtr((own - np.array(SCORES)) / np.hypot(3, 2)).mean() for own in (57, 58, 80)
    ]
    np.testing.assert_allclose(found.sampling.expected, expected)
    assert found.members == 8
    assert found.chances.best[2] > 0.9
    assert found.chances.best[0] < 0.2
    below = found.percentile * 8 / 100
    np.testing.assert_allclose(found.finite_peers.expected, 100 * (below + 1) / 10)


def test_distances_carry_both_errors() -> None:
    norm = freeze(scored(SCORES, 2.0))
    found = compare_to_norm(scored([57.0, 60.0], 3.0), norm).comparison()
    mean = found.distances.mean
    np.testing.assert_allclose(mean.values, np.array([57.0, 60.0]) - np.mean(SCORES))
    np.testing.assert_allclose(mean.standard_error, np.sqrt(9 + 4 / 8))
    assert found.distances.p25.values[0] == pytest.approx(57 - peer_quantiles(SCORES, 0.25))
    # Both are held against the same uncertain mean.
    assert mean.covariance()[0, 1] == pytest.approx(4 / 8)


def test_without_errors_the_percentile_is_certain() -> None:
    found = compare_to_norm(scored([57.0, 58.0], 0.0), freeze(scored(SCORES, 0.0))).comparison()
    for part in (found.sampling.expected, found.sampling.low, found.sampling.high):
        np.testing.assert_allclose(part, found.percentile)


def test_an_error_that_members_share_moves_them_together() -> None:
    norm = freeze(scored(SCORES, 3.0))
    shared = attrs.evolve(
        norm,
        scores=[attrs.evolve(one, shared_variance=9.0) for one in norm.scores],
        content_hash="",
    )
    newcomer = scored([57.5], 0.0)
    apart, together = (compare_to_norm(newcomer, one).comparison() for one in (norm, shared))
    np.testing.assert_allclose(apart.sampling.expected, together.sampling.expected)
    # All members are off by the same: they keep their order, and the newcomer moves across them.
    assert together.sampling.standard_deviation > 1.5 * apart.sampling.standard_deviation


def test_nobodys_numbers_depend_on_who_else_is_compared() -> None:
    norm = freeze(scored(SCORES, 2.0))
    many = compare_to_norm(scored([57.0, 51.0, 64.0], [3.0, 1.0, 2.0]), norm).to_rows()
    alone = compare_to_norm(scored([64.0], [2.0], prefix="x"), norm).to_rows()
    for row, other in zip(many[2::3], alone, strict=True):
        assert {**row, "organization": ""} == {**other, "organization": ""}


def test_this_years_members_stand_as_they_did(panel: tuple[IndexResult, IndexResult]) -> None:
    result = panel[0]
    norm = freeze_norm(result, key="all", version="1", subjects=[(None, None)])
    found = compare_to_norm(result, norm, draws=10).comparison()
    comparison = compare_to_peers(
        result, "everyone", include_self=True, levels=["index"]
    ).comparison()
    np.testing.assert_allclose(found.percentile, comparison.percentile)
    np.testing.assert_allclose(found.distances.mean.values, comparison.distances.mean.values)
    np.testing.assert_array_equal(found.standing_reasons, comparison.suppressions.standing)


def test_the_rules_of_the_norm_hold() -> None:
    result = scored(SCORES, respondents=[50.0] * 8)
    norm = freeze_norm(result, key="norm", version="1")
    later = scored([57.0, 58.0, np.nan, 60.0], respondents=[100.0, 20.0, 100.0, 5.0])
    found = compare_to_norm(later, norm).comparison()
    assert found.distance_reasons.tolist() == [
        "", "few respondents", "missing score", "few respondents",
    ]  # fmt: skip
    assert found.standing_reasons.tolist()[0] == "few peers"
    assert np.isnan(found.score.values).tolist() == [False, False, True, True]
    assert np.isnan(found.distances.mean.values).tolist() == [False, True, True, True]
    # Eight members are too few for a best.
    assert found.figures.best is None
    assert np.isnan(found.distances.best.values).all()


def test_unknown_errors_leave_percentile_and_finite_peers() -> None:
    norm, unknown = freeze(scored(SCORES)), freeze(scored(SCORES, None))
    newcomers = scored([57.0, 58.0], [1.0, np.nan])
    found = compare_to_norm(newcomers, norm).comparison()
    assert found.uncertain_reasons.tolist() == ["", "unknown error"]
    assert np.isnan(found.sampling.low).tolist() == [False, True]
    assert not np.isnan(found.finite_peers.low).any()
    assert np.isnan(found.distances.mean.standard_error).tolist() == [False, True]
    other = compare_to_norm(newcomers, unknown).comparison()
    assert other.uncertain_reasons.tolist() == ["unknown error"] * 2
    assert other.distances.mean.values.tolist() == found.distances.mean.values.tolist()
    assert np.isnan(other.distances.mean.standard_error).all()


def test_another_framework_is_refused_unless_allowed() -> None:
    norm = freeze(scored(SCORES))
    later = scored([57.0])
    framework = attrs.evolve(later.study.framework, version="2")
    other = attrs.evolve(later, study=attrs.evolve(later.study, framework=framework))
    with pytest.raises(MethodError, match=r"'small 1'.*'small 2'"):
        compare_to_norm(other, norm)
    found = compare_to_norm(other, norm, other_framework=True)
    assert [notice.code for notice in found.notices][-1] == "framework differs"


def test_what_makes_them_less_than_comparable_is_said() -> None:
    group = PeerGroup(key="a", where={"industry": ["a"]})
    norm = freeze(scored(SCORES), peers=group)
    later = scored([57.0, 58.0], industries=["a", "b"], population="children")
    later = attrs.evolve(later, method=IndexMethod(power=0.0))
    found = compare_to_norm(later, norm)
    told = {notice.code: notice.keys for notice in found.notices}
    assert told["outside the norm"] == ("o1",)
    assert {"method differs", "population differs"} <= set(told)
    assert "note: 1 organizations are not of the kind 'a'" in str(found)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(MethodError, match="draws"):
        compare_to_norm(scored([57.0]), freeze(scored(SCORES)), draws=1)


# -- the record ------------------------------------------------------------------------------------


def test_rows_frame_text_and_notebook() -> None:
    norm = freeze(scored(SCORES), label={"en": "Norm <2024>", "ko": "규준"})
    found = compare_to_norm(scored(list(np.linspace(50, 60, 25))), norm, top=2, level=0.9)
    rows = found.to_rows()
    assert len(rows) == 75
    assert rows[0]["norm_median"] == 58
    assert rows[0]["probability_top_2"] == found.comparison().chances.top[0]
    assert rows[25]["channel"] == "blog"
    assert list(found.to_frame()["percentile"][:25]) == found.comparison().percentile.tolist()
    page = found._repr_html_()
    assert "Norm &lt;2024&gt; 1" in page
    assert "규준 1" in page
    assert "5 more rows" in page
    assert "norm 1" in compare_to_norm(scored([57.0]), freeze(scored(SCORES)))._repr_html_()
    assert found.comparison(dimension="d1").dimension == "d1"
    with pytest.raises(MethodError, match="holds no scores"):
        found.comparison(channel="blok")
