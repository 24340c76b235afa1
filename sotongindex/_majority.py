"""Pairwise majority: by how much of the weight one unit is ahead of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray
from sotongindex._power_mean import part_weights, score_table
from sotongindex.errors import MethodError
from sotongindex.percentiles import TIE_WIDTH


def pairwise_support(scores: ArrayLike, weights: ArrayLike) -> FloatArray:
    r"""Return the share of the weight by which every unit is ahead of every other.

    .. math:: e_{ab} = \sum_i w_i \bigl([x_{ai} > x_{bi}] + \tfrac12 [x_{ai} = x_{bi}]\bigr)

    over the parts that both units have, the weights scaled to sum to 1 there; 1/2 where they have
    none in common. Only who is ahead counts, not by how much: a part cannot make up for another.

    Args:
        scores: The parts of every unit, (u, k), the more the better; NaN means missing.
        weights: How much the parts count, (k,), 0 or more.

    Returns:
        Shares from 0 to 1, (u, u); with its transpose they add up to 1.

    Raises:
        MethodError: If the scores are not a table of finite numbers, or the weights do not fit.

    References:
        Munda and Nardo (2009), doi:10.1080/00036840601019364.

    >>> pairwise_support([[60.0, 50.0], [50.0, 50.0]], [0.6, 0.4]).round(1).tolist()
    [[0.5, 0.8], [0.2, 0.5]]
    """
    given = score_table(scores)
    weight = part_weights(weights, given.shape[1])
    ahead, common = np.zeros((2, len(given), len(given)))
    for part, importance in zip(given.T, weight, strict=True):
        distance = part[:, None] - part[None, :]
        present = ~np.isnan(distance)
        sign = np.where(np.abs(distance) <= TIE_WIDTH, 0.0, np.sign(distance))
        ahead += importance * np.where(present, (1 + sign) / 2, 0.0)
        common += importance * present
    support: FloatArray = np.full(ahead.shape, 0.5)
    np.divide(ahead, common, out=support, where=common > 0)
    return support


def majority_margins(support: ArrayLike) -> FloatArray:
    """Return by how much the support of every unit over every other exceeds the reverse, (u, u)."""
    given = np.asarray(support, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not given.size:
        raise MethodError(
            f"expected a square matrix, units by units, got the shape {given.shape}",
            argument="support",
        )
    if not np.isfinite(given).all():
        raise MethodError("expected finite numbers", argument="support")
    margins = given - given.T
    # Sums of weights that ought to be equal differ in their last digit.
    return np.where(np.abs(margins) <= TIE_WIDTH, 0.0, margins)


def copeland(support: ArrayLike) -> FloatArray:
    """Return how many others every unit beats by majority, less how many beat it.

    Args:
        support: The support of every unit over every other, (u, u): shares or votes.

    Returns:
        Scores (u,), from 1 - u to u - 1.

    Raises:
        MethodError: If the support is no square matrix of finite numbers.

    References:
        Copeland (1951), A reasonable social welfare function, University of Michigan. Saari and
        Merlin (1996), doi:10.1007/BF01212012.

    >>> copeland([[0.0, 0.8, 0.6], [0.2, 0.0, 0.5], [0.4, 0.5, 0.0]]).tolist()
    [2.0, -1.0, -1.0]
    """
    scores: FloatArray = np.sign(majority_margins(support)).sum(axis=1)
    return scores
