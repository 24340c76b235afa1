"""Plans of many organizations at once, beside a solver in a loop; quadrants with their chances."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy import optimize
from timing import Work, medians, number, show_table

from sotongindex.datasets import sample_panel
from sotongindex.importance import importance_performance
from sotongindex.index import compute_index
from sotongindex.planning import best_use, least_effort

ORGANIZATIONS, LEVERS, SOLVED = 1000, 40, 50


def problems() -> tuple[np.ndarray, ...]:
    """Return weights, room, costs and gains."""
    rng = np.random.default_rng(20261125)
    weights = rng.dirichlet(np.ones(LEVERS), ORGANIZATIONS)
    room = rng.uniform(0, 30, weights.shape)
    return weights, room, rng.uniform(0.2, 5, weights.shape), rng.uniform(0, 8, ORGANIZATIONS)


def by_linear_programs(count: int) -> np.ndarray:
    """Return the costs of the cheapest plans of some organizations, one linear program each."""
    weights, room, costs, gains = (part[:count] for part in problems())
    return np.array(
        [
            optimize.linprog(
                costs[row], A_ub=-weights[row][None], b_ub=[-gains[row]],
                bounds=np.column_stack([np.zeros(LEVERS), room[row]]),
            ).fun
            for row in range(count)
        ]
    )  # fmt: skip


def rows() -> Iterator[tuple[str, ...]]:
    """Time plans and quadrants."""
    weights, room, costs, gains = problems()
    plan = partial(least_effort, weights, room, gains, costs=costs)
    found = (costs * plan(strategy="cheapest"))[:SOLVED].sum(axis=1)
    np.testing.assert_allclose(found, by_linear_programs(SOLVED), rtol=1e-7)
    panel = sample_panel()
    result = compute_index(panel.responses, scheme=panel.recipe.scheme)
    works: dict[str, Work] = {
        "least squares": plan,
        "cheapest": partial(plan, strategy="cheapest"),
        "uniform": partial(plan, strategy="uniform"),
        "single lever": partial(plan, strategy="single lever"),
        "best use of a budget": partial(best_use, weights, room, 40.0, costs=costs),
        f"scipy.optimize.linprog, {SOLVED} organizations": partial(by_linear_programs, SOLVED),
        "quadrants of 312 organizations x 6 dimensions, 1,000 draws": partial(
            importance_performance, result
        ),
        "quadrants of 312 organizations x 18 cells, 1,000 draws": partial(
            importance_performance, result, "cells"
        ),
    }
    times = medians(works, runs=3)
    for name, seconds in times.items():
        bar = 5.0 if name.startswith("quadrants") else None if "linprog" in name else 1.0
        yield name, number(seconds), "" if bar is None else number(bar)


def main() -> None:
    """Print the table."""
    show_table(
        f"Plans of {ORGANIZATIONS:,} organizations x {LEVERS} levers",
        ("", "seconds", "bar"),
        rows(),
    )


if __name__ == "__main__":
    main()
