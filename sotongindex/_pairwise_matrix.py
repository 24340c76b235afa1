"""The arithmetic of pairwise comparisons: matrices of log ratios, NaN where nobody judged.

A matrix of k keys is antisymmetric with 0 on its diagonal: the logarithm of how many times as
important the row is as the column.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs
import numpy as np

from sotongindex._arrays import FloatArray, IntArray

PairwiseMethod: TypeAlias = Literal["eigenvector", "geometric mean"]
RandomIndex: TypeAlias = Literal["saaty", "saaty 1980", "alonso-lamata"]

# The mean consistency index of random matrices of 3, 4, ... 15 keys.
_TABLES = {
    "saaty": (0.52, 0.89, 1.11, 1.25, 1.35, 1.40, 1.45, 1.49, 1.52, 1.54, 1.56, 1.58, 1.59),
    "saaty 1980": (0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59),
}


@attrs.frozen(kw_only=True)
class PairwiseConsistency:
    r"""How well pairwise judgements agree with each other.

    Attributes:
        count: How many pairs were judged.
        checks: How many more these are than the :math:`n - 1` that :math:`n` keys need; without
            any nothing can be checked, and the index and both ratios are NaN.
        largest_eigenvalue: :math:`\lambda` of the matrix of judgements, missing ones by Harker's
            rule; :math:`n` where they are consistent.
        index: The consistency index :math:`(\lambda - n) / (n - 1)`.
        ratio: The index over that of random judgements; up to 0.1 is usually accepted. Where
            judgements are missing, the random index is that of a whole matrix times the share of
            its checks that are left. NaN beyond the 15 keys of Saaty's tables.
        geometric_index: The sum of squares of :math:`\log(a_{ij} w_j / w_i)` over the number of
            checks, with the weights of least squares; 0.31, 0.35 and 0.37 for 3, 4 and more keys
            answer to a ratio of 0.1.
    """

    count: int
    checks: int
    largest_eigenvalue: float
    index: float
    ratio: float
    geometric_index: float


def mean_judgements(logs: FloatArray) -> FloatArray:
    """Average matrices (j, k, k) over those who judged: geometric means of the ratios."""
    given = ~np.isnan(logs)
    count = given.sum(axis=0)
    total = np.where(given, logs, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def groups_of(logs: FloatArray) -> IntArray:
    """Number the groups of keys that judgements connect, directly or through others, (k,)."""
    # Imported when asked for: not every import of the package needs it.
    from scipy.sparse import csgraph  # noqa: PLC0415

    groups: IntArray = csgraph.connected_components(~np.isnan(logs), directed=False)[1]
    return groups


def pairwise_weights(logs: FloatArray, method: PairwiseMethod) -> FloatArray:
    """Return the weights (k,) of a matrix whose judgements connect all keys."""
    scale = _least_squares(logs)
    if method == "eigenvector":
        scale += np.log(_principal(logs, scale)[0])
    weights = np.exp(scale - scale.max())
    shares: FloatArray = weights / weights.sum()
    return shares


def pairwise_consistency(logs: FloatArray, random_index: RandomIndex) -> PairwiseConsistency:
    """Return the consistency of a matrix whose judgements connect all keys."""
    size = len(logs)
    count = (int((~np.isnan(logs)).sum()) - size) // 2
    checks = count - (size - 1)
    scale = _least_squares(logs)
    # No matrix of reciprocals has a smaller eigenvalue; rounding may seem to.
    largest = max(_principal(logs, scale)[1], float(size))
    index = geometric = ratio = np.nan
    if checks:
        index = (largest - size) / (size - 1)
        geometric = np.nansum((logs - scale[:, None] + scale) ** 2) / 2 / checks
        whole = (size - 1) * (size - 2) / 2
        ratio = index / (_random_index(size, random_index) * checks / whole)
    return PairwiseConsistency(
        count=count,
        checks=checks,
        largest_eigenvalue=largest,
        index=index,
        ratio=ratio,
        geometric_index=float(geometric),
    )


def log_ratios_of_others(logs: FloatArray) -> FloatArray:
    """Return each judged log ratio as all others but it give it by least squares, (k, k).

    NaN where a pair was not judged, or the others do not connect it.
    """
    inverse = np.linalg.inv(_laplacian(logs))
    own = np.diag(inverse)
    leverage = own[:, None] + own - 2 * inverse
    scale = _least_squares(logs)
    residual = logs - scale[:, None] + scale
    checked = leverage < 1 - 1e-9
    return np.where(checked, logs - residual / np.where(checked, 1 - leverage, 1.0), np.nan)


def _laplacian(logs: FloatArray) -> FloatArray:
    """Return the matrix of the normal equations; a constant sets the mean logarithm to 0."""
    given = ~np.isnan(logs)
    return np.diag(given.sum(axis=1)) - given + 1.0


def _least_squares(logs: FloatArray) -> FloatArray:
    """Return log weights (k,), of mean 0, that fit the log ratios best."""
    fitted: FloatArray = np.linalg.solve(_laplacian(logs), np.nansum(logs, axis=1))
    return fitted


def _principal(logs: FloatArray, scale: FloatArray) -> tuple[FloatArray, float]:
    """Return the principal eigenvector (k,), over the weights of `scale`, and its eigenvalue."""
    given = ~np.isnan(logs)
    # Divided by the ratios of good weights, all entries are near 1, whatever the judgements.
    matrix = np.where(given, np.exp(np.where(given, logs, 0.0) - scale[:, None] + scale), 0.0)
    matrix += np.diag((~given).sum(axis=1))  # Harker: what is missing counts as consistent
    values, vectors = np.linalg.eig(matrix)
    first = int(np.argmax(np.real(values)))
    return np.abs(np.real(vectors[:, first])), float(np.real(values[first]))


def _random_index(size: int, kind: RandomIndex) -> float:
    """Return the consistency index of random matrices of 3 or more keys."""
    if kind == "alonso-lamata":
        return (2.7699 * size - 4.3513 - size) / (size - 1)
    table = _TABLES[kind]
    return table[size - 3] if size - 3 < len(table) else np.nan
