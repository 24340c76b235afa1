"""Chances that are told come true as often as they say, on data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from panels import CHANNEL_WEIGHTS, CHANNELS, DIMENSION_WEIGHTS, DIMENSIONS, panel

from sotongindex._plan_desk import Effort
from sotongindex._planner import Planner
from sotongindex.benchmark import DisclosureRules
from sotongindex.gaps import find_gaps
from sotongindex.models import PeerStatistic, Target
from sotongindex.planning import PlanLever
from sotongindex.targets import judge_targets

COUNT, ERROR = 3000, 4.0
RULES = DisclosureRules()


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """True cells with so wide a spread that a flat prior is right."""
    rng = np.random.default_rng(11)
    return np.clip(rng.uniform(30, 70, (COUNT, 1, 1)) + rng.normal(0, 3, (COUNT, 2, 3)), 1, 99)


@pytest.fixture(scope="module")
def measured(truth: np.ndarray) -> np.ndarray:
    return truth + np.random.default_rng(12).normal(0, ERROR, truth.shape)


def index_of(cells: np.ndarray) -> np.ndarray:
    return np.einsum("ocd,c,d->o", cells, CHANNEL_WEIGHTS, DIMENSION_WEIGHTS)


def test_the_probability_of_having_met_a_target(truth: np.ndarray, measured: np.ndarray) -> None:
    gap = find_gaps(panel(measured, error=ERROR), Target(score=50)).gaps[0]
    met = index_of(truth) >= 50
    for low, high in ((0.05, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 0.95)):
        inside = (gap.probability_met > low) & (gap.probability_met <= high)
        expected, seen = gap.probability_met[inside].mean(), met[inside].mean()
        assert seen == pytest.approx(expected, abs=3 * np.sqrt(0.25 / inside.sum()))


def test_a_target_called_met_is_met(truth: np.ndarray, measured: np.ndarray) -> None:
    gaps = find_gaps(panel(measured, error=ERROR), Target(score=50))
    status = judge_targets(gaps).statuses[0].status
    met = index_of(truth) >= 50
    assert met[status == "met"].mean() > 0.9
    assert met[status == "missed"].mean() < 0.1
    # The measured score alone is wrong far more often where it matters.
    near = status == "uncertain"
    assert (index_of(measured)[near] >= 50)[~met[near]].mean() > 0.2


@pytest.mark.parametrize("probability", [0.5, 0.8, 0.95])
def test_plans_reach_the_true_target_as_often_as_they_say(
    truth: np.ndarray, measured: np.ndarray, probability: float
) -> None:
    """Plans are made from noisy scores and carried out on the true ones."""
    few = 400
    result = panel(measured[:few], error=ERROR)
    levers = tuple(
        PlanLever(channel=channel, dimension=dimension, cap=100)
        for channel in CHANNELS
        for dimension in DIMENSIONS
    )
    planner = Planner.of(
        result, Target(score=75), levers=levers, caps=PeerStatistic(statistic="p90"),
        baseline=None, rules=RULES,
    )  # fmt: skip
    effort = Effort(strategy="cheapest", budget=None, probability=probability, draws=0, rng=0)
    rises = np.array([planner.plan(key, effort).rise for key in result.organizations])
    reached = index_of(truth[:few] + rises.reshape(few, 2, 3)) >= 75
    assert reached.mean() == pytest.approx(
        probability, abs=3 * np.sqrt(probability * (1 - probability) / few)
    )
