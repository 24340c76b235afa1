"""How much true scores differ: the variance between organizations, errors taken out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import attrs
import numpy as np

from sotongindex._arrays import FloatArray
from sotongindex.errors import MethodError

BetweenMethod: TypeAlias = Literal["paule-mandel", "reml", "ml"]

# An exact score has an error this small beside the largest scale, so that weights stay finite.
_LEAST = 1e-10
_GRID = 120
_HALVINGS = 100


@attrs.frozen(kw_only=True, eq=False)
class Regression:
    """Scores regressed on a design, weighted by 1 / (between variance + error variance).

    Attributes:
        weights: The weights, (n,).
        fitted: The fitted scores, (n,).
        residuals: Scores less fitted, (n,).
        inverse: (X' W X)^-1, (k, k).
        design: X, (n, k).
    """

    weights: FloatArray
    fitted: FloatArray
    residuals: FloatArray
    inverse: FloatArray
    design: FloatArray

    @classmethod
    def of(cls, values: FloatArray, variance: FloatArray, design: FloatArray) -> Regression:
        """Fit by generalized least squares, `variance` that of a score around its fitted one."""
        root = 1 / np.sqrt(variance)
        q, r = np.linalg.qr(design * root[:, None])
        inner = np.linalg.inv(r)
        fitted = (q @ (q.T @ (values * root))) / root
        return cls(
            weights=root**2,
            fitted=fitted,
            residuals=values - fitted,
            inverse=inner @ inner.T,
            design=design,
        )

    @property
    def spread(self) -> float:
        """The weighted sum of squared residuals: Cochran's Q."""
        return float((self.weights * self.residuals**2).sum())

    @property
    def leverage(self) -> FloatArray:
        """The variance of every fitted score, (n,)."""
        variance: FloatArray = ((self.design @ self.inverse) * self.design).sum(axis=1)
        return variance

    def log_likelihood(self, *, restricted: bool) -> float:
        """Return the log likelihood, up to a constant."""
        twice = np.log(self.weights).sum() - self.spread
        if restricted:
            twice += np.linalg.slogdet(self.inverse)[1]
        return float(twice / 2)

    def score(self, *, restricted: bool) -> float:
        """Return the derivative of the log likelihood by the between variance."""
        trace = self.weights.sum()
        if restricted:
            trace -= (self.weights**2 * self.leverage).sum()
        return float(((self.weights * self.residuals) ** 2).sum() - trace) / 2


def between_variance(
    values: FloatArray, variance: FloatArray, design: FloatArray, *, method: BetweenMethod
) -> float:
    """Estimate the variance of true scores around their regression on the design.

    Raises:
        MethodError: If there are no more scores than columns of the design, the columns depend on
            each other, or a score is exact under "ml", whose likelihood then has no maximum.
    """
    count, columns = design.shape
    if count <= columns or np.linalg.matrix_rank(design) < columns:
        raise MethodError(
            f"expected more organizations than the {columns} means and slopes to estimate, none of "
            f"which follows from the others; got {count} organizations",
            argument="values",
        )
    if method == "ml" and (variance == 0).any():
        raise MethodError(
            f'"ml" needs errors above 0; {int((variance == 0).sum())} of {count} are 0; use '
            '"paule-mandel" or "reml"',
            argument="method",
        )
    # In units in which residuals and errors are about 1, no square leaves the range of numbers.
    residuals = np.abs(Regression.of(values, np.ones(count), design).residuals)
    unit = max(float(residuals.max()), float(np.sqrt(variance.max())))
    if residuals.max() <= 1e-12 * max(np.abs(values).max(), unit):
        return 0.0
    scaled = np.maximum(variance / unit**2, _LEAST)

    def regression(between: float) -> Regression:
        return Regression.of(values / unit, between + scaled, design)

    if method == "paule-mandel":
        found = _root(lambda at: regression(at).spread - (count - columns), 0.0, 1.0)
    else:
        found = _most_likely(regression, restricted=method == "reml")
    return found * unit**2


def _most_likely(regression: Callable[[float], Regression], *, restricted: bool) -> float:
    """Find the highest maximum of the likelihood: on a grid, then by its derivative."""
    grid = np.concatenate([[0.0], np.geomspace(1e-9, 1e3, _GRID)])
    likely = [regression(at).log_likelihood(restricted=restricted) for at in grid]
    best = int(np.argmax(likely))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, _GRID)]
    return _root(lambda at: regression(at).score(restricted=restricted), float(low), float(high))


def _root(falling: Callable[[float], float], low: float, high: float) -> float:
    """Return where a falling function is 0, or `low` where it is not positive there."""
    if falling(low) <= 0:
        return low
    while falling(high) > 0:
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2
