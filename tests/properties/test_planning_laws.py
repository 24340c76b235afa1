"""Laws of plans: they reach what they can, within bounds, and no other rises cost less."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import cells_of, panel
from scipy import optimize

from sotongindex.gaps import find_gaps
from sotongindex.models import PeerStatistic, Target
from sotongindex.planning import PlanLever, Strategy, best_use, least_effort, plan_improvement
from sotongindex.targets import judge_targets

STRATEGIES: tuple[Strategy, ...] = ("least squares", "cheapest", "uniform")


@st.composite
def problems(draw: st.DrawFn) -> dict[str, Any]:
    """A plan to make: weights, room, costs, least rises and the gain wanted."""
    count = draw(st.integers(1, 7))

    def numbers(low: float, high: float) -> np.ndarray:
        # Whole steps, so that ties and zeros come up.
        steps = draw(st.lists(st.integers(0, 12), min_size=count, max_size=count))
        return low + (high - low) * np.array(steps) / 12

    weights, room, costs = numbers(0, 0.6), numbers(0, 30), numbers(0.5, 4)
    share = draw(st.lists(st.sampled_from([0.0, 0.0, 0.25, 1.0]), min_size=count, max_size=count))
    gain = draw(st.floats(-3, 40, allow_nan=False))
    return {
        "weights": weights, "room": room, "costs": costs, "least": room * share, "gain": gain,
    }  # fmt: skip


@given(problems(), st.sampled_from(STRATEGIES))
def test_a_plan_reaches_its_gain_within_its_bounds(problem: dict[str, Any], strategy: Any) -> None:
    rises = least_effort(**problem, strategy=strategy)
    weights, room, least = problem["weights"], problem["room"], problem["least"]
    assert (rises >= least - 1e-12).all()
    assert (rises <= np.where(weights > 0, room, least) + 1e-12).all()
    possible, bound = weights @ room, weights @ least
    assert weights @ rises == pytest.approx(
        np.clip(problem["gain"], bound, max(possible, bound)), abs=1e-9
    )


@given(problems())
def test_the_cheapest_plan_costs_what_a_linear_program_says(problem: dict[str, Any]) -> None:
    rises = least_effort(**problem, strategy="cheapest")
    weights, costs = problem["weights"], problem["costs"]
    wanted = min(problem["gain"], float(weights @ problem["room"]))
    solved = optimize.linprog(
        costs,
        A_ub=-weights[None],
        b_ub=[-wanted + 1e-10],
        bounds=np.column_stack([problem["least"], problem["room"]]),
    )
    assert solved.status == 0
    assert costs @ rises == pytest.approx(solved.fun, abs=1e-6)


@given(problems(), st.floats(0, 80))
def test_the_best_use_of_a_budget_is_a_linear_program(
    problem: dict[str, Any], budget: float
) -> None:
    weights, costs, least = problem["weights"], problem["costs"], problem["least"]
    budget += float(costs @ least)
    rises = best_use(weights, problem["room"], budget, costs=costs, least=least)
    assert costs @ rises <= budget + 1e-9
    solved = optimize.linprog(
        -weights,
        A_ub=costs[None],
        b_ub=[budget],
        bounds=np.column_stack([least, problem["room"]]),
    )
    assert weights @ rises == pytest.approx(-solved.fun, abs=1e-6)


@settings(max_examples=40)
@given(problems())
def test_least_squares_are_what_a_solver_finds(problem: dict[str, Any]) -> None:
    weights, room, costs, least = (problem[key] for key in ("weights", "room", "costs", "least"))
    wanted = np.clip(problem["gain"], 0.0, 0.98 * float(weights @ room))
    rises = least_effort(weights, room, wanted, costs=costs, least=least)
    solved = optimize.minimize(
        lambda x: (costs * x**2).sum(),
        np.where(weights > 0, room, least),
        jac=lambda x: 2 * costs * x,
        bounds=np.column_stack([least, np.maximum(room, least)]),
        constraints=[{"type": "ineq", "fun": lambda x: weights @ x - wanted,
                      "jac": lambda x: weights}],
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )  # fmt: skip
    if solved.success:
        assert (costs * rises**2).sum() == pytest.approx(solved.fun, rel=1e-5, abs=1e-5)
    # Whatever the solver does, the conditions of the optimum hold: one water level.
    free = (rises > least + 1e-9) & (rises < room - 1e-9) & (weights > 0)
    levels = (costs * rises)[free] / weights[free]
    assert levels.max(initial=0.0) - levels.min(initial=np.inf) <= 1e-6 * levels.max(initial=0.0)


@given(problems(), st.sampled_from(STRATEGIES), st.integers(0, 6), st.floats(1.05, 5))
def test_a_higher_cost_never_raises_a_lever(
    problem: dict[str, Any], strategy: Any, lever: int, factor: float
) -> None:
    lever %= len(problem["weights"])
    before = least_effort(**problem, strategy=strategy)
    dearer = problem["costs"].copy()
    dearer[lever] *= factor
    after = least_effort(**{**problem, "costs": dearer}, strategy=strategy)
    assert after[lever] <= before[lever] + 1e-9


@given(problems(), st.sampled_from(STRATEGIES), st.randoms())
def test_the_order_of_levers_changes_no_effort(
    problem: dict[str, Any], strategy: Any, random: Any
) -> None:
    order = list(range(len(problem["weights"])))
    random.shuffle(order)
    turned = {key: value if key == "gain" else value[order] for key, value in problem.items()}
    rises = least_effort(**problem, strategy=strategy)
    again = least_effort(**turned, strategy=strategy)
    if strategy == "cheapest":  # of ties the first rises
        costs = problem["costs"]
        assert costs[order] @ again == pytest.approx(costs @ rises, abs=1e-9)
    else:
        np.testing.assert_allclose(again, rises[order], atol=1e-9)


@given(st.lists(problems(), min_size=2, max_size=4))
def test_many_plans_at_once_are_the_plans_one_by_one(several: list[dict[str, Any]]) -> None:
    count = min(len(problem["weights"]) for problem in several)
    rows = {
        key: np.array(
            [np.broadcast_to(one[key], np.shape(one[key]))[..., :count] for one in several]
        )
        for key in ("weights", "room", "costs", "least")
    }
    gains = np.array([problem["gain"] for problem in several])
    for strategy in (*STRATEGIES, "single lever"):
        together = least_effort(**rows, gain=gains, strategy=strategy)
        for row, gain in enumerate(gains):
            one = {key: value[row] for key, value in rows.items()}
            alone = least_effort(**one, gain=gain, strategy=strategy)
            np.testing.assert_allclose(together[row], alone, atol=1e-9)


@given(problems())
def test_a_gain_that_is_there_already_needs_no_plan(problem: dict[str, Any]) -> None:
    for strategy in (*STRATEGIES, "single lever"):
        empty = {**problem, "gain": -abs(problem["gain"]), "least": 0.0}
        assert not least_effort(**empty, strategy=strategy).any()


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(14)), st.sampled_from(["channels", "dimensions", "cells"]))
def test_the_order_of_organizations_changes_no_plan(order: list[int], levels: Any) -> None:
    cells = cells_of(14)
    target = Target(score=PeerStatistic(statistic="p90"))
    here = plan_improvement(panel(cells), "o5", target, levers=levels, draws=0)
    turned = panel(cells[order])
    there = plan_improvement(turned, f"o{order.index(5)}", target, levers=levels, draws=0)
    np.testing.assert_allclose(there.rise, here.rise, atol=1e-9)
    np.testing.assert_allclose(there.cap.values, here.cap.values, atol=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.floats(0, 100), st.floats(0.1, 5))
def test_probabilities_rise_with_the_score(aim: float, error: float) -> None:
    levels = np.linspace(1, 99, 8)[:, None, None] + np.zeros((8, 2, 3))
    gaps = find_gaps(panel(levels, error=error), Target(score=aim))
    met = gaps.gaps[0].probability_met
    assert (np.diff(met) >= -1e-12).all()
    place = {"missed": 0, "uncertain": 1, "met": 2}
    status = [place[one] for one in judge_targets(gaps).statuses[0].status.tolist()]
    assert status == sorted(status)


@settings(max_examples=25, deadline=None)
@given(st.floats(40, 99), st.sampled_from(STRATEGIES), st.floats(0, 6), st.floats(0.5, 0.95))
def test_plans_keep_caps_floors_and_commitments(
    aim: float, strategy: Any, commitment: float, probability: float
) -> None:
    result = panel(cells_of(14))
    score = result.dimensions.values[3]
    levers = [
        PlanLever(dimension="openness", cap=float(min(score[0] + 8, 100))),
        PlanLever(dimension="usefulness", cap=float(min(score[1] + 8, 100)), floor=float(score[1])),
        PlanLever(dimension="response", cap=float(min(score[2] + 8, 100)), commitment=commitment),
    ]
    plan = plan_improvement(
        result, "o3", aim, levers=levers, strategy=strategy, probability=probability, draws=20
    )
    assert (plan.score.values + plan.rise <= plan.cap.values + 1e-9).all()
    assert plan.rise[2] == pytest.approx(commitment)
    assert (plan.rise_low <= plan.rise_high + 1e-12).all()
    if plan.is_feasible:
        assert plan.gain.sum() >= plan.wanted - 1e-9
        assert plan.probability_after >= probability - 1e-9
    else:
        assert plan.planned == pytest.approx(plan.reachable, abs=1e-9)
