"""Rank confidence sets, probabilities of ranks, and shrinkage, for growing league tables."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from timing import Work, allocated, medians, number, show_table

from sotongindex.ranking import joint_interval_ranks, posterior_ranks, rank_confidence_sets
from sotongindex.shrinkage import shrink

DRAWS = 1000
# What must not be exceeded, in seconds, where a 2,000 x 2,000 product takes 0.35 s.
BARS = {
    (200, "marginal sets"): 0.5,
    (200, "simultaneous sets"): 0.5,
    (1000, "marginal sets"): 10.0,
    (1000, "simultaneous sets"): 10.0,
    (1000, "probabilities"): 5.0,
}


def scores(organizations: int, *, shared: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and their covariance: reliability about 0.8, as of 100 respondents each."""
    rng = np.random.default_rng(20261123)
    values = rng.normal(56, 4, organizations)
    if not shared:
        return values, np.diag(rng.uniform(1, 3, organizations) ** 2)
    # Three respondents an organization, each with a say on one organization in ten.
    factor = rng.normal(0, 0.7, (3 * organizations, organizations))
    factor[rng.random(factor.shape) > 0.1] = 0
    covariance = factor.T @ factor
    return values, covariance * 4 / covariance.diagonal().mean()


def works(organizations: int, *, shared: bool) -> dict[str, Work]:
    """Return what is timed."""
    values, covariance = scores(organizations, shared=shared)
    errors = np.sqrt(covariance.diagonal())
    sets = partial(rank_confidence_sets, values, covariance, draws=DRAWS, rng=0)
    return {
        "marginal sets": sets,
        "simultaneous sets": partial(sets, simultaneous=True),
        "marginal sets, t": partial(sets, degrees_of_freedom=99.0),
        "closed form": partial(joint_interval_ranks, values, errors),
        "probabilities": partial(posterior_ranks, values, covariance),
        "shrinkage": partial(shrink, values, errors),
    }


def rows() -> Iterator[tuple[str, ...]]:
    """Time every work at every size."""
    for organizations, runs in ((200, 5), (1000, 1)):
        for shared in (False, True):
            todo = works(organizations, shared=shared)
            found = medians(todo, runs=runs)
            for name, work in todo.items():
                bar = BARS.get((organizations, name))
                yield (
                    f"{organizations:,}", "shared" if shared else "independent", name,
                    number(found[name]), "" if bar is None else number(bar),
                    number(allocated(work) / 2**20),
                )  # fmt: skip


def main() -> None:
    """Print the table."""
    show_table(
        f"Ranks, {DRAWS:,} draws",
        ("organizations", "respondents", "", "seconds", "bar", "MB"),
        rows(),
    )


if __name__ == "__main__":
    main()
