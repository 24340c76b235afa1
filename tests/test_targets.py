"""Targets from an own past and from role models, their status by probability, and their fit."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from panels import CHANNEL_WEIGHTS, CHANNELS, DIMENSION_WEIGHTS, cells_of, panel
from support import answered, small_study

from sotongindex.errors import DefinitionError, MethodError
from sotongindex.gaps import find_gaps
from sotongindex.index import compute_index
from sotongindex.models import GapClosure, GradeCut, GradeScale, PeerStatistic, RoleModel, Target
from sotongindex.planning import PlanLever, plan_improvement
from sotongindex.results import IndexResult
from sotongindex.targets import StatusRules, check_targets, interim_values, judge_targets

CELLS = cells_of()
SINCE, DUE = date(2024, 9, 1), date(2028, 9, 1)
BEST = PeerStatistic(statistic="best")


@pytest.fixture(scope="module")
def now() -> IndexResult:
    return panel(CELLS)


@pytest.fixture(scope="module")
def before() -> IndexResult:
    return panel(np.clip(CELLS - 3, 0, 100))


# -- targets from the own past, and from one organization ----------------------------------------


def test_a_share_of_the_distance_every_year(now: IndexResult, before: IndexResult) -> None:
    closure = GapClosure(since=SINCE, rate=0.2, benchmark=80.0)
    gap = find_gaps(now, Target(score=closure, due=date(2026, 9, 1)), baseline=before).gaps[0]
    start = before.index.values
    np.testing.assert_allclose(gap.start.values, start)
    np.testing.assert_allclose(gap.aim.values, start + 0.4 * (80 - start))
    np.testing.assert_allclose(gap.aim.variance, 0.36 * before.index.variance)
    late = find_gaps(now, Target(score=closure, due=date(2039, 9, 1)), baseline=before).gaps[0]
    np.testing.assert_allclose(late.aim.values, 80)


@pytest.mark.parametrize(
    ("day", "share"),
    [
        (date(2024, 2, 29), 0.0),
        (date(2025, 3, 1), 0.1),
        (date(2025, 2, 28), 0.1 * 365 / 366),
        (date(2026, 9, 1), 0.1 * (2 + 184 / 365)),
        (date(2020, 1, 1), 0.0),
        (date(2050, 1, 1), 1.0),
    ],
)
def test_years_run_from_day_to_day(day: date, share: float) -> None:
    assert GapClosure(since=date(2024, 2, 29), rate=0.1).share(day) == pytest.approx(share)


def test_who_began_above_the_benchmark_is_asked_to_stay(now: IndexResult) -> None:
    closure = GapClosure(since=SINCE, benchmark=1.0)
    gap = find_gaps(now, Target(score=closure, due=DUE), baseline=now).gaps[0]
    np.testing.assert_allclose(gap.aim.values, now.index.values)


def test_peers_of_now_as_the_benchmark(now: IndexResult, before: IndexResult) -> None:
    closure = GapClosure(since=SINCE, rate=0.5, benchmark=BEST)
    gap = find_gaps(now, Target(score=closure, due=date(2025, 9, 1)), baseline=before).gaps[0]
    best = np.array([np.delete(now.index.values, place).max() for place in range(24)])
    start = before.index.values
    expected = np.where(best > start, (best + start) / 2, start)
    np.testing.assert_allclose(gap.aim.values, expected)


def test_without_a_baseline_there_is_no_aim(now: IndexResult) -> None:
    gap = find_gaps(now, Target(score=GapClosure(since=SINCE), due=DUE)).gaps[0]
    assert set(gap.reasons.tolist()) == {"no baseline"}
    assert gap.to_rows()[0]["aim"] is None


def test_the_best_of_several_earlier_waves(now: IndexResult) -> None:
    first, second = CELLS - 5, CELLS - 5
    first[:12] += 3
    second[12:] += 4
    waves = [panel(first), panel(second)]
    gap = find_gaps(now, Target(score=80), baseline=waves).gaps[0]
    best = np.maximum(waves[0].index.values, waves[1].index.values)
    np.testing.assert_allclose(gap.start.values, best)
    np.testing.assert_allclose(gap.start.variance, waves[0].index.variance)
    assert gap.progress.share.values[0] == pytest.approx(2 / (80 - best[0]))
    with pytest.raises(MethodError, match="baseline: expected at least one earlier result"):
        find_gaps(now, Target(score=80), baseline=[])


def test_a_role_model_sets_its_score_as_the_target(now: IndexResult) -> None:
    gap = find_gaps(now, Target(score=RoleModel(organization="o7"), channel="app")).gaps[0]
    scores = now.channels.values[:, 1]
    np.testing.assert_allclose(gap.gap.values, scores[7] - scores)
    np.testing.assert_allclose(gap.gap.variance[0], 2 * now.channels.variance[0, 1])
    assert (gap.gap.variance[7], gap.probability_met[7]) == (0, 1)
    assert gap.to_rows()[0]["target"] == "score of o7"


def test_a_role_model_with_too_few_respondents_is_no_target() -> None:
    few = panel(CELLS, respondents=20)
    gap = find_gaps(few, Target(score=RoleModel(organization="o7"))).gaps[0]
    assert gap.reasons[0] == "few respondents"


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: GapClosure(since=SINCE, rate=0.0), "GapClosure.rate"),
        (lambda: GapClosure(since=SINCE, benchmark=101.0), "GapClosure.benchmark"),
        (lambda: GapClosure(since="2024"), "GapClosure.since"),
        (lambda: Target(score=GapClosure(since=SINCE)), "Target.due"),
        (lambda: Target(score=GapClosure(since=DUE), due=SINCE), "Target.due"),
        (lambda: Target(score=70, item="q1"), "Target.item"),
        (lambda: Target(score=70, item="q1", channel="a", dimension="b"), "Target.item"),
        (lambda: RoleModel(organization=""), "RoleModel.organization"),
    ],
)
def test_targets_that_contradict_themselves(make: Any, field: str) -> None:
    with pytest.raises(DefinitionError) as error:
        make()
    assert error.value.field == field


def test_an_unknown_role_model_or_item(now: IndexResult) -> None:
    for score in (
        RoleModel(organization="o77"),
        GapClosure(since=SINCE, benchmark=RoleModel(organization="o77")),
    ):
        with pytest.raises(DefinitionError) as error:
            find_gaps(now, Target(score=score, due=DUE))
        assert error.value.field == "targets[0].score.organization"
    with pytest.raises(DefinitionError, match="unknown item 'q9'"):
        find_gaps(now, Target(score=70, channel="app", item="q9"))


def test_an_item_as_target_and_as_lever() -> None:
    study = small_study(["a", "b"], ["blog", "app"], [("q1", "d1"), ("q2", "d1"), ("q3", "d2")])
    rng = np.random.default_rng(3)
    rows = [
        (10 * person + place, key, channel, *rng.integers(1, 8, 3))
        for place, key in enumerate("ab")
        for person in range(40)
        for channel in ("blog", "app")
    ]
    result = compute_index(answered(study, rows))
    found = find_gaps(result, Target(score=90, channel="app", item="q2"))
    gap, lever = found.gaps[0], found.levers[0]
    np.testing.assert_allclose(gap.score.values, result.items.values[:, 1, 1])
    np.testing.assert_allclose(gap.score.variance, result.items.variance[:, 1, 1])
    assert lever.level == "item"
    # Two channels, two dimensions, two items in the first.
    np.testing.assert_allclose(lever.regained.values, gap.gap.values / 8)
    assert found.to_rows()[0]["item"] == "q2"
    assert "app/q2 to 90" in str(found)


# -- status --------------------------------------------------------------------------------------


def exact(*scores: float, error: float = 0.0) -> IndexResult:
    return panel(np.repeat(scores, 6).reshape(-1, 2, 3).astype(float), error=error)


def test_status_by_probability() -> None:
    gaps = find_gaps(exact(70, 60, 50), Target(score=60))
    found = judge_targets(gaps).statuses[0]
    assert found.status.tolist() == ["met", "met", "missed"]
    noisy = panel(np.repeat([64.0, 60.4, 56.0], 6).reshape(3, 2, 3), error=3.0)
    gap = find_gaps(noisy, Target(score=60))
    assert judge_targets(gap).statuses[0].status.tolist() == ["met", "uncertain", "missed"]
    strict = judge_targets(gap, rules=StatusRules(met=0.99999, missed=0.00001))
    assert strict.statuses[0].status.tolist() == ["uncertain"] * 3
    assert strict.rules.met == 0.99999


def test_before_the_day_due_the_path_decides() -> None:
    now = panel(np.repeat([58.0, 54.7, 50.0, 61.5], 6).reshape(4, 2, 3), error=1.0)
    began = panel(np.full((4, 2, 3), 50.0), error=0.0)
    gaps = find_gaps(now, Target(score=60, due=DUE), baseline=began)
    half = date(2026, 9, 1)
    found = judge_targets(gaps, day=half, since=SINCE).statuses[0]
    np.testing.assert_allclose(found.interim.values, 55)
    assert found.status.tolist() == ["on track", "uncertain", "missed", "met"]
    after = judge_targets(gaps, day=DUE, since=SINCE).statuses[0]
    assert np.isnan(after.interim.values).all()
    assert after.status.tolist() == ["missed", "missed", "missed", "met"]
    no_day = judge_targets(gaps, since=SINCE).statuses[0]
    assert no_day.status.tolist() == after.status.tolist()


def test_interim_values_have_the_errors_of_both_ends(now: IndexResult, before: IndexResult) -> None:
    rule = RoleModel(organization="o9")
    gap = find_gaps(now, Target(score=rule, due=DUE), baseline=before).gaps[0]
    interim = interim_values(gap, date(2025, 9, 1), since=SINCE)
    start, aim = gap.start.values, gap.aim.values
    np.testing.assert_allclose(
        interim.values, np.where(aim > start, start + (aim - start) / 4, aim)
    )
    rising = aim > start
    mixed = 9 / 16 * gap.start.variance + 1 / 16 * gap.aim.variance
    np.testing.assert_allclose(interim.variance[rising], mixed[rising])
    early = interim_values(gap, date(2020, 1, 1), since=SINCE)
    np.testing.assert_allclose(early.values[rising], start[rising])
    with pytest.raises(MethodError, match="since"):
        interim_values(gap, SINCE)


def test_a_closure_knows_its_own_first_day(now: IndexResult, before: IndexResult) -> None:
    closure = GapClosure(since=SINCE, benchmark=90.0)
    gaps = find_gaps(now, Target(score=closure, due=DUE), baseline=before)
    found = judge_targets(gaps, day=date(2026, 9, 1)).statuses[0]
    start = before.index.values
    np.testing.assert_allclose(found.interim.values, start + 0.4 * (90 - start))


def test_unknown_errors_have_no_status() -> None:
    gaps = find_gaps(panel(CELLS, error=None), Target(score=60))
    result = judge_targets(gaps)
    assert set(result.statuses[0].status.tolist()) == {""}
    assert result.to_rows()[0]["reason"] == "error not known"
    assert "not known" in str(result)


@pytest.mark.parametrize(
    "numbers", [{"missed": 0.6}, {"met": 1.2}, {"missed": -0.1}, {"on_track": 0.05}]
)
def test_status_rules_are_probabilities_in_order(numbers: dict[str, float]) -> None:
    with pytest.raises(DefinitionError, match="StatusRules"):
        StatusRules(**numbers)


def test_statuses_are_shown(now: IndexResult) -> None:
    cut = GradeCut(grade="A", scale=GradeScale(key="g", bands={"A": 60}))
    result = judge_targets(find_gaps(now, Target(score=cut)), day=SINCE)
    html = result._repr_html_()
    assert "Where targets stand" in html
    assert "미달" in html
    assert str(result).startswith("1 targets on 2024-09-01")
    assert len(result.to_frame()) == 24


# -- targets beside targets ----------------------------------------------------------------------


def test_targets_of_the_parts_imply_the_whole(now: IndexResult) -> None:
    parts = [Target(score=75, channel="blog"), Target(score=80, channel="app")]
    check = check_targets(now, [Target(score=78), *parts]).checks[0]
    implied = np.maximum(now.channels.values, [75, 80]) @ CHANNEL_WEIGHTS
    np.testing.assert_allclose(check.shortfall.values, 78 - implied, atol=1e-9)
    np.testing.assert_allclose(check.reachable, implied)
    np.testing.assert_allclose(check.required, np.maximum(78 - now.index.values, 0))
    assert check.parts == 2
    met = 78 - implied <= 1e-9
    assert check.verdict.tolist() == np.where(met, "enough", "conflict").tolist()
    lower = check_targets(now, [Target(score=78), *parts]).conflicts()
    assert len(lower) == (~met).sum()


def test_the_error_of_a_shortfall(now: IndexResult) -> None:
    targets = [Target(score=90), Target(score=85, channel="blog"), Target(score=85, channel="app")]
    check = check_targets(now, targets).checks[0]
    # All channels rise to exact targets, so nothing of the scores' errors is left.
    np.testing.assert_allclose(check.shortfall.values, 5)
    np.testing.assert_allclose(check.shortfall.variance, 0, atol=1e-12)


def test_parts_without_a_target_can_help(now: IndexResult) -> None:
    targets = [Target(score=70), Target(score=65, channel="blog")]
    check = check_targets(now, targets).checks[0]
    assert "open" in check.verdict.tolist()
    blog = np.maximum(now.channels.values[:, 0], 65)
    np.testing.assert_allclose(check.reachable, 0.4 * blog + 0.6 * 100)
    capped = check_targets(now, targets, caps=PeerStatistic(statistic="p90")).checks[0]
    assert (capped.reachable < check.reachable).all()
    assert (capped.verdict == "conflict").sum() > 0
    alone = check_targets(now, [Target(score=70)], caps=PeerStatistic(statistic="p90")).checks[0]
    plan = plan_improvement(now, "o2", 99.0, levers="cells")
    assert alone.reachable[2] == pytest.approx(plan.reachable)


def test_of_two_targets_for_a_cell_the_larger_rise_counts(now: IndexResult) -> None:
    targets = [
        Target(score=95),
        Target(score=90, channel="blog"),
        Target(score=92, dimension="openness"),
    ]
    check = check_targets(now, targets).checks[0]
    place = 4
    blog = np.maximum(90 - now.channels.values[place, 0], 0)
    openness = np.maximum(92 - now.dimensions.values[place, 0], 0)
    rises = np.zeros((2, 3))
    rises[0] = blog
    rises[:, 0] = np.maximum(rises[:, 0], openness)
    expected = now.index.values[place] + CHANNEL_WEIGHTS @ rises @ DIMENSION_WEIGHTS
    assert 95 - check.shortfall.values[place] == pytest.approx(expected)


def test_channels_and_dimensions_are_wholes_of_their_cells(now: IndexResult) -> None:
    cells = [
        Target(score=70, channel="blog", dimension=key)
        for key in ("openness", "usefulness", "response")
    ]
    check = check_targets(now, [Target(score=75, channel="blog"), *cells]).checks[0]
    high = now.channels.values[:, 0] < 69
    implied = np.maximum(CELLS[:, 0], 70) @ DIMENSION_WEIGHTS
    np.testing.assert_allclose(check.shortfall.values[high], (75 - implied)[high])
    assert set(check.verdict[high].tolist()) <= {"conflict", "enough"}


def test_targets_of_one_organization_do_not_bind_others(now: IndexResult) -> None:
    targets = [Target(score=70), Target(score=90, channel="app", organization="o3")]
    check = check_targets(now, targets).checks[0]
    np.testing.assert_allclose(
        np.delete(check.shortfall.values, 3), np.delete(70 - now.index.values, 3)
    )
    assert check.shortfall.values[3] < 70 - now.index.values[3]


def test_cells_alone_have_no_whole(now: IndexResult) -> None:
    cell = Target(score=70, channel="blog", dimension="openness")
    with pytest.raises(MethodError, match="cells have no parts"):
        check_targets(now, [cell])
    with pytest.raises(DefinitionError, match=r"targets\[1\].channel"):
        check_targets(now, [cell, Target(score=70, channel="x")])


def test_checks_are_shown(now: IndexResult) -> None:
    result = check_targets(
        now, [Target(score=95), *(Target(score=60, channel=c) for c in CHANNELS)]
    )
    assert "in conflict (o0 lacks" in str(result)
    html = result._repr_html_()
    assert "Targets beside the targets of their parts" in html
    assert "충돌" in html
    assert result.to_rows()[0]["verdict"] == "conflict"
    calm = check_targets(now, [Target(score=0)])
    assert "no conflict" in str(calm)
    assert calm.conflicts() == []
    assert PlanLever(channel="blog").name == "blog"
