"""Rank intervals against a known truth: sampling and method together hold it, weights alone do not.

Forty organizations, thirty respondents each, six dimensions; the true method is one of those that
the analysis draws from. `python tests/test_robustness_coverage.py` runs it ten times as long.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest
from robust import scored

from sotongindex.percentiles import competition_rank
from sotongindex.robustness import Sampling, WeightSpread, assess_robustness

ORGANIZATIONS, DIMENSIONS, RESPONDENTS, LEVEL = 40, 6, 30, 0.9
SPREAD = WeightSpread(level="dimensions", spread=0.5)


def simulate(replicates: int, *, between: float, seed: int = 5) -> dict[str, np.ndarray]:
    """Return whether each interval holds the true rank, (replicates, organizations)."""
    rng = np.random.default_rng(seed)
    error = 18 / np.sqrt(RESPONDENTS)
    held: dict[str, list[np.ndarray]] = {"weights only": [], "together": [], "probable": []}
    for replicate in range(replicates):
        own = rng.normal(0, between, (ORGANIZATIONS, 1))
        truth = 56 + own + rng.normal(0, between, (ORGANIZATIONS, DIMENSIONS))
        seen = np.clip(truth + rng.normal(0, error, truth.shape), 0, 100)
        weights = rng.uniform(1 - SPREAD.spread, 1 + SPREAD.spread, DIMENSIONS)
        rank = competition_rank(truth @ weights)
        settings = {"runs": 250, "level": LEVEL, "sensitivity": False, "rng": replicate}
        method = assess_robustness(scored(seen, error), SPREAD, **settings)
        both = assess_robustness(scored(seen, error), [SPREAD, Sampling()], **settings)
        for name, (low, high) in {
            "weights only": (method.rank_low, method.rank_high),
            "together": (both.rank_low, both.rank_high),
            "probable": both.probable_ranks(),
        }.items():
            held[name].append((low <= rank) & (rank <= high))
    return {name: np.array(each) for name, each in held.items()}


@pytest.mark.parametrize("between", [1.0, 4.0])
def test_rank_intervals_hold_the_true_rank_only_with_the_sampling_in_them(between):
    held = simulate(100, between=between)
    # The set holds the rank of every organization, those in the thick of it too.
    assert held["together"].mean(axis=0).min() >= LEVEL - 0.09  # three errors of 100 replicates
    assert held["together"].mean() >= LEVEL
    assert held["probable"].mean() >= LEVEL - 0.02
    assert held["weights only"].mean() < LEVEL - 0.15


def test_sets_hold_at_their_level_where_nothing_can_be_told():
    """All true scores equal, the hardest truth: any rank told apart is told wrongly."""
    rng, held = np.random.default_rng(8), []
    for replicate in range(400):
        seen = rng.normal(50, 3.0, (6, 2))
        both = assess_robustness(
            scored(seen, 3.0), [SPREAD, Sampling()], runs=400, level=LEVEL, sensitivity=False,
            rng=replicate,
        )  # fmt: skip
        held.append((both.rank_low == 1) & (both.rank_high == 6))
    # Three Monte-Carlo errors of 400 replicates at 90 % are 4.5 points, for one organization; 3 for
    # the mean of six.
    assert np.mean(held) == pytest.approx(LEVEL, abs=0.03)


if __name__ == "__main__":
    for spread in (1.0, 4.0, 8.0):
        means = {name: each.mean().round(3) for name, each in simulate(400, between=spread).items()}
        sys.stdout.write(f"standard deviation {spread:g} between organizations: {means}\n")
