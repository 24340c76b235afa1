"""Estimates: numbers with their sampling error, and how the error travels.

Every smooth step from answers to decisions is values plus a Jacobian J. An `Estimates` holds its
values and a thin factor F of their covariance, Cov = F'F; after the step the factor is F J'. So one
rule carries errors and covariances through the whole library, and numbers that rest on the same
respondents know it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from sotongindex._arrays import FloatArray, float_array
from sotongindex._factors import (
    DetachedFactor,
    Factor,
    LinearFactor,
    StoredFactor,
    covariance,
    independent_factor,
)
from sotongindex._student import t_probability, t_quantile
from sotongindex._variance_methods import (
    BalancedRepeatedReplication,
    Bootstrap,
    GroupJackknife,
    Jackknife,
    Linearization,
    ReplicateWeights,
    VarianceMethod,
)
from sotongindex.errors import MethodError

__all__ = [
    "BalancedRepeatedReplication",
    "Bootstrap",
    "Estimates",
    "GroupJackknife",
    "Jackknife",
    "Linearization",
    "ReplicateWeights",
    "VarianceMethod",
    "combine",
]


_NUMBERS_DRAWN = 2_000_000  # at a time, to bound the memory of draws

Jacobian: TypeAlias = Any  # a matrix (m, k): nested sequences, an array, or a scipy sparse array


@attrs.frozen(kw_only=True, eq=False)
class Estimates:
    """An array of numbers with their sampling error.

    Where the error cannot be told (one respondent, a published score without a standard error),
    `variance` is NaN and `degrees_of_freedom` is 0, and the interval is NaN too.

    Attributes:
        values: The numbers, of any shape; NaN where missing.
        variance: Their sampling variances, same shape.
        degrees_of_freedom: Of the t distribution of each, same shape; inf means normal.
        factor: The factor of their covariance, over the flattened values.
        level: The level of the intervals, a share.
        lower: The lowest value there can be; intervals stop there.
        upper: The highest value there can be.
    """

    values: FloatArray = attrs.field(converter=float_array)
    variance: FloatArray = attrs.field(converter=float_array)
    degrees_of_freedom: FloatArray = attrs.field(converter=float_array)
    factor: Factor = attrs.field(repr=False)
    level: float = 0.95
    lower: float = 0.0
    upper: float = 100.0

    def __attrs_post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise MethodError(
                f"expected a share between 0 and 1, got {self.level}", argument="level"
            )
        for name in ("variance", "degrees_of_freedom"):
            if getattr(self, name).shape != self.shape:
                raise MethodError(
                    f"expected the shape of the values {self.shape}, got "
                    f"{getattr(self, name).shape}",
                    argument=name,
                )

    @classmethod
    def independent(
        cls,
        values: ArrayLike,
        standard_error: ArrayLike | None = None,
        *,
        degrees_of_freedom: ArrayLike = np.inf,
        level: float = 0.95,
        lower: float = 0.0,
        upper: float = 100.0,
    ) -> Estimates:
        """Return estimates that somebody else computed, taken as independent of each other.

        Args:
            values: The numbers.
            standard_error: Their standard errors, 0 or more; NaN or None where not known.
            degrees_of_freedom: Of the t distribution; inf means normal.
            level: The level of the intervals.
            lower: The lowest value there can be.
            upper: The highest value there can be.

        Returns:
            The estimates.

        Raises:
            MethodError: If a standard error is negative or infinite.

        >>> Estimates.independent([50.0, 99.0], [1.0, 2.0]).high.round(2).tolist()
        [51.96, 100.0]
        """
        numbers = np.asarray(values, dtype=np.float64)
        given = np.nan if standard_error is None else standard_error
        error = np.broadcast_to(np.asarray(given, dtype=np.float64), numbers.shape)
        if (error < 0).any() or np.isinf(error).any():
            raise MethodError(
                "expected finite numbers of 0 or more, or NaN where not known",
                argument="standard_error",
            )
        error = np.where(np.isnan(numbers), np.nan, error)
        return cls(
            values=numbers,
            variance=error**2,
            degrees_of_freedom=np.where(np.isnan(error), 0.0, degrees_of_freedom),
            factor=independent_factor(error.ravel()),
            level=level,
            lower=lower,
            upper=upper,
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return self.values.shape

    @property
    def size(self) -> int:
        """The number of values."""
        return self.values.size

    @property
    def standard_error(self) -> FloatArray:
        """The square roots of the variances."""
        error: FloatArray = np.sqrt(self.variance)
        return error

    @property
    def low(self) -> FloatArray:
        """The lower ends of the t intervals at `level`, never below `lower`."""
        return np.clip(self.values - self._margin, self.lower, self.upper)

    @property
    def high(self) -> FloatArray:
        """The upper ends of the t intervals at `level`, never above `upper`."""
        return np.clip(self.values + self._margin, self.lower, self.upper)

    @property
    def _margin(self) -> FloatArray:
        return t_quantile(self.degrees_of_freedom, 0.5 + self.level / 2) * self.standard_error

    def covariance(self, other: Estimates | None = None) -> FloatArray:
        """Return the covariance matrix of these, or between these and `other`.

        Shared respondents are matched by their keys; numbers are taken in C order.

        Args:
            other: Other estimates; None means these themselves.

        Returns:
            A matrix (size, size of other); NaN where an error is not known.
        """
        second = self if other is None else other
        here = self.factor.columns(np.arange(self.size))
        there = here if other is None else other.factor.columns(np.arange(other.size))
        dense: FloatArray = covariance(here, there).toarray()
        dense[np.isnan(self.variance).ravel()] = np.nan
        dense[:, np.isnan(second.variance).ravel()] = np.nan
        return dense

    def select(self, index: Any) -> Estimates:
        """Return part of the estimates, their errors and covariances kept.

        Args:
            index: Anything that indexes an array of this shape.

        Returns:
            The estimates at `index`.
        """
        chosen = np.arange(self.size).reshape(self.shape)[index]
        size = chosen.size
        jacobian = sparse.csr_array(
            (np.ones(size), (np.arange(size), chosen.ravel())), shape=(size, self.size)
        )
        return attrs.evolve(
            self,
            values=self.values[index],
            variance=self.variance[index],
            degrees_of_freedom=self.degrees_of_freedom[index],
            factor=LinearFactor(((self.factor, jacobian),)),
        )

    def transform(
        self,
        jacobian: Jacobian,
        *,
        values: ArrayLike | None = None,
        shape: tuple[int, ...] | None = None,
        lower: float | None = None,
        upper: float | None = None,
    ) -> Estimates:
        """Return a linear, or linearized, function of the estimates; see `combine`."""
        return combine(
            [(self, jacobian)],
            values=values,
            shape=shape,
            lower=self.lower if lower is None else lower,
            upper=self.upper if upper is None else upper,
        )

    def kept(self) -> Estimates:
        """Return the same estimates with their factor made once, for using it again and again.

        The factor of an index's deeper levels is made from the answers whenever it is asked for,
        which saves memory; whoever asks for many parts of it keeps it first.
        """
        blocks = self.factor.columns(np.arange(self.size))
        return attrs.evolve(self, factor=StoredFactor(blocks))

    def detached(self, source: str) -> Estimates:
        """Return the same estimates with the respondents of `source`, who are nobody else's."""
        return attrs.evolve(self, factor=DetachedFactor(self.factor, source))

    def draws(self, count: int, *, rng: int | np.random.Generator | None = None) -> FloatArray:
        """Draw what other samples of the same population might have given, around the values.

        Deviations are normal with the covariance of the estimates, so that numbers which rest on
        the same respondents move together; the covariance itself is never made.

        Args:
            count: How many draws.
            rng: A seed or generator.

        Returns:
            Draws (count, ...) over the shape of the values, not kept within `lower` and `upper`;
            NaN where a value is missing or its error is not known.

        Raises:
            MethodError: If `count` is negative.

        >>> pair = Estimates.independent([50.0, 60.0], [3.0, 0.0])
        >>> pair.draws(10_000, rng=7).std(axis=0).round(1).tolist()
        [3.0, 0.0]
        """
        if count < 0:
            raise MethodError(f"expected 0 or more, got {count}", argument="count")
        random = np.random.default_rng(rng)
        drawn = np.tile(np.where(np.isnan(self.variance), np.nan, self.values).ravel(), (count, 1))
        for block in self.factor.columns(np.arange(self.size)).values():
            rows = max(1, _NUMBERS_DRAWN // max(len(block.labels), 1))
            for start in range(0, count, rows):
                part = drawn[start : start + rows]
                part += block.draw(len(part), random)
        return drawn.reshape(count, *self.shape)

    def probability_at_least(self, threshold: ArrayLike) -> FloatArray:
        """Return the probability that the true value is at least `threshold`.

        It is the posterior probability under a flat prior, from the t distribution of the
        estimate: 0.5 where the estimate equals the threshold.

        Args:
            threshold: A number, or an array that broadcasts to the values.

        Returns:
            Probabilities, 0 to 1, in the shape of the values; NaN where the error is not known.
        """
        distance = self.values - np.asarray(threshold, dtype=np.float64)
        error = self.standard_error
        exact = error == 0
        ratio = distance / np.where(exact, 1.0, error)
        certain = 0.5 * (1.0 + np.sign(distance))
        return np.where(exact, certain, t_probability(self.degrees_of_freedom, ratio))


def combine(
    terms: Sequence[tuple[Estimates, Jacobian]],
    *,
    values: ArrayLike | None = None,
    shape: tuple[int, ...] | None = None,
    lower: float = -100.0,
    upper: float = 100.0,
) -> Estimates:
    r"""Add up linear maps of estimates, with the covariance among all of them.

    With Jacobians :math:`J_t` (m, size of term t): :math:`y = \sum_t J_t x_t` and
    :math:`\operatorname{Cov} y = \sum_{t,u} J_t \operatorname{Cov}(x_t, x_u) J_u'`. Degrees of
    freedom follow Welch and Satterthwaite, every input a piece of its own:
    :math:`(\sum a^2 v)^2 / \sum (a^2 v)^2 / \nu`; a result that copies one input keeps its own.

    Args:
        terms: Pairs of estimates and Jacobian, dense or sparse.
        values: The results, where the function is not linear; default the linear ones.
        shape: The shape of the result; default (m,).
        lower: The lowest value there can be.
        upper: The highest value there can be.

    Returns:
        The combined estimates; the error is not known where it rests on one that is not known.

    Raises:
        MethodError: If a Jacobian does not fit its estimates.

    References:
        Satterthwaite (1946), doi:10.2307/3002019.

    >>> score = Estimates.independent([60.0, 50.0], [3.0, 4.0])
    >>> gap = combine([(score, [[1, -1]])])
    >>> gap.values.item(), gap.standard_error.item()
    (10.0, 5.0)
    """
    mapped = [(estimates, _jacobian(jacobian, estimates)) for estimates, jacobian in terms]
    rows = mapped[0][1].shape[0]
    squares, spread, unknown = np.zeros(rows), np.zeros(rows), np.zeros(rows, dtype=bool)
    missing = np.zeros(rows, dtype=bool)
    linear = np.zeros(rows)
    for estimates, jacobian in mapped:
        variance, freedom = estimates.variance.ravel(), estimates.degrees_of_freedom.ravel()
        touched = abs(jacobian).sign()
        known = np.nan_to_num(variance)
        pieces = jacobian.power(2)
        squares += pieces @ known
        spread += pieces.power(2) @ (known**2 / np.where(freedom > 0, freedom, 1.0))
        unknown |= touched @ np.isnan(variance).astype(float) > 0
        missing |= touched @ np.isnan(estimates.values.ravel()).astype(float) > 0
        linear += jacobian @ np.nan_to_num(estimates.values.ravel())
    freedom = np.divide(squares**2, spread, out=np.full(rows, np.inf), where=spread > 0)
    result = np.where(missing, np.nan, linear) if values is None else np.ravel(values)
    unknown |= np.isnan(result)
    final = (rows,) if shape is None else shape
    factor = LinearFactor(tuple((estimates.factor, jacobian) for estimates, jacobian in mapped))
    return Estimates(
        values=np.reshape(result, final),
        variance=np.where(unknown, np.nan, factor.variance()).reshape(final),
        degrees_of_freedom=np.where(unknown, 0.0, freedom).reshape(final),
        factor=factor,
        level=mapped[0][0].level,
        lower=lower,
        upper=upper,
    )


def _jacobian(jacobian: Jacobian, estimates: Estimates) -> sparse.csr_array:
    matrix = sparse.csr_array(jacobian if sparse.issparse(jacobian) else np.atleast_2d(jacobian))
    matrix.eliminate_zeros()
    if matrix.shape[1] != estimates.size:
        raise MethodError(
            f"expected {estimates.size} columns, one for each estimate, got {matrix.shape[1]}",
            argument="jacobian",
        )
    return matrix.astype(np.float64)
