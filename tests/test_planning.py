"""Plans of organizations: what they raise, how far, within which bounds, and how sure."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from panels import CHANNEL_WEIGHTS, CHANNELS, DIMENSION_WEIGHTS, DIMENSIONS, cells_of, panel

import sotongindex as si
from sotongindex.errors import DefinitionError, MethodError
from sotongindex.method import IndexMethod
from sotongindex.models import PeerGroup, PeerStatistic, RoleModel, Scale, Target
from sotongindex.planning import (
    ImprovementPlan,
    PlanLever,
    best_use,
    category_points,
    find_risers,
    find_role_models,
    least_effort,
    open_channel,
    plan_improvement,
)
from sotongindex.results import IndexResult
from sotongindex.shrinkage import shrink_scores

CELLS = cells_of()
NAN = float("nan")


@pytest.fixture(scope="module")
def result() -> IndexResult:
    return panel(CELLS)


def free(**more: Any) -> list[PlanLever]:
    """One lever for every dimension that may rise to 100."""
    return [PlanLever(dimension=key, cap=100.0, **more) for key in DIMENSIONS]


def again(cells: np.ndarray, rises: np.ndarray) -> float:
    """The index of one organization with its cells (2, 3) raised."""
    return float(CHANNEL_WEIGHTS @ (cells + rises) @ DIMENSION_WEIGHTS)


# -- reaching the target -------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["least squares", "cheapest", "uniform", "single lever"])
@pytest.mark.parametrize("levels", ["channels", "dimensions", "cells"])
def test_the_index_computed_again_is_the_target(
    result: IndexResult, levels: str, strategy: Any
) -> None:
    place, aim = 3, float(result.index.values[3]) + 4
    parts = {
        "channels": [(key, None) for key in CHANNELS],
        "dimensions": [(None, key) for key in DIMENSIONS],
        "cells": [(c, d) for c in CHANNELS for d in DIMENSIONS],
    }[levels]
    levers = [PlanLever(channel=c, dimension=d, cap=100) for c, d in parts]
    plan = plan_improvement(result, "o3", aim, levers=levers, strategy=strategy)
    shape = {"channels": (2, 1), "dimensions": (1, 3), "cells": (2, 3)}[levels]
    assert again(CELLS[place], plan.rise.reshape(shape)) == pytest.approx(aim, abs=1e-9)
    assert plan.planned == pytest.approx(aim, abs=1e-9)
    assert plan.gain.sum() == pytest.approx(4, abs=1e-9)
    assert plan.is_feasible
    assert (plan.rise > 1e-9).sum() == 1 or strategy in {"least squares", "uniform"}


@pytest.mark.parametrize("power", [0.0, -1.0, 0.5, 2.0])
@pytest.mark.parametrize(
    "subject",
    [
        {},
        {"channel": "app"},
        {"dimension": "openness"},
        {"channel": "app", "dimension": "openness"},
    ],
)
def test_other_powers_reach_the_target_too(power: float, subject: dict[str, str]) -> None:
    bent = panel(CELLS, method=IndexMethod(power=power))
    aim = float(bent.estimates(**subject).values[5]) + 5
    levers = [PlanLever(channel=c, dimension=d, cap=100) for c in CHANNELS for d in DIMENSIONS]
    plan = plan_improvement(bent, "o5", Target(score=aim, **subject), levers=levers)
    raised = CELLS.copy()
    raised[5] += plan.rise.reshape(2, 3)
    computed = panel(raised, method=IndexMethod(power=power)).estimates(**subject).values[5]
    assert computed == pytest.approx(aim, abs=1e-9)
    assert plan.planned == pytest.approx(aim, abs=1e-9)


def test_targets_of_channels_and_cells(result: IndexResult) -> None:
    score = float(result.channels.values[0, 1])
    plan = plan_improvement(result, "o0", Target(score=score + 3, channel="app"), levers=free())
    assert plan.planned == pytest.approx(score + 3, abs=1e-9)
    np.testing.assert_allclose(plan.weight, DIMENSION_WEIGHTS)
    cell = Target(score=CELLS[0, 0, 0] + 2, channel="blog", dimension="openness")
    plan = plan_improvement(result, "o0", cell, levers=free())
    np.testing.assert_allclose(plan.rise, [2, 0, 0], atol=1e-9)
    assert plan.reasons.tolist() == ["", "no weight", "no weight"]


def test_a_target_that_is_met_has_an_empty_plan(result: IndexResult) -> None:
    plan = plan_improvement(result, "o0", float(result.index.values[0]) - 1)
    assert not plan.rise.any()
    assert plan.is_feasible
    assert plan.planned == pytest.approx(float(result.index.values[0]))


def test_a_target_out_of_reach_gives_the_largest_score_there_is(result: IndexResult) -> None:
    plan = plan_improvement(result, "o2", 99.0)
    np.testing.assert_allclose(
        plan.score.values + plan.rise, np.maximum(plan.cap.values, plan.score.values)
    )
    assert plan.planned == pytest.approx(plan.reachable, abs=1e-9)
    assert plan.shortfall == pytest.approx(99 - plan.reachable, abs=1e-9)
    assert not plan.is_feasible
    assert "misses by" in str(plan)


def test_targets_of_peers_move_with_the_peers(result: IndexResult) -> None:
    rule = PeerStatistic(statistic="mean")
    plan = plan_improvement(result, "o2", Target(score=rule), levers=free())
    others = np.delete(result.index.values, 2)
    assert plan.gap.aim.values[0] == pytest.approx(others.mean())
    assert plan.gap.gap.variance[0] == pytest.approx(result.index.variance[0] * (1 + 1 / 23))
    model = plan_improvement(result, "o2", Target(score=RoleModel(organization="o9")))
    assert model.gap.aim.values[0] == pytest.approx(result.index.values[9])


# -- caps, floors, commitments, costs ------------------------------------------------------------


def test_caps_are_what_peers_reached_without_their_noise(result: IndexResult) -> None:
    plan = plan_improvement(result, "o4", 90.0)
    for number, dimension in enumerate(DIMENSIONS):
        shrunken = shrink_scores(result, dimension=dimension).shrunken.values
        others = np.delete(shrunken, 4)
        assert plan.cap.values[number] == pytest.approx(np.quantile(others, 0.9))
        noisy = np.delete(result.dimensions.values[:, number], 4)
        assert plan.cap.values[number] < np.quantile(noisy, 0.9) < noisy.max()
    assert (plan.cap.standard_error > 0).all()


def test_caps_below_the_score_lower_nothing(result: IndexResult) -> None:
    levers = [PlanLever(dimension="openness", cap=10), PlanLever(dimension="usefulness", cap=100)]
    aim = float(result.index.values[0]) + 2
    plan = plan_improvement(result, "o0", aim, levers=levers)
    np.testing.assert_allclose(plan.rise, [0, 2 / 0.3], atol=1e-9)


def test_no_cell_is_pushed_beyond_100_points() -> None:
    cells = CELLS.copy()
    cells[0, 0] = [98, 40, 50]
    plan = plan_improvement(panel(cells), "o0", 99.0, levers=[PlanLever(channel="blog", cap=100)])
    np.testing.assert_allclose(plan.rise, [2], atol=1e-9)


def test_floors_and_commitments_hold_whatever_the_target(result: IndexResult) -> None:
    score = result.dimensions.values[6]
    levers = [
        PlanLever(dimension="openness", cap=100),
        PlanLever(dimension="usefulness", cap=100, floor=float(score[1]) + 5),
        PlanLever(dimension="response", cap=100, commitment=2.5),
    ]
    for aim in (0.0, float(result.index.values[6]) + 6):
        plan = plan_improvement(result, "o6", aim, levers=levers)
        assert plan.rise[1] >= 5 - 1e-9
        assert plan.rise[2] == pytest.approx(2.5)
        assert plan.rise_low[2] == plan.rise_high[2] == pytest.approx(2.5)
    assert plan.planned == pytest.approx(aim, abs=1e-9)


def test_a_floor_above_its_cap_is_told(result: IndexResult) -> None:
    levers = [PlanLever(dimension="openness", cap=80, floor=95)]
    plan = plan_improvement(result, "o1", 0.0, levers=levers)
    assert plan.score.values[0] + plan.rise[0] == pytest.approx(80)
    assert [notice.code for notice in plan.notices] == ["floor not reached"]
    assert plan.notices[0].keys == ("openness",)


def test_a_budget_buys_the_most(result: IndexResult) -> None:
    levers = [
        PlanLever(dimension=key, cap=90, cost=cost)
        for key, cost in zip(DIMENSIONS, (4, 1, 2), strict=True)
    ]
    plan = plan_improvement(result, "o0", 99.0, levers=levers, budget=10.0)
    assert plan.strategy == "best use"
    assert plan.cost == pytest.approx(10)
    np.testing.assert_allclose(plan.rise, [0, 10, 0])


def test_without_peers_a_lever_may_rise_to_100(result: IndexResult) -> None:
    alone = panel(CELLS[:1])
    plan = plan_improvement(alone, "o0", 80.0)
    assert plan.cap.values.tolist() == [100, 100, 100]
    assert plan.notices[0].code == "no cap"
    rule = PeerStatistic(statistic="p90", peers=PeerGroup(key="odd", where={"industry": ["odd"]}))
    few = plan_improvement(panel(CELLS[:14]), "o0", 80.0, caps=rule)
    assert few.cap.values.tolist() == [100, 100, 100]


# -- how sure ------------------------------------------------------------------------------------


def test_the_probability_after_the_plan_is_that_it_was_made_for(result: IndexResult) -> None:
    aim = float(result.index.values[8]) + 3
    even = plan_improvement(result, "o8", aim, levers=free())
    assert even.probability_after == pytest.approx(0.5)
    assert even.probability_now < 0.05
    sure = plan_improvement(result, "o8", aim, levers=free(), probability=0.9)
    assert sure.probability_after == pytest.approx(0.9)
    assert sure.planned > even.planned


def test_levers_that_tie_share_the_first_place() -> None:
    same = np.full((24, 2, 3), 60.0)
    levers = [PlanLever(channel="blog", dimension=key, cap=100) for key in DIMENSIONS[:1]]
    levers += [PlanLever(channel="app", dimension="openness", cap=100)]
    exact = panel(same, error=0.0)
    weights = [0.4 * 0.5, 0.6 * 0.5]
    plan = plan_improvement(exact, "o0", 65.0, levers=levers)
    np.testing.assert_allclose(plan.weight, weights)
    np.testing.assert_allclose(plan.probability_first, [0, 1])
    equal = [
        PlanLever(dimension="openness", cap=60 + 3.0),
        PlanLever(dimension="usefulness", cap=65),
    ]
    tied = plan_improvement(exact, "o0", 99.0, levers=equal)
    np.testing.assert_allclose(tied.gain, [1.5, 1.5])
    np.testing.assert_allclose(tied.probability_first, [0.5, 0.5])


def test_the_same_seed_gives_the_same_bytes(result: IndexResult) -> None:
    rows = [plan_improvement(result, "o8", 75.0, rng=5).to_rows() for _ in range(2)]
    assert rows[0] == rows[1]
    none = plan_improvement(result, "o8", 75.0, draws=0)
    assert np.isnan(none.probability_first).all()


def test_without_errors_known_there_is_no_probability() -> None:
    bare = panel(CELLS, error=None)
    plan = plan_improvement(bare, "o3", 75.0)
    assert np.isnan(plan.probability_first).all()
    assert np.isnan(plan.probability_after)
    assert plan.to_rows()[0]["probability_first"] is None
    with pytest.raises(MethodError, match="probability: the error of the gap is not known"):
        plan_improvement(bare, "o3", 75.0, probability=0.9)


def test_rises_in_answers(result: IndexResult) -> None:
    # 7-point items: one category is 100/6 points.
    plan = plan_improvement(result, "o3", float(result.index.values[3]) + 2, levers=free())
    np.testing.assert_allclose(plan.answers, plan.rise * 6 / 100)
    assert category_points(Scale(low=1, high=5)) == 25
    assert category_points(Scale(low=0, high=10, conversion="fraction of top")) == 10
    assert category_points(Scale(conversion="top box", boxes=2)) == 100


# -- what is missing, what is wrong --------------------------------------------------------------


def test_a_missing_cell_is_no_lever() -> None:
    cells = CELLS.copy()
    cells[0, 1, 2] = NAN
    plan = plan_improvement(panel(cells), "o0", 80.0, levers="cells")
    assert plan.reasons.tolist() == ["", "", "", "", "", "missing score"]
    assert plan.rise[5] == 0
    assert plan.to_rows()[5]["score"] is None


def test_few_respondents_show_nothing() -> None:
    with pytest.raises(MethodError, match="target: the gap of 'o0' is not shown: few respondents"):
        plan_improvement(panel(CELLS, respondents=4), "o0", 80.0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"organization": "o99"}, DefinitionError, "unknown organization 'o99'"),
        ({"target": 120.0}, DefinitionError, "expected 0 to 100 points"),
        ({"target": Target(score=70, organization="o1")}, MethodError, "for 'o1', not for 'o0'"),
        ({"target": Target(score=70, channel="blog", item="q_response")}, MethodError, "dimension"),
        ({"target": Target(score=70, channel="blgo")}, DefinitionError, "did you mean 'blog'"),
        ({"levers": "dimension"}, MethodError, "did you mean 'dimensions'"),
        ({"levers": []}, MethodError, "at least one lever"),
        ({"levers": [PlanLever(channel="tv")]}, DefinitionError, "unknown channel 'tv'"),
        (
            {"levers": [PlanLever(channel="blog"), PlanLever(dimension="openness")]},
            MethodError,
            "move the same scores",
        ),
        (
            {"target": Target(score=90, channel="blog"), "levers": [PlanLever(channel="app")]},
            MethodError,
            "none of 1 levers moves the score of 'o0' \\(no weight\\)",
        ),
        (
            {"levers": [PlanLever(channel="blog", cap=60, commitment=50)]},
            MethodError,
            "is more than the",
        ),
        ({"levers": [PlanLever(channel="blog", cost=0)]}, MethodError, "no least square"),
        ({"strategy": "cheap"}, MethodError, "did you mean 'cheapest'"),
        ({"probability": 0.3}, MethodError, "from 0.5 to below 1"),
        ({"budget": -1.0}, MethodError, "budget: expected 0 or more"),
    ],
)
def test_bad_arguments(
    result: IndexResult, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    given = {"organization": "o0", "target": 80.0, **arguments}
    with pytest.raises(error, match=message):
        plan_improvement(result, given.pop("organization"), given.pop("target"), **given)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"channel": "blog", "cost": -1.0},
        {"channel": "blog", "cap": 120.0},
        {"channel": "blog", "floor": 60.0, "commitment": 1.0},
        {"channel": "blog", "cost": NAN},
    ],
)
def test_levers_that_contradict_themselves(arguments: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match="PlanLever"):
        PlanLever(**arguments)


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"weights": [-0.1, 0.5]}, "weights"),
        ({"room": [1.0, NAN]}, "room"),
        ({"costs": [-1.0, 1.0]}, "costs"),
        ({"least": [4.0, 0.0]}, "least"),
        ({"gain": np.inf}, "gain"),
        ({"weights": [0.1, 0.5, 0.4]}, "weights"),
        ({"weights": 0.3, "room": 1.0, "least": 0.0, "costs": 1.0}, "weights"),
    ],
)
def test_numbers_that_make_no_plan(arguments: dict[str, Any], argument: str) -> None:
    given = {"weights": [0.3, 0.7], "room": [3.0, 3.0], "gain": 1.0, **arguments}
    with pytest.raises(MethodError) as error:
        least_effort(**given)
    assert error.value.argument == argument


def test_free_levers_are_bought_first() -> None:
    costs = [1.0, 0.0]
    found = least_effort([0.5, 0.5], 10.0, 6.0, strategy="cheapest", costs=costs)
    np.testing.assert_allclose(found, [2, 10])
    np.testing.assert_allclose(best_use([0.5, 0.5], 10.0, 0.0, costs=costs), [0, 10])
    with pytest.raises(MethodError, match="budget"):
        best_use([0.5, 0.5], 10.0, -1.0)


def test_of_levers_that_are_all_too_short_the_strongest_is_the_one() -> None:
    found = least_effort([0.5, 0.2], [4.0, 20.0], 9.0, strategy="single lever")
    np.testing.assert_allclose(found, [0, 20])


def test_importance_of_statistics_cannot_enter_a_plan(result: IndexResult) -> None:
    with pytest.raises(TypeError):
        plan_improvement(result, "o0", 80.0, importance={"openness": 0.9})  # type: ignore[call-arg]


# -- showing -------------------------------------------------------------------------------------


def test_rows_frames_and_text(result: IndexResult) -> None:
    plan = plan_improvement(result, "o3", 72.0)
    rows = plan.to_rows()
    assert [row["lever"] for row in rows] == list(DIMENSIONS)
    assert rows[0]["planned"] == pytest.approx(rows[0]["score"] + rows[0]["rise"])
    assert len(plan.to_frame()) == 3
    html = plan._repr_html_()
    for words in ("What to raise, and how far", "무엇을 얼마나 올릴까", "Chance after the plan"):
        assert words in html
    assert str(plan).startswith("o3: ")
    assert isinstance(plan, ImprovementPlan)
    assert si.plan_improvement is plan_improvement


# -- a channel that is not operated --------------------------------------------------------------


def half(missing: int = 0, absent: str = "renormalize") -> IndexResult:
    """A panel whose organization `missing` has no app."""
    cells = CELLS.copy()
    cells[missing, 1] = NAN
    operated = [["blog"] if number == missing else CHANNELS for number in range(len(cells))]
    return panel(cells, operated=operated, method=IndexMethod(absent_channels=absent))  # type: ignore[arg-type]


def test_an_opened_channel_has_the_medians_of_the_peers() -> None:
    before = half()
    after = open_channel(before, "o0", "app")
    medians = np.median(CELLS[1:, 1], axis=0)
    np.testing.assert_allclose(after.cells.values[0, 1], medians)
    expected = CHANNEL_WEIGHTS @ [CELLS[0, 0] @ DIMENSION_WEIGHTS, medians @ DIMENSION_WEIGHTS]
    assert after.index.values[0] == pytest.approx(expected)
    np.testing.assert_allclose(after.index.values[1:], before.index.values[1:])
    # The medians of 23 scores are surer than one score, and move with the peers' scores.
    assert 0 < after.cells.variance[0, 1, 0] < before.cells.variance[0, 0, 0]
    assert (
        after.cells.select((0, 1, 0)).covariance(before.cells.select((slice(1, None), 1, 0))).sum()
        > 0
    )
    assert after.study.organizations[0].channels == ("blog", "app")
    plan = plan_improvement(after, "o0", 75.0, levers="channels")
    assert plan.reasons.tolist() == ["", ""]


def test_channels_that_are_not_declared_can_be_opened_too() -> None:
    cells = CELLS.copy()
    cells[0, 1] = NAN
    after = open_channel(panel(cells), "o0", "app", assumed=70.0)
    assert after.study.organizations[0].channels is None
    np.testing.assert_allclose(after.channels.values[0, 1], 70)


def test_opening_a_weak_channel_lowers_the_index_where_absent_ones_are_left_out() -> None:
    weak = 20.0
    left_out, zero = half(), half(absent="zero")
    opened = open_channel(left_out, "o0", "app", assumed=weak)
    assert opened.index.values[0] < left_out.index.values[0]
    np.testing.assert_allclose(opened.cells.variance[0, 1], 0)
    assert open_channel(zero, "o0", "app", assumed=weak).index.values[0] > zero.index.values[0]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("o99", "app"), DefinitionError, "unknown organization"),
        (("o0", "ap"), DefinitionError, "did you mean 'app'"),
        (("o1", "app"), MethodError, "operates 'app' already"),
    ],
)
def test_channels_that_cannot_be_opened(
    arguments: tuple[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        open_channel(half(), *arguments)


def test_assumptions_that_cannot_be_made() -> None:
    with pytest.raises(MethodError, match="assumed: expected 0 to 100"):
        open_channel(half(), "o0", "app", assumed=140)
    tiny = half()
    with pytest.raises(MethodError, match="peers with a score on 'app', of 5 needed"):
        open_channel(tiny, "o0", "app", peers=PeerGroup(key="none", where={"industry": ["x"]}))
    other = panel(
        np.where(np.arange(24)[:, None, None] + np.zeros((24, 2, 3)) == 0, NAN, CELLS),
        method=IndexMethod(order="respondents first"),
    )
    with pytest.raises(MethodError, match="items first"):
        open_channel(other, "o0", "app")


# -- role models ---------------------------------------------------------------------------------


def test_role_models_do_what_the_plan_asks_and_are_near(result: IndexResult) -> None:
    own = int(np.argsort(result.index.values)[5])
    plan = plan_improvement(result, f"o{own}", float(result.index.values[own]) + 2)
    models = find_role_models(plan, count=3)
    rows = models.to_rows()
    asked = plan.score.values + plan.rise
    assert [row["where"] for row in rows] == ["within"] * 3 + ["outside"] * 3
    for row in rows:
        place = int(str(row["organization"])[1:])
        assert (place % 2 == own % 2) == (row["where"] == "within")
        held = result.dimensions.values[place] >= asked - 1e-9
        assert row["reached"] == held[plan.rise > 1e-9].sum()
        distance = np.sqrt(((CELLS[place] - CELLS[own]) ** 2).mean())
        assert row["distance"] == pytest.approx(distance)
        assert 0 <= row["probability"] <= 1
    for part in (rows[:3], rows[3:]):
        order = [(-row["reached"], row["distance"]) for row in part]
        assert order == sorted(order)
    assert plan.organization not in [row["organization"] for row in rows]
    assert "Who does already" in models._repr_html_()
    assert "to learn from" in str(models)


def test_an_empty_plan_needs_no_role_model(result: IndexResult) -> None:
    assert find_role_models(plan_improvement(result, "o0", 1.0)).to_rows() == []


def test_risers_began_where_this_one_stands_and_rose() -> None:
    now = CELLS.copy()
    before = CELLS.copy()
    own = CELLS[0] @ DIMENSION_WEIGHTS @ CHANNEL_WEIGHTS
    for place, gain in ((3, 12.0), (4, 9.0), (5, 0.1)):
        level = CELLS[place] @ DIMENSION_WEIGHTS @ CHANNEL_WEIGHTS
        before[place] += own - level
        now[place] = before[place] + gain
    plan = plan_improvement(panel(now), "o0", float(own) + 10)
    found = find_risers(plan, panel(before), years=2.0, near=0.5)
    rows = {str(row["organization"]): row for row in found.to_rows()}
    assert set(rows) == {"o3", "o4"}
    assert rows["o3"]["rise"] == pytest.approx(12)
    assert rows["o3"]["rise_a_year"] == pytest.approx(6)
    assert (rows["o3"]["reached"], rows["o4"]["reached"]) == (True, False)
    assert (rows["o3"]["where"], rows["o4"]["where"]) == ("outside", "within")
    assert find_risers(plan, panel(before)).to_rows()[0]["years"] is None
    assert "Who rose" in found._repr_html_()


@pytest.mark.parametrize("arguments", [{"count": 0}, {"years": 0}, {"near": -1}])
def test_bad_questions_about_risers(result: IndexResult, arguments: dict[str, Any]) -> None:
    plan = plan_improvement(result, "o0", 70.0)
    with pytest.raises(MethodError):
        find_risers(plan, result, **arguments)
    with pytest.raises(MethodError, match="count"):
        find_role_models(plan, count=0)


def test_waves_of_two_frameworks_tell_no_rise(result: IndexResult) -> None:
    framework = attrs.evolve(result.study.framework, version="0")
    other = attrs.evolve(result, study=attrs.evolve(result.study, framework=framework))
    with pytest.raises(MethodError, match="measured by mini 0 and mini 1"):
        find_risers(plan_improvement(result, "o0", 70.0), other)


@pytest.mark.parametrize("strategy", ["least squares", "cheapest", "uniform"])
def test_other_powers_out_of_reach_take_all_the_room(strategy: Any) -> None:
    bent = panel(CELLS, method=IndexMethod(power=0.0))
    plan = plan_improvement(bent, "o5", 99.0, levers="cells", strategy=strategy)
    assert plan.planned == pytest.approx(plan.reachable, abs=1e-9)
    single = plan_improvement(bent, "o5", 99.0, levers="cells", strategy="single lever")
    assert (single.rise > 0).sum() == 1
    assert single.shortfall > plan.shortfall


def test_a_start_without_error_needs_to_be_told_what_is_near() -> None:
    bare = panel(CELLS, error=None)
    plan = plan_improvement(bare, "o0", 70.0)
    with pytest.raises(MethodError, match="near"):
        find_risers(plan, bare)
