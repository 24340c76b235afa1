"""Series of waves: chains over framework versions, projections to a date, straight lines."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import attrs
import numpy as np
import pytest
from scipy import special
from test_html import parse
from waves import LOOSE, answered, published, study_of

from sotongindex._html import view_html
from sotongindex.change import (
    Projection,
    decompose_change,
    link_waves,
    project,
    straight_line,
)
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.models import GradeCut, GradeScale, PeerStatistic, Target
from sotongindex.results import IndexResult

NEW_ITEMS = [("q1", "d1"), ("q2", "d1"), ("q4", "d2")]


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def series(scores: dict[str, list[float]], errors: float | None = 1.0) -> list[IndexResult]:
    """Waves of published scores, a year apart."""
    count = len(next(iter(scores.values())))
    return [
        published(
            {key: values[wave] for key, values in scores.items()}, errors, wave=f"{2010 + wave}"
        )
        for wave in range(count)
    ]


# -- chains --------------------------------------------------------------------------------------


def test_waves_of_one_framework_are_their_own_chain() -> None:
    waves = [answered(study_of(wave=f"201{n}"), rng(n)) for n in range(3)]
    chain = link_waves(waves)
    assert chain.links == ("same framework", "same framework")
    np.testing.assert_array_equal(chain.linked.values, [wave.index.values for wave in waves])
    np.testing.assert_allclose(chain.linked.variance, [wave.index.variance for wave in waves])
    since = waves[2].index.values - waves[0].index.values
    np.testing.assert_allclose(chain.since_first.values[2], since)
    assert (chain.since_first.variance[0] == 0).all()
    video = link_waves(waves, channel="video", dimension="d2")
    np.testing.assert_array_equal(video.scores.values[1], waves[1].cells.values[:, 1, 1])


def test_an_overlap_moves_the_earlier_waves() -> None:
    old = [answered(study_of(wave=f"201{n}"), rng(n)) for n in range(3)]
    new = [
        answered(study_of(items=NEW_ITEMS, version="2", wave=f"201{n}"), rng(n + 10), mean=4.5)
        for n in (2, 3)
    ]
    expected = old[0].index.values + new[0].index.values - old[2].index.values
    # The overlap is wave 2012 by the old version ...
    chain = link_waves([*old[:2], *new], overlaps=[old[2]])
    assert chain.links == ("same framework", "overlap", "same framework")
    np.testing.assert_allclose(chain.linked.values[0], expected)
    np.testing.assert_array_equal(chain.linked.values[3], new[1].index.values)
    # ... or by the new one, where the series goes on a wave later.
    other = link_waves([*old, new[1]], overlaps=[new[0]])
    assert other.links[-1] == "overlap"
    np.testing.assert_allclose(other.linked.values[0], expected)
    np.testing.assert_allclose(other.linked.values[2], new[0].index.values)


def test_the_error_of_an_overlap_is_carried_on() -> None:
    waves = [published({"a": 50.0}, 1.0, wave="2010"), published({"a": 60.0}, 2.0, wave="2012")]
    study = waves[1].study
    framework = attrs.evolve(study.framework, version="2")
    waves[1] = attrs.evolve(waves[1], study=attrs.evolve(study, framework=framework))
    overlap = published({"a": 52.0}, 3.0, wave="2012")
    chain = link_waves(waves, overlaps=[overlap])
    np.testing.assert_allclose(chain.linked.values[:, 0], [58, 60])
    # 50 + 60 - 52 rests on three errors, the change since then on two.
    np.testing.assert_allclose(chain.linked.variance[:, 0], [1 + 4 + 9, 4])
    np.testing.assert_allclose(chain.since_first.values[:, 0], [0, 2])
    np.testing.assert_allclose(chain.since_first.variance[:, 0], [0, 1 + 9])


def test_common_items_carry_their_scores_alone() -> None:
    early = answered(study_of(wave="2011"), rng(1))
    late = answered(study_of(items=NEW_ITEMS, version="2", wave="2012"), rng(2))
    chain = link_waves([early, late], common_items=True)
    assert chain.links == ("common items",)
    scores = decompose_change(early, late).effects.select((slice(None), 0))
    np.testing.assert_allclose(chain.since_first.values[1], scores.values)
    np.testing.assert_allclose(chain.since_first.variance[1], scores.variance)
    assert "2011 to 2012: common items" in str(chain)


def test_without_a_link_a_chain_is_refused() -> None:
    early = answered(study_of(wave="2011"), rng(1))
    late = answered(study_of(items=NEW_ITEMS, version="2", wave="2012"), rng(2))
    with pytest.raises(MethodError) as caught:
        link_waves([early, late])
    assert str(caught.value) == (
        "overlaps: the waves '2011' and '2012' were measured by small 1 and small 2, and no wave "
        "by both; give a result of one of these waves by the other version in overlaps=, or pass "
        "common_items=True"
    )
    other = answered(study_of(items=[("q8", "d1")], version="3", wave="2012"), rng(2))
    with pytest.raises(MethodError, match="have no items in common: give an overlap"):
        link_waves([early, other], common_items=True)
    with pytest.raises(MethodError, match="of wave '2019', the waves are '2011', '2012'; give it"):
        link_waves([early, late], overlaps=[answered(study_of(wave="2019"), rng(3))])
    with pytest.raises(MethodError, match="common items chain the index only"):
        link_waves([early, late], common_items=True, channel="blog")


def test_chains_need_two_waves_in_order() -> None:
    waves = series({"a": [50, 51, 52]})
    with pytest.raises(MethodError, match="expected two waves or more, got 1"):
        link_waves(waves[:1])
    with pytest.raises(MethodError, match="got '2010' after '2012'; put the earlier first"):
        link_waves([waves[1], waves[2], waves[0]])
    with pytest.raises(DefinitionError, match="'vlog'"):
        link_waves(waves, channel="vlog")


def test_missing_scores_and_links_have_reasons() -> None:
    waves = [
        published({"a": 50, "b": 60}, wave="2010"),
        published({"a": 51}, wave="2011"),
        published({"a": 52, "b": 62, "new": 40}, wave="2012"),
    ]
    chain = link_waves(waves)
    assert chain.organizations == ("a", "b", "new")
    assert chain.reasons.tolist() == [
        ["", "", "missing score"],
        ["", "missing score", "missing score"],
        ["", "", ""],
    ]
    # b was measured before and after: its gap breaks nothing.
    assert chain.since_first.values[2, 1] == pytest.approx(2)
    study = waves[2].study
    changed = attrs.evolve(
        waves[2],
        study=attrs.evolve(study, framework=attrs.evolve(study.framework, version="2")),
    )
    broken = link_waves([*waves[:2], changed], overlaps=[published({"a": 50}, wave="2012")])
    assert broken.reasons.tolist()[0] == ["", "no link", "missing score"]


def test_a_panel_of_other_people_has_other_errors() -> None:
    waves = [answered(study_of(wave=f"201{n}"), rng(n)) for n in range(2)]
    apart = link_waves(waves, respondents="different").since_first.variance[1]
    np.testing.assert_allclose(apart, waves[0].index.variance + waves[1].index.variance)
    # Waves need no names for that.
    unnamed = [attrs.evolve(one, study=attrs.evolve(one.study, wave=None)) for one in waves]
    again = link_waves(unnamed, respondents="different").since_first.variance[1]
    np.testing.assert_array_equal(again, apart)
    assert (link_waves(waves).since_first.variance[1] < apart).all()
    with pytest.raises(MethodError, match='expected "matched" or "different", got \'some\''):
        link_waves(waves, respondents="some")  # type: ignore[arg-type]


def test_common_items_of_other_people_keep_the_error_of_their_scores() -> None:
    early = answered(study_of(wave="2011"), rng(1))
    late = answered(study_of(items=NEW_ITEMS, version="2", wave="2012"), rng(2))
    chain = link_waves([early, late], common_items=True, respondents="different")
    parts = decompose_change(early, late, respondents="different")
    np.testing.assert_allclose(chain.since_first.variance[1], parts.effects.variance[:, 0])


def test_an_overlap_has_the_respondents_of_its_wave() -> None:
    old = [answered(study_of(wave=wave), rng(n)) for n, wave in enumerate(("2011", "2012"))]
    new = answered(study_of(items=NEW_ITEMS, version="2", wave="2012"), rng(3))
    apart, matched = (
        link_waves([old[0], new], overlaps=[old[1]], respondents=respondents)  # type: ignore[arg-type]
        for respondents in ("different", "matched")
    )
    # Who answered both versions in 2012 is the same person, who answered in 2011 is not.
    expected = old[0].index.variance + old[1].index.variance
    np.testing.assert_allclose(apart.since_first.variance[1], expected)
    assert (matched.since_first.variance[1] < expected).all()


# -- projections ---------------------------------------------------------------------------------

LEVELS = {
    "a": [50.0, 52.0, 51.0],
    "b": [60.0, 59.0, 62.0],
    "c": [40.0, 44.0, 46.0],
    "d": [55.0, 55.0, 53.0],
    "e": [70.0, 70.5, 71.0],
    "f": [30.0, 33.0, 31.0],
}


def projected(target: Any = 60.0, *, errors: float | None = 0.5, **more: Any) -> Projection:
    day = date(2014, 1, 1)
    return project(series(LEVELS, errors), target, **{"due": day, "rules": LOOSE, **more})


def test_a_projection_is_the_last_level_with_the_pooled_steps() -> None:
    found = projected()
    steps = np.diff(np.array(list(LEVELS.values())), axis=1)
    years = (date(2012, 1, 1) - date(2010, 1, 1)).days / 365.25
    step = (steps**2 - 0.5).sum() / (6 * years)
    assert found.step == pytest.approx(np.sqrt(step))
    assert found.steps == 12
    assert found.years == pytest.approx(731 / 365.25)
    np.testing.assert_array_equal(found.forecast.values, [51, 62, 46, 53, 71, 31])
    variance = 0.25 + found.years * step
    np.testing.assert_allclose(found.forecast.variance, variance)
    # Sampling errors are normal, the steps were learnt from 12.
    freedom = variance**2 / ((found.years * step) ** 2 / 12)
    np.testing.assert_allclose(found.forecast.degrees_of_freedom, freedom)
    margin = special.stdtrit(freedom, 0.9) * np.sqrt(variance)
    np.testing.assert_allclose(found.forecast.high, np.minimum(found.last.values + margin, 100))
    ratio = (found.last.values - 60) / np.sqrt(variance)
    np.testing.assert_allclose(found.probability_reached, special.stdtr(freedom, ratio), atol=1e-8)


def test_what_a_survey_will_measure_has_its_error_too() -> None:
    true, measured = projected(), projected(measured=True)
    np.testing.assert_allclose(measured.forecast.variance, true.forecast.variance + 0.25)
    np.testing.assert_array_equal(measured.forecast.values, true.forecast.values)


def test_noise_alone_gives_no_steps() -> None:
    found = projected(errors=5.0)
    assert found.step == 0.0
    np.testing.assert_allclose(found.forecast.variance, 25.0)


def test_peers_record_of_gains_as_long() -> None:
    found = projected(55.0)
    # One stretch of two years each; what is needed: 4, -7, 9, 2, -16, 24.
    gains = {key: values[2] - values[0] for key, values in LEVELS.items()}
    needed = dict(zip(found.organizations, 55 - found.last.values, strict=True))
    expected = [
        np.mean([gain >= needed[own] for key, gain in gains.items() if key != own])
        for own in found.organizations
    ]
    np.testing.assert_allclose(found.gains.share, expected)
    assert found.gains.organizations.tolist() == [5] * 6
    assert (found.gains.low <= found.gains.share).all()
    assert (found.gains.high >= found.gains.share).all()
    # A year ahead there are two stretches each.
    year = projected(55.0, due=date(2013, 1, 1))
    assert year.gains.share[0] == pytest.approx(1 / 10)


def test_a_record_that_is_not_known_has_a_reason() -> None:
    assert set(projected(due=date(2020, 1, 1)).gains.reasons) == {"no history as long"}
    few = project(series(LEVELS), 60.0, due=date(2014, 1, 1), peers="industry")
    assert set(few.gains.reasons) == {""}
    alone = project(series({"a": [50, 51]}), 60.0, due=date(2012, 1, 1))
    assert alone.gains.reasons.tolist() == ["few peers"]
    assert np.isnan(alone.gains.share).all()
    none = projected(None)
    assert set(none.gains.reasons) == {"no target"}
    assert np.isnan(none.probability_reached).all()


def test_targets_of_one_organization_a_grade_and_a_date() -> None:
    target = Target(score=60, organization="b", due=date(2014, 1, 1))
    found = projected(target, due=None)
    assert found.due == date(2014, 1, 1)
    assert np.isnan(found.target).tolist() == [True, False, True, True, True, True]
    scale = GradeScale(key="2025", bands={"A": 70})
    graded = projected(Target(score=GradeCut(grade="A", scale=scale)))
    np.testing.assert_array_equal(graded.target, 70.0)
    channel = Target(score=60, channel="blog", due=date(2014, 1, 1))
    np.testing.assert_allclose(projected(channel).last.values, found.last.values)


def test_a_chain_is_projected_as_it_is() -> None:
    chain = link_waves(series(LEVELS))
    found = project(chain, 60.0, due=date(2014, 1, 1))
    np.testing.assert_array_equal(found.forecast.values, chain.linked.values[-1])
    with pytest.raises(MethodError, match="the target is of channel 'blog' and dimension None"):
        project(chain, Target(score=60, channel="blog", due=date(2014, 1, 1)))


def test_who_has_no_last_score_is_not_projected() -> None:
    waves = series({"a": [50, 51, 52], "b": [60, 61, np.nan]})
    found = project(waves, 60.0, due=date(2013, 1, 1))
    assert found.reasons.tolist() == ["", "missing score"]
    assert np.isnan(found.forecast.high[1])
    assert np.isnan(found.probability_reached[1])


def test_few_respondents_are_not_projected() -> None:
    waves = [
        answered(study_of(wave=f"201{n}"), rng(n), people=range(people))
        for n, people in enumerate((40, 9))
    ]
    found = project(waves, 60.0, due=date(2012, 1, 1))
    assert set(found.reasons) == {"few respondents"}
    assert np.isnan(found.last.values).all()
    assert np.isnan(found.forecast.low).all()


def test_unknown_errors_have_no_interval_and_a_notice() -> None:
    found = projected(errors=None)
    assert np.isnan(found.step)
    assert found.steps == 0
    assert np.isnan(found.forecast.low).all()
    assert [notice.code for notice in found.notices] == ["error not known"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"due": None}, "due: expected a date after the last wave (2012-01-01), got None"),
        ({"due": date(2012, 1, 1)}, "due: expected a date after the last wave"),
        ({"level": 80.0}, "level: expected a share between 0 and 1"),
        ({"target": 101.0}, "target: expected 0 to 100 points, got 101.0"),
        ({"dates": [date(2010, 1, 1)]}, "dates: expected 3 dates, one a wave, got 1"),
        (
            {"dates": [date(2010, 1, 1), date(2010, 1, 1), date(2011, 1, 1)]},
            "dates: expected dates that ascend",
        ),
        ({"target": Target(score=PeerStatistic(statistic="mean"))}, "own past set this target"),
    ],
)
def test_projections_are_checked(more: dict[str, Any], message: str) -> None:
    with pytest.raises(MethodError, match=re.escape(message)):
        projected(**more)


def test_unknown_organizations_and_dates_are_named() -> None:
    with pytest.raises(DefinitionError, match="unknown organization 'z'"):
        projected(Target(score=60, organization="z"))
    waves = [attrs.evolve(one, study=attrs.evolve(one.study, wave=None)) for one in series(LEVELS)]
    with pytest.raises(MethodError, match="name waves by date, such as"):
        project(waves, 60.0, due=date(2014, 1, 1))
    days = [date(2010, 1, 1), date(2011, 1, 1), date(2012, 1, 1)]
    found = project(waves, 60.0, due=date(2014, 1, 1), dates=days)
    np.testing.assert_allclose(found.forecast.variance, projected(errors=1.0).forecast.variance)


def test_a_day_and_a_month_name_a_wave_too() -> None:
    waves = [published({"a": 50}, wave="2011-07"), published({"a": 52}, wave="2011-12-31")]
    found = project(waves, 60.0, due=date(2012, 7, 1))
    assert found.years == pytest.approx(183 / 365.25)


# -- straight lines ------------------------------------------------------------------------------


def test_a_straight_line_is_that_of_least_squares() -> None:
    waves = series(LEVELS)
    found = straight_line(waves, day=date(2014, 1, 1))
    days = np.array([(date(2010 + n, 1, 1) - date(2010, 1, 1)).days / 365.25 for n in range(3)])
    for place, scores in enumerate(LEVELS.values()):
        slope, start = np.polyfit(days, scores, 1)
        assert found.slope.values[place] == pytest.approx(slope)
        ahead = (date(2014, 1, 1) - date(2010, 1, 1)).days / 365.25
        assert found.value.values[place] == pytest.approx(start + slope * ahead)
    spread = ((days - days.mean()) ** 2).sum()
    np.testing.assert_allclose(found.slope.variance, 1 / spread)


def test_lines_go_through_the_waves_there_are() -> None:
    waves = series({"a": [50, np.nan, 54], "b": [np.nan, np.nan, 60]})
    found = straight_line(waves)
    assert found.waves.tolist() == [2, 1]
    assert found.slope.values[0] == pytest.approx(4 / (730 / 365.25))
    assert found.value.values[0] == pytest.approx(54)
    assert np.isnan(found.slope.values[1])
    assert found.to_rows()[1]["slope"] is None
    of_chain = straight_line(link_waves(waves))
    np.testing.assert_array_equal(of_chain.slope.values, found.slope.values)


# -- how they show -------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ko", "en"])
def test_pages_and_frames(language: Any) -> None:
    waves = series({**LEVELS, "<x>": [50, 51, 52]})
    found = project(waves, 60.0, due=date(2014, 1, 1))
    for result in (link_waves(waves), found, straight_line(waves)):
        page = view_html(result._view(language))
        parse(page)
        assert "&lt;x&gt;" in page
        assert result._repr_html_()
        rows = result.to_rows()
        assert result.to_frame("polars").shape == (len(rows), len(rows[0]))


def test_results_in_a_few_words() -> None:
    waves = series(LEVELS)
    assert str(project(waves, 60.0, due=date(2013, 1, 1))).splitlines() == [
        "6 of 6 organizations projected to 2013-01-01",
        "  years ahead: 1.00",
        "  a year's step: 1.54 points (from 12 changes)",
    ]
    assert str(straight_line(waves)) == (
        "straight lines through 3 waves of 6 organizations: a description, no forecast"
    )
    assert [row["wave"] for row in link_waves(waves).to_rows()[:3]] == ["2010", "2011", "2012"]
