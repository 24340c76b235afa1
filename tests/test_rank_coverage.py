"""Statistical claims about ranks against a known truth.

Rank sets hold the true ranks at their level, with independent and with shared respondents; shrunken
scores and expected percentiles are closer to the truth than raw ones.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

from sotongindex.percentiles import percentile_rank
from sotongindex.ranking import posterior_ranks, rank_confidence_sets
from sotongindex.shrinkage import shrink
from sotongindex.variance import Estimates

ORGANIZATIONS, REPLICATES, LEVEL = 6, 300, 0.9
TRUTH = np.array([60.0, 60.0, 59.0, 57.5, 57.0, 53.0])
TIED = np.full(ORGANIZATIONS, 57.0)  # the hardest truth: nothing must be told apart


def covariance_of(design: str) -> np.ndarray:
    own = np.diag([0.6, 1.0, 1.4, 0.8, 2.0, 1.0])
    if design == "independent":
        return own
    # A taste that all share, and one that only every other organization meets.
    shared = np.full((ORGANIZATIONS, ORGANIZATIONS), 3.0)
    every_other = np.arange(ORGANIZATIONS) % 2 == 0
    return own / 2 + shared + np.outer(every_other, every_other) * 0.7


@functools.cache
def coverage(
    design: str, *, simultaneous: bool, tied: bool = False, ignored: bool = False
) -> tuple[np.ndarray, float]:
    """Return how often each true rank is held, and how often all are; of a tie, every rank."""
    truth = TIED if tied else TRUTH
    best = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
    worst = (truth[None, :] >= truth[:, None]).sum(axis=1)
    covariance = covariance_of(design)
    root = np.linalg.cholesky(covariance)
    given = np.diag(covariance.diagonal()) if ignored else covariance
    rng, held = np.random.default_rng(17), []
    for seed in range(REPLICATES):
        seen = truth + root @ rng.standard_normal(ORGANIZATIONS)
        sets = rank_confidence_sets(
            seen, given, level=LEVEL, simultaneous=simultaneous, draws=500, rng=seed
        )
        held.append((sets.low <= best) & (worst <= sets.high))
    hits = np.array(held)
    return hits.mean(axis=0), float(hits.all(axis=1).mean())


# Three Monte-Carlo standard errors of 300 replicates at 90 % are 5 points.
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("design", ["independent", "shared"])
def test_marginal_sets_hold_each_rank_at_their_level(design, tied):
    each, _ = coverage(design, simultaneous=False, tied=tied)
    assert (each >= LEVEL - 0.05).all()
    if tied:
        assert (each <= LEVEL + 0.05).all()


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("design", ["independent", "shared"])
def test_simultaneous_sets_hold_all_ranks_at_their_level(design, tied):
    _, together = coverage(design, simultaneous=True, tied=tied)
    assert together >= LEVEL - 0.05
    if tied:
        assert together <= LEVEL + 0.05


def test_marginal_sets_do_not_hold_all_ranks_at_once():
    _, together = coverage("independent", simultaneous=False, tied=True)
    assert together < LEVEL - 0.1


def test_sets_that_ignore_shared_respondents_say_too_little():
    _, together = coverage("shared", simultaneous=True, tied=True, ignored=True)
    assert together > LEVEL + 0.05


def test_few_respondents_are_covered_through_the_degrees_of_freedom():
    """Scores from 5 respondents each, their errors estimated: everybody tied again."""
    rng, normal, student = np.random.default_rng(8), [], []
    for seed in range(REPLICATES):
        answers = rng.normal(50, [3.0, 5.0, 8.0], (5, 3))
        errors = answers.std(axis=0, ddof=1) / np.sqrt(5)
        for held, freedom in ((normal, np.inf), (student, 4.0)):
            sets = rank_confidence_sets(
                answers.mean(axis=0), errors, level=LEVEL, simultaneous=True,
                degrees_of_freedom=freedom, draws=500, rng=seed,
            )  # fmt: skip
            held.append((sets.low == 1).all() and (sets.high == 3).all())
    assert np.mean(student) >= LEVEL - 0.05
    assert np.mean(normal) < np.mean(student) - 0.03


def test_shrunken_scores_and_percentiles_beat_raw_ones():
    rng = np.random.default_rng(21)
    errors = np.repeat([1.0, 3.0, 6.0], 12)
    raw = shrunken = 0.0
    raw_percentile = expected_percentile = 0.0
    claimed, reached = [], []
    for _ in range(60):
        truth = rng.normal(56, 4, len(errors))
        seen = rng.normal(truth, errors)
        made, ranks = shrink(seen, errors), posterior_ranks(seen, errors, prior="normal")
        raw += ((seen - truth) ** 2).mean()
        shrunken += ((made.values - truth) ** 2).mean()
        claimed.append(made.mean_squared_error)
        reached.append((made.values - truth) ** 2)
        true_percentile = percentile_rank(truth)
        raw_percentile += ((percentile_rank(seen) - true_percentile) ** 2).mean()
        expected_percentile += ((ranks.expected_percentile - true_percentile) ** 2).mean()
    assert shrunken < 0.6 * raw
    assert expected_percentile < 0.85 * raw_percentile
    # The mean squared errors that are claimed are those that are reached, at every size of error.
    by_size = np.mean(reached, axis=0).reshape(3, 12).mean(axis=1)
    np.testing.assert_allclose(
        np.mean(claimed, axis=0).reshape(3, 12).mean(axis=1), by_size, rtol=0.15
    )


def test_probabilities_of_the_top_are_right_as_often_as_they_say():
    rng = np.random.default_rng(30)
    errors = np.tile([1.0, 2.0, 4.0], 6)
    said, was = [], []
    for _ in range(200):
        truth = rng.normal(56, 4, len(errors))
        ranks = posterior_ranks(rng.normal(truth, errors), errors, prior="normal")
        said.append(ranks.probability_top(5))
        was.append(np.argsort(np.argsort(-truth)) < 5)
    chance, hit = np.ravel(said), np.ravel(was)
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.01)):
        chosen = (chance >= low) & (chance < high)
        assert hit[chosen].mean() == pytest.approx(chance[chosen].mean(), abs=0.06)


def test_shared_respondents_of_an_index_count():
    """Ranks of estimates that share respondents, through their own covariance."""
    independent = Estimates.independent(TRUTH, np.ones(ORGANIZATIONS))
    taste = np.ones((ORGANIZATIONS, 1)) * 5
    both = np.hstack([np.eye(ORGANIZATIONS), taste])
    joint = Estimates.independent([*TRUTH, 0.0], np.ones(ORGANIZATIONS + 1)).transform(both)
    first = rank_confidence_sets(TRUTH, independent.covariance(), rng=1)
    second = rank_confidence_sets(joint.values, joint.covariance(), rng=1)
    np.testing.assert_array_equal(first.low, second.low)
