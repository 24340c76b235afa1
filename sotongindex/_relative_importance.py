"""Relative importance: shares of an outcome's variance from correlations, with their derivatives.

Every function takes one correlation matrix (k + 1, k + 1), k drivers first and the outcome last,
and returns numbers with their derivatives by every entry of it. What a respondent does to
correlations is a quadratic form of standardized answers, so one product turns derivatives into
influences.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import attrs
import numpy as np
from numpy.typing import ArrayLike

from sotongindex._arrays import BLOCK_ROWS, FloatArray, IntArray
from sotongindex.errors import MethodError

MOST_DRIVERS = 20  # a million models

# A driver that the others leave less of its variance than this tells nothing of its own.
_NOTHING_LEFT = 1e-10

# A row that alone tells a driver from the others has nothing beside it that shows an error.
_MOST_LEVERAGE = 0.9


@attrs.frozen(kw_only=True, eq=False)
class Derived:
    """Numbers that are made of correlations.

    Attributes:
        values: The numbers, (m,).
        gradient: Their derivatives by every entry of the matrix, (m, k + 1, k + 1), symmetric.
    """

    values: FloatArray
    gradient: FloatArray


def derived_together(parts: Sequence[Derived]) -> Derived:
    """Put numbers one after the other."""
    return Derived(
        values=np.concatenate([part.values for part in parts]),
        gradient=np.concatenate([part.gradient for part in parts]),
    )


# -- from answers to correlations, and back from derivatives to influences -----------------------


@attrs.frozen(kw_only=True, eq=False)
class Standardized:
    """Columns of mean 0 and variance 1, and how much every row counts.

    Attributes:
        columns: The standardized columns, (n, p).
        share: The weight of every row, sums to 1, (n,).
    """

    columns: FloatArray
    share: FloatArray

    @classmethod
    def of(cls, table: FloatArray, weight: FloatArray | None, names: Sequence[str]) -> Standardized:
        """Standardize a table (n, p) without missing numbers.

        Raises:
            MethodError: If a column is constant over the rows that count.
        """
        share = np.full(len(table), 1.0) if weight is None else weight
        counted = table[share > 0]
        for name, column in zip(names, counted.T, strict=True):
            if len(column) == 0 or column.min() == column.max():
                raise MethodError(
                    f"{name!r} does not vary over the {len(column)} rows that count: it has no "
                    "correlation; leave it out",
                    argument="drivers" if name != names[-1] else "outcome",
                )
        share = share / share.sum()
        # Differences from a value that occurs lose no digits to a large mean.
        centred = table - counted[0]
        centred = centred - share @ centred
        return cls(columns=centred / np.sqrt(share @ centred**2), share=share)

    def correlations(self) -> FloatArray:
        """Return the correlation matrix, (p, p)."""
        matrix = self.columns.T @ (self.columns * self.share[:, None])
        np.fill_diagonal(matrix, 1.0)
        return np.clip(_symmetric(matrix), -1.0, 1.0)

    def influence(self, derived: Derived, correlations: FloatArray) -> FloatArray:
        r"""Return the influence of every row on every number, (n, m).

        The influence on :math:`r_{ab}` is :math:`w (z_a z_b - r_{ab} (z_a^2 + z_b^2) / 2)`; with
        derivatives :math:`G` they add up to :math:`w\,z' (G - \operatorname{diag}(G R))\,z`. A row
        pulls the slopes toward itself: divided by one less its leverage, its influence is nearly
        what leaving it out would change.
        """
        count, size = len(derived.values), len(correlations)
        form = derived.gradient.copy()
        form[:, np.arange(size), np.arange(size)] -= (derived.gradient * correlations).sum(axis=2)
        result = np.empty((len(self.columns), count))
        for start in range(0, len(result), BLOCK_ROWS):
            block = self.columns[start : start + BLOCK_ROWS]
            products = (block[:, :, None] * block[:, None, :]).reshape(len(block), -1)
            result[start : start + BLOCK_ROWS] = products @ form.reshape(count, -1).T
        vectors, _, inverse = _square_root(correlations[:-1, :-1])
        distance = ((self.columns[:, :-1] @ (vectors * inverse)) ** 2).sum(axis=1)
        leverage = np.minimum(self.share * (1.0 + distance), _MOST_LEVERAGE)
        result *= (self.share / (1.0 - leverage))[:, None]
        return result

    def by_outcome(self, derived: Derived, correlations: FloatArray, spread: float) -> FloatArray:
        """Return the derivatives of every number by every outcome, (m, n).

        Args:
            derived: The numbers.
            correlations: The correlation matrix.
            spread: The standard deviation of the outcome.
        """
        outcome = self.columns[:, -1:]
        moved = (self.columns[:, :-1] - outcome * correlations[-1, :-1]) * self.share[:, None]
        derivatives: FloatArray = 2.0 / spread * derived.gradient[:, :-1, -1] @ moved.T
        return derivatives


def checked_correlations(correlations: ArrayLike, outcome: ArrayLike) -> FloatArray:
    """Put correlations among drivers (k, k) and with the outcome (k,) together, (k + 1, k + 1).

    Raises:
        MethodError: If shapes do not fit, or no answers can have such correlations.
    """
    among = np.asarray(correlations, dtype=np.float64)
    with_outcome = np.asarray(outcome, dtype=np.float64)
    count = len(with_outcome) if with_outcome.ndim == 1 else 0
    if count == 0 or among.shape != (count, count):
        raise MethodError(
            "expected a matrix (k, k) among k drivers and k correlations with the outcome, got the "
            f"shapes {among.shape} and {with_outcome.shape}",
            argument="correlations",
        )
    matrix = np.block([[among, with_outcome[:, None]], [with_outcome[None, :], np.ones((1, 1))]])
    if not np.isfinite(matrix).all() or np.abs(matrix - matrix.T).max() > 1e-9:
        raise MethodError(
            "expected finite numbers, the same on both sides", argument="correlations"
        )
    if np.abs(matrix.diagonal() - 1).max() > 1e-9 or np.linalg.eigvalsh(matrix)[0] < -1e-9:
        raise MethodError(
            "no answers can have such correlations: a diagonal of 1 and no negative eigenvalue are "
            "needed; make them all from the same complete rows",
            argument="correlations",
        )
    return _symmetric(matrix)


# -- Johnson -------------------------------------------------------------------------------------


def johnson(matrix: FloatArray) -> Derived:
    r"""Return Johnson's relative weights, :math:`\varepsilon_j = \sum_k \Lambda_{jk}^2 \beta_k^2`.

    :math:`\Lambda` is the symmetric square root of the correlations among drivers, and
    :math:`\beta = \Lambda^{-1} r` are the slopes on the orthogonal variables nearest to them.
    """
    count = len(matrix) - 1
    vectors, root, inverse = _square_root(matrix[:count, :count])
    loading = (vectors * root) @ vectors.T
    back = (vectors * inverse) @ vectors.T
    slopes = back @ matrix[:count, count]
    by_slopes = 2 * loading**2 * slopes  # (drivers, orthogonal variables)
    by_outcome = by_slopes @ back
    # The derivative by the square root: its own squares, and through the slopes its inverse.
    by_loading = np.zeros((count, count, count))
    by_loading[np.arange(count), np.arange(count)] = 2 * loading * slopes**2
    by_loading -= by_outcome[:, :, None] * slopes
    # A change of the matrix changes its root by the solution of a Sylvester equation.
    sums = root[:, None] + root
    rotated = vectors.T @ _symmetric(by_loading) @ vectors
    among = np.divide(rotated, sums, out=np.zeros_like(rotated), where=sums > 0)
    return Derived(
        values=loading**2 @ slopes**2,
        gradient=_gradient(vectors @ among @ vectors.T, by_outcome),
    )


def _square_root(among: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return eigenvectors, roots of the eigenvalues, and their inverses, 0 where there is none."""
    eigenvalues, vectors = np.linalg.eigh(among)
    root = np.sqrt(np.where(eigenvalues > _NOTHING_LEFT, eigenvalues, 0.0))
    return vectors, root, np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)


def _symmetric(matrices: FloatArray) -> FloatArray:
    half: FloatArray = (matrices + np.swapaxes(matrices, -1, -2)) / 2
    return half


def _gradient(among: FloatArray, by_outcome: FloatArray) -> FloatArray:
    """Lay out derivatives by correlations among drivers (m, k, k) and with the outcome (m, k)."""
    numbers, count = by_outcome.shape
    gradient = np.zeros((numbers, count + 1, count + 1))
    gradient[:, :count, :count] = among
    gradient[:, :count, count] = gradient[:, count, :count] = by_outcome / 2
    return gradient


# -- Shapley -------------------------------------------------------------------------------------


def shapley_values(matrix: FloatArray) -> FloatArray:
    """Return Shapley's importance of every driver, (k,)."""
    count = len(matrix) - 1
    explained = 1.0 - _partial_covariances(matrix)[-1][0, 0]
    return np.array([_shapley_weights(count, driver) @ explained for driver in range(count)])


def shapley(matrix: FloatArray) -> Derived:
    r"""Return Shapley's importance of every driver with its derivatives.

    Derivatives go back the way that the partial covariances came: with the regression :math:`v` of
    the others on the driver that is held fixed, a derivative :math:`A` by what is left becomes
    :math:`A` for the others, :math:`-A v` for them with the driver, and :math:`v'Av` for the
    driver's variance.
    """
    count = len(matrix) - 1
    states = _partial_covariances(matrix)
    explained = 1.0 - states[-1][0, 0]
    values, gradient = np.empty(count), np.empty((count, *matrix.shape))
    for driver in range(count):
        weights = _shapley_weights(count, driver)
        values[driver] = weights @ explained
        adjoint = -weights[None, None]
        for state in states[-2::-1]:
            adjoint = _back(state, adjoint)
        gradient[driver] = adjoint[..., 0]
    return Derived(values=values, gradient=gradient)


def _partial_covariances(matrix: FloatArray) -> list[FloatArray]:
    """Return what every subset of the first j drivers leaves of the rest, (k + 1 - j, ..., 2^j).

    Subset s holds driver j where bit j of s is set; the last state is the variance of the outcome
    that each of the 2^k models leaves.

    Raises:
        MethodError: If there are too many drivers for that.
    """
    if len(matrix) - 1 > MOST_DRIVERS:
        raise MethodError(
            f"Shapley's importance tries every set of drivers: expected {MOST_DRIVERS} drivers or "
            f"fewer, got {len(matrix) - 1}; take Johnson's relative weights, or fewer drivers",
            argument="drivers",
        )
    states = [matrix[..., None]]
    for _ in range(len(matrix) - 1):
        state = states[-1]
        rest = state[1:, 1:]
        states.append(np.concatenate([rest, rest - state[1:, :1] * _regression(state)], axis=-1))
    return states


def _regression(state: FloatArray) -> FloatArray:
    """Return the slopes of the others on the first, (1, others, subsets), 0 where nothing is left.

    Left is nothing where the drivers before it determine it, such as those of a second copy.
    """
    pivot, first = state[:1, :1], state[:1, 1:]
    return np.divide(first, pivot, out=np.zeros_like(first), where=pivot > _NOTHING_LEFT)


def _back(state: FloatArray, adjoint: FloatArray) -> FloatArray:
    """Return derivatives by a state from those by the next one."""
    half = state.shape[-1]
    without, within = adjoint[..., :half], adjoint[..., half:]
    slopes = _regression(state)
    by_first = -(within * slopes).sum(axis=1)
    result = np.empty_like(state)
    result[1:, 1:] = without + within
    result[0, 1:] = result[1:, 0] = by_first
    result[0, 0] = -(by_first * slopes[0]).sum(axis=0)
    return result


def _shapley_weights(count: int, driver: int) -> FloatArray:
    """Return what the explained variance of every subset adds to a driver's importance, (2^k,).

    A subset of s of the other drivers counts 1 / (k C(k - 1, s)), with the driver and without it.
    """
    subsets: IntArray = np.arange(2**count)
    within = (subsets >> driver & 1).astype(bool)
    others = np.bitwise_count(subsets) - within
    weights = np.array([1 / (count * comb(count - 1, size)) for size in range(count)])[others]
    signed: FloatArray = np.where(within, weights, -weights)
    return signed


# -- correlations and slopes ---------------------------------------------------------------------


def with_outcome(matrix: FloatArray) -> Derived:
    """Return the correlation of every driver with the outcome, (k,)."""
    count = len(matrix) - 1
    return Derived(
        values=matrix[:count, count],
        gradient=_gradient(np.zeros((count, count, count)), np.eye(count)),
    )


def slopes(matrix: FloatArray) -> Derived:
    r"""Return standardized slopes, :math:`R^{-1} r`; NaN where drivers determine each other."""
    count = len(matrix) - 1
    vectors, root, inverse = _square_root(matrix[:count, :count])
    back = (vectors * inverse**2) @ vectors.T
    values = back @ matrix[:count, count]
    undetermined = np.abs(vectors[:, root == 0]).max(axis=1, initial=0.0) > 1e-6
    return Derived(
        values=np.where(undetermined, np.nan, values),
        gradient=_gradient(_symmetric(-back[:, :, None] * values), back),
    )
