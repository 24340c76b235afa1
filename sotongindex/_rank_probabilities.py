"""The probability of every rank, by quadrature over the score.

An organization with the true score x has rank k + 1 if exactly k others are above x. Given x the
others are above it independently of each other, so their number is a sum of independent coin
tosses. Its characteristic function is a product; leaving one organization out is a division.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from sotongindex._arrays import FloatArray, IntArray
from sotongindex._student import special
from sotongindex.percentiles import TIE_WIDTH

# Beyond so many errors from its mean a score is taken as impossible: 2 in a thousand million.
_REACH = 6.0
# Gauss-Legendre nodes of a panel, and the widest panel, in the scales on which anything changes.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
_WIDEST = 4.0
# A variance of the number above that is too small to matter.
_QUIET = 0.01
# A characteristic function below exp(-32) adds nothing.
_NEGLIGIBLE = 32.0


def rank_probabilities(mean: FloatArray, error: FloatArray) -> FloatArray:
    """Return the probability that an organization (row) has a rank (column), (n, n).

    Args:
        mean: Means of the normal distributions of the true scores, (n,).
        error: Their standard deviations, (n,); up to 1e-9 counts as 0.
    """
    count = len(mean)
    spread = np.where(error <= TIE_WIDTH, 0.0, error)
    reach = np.where(spread > 0, _REACH * spread, TIE_WIDTH / 2)
    order = np.argsort(-(mean + reach), kind="stable")
    # Organizations whose scores cannot meet are told apart for certain: stretches in between.
    lowest = np.minimum.accumulate((mean - reach)[order])
    starts = np.flatnonzero(
        np.concatenate([[True], (mean + reach)[order][1:] < lowest[:-1], [True]])
    )
    probability = np.zeros((count, count))
    for start, end in itertools.pairwise(starts):
        members = order[start:end]
        probability[members, start:end] = _stretch(mean[members], spread[members])
    return probability


def _stretch(mean: FloatArray, error: FloatArray) -> FloatArray:
    """Return the probabilities of the ranks within a stretch of n organizations, (n, n)."""
    count = len(mean)
    if count == 1:
        return np.ones((1, 1))
    # An odd length, so that no factor of the product is 0.
    length = count + 1 - count % 2
    turns = np.exp(-2j * np.pi * np.arange(length // 2 + 1) / length)
    transform = np.zeros((count, len(turns)), dtype=np.complex128)
    noisy, exact = np.flatnonzero(error > 0), np.flatnonzero(error == 0)
    if len(noisy):
        _add_noisy(transform, noisy, turns=turns, mean=mean, error=error)
    for place in exact:
        ties = np.abs(mean[exact] - mean[place]) <= TIE_WIDTH
        above = int((mean[exact] > mean[place] + TIE_WIDTH).sum())
        chance = special().ndtr((mean[noisy] - mean[place]) / error[noisy])
        # Exact scores that are tied come in any order.
        turn = (turns[:, None] ** (above + np.arange(ties.sum()))).mean(axis=1)
        transform[place] = turn * (1 + chance[:, None] * (turns - 1)).prod(axis=0)
    probability: FloatArray = np.fft.irfft(transform, n=length)[:, :count]
    return np.maximum(probability, 0.0)


def _add_noisy(
    transform: NDArray[np.complex128],
    noisy: IntArray,
    *,
    turns: NDArray[np.complex128],
    mean: FloatArray,
    error: FloatArray,
) -> None:
    """Integrate the characteristic functions of organizations whose scores have errors."""
    middle, scale = mean[noisy], error[noisy]
    sure = np.sort(mean[error == 0])
    points, weights = _quadrature(middle, scale, sure)
    certain = len(sure) - np.searchsorted(sure, points)
    cosine = 1 - turns.real
    for point, weight, offset in zip(points, weights, certain, strict=True):
        distance = (middle - point) / scale
        near = np.abs(distance) < _REACH
        chance = special().ndtr(distance[near])
        wide = max((chance * (1 - chance)).sum() - 0.25, 0.0)
        used = int((wide * cosine <= _NEGLIGIBLE).sum())
        factors = 1 + chance[:, None] * (turns[:used] - 1)
        shift = turns[:used] ** (offset + (distance >= _REACH).sum())
        density = weight * np.exp(-(distance[near] ** 2) / 2) / (np.sqrt(2 * np.pi) * scale[near])
        transform[noisy[near], :used] += density[:, None] * (shift * factors.prod(axis=0) / factors)


def _quadrature(
    mean: FloatArray, error: FloatArray, steps: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights, dense where errors are small or many organizations are close."""
    low, high = mean - _REACH * error, mean + _REACH * error
    bounds = np.array([low.min(), high.max()])
    inner = steps[(steps > bounds[0]) & (steps < bounds[1])]
    edges = np.unique(np.concatenate([bounds, inner]))
    left, right = edges[:-1], edges[1:]
    done: list[FloatArray] = []
    while len(left):
        wide = right - left > _WIDEST * _scale(left, right, mean=mean, error=error)
        done.append(np.array([left[~wide], right[~wide]]))
        middle = (left[wide] + right[wide]) / 2
        left, right = np.r_[left[wide], middle], np.r_[middle, right[wide]]
    left, right = np.concatenate(done, axis=1)
    half = (right - left) / 2
    return (
        ((left + right)[:, None] / 2 + half[:, None] * _NODES).ravel(),
        (half[:, None] * _WEIGHTS).ravel(),
    )


def _scale(
    left: FloatArray, right: FloatArray, *, mean: FloatArray, error: FloatArray
) -> FloatArray:
    """Return the smallest length on which the integrands of a panel change, (panels,)."""
    reach = _REACH * error
    meets = (left[:, None] < mean + reach) & (right[:, None] > mean - reach)
    smallest: FloatArray = np.where(meets, error, np.inf).min(axis=1)
    for point in (left, (left + right) / 2, right):
        distance = (mean - point[:, None]) / error
        chance = special().ndtr(distance)
        speed = (np.exp(-(distance**2) / 2) / (np.sqrt(2 * np.pi) * error)).sum(axis=1)
        # Far from everybody the sum is 0, and nothing changes there.
        spread = np.sqrt((chance * (1 - chance)).sum(axis=1) + _QUIET)
        with np.errstate(divide="ignore", over="ignore"):
            width = spread / speed
        smallest = np.minimum(smallest, width)
    return smallest
