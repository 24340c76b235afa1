"""Scores and errors as the ranking methods take them: checked, and as arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import FloatArray
from sotongindex.errors import MethodError

# A variance of a difference this small beside its two variances is rounding, and counts as 0.
_ROUNDING = 1e-12


def score_vector(values: ArrayLike, argument: str = "values") -> FloatArray:
    """Return scores (n,), all finite, at least one.

    Raises:
        MethodError: If there is none, there is more than one axis, or one is not finite.
    """
    scores: FloatArray = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1 or len(scores) == 0:
        raise MethodError(
            f"expected one axis with at least one score, got the shape {scores.shape}",
            argument=argument,
        )
    _check_finite(scores, argument)
    return scores


def standard_errors(errors: ArrayLike, count: int, argument: str = "standard_error") -> FloatArray:
    """Return standard errors (n,), all finite and 0 or more.

    Raises:
        MethodError: If they have another shape, or one is negative or not finite.
    """
    given: FloatArray = np.asarray(errors, dtype=np.float64)
    if given.shape != (count,):
        raise MethodError(
            f"expected {count} standard errors, one for each score, got the shape {given.shape}",
            argument=argument,
        )
    _check_finite(given, argument)
    if (given < 0).any():
        raise MethodError(
            f"expected numbers of 0 or more; {int((given < 0).sum())} of {count} are negative",
            argument=argument,
        )
    return given


def covariance_matrix(errors: ArrayLike, count: int) -> FloatArray:
    """Return a covariance matrix (n, n) from itself, or from standard errors (n,).

    Raises:
        MethodError: If the shape does not fit, a number is not finite, the matrix is not
            symmetric, or a variance is negative.
    """
    given: FloatArray = np.asarray(errors, dtype=np.float64)
    if given.ndim == 1:
        return np.diag(standard_errors(given, count, "covariance") ** 2)
    if given.shape != (count, count):
        raise MethodError(
            f"expected a matrix ({count}, {count}), or {count} standard errors, got the shape "
            f"{given.shape}",
            argument="covariance",
        )
    _check_finite(given, "covariance")
    size = np.abs(given).max()
    if np.abs(given - given.T).max() > 1e-9 * size or (given.diagonal() < 0).any():
        raise MethodError(
            "expected a covariance matrix: symmetric, with variances of 0 or more on its diagonal",
            argument="covariance",
        )
    return given


def difference_variances(covariance: FloatArray) -> FloatArray:
    """Return the variance of every difference of two scores, (n, n)."""
    variance = covariance.diagonal()
    sums = variance[:, None] + variance
    differences = sums - covariance - covariance.T
    return np.where(differences > _ROUNDING * sums, differences, 0.0)


def quasi_variances(covariance: FloatArray) -> FloatArray:
    """Return the variances of independent scores whose differences vary most like these.

    They minimize the squared deviation of q_i + q_j from the variance of every difference; an
    error that all scores share falls out, as it does out of ranks.
    """
    count = len(covariance)
    if np.count_nonzero(covariance) == np.count_nonzero(covariance.diagonal()):
        return covariance.diagonal()
    differences = difference_variances(covariance)
    if count == 2:
        halves: FloatArray = differences.sum(axis=1) / 2
        return halves
    sums = differences.sum(axis=1)
    quasi: FloatArray = (sums - sums.sum() / (2 * count - 2)) / (count - 2)
    return np.maximum(quasi, 0.0)


def _check_finite(numbers: FloatArray, argument: str) -> None:
    bad = ~np.isfinite(numbers)
    if bad.any():
        raise MethodError(
            f"expected finite numbers; {int(bad.sum())} of {bad.size} are not, the first at "
            f"position {np.argwhere(bad)[0].tolist()}; leave these organizations out",
            argument=argument,
        )


def check_count(number: int, argument: str, *, most: int | None = None) -> None:
    """Check that a number is a whole one of 1 or more, up to `most`."""
    whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if not whole or number < 1 or (most is not None and number > most):
        limit = "of 1 or more" if most is None else f"from 1 to {most}"
        raise MethodError(f"expected a whole number {limit}, got {number!r}", argument=argument)
