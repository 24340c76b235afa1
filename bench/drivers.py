"""Relative importance for growing numbers of drivers, beside a loop over all models."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray
from timing import Work, allocated, medians, number, show_table

from sotongindex._relative_importance import johnson, shapley
from sotongindex.drivers import relative_weights, shapley_importance

# What must not be exceeded, in seconds, where a 2,000 x 2,000 product takes 0.35 s.
BARS = {(16, "Shapley"): 2.0}
MOST_FOR_THE_LOOP = 16


def correlations(drivers: int) -> NDArray[np.float64]:
    """Return correlations of 500 answers, all of them related, the outcome last."""
    rng = np.random.default_rng(20261125)
    answers = rng.normal(size=(500, 1)) + rng.normal(size=(500, drivers + 1))
    return np.corrcoef(answers.T)


def loop(among: NDArray[np.float64], outcome: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit every model by itself and average what each driver adds: what rivals do."""
    count = len(outcome)
    explained = {(): 0.0}
    for size in range(1, count + 1):
        for model in combinations(range(count), size):
            at = list(model)
            slopes = np.linalg.solve(among[np.ix_(at, at)], outcome[at])
            explained[model] = float(slopes @ outcome[at])
    importance = np.zeros(count)
    for model, whole in explained.items():
        for place, driver in enumerate(model):
            gain = whole - explained[model[:place] + model[place + 1 :]]
            importance[driver] += gain / (count * comb(count - 1, len(model) - 1))
    return importance


def works(drivers: int) -> dict[str, Work]:
    """Return what is timed; the loop must find the same."""
    matrix = correlations(drivers)
    among, outcome = matrix[:-1, :-1], matrix[:-1, -1]
    todo: dict[str, Work] = {
        "Johnson": partial(relative_weights, among, outcome),
        "Johnson with derivatives": partial(johnson, matrix),
        "Shapley": partial(shapley_importance, among, outcome),
        "Shapley with derivatives": partial(shapley, matrix),
    }
    if drivers <= MOST_FOR_THE_LOOP:
        np.testing.assert_allclose(loop(among, outcome), shapley_importance(among, outcome))
        todo["Shapley by a loop over models"] = partial(loop, among, outcome)
    return todo


def rows() -> Iterator[tuple[str, ...]]:
    """Time every work at every size."""
    for drivers, runs in ((8, 5), (12, 5), (16, 1), (20, 1)):
        todo = works(drivers)
        found = medians(todo, runs=runs)
        for name, work in todo.items():
            bar = BARS.get((drivers, name))
            times = found[name] / found["Shapley"] if "Shapley" in name else None
            yield (
                str(drivers), name, number(found[name]), "" if bar is None else number(bar),
                "" if times is None else number(times), number(allocated(work) / 2**20),
            )  # fmt: skip


def main() -> None:
    """Print the table."""
    show_table(
        "Relative importance",
        ("drivers", "", "seconds", "bar", "times Shapley", "MB"),
        rows(),
    )


if __name__ == "__main__":
    main()
