"""Benefit of the doubt beside a loop over HiGHS; the Mazziotta-Pareto index; Kemeny's orders."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy.optimize import linprog
from timing import Work, allocated, medians, number, seconds, show_table

from sotongindex.aggregation import kemeny, mazziotta_pareto, pairwise_support
from sotongindex.weighting import ShareLimits, benefit_of_the_doubt

PARTS = 8
LOOPED = 100  # units that the rival solves; its seconds are for as many as there are
# What must not be exceeded, in seconds, where a 2,000 x 2,000 product takes 0.35 s.
BARS = {1000: 0.5, 5000: 10.0}
LIMITS = {"free": None, "contributions within 5 to 30 %": ShareLimits(low=0.05, high=0.30)}


def uniform(units: int) -> np.ndarray:
    """Return scores of which many are best in something: the hardest case."""
    return np.random.default_rng(20261123).random((units, PARTS))


def surveyed(units: int) -> np.ndarray:
    """Return scores like those of surveys, whose parts go together."""
    rng = np.random.default_rng(20261123)
    return np.clip(rng.normal(56, 8, (units, 1)) + rng.normal(0, 5, (units, PARTS)), 1, 99)


def loop(scores: np.ndarray) -> np.ndarray:
    """Return free scores of the first units, each a program of its own."""
    ones = np.ones(len(scores))
    return np.array([-linprog(-own, A_ub=scores, b_ub=ones).fun for own in scores[:LOOPED]])


def envelope_rows() -> Iterator[tuple[str, ...]]:
    """Time benefit of the doubt, free and limited, and the loop."""
    for units, runs in ((1000, 5), (5000, 1)):
        for name, scores in (("uniform", uniform(units)), ("surveyed", surveyed(units))):
            works = {
                told: partial(benefit_of_the_doubt, scores, limits=limits)
                for told, limits in LIMITS.items()
            }
            for told, found in medians(works, runs=runs).items():
                yield (
                    f"{units:,}", name, told, number(found), number(BARS[units]),
                    number(allocated(works[told]) / 2**20),
                )  # fmt: skip
            exact = benefit_of_the_doubt(scores).scores[:LOOPED]
            if np.abs(exact - loop(scores)).max() > 1e-9:
                raise SystemExit("the loop found other scores")
            rival = seconds(partial(loop, scores)) * units / LOOPED
            yield f"{units:,}", name, "free, a loop over linprog", number(rival), "", ""


def other_rows() -> Iterator[tuple[str, str, str]]:
    """Time the other ways to aggregate."""
    weights = np.ones(PARTS)
    points = partial(mazziotta_pareto, surveyed(100_000), weights, goalposts=(0, 100))
    works: dict[str, Work] = {
        "Mazziotta-Pareto, 100,000 units": points,
        "pairwise support, 1,000 units": partial(pairwise_support, surveyed(1000), weights),
        "Kemeny, 20 units": partial(kemeny, pairwise_support(surveyed(20), weights)),
        "Kemeny, 30 units": partial(kemeny, pairwise_support(surveyed(30), weights)),
        "Kemeny, 30 units at random": partial(kemeny, pairwise_support(uniform(30), weights)),
    }
    for name, found in medians(works, runs=3).items():
        yield name, number(found), number(allocated(works[name]) / 2**20)


def main() -> None:
    """Print the tables."""
    show_table(
        f"Benefit of the doubt, {PARTS} parts",
        ("units", "scores", "limits", "seconds", "bar", "MB"),
        envelope_rows(),
    )
    show_table(f"Other aggregations, {PARTS} parts", ("", "seconds", "MB"), other_rows())


if __name__ == "__main__":
    main()
