"""Plans of five dimensions from 66.15 to 75, computed elsewhere; see the source below."""

from __future__ import annotations

import numpy as np
import pytest

from sotongindex.planning import best_use, least_effort

# improvement_plan_golden.csv of the project's reference results: "five dimensions, index 66.15,
# target 75: single lever, uniform, minimum norm, quadratic cost with caps, linear cost, budget 20;
# largest reachable 82.8". Clarity, timeliness, channel fit, empathy, accuracy.
WEIGHT = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
SCORE = np.array([62.0, 71.0, 55.0, 80.0, 68.0])
CAP = np.array([85.0, 84.0, 75.0, 90.0, 78.0])
COST = np.array([1.0, 2.0, 1.5, 3.0, 0.8])
ROOM = CAP - SCORE
GAIN = 75 - WEIGHT @ SCORE
SINGLE = [29.50000000000003, 35.400000000000034, 44.25000000000004, 59.00000000000006,
          88.50000000000009]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "rises"),
    [
        ({"strategy": "uniform"}, [8.850000000000009] * 5),
        (
            {"room": 100.0},
            [11.800000000000011, 9.833333333333343, 7.866666666666674, 5.9, 3.933333333333337],
        ),
        (
            {},
            [11.800000000000011, 9.833333333333343, 7.866666666666674, 5.9, 3.933333333333337],
        ),
        (
            {"costs": COST},
            [15.811414392059568, 6.58808933002482, 7.027295285359808, 2.635235732009928,
             6.58808933002482],
        ),
        ({"costs": COST, "strategy": "cheapest"}, [23.0, 0.0, 9.750000000000044, 0.0, 0.0]),
    ],
    ids=["uniform", "minimum norm", "quadratic, capped", "quadratic cost", "linear cost"],
)  # fmt: skip
def test_rises(options: dict[str, object], rises: list[float]) -> None:
    found = least_effort(WEIGHT, **{"room": ROOM, "gain": GAIN, **options})
    np.testing.assert_allclose(found, rises, rtol=0, atol=1e-9)
    assert WEIGHT @ found == pytest.approx(GAIN, abs=1e-9)


@pytest.mark.parametrize("lever", range(5))
def test_a_single_lever(lever: int) -> None:
    costs = np.where(np.arange(5) == lever, 1e-6, 1.0)
    found = least_effort(WEIGHT, 100.0, GAIN, strategy="single lever", costs=costs)
    np.testing.assert_allclose(found, np.eye(5)[lever] * SINGLE[lever], rtol=0, atol=1e-9)


def test_a_budget_of_20() -> None:
    found = best_use(WEIGHT, ROOM, 20.0, costs=COST)
    np.testing.assert_allclose(found, [20, 0, 0, 0, 0], rtol=0, atol=1e-9)


def test_the_largest_reachable_score() -> None:
    for strategy in ("least squares", "cheapest", "uniform"):
        found = least_effort(WEIGHT, ROOM, 30.0, strategy=strategy, costs=COST)
        assert WEIGHT @ (SCORE + found) == pytest.approx(82.8, abs=1e-9)


def test_the_uplift_to_the_frontier_and_by_a_point() -> None:
    alone = [least_effort(WEIGHT, ROOM * one, 99.0) for one in np.eye(5)]
    np.testing.assert_allclose(
        [WEIGHT @ rise for rise in alone], [6.9, 3.25, 4.0, 1.5, 1.0], rtol=0, atol=1e-9
    )
